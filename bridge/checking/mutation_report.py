"""The outcome of planted errors: the rows of the table, and their scores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from numeric.mutants.kinds import KINDS

__all__ = ["Cell", "CheckScore", "KindScore", "MutantRow", "MutationReport", "Raised"]


@dataclass(frozen=True, slots=True)
class Raised:
    """A check that raised an exception where it should say no."""

    check: str
    error: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One error on the instances of one family.

    Attributes:
        killed_by: names of the checks that fail on at least one instance: all of them in the first
            family where there are any, in later ones the first that was found.
        reason: if none does, why none can; empty if unknown.
        raised: the checks that raised an exception.  They do not count as finding the error.
    """

    family: str
    killed_by: tuple[str, ...]
    reason: str = ""
    raised: tuple[Raised, ...] = ()


@dataclass(frozen=True, slots=True)
class MutantRow:
    """One error planted in one graph, in its derivatives or in its instances.

    Attributes:
        within: the families that the checks asked single out; empty for the usual checks.
    """

    graph: str
    mutant: str
    kind: str
    cells: tuple[Cell, ...]
    within: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The error's name, and its instances unless it is planted for all."""
        return f"{self.mutant}, for {self.within[0]}" if self.within else self.mutant

    @property
    def killed_by(self) -> tuple[str, ...]:
        """Every check that finds the error, in any family."""
        return tuple(dict.fromkeys(name for c in self.cells for name in c.killed_by))

    @property
    def unexplained(self) -> tuple[str, ...]:
        """The families where the error survives for no known reason."""
        return tuple(c.family for c in self.cells if not c.killed_by and not c.reason)


@dataclass(frozen=True, slots=True)
class CheckScore:
    """How many errors one check finds on one graph; a function may be the check of several."""

    graph: str
    name: str
    keys: tuple[str, ...]
    found: int


@dataclass(frozen=True, slots=True)
class KindScore:
    """How many errors of a kind there are, how many are found, and by how many checks."""

    kind: str
    planted: int
    found: int
    checks: int


@dataclass(frozen=True, slots=True)
class MutationReport:
    """The outcome of every error.

    Attributes:
        rows: the errors, by graph.
        checks: every check that took part.
        planned: how many errors were to be planted; more than rows if interrupted.
    """

    seed: int
    instances: int
    families: tuple[str, ...]
    checks: tuple[CheckScore, ...]
    rows: tuple[MutantRow, ...]
    planned: int

    @property
    def interrupted(self) -> bool:
        """Whether the run was stopped before the end."""
        return len(self.rows) < self.planned

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
    def idle(self) -> tuple[CheckScore, ...]:
        """The checks that find nothing; unknown for an interrupted run."""
        return () if self.interrupted else tuple(c for c in self.checks if not c.found)

    @property
    def raised(self) -> Mapping[tuple[str, Raised], int]:
        """On how many errors a check of a graph raised an exception; usually none."""
        return Counter(
            pair
            for row in self.rows
            for pair in dict.fromkeys((row.graph, r) for c in row.cells for r in c.raised)
        )

    @property
    def complete(self) -> bool:
        """Whether every error is found where possible, every check finds one, and none broke."""
        wrong = self.survivors or self.unexplained or self.idle or self.raised
        return bool(self.rows) and not self.interrupted and not wrong

    @property
    def graphs(self) -> tuple[str, ...]:
        """The graphs in which errors were planted."""
        return tuple(dict.fromkeys(row.graph for row in self.rows))

    @property
    def kinds(self) -> tuple[KindScore, ...]:
        """The score by kind of error, in the order of `numeric.mutants.kinds.KINDS`."""
        rows: dict[str, list[MutantRow]] = {kind: [] for kind in KINDS}
        for row in self.rows:
            rows.setdefault(row.kind, []).append(row)
        return tuple(
            KindScore(
                kind,
                len(some),
                sum(bool(r.killed_by) for r in some),
                len({(r.graph, name) for r in some for name in r.killed_by}),
            )
            for kind, some in rows.items()
            if some
        )
