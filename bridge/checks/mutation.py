"""Which check finds which planted error: the measure of what a verdict of "holds" is worth."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bridge.checks.registry import Check
from bridge.checks.runner import Graphs
from bridge.errors import InvalidInputError
from bridge.verdict import Role
from numeric.block_mutants import PLANTED, Planted
from numeric.case import Case
from numeric.errors import GraphError
from numeric.families import Family, Region, families_of
from numeric.instances import draw
from numeric.interpreter import Interpreter
from numeric.measurement import Outcome
from numeric.mutants import DerivativeMutant

__all__ = ["FAMILIES_OF_MUTANTS", "Cell", "MutantRow", "MutationReport", "mutation_matrix"]

FAMILIES_OF_MUTANTS = ("generic", "tall", "seq_len 1", "d_model 2")
"""Where errors are planted: generic instances at four shapes, two of them degenerate."""
NO_PLACE = "there is no place for it at this size"


@dataclass(frozen=True, slots=True)
class Cell:
    """One error at the instances of one family.

    Attributes:
        killed_by: names of the checks that fail on at least one instance.
        reason: where none does, why that is as it should be; empty if nobody knows.
    """

    family: str
    killed_by: tuple[str, ...]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class MutantRow:
    """One error planted in one graph."""

    graph: str
    mutant: str
    cells: tuple[Cell, ...]

    @property
    def killed_by(self) -> tuple[str, ...]:
        """Every check that finds it, in any family."""
        return tuple(dict.fromkeys(name for c in self.cells for name in c.killed_by))

    @property
    def unexplained(self) -> tuple[str, ...]:
        """The families where it survives for no known reason."""
        return tuple(c.family for c in self.cells if not c.killed_by and not c.reason)


@dataclass(frozen=True, slots=True)
class MutationReport:
    """What became of every error.

    Attributes:
        checks: names of all checks that took part.
        rows: the errors, by graph.
    """

    seed: int
    instances: int
    families: tuple[str, ...]
    checks: tuple[str, ...]
    rows: tuple[MutantRow, ...]

    @property
    def killed(self) -> int:
        """How many errors at least one check finds."""
        return sum(bool(row.killed_by) for row in self.rows)

    @property
    def survivors(self) -> tuple[MutantRow, ...]:
        """The errors that no check finds in any family."""
        return tuple(row for row in self.rows if not row.killed_by)

    @property
    def unexplained(self) -> tuple[MutantRow, ...]:
        """The errors that survive in some family for no known reason."""
        return tuple(row for row in self.rows if row.unexplained)

    @property
    def idle(self) -> tuple[str, ...]:
        """The checks that find nothing."""
        busy = {name for row in self.rows for name in row.killed_by}
        return tuple(name for name in self.checks if name not in busy)


def mutation_matrix(
    checks: Iterable[Check],
    graphs: Graphs,
    seed: int,
    instances: int,
    progress: Callable[[int, int], None] | None = None,
    families: Sequence[str] = FAMILIES_OF_MUTANTS,
) -> MutationReport:
    """Plant every error in every graph that a check runs on, and see which checks fail.

    As in an audit, an instance counts only where every hypothesis on that graph holds for the right
    graph.

    Args:
        checks: all checks, once or more often; those of one graph are run on its errors.
        graphs: what `graph_requests` asked for.
        instances: how many to draw for each family and error.
        progress: called with the number of errors done and their total.
        families: where to plant them.

    Raises:
        InvalidInputError: a graph is missing.
    """
    unique = list(dict.fromkeys(checks))
    wanted = list(dict.fromkeys(c.graph for c in unique))
    work = [(g, [c for c in unique if c.graph == g]) for g in wanted]
    planted = [(g, group, p) for g, group in work for p in _planted(g, group)]
    rights = {
        g: _right_cases(group, graphs, _apt(group[0], families), seed, instances)
        for g, group in work
    }
    rows: list[MutantRow] = []
    for done, (graph, group, one) in enumerate(planted):
        cells = tuple(_cell(group, graphs, right, one) for right in rights[graph])
        rows.append(MutantRow(graph, one.mutant.name, cells))
        if progress is not None:
            progress(done + 1, len(planted))
    return MutationReport(
        seed, instances, tuple(families), tuple(c.name for c in unique), tuple(rows)
    )


def _apt(check: Check, families: Sequence[str]) -> tuple[Family, ...]:
    """The families where errors are planted; all of its own where a graph has such."""
    usual = tuple(f for f in families_of(check.graph) if f.name in families)
    return usual or tuple(f for f in families_of(check.graph) if f.region is Region.DOMAIN)


def _planted(graph: str, checks: Sequence[Check]) -> tuple[Planted, ...]:
    """The errors known for a graph, and those that its checks name themselves."""
    found = {p.mutant.name: p for p in PLANTED.get(graph, ())}
    for check in checks:
        for mutant in check.rejects:
            found.setdefault(mutant.name, Planted(mutant))
    return tuple(found.values())


def _right_cases(
    checks: Sequence[Check],
    graphs: Graphs,
    families: Sequence[Family],
    seed: int,
    instances: int,
) -> list[tuple[Family, Case]]:
    """Instances of each family on the right graph, those that meet every hypothesis."""
    cases = []
    for family in families:
        request = checks[0].request(family)
        if request not in graphs:
            raise InvalidInputError(
                f"the graph {request.name} with {dict(request.sizes)} was not exported",
                remedy="ask Lean for every graph in graph_requests",
            )
        graph = graphs[request]
        batch = draw(family, graph, seed=seed, key="mutants", indices=range(instances))
        case = Case(Interpreter(graph), batch)
        keep: npt.NDArray[np.bool_] = np.ones(len(case), dtype=np.bool_)
        for check in checks:
            if check.role is Role.HYPOTHESIS:
                keep &= check.measure(case).outcome == Outcome.HOLDS
        cases.append((family, case.take(np.flatnonzero(keep))))
    return cases


def _cell(
    checks: Sequence[Check], graphs: Graphs, right: tuple[Family, Case], one: Planted
) -> Cell:
    family, case = right
    try:
        program = one.mutant.apply(case.program.graph)
    except GraphError:
        return Cell(family.name, (), NO_PLACE)

    def kills(check: Check) -> bool:
        other = [Interpreter(graphs[r]) for r in check.requests(family)[1:]]
        wrong = Case(program, case.batch, other[0] if other else None)
        return check.measure(wrong).count(Outcome.FAILS) > 0

    if isinstance(one.mutant, DerivativeMutant):
        # A side condition speaks of values, and these are as they were.
        checks = [c for c in checks if c.rejects]
    killed_by = tuple(c.name for c in checks if kills(c))
    return Cell(family.name, killed_by, "" if killed_by else _hidden(one.hidden, family))


def _hidden(reasons: Mapping[str, str], family: Family) -> str:
    return reasons.get(family.name, "")
