"""Lean's answer to ``#judge_exactly``, ``#replay_exactly`` and ``#draw_exactly``, as typed values.

``lean/Obligations/Exact.lean`` writes it; it is parsed and validated here, once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from bridge.errors import AnswerError

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
    "Valued",
    "parse_instance",
    "parse_judged",
    "parse_many",
]

T = TypeVar("T")
Place = tuple[int, str]
"""Of a hypothesis: its binder's place in the telescope, from 1, and the path within its value."""
TRUTHS = frozenset({"no", "unlikely", "unknown", "likely", "yes"})


@dataclass(frozen=True, slots=True)
class Count:
    """How often something held, failed, or was not decided.

    ``sampled`` of the held are a ``∀`` over an infinite type without a counterexample among the
    samples.
    """

    held: int
    failed: int
    undecided: int
    sampled: int

    @property
    def all(self) -> int:
        """How often it was looked at."""
        return self.held + self.failed + self.undecided


@dataclass(frozen=True, slots=True)
class FoundHypothesis:
    """A hypothesis on all draws, and the conclusion on those that violate it and nothing else."""

    place: Place
    found: Count
    without: Count


@dataclass(frozen=True, slots=True)
class FoundMutant:
    """A changed statement: whether an instance tells it from the true one, or makes it false."""

    what: str
    told: bool
    upset: bool


@dataclass(frozen=True, slots=True)
class Failure:
    """An instance on which the conclusion fails, as it was drawn and as small as it was made."""

    index: int
    drawn: str
    smallest: str


@dataclass(frozen=True, slots=True)
class Found:
    """What the instances of one theorem say.

    ``accepted`` of ``indices`` instances meet all hypotheses, after ``draws`` draws; ``edge`` of
    these meet a comparison with equality.  ``remarks`` say what stands for type variables.
    ``doubted`` is an instance on which the conclusion fails while only samples speak for one of the
    hypotheses, which may be false there.
    """

    indices: int
    accepted: int
    draws: int
    edge: int
    out_of_time: bool
    remarks: tuple[str, ...]
    hypotheses: tuple[FoundHypothesis, ...]
    conclusion: Count
    mutants: tuple[FoundMutant, ...]
    witness: tuple[int, str] | None
    failure: Failure | None
    doubted: tuple[int, str] | None = None


@dataclass(frozen=True, slots=True)
class ExactObstacle:
    """The constant that stands in the way of drawing or deciding, and why."""

    constant: str
    why: str


