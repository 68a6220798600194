"""Runs a check on drawn instances and judges what it finds.

A hypothesis is judged on the families of the intended use, and must be refuted on the families that
violate it. A conclusion is judged only on instances where every hypothesis holds, a graph's
fidelity on the families of the intended use, and their mutants must be rejected in the same run: a
check that cannot say no says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from bridge.checks.margins import Margins
from bridge.checks.needed import outside_families, violations
from bridge.checks.registry import Check, GraphRequest
from bridge.checks.result import CheckResult, Counterexample, Need, Witness
from bridge.checks.tally import Scored, Tally, earliest_first, tighter, tightness, worst_of
from bridge.checks.units import Broken, Chunk, Found, Here, Outside, Probe, Spread, Unit
from bridge.errors import InvalidInputError
from bridge.spelling import did_you_mean
from bridge.verdict import Role, Verdict
from numeric.case import Case
from numeric.chunks import chunk_of
from numeric.families import FAMILIES, Family, Region
from numeric.graph import Graph
from numeric.instances import draw
from numeric.interpreter import Interpreter
from numeric.measurement import Measurement, Outcome
from numeric.mutants import Error, plant

__all__ = [
    "MAX_UNDECIDED_SHARE",
    "CheckInterrupted",
    "CheckRun",
    "Replay",
    "minimum_accepted",
    "replay",
    "run_check",
]

MAX_UNDECIDED_SHARE = 0.02
"""More undecided instances than this, of those from the intended use, make a verdict
inconclusive."""
MUTANT_FAMILIES = ("generic", "tall")
MUTANT_INSTANCES = 4

Graphs = Mapping[GraphRequest, Graph]
Told = Callable[[int, int], None]


class CheckInterrupted(KeyboardInterrupt):
    """The user stopped a check; ``result`` holds what it had found until then."""

    def __init__(self, result: CheckResult) -> None:
        super().__init__(result.reason)
        self.result = result


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
    spread: Spread | None = None,
) -> CheckResult:
    """Judge one obligation.

    Args:
        check: the check of the obligation ``key``.
        hypotheses: the checks of its theorem's hypotheses; used for conclusions only.
        graphs: what `graph_requests` asked for.
        instances: how many to draw, over all families that count; at least one each.
        progress: called with the number of instances done and their total.
        spread: who measures; this process if None.  The result is the same.

    Returns:
        A result in every case: an exception inside a check is the verdict ``error``.

    Raises:
        CheckInterrupted: at a keyboard interrupt, with what was found until then.
    """
    try:
        run = CheckRun(check, hypotheses, graphs, key, seed)
    except InvalidInputError as error:
        return CheckResult(Verdict.ERROR, _said(error), 0, 0)
    judgement = _Judgement(run, instances, spread or Here(), progress)
    try:
        return judgement.result()
    except _CheckBroke as error:
        return CheckResult(Verdict.ERROR, str(error), 0, 0)
    except KeyboardInterrupt as stop:
        raise CheckInterrupted(judgement.so_far()) from stop


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
    case = instances(check, graphs, key=key, seed=seed, family=family, indices=np.array([index]))
    found = {h.name: h.measure(case) for h in hypotheses}
    return Replay(case, check.measure(case), found)


def instances(
    check: Check,
    graphs: Graphs,
    *,
    key: str,
    seed: int,
    family: str,
    indices: npt.NDArray[np.int64],
) -> Case:
    """The instances that a run draws for an obligation, drawn again.

    Raises:
        InvalidInputError: there is no such family.
    """
    if family not in FAMILIES:
        raise InvalidInputError(
            f"expected a family of instances but got {family!r}",
            remedy=did_you_mean(family, FAMILIES, "the families are: " + ", ".join(FAMILIES)),
        )
    return CheckRun(check, (), graphs, key, seed).case(FAMILIES[family], indices)


class CheckRun:
    """One check with all that it runs on; measures any unit of its work by itself."""

    def __init__(
        self,
        check: Check,
        hypotheses: Sequence[Check],
        graphs: Graphs,
        key: str,
        seed: int,
    ) -> None:
        self.check = check
        self.hypotheses = tuple(hypotheses) if check.role is Role.CONCLUSION else ()
        self.graphs = graphs
        self.key = key
        self.seed = seed
        for hypothesis in self.hypotheses:
            if hypothesis.graph != check.graph:
                raise InvalidInputError(
                    f"{key} runs on {check.graph} but its hypothesis {hypothesis.name} on "
                    f"{hypothesis.graph}",
                    remedy="check both on one graph",
                )

    def shares(self, instances: int) -> dict[str, int]:
        """Instances for each family that counts: as equal as can be, the first ones get the rest,
        none gets nothing."""
        names = [f.name for f in self.check.families if self.fits(f)]
        if not names:  # of a theorem that speaks of one channel, say, and a user's graph with more
            return {}
        each, rest = divmod(max(instances, len(names)), len(names))
        return {name: each + (position < rest) for position, name in enumerate(names)}

    def chunks(self, family: str, count: int) -> Iterator[Chunk]:
        """The first ``count`` instances of a family, in pieces that fit a core's cache."""
        size = chunk_of(self.graph(FAMILIES[family]))
        for start in range(0, count, size):
            yield Chunk(family, start, min(start + size, count))

    def measure(self, unit: Unit) -> Found:
        """What one unit finds; an exception inside the check is `Broken`."""
        try:
            if isinstance(unit, Probe):
                return self._rejects(self.check.rejects[unit.mutant])
            if isinstance(unit, Outside):
                case = self.case(FAMILIES[unit.family], np.arange(unit.count))
                return violations(self.check, self.hypotheses, case, self.key)
            return self._tally(FAMILIES[unit.family], np.arange(unit.start, unit.stop))
        except Exception as error:
            return Broken(_said(error))

    def graph(self, family: Family) -> Graph:
        """What the instances of a family run on; raises `InvalidInputError` if it is missing."""
        return self._exported(self.check.request(family))

    def _exported(self, request: GraphRequest) -> Graph:
        try:
            return self.graphs[request]
        except KeyError:
            raise InvalidInputError(
                f"the graph {request.name} with {dict(request.sizes)} was not exported",
                remedy="ask Lean for every graph in graph_requests",
            ) from None

    def fits(self, family: Family) -> bool:
        """Whether the family says anything about the graph: one given by a user has one size, and
        can be compared with another graph at that size only."""
        there = [self.graphs[r] for r in self.check.requests(family) if r in self.graphs]
        alike = all(g.sizes == there[0].sizes for g in there)
        return not there or (alike and family.fits(there[0].sizes))

    def case(
        self, family: Family, indices: npt.NDArray[np.int64], error: Error | None = None
    ) -> Case:
        """Some instances of a family, on the graph, or with an error planted in one or other."""
        graph = self.graph(family)
        batch = draw(family, graph, seed=self.seed, key=self.key, indices=indices)
        program = Interpreter(graph)
        if error is not None:
            program, batch = plant(error, graph, batch)
        other = self.check.requests(family)[1:]
        return Case(program, batch, Interpreter(self._exported(other[0])) if other else None)

    def _accepted(self, case: Case) -> tuple[npt.NDArray[np.bool_], int]:
        """Where every hypothesis holds; and how many instances have one undecided and none
        failed."""
        worst = np.zeros(len(case), dtype=np.int8)
        for hypothesis in self.hypotheses:
            worst = np.maximum(worst, hypothesis.measure(case).outcome)
        return worst == Outcome.HOLDS, int(np.count_nonzero(worst == Outcome.UNDECIDED))

    def _tally(self, family: Family, indices: npt.NDArray[np.int64]) -> Tally:
        case = self.case(family, indices)
        keep, unknown = self._accepted(case)
        drawn, accepted = len(case), int(np.count_nonzero(keep))
        hidden_because = "a hypothesis is undecided" if unknown else ""
        if not accepted:
            return Tally(family.name, drawn, undecided=unknown, hidden_because=hidden_because)
        witness = int(case.batch.indices[np.argmax(keep)])
        if accepted < drawn:
            case = case.take(np.flatnonzero(keep))
        found = self.check.measure(case)
        scores = tightness(found)
        row = int(np.argmax(scores))
        failure = None
        failed = np.flatnonzero(found.outcome == Outcome.FAILS)
        if len(failed):
            if self.check.role is Role.FIDELITY:
                scores = earliest_first(found, scores)
            bad = int(failed[np.argmax(scores[failed])])
            failure = Scored(
                float(scores[bad]),
                worst_of(found, bad),
                self._counterexample(case, found, bad),
                found.parts[int(found.part[bad])],
            )
        return Tally(
            family=family.name,
            drawn=drawn,
            accepted=accepted,
            held=found.count(Outcome.HOLDS),
            failed=found.count(Outcome.FAILS),
            undecided=unknown + found.count(Outcome.UNDECIDED),
            hidden_because=found.undecided_because or hidden_because,
            tightest=Scored(float(scores[row]), worst_of(found, row)),
            failure=failure,
            witness=witness,
            margins=Margins.of(found.margin[found.outcome == Outcome.HOLDS]),
            beyond=Margins.beyond(found.margin[failed]),
        )

    def _counterexample(self, case: Case, found: Measurement, row: int) -> Counterexample:
        graph, batch = case.program.graph, case.batch
        constants = tuple((name, float(value[row])) for name, value in batch.constants.items())
        worst = worst_of(found, row)
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

    def _rejects(self, mutant: Error) -> bool:
        """Whether the check fails on an accepted instance of the mutant."""
        for family in self._mutant_families():
            indices = np.arange(MUTANT_INSTANCES)
            keep, _ = self._accepted(self.case(family, indices))
            if not keep.any():
                continue
            case = self.case(family, indices, mutant).take(np.flatnonzero(keep))
            case = replace(case, refuting=True)
            if self.check.measure(case).count(Outcome.FAILS):
                return True
        return False

    def _mutant_families(self) -> tuple[Family, ...]:
        """Where the check must reject its mutants; a graph with families of its own: the first."""
        families = self.check.families
        usual = tuple(f for f in families if f.name in MUTANT_FAMILIES)
        return usual or families[: len(MUTANT_FAMILIES)]


