"""Looks behind the statements while Lean exports them and while they are judged."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from bridge.errors import ObligationsError
from bridge.lean.library import Library
from bridge.lean.trust import Trust

__all__ = ["Looking", "looking"]

Looking = Future[Trust | None]
"""What is behind the statements, once it is known; `None` if no Lean could look."""


@contextmanager
def looking(
    guard: Callable[[], None],
    ask: Callable[[], Library],
    look: Callable[[Callable[[], Library]], Trust | None],
    over: threading.Event,
) -> Iterator[tuple[Library, Looking]]:
    """The library, and the future of what is behind its statements, from a thread.

    Args:
        guard: raises if something in the project overrides our commands.  It runs in the thread,
            too, and no answer is returned before it has finished.
        ask: reads the library.
        look: looks behind the statements; its argument returns the library, perhaps after a wait.
        over: set if the block is left early, or one of these fails: it must end the others.

    Raises what these raise.  An error about all answers comes before one about a single answer.
    """
    asked: Future[Library] = Future()
    with ThreadPoolExecutor(1, thread_name_prefix="looking") as thread:
        guarded = thread.submit(guard)
        guarded.add_done_callback(lambda done: over.set() if done.exception() else None)
        found = thread.submit(_after, guarded, lambda: look(asked.result))
        try:
            try:
                library = ask()
            except ObligationsError:
                guarded.result()
                raise
            asked.set_result(library)
            guarded.result()
            yield library, found
        except BaseException:
            over.set()
            asked.cancel()
            raise


def _after(guarded: Future[None], look: Callable[[], Trust | None]) -> Trust | None:
    guarded.result()
    return look()
