"""What obligations of one form share: their check is measured once in an audit.

Theorems about one graph have the same conclusions and hypotheses over and over.  Where checks,
graphs and draws are the same, so is what is found; only the names of hypotheses are each theorem's
own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from bridge.checking import CheckResult, CheckRun
from bridge.checking.needed import binder_of
from bridge.verdict import Verdict

__all__ = ["Shared", "named", "unnamed"]


@dataclass(frozen=True, slots=True)
class Shared:
    """What checks have found in one audit, whose seed, instances and backend are the same."""

    _found: dict[object, tuple[CheckRun, CheckResult]] = field(default_factory=dict)

    def get(self, run: CheckRun, radius: float | None = None) -> CheckResult | None:
        """What a run on the same graphs, of the same checks and instances, has found, in the words
        of this run's theorem.

        Args:
            run: what would be measured.
            radius: of the boxes that the result is certified on; ``None`` where it is not.
        """
        known = self._found.get(_what(run, radius))
        return None if known is None else named(known[1], run)

    def add(self, run: CheckRun, result: CheckResult, radius: float | None = None) -> None:
        """Keep what a run has found; what a broken check raised may name its obligation."""
        if result.verdict is not Verdict.ERROR:
            self._found[_what(run, radius)] = run, unnamed(result, run)


def _what(run: CheckRun, radius: float | None) -> object:
    """What is measured.  `Shared` holds the run, so that no other object gets these identities."""
    checks = tuple(id(one) for one in (run.check, *run.hypotheses))
    return run.drawn_for, checks, id(run.graphs), radius


def unnamed(result: CheckResult, run: CheckRun) -> CheckResult:
    """A result of one run without its theorem's names of hypotheses."""
    return _called(result, {binder_of(h, run.key): h.identity for h in run.hypotheses})


def named(result: CheckResult, run: CheckRun) -> CheckResult:
    """A result without names, in the words of one theorem."""
    return _called(result, {h.identity: binder_of(h, run.key) for h in run.hypotheses})


def _called(result: CheckResult, names: Mapping[str, str]) -> CheckResult:
    needs = tuple(replace(n, hypothesis=names[n.hypothesis]) for n in result.needs)
    return replace(result, needs=needs)
