"""Arrays of Arb's balls (python-flint), with a lower bound for all of them.

A floor is kept next to the balls: squares, exponentials and roots, and sums and means of them, are
not negative, however wide the box; a ball by itself does not know that x·x is a square.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["Ball", "Objects", "each", "known"]

Objects: TypeAlias = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Ball:
    """One value of the graph: its entries as Arb's balls, and a lower bound for all of them."""

    entries: Objects
    floor: Any | None

    def least(self) -> float:
        """A lower bound for every entry, anywhere in the box; −∞ where nothing is known."""
        return min((self._least(e) for e in self.entries.flat), default=float("inf"))

    def _least(self, entry: Any) -> float:
        low = entry.lower() if entry.is_finite() else None
        if self.floor is not None and (low is None or not low >= self.floor):
            low = self.floor.lower()
        if low is None:
            return float("-inf")
        near = float(low)
        return near if bool(low >= near) else float(np.nextafter(near, -np.inf))

    @property
    def positive(self) -> bool:
        """Whether every entry is above 0 in the whole box."""
        if self.floor is not None and bool(self.floor > 0):
            return True
        return all(bool(e > 0) for e in self.entries.flat)

    def clipped(self) -> Ball:
        """The same, with everything below the floor cut off."""
        floor = self.floor
        if floor is None:
            return self

        def cut(x: Any) -> Any:
            if not x.is_finite() or bool(x.lower() >= floor):
                return x
            return floor.union(x.upper())

        return Ball(each(cut, self.entries), floor)


def each(function: Callable[[Any], Any], x: Objects) -> Objects:
    """The function of every entry."""
    out = np.empty(x.shape, dtype=object)
    for place in np.ndindex(x.shape):
        out[place] = function(x[place])
    return out


def known(*balls: Ball) -> bool:
    """Whether all are known not to be negative."""
    return all(b.floor is not None and bool(b.floor >= 0) for b in balls)
