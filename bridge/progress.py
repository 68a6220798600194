"""Progress, told to whoever watches, in terms of tasks with an amount done.

Work never prints; it reports here.  What a terminal, a pipe or a notebook makes of it is theirs.
"""

from __future__ import annotations

from typing import Protocol

__all__ = ["Progress", "Silent"]


class Progress(Protocol):
    """A listener.  ``total`` is ``None`` while it is unknown; ``unit`` is ``"B"`` for bytes."""

    def update(self, task: str, done: float, total: float | None, *, unit: str = "") -> None:
        """Task ``task`` has got this far."""

    def note(self, message: str) -> None:
        """Something worth a line of its own."""


class Silent:
    """No one watches."""

    def update(self, task: str, done: float, total: float | None, *, unit: str = "") -> None:
        """Ignore it."""

    def note(self, message: str) -> None:
        """Ignore it."""
