"""What is behind a library's statements, asked where none of the project's code runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bridge.engine import Engine
from bridge.errors import AnswerError, HijackedError
from bridge.lean.answers import AnswerCache
from bridge.lean.clean_modules import STATED, CleanModules
from bridge.lean.client import DEFAULT_TIMEOUT, Answer
from bridge.lean.library import KERNEL_SECONDS, Library, answer_key, ask_lean
from bridge.lean.messages import read_part
from bridge.lean.obligation import readable_name
from bridge.lean.project import Project
from bridge.lean.questions import ask_engine
from bridge.lean.requests import TrustRequest
from bridge.lean.trust import Trust, parse_trust
from bridge.progress import Progress, Silent

__all__ = ["known_trust", "read_trust", "refuse_other_statements"]


def read_trust(
    project: Project,
    engine: Engine,
    *,
    timeout: float = DEFAULT_TIMEOUT,
    progress: Progress | None = None,
    use_cache: bool = True,
    put: Callable[[TrustRequest, float], Answer] | None = None,
) -> Trust:
    """Look behind the statements: send every constant of the project to the kernel again, and more.

    Takes and raises the same as :func:`read_library`, but gives Lean at least half an hour: the
    kernel checks every proof of the project once more.  ``put``, if given, sends the request to
    Lean instead of the usual way; it receives the seconds that Lean has.
    """
    request = TrustRequest(project.roots)
    timeout, watcher = max(timeout, KERNEL_SECONDS), progress or Silent()

    def asked(part: TrustRequest) -> Answer:
        if put is not None:
            return put(part, timeout)
        return ask_engine(project.root, engine, part, timeout=timeout, note=watcher.note)

    return ask_lean(
        project,
        engine,
        request,
        lambda answer, _files, _cached: _trust(answer),
        task="sending every constant to the kernel again",
        timeout=timeout,
        watcher=watcher,
        use_cache=use_cache,
        put=lambda: CleanModules(project, engine).completed(request, asked, use_cache=use_cache),
    )


def known_trust(project: Project, engine: Engine) -> Trust | None:
    """What is behind exactly these statements; ``None`` if Lean has to be asked."""
    request = TrustRequest(project.roots)
    answer = AnswerCache.default().load(answer_key(project, engine, request), project.root)
    try:
        return None if answer is None else _trust(answer)
    except (AnswerError, KeyError):
        return None


def _trust(answer: Answer) -> Trust:
    (stated,) = answer[STATED]
    return replace(parse_trust(answer["trust"]), stated=read_part(stated, dict[str, str], STATED))


def refuse_other_statements(library: Library, trust: Trust) -> None:
    """Raise if Lean says something else about the theorems when none of the project's code runs.

    Raises:
        HijackedError: it names the theorems.
    """
    exported = library.statements.evidence()
    names = exported.keys() | trust.stated.keys()
    if odd := sorted(n for n in names if exported.get(n) != trust.stated.get(n)):
        more = f" and {len(odd) - 5} more" if len(odd) > 5 else ""
        raise HijackedError(
            f"while none of the project's code runs, Lean says something else about "
            f"{', '.join(map(readable_name, odd[:5]))}{more}; nothing that the project says of its "
            "theorems counts",
            remedy="remove what changes Lean's answers when the project is imported: `initialize`, "
            "linters, its own elaborators",
        )
