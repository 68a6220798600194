"""Progress below a notebook's cell."""

from __future__ import annotations

import contextlib
import html
import sys
import time
from collections.abc import Iterator
from typing import Any

from bridge.progress import Progress, Silent

__all__ = ["CellProgress", "shown_progress"]

INTERVAL = 0.2


class CellProgress:
    """One line that is overwritten; ``handle`` is IPython's display handle."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle
        self._last = -INTERVAL

    def update(self, task: str, done: float, total: float | None, *, unit: str = "") -> None:
        """Show how far a task is, at most five times a second."""
        now = time.monotonic()
        if now - self._last < INTERVAL and done != total:
            return
        self._last = now
        amount = "" if total is None else f" {done:,.0f} of {total:,.0f}"
        self.say(f"{task}{amount} {'' if unit == 'B' else unit}".rstrip())

    def note(self, message: str) -> None:
        """Show a message until the next update."""
        self.say(message)

    def say(self, text: str) -> None:
        """Replace the line; an empty text removes it."""
        line = f"<small><i>{html.escape(text)}</i></small>" if text else ""
        self._handle.update({"text/html": line, "text/plain": text}, raw=True)


@contextlib.contextmanager
def shown_progress(progress: Progress | None) -> Iterator[Progress]:
    """The given watcher; else a line below the cell in a notebook, and nothing elsewhere."""
    if progress is not None:
        yield progress
        return
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    if shell is None or not hasattr(shell, "kernel"):
        yield Silent()
        return
    from IPython.display import display

    handle = display({"text/plain": ""}, raw=True, display_id=True)  # type: ignore[no-untyped-call]
    cell = CellProgress(handle)
    try:
        yield cell
    finally:
        cell.say("")
