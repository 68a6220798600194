"""Lets Lean write an export, and reads Lean's summary of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bridge.engine import BuildBrokenError, Engine, LeanMessage, TooSlowError, unchanged
from bridge.errors import AnswerError, EngineError
from bridge.lean.clean_modules import CleanModules
from bridge.lean.client import Answer, ask_in_batch
from bridge.lean.compiled import files_of
from bridge.lean.library import ask_guard, compile_sources
from bridge.lean.messages import Part, read_part
from bridge.lean.project import Project
from bridge.lean.questions import ask_engine
from bridge.lean.requests import ConstantsRequest, TogetherRequest, TrustRequest
from bridge.progress import Progress, Silent

__all__ = ["ExportOnTheWay", "Written", "parse_written", "write_export"]


@dataclass(frozen=True, slots=True)
class Written:
    """Lean's summary of an export that it wrote.

    Attributes:
        count: how many constants it declares.
        roots: numbers of the requested names, by name.
        refused: constants that the format cannot express, by number, and why.
        spelled: the same constants as Lean prints their names.
        own: numbers of the constants that the running Lean does not ship.
        modules: of a root that one module both declares and tags, that module, by name.
        left_out: modules of which no such root was written.
    """

    count: int
    roots: Mapping[str, int]
    refused: Mapping[int, str]
    spelled: Mapping[int, str]
    own: frozenset[int]
    modules: Mapping[str, str] = field(default_factory=dict)
    left_out: frozenset[str] = frozenset()


class _Written(Part, frozen=True, tag_field="kind", tag="constants"):
    count: int
    roots: list[tuple[int, str, str | None]]
    refused: list[tuple[int, str, str]]
    own: frozenset[int]
    left_out: frozenset[str]


def parse_written(messages: Sequence[object]) -> Written:
    """Check Lean's answer to ``#export_constants``.

    Raises:
        AnswerError: it is malformed.
    """
    only = messages[0] if len(messages) == 1 else messages
    said = read_part(only, _Written, "Lean's answer about an export")
    return Written(
        said.count,
        {name: number for number, name, _ in said.roots},
        {number: why for number, _, why in said.refused},
        {number: name for number, name, _ in said.refused},
        said.own,
        {name: module for _, name, module in said.roots if module is not None},
        said.left_out,
    )


def write_export(
    project: Project,
    engine: Engine,
    names: Sequence[str],
    output: Path,
    *,
    timeout: float,
    progress: Progress | None = None,
) -> Written | None:
    """Compile the project where needed and let Lean write an export.

    Args:
        project: the project.
        engine: the Lean that writes.
        names: the constants to write, with all that they rest on; empty means what an audit rests
            on.
        output: the file.
        timeout: seconds for Lean, after compiling.
        progress: the callback that receives updates.

    Returns:
        What was written; ``None`` if the engine cannot write a file.

    Raises:
        LeanSourceError: a source does not compile.
        AnswerError: Lean's answer is malformed, or the sources changed meanwhile.
        EngineError: the engine broke.
    """
    watcher, task = progress or Silent(), "writing what the theorems rest on"
    ask_guard(project, engine, timeout=timeout, progress=watcher)
    request = ConstantsRequest(project.roots, tuple(names))
    sources = project.fingerprint()
    compile_sources(project, engine, watcher)
    files = files_of(project, engine)
    watcher.update(task, 0, None)

    def batch(text: str) -> Sequence[LeanMessage] | None:
        return engine.run_document(project.root, text, timeout=timeout, output=output)

    answer: Answer | None = ask_in_batch(request, batch)
    if answer is None:
        return None
    if not output.is_file():
        raise EngineError(
            "Lean says that it wrote an export, but there is none",
            remedy="run the command again; `obligations doctor` looks for the cause",
        )
    if project.fingerprint() != sources or not unchanged(project.root, files):
        raise AnswerError(
            "the Lean sources changed while Lean exported them", remedy="run the command again"
        )
    watcher.update(task, 1, 1)
    return parse_written(answer["constants"])


@dataclass(slots=True)
class ExportOnTheWay:
    """Lets Lean write the export in the document that looks behind the statements.

    A separate export would read all modules again.  If Lean breaks, it is asked only for the rest,
    and nothing is written.

    Attributes:
        project: the project; compiled already.
        engine: the Lean that writes.
        path: the file.
        known: selects from modules those that every kernel accepted before; they are not written.
        written: Lean's summary of it; ``None`` as long as there is none.
        digests: those of the compiled modules when Lean was asked.
    """

    project: Project
    engine: Engine
    path: Path
    known: Callable[[Sequence[str]], Sequence[str]] = lambda _: ()
    written: Written | None = None
    digests: Mapping[str, str] = field(default_factory=dict)

    def put(self, request: TrustRequest, timeout: float) -> Answer:
        """Send the request to Lean, and let it write the file.

        Raises the same as :func:`bridge.lean.questions.ask_engine`.
        """
        root = self.project.root
        self.written = None
        self.path.unlink(missing_ok=True)
        self.digests = CleanModules(self.project, self.engine).digests()
        without = tuple(self.known(request.already_clean))
        constants = ConstantsRequest(self.project.roots, without=without)
        both = TogetherRequest((request, constants))

        def batch(text: str) -> Sequence[LeanMessage] | None:
            return self.engine.run_document(root, text, timeout=timeout, output=self.path)

        try:
            answer = ask_in_batch(both, batch)
        except TooSlowError:
            raise
        except BuildBrokenError:
            answer = None
        if answer is None:
            return ask_engine(root, self.engine, request, timeout=timeout)
        if self.path.is_file():
            self.written = parse_written(answer["constants"])
        return {section: answer[section] for section in request.sections}
