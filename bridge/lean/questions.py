"""Puts a request to an engine, through its language server or without."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from bridge.engine import BuildBrokenError, Engine, LeanMessage, TooSlowError
from bridge.lean.client import DEFAULT_TIMEOUT, Answer, ask, ask_in_batch
from bridge.lean.requests import Request

__all__ = ["ask_engine"]


def ask_engine(
    project: Path,
    engine: Engine,
    request: Request,
    *,
    timeout: float = DEFAULT_TIMEOUT,
    note: Callable[[str], None] = lambda _: None,
) -> Answer:
    """Put one request to an engine: through its server or without, whichever it would rather.

    Where one way breaks, the same request goes the other way, and ``note`` receives that.

    Raises the same as :func:`ask`.
    """

    def in_batch(text: str) -> Sequence[LeanMessage] | None:
        return engine.run_document(project, text, timeout=timeout)

    def instead(text: str) -> Sequence[LeanMessage] | None:
        note("the Lean server broke; Lean is asked once more without it")
        return in_batch(text)

    command = engine.server_command(project)
    if not engine.server_last:
        return ask(project, command, request, timeout=timeout, batch=instead)
    try:
        answer = ask_in_batch(request, in_batch)
    except TooSlowError:
        raise
    except BuildBrokenError:
        note("Lean broke; it is asked once more through its server")
        answer = None
    return ask(project, command, request, timeout=timeout) if answer is None else answer
