"""From a project's folder to everything that Lean says about it.

This is the first half of the flow: compile, ask, verify, take apart.  The answer for unchanged
sources comes from the cache and needs no Lean.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from bridge import __version__
from bridge.engine import (
    BuildEvent,
    BuildReport,
    Engine,
    unchanged,
)
from bridge.engine.processes import usable_cores
from bridge.errors import AnswerError, LeanSourceError
from bridge.lean.answers import AnswerCache
from bridge.lean.client import DEFAULT_TIMEOUT, Answer, printable
from bridge.lean.compiled import files_noted, files_of, followed_from, note_compiled
from bridge.lean.exporter import refuse_another_exporter
from bridge.lean.graphs import ExportedGraphs, parse_graphs
from bridge.lean.guard import parse_guard, refuse_hijackers
from bridge.lean.kept_statements import KeptStatements, statements_of
from bridge.lean.known_names import remember
from bridge.lean.locked_answer import KeptAnswer
from bridge.lean.obligation import (
    LeanFacts,
    Obligation,
    fidelity_of,
    obligations_of,
)
from bridge.lean.project import Project
from bridge.lean.propositions import parse_propositions
from bridge.lean.questions import ask_engine
from bridge.lean.requests import GraphRequest, GuardRequest, LibraryRequest, Request
from bridge.lean.statement import Statement, Statements, parse_statements
from bridge.progress import Progress, Silent
from bridge.verdict import LeanStatus, Role
from numeric.closed_forms.catalogue import CLOSED_FORMS
from numeric.propositions.terms import Theory

__all__ = [
    "Library",
    "answer_key",
    "ask_guard",
    "ask_lean",
    "build",
    "compile_sources",
    "known_library",
    "read_library",
]

T = TypeVar("T")

KERNEL_SECONDS = 1800.0


@dataclass(frozen=True, slots=True)
class Library:
    """What Lean says about a project: statements, their obligations, and exported graphs.

    ``theory`` has the statements as terms; None if a lock kept none of them.
    ``answer`` is Lean's raw answer to the request for ``requested`` graphs; ``files`` are the
    states of the files that it depends on besides the sources, by path.
    """

    project: Project
    engine: Engine
    statements: Statements
    obligations: tuple[Obligation, ...]
    graphs: ExportedGraphs
    theory: Theory | None
    requested: tuple[GraphRequest, ...]
    answer: Answer
    from_cache: bool
    files: Mapping[str, str] = field(default_factory=dict)

    def by_declaration(self, values: Mapping[str, T]) -> dict[str, T]:
        """Values by full Lean name, as values by the name that keys use."""
        short = {
            s.name: o.declaration
            for s, o in zip(self.statements.theorems, self._conclusions(), strict=True)
        }
        return {short[name]: value for name, value in values.items() if name in short}

    def statement_named(self, declaration: str) -> Statement | None:
        """The statement of a theorem, by the name that keys use; None if there is none."""
        of = zip(self.statements.theorems, self._conclusions(), strict=True)
        return next((s for s, o in of if o.declaration == declaration), None)

    def _conclusions(self) -> tuple[Obligation, ...]:
        return tuple(o for o in self.obligations if o.role is Role.CONCLUSION)

    def statement_of(self, obligation: Obligation) -> Statement:
        """The theorem that a hypothesis or a conclusion belongs to."""
        names = (o.declaration for o in self._conclusions())
        return dict(zip(names, self.statements.theorems, strict=True))[obligation.declaration]

    def find(self, name: str) -> tuple[Obligation, ...]:
        """The obligations of a declaration, or the one with this key; empty if there is none."""
        return tuple(o for o in self.obligations if name in (o.key, o.declaration))


def build(project: Project, engine: Engine, progress: Progress | None = None) -> BuildReport:
    """Compile the project's Lean libraries, and report progress."""
    watcher = progress or Silent()

    def tell(event: BuildEvent) -> None:
        if event.note:
            watcher.note(event.note)
        watcher.update("compiling Lean", event.done, event.total, unit=event.module)

    return engine.build(project.root, progress=tell)


