"""Runs a check on drawn instances and judges what it finds.

A hypothesis is judged on the families of the intended use, and must be refuted on the families that
violate it. A conclusion is judged only on instances where every hypothesis holds, and its mutants
must be rejected in the same run: a check that cannot say no says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bridge.checks.registry import Check, GraphRequest
from bridge.checks.result import CheckResult, Counterexample, FamilyCount, Worst
from bridge.errors import InvalidInputError
from bridge.spelling import did_you_mean
from bridge.verdict import Role, Verdict
from numeric.case import Case
from numeric.families import FAMILIES, Family, Region
from numeric.graph import Graph
from numeric.instances import draw
from numeric.interpreter import Interpreter
from numeric.measurement import Measurement, Outcome
from numeric.mutants import Mutant

__all__ = ["MAX_UNDECIDED_SHARE", "Replay", "minimum_accepted", "replay", "run_check"]

MAX_UNDECIDED_SHARE = 0.02
"""More undecided instances than this, of those from the intended use, make a verdict
inconclusive."""
CHUNK = 1024
MUTANT_FAMILIES = ("generic", "tall")
MUTANT_INSTANCES = 4

Graphs = Mapping[GraphRequest, Graph]
Told = Callable[[int, int], None]


def minimum_accepted(instances: int) -> int:
    """How many instances must satisfy every hypothesis before a conclusion can be said to hold."""
    return max(1, min(20, instances // 4))


@dataclass(frozen=True, slots=True)
class Replay:
    """One instance, drawn again: its inputs, and what the check and the hypotheses find on it."""

    case: Case
    measurement: Measurement
    hypotheses: Mapping[str, Measurement]


def run_check(
    check: Check,
    hypotheses: Sequence[Check],
    graphs: Graphs,
    *,
    key: str,
    seed: int,
    instances: int,
    progress: Told | None = None,
) -> CheckResult:
    """Judge one obligation.

    Args:
        check: the check of the obligation ``key``.
        hypotheses: the checks of its theorem's hypotheses; used for conclusions only.
        graphs: what `graph_requests` asked for.
        instances: how many to draw, over all families that count; at least one each.
        progress: called with the number of instances done and their total.

    Returns:
        A result in every case: an exception inside a check is the verdict ``error``.
    """
    try:
        return _Run(check, hypotheses, graphs, key, seed, progress).judge(instances)
    except Exception as error:
        return CheckResult(Verdict.ERROR, f"{type(error).__name__}: {error}", 0, 0)


def replay(
    check: Check,
    hypotheses: Sequence[Check],
    graphs: Graphs,
    *,
    key: str,
    seed: int,
    family: str,
    index: int,
) -> Replay:
    """Measure exactly one instance: a counterexample's, or any other.

    Raises:
        InvalidInputError: there is no such family.
    """
    if family not in FAMILIES:
        raise InvalidInputError(
            f"expected a family of instances but got {family!r}",
            remedy=did_you_mean(family, FAMILIES, "the families are: " + ", ".join(FAMILIES)),
        )
    run = _Run(check, hypotheses, graphs, key, seed, None)
    case = run.case(FAMILIES[family], np.array([index]))
    found = {h.name: h.measure(case) for h in hypotheses}
    return Replay(case, check.measure(case), found)


@dataclass(slots=True)
class _Tally:
    """Counts over one family, and its tightest instance."""

    family: Family
    drawn: int = 0
    accepted: int = 0
    held: int = 0
    failed: int = 0
    undecided: int = 0
    hidden_because: str = ""
    tightest: tuple[float, Worst] | None = None
    failure: tuple[float, Counterexample] | None = None

    def count(self) -> FamilyCount:
        return FamilyCount(
            self.family.name,
            self.family.region.value,
            self.drawn,
            self.accepted,
            self.held,
            self.failed,
            self.undecided,
            None if self.tightest is None else self.tightest[1].margin,
        )


class _Run:
    def __init__(
        self,
        check: Check,
        hypotheses: Sequence[Check],
        graphs: Graphs,
        key: str,
        seed: int,
        progress: Told | None,
    ) -> None:
        self.check = check
        self.hypotheses = tuple(hypotheses) if check.role is Role.CONCLUSION else ()
        self.graphs = graphs
        self.key = key
        self.seed = seed
        self.progress = progress
        for hypothesis in self.hypotheses:
            if hypothesis.graph != check.graph:
                raise InvalidInputError(
                    f"{key} runs on {check.graph} but its hypothesis {hypothesis.name} on "
                    f"{hypothesis.graph}",
                    remedy="check both on one graph",
                )

    def graph(self, family: Family) -> Graph:
        request = self.check.request(family)
        try:
            return self.graphs[request]
        except KeyError:
            raise InvalidInputError(
                f"the graph {request.name} with {dict(request.sizes)} was not exported",
                remedy="ask Lean for every graph in graph_requests",
            ) from None

    def case(
        self, family: Family, indices: npt.NDArray[np.int64], mutant: Mutant | None = None
    ) -> Case:
        graph = self.graph(family)
        batch = draw(family, graph, seed=self.seed, key=self.key, indices=indices)
        return Case(Interpreter(graph) if mutant is None else mutant.apply(graph), batch)

    def judge(self, instances: int) -> CheckResult:
        families = self.check.families
        shares = _shares(instances, len(families))
        tallies: list[_Tally] = []
        done = 0
        for family, share in zip(families, shares, strict=True):
            tally = _Tally(family)
            for indices in _chunks(share):
                self.measure(tally, indices)
                done += len(indices)
                if self.progress is not None:
                    self.progress(done, sum(shares))
            tallies.append(tally)
        refuting = self.refute(max(2, instances // 50))
        verdict, reason = self.verdict(tallies, refuting, sum(shares))
        failures = [t.failure for t in tallies if t.failure is not None]
        tightest = [t.tightest for t in tallies if t.tightest is not None]
        return CheckResult(
            verdict=verdict,
            reason=reason,
            instances=sum(shares),
            accepted=sum(t.accepted for t in tallies),
            worst=max(tightest, key=lambda t: t[0])[1] if tightest else None,
            counterexample=max(failures, key=lambda f: f[0])[1] if failures else None,
            families=tuple(t.count() for t in (*tallies, *refuting)),
        )

    def accepted(self, case: Case) -> tuple[npt.NDArray[np.bool_], int]:
        """Where every hypothesis holds; and how many instances have one undecided and none
        failed."""
        worst = np.zeros(len(case), dtype=np.int8)
        for hypothesis in self.hypotheses:
            worst = np.maximum(worst, hypothesis.measure(case).outcome)
        return worst == Outcome.HOLDS, int(np.count_nonzero(worst == Outcome.UNDECIDED))

    def measure(self, tally: _Tally, indices: npt.NDArray[np.int64]) -> None:
        case = self.case(tally.family, indices)
        keep, unknown = self.accepted(case)
        tally.drawn += len(case)
        tally.accepted += int(np.count_nonzero(keep))
        if unknown:
            tally.undecided += unknown
            tally.hidden_because = "a hypothesis is undecided"
        if not keep.any():
            return
        if not keep.all():
            case = case.take(np.flatnonzero(keep))
        found = self.check.measure(case)
        tally.held += found.count(Outcome.HOLDS)
        tally.failed += found.count(Outcome.FAILS)
        tally.undecided += found.count(Outcome.UNDECIDED)
        tally.hidden_because = found.undecided_because or tally.hidden_because
        scores = _tightness(found)
        row = int(np.argmax(scores))
        if tally.tightest is None or scores[row] > tally.tightest[0]:
            tally.tightest = (float(scores[row]), _worst(found, row))
        failed = np.flatnonzero(found.outcome == Outcome.FAILS)
        if len(failed):
            row = int(failed[np.argmax(scores[failed])])
            if tally.failure is None or scores[row] > tally.failure[0]:
                tally.failure = (float(scores[row]), self.counterexample(case, found, row))

    def counterexample(self, case: Case, found: Measurement, row: int) -> Counterexample:
        graph, batch = case.program.graph, case.batch
        constants = tuple((name, float(value[row])) for name, value in batch.constants.items())
        worst = _worst(found, row)
        sizes = ", ".join(f"{name}={size}" for name, size in graph.sizes.items())
        bound = ", ".join(f"{name}={value:.6g}" for name, value in constants)
        return Counterexample(
            seed=self.seed,
            family=batch.family,
            index=int(batch.indices[row]),
            shape=tuple(graph.sizes.items()),
            constants=constants,
            description=(
                f"{found.parts[int(found.part[row])]}: residual {worst.residual:.3g} > tolerance "
                f"{worst.tolerance:.3g} in family {batch.family!r}, instance {batch.indices[row]} "
                f"({sizes}; {bound})"
            ),
        )

    def refute(self, instances: int) -> list[_Tally]:
        """Run a hypothesis check where it must say no."""
        tallies = []
        for name in self.check.refuted_by:
            tally = _Tally(FAMILIES[name])
            self.measure(tally, np.arange(instances))
            tallies.append(tally)
        return tallies

    def verdict(
        self, tallies: Sequence[_Tally], refuting: Sequence[_Tally], instances: int
    ) -> tuple[Verdict, str]:
        failed = sum(t.failed for t in tallies)
        accepted = sum(t.accepted for t in tallies)
        if failed:
            return Verdict.FAILS, f"fails on {failed} of {accepted} instances"
        if accepted < minimum_accepted(instances):
            return (
                Verdict.INCONCLUSIVE,
                f"vacuous? every hypothesis holds on only {accepted} of {instances} instances, "
                f"at least {minimum_accepted(instances)} are needed",
            )
        domain = [t for t in tallies if t.family.region is Region.DOMAIN]
        hidden = sum(t.undecided for t in domain)
        drawn = sum(t.drawn for t in domain)
        because = next((t.hidden_because for t in domain if t.undecided), "")
        said = f"{hidden} of {drawn} instances are undecided: {because}" if hidden else ""
        if hidden > MAX_UNDECIDED_SHARE * drawn:
            return Verdict.INCONCLUSIVE, said
        for tally in refuting:
            if tally.failed < tally.drawn:
                return (
                    Verdict.INCONCLUSIVE,
                    f"the check did not reject the family {tally.family.name!r}: it said no to "
                    f"only {tally.failed} of {tally.drawn} instances that violate the hypothesis",
                )
        for mutant in self.check.rejects:
            if not self.rejects(mutant):
                return Verdict.INCONCLUSIVE, f"the check did not reject the mutant {mutant.name!r}"
        return Verdict.HOLDS, said

    def rejects(self, mutant: Mutant) -> bool:
        """Whether the check fails on an accepted instance of the mutant."""
        for name in MUTANT_FAMILIES:
            family = FAMILIES[name]
            indices = np.arange(MUTANT_INSTANCES)
            keep, _ = self.accepted(self.case(family, indices))
            if not keep.any():
                continue
            case = self.case(family, indices, mutant).take(np.flatnonzero(keep))
            if self.check.measure(case).count(Outcome.FAILS):
                return True
        return False


def _shares(instances: int, families: int) -> list[int]:
    """Instances for each family: as equal as can be, the first ones get the rest, none gets
    nothing."""
    each, rest = divmod(max(instances, families), families)
    return [each + (position < rest) for position in range(families)]


def _chunks(count: int) -> Iterator[npt.NDArray[np.int64]]:
    for start in range(0, count, CHUNK):
        yield np.arange(start, min(start + CHUNK, count))


def _tightness(found: Measurement) -> npt.NDArray[np.float64]:
    """How close to its limit each instance came: above 0 is beyond.  NaN counts as beyond."""
    with np.errstate(all="ignore"):
        relative = np.where(
            found.tolerance > 0, found.residual / found.tolerance - 1.0, found.residual
        )
    return np.where(np.isnan(relative), np.inf, relative)


def _worst(found: Measurement, row: int) -> Worst:
    return Worst(float(found.residual[row]), float(found.tolerance[row]), float(found.margin[row]))
