"""The result of each obligation of a theorem, from instances evaluated with enclosures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bridge.checking.result import CheckResult, Counterexample, FamilyCount, Need, Witness, Worst
from bridge.checking.runner import MAX_UNDECIDED_SHARE, minimum_accepted
from bridge.verdict import Verdict
from numeric.propositions.draw import Family
from numeric.propositions.trial import Judged, Score
from numeric.propositions.truth import CLOSE, FALSE, SAMPLED

__all__ = ["Tried", "conclusion_result", "hypothesis_result"]

ROLES = {
    Family.USUAL: "domain",
    Family.EXTREME: "edge",
    Family.EDGE: "edge",
    Family.BRANCH: "edge",
    Family.OUTSIDE: "refuting",
}


@dataclass(frozen=True, slots=True)
class Tried:
    """All evaluations of one theorem.

    Attributes:
        seed: the seed of the instances.
        judged: the outcomes of the batches, family by family.
        score: how many mutants of the statement the instances tell apart.
        smallest: the smallest counterexample in words, with the family and the index of the
            instance that it was shrunk from; None if there is none.
    """

    seed: int
    judged: Sequence[Judged]
    score: Score
    smallest: tuple[Family, int, str] | None

    def of(self, *families: Family) -> list[Judged]:
        """The batches of these families."""
        return [j for j in self.judged if j.batch.family in families]

    @property
    def counting(self) -> list[Judged]:
        """The batches that the verdicts are about: not those drawn to violate a hypothesis."""
        return self.of(*(f for f in Family if f is not Family.OUTSIDE))

    @property
    def instances(self) -> int:
        """How many instances were drawn."""
        return sum(len(j.batch) for j in self.counting)

    @property
    def accepted(self) -> int:
        """How many of them meet every hypothesis."""
        return sum(int(j.accepted.sum()) for j in self.counting)

    @property
    def witness(self) -> Witness | None:
        """The first instance that meets every hypothesis."""
        for j in self.counting:
            if j.accepted.any():
                index = int(j.batch.indices[int(np.argmax(j.accepted))])
                return Witness(self.seed, j.batch.family.value, index)
        return None


def _vacuous(tried: Tried) -> str:
    """Why too few instances meet all hypotheses; empty if enough do."""
    least = minimum_accepted(tried.instances)
    if tried.accepted >= least:
        return ""
    return (
        f"vacuous? every hypothesis holds on only {tried.accepted} of {tried.instances} instances, "
        f"at least {least} are needed"
    )


def _worst(tried: Tried) -> Worst | None:
    """The tightest of the instances on which the conclusion holds beyond rounding."""
    margins = [j.margin[j.held & np.isfinite(j.margin)] for j in tried.counting]
    flat = np.concatenate(margins) if margins else np.zeros(0)
    if not len(flat):
        return None
    margin = float(flat.min())
    return Worst(-margin, 0.0, margin)


def hypothesis_result(tried: Tried, number: int, law: bool = False) -> CheckResult:
    """A hypothesis holds if enough instances meet it along with all others, and others violate it.

    Args:
        tried: the evaluations.
        number: its place among the hypotheses.
        law: whether it is a law of numbers, which the real numbers obey.
    """
    everything = tried.judged
    codes = [j.assumed[number][j.drawn] for j in everything]
    flat = np.concatenate(codes) if codes else np.zeros(0, dtype=np.int8)
    met, violated = int((flat >= SAMPLED).sum()), int((flat == FALSE).sum())
    sampled = int((flat == SAMPLED).sum())
    families = tuple(_count(tried, family, number) for family in Family)

    def result(verdict: Verdict, reason: str) -> CheckResult:
        return CheckResult(verdict, reason, tried.instances, tried.accepted, families=families)

    if met == 0:
        said = f"none of {len(flat)} instances meets it"
        if violated < len(flat):
            said += f"; {len(flat) - violated} are undecided"
        return result(Verdict.INCONCLUSIVE, said)
    if joint := _vacuous(tried):
        return result(Verdict.INCONCLUSIVE, joint)
    if law:
        return result(Verdict.HOLDS, "the real numbers obey it")
    if violated == 0:
        return result(
            Verdict.INCONCLUSIVE,
            f"none of {len(flat)} instances violates it, so that nothing shows that it can be "
            "false",
        )
    said = f"no counterexample among the samples of a ∀ on {sampled} of them" if sampled else ""
    return result(Verdict.HOLDS, said)


def _count(tried: Tried, family: Family, number: int | None) -> FamilyCount:
    """The outcome of a family, for a hypothesis or, without a number, the conclusion."""
    own = tried.of(family)
    drawn = sum(len(j.batch) for j in own)
    accepted = sum(int(j.accepted.sum()) for j in own)
    if number is None:
        held = sum(int(j.held.sum()) for j in own)
        failed = sum(int(j.failing.sum()) for j in own)
        undecided = sum(int(j.undecided.sum()) for j in own)
    else:
        held = sum(int((j.assumed[number] >= SAMPLED).sum()) for j in own)
        failed = sum(int(((j.assumed[number] == FALSE) & j.drawn).sum()) for j in own)
        undecided = drawn - held - failed
    return FamilyCount(
        family.value, ROLES[family], drawn, accepted, held, failed, max(undecided, 0)
    )


def needs(tried: Tried, names: Sequence[str]) -> tuple[Need, ...]:
    """For each hypothesis, how the conclusion fares if only that hypothesis is violated."""
    found = []
    for number, name in enumerate(names):
        violated = held = failed = 0
        for j in tried.judged:
            others = np.delete(j.assumed, number, axis=0)
            rows = j.drawn & (j.assumed[number] == FALSE) & np.all(others >= SAMPLED, axis=0)
            violated += int(rows.sum())
            held += int((rows & (j.concluded >= SAMPLED)).sum())
            failed += int((rows & (j.concluded == FALSE)).sum())
        found.append(Need(name, violated, held, failed, violated - held - failed))
    return tuple(found)


def conclusion_result(tried: Tried, names: Sequence[str]) -> CheckResult:
    """A conclusion holds if it does on all instances that meet the hypotheses and can be decided,
    and if the statement's own mutants are noticed.

    Args:
        tried: the evaluations.
        names: the hypotheses' names.
    """
    failed = sum(int(j.failing.sum()) for j in tried.counting)
    families = tuple(_count(tried, f, None) for f in Family if f is not Family.OUTSIDE)
    needed = needs(tried, names)

    def result(
        verdict: Verdict, reason: str, counterexample: Counterexample | None = None
    ) -> CheckResult:
        return CheckResult(
            verdict,
            reason,
            tried.instances,
            tried.accepted,
            _worst(tried) if verdict is Verdict.HOLDS else None,
            counterexample,
            families,
            witness=tried.witness if names else None,
            needs=needed,
        )

    if failed:
        family, index, words = tried.smallest or (Family.USUAL, 0, "")
        example = Counterexample(tried.seed, family.value, index, (), (), words)
        said = f"fails on {failed} of {tried.accepted} instances"
        return result(Verdict.FAILS, said, example)
    if joint := _vacuous(tried):
        return result(Verdict.INCONCLUSIVE, joint)
    usual = tried.of(Family.USUAL)
    hidden = sum(int(j.undecided.sum()) for j in usual)
    drawn = sum(len(j.batch) for j in usual)
    said = f"{hidden} of {drawn} usual instances are undecided: rounding hides the answer, or a "
    said += "function is left open there"
    if hidden > MAX_UNDECIDED_SHARE * drawn:
        return result(Verdict.INCONCLUSIVE, said)
    score = tried.score
    if score.blind:
        count = score.of_conclusion[0]
        without = f"none of its {count} mutants fails on any" if count else "it has no mutants"
        held = sum(int(j.held.sum()) for j in tried.counting)
        return result(Verdict.INCONCLUSIVE, f"blind: it holds on {held} instances, and {without}")
    reasons = [f"tells {score.distinguished} of {score.total} mutants of the statement apart"]
    if hidden:
        reasons.append(said)
    sampled = sum(int((j.accepted & (j.concluded == SAMPLED)).sum()) for j in tried.counting)
    if sampled:
        reasons.append(f"no counterexample among the samples of a ∀ on {sampled} of them")
    close = sum(int((j.accepted & (j.concluded == CLOSE)).sum()) for j in tried.counting)
    if close:
        reasons.append(f"up to rounding on {close} of them")
    return result(Verdict.HOLDS, "; ".join(reasons))