def compile_sources(project: Project, engine: Engine, progress: Progress | None = None) -> None:
    """Compile what has changed.

    Raises:
        LeanSourceError: a source does not compile.
        EngineError: the engine broke.
    """
    compiled = build(project, engine, progress)
    if not compiled.ok:
        raise LeanSourceError(
            "the Lean sources do not compile:\n"
            + "\n".join(printable(str(m)) for m in compiled.errors[:10]),
            remedy=_remedy(compiled),
        )


def read_library(
    project: Project,
    engine: Engine,
    graphs: Sequence[GraphRequest] = (),
    *,
    timeout: float = DEFAULT_TIMEOUT,
    progress: Progress | None = None,
    use_cache: bool = True,
    guarded: bool = False,
) -> Library:
    """Compile ``project`` where needed and read its statements and graphs.

    Args:
        project: the audited project.
        engine: the Lean that answers.
        graphs: members of exported families to export with them.
        timeout: seconds for Lean to answer, after compiling.
        progress: the callback that receives updates.
        use_cache: use the cached answer for the same sources, engine and request.
        guarded: the caller runs :func:`ask_guard`.

    If the engine is a :class:`bridge.lean.locked_answer.KeptAnswer`, Lean is not asked.

    Raises:
        LeanSourceError: a source does not compile.
        AnswerError: Lean's answer is empty, partial or malformed.
        InvalidInputError: a tagged theorem cannot be audited, for instance an unnamed hypothesis.
        EngineError: the engine broke.
    """
    if isinstance(engine, KeptAnswer):
        return _kept(project, engine, graphs)
    if not guarded:
        ask_guard(project, engine, timeout=timeout, progress=progress, use_cache=use_cache)
    request, watcher = LibraryRequest(project.roots, tuple(graphs)), progress or Silent()
    sources = project.fingerprint()

    def parts() -> KeptStatements:  # once it is compiled, the key may be another
        return KeptStatements(project.root, answer_key(project, engine, statements_of(request)))

    library = ask_lean(
        project,
        engine,
        request,
        lambda answer, files, cached: _library(
            project, engine, request, answer, from_cache=cached, files=files
        ),
        task="asking Lean",
        timeout=timeout,
        watcher=watcher,
        use_cache=use_cache,
        put=lambda: parts().completed(
            request,
            lambda r: ask_engine(project.root, engine, r, timeout=timeout, note=watcher.note),
            use_cache=use_cache,
            # A server would be started for each.
            at_once=engine.prefers_batch and usable_cores() > 1,
        ),
    )
    kept = parts()
    if project.fingerprint() == sources:
        kept.keep(library.answer, library.files, fresh=not library.from_cache)
    keys = (o.key for o in library.obligations)
    remember(project.root, keys, (f.short for f in library.graphs.families))
    return library


def ask_guard(
    project: Project,
    engine: Engine,
    *,
    timeout: float = DEFAULT_TIMEOUT,
    progress: Progress | None = None,
    use_cache: bool = True,
) -> None:
    """Raise if something in the project overrides our commands.

    Takes and raises the same as :func:`read_library`, and:

    Raises:
        InvalidInputError: the project's copy of the exporter is not ours.
        HijackedError: the project overrides our commands.
    """
    refuse_another_exporter(project)
    ask_lean(
        project,
        engine,
        GuardRequest(project.roots),
        lambda answer, _files, _cached: refuse_hijackers(parse_guard(answer["guard"])),
        task="checking that nothing overrides our commands",
        timeout=timeout,
        watcher=progress or Silent(),
        use_cache=use_cache,
    )


def _library(
    project: Project,
    engine: Engine,
    request: LibraryRequest,
    answer: Answer,
    *,
    from_cache: bool,
    files: Mapping[str, str],
) -> Library:
    statements = parse_statements(answer["statements"])
    graphs = parse_graphs(answer["graphs"], request.graphs)
    obligations = obligations_of(statements, project.roots, frozenset(project.modules))
    # Where no theorem is tagged there is nothing to audit, whatever is exported.
    return Library(
        project=project,
        engine=engine,
        statements=statements,
        obligations=(*obligations, *(_fidelity(graphs) if obligations else ())),
        graphs=graphs,
        theory=parse_propositions(answer["propositions"]) if "propositions" in answer else None,
        requested=request.graphs,
        answer=answer,
        from_cache=from_cache,
        files=files,
    )


