"""The distribution of a family's margins: counts in fixed bins, so that parts add up.

The bins are decades, the same for every check and every machine; empty bins are not kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["HIGHEST", "LOWEST", "Margins"]

LOWEST, HIGHEST = -40, 20
"""The decades with a bin; smaller and larger margins count in the first and the last."""

_EDGES = np.array([float(f"1e{k}") for k in range(LOWEST + 1, HIGHEST + 1)])


@dataclass(frozen=True, slots=True)
class Margins:
    """The margins of the instances that hold, or the absolute margins of those that fail.

    Attributes:
        decades: pairs (k, count), by rising k: the number of margins from 10ᵏ to below 10ᵏ⁺¹.
        at_limit: instances with margin 0: they hold, or fail, exactly at the limit.
    """

    decades: tuple[tuple[int, int], ...] = ()
    at_limit: int = 0

    @classmethod
    def beyond(cls, margins: npt.ArrayLike) -> Margins:
        """Count how far failing instances are beyond their limit: their absolute margins.

        NaN counts in the last bin.
        """
        return cls.of(np.nan_to_num(-np.asarray(margins, dtype=np.float64), nan=np.inf))

    @classmethod
    def of(cls, margins: npt.ArrayLike) -> Margins:
        """Count margins, which have shape ``(B,)`` and no unit.

        A margin on an edge counts in the upper bin.  A margin that is not above 0 is at the limit.
        """
        found = np.asarray(margins, dtype=np.float64)
        above = found[found > 0]
        counts = np.bincount(
            np.searchsorted(_EDGES, above, side="right"), minlength=len(_EDGES) + 1
        )
        decades = tuple((LOWEST + int(k), int(counts[k])) for k in np.flatnonzero(counts))
        return cls(decades, len(found) - len(above))

    def __add__(self, other: Margins) -> Margins:
        """The sum of both; the order does not matter."""
        counts = dict(self.decades)
        for k, n in other.decades:
            counts[k] = counts.get(k, 0) + n
        return Margins(tuple(sorted(counts.items())), self.at_limit + other.at_limit)

    @property
    def count(self) -> int:
        """How many instances were counted."""
        return self.at_limit + sum(n for _, n in self.decades)
