"""Looks behind the statements while Lean is asked about them, and judges them."""

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
"""What is behind the statements, as soon as it is known; `None` where no Lean could look."""


@contextmanager
def looking(
    guard: Callable[[], None],
    ask: Callable[[], Library],
    look: Callable[[Callable[[], Library]], Trust | None],
    over: threading.Event,
) -> Iterator[tuple[Library, Looking]]:
    """The library, and who looks behind its statements meanwhile, in a thread of its own.

    Args:
        guard: raises where something of the project would answer in our place.  It runs in the
            thread, too, and no answer gets out before it has returned.
        ask: reads the library.
        look: looks behind the statements; it is given the library, which may have to be waited for.
        over: set where the block is left early, or one of these fails: it must end the others.

    Raises what these raise.  What is wrong with all answers comes before what is wrong with one.
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
