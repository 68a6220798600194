"""The result of a check: residual and tolerance for every instance, and the outcomes that
follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

__all__ = ["Measurement", "Outcome", "combine"]

FloatArray = npt.NDArray[np.float64]


class Outcome(IntEnum):
    """The outcome on one instance."""

    HOLDS = 0
    """The residual is within the tolerance."""
    UNDECIDED = 1
    """Rounding hides the answer.  Never counted as holding."""
    FAILS = 2
    """Rounding cannot explain the residual."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """The findings on a batch of B instances; all arrays have shape ``(B,)``.

    Attributes:
        residual: for an identity, ‖lhs − rhs‖ scaled by Σ|terms|; for ``0 < q``, the number −q.
        tolerance: the limit of the residual, 0 for ``0 < q``.
        outcome: values of `Outcome`.
        part: for each instance the index in ``parts`` of the part that decided it.
        parts: the names of the parts, such as ``d/d gamma``.
        undecided_because: the reason that undecided instances share.
    """

    residual: FloatArray
    tolerance: FloatArray
    outcome: npt.NDArray[np.int8]
    part: npt.NDArray[np.int64]
    parts: tuple[str, ...]
    undecided_because: str = ""

    @property
    def margin(self) -> FloatArray:
        """tolerance − residual."""
        return self.tolerance - self.residual

    def __len__(self) -> int:
        return len(self.residual)

    def replaced(self, rows: npt.NDArray[np.int64], by: Measurement) -> Measurement:
        """With other findings of the same parts on some of the instances."""
        residual, tolerance = self.residual.copy(), self.tolerance.copy()
        outcome, part = self.outcome.copy(), self.part.copy()
        residual[rows], tolerance[rows] = by.residual, by.tolerance
        outcome[rows], part[rows] = by.outcome, by.part
        reasons = dict.fromkeys(r for m in (self, by) if (r := m.undecided_because))
        return Measurement(residual, tolerance, outcome, part, self.parts, "; ".join(reasons))

    def count(self, outcome: Outcome) -> int:
        """The number of instances with this outcome."""
        return int(np.count_nonzero(self.outcome == outcome))


def combine(measurements: Sequence[Measurement]) -> Measurement:
    """All parts must hold: an instance fails if one part fails, else is undecided if one is.

    Residual and tolerance are those of the deciding part, or of the tightest of these.
    """
    if len(measurements) == 1:
        return measurements[0]
    outcomes = np.stack([m.outcome for m in measurements])
    worst = outcomes.max(axis=0)
    margins = np.stack([m.margin for m in measurements])
    eligible = np.where(outcomes == worst, np.where(np.isnan(margins), -np.inf, margins), np.inf)
    chosen = np.argmin(eligible, axis=0)
    rows = np.arange(outcomes.shape[1])
    offsets = np.cumsum([0, *(len(m.parts) for m in measurements)])
    part = np.stack([m.part + start for m, start in zip(measurements, offsets[:-1], strict=True)])
    reasons = dict.fromkeys(m.undecided_because for m in measurements if m.undecided_because)
    return Measurement(
        residual=np.stack([m.residual for m in measurements])[chosen, rows],
        tolerance=np.stack([m.tolerance for m in measurements])[chosen, rows],
        outcome=worst,
        part=part[chosen, rows],
        parts=tuple(p for m in measurements for p in m.parts),
        undecided_because="; ".join(reasons),
    )
