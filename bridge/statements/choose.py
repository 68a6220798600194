"""Which way judges an obligation, or why none can.

A check that is registered for a key wins.  Else the statement decides: the ways are tried in the
order of :class:`Way`, each for the theorems that the ones before it could not read, and the first
that can read a theorem judges it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bridge.checking import CheckResult
from bridge.lean.library import Library
from bridge.lean.statement import Statement

__all__ = ["Judge", "Obstacle", "Pairing", "Question", "Taken", "Way", "choose"]


class Way(StrEnum):
    """How an obligation is judged; the automatic ways are tried in this order."""

    CHECK = "check"
    """A check in Python that is registered for its key."""
    EXACT = "exact"
    """Lean draws instances and decides the propositions in exact arithmetic."""
    GRAPHS = "graphs"
    """The proposition is about an exported graph, and a measure for its form exists."""
    NUMBERS = "numbers"
    """The proposition is arithmetic over the reals, evaluated with enclosures."""
    UNPAIRED = "unpaired"
    """No way can read it."""


@dataclass(frozen=True, slots=True)
class Question:
    """One theorem to judge: its statement, and its name in keys.

    ``keys`` are the keys of its obligations without a check.
    """

    statement: Statement
    declaration: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a way cannot read a theorem: the constant that prevents it, and the reason."""

    way: Way
    constant: str
    reason: str

    @property
    def words(self) -> str:
        """The obstacle as a clause."""
        return f"{self.way.value}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Taken:
    """The results of a way: one for each key of the question.

    ``remarks`` are sentences for the theorem as a whole, such as how many mutants of the statement
    the instances tell apart.
    """

    results: Mapping[str, CheckResult]
    remarks: tuple[str, ...] = ()


class Judge(Protocol):
    """One automatic way."""

    @property
    def way(self) -> Way:
        """The way's name."""

    def judge(
        self, library: Library, questions: Sequence[Question], *, seed: int, instances: int
    ) -> Mapping[str, Taken | Obstacle]:
        """The result for each theorem, by the theorem's full Lean name.

        A theorem that is not in the answer does not concern this way.
        """


@dataclass(frozen=True, slots=True)
class Pairing:
    """The way that judges an obligation, with its result; or why none does.

    ``result`` is ``None`` if a check judges, or if no way can.  ``check`` is the name of the check
    by binder names that judged the way's instances.
    """

    way: Way
    reason: str
    result: CheckResult | None = None
    check: str | None = None


def choose(
    library: Library,
    questions: Sequence[Question],
    judges: Sequence[Judge],
    *,
    seed: int,
    instances: int,
) -> dict[str, Pairing]:
    """Judge every question by the first way that can read it.

    Args:
        library: what Lean says.
        questions: the theorems that have obligations without a check.
        judges: the automatic ways, in the order in which to try them.
        seed: determines all instances, with the obligation's key and an index.
        instances: how many to draw for each theorem.

    Returns:
        The pairing of each key in the questions.
    """
    found: dict[str, Pairing] = {}
    obstacles: dict[str, list[Obstacle]] = {}
    left = list(questions)
    for judge in judges:
        if not left:
            break
        answers = judge.judge(library, left, seed=seed, instances=instances)
        rest = []
        for question in left:
            answer = answers.get(question.statement.name)
            if isinstance(answer, Taken):
                for key in question.keys:
                    found[key] = Pairing(judge.way, "", answer.results[key])
                continue
            if answer is not None:
                obstacles.setdefault(question.statement.name, []).append(answer)
            rest.append(question)
        left = rest
    for question in left:
        met = obstacles.get(question.statement.name, [])
        reason = "; ".join(o.words for o in met) or "no way to judge such a statement is known"
        found.update(dict.fromkeys(question.keys, Pairing(Way.UNPAIRED, reason)))
    return found