@dataclass(frozen=True, slots=True)
class Drawn:
    """One instance: its values, and the truth of each hypothesis and of the conclusion, as one of
    `no`, `unlikely`, `unknown`, `likely`, `yes`.

    ``smallest`` is a smaller instance on which the conclusion fails too, where it fails on this.
    """

    text: str
    hypotheses: Mapping[Place, str]
    conclusion: str
    remarks: tuple[str, ...]
    smallest: str | None
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class DrawnMany:
    """The values of a theorem's instances: those that meet every hypothesis, and those that violate
    one."""

    met: tuple[Valued, ...]
    violating: tuple[Valued, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Valued:
    """One instance with its values, each as the text that Lean writes.

    ``hypotheses`` and ``conclusion`` are as in :class:`Drawn`.
    """

    index: int
    text: str
    values: Mapping[str, str]
    hypotheses: Mapping[Place, str]
    conclusion: str


def _count(value: Mapping[str, Any]) -> Count:
    match value:
        case {"held": int(), "failed": int(), "undecided": int(), "sampled": int(), **rest} if (
            not rest
        ):
            return Count(**value)
    raise ValueError(f"expected counts but got {value!r:.100}")


def _found(value: Mapping[str, Any]) -> Found:
    failure, witness, doubted = value["counterexample"], value["witness"], value["doubted"]
    found = Found(
        indices=int(value["indices"]),
        accepted=int(value["accepted"]),
        draws=int(value["draws"]),
        edge=int(value["edge"]),
        out_of_time=bool(value["out_of_time"]),
        remarks=tuple(str(r) for r in value["remarks"]),
        hypotheses=tuple(
            FoundHypothesis(
                (int(h["binder"]), str(h["path"])), _count(h["found"]), _count(h["without"])
            )
            for h in value["hypotheses"]
        ),
        conclusion=_count(value["conclusion"]),
        mutants=tuple(
            FoundMutant(str(m["what"]), bool(m["told"]), bool(m["upset"])) for m in value["mutants"]
        ),
        witness=None if witness is None else (int(witness["index"]), str(witness["text"])),
        failure=None
        if failure is None
        else Failure(int(failure["index"]), str(failure["drawn"]), str(failure["smallest"])),
        doubted=None if doubted is None else (int(doubted["index"]), str(doubted["text"])),
    )
    if found.conclusion.all != found.accepted or found.accepted > found.indices:
        raise ValueError(
            f"it says that {found.accepted} of {found.indices} instances meet all hypotheses, and "
            f"judges the conclusion on {found.conclusion.all}"
        )
    if (found.failure is None) != (found.conclusion.failed == 0):
        raise ValueError(
            f"the conclusion fails on {found.conclusion.failed} instances, and the counterexample "
            f"is {found.failure}"
        )
    return found


def _end(messages: Sequence[object], expected: int) -> Sequence[Mapping[str, Any]]:
    *others, end = messages or [None]
    bodies = [m for m in others if isinstance(m, dict)]
    match end:
        case {"kind": "end", "count": int(count)} if (
            count == len(bodies) == len(others) == expected
        ):
            return bodies
    raise AnswerError(
        f"Lean's answer is partial: {expected} theorems were asked for, {len(others)} messages "
        f"arrived before {end!r:.100}",
        remedy="run the command again",
    )


def parse_judged(
    messages: Sequence[object], names: Sequence[str]
) -> dict[str, Found | ExactObstacle]:
    """What Lean says of each of these theorems.

    Raises:
        AnswerError: the answer is partial, malformed or about other theorems.
    """
    answers: dict[str, Found | ExactObstacle] = {}
    for message in _end(messages, len(names)):
        try:
            name = str(message["name"])
            if message["kind"] == "judged":
                answers[name] = _found(message)
            elif message["kind"] == "obstacle":
                answers[name] = ExactObstacle(str(message["constant"]), str(message["why"]))
            else:
                raise ValueError(f"its kind is {message['kind']!r}")
        except (KeyError, TypeError, ValueError) as e:
            raise AnswerError(
                f"Lean's answer about instances is not understood: {e} in {message!r:.200}"
            ) from e
    if set(answers) != set(names):
        raise AnswerError(f"Lean judged {sorted(answers)}, and was asked for {sorted(names)}")
    return answers


def parse_instance(messages: Sequence[object]) -> Drawn | ExactObstacle:
    """One instance that was drawn again.

    Raises:
        AnswerError: the answer is partial or malformed.
    """

    def read(message: Mapping[str, Any]) -> Drawn:
        one, smallest = _valued(message), message["smallest"]
        return Drawn(
            one.text,
            one.hypotheses,
            one.conclusion,
            tuple(str(r) for r in message["remarks"]),
            None if smallest is None else str(smallest),
            one.values,
        )

    return _one(messages, "an instance", read)


def _valued(message: Mapping[str, Any]) -> Valued:
    values = {}
    for told in message["values"]:
        name, equals, text = str(told).partition(" = ")
        if not equals:
            raise ValueError(f"{told!r:.100} is not a binder with its value")
        values[name] = text
    hypotheses = {
        (int(h["binder"]), str(h["path"])): str(h["truth"]) for h in message["hypotheses"]
    }
    found = Valued(
        int(message["index"]), str(message["text"]), values, hypotheses, str(message["conclusion"])
    )
    if odd := {found.conclusion, *hypotheses.values()} - TRUTHS:
        raise ValueError(f"{sorted(odd)} is not a truth value")
    return found


def parse_many(messages: Sequence[object]) -> DrawnMany | ExactObstacle:
    """The values of a theorem's instances.

    Raises:
        AnswerError: the answer is partial or malformed.
    """

    def read(message: Mapping[str, Any]) -> DrawnMany:
        return DrawnMany(
            tuple(_valued(m) for m in message["met"]),
            tuple(_valued(m) for m in message["violating"]),
            tuple(str(r) for r in message["remarks"]),
        )

    return _one(messages, "values", read)


def _one(
    messages: Sequence[object], what: str, read: Callable[[Mapping[str, Any]], T]
) -> T | ExactObstacle:
    """An answer of one message, which may say that there is nothing to read, and why."""
    (message,) = _end(messages, 1)
    try:
        if message["kind"] == "obstacle":
            return ExactObstacle(str(message["constant"]), str(message["why"]))
        return read(message)
    except (KeyError, TypeError, ValueError) as e:
        raise AnswerError(
            f"Lean's answer about {what} is not understood: {e} in {message!r:.200}"
        ) from e