def _kept(project: Project, engine: KeptAnswer, graphs: Sequence[GraphRequest]) -> Library:
    """The library as it was locked; whether Lean would say the same now was not checked."""
    request = LibraryRequest(project.roots, engine.graphs)
    library = _library(project, engine, request, engine.answer, from_cache=True, files=engine.files)
    unchecked = LeanFacts(LeanStatus.UNCHECKED, (), (), 0)
    reason = "it is not among the graphs that were locked; `obligations lock` keeps it"
    lacking = {g: reason for g in graphs if g not in engine.graphs}
    exported = library.graphs
    return replace(
        library,
        obligations=tuple(replace(o, lean=unchecked) for o in library.obligations),
        graphs=replace(exported, refused={**exported.refused, **lacking}),
    )


def _fidelity(graphs: ExportedGraphs) -> Iterator[Obligation]:
    """One obligation for each exported graph that has a closed form, by name: Lean keeps the graphs
    of a module in the order of a hash."""
    for family in sorted(graphs.families, key=lambda f: f.short):
        if family.short in CLOSED_FORMS:
            yield fidelity_of(family.short, json.dumps(graphs.usual(family), sort_keys=True))


def known_library(
    project: Project, engine: Engine, graphs: Sequence[GraphRequest] = ()
) -> Library | None:
    """What Lean said about exactly these sources; ``None`` if it would have to be asked."""
    if isinstance(engine, KeptAnswer):
        return _kept(project, engine, graphs)
    request = LibraryRequest(project.roots, tuple(graphs))
    key = answer_key(project, engine, request)
    found = AnswerCache.default().load_with_files(key, project.root)
    if found is None:
        return None
    answer, files = found
    try:
        return _library(project, engine, request, answer, from_cache=True, files=files)
    except (AnswerError, KeyError):
        return None


def answer_key(project: Project, engine: Engine, request: Request) -> str:
    """The key of Lean's answer in the cache."""
    follows = followed_from(project, engine)
    return AnswerCache.key(__version__, engine.fingerprint, follows, request.document("nonce"))


def _remedy(compiled: BuildReport) -> str:
    if any("unknown module prefix 'Obligations'" in m.text for m in compiled.errors):
        return "`obligations init` puts that library there and says what the lakefile needs"
    return "correct them; `obligations build` shows every message"


def ask_lean(
    project: Project,
    engine: Engine,
    request: Request,
    understand: Callable[[Answer, Mapping[str, str], bool], T],
    *,
    task: str,
    timeout: float,
    watcher: Progress,
    use_cache: bool,
    put: Callable[[], Answer] | None = None,
) -> T:
    """The parsed answer to a request, from the cache or from Lean.

    Args:
        project: the project that Lean reads.
        engine: the Lean to ask.
        request: the request.
        understand: parses an answer; receives whether it came from the cache.
        task: the task's name in progress updates.
        timeout: seconds for Lean to answer, after compiling.
        watcher: the callback that receives updates.
        use_cache: use the cached answer for the same sources, engine and request.
        put: sends the request to Lean; :func:`ask_engine` by default.

    Raises:
        LeanSourceError: a source does not compile.
        AnswerError: Lean's answer cannot be parsed.
        EngineError: the engine broke.
    """
    cache, sources = AnswerCache.default(), project.fingerprint()

    def kept() -> tuple[T] | None:
        key = answer_key(project, engine, request)
        found = cache.load_with_files(key, project.root) if use_cache else None
        try:
            if found is None:
                return None
            answer, files = found
            return (understand(answer, files_noted(project, engine) or files, True),)
        except (AnswerError, KeyError):
            return None  # written by another version of the bridge: ask again

    if known := kept():
        return known[0]
    compile_sources(project, engine, watcher)
    note_compiled(project, engine)
    if known := kept():
        return known[0]
    watcher.update(task, 0, None)
    files = files_of(project, engine)
    if put is None:
        answer = ask_engine(project.root, engine, request, timeout=timeout, note=watcher.note)
    else:
        answer = put()
    found = understand(answer, files, False)
    key = answer_key(project, engine, request)
    if project.fingerprint() != sources or not unchanged(project.root, files):
        raise AnswerError(
            "the Lean sources changed while Lean was asked, so its answer is stale",
            remedy="run the command again",
        )
    cache.store(key, answer, files)
    watcher.update(task, 1, 1)
    return found