class _CheckBroke(Exception):
    """The check raised something; the text says what."""


class _Judgement:
    """Adds up what the units of a run find, and judges it."""

    def __init__(
        self, run: CheckRun, instances: int, spread: Spread, progress: Told | None
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
        """The tallies of those of the families that have been begun."""
        return [self.tallies[name] for name in families if name in self.tallies]

    def result(self) -> CheckResult:
        self.add_up(self.shares, self.progress)
        # Where it must say no.
        self.add_up(self.refuting, None)
        verdict, reason = self.verdict()
        return replace(self.told(verdict, reason), needs=self.needs())

    def needs(self) -> tuple[Need, ...]:
        """Of each hypothesis, what the conclusion does without it."""
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

    def witness(self) -> Witness | None:
        """The first instance on which every hypothesis holds, if the obligation has any."""
        for tally in self.counted(self.shares) if self.run.hypotheses else ():
            if tally.witness is not None:
                return Witness(self.run.seed, tally.family, tally.witness)
        return None

    def add_up(self, families: Mapping[str, int], progress: Told | None) -> None:
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
            raise _CheckBroke(_said(error)) from error

    def so_far(self) -> CheckResult:
        """What is known of a run that was stopped."""
        counted = self.counted(self.shares)
        done = sum(t.drawn for t in counted)
        said = f"interrupted after {done} of {self.total} instances"
        failed = sum(t.failed for t in counted)
        if failed:
            accepted = sum(t.accepted for t in counted)
            return self.told(Verdict.FAILS, f"fails on {failed} of {accepted} instances; {said}")
        return self.told(Verdict.INCONCLUSIVE, f"{said}; none failed")

    def told(self, verdict: Verdict, reason: str) -> CheckResult:
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
        """The instance that a counterexample is made of."""
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
        probes = (Probe(i) for i in range(len(mutants)))
        for mutant, found in zip(mutants, self.spread.map(self.run, probes), strict=True):
            if not _whole(found):
                return Verdict.INCONCLUSIVE, f"the check did not reject the mutant {mutant.name!r}"
        return Verdict.HOLDS, "; ".join(s for s in (said, self.run.check.remark()) if s)


def _whole(found: Found) -> Tally | bool | tuple[Need, ...]:
    if isinstance(found, Broken):
        raise _CheckBroke(found.reason)
    return found


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
