"""The result of each obligation of a theorem, from instances that Lean drew and decided."""

from __future__ import annotations

from bridge.checking import CheckResult, Counterexample, FamilyCount, Need, Witness, Worst
from bridge.checking.runner import MAX_UNDECIDED_SHARE, minimum_accepted
from bridge.lean.statement import Statement
from bridge.statements.exact_answer import Count, Found, FoundHypothesis
from bridge.verdict import Verdict

__all__ = ["FAMILY", "results_of"]

FAMILY = "exact"
"""The family name of the instances that Lean draws."""
EXACT = Worst(0.0, 0.0, 0.0)
"""Nothing is rounded: the tightest instance is on the right side, with tolerance 0."""


def results_of(
    statement: Statement, declaration: str, found: Found, *, seed: int, instances: int
) -> dict[str, CheckResult]:
    """The result of each obligation, by its key.

    Args:
        statement: the theorem.
        declaration: its name in keys.
        found: what Lean says about its instances.
        seed: the audit's seed, for replays.
        instances: how many were requested.
    """
    names = {place: b.name for place, b in statement.placed_hypotheses.items()}
    joint = _joint(found, instances)
    results = {
        f"{declaration}:{names[h.place]}": _hypothesis(h, found, joint) for h in found.hypotheses
    }
    needs = tuple(
        Need(
            str(names[h.place]),
            h.without.all,
            h.without.held,
            h.without.failed,
            h.without.undecided,
        )
        for h in found.hypotheses
        # A conclusion that needs the hypothesis to be stated does not show how it is needed.
        if not h.settled and (h.without.all or not h.found.failed)
    )
    results[f"{declaration}:conclusion"] = _conclusion(found, joint, needs, seed)
    return results


def _joint(found: Found, instances: int) -> str:
    """Why too few instances meet all hypotheses; empty if enough do."""
    least = minimum_accepted(instances)
    if found.accepted >= least:
        return ""
    if found.out_of_time:
        return f"time ran out after {found.indices} of {instances} instances"
    if found.accepted == 0:
        return f"vacuous? none of {found.draws:,} draws meets every hypothesis"
    return (
        f"vacuous? every hypothesis holds on only {found.accepted} of {found.indices} instances, "
        f"at least {least} are needed"
    )


def _hypothesis(hypothesis: FoundHypothesis, found: Found, joint: str) -> CheckResult:
    """A hypothesis holds if enough instances meet it along with all others, and some draws violate
    it; or if Lean finds the class instance that it requires."""
    count = hypothesis.found
    met = FamilyCount(FAMILY, "domain", found.accepted, found.accepted, found.accepted, 0, 0)
    refused = FamilyCount(FAMILY, "refuting", count.failed, count.failed, 0, count.failed, 0)

    def result(verdict: Verdict, reason: str) -> CheckResult:
        return CheckResult(
            verdict,
            reason,
            found.indices,
            found.accepted,
            EXACT if verdict is Verdict.HOLDS else None,
            families=(met, refused),
        )

    if count.held == 0:
        said = f"none of {count.all:,} draws meets it"
        if count.undecided:
            said += f"; {count.undecided:,} are undecided"
        return result(Verdict.INCONCLUSIVE, said)
    if joint:
        return result(Verdict.INCONCLUSIVE, joint)
    if hypothesis.settled:
        return result(Verdict.HOLDS, "; ".join(("Lean finds an instance of it", *found.remarks)))
    if count.failed == 0:
        return result(
            Verdict.INCONCLUSIVE,
            f"none of {count.all:,} draws violates it, so that nothing shows that it can be false",
        )
    return result(Verdict.HOLDS, "; ".join(_about(count, found)))


def _about(count: Count, found: Found) -> list[str]:
    said = []
    if count.sampled:
        said.append(f"no counterexample among the samples of a ∀ on {count.sampled:,} of them")
    return [*said, *found.remarks]


def _conclusion(found: Found, joint: str, needs: tuple[Need, ...], seed: int) -> CheckResult:
    count = found.conclusion
    witness = None if found.witness is None else Witness(seed, FAMILY, found.witness.index)
    family = FamilyCount(
        FAMILY,
        "domain",
        found.indices,
        found.accepted,
        count.held,
        count.failed,
        count.undecided,
    )

    def result(
        verdict: Verdict, reason: str, counterexample: Counterexample | None = None
    ) -> CheckResult:
        return CheckResult(
            verdict,
            reason,
            found.indices,
            found.accepted,
            EXACT if verdict is Verdict.HOLDS else None,
            counterexample,
            (family,),
            witness=witness if found.hypotheses else None,
            needs=needs,
        )

    if found.failure is not None:
        failure = found.failure
        text = failure.smallest
        if failure.drawn != failure.smallest:
            text += f" (shrunk; drawn: {failure.drawn})"
        said = "; ".join((f"fails on {count.failed} of {count.all} instances", *found.remarks))
        return result(
            Verdict.FAILS, said, Counterexample(seed, FAMILY, failure.index, (), (), text)
        )
    if found.doubted is not None:
        return result(
            Verdict.INCONCLUSIVE,
            f"fails on instance {found.doubted.index}, where only samples of a ∀ over an infinite "
            f"type speak for a hypothesis: {found.doubted.text}",
        )
    if joint:
        return result(Verdict.INCONCLUSIVE, joint)
    if count.undecided > MAX_UNDECIDED_SHARE * count.all:
        return result(
            Verdict.INCONCLUSIVE,
            f"{count.undecided} of {count.all} instances are undecided: no sample is a witness of "
            "an ∃ over an infinite type",
        )
    # Leaving a hypothesis out changes the statement, too.
    if not any(m.upset for m in found.mutants) and not any(
        h.without.failed for h in found.hypotheses
    ):
        number = len(found.mutants)
        said = f"none of its {number} mutants fails on any" if number else "it has no mutants"
        return result(
            Verdict.INCONCLUSIVE, f"blind: it holds on {count.held} instances, and {said}"
        )
    left_out = [h.without.failed > 0 for h in found.hypotheses if not h.settled]
    apart = sum(m.distinguished for m in found.mutants) + sum(left_out)
    every = len(found.mutants) + len(left_out)
    reasons = [f"tells {apart} of {every} mutants of the statement apart"]
    if found.out_of_time:
        reasons.append("time ran out")
    return result(Verdict.HOLDS, "; ".join((*reasons, *_about(count, found))))
