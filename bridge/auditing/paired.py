"""One obligation with its check and everything that the check runs on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bridge.auditing.graph_file import StandIn
from bridge.checking import Check, CheckRun, GraphRequest
from bridge.checks.pairing import paired as paired_checks
from bridge.lean.library import Library
from bridge.lean.obligation import Obligation
from bridge.verdict import Role
from numeric.backends import Backend
from numeric.graph import Graph

__all__ = ["Paired", "pair"]


@dataclass(frozen=True, slots=True)
class Paired:
    """An obligation and the check that judges it: what is measured, judged and reported.

    Attributes:
        obligation: the obligation.
        run: its check, those of its theorem's hypotheses if it is a conclusion, and their graphs.
        unchecked: keys of the theorem's hypotheses that have no check.
    """

    obligation: Obligation
    run: CheckRun
    unchecked: tuple[str, ...]

    @property
    def check(self) -> Check:
        """The check of the obligation."""
        return self.run.check

    @property
    def checks(self) -> tuple[Check, ...]:
        """The check and those of the hypotheses: all code that the result depends on."""
        return (self.run.check, *self.run.hypotheses)


def pair(
    library: Library,
    obligation: Obligation,
    graphs: Mapping[GraphRequest, Graph],
    *,
    seed: int,
    given: StandIn | None = None,
    backend: Backend | None = None,
) -> Paired | None:
    """The obligation with its check; ``None`` if none is registered and no form fits.

    Args:
        library: what Lean says.
        obligation: an obligation of the library.
        graphs: the library's graphs.
        seed: determines all instances.
        given: the graph that replaces one of them.
        backend: runs graphs instead of numpy.
    """
    checks = paired_checks(library)
    check = checks.get(obligation.key)
    if check is None:
        return None
    if given is not None:
        check, graphs = given.check(obligation.key, check), given.under(obligation.key)
    siblings = [
        o.key
        for o in library.obligations
        if o.declaration == obligation.declaration and o.role is Role.HYPOTHESIS
    ]
    hypotheses = [checks[k] for k in siblings if k in checks]
    run = CheckRun(check, hypotheses, graphs, obligation.key, seed, backend)
    return Paired(obligation, run, tuple(k for k in siblings if k not in checks))
