"""Lean's answer to ``#judge_exactly``, ``#replay_exactly`` and ``#draw_exactly``, as typed values.

``lean/Obligations/Exact.lean`` writes it; it is parsed and validated here, once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from bridge.errors import AnswerError
from bridge.lean.messages import End, Part, read_messages

__all__ = [
    "Count",
    "Drawn",
    "DrawnMany",
    "ExactObstacle",
    "Failure",
    "Found",
    "FoundHypothesis",
    "FoundMutant",
    "Place",
    "Shown",
    "Valued",
    "parse_instance",
    "parse_judged",
    "parse_many",
]

Place = tuple[int, str]
"""A hypothesis's place: its binder's position in the telescope, from 1, and the path within its
value."""
Truth = Literal["no", "unlikely", "unknown", "likely", "yes"]


class Count(Part, frozen=True):
    """How often something held, failed, or was not decided.

    ``sampled`` counts those held that are a ``∀`` over an infinite type without a counterexample
    among the samples.
    """

    held: int
    failed: int
    undecided: int
    sampled: int

    @property
    def all(self) -> int:
        """How often it was evaluated."""
        return self.held + self.failed + self.undecided


class _OfHypothesis(Part, frozen=True):
    binder: int
    path: str

    @property
    def place(self) -> Place:
        """The place of the hypothesis."""
        return self.binder, self.path


class FoundHypothesis(_OfHypothesis, frozen=True):
    """A hypothesis on all draws, and the conclusion on those that violate only it.

    ``settled`` says that it is a class of which Lean finds an instance.
    """

    found: Count
    without: Count
    settled: bool = False


class FoundMutant(Part, frozen=True):
    """A changed statement: whether an instance distinguishes it from the true one, or refutes
    it."""

    what: str
    distinguished: bool
    upset: bool


class Failure(Part, frozen=True):
    """An instance on which the conclusion fails, as drawn and after shrinking."""

    index: int
    drawn: str
    smallest: str


class Shown(Part, frozen=True):
    """An instance by its number, and as text."""

    index: int
    text: str


class Found(
    Part, frozen=True, tag_field="kind", tag="judged", rename={"failure": "counterexample"}
):
    """The results on the instances of one theorem.

    ``accepted`` of ``indices`` instances meet all hypotheses, after ``draws`` draws; ``edge`` of
    these meet a comparison with equality.  ``remarks`` say which types replace type variables.
    ``doubted`` is an instance on which the conclusion fails while only samples support one of the
    hypotheses, which may be false there.
    """

    name: str
    indices: int
    accepted: int
    draws: int
    edge: int
    out_of_time: bool
    remarks: tuple[str, ...]
    hypotheses: tuple[FoundHypothesis, ...]
    conclusion: Count
    mutants: tuple[FoundMutant, ...]
    witness: Shown | None
    failure: Failure | None
    doubted: Shown | None

    def __post_init__(self) -> None:
        if self.conclusion.all != self.accepted or self.accepted > self.indices:
            raise ValueError(
                f"it says that {self.accepted} of {self.indices} instances meet all hypotheses, "
                f"and judges the conclusion on {self.conclusion.all}"
            )
        if (self.failure is None) != (self.conclusion.failed == 0):
            raise ValueError(
                f"the conclusion fails on {self.conclusion.failed} instances, and the "
                f"counterexample is {self.failure}"
            )


class ExactObstacle(Part, frozen=True, tag_field="kind", tag="obstacle"):
    """The constant that prevents drawing or deciding a theorem, and the reason."""

    name: str
    constant: str
    why: str


class _Judged(_OfHypothesis, frozen=True):
    truth: Truth


class Valued(Part, frozen=True, rename={"written": "values", "judged": "hypotheses"}):
    """One instance with its values, and the truth of each hypothesis and of the conclusion."""

    index: int
    text: str
    written: tuple[str, ...]
    judged: tuple[_Judged, ...]
    conclusion: Truth

    def __post_init__(self) -> None:
        for one in self.written:
            if " = " not in one:
                raise ValueError(f"{one!r:.100} is not a binder with its value")

    @property
    def values(self) -> dict[str, str]:
        """The value of each binder, as the text that Lean writes."""
        parts = (one.partition(" = ") for one in self.written)
        return {name: text for name, _, text in parts}

    @property
    def hypotheses(self) -> dict[Place, Truth]:
        """The truth of each hypothesis."""
        return {one.place: one.truth for one in self.judged}


class Drawn(Valued, frozen=True, tag_field="kind", tag="instance"):
    """An instance that was drawn again.

    ``smallest`` is a smaller instance on which the conclusion fails too, if it fails on this.
    """

    name: str
    remarks: tuple[str, ...]
    smallest: str | None


class DrawnMany(Part, frozen=True, tag_field="kind", tag="instances"):
    """The values of a theorem's instances: those that meet every hypothesis, and those that violate
    one."""

    name: str
    met: tuple[Valued, ...]
    violating: tuple[Valued, ...]
    remarks: tuple[str, ...]


def parse_judged(
    messages: Sequence[object], names: Sequence[str]
) -> dict[str, Found | ExactObstacle]:
    """What Lean says about each of these theorems.

    Raises:
        AnswerError: the answer is partial, malformed or about other theorems.
    """
    read, _ = read_messages(messages, Found | ExactObstacle, End, "instances")
    judged = sorted(one.name for one in read)
    if judged != sorted(names):
        raise AnswerError(f"Lean judged {judged}, and was asked for {sorted(names)}")
    return {one.name: one for one in read}


def parse_instance(messages: Sequence[object]) -> Drawn | ExactObstacle:
    """One instance that was drawn again.

    Raises:
        AnswerError: the answer is partial or malformed.
    """
    found: Drawn | ExactObstacle = _one(messages, Drawn | ExactObstacle, "an instance")
    return found


def parse_many(messages: Sequence[object]) -> DrawnMany | ExactObstacle:
    """The values of a theorem's instances.

    Raises:
        AnswerError: the answer is partial or malformed.
    """
    found: DrawnMany | ExactObstacle = _one(messages, DrawnMany | ExactObstacle, "values")
    return found


def _one(messages: Sequence[object], kinds: Any, about: str) -> Any:
    """An answer of one message, which may be an obstacle instead."""
    read, _ = read_messages(messages, kinds, End, about)
    if len(read) != 1:
        raise AnswerError(f"expected one message about {about} but Lean sent {len(read)}")
    return read[0]
