"""Results of a check on some of its instances, added up.

Tallies of the parts of a family add up to the tally of the whole, wherever they were measured.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from bridge.checking.margins import Margins
from bridge.checking.result import Counterexample, FamilyCount, Worst
from numeric.instances.families import FAMILIES, Region
from numeric.judge.measurement import Measurement

__all__ = ["Scored", "Tally", "earliest_first", "tighter", "tightness", "worst_of"]


@dataclass(frozen=True, slots=True)
class Scored:
    """The tightest instance, and the tightest among those that fail; each with its score.

    ``part`` is the part that decided a failing one.
    """

    score: float
    worst: Worst
    counterexample: Counterexample | None = None
    part: str = ""


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts over some instances of one family, and the tightest of them.

    ``hidden_because`` is why the first undecided instances are undecided; ``witness`` is the index
    of the first accepted one; ``margins`` are those of the held ones, ``beyond`` the absolute
    margins of the failed ones.
    """

    family: str
    drawn: int = 0
    accepted: int = 0
    held: int = 0
    failed: int = 0
    undecided: int = 0
    hidden_because: str = ""
    tightest: Scored | None = None
    failure: Scored | None = None
    witness: int | None = None
    margins: Margins = field(default_factory=Margins)
    beyond: Margins = field(default_factory=Margins)

    @property
    def region(self) -> Region:
        """The family's region: how it relates to the intended use."""
        return FAMILIES[self.family].region

    def __add__(self, later: Tally) -> Tally:
        """The sum of this part and a later one of the same family."""
        if later.family != self.family:
            raise ValueError(f"expected a tally of {self.family!r} but got one of {later.family!r}")
        return Tally(
            family=self.family,
            drawn=self.drawn + later.drawn,
            accepted=self.accepted + later.accepted,
            held=self.held + later.held,
            failed=self.failed + later.failed,
            undecided=self.undecided + later.undecided,
            hidden_because=self.hidden_because or later.hidden_because,
            tightest=tighter(self.tightest, later.tightest),
            failure=tighter(self.failure, later.failure),
            witness=later.witness if self.witness is None else self.witness,
            margins=self.margins + later.margins,
            beyond=self.beyond + later.beyond,
        )

    def count(self) -> FamilyCount:
        """The counts for a result."""
        return FamilyCount(
            self.family,
            self.region.value,
            self.drawn,
            self.accepted,
            self.held,
            self.failed,
            self.undecided,
            None if self.tightest is None else self.tightest.worst,
            self.margins,
            self.beyond,
        )


def tighter(first: Scored | None, second: Scored | None) -> Scored | None:
    """The one with the higher score; the first if both are equal."""
    if first is None or second is None:
        return first or second
    return second if second.score > first.score else first


def tightness(found: Measurement) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """How close each instance came to its limit: above 0 is beyond.  NaN counts as beyond."""
    with np.errstate(all="ignore"):
        relative = np.where(
            found.tolerance > 0, found.residual / found.tolerance - 1.0, found.residual
        )
    scores: np.ndarray[tuple[int], np.dtype[np.float64]]
    scores = np.where(np.isnan(relative), np.inf, relative)
    return scores


def earliest_first(
    found: Measurement, scores: np.ndarray[tuple[int], np.dtype[np.float64]]
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Scores by which an earlier part precedes a later one, however far the later is beyond."""
    inside: np.ndarray[tuple[int], np.dtype[np.float64]]
    inside = np.arctan(scores) / np.pi - found.part
    return inside


def worst_of(found: Measurement, row: int) -> Worst:
    """Residual, tolerance and margin of one instance."""
    return Worst(float(found.residual[row]), float(found.tolerance[row]), float(found.margin[row]))
