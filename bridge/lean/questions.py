"""Sends a request to an engine, in batch mode or through its language server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from bridge.engine import Engine, LeanMessage
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
    """Send one request to an engine in the way that it prefers.

    If a server breaks, the same request is sent once more without it, and ``note`` is called.

    Raises the same as :func:`ask`.
    """

    def in_batch(text: str) -> Sequence[LeanMessage] | None:
        return engine.run_document(project, text, timeout=timeout)

    def instead(text: str) -> Sequence[LeanMessage] | None:
        note("the Lean server broke; Lean is asked once more without it")
        return in_batch(text)

    if engine.prefers_batch and (answer := ask_in_batch(request, in_batch)) is not None:
        return answer
    return ask(project, engine.server_command(project), request, timeout=timeout, batch=instead)
