"""Results that obligations of one form share: their check is measured once in an audit.

Many theorems about one graph have the same conclusions and hypotheses.  If checks, graphs and
draws are the same, so is the result; only the names of hypotheses differ between theorems.
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
    """Results of checks in one audit, with the same seed, instances and backend."""

    _found: dict[object, tuple[CheckRun, CheckResult]] = field(default_factory=dict)

    def get(self, run: CheckRun, radius: float | None = None) -> CheckResult | None:
        """The result of a run of the same checks on the same graphs and instances, with the names
        of this run's theorem.

        Args:
            run: the run that would be measured.
            radius: the radius of the certified boxes; ``None`` if the result is not certified.
        """
        known = self._found.get(_what(run, radius))
        return None if known is None else named(known[1], run)

    def add(self, run: CheckRun, result: CheckResult, radius: float | None = None) -> None:
        """Keep the result of a run, except of a broken check: its error may name its obligation."""
        if result.verdict is not Verdict.ERROR:
            self._found[_what(run, radius)] = run, unnamed(result, run)


def _what(run: CheckRun, radius: float | None) -> object:
    """Identifies what is measured.  `Shared` holds the run, so that no ``id`` is reused."""
    checks = tuple(id(one) for one in (run.check, *run.hypotheses))
    return run.drawn_for, checks, id(run.graphs), radius


def unnamed(result: CheckResult, run: CheckRun) -> CheckResult:
    """A result of one run without its theorem's names of hypotheses."""
    return _called(result, {binder_of(h, run.key): h.identity for h in run.hypotheses})


def named(result: CheckResult, run: CheckRun) -> CheckResult:
    """A result without names, with the names of one theorem."""
    return _called(result, {h.identity: binder_of(h, run.key) for h in run.hypotheses})


def _called(result: CheckResult, names: Mapping[str, str]) -> CheckResult:
    needs = tuple(replace(n, hypothesis=names[n.hypothesis]) for n in result.needs)
    return replace(result, needs=needs)
