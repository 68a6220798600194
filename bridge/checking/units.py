"""The pieces that the work of one check is cut into, and their results.

A piece depends only on the check, the graphs and the seed, so it can be measured anywhere and in
any order.  How the work is cut depends only on the graphs, never on the workers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from bridge.checking.result import Need
from bridge.checking.tally import Tally

if TYPE_CHECKING:
    from bridge.checking.check_run import CheckRun

__all__ = ["Broken", "Chunk", "Found", "Here", "Outside", "Probe", "Spread", "Unit"]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some instances of one family: those with ``start`` ≤ index < ``stop``."""

    family: str
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Probe:
    """Whether the check rejects the mutant with this number, in the order of ``Check.rejects``."""

    mutant: int


@dataclass(frozen=True, slots=True)
class Broken:
    """The check raised an exception."""

    reason: str


@dataclass(frozen=True, slots=True)
class Outside:
    """The first ``count`` instances of a family where hypotheses may be violated."""

    family: str
    count: int


Unit = Chunk | Probe | Outside
Found = Tally | bool | tuple[Need, ...] | Broken
"""A tally of a chunk, whether a mutant was rejected, how a conclusion fares without its hypotheses,
or the exception raised."""


class Spread(Protocol):
    """Measures the units of a run, here or elsewhere."""

    def map(self, run: CheckRun, units: Iterable[Unit]) -> Iterator[Found]:
        """The result of each unit, in the order of the units.

        Units are taken as they are needed, so a million instances need no list of units.
        """


class Here:
    """Measures units one after the other, in this process."""

    def map(self, run: CheckRun, units: Iterable[Unit]) -> Iterator[Found]:
        """Measure a unit when its result is requested."""
        return map(run.measure, units)
