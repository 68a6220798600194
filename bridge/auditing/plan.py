"""What an audit would do, found without starting Lean or measuring anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bridge.auditing.audit import prepare
from bridge.auditing.judge import decided, kept
from bridge.checking import Check
from bridge.checking.store import ResultCache
from bridge.checks.pairing import paired, wanted_graphs
from bridge.engine import Engine
from bridge.lean.behind import known_trust
from bridge.lean.library import known_library
from bridge.lean.obligation import Obligation
from bridge.lean.project import Project
from bridge.policy.decisions import Policy
from bridge.report import Entry
from bridge.statements.choose import Judge
from bridge.verdict import Verdict
from numeric.backends import Backend
from numeric.graph import Graph

__all__ = ["Plan", "Step", "plan"]


@dataclass(frozen=True, slots=True)
class Step:
    """What would be done about one obligation.

    Attributes:
        obligation: the obligation.
        check: the check that would run, or did; ``None`` if there is none.
        verdict: the verdict without measuring; ``None`` if the check decides.
        reason: the reason for that verdict.
        kept: whether the check's result is in the cache, so that nothing would be measured.
    """

    obligation: Obligation
    check: Check | None
    verdict: Verdict | None
    reason: str
    kept: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """What an audit would do.

    Attributes:
        steps: one for each obligation; ``None`` if Lean has to be asked for the obligations.
        trust_known: whether what is behind the statements is known for these sources.
    """

    steps: tuple[Step, ...] | None
    trust_known: bool

    def count(self, what: str) -> int:
        """How many steps would ``measure``, use a ``kept`` result, or give this verdict."""
        return Counter(_word(step) for step in self.steps or ())[what]


def _word(step: Step) -> str:
    if step.verdict is not None:
        return step.verdict.value
    return "kept" if step.kept else "measure"


def plan(
    project: Project,
    engine: Engine,
    *,
    seed: int,
    instances: int,
    only: Sequence[str] = (),
    replace_graph: Graph | None = None,
    policy: Policy | None = None,
    results: ResultCache | None = None,
    judges: Sequence[Judge] = (),
    backend: Backend | None = None,
) -> Plan:
    """What :func:`bridge.auditing.audit` would do with the same arguments.

    Args:
        project: the project.
        engine: the engine that an audit would use.
        seed: the seed of the instances.
        instances: how many for each obligation.
        only: keys, declarations or globs; empty means all.
        replace_graph: the graph to audit instead of the library's.
        policy: waivers and the lock.
        results: the cache for results of checks; ``None`` if it would not be used.
        judges: the ways to judge what has no check, which give what is known and start no Lean.
        backend: what would run graphs instead of numpy.

    Raises:
        InvalidInputError: as :func:`bridge.auditing.audit`.
        LeanSourceError: the kernel refused a constant of these sources before.
    """
    wanted = wanted_graphs()
    library = known_library(project, engine, wanted)
    trust = known_trust(project, engine)
    if library is None:
        return Plan(None, trust_known=trust is not None)
    chosen, context = prepare(
        library,
        seed=seed,
        instances=instances,
        only=only,
        replace_graph=replace_graph,
        policy=policy or Policy(),
        trust=trust,
        results=results,
        judges=judges,
        backend=backend,
    )
    steps = []
    for obligation in chosen:
        what = decided(obligation, context)
        if isinstance(what, Entry):
            check = paired(library).get(obligation.key)
            steps.append(Step(obligation, check, what.verdict, what.reason, kept=False))
        else:
            known = kept(what, context) is not None
            steps.append(Step(obligation, what.check, None, "", kept=known))
    return Plan(tuple(steps), trust_known=trust is not None)
