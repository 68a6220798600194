"""Progress updates: tasks with an amount done.

Work never prints; it reports here.  A terminal, a pipe or a notebook each shows it in its own way.
"""

from __future__ import annotations

from typing import Protocol

__all__ = ["Progress", "Silent"]


class Progress(Protocol):
    """Receives updates.  ``total`` is ``None`` while it is unknown; ``unit`` is ``"B"`` for
    bytes."""

    def update(self, task: str, done: float, total: float | None, *, unit: str = "") -> None:
        """Receive how far ``task`` is."""

    def note(self, message: str) -> None:
        """Receive a message for a separate line."""


class Silent:
    """Ignores all updates."""

    def update(self, task: str, done: float, total: float | None, *, unit: str = "") -> None:
        """Ignore it."""

    def note(self, message: str) -> None:
        """Ignore it."""
