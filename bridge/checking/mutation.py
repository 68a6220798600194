"""Which check finds which planted error: this measures what a verdict of "holds" is worth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
import numpy.typing as npt

from bridge.checking.check_run import Graphs, in_words
from bridge.checking.mutation_report import Cell, CheckScore, MutantRow, MutationReport, Raised
from bridge.checking.registry import Check, GraphRequest
from bridge.errors import InvalidInputError
from bridge.verdict import Role
from numeric.errors import GraphError
from numeric.graph import Graph
from numeric.instances.case import Case
from numeric.instances.draw import Batch, draw
from numeric.instances.families import FAMILIES, Family, Region, families_of
from numeric.interpret.interpreter import Interpreter
from numeric.judge.measurement import Outcome
from numeric.mutants.edits import ConstantMutant, DerivativeMutant, Error, plant
from numeric.mutants.kinds import INSTANCE, kind_of
from numeric.mutants.planted import PLANTED

__all__ = [
    "FAMILIES_OF_MUTANTS",
    "errors_of",
    "mutation_matrix",
    "refuting_families",
    "together",
]

FAMILIES_OF_MUTANTS = ("generic", "tall", "seq_len 1", "d_model 2")
"""Where errors are planted: generic instances at four shapes, two of them degenerate."""
NO_PLACE = "there is no place for it at this size"
NONE_ACCEPTED = "no instance drawn meets every hypothesis"


def mutation_matrix(
    checks: Iterable[Check],
    graphs: Graphs,
    seed: int,
    instances: int,
    progress: Callable[[int, int, str], None] | None = None,
    families: Sequence[str] = FAMILIES_OF_MUTANTS,
) -> MutationReport:
    """Plant every error in every graph that a check runs on, and see which checks fail.

    As in an audit, an instance counts only if every hypothesis on that graph holds for the right
    graph.  Checks whose theorem singles out some families run on these, and on the errors that they
    name themselves.  A check that raises an exception has found nothing; the report names it.  If
    the user interrupts, the report has the rows until then, and says so.

    Args:
        checks: all checks, perhaps repeated; those of one graph run on its errors.
        graphs: the graphs that `graph_requests` lists.
        instances: how many to draw for each family and error.
        progress: called with the number of errors done, their total, and the current graph.
        families: where to plant them.

    Raises:
        InvalidInputError: a graph is missing.
    """
    groups = [
        _Group(name, within, some, graphs, seed, instances, families)
        for (name, within), some in together(checks).items()
    ]
    order = list(dict.fromkeys(group.name for group in groups))
    groups.sort(key=lambda group: (order.index(group.name), group.within))
    planned = sum(len(g.planted) + len(g.refuting) for g in groups)
    rows: list[MutantRow] = []
    try:
        for group in groups:
            for row in group.rows():
                rows.append(row)
                if progress is not None:
                    progress(len(rows), planned, group.name)
    except KeyboardInterrupt:
        if not rows:
            raise
    found = Counter((row.graph, name) for row in rows for name in row.killed_by)
    scores = tuple(
        CheckScore(c.graph, c.name, c.keys, found[c.graph, c.name])
        for group in groups
        for c in group.checks
    )
    return MutationReport(seed, instances, tuple(families), scores, tuple(rows), planned)


def together(checks: Iterable[Check]) -> Mapping[tuple[str, tuple[str, ...]], list[Check]]:
    """The checks that run together, by their graph and the families that they single out."""
    found: dict[tuple[str, tuple[str, ...]], list[Check]] = {}
    for check in dict.fromkeys(checks):
        found.setdefault((check.graph, check.within), []).append(check)
    return found


def errors_of(graph: str, within: Sequence[str], checks: Iterable[Check]) -> Mapping[str, Error]:
    """The errors planted for checks that run together, by name: those known for the graph and those
    that the checks name; if they single out families, only the latter: others may be hidden
    there."""
    planted = {} if within else {p.mutant.name: p.mutant for p in PLANTED.get(graph, ())}
    own = {e.name: e for c in checks for e in c.rejects if e.name not in planted}
    return {**planted, **own}


def refuting_families(checks: Iterable[Check]) -> list[str]:
    """The families that violate a hypothesis, according to its check; each once."""
    return list(dict.fromkeys(f for c in checks for f in c.refuted_by))


@dataclass(frozen=True, slots=True)
class _Ground:
    """The right graph, its instances of one family that meet every hypothesis, the graphs compared
    with it by name, and the hypotheses that raised an exception."""

    family: Family
    graph: Graph
    batch: Batch
    beside: Mapping[str, Interpreter]
    raised: tuple[Raised, ...] = ()


def _outcome(check: Check, case: Case) -> npt.NDArray[np.int8] | Raised:
    """The outcome of a check on each instance; an exception inside it becomes `Raised`."""
    try:
        return check.measure(case).outcome
    except Exception as error:
        return Raised(check.name, in_words(error))


class _Group:
    """The checks of one graph, and the errors to plant in it."""

    def __init__(
        self,
        name: str,
        within: tuple[str, ...],
        checks: Sequence[Check],
        graphs: Graphs,
        seed: int,
        instances: int,
        families: Sequence[str],
    ) -> None:
        self.name = name
        self.within = within
        self.checks = checks
        self.graphs = graphs
        self.seed = seed
        # Not from 0: the very first instance bypasses the screen of the checks, and this
        # measures what they find with it.
        self.indices = np.arange(1, instances + 1)
        self.hypotheses = [c for c in checks if c.role is Role.HYPOTHESIS]
        self.hidden = {} if within else {p.mutant.name: p.hidden for p in PLANTED.get(name, ())}
        self.planted = errors_of(name, within, checks)
        self.refuting = refuting_families(checks)
        usual = tuple(
            f
            for f in families_of(name)
            if f.name in (within or families) and f.region is Region.DOMAIN
        )
        apt = usual or tuple(f for f in families_of(name) if f.region is Region.DOMAIN)
        self.grounds = [self._accepted(self._ground(family)) for family in apt]

    def rows(self) -> Iterable[MutantRow]:
        """The rows, each measured when it is requested."""
        for name, error in self.planted.items():
            cells: list[Cell] = []
            for ground in self.grounds:
                before = next((c.killed_by for c in cells if c.killed_by), ())
                cells.append(self._cell(ground, error, before))
            yield MutantRow(self.name, name, kind_of(error), tuple(cells), self.within)
        for name in self.refuting:
            cell = self._refuted(name)
            yield MutantRow(self.name, f"instances: {name}", INSTANCE, (cell,), self.within)

    def _ground(self, family: Family) -> _Ground:
        def exported(request: GraphRequest) -> Graph:
            if request not in self.graphs:
                raise InvalidInputError(
                    f"the graph {own.name} with {dict(own.sizes)} was not exported",
                    remedy="ask Lean for every graph in graph_requests",
                )
            return self.graphs[request]

        own = self.checks[0].request(family)
        graph = exported(own)
        beside = {
            c.beside: Interpreter(exported(r)) for c in self.checks for r in c.requests(family)[1:]
        }
        batch = draw(family, graph, seed=self.seed, key="mutants", indices=self.indices)
        return _Ground(family, graph, batch, beside)

    def _accepted(self, ground: _Ground) -> _Ground:
        case = Case(Interpreter(ground.graph), ground.batch)
        keep: npt.NDArray[np.bool_] = np.ones(len(case), dtype=np.bool_)
        raised: list[Raised] = []
        for check in self.hypotheses:
            outcome = _outcome(check, case)
            if isinstance(outcome, Raised):
                raised.append(outcome)
            else:
                keep &= outcome == Outcome.HOLDS
        kept = ground.batch.take(np.flatnonzero(keep & (not raised)))
        return replace(ground, batch=kept, raised=tuple(raised))

    def _cell(self, ground: _Ground, error: Error, before: Sequence[str]) -> Cell:
        """The outcome of an error in one family; ``before`` names the checks that found it in an
        earlier one: then one check that finds it is enough; these run first, and first of all the
        closed form, which is cheapest."""
        name = ground.family.name
        if ground.raised:
            return Cell(name, (), raised=ground.raised)
        if not len(ground.batch):
            return Cell(name, (), NONE_ACCEPTED)
        try:
            program, batch = plant(error, ground.graph, ground.batch)
        except GraphError:
            return Cell(name, (), NO_PLACE)
        # One instance shows most errors, and a failing check takes long: the others run only if
        # the first does not fail.
        rows = np.arange(len(batch))
        cases = [
            Case(program, batch.take(some), refuting=True)
            for some in (rows[:1], rows[1:])
            if len(some)
        ]

        raised: list[Raised] = []

        def finds(check: Check) -> bool:
            for case in cases:
                if check.beside:
                    case = replace(case, beside=ground.beside[check.beside])
                outcome = _outcome(check, case)
                if isinstance(outcome, Raised):
                    raised.append(outcome)
                    return False
                if np.any(outcome == Outcome.FAILS):
                    return True
            return False

        asked = self._asked(error)
        if before:
            asked = sorted(asked, key=lambda c: (c.name not in before, c.role is not Role.FIDELITY))
        finders = (c.name for c in asked if finds(c))
        killed_by = tuple(islice(finders, 1) if before else finders)
        reason = "" if killed_by else self.hidden.get(error.name, {}).get(name, "")
        return Cell(name, killed_by, reason, tuple(raised))

    def _asked(self, error: Error) -> Sequence[Check]:
        """The checks that could say no: a side condition is about values, which an error in a
        derivative does not change; a conclusion says nothing if a hypothesis is violated."""
        if isinstance(error, ConstantMutant):
            return self.hypotheses
        if isinstance(error, DerivativeMutant):
            return [c for c in self.checks if not c.refuted_by]
        return self.checks

    def _refuted(self, name: str) -> Cell:
        """Which hypotheses reject every instance of a family that violates some."""
        ground = self._ground(FAMILIES[name])
        case = Case(Interpreter(ground.graph), ground.batch)
        said = {c.name: _outcome(c, case) for c in self.hypotheses if name in c.refuted_by}
        raised = tuple(o for o in said.values() if isinstance(o, Raised))
        killed_by = tuple(
            check
            for check, outcome in said.items()
            if not isinstance(outcome, Raised) and np.all(outcome == Outcome.FAILS)
        )
        return Cell(name, killed_by, raised=raised)
