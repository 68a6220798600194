"""One way to fool an audit: a small Lean project, and what an audit reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["HEAD", "KEYS", "RIGHT", "TAIL", "UNDECIDED", "WRONG", "Trick"]

HEAD = "import Obligations\nnamespace Demo\n"
TAIL = "end Demo\n"
KEYS = ("t:hPos", "t:conclusion")
WRONG = """\
@[obligation] theorem t (n : Nat) (hPos : 0 < n) : n + 2 + 2 = n + 5 := by
  have := bad
  omega
"""
RIGHT = "@[obligation] theorem t (n : Nat) (hPos : 0 < n) : 0 < n + n := by omega\n"
UNDECIDED = "opaque Great : Nat → Prop\n"
"""Lean draws numbers, but cannot decide this for them."""


@dataclass(frozen=True)
class Trick:
    """One project.

    Attributes:
        name: for the test's identifier and the table.
        what: what is tried, in a sentence.
        body: the text of ``Demo/Basic.lean`` between its first and last line.
        code: the exit code of the audit.
        said: a text that standard output or error must contain.
        before: an earlier ``body`` that was locked; ``None`` if nothing was.
        files: further Lean sources by module name, imported by ``Demo/Basic.lean``.
        waived: keys that are waived.
        spoils: whether its waivers end an audit of the whole project, so that they are written only
            for its own audit.
        shares: the project that it is tried in, together with the others with the same value; a
            separate project if empty, because the report concerns the whole project.
    """

    name: str
    what: str
    body: str
    code: int
    said: str
    before: str | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    waived: tuple[str, ...] = KEYS
    spoils: bool = False
    shares: str = "theorems"

    @property
    def space(self) -> str:
        """The namespace that it has in a project with others."""
        return "In" + "".join(part.capitalize() for part in self.name.split("-"))

    def moved(self, text: str) -> str:
        """A text of the trick, within that namespace."""
        if not self.shares:
            return text
        for key in self.waived:
            text = text.replace(f"'{key}'", f"'{self.space}.{key}'")
        return text.replace("Demo.", f"Demo.{self.space}.")
