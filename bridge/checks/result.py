"""What a run of one check found."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.verdict import Verdict

__all__ = ["Certificate", "CheckResult", "Counterexample", "FamilyCount", "Worst"]


@dataclass(frozen=True, slots=True)
class Worst:
    """The tightest instance among those that were judged."""

    residual: float
    tolerance: float
    margin: float


@dataclass(frozen=True, slots=True)
class Counterexample:
    """An instance on which the obligation fails; `bridge.checks.replay` draws it again.

    ``shape`` is the graph's sizes and ``constants`` what its symbols are, as pairs.
    """

    seed: int
    family: str
    index: int
    shape: tuple[tuple[str, int], ...]
    constants: tuple[tuple[str, float], ...]
    description: str


@dataclass(frozen=True, slots=True)
class FamilyCount:
    """What came of one family.

    ``accepted`` are the instances on which all hypotheses hold; held, failed and undecided count
    among these, and undecided also counts instances on which a hypothesis is undecided.
    """

    family: str
    role: str
    drawn: int
    accepted: int
    held: int
    failed: int
    undecided: int
    worst_margin: float | None


@dataclass(frozen=True, slots=True)
class Certificate:
    """What ball arithmetic shows of a hypothesis.

    Attributes:
        radius: how far each entry of each input may be from the instance's.
        precision: bits of the midpoints.
        instances: boxes that were looked at.
        enclosed: those on all of which the hypothesis is shown to hold.
        least: a number that the quantity which must be positive is not below, in any box.
    """

    radius: float
    precision: int
    instances: int
    enclosed: int
    least: float


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The judgement of one check on one obligation.

    ``instances`` were drawn from the families that count, ``accepted`` of them satisfy all
    hypotheses.
    """

    verdict: Verdict
    reason: str
    instances: int
    accepted: int
    worst: Worst | None = None
    counterexample: Counterexample | None = None
    families: tuple[FamilyCount, ...] = ()
    certificate: Certificate | None = None
