"""One check with everything that it runs on, and the result of any piece of its work.

Nothing here judges: `bridge.checking.runner` adds the pieces up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from bridge.checking.margins import Margins
from bridge.checking.needed import violations
from bridge.checking.registry import Check, GraphRequest
from bridge.checking.result import Counterexample
from bridge.checking.tally import Scored, Tally, earliest_first, tightness, worst_of
from bridge.checking.units import Broken, Chunk, Found, Outside, Probe, Unit
from bridge.errors import InvalidInputError
from bridge.verdict import Role
from numeric.backends import Backend
from numeric.graph import Graph
from numeric.instances.case import Case
from numeric.instances.draw import draw
from numeric.instances.families import FAMILIES, Family
from numeric.interpret.chunks import chunk_of
from numeric.interpret.interpreter import Interpreter
from numeric.judge.measurement import Measurement, Outcome
from numeric.mutants.edits import Error, plant

__all__ = ["CheckRun", "Graphs", "in_words"]

MUTANT_FAMILIES = ("generic", "tall")
MUTANT_INSTANCES = 4

Graphs = Mapping[GraphRequest, Graph]


def in_words(error: Exception) -> str:
    """An exception inside a check, in a report's words."""
    return f"{type(error).__name__}: {error}"


class CheckRun:
    """One check with everything that it runs on; measures any unit of its work by itself.

    Obligations with one check draw the same instances (`Check.drawn_for`).
    """

    def __init__(
        self,
        check: Check,
        hypotheses: Sequence[Check],
        graphs: Graphs,
        key: str,
        seed: int,
        backend: Backend | None = None,
    ) -> None:
        self.check = check
        self.hypotheses = tuple(hypotheses) if check.role is Role.CONCLUSION else ()
        self.graphs = graphs
        self.key = key
        self.seed = seed
        self.backend = backend
        self.drawn_for = check.drawn_for(key)
        self._unmutated_of: dict[str, Case] = {}

    def refuse_two_graphs(self) -> None:
        """Raise `InvalidInputError` if a hypothesis is checked on another graph."""
        for hypothesis in self.hypotheses:
            if hypothesis.graph != self.check.graph:
                raise InvalidInputError(
                    f"{self.key} runs on {self.check.graph} but its hypothesis {hypothesis.name} "
                    f"on {hypothesis.graph}",
                    remedy="check both on one graph",
                )

    def shares(self, instances: int) -> dict[str, int]:
        """Instances for each family that counts: as equal as possible, at least one; the first
        families get the remainder."""
        names = [f.name for f in self.check.families if self.fits(f)]
        if not names:  # such as a theorem about one channel, and a user's graph with more
            return {}
        each, rest = divmod(max(instances, len(names)), len(names))
        return {name: each + (position < rest) for position, name in enumerate(names)}

    def chunks(self, family: str, count: int) -> Iterator[Chunk]:
        """The first ``count`` instances of a family, in pieces that fit a core's cache."""
        size = chunk_of(self.graph(FAMILIES[family]))
        for start in range(0, count, size):
            yield Chunk(family, start, min(start + size, count))

    def measure(self, unit: Unit) -> Found:
        """The result of one unit; an exception inside the check gives `Broken`."""
        try:
            if isinstance(unit, Probe):
                return self._rejects(self.check.rejects[unit.mutant])
            if isinstance(unit, Outside):
                case = self.case(FAMILIES[unit.family], np.arange(unit.count))
                return violations(self.check, self.hypotheses, case, self.key)
            return self._tally(FAMILIES[unit.family], np.arange(unit.start, unit.stop))
        except Exception as error:
            return Broken(in_words(error))

    def graph(self, family: Family) -> Graph:
        """The graph for the instances of a family; raises `InvalidInputError` if it is missing."""
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
        """Whether the family says anything about the graph: a user's graph has one size, and can be
        compared with another graph only at that size."""
        there = [self.graphs[r] for r in self.check.requests(family) if r in self.graphs]
        alike = all(g.sizes == there[0].sizes for g in there)
        return not there or (alike and family.fits(there[0].sizes))

    def case(self, family: Family, indices: npt.NDArray[np.int64]) -> Case:
        """Some instances of a family, on the graph."""
        graph = self.graph(family)
        batch = draw(family, graph, seed=self.seed, key=self.drawn_for, indices=indices)
        program = Interpreter(graph)
        other = self.check.requests(family)[1:]
        beside = Interpreter(self._exported(other[0])) if other else None
        return Case(program, batch, beside, backend=self.backend)

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
            right = self._unmutated(family)
            if not len(right):
                continue
            program, batch = plant(mutant, right.program.graph, right.batch)
            case = replace(right, program=program, batch=batch)
            if self.check.measure(case).count(Outcome.FAILS):
                return True
        return False

    def _unmutated(self, family: Family) -> Case:
        """The accepted instances that every mutant is tried on, without the mutant.

        They are the same for all mutants, so the verdicts of the hypotheses, and what depends on
        the instances alone (`Case.once`), are computed once.
        """
        if family.name not in self._unmutated_of:
            case = self.case(family, np.arange(MUTANT_INSTANCES))
            keep, _ = self._accepted(case)
            case = replace(case.take(np.flatnonzero(keep)), refuting=True)
            self._unmutated_of[family.name] = case
        return self._unmutated_of[family.name]

    def _mutant_families(self) -> tuple[Family, ...]:
        """Where the check must reject its mutants; for a graph with its own families: the first."""
        families = self.check.families
        usual = tuple(f for f in families if f.name in MUTANT_FAMILIES)
        return usual or families[: len(MUTANT_FAMILIES)]
