"""Runs a check on drawn instances and judges the results.

A hypothesis is judged on the families of the intended use, and must be refuted on the families that
violate it. A conclusion is judged only on instances where every hypothesis holds, a graph's
fidelity on the families of the intended use, and their mutants must be rejected in the same run: a
check that cannot say no says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from bridge.checking.check_run import CheckRun, in_words
from bridge.checking.needed import outside_families
from bridge.checking.result import CheckResult, Need, Witness
from bridge.checking.tally import Scored, Tally, tighter
from bridge.checking.units import Broken, Found, Here, Outside, Probe, Spread
from bridge.errors import InvalidInputError
from bridge.suggestions import did_you_mean
from bridge.verdict import Role, Verdict
from numeric.instances.case import Case
from numeric.instances.families import FAMILIES, Region, families_of
from numeric.judge.measurement import Measurement, Outcome

__all__ = [
    "MAX_UNDECIDED_SHARE",
    "CheckInterrupted",
    "Replay",
    "instances",
    "measured",
    "minimum_accepted",
    "replay",
    "run_check",
]

MAX_UNDECIDED_SHARE = 0.02
"""A larger share of undecided instances, of those from the intended use, makes a verdict
inconclusive."""

OnProgress = Callable[[int, int], None]


class CheckInterrupted(KeyboardInterrupt):
    """The user stopped a check; ``result`` is its result until then."""

    def __init__(self, result: CheckResult) -> None:
        super().__init__(result.reason)
        self.result = result


def minimum_accepted(instances: int) -> int:
    """How many instances must satisfy every hypothesis for a conclusion to hold."""
    return max(1, min(20, instances // 4))


@dataclass(frozen=True, slots=True)
class Replay:
    """One instance, drawn again: its inputs, and the measurements of check and hypotheses."""

    case: Case
    measurement: Measurement
    hypotheses: Mapping[str, Measurement]


def run_check(
    run: CheckRun,
    *,
    instances: int,
    progress: OnProgress | None = None,
    spread: Spread | None = None,
) -> CheckResult:
    """Judge one obligation.

    Args:
        run: the obligation's check, with everything that it runs on.
        instances: how many to draw, over all families that count; at least one each.
        progress: called with the number of instances done and their total.
        spread: runs the measuring; this process if None.  The result is the same.

    Returns:
        A result in every case: an exception inside a check is the verdict ``error``.

    Raises:
        CheckInterrupted: at a keyboard interrupt, with the result until then.
    """
    try:
        run.refuse_two_graphs()
    except InvalidInputError as error:
        return CheckResult(Verdict.ERROR, in_words(error), 0, 0)
    judgement = _Judgement(run, instances, spread or Here(), progress)
    try:
        return judgement.result()
    except _CheckBroke as error:
        return CheckResult(Verdict.ERROR, str(error), 0, 0)
    except KeyboardInterrupt as stop:
        raise CheckInterrupted(judgement.so_far()) from stop


def replay(run: CheckRun, *, family: str, index: int) -> Replay:
    """Measure exactly one instance: a counterexample's, or any other.

    Raises:
        InvalidInputError: there is no such family.
    """
    return measured(run, instances(run, family=family, indices=np.array([index])))


def measured(run: CheckRun, case: Case) -> Replay:
    """The measurements of the check and the hypotheses on given instances."""
    found = {h.name: h.measure(case) for h in run.hypotheses}
    return Replay(case, run.check.measure(case), found)


def instances(run: CheckRun, *, family: str, indices: npt.NDArray[np.int64]) -> Case:
    """The instances that a run draws for an obligation, drawn again.

    Raises:
        InvalidInputError: there is no such family.
    """
    if family not in FAMILIES:
        raise InvalidInputError(
            f"expected a family of instances but got {family!r}",
            remedy=did_you_mean(family, FAMILIES, "the families are: " + ", ".join(FAMILIES)),
        )
    return run.case(FAMILIES[family], indices)


class _CheckBroke(Exception):
    """The check raised an exception; the text describes it."""


class _Judgement:
    """Adds up the results of a run's units, and judges the sum."""

    def __init__(
        self, run: CheckRun, instances: int, spread: Spread, progress: OnProgress | None
    ) -> None:
        self.run = run
        self.spread = spread
        self.progress = progress
        self.shares = run.shares(instances)
        self.refuting = dict.fromkeys(
            (name for name in run.check.refuted_by if run.fits(FAMILIES[name])),
            max(2, instances // 50),
        )
        self.tallies: dict[str, Tally] = {}

    @property
    def total(self) -> int:
        return sum(self.shares.values())

    def counted(self, families: Mapping[str, int]) -> list[Tally]:
        """The tallies of these families, so far as they have been begun."""
        return [self.tallies[name] for name in families if name in self.tallies]

    def result(self) -> CheckResult:
        self.add_up(self.shares, self.progress)
        # The families that it must reject.
        self.add_up(self.refuting, None)
        verdict, reason = self.verdict()
        return replace(self.result_of(verdict, reason), needs=self.needs())

    def needs(self) -> tuple[Need, ...]:
        """For each hypothesis, how the conclusion fares without it."""
        run = self.run
        if not run.hypotheses:
            return ()
        count = max(2, self.total // 25)
        names = outside_families(run.hypotheses)
        units = (Outside(name, count) for name in names if run.fits(FAMILIES[name]))
        found: dict[str, Need] = {}
        for needs in self.spread.map(run, units):
            whole = _whole(needs)
            assert isinstance(whole, tuple)
            for need in whole:
                before = found.get(need.hypothesis)
                found[need.hypothesis] = need if before is None else before + need
        return tuple(found.values())

    def unguarded(self) -> str:
        """Where a conclusion without any hypothesis fails, outside the intended use.

        For example, where ε cancels the variance.  Empty if it fails nowhere or the theorem has
        hypotheses.  Only a check with a measure for such instances is used: others are blind
        there.
        """
        run = self.run
        measure = run.check.outside
        if run.hypotheses or measure is None or run.check.role is not Role.CONCLUSION:
            return ""
        for family in families_of(run.check.graph):
            known = all(r in run.graphs for r in run.check.requests(family))
            if family.region is not Region.REFUTING or not known or not run.fits(family):
                continue
            with np.errstate(all="ignore"):
                found = measure(run.case(family, np.arange(max(2, self.total // 50))))
            failing = np.flatnonzero(found.outcome == Outcome.FAILS)
            if len(failing):
                return (
                    f"no hypothesis keeps out instances where it fails: family {family.name!r} "
                    f"({family.description}), instance {failing[0]}"
                )
        return ""

    def witness(self) -> Witness | None:
        """The first instance on which every hypothesis holds, if the obligation has any."""
        for tally in self.counted(self.shares) if self.run.hypotheses else ():
            if tally.witness is not None:
                return Witness(self.run.seed, tally.family, tally.witness)
        return None

    def add_up(self, families: Mapping[str, int], progress: OnProgress | None) -> None:
        done = 0
        try:
            units = (u for name, n in families.items() for u in self.run.chunks(name, n))
            for found in self.spread.map(self.run, units):
                tally = _whole(found)
                assert isinstance(tally, Tally)
                before = self.tallies.get(tally.family)
                self.tallies[tally.family] = tally if before is None else before + tally
                done += tally.drawn
                if progress is not None:
                    progress(done, self.total)
        except InvalidInputError as error:
            raise _CheckBroke(in_words(error)) from error

    def so_far(self) -> CheckResult:
        """The result of a run that was stopped."""
        counted = self.counted(self.shares)
        done = sum(t.drawn for t in counted)
        said = f"interrupted after {done} of {self.total} instances"
        failed = sum(t.failed for t in counted)
        if failed:
            accepted = sum(t.accepted for t in counted)
            return self.result_of(
                Verdict.FAILS, f"fails on {failed} of {accepted} instances; {said}"
            )
        return self.result_of(Verdict.INCONCLUSIVE, f"{said}; none failed")

    def result_of(self, verdict: Verdict, reason: str) -> CheckResult:
        counted, refuting = self.counted(self.shares), self.counted(self.refuting)
        tightest, failure = None, self.failure()
        for tally in counted:
            tightest = tighter(tightest, tally.tightest)
        return CheckResult(
            verdict=verdict,
            reason=reason,
            instances=sum(t.drawn for t in counted),
            accepted=sum(t.accepted for t in counted),
            worst=None if tightest is None else tightest.worst,
            counterexample=None if failure is None else failure.counterexample,
            families=(
                *(t.count() for t in counted),
                *(replace(t.count(), role=Region.REFUTING.value) for t in refuting),
            ),
            witness=self.witness(),
        )

    def failure(self) -> Scored | None:
        """The instance for the counterexample."""
        found = None
        for tally in self.counted(self.shares):
            found = tighter(found, tally.failure)
        return found

    def verdict(self) -> tuple[Verdict, str]:
        tallies, instances = self.counted(self.shares), self.total
        failed = sum(t.failed for t in tallies)
        accepted = sum(t.accepted for t in tallies)
        if failed:
            said = f"fails on {failed} of {accepted} instances"
            if self.run.check.role is Role.FIDELITY and (first := self.failure()) is not None:
                said += f": {first.part}"
            return Verdict.FAILS, said
        if open_to := self.unguarded():
            return Verdict.INCONCLUSIVE, open_to
        if not self.shares:
            families = ", ".join(repr(f.name) for f in self.run.check.families)
            return Verdict.INCONCLUSIVE, f"no instance of {families} has the sizes of this graph"
        if accepted < minimum_accepted(instances):
            return (
                Verdict.INCONCLUSIVE,
                f"vacuous? every hypothesis holds on only {accepted} of {instances} instances, "
                f"at least {minimum_accepted(instances)} are needed",
            )
        domain = [t for t in tallies if t.region is Region.DOMAIN]
        hidden = sum(t.undecided for t in domain)
        drawn = sum(t.drawn for t in domain)
        because = next((t.hidden_because for t in domain if t.undecided), "")
        said = f"{hidden} of {drawn} instances are undecided: {because}" if hidden else ""
        if hidden > MAX_UNDECIDED_SHARE * drawn:
            return Verdict.INCONCLUSIVE, said
        for tally in self.counted(self.refuting):
            if tally.failed < tally.drawn:
                return (
                    Verdict.INCONCLUSIVE,
                    f"the check did not reject the family {tally.family!r}: it said no to "
                    f"only {tally.failed} of {tally.drawn} instances that violate the hypothesis",
                )
        mutants = self.run.check.rejects
        if not mutants and not self.refuting:
            return (
                Verdict.INCONCLUSIVE,
                "the check could not be seen to say no: no family that violates the hypothesis, of "
                f"{list(self.run.check.refuted_by)}, has the sizes of this graph",
            )
        probes = (Probe(i) for i in range(len(mutants)))
        for mutant, found in zip(mutants, self.spread.map(self.run, probes), strict=True):
            if not _whole(found):
                return Verdict.INCONCLUSIVE, f"the check did not reject the mutant {mutant.name!r}"
        return Verdict.HOLDS, "; ".join(s for s in (said, self.run.check.remark()) if s)


def _whole(found: Found) -> Tally | bool | tuple[Need, ...]:
    if isinstance(found, Broken):
        raise _CheckBroke(found.reason)
    return found
