"""The result of a run of one check."""

from __future__ import annotations

from dataclasses import dataclass, field

from bridge.checking.margins import Margins
from bridge.verdict import Verdict

__all__ = [
    "Certificate",
    "CheckResult",
    "Counterexample",
    "FamilyCount",
    "Need",
    "Witness",
    "Worst",
]


@dataclass(frozen=True, slots=True)
class Worst:
    """The tightest of the judged instances."""

    residual: float
    tolerance: float
    margin: float


@dataclass(frozen=True, slots=True)
class Counterexample:
    """An instance on which the obligation fails; `bridge.checks.replay` draws it again.

    ``shape`` has the graph's sizes and ``constants`` the values of its symbols, as pairs.
    """

    seed: int
    family: str
    index: int
    shape: tuple[tuple[str, int], ...]
    constants: tuple[tuple[str, float], ...]
    description: str


@dataclass(frozen=True, slots=True)
class FamilyCount:
    """The outcome of one family.

    ``accepted`` are the instances on which all hypotheses hold; held, failed and undecided count
    among these, and undecided also counts instances on which a hypothesis is undecided.
    ``worst`` is the tightest of the accepted; ``margins`` are those of the held instances,
    ``beyond`` the absolute margins of the failed ones.
    """

    family: str
    role: str
    drawn: int
    accepted: int
    held: int
    failed: int
    undecided: int
    worst: Worst | None = None
    margins: Margins = field(default_factory=Margins)
    beyond: Margins = field(default_factory=Margins)

    @property
    def worst_margin(self) -> float | None:
        """The margin of the tightest instance; ``None`` if none was judged."""
        return None if self.worst is None else self.worst.margin


@dataclass(frozen=True, slots=True)
class Witness:
    """An instance on which every hypothesis of a theorem holds; `bridge.checks.replay` draws it
    again."""

    seed: int
    family: str
    index: int


@dataclass(frozen=True, slots=True)
class Need:
    """How a conclusion fared on instances that violate one of its hypotheses.

    ``hypothesis`` is the binder; ``violated`` counts the instances, the other fields the outcomes
    of the conclusion on them.  Another hypothesis may be violated there too.
    """

    hypothesis: str
    violated: int
    held: int
    failed: int
    undecided: int

    def __add__(self, later: Need) -> Need:
        """The counts of the same hypothesis on these and on further instances."""
        if later.hypothesis != self.hypothesis:
            raise ValueError(f"expected {self.hypothesis!r} but got {later.hypothesis!r}")
        return Need(
            self.hypothesis,
            self.violated + later.violated,
            self.held + later.held,
            self.failed + later.failed,
            self.undecided + later.undecided,
        )

    @property
    def words(self) -> str:
        """The counts in a sentence without its full stop."""
        if not self.violated:
            return "no instance drawn violates it"
        of = f"{self.violated} violating instances"
        if self.held == 0 and self.failed == self.violated:
            return f"needed on all {of}"
        said = []
        if self.failed:
            said.append(f"needed on {self.failed}")
        if self.held:
            said.append(f"not needed on {self.held}")
        if self.undecided:
            said.append(f"undecided on {self.undecided}")
        return f"{', '.join(said)} of {of}"


@dataclass(frozen=True, slots=True)
class Certificate:
    """What ball arithmetic shows about a hypothesis.

    Attributes:
        radius: how far each entry of each input may be from the instance's.
        precision: bits of the midpoints.
        instances: how many boxes were examined.
        enclosed: how many of them the hypothesis is shown to hold on, as a whole.
        least: a lower bound, over all boxes, of the quantity that must be positive.
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
    hypotheses; ``witness`` is one of these, and ``needs`` says for each hypothesis of a conclusion
    what happens without it.
    """

    verdict: Verdict
    reason: str
    instances: int
    accepted: int
    worst: Worst | None = None
    counterexample: Counterexample | None = None
    families: tuple[FamilyCount, ...] = ()
    certificate: Certificate | None = None
    witness: Witness | None = None
    needs: tuple[Need, ...] = ()
