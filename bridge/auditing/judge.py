"""The judgement on one obligation: decided without measuring, or by its check."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace

from bridge.auditing.binding import why_unbound
from bridge.auditing.graph_file import StandIn, graph_computes_its_closed_form
from bridge.auditing.paired import Paired, pair
from bridge.auditing.shared import Shared, named, unnamed
from bridge.checking import Check, CheckInterrupted, CheckResult, Spread, run_check
from bridge.checking import GraphRequest as CheckGraphRequest
from bridge.checking.certify import certifiable, certify
from bridge.checking.store import ResultCache, is_ours, is_readable, may_read_silently
from bridge.lean.library import Library
from bridge.lean.obligation import Obligation
from bridge.lean.trust import Trust
from bridge.policy.decisions import TRUST_PREFIX, Policy
from bridge.progress import Progress, Silent
from bridge.report import Entry
from bridge.statements.choose import Pairing, Way
from bridge.storage import opened
from bridge.verdict import Role, Verdict
from numeric.backends import Backend
from numeric.graph import Graph
from numeric.interpret import balls

__all__ = [
    "MEASURING",
    "Context",
    "Interrupted",
    "decided",
    "judge",
    "kept",
    "measure_ahead",
    "swapped_reason",
]

MEASURING = "measuring"
"""The name of :func:`measure_ahead`'s task in progress updates, with the results so far."""


@dataclass(frozen=True, slots=True)
class Context:
    """What judging an obligation needs besides the obligation."""

    library: Library
    graphs: Mapping[CheckGraphRequest, Graph]
    refused: Mapping[str, str]
    policy: Policy
    stale: Mapping[str, str]
    seed: int
    instances: int
    graph_file: str
    results: ResultCache | None
    graph_hashes: Mapping[str, str]
    vacuous: Mapping[str, str] = field(default_factory=dict)
    swapped: str = ""
    paired: Mapping[str, Pairing] = field(default_factory=dict)
    given: StandIn | None = None
    given_hashes: Mapping[str, str] = field(default_factory=dict)
    trust: Trust | None = None
    certify: float | None = None
    spread: Spread | None = None
    backend: Backend | None = None
    watcher: Progress = field(default_factory=Silent)
    shared: Shared = field(default_factory=Shared)

    def pair(self, obligation: Obligation) -> Paired | None:
        """The obligation with its check, on the graphs of this audit."""
        return pair(
            self.library,
            obligation,
            self.graphs,
            seed=self.seed,
            given=self.given,
            backend=self.backend,
        )

    def hash_under(self, key: str, graph: str) -> str:
        """The hash of all members of a graph under ``key``; empty if nothing is kept."""
        own = self.given is not None and self.given.under(key) is self.given.graphs
        return (self.given_hashes if own else self.graph_hashes).get(graph, "")

    def file_under(self, key: str) -> str:
        """The file of the graph under ``key``; empty if all graphs are the library's."""
        own = self.given is None or self.given.under(key) is self.given.graphs
        return self.graph_file if own else ""


class Interrupted(KeyboardInterrupt):
    """The user stopped a check; ``entry`` has its result until then."""

    def __init__(self, entry: Entry) -> None:
        super().__init__(entry.reason)
        self.entry = entry


def judge(obligation: Obligation, context: Context) -> Entry:
    """Run the check that is paired with one obligation, unless something else decides.

    Raises:
        Interrupted: at a keyboard interrupt within the check.
    """
    paired = decided(obligation, context)
    if isinstance(paired, Entry):
        return paired

    def entry(result: CheckResult) -> Entry:
        if context.given is not None:
            result = context.given.explained(obligation.key, result)
        made = _entry(obligation, context, result.verdict, result.reason, paired.check)
        return replace(made, result=result)

    try:
        return entry(_certified(paired, context, _measured(paired, context)))
    except CheckInterrupted as stop:
        raise Interrupted(entry(stop.result)) from stop


def measure_ahead(
    obligations: Sequence[Obligation], context: Context, *, until: Callable[[], bool]
) -> None:
    """Measure what will be judged while judging still lacks something.

    A project's own checks wait: what they read is recorded for the whole process, and here other
    threads read, too.

    Args:
        obligations: the obligations that will be judged.
        context: what is known; contexts made from it share its results.
        until: returns whether judging can begin; called before each obligation.

    Raises:
        CheckInterrupted: at a keyboard interrupt within a check.
    """
    found: Counter[Verdict] = Counter()
    for done, obligation in enumerate(obligations):
        if until():
            break
        said = ", ".join(f"{found[v]} {v}" for v in Verdict if found[v])
        unit = f"({said})" if said else ""
        context.watcher.update(MEASURING, done, len(obligations), unit=unit)
        paired = decided(obligation, context)
        if isinstance(paired, Paired) and all(map(is_ours, paired.checks)):
            found[_certified(paired, context, _measured(paired, context)).verdict] += 1
    context.watcher.update(MEASURING, len(obligations), len(obligations))


def _entry(
    obligation: Obligation, context: Context, verdict: Verdict, reason: str, check: Check | None
) -> Entry:
    file = context.library.project.file_of(obligation.module)
    name = None if check is None else check.name
    way = "" if check is None else (Way.CHECK if check.form is None else Way.GRAPHS).value
    file_of_graph = context.file_under(obligation.key)
    return Entry(obligation, file, verdict, reason, name, graph=file_of_graph, way=way)


def decided(obligation: Obligation, context: Context) -> Entry | Paired:
    """The verdict if something decides without measuring; else the check that has to run."""
    found = context.pair(obligation)
    check = None if found is None else found.check

    def entry(verdict: Verdict, reason: str) -> Entry:
        return _entry(obligation, context, verdict, reason, check)

    if obligation.role is Role.CONCLUSION and obligation.declaration in context.vacuous:
        why = context.vacuous[obligation.declaration]
        return entry(Verdict.FAILS, f"the theorem says nothing: {why}")
    if obligation.key in context.stale:  # a waiver, too, was given for the earlier statement
        return entry(Verdict.STALE, context.stale[obligation.key])
    if found is None or check is None:
        if obligation.key in context.policy.waivers:
            return entry(Verdict.WAIVED, context.policy.waivers[obligation.key])
        pairing = context.paired.get(obligation.key)
        if pairing is not None and pairing.result is not None:
            return _judged_by_statement(obligation, context, pairing, pairing.result)
        better = ""
        if "#" in obligation.binder:
            place = f"{obligation.module} (line {obligation.line})"
            better = f"; give the hypothesis a unique name in {place}, which keys can use"
        reason = f"no check is registered for {obligation.key}{better}"
        if pairing is not None:
            reason = f"{reason}; {pairing.reason}"
        return entry(Verdict.UNPAIRED, reason)
    for graph in (check.graph, check.beside):
        if graph in context.refused:
            reason = f"Lean exports no graph {graph}: {context.refused[graph]}"
            return entry(Verdict.ERROR, reason)
    if reason := why_unbound(context.library, obligation, check):
        return entry(Verdict.INCONCLUSIVE, reason)
    if context.swapped:
        return entry(Verdict.INCONCLUSIVE, context.swapped)
    if not any(found.run.fits(family) for family in check.families):
        reason = "no family of instances fits the sizes of the graph given"
        if check.beside:
            reason = (
                f"it compares {check.graph} with {check.beside}, and the graph given has other "
                "sizes than the library's"
            )
        return entry(Verdict.INCONCLUSIVE, reason)
    if obligation.role is Role.CONCLUSION and found.unchecked:
        reason = f"no instance is known to meet {found.unchecked[0]}, which has no check"
        return entry(Verdict.INCONCLUSIVE, reason)
    return found


def _judged_by_statement(
    obligation: Obligation, context: Context, pairing: Pairing, result: CheckResult
) -> Entry:
    """The result of an automatic way.  Code that was swapped can refute a theorem, which is then
    false of what runs; if such code agrees with the theorem, that says nothing about the
    definitions."""
    verdict, reason = result.verdict, result.reason
    statements = context.library.statements
    statement = context.library.statement_named(obligation.declaration)
    uses = () if statement is None else statement.uses
    swapped = swapped_reason(context.trust, context.policy, statements.closure(uses))
    if swapped and verdict is Verdict.HOLDS:
        verdict, reason = Verdict.INCONCLUSIVE, swapped
    made = _entry(obligation, context, verdict, reason, None)
    return replace(made, result=result, way=pairing.way.value, graph="", check=pairing.check)


def _stored_under(paired: Paired, context: Context) -> str:
    """The key of the check's result in the cache."""
    if context.results is None:
        return ""
    key, check = paired.obligation.key, paired.check
    return context.results.key(
        paired.checks,
        "".join(context.hash_under(key, name) for name in (check.graph, check.beside)),
        key="\0".join((paired.run.drawn_for, *(c.identity for c in paired.checks))),
        seed=context.seed,
        instances=context.instances,
        backend=context.backend,
    )


def _for_file(check: Check) -> bool:
    return check.measure is graph_computes_its_closed_form


def _may_keep(paired: Paired) -> bool:
    """Whether a change of the checks would be noticed; one typed into a notebook has no file."""
    return all(map(is_readable, paired.checks))


def kept(paired: Paired, context: Context) -> CheckResult | None:
    """The cached result of an earlier run with the same inputs, if there is one."""
    if context.results is None or not _may_keep(paired):
        return None
    found = context.results.load(_stored_under(paired, context))
    return None if found is None else named(found, paired.run)


def _measured(paired: Paired, context: Context) -> CheckResult:
    """The check's result: measured, or that of an obligation with the same check in this audit, or
    the cached one if everything it depends on is the same."""
    if (known := context.shared.get(paired.run)) is not None:
        return known
    known = kept(paired, context) or _run(paired, context)
    context.shared.add(paired.run, known)
    return known


def _run(paired: Paired, context: Context) -> CheckResult:
    """The check's result, measured and kept."""

    def tell(done: int, total: int) -> None:
        context.watcher.update("instances", done, total, unit=paired.obligation.key)

    with _recorded(paired):
        result = run_check(
            paired.run,
            instances=context.instances,
            progress=tell,
            # Another process finds a check by its key: one for a file is not the one registered.
            spread=None if _for_file(paired.check) else context.spread,
        )
    if context.results is not None and _is_followed(paired, context):
        ours = all(map(is_ours, paired.checks))
        files = {} if ours else opened.digests()
        found = unnamed(result, paired.run)
        context.results.store(_stored_under(paired, context), found, files)
    return result


def _recorded(paired: Paired) -> AbstractContextManager[None]:
    """Record what a project's check reads.  Ours read nothing, and other threads may read
    meanwhile."""
    return nullcontext() if all(map(is_ours, paired.checks)) else opened.recording()


def _is_followed(paired: Paired, context: Context) -> bool:
    """Whether everything that a result depends on is known, so that it may be kept.

    What a project's check reads in another process, beyond this machine, or through a foreign
    library is not seen.
    """
    ours = all(map(is_ours, paired.checks))
    known = context.spread is None and not opened.left_python()
    seen = ours or (known and not may_read_silently())
    return seen and _may_keep(paired)


def _certified(paired: Paired, context: Context, result: CheckResult) -> CheckResult:
    """The result with its certificate, if requested and there is something to certify."""
    run = paired.run
    if context.certify is None or not certifiable(run, result):
        return result
    if (known := context.shared.get(run, context.certify)) is not None:
        return known
    found = _enclosed(paired, context, result, context.certify)
    context.shared.add(run, found, context.certify)
    return found


def _enclosed(paired: Paired, context: Context, result: CheckResult, radius: float) -> CheckResult:
    run = paired.run
    name = f"{_stored_under(paired, context)}-{radius!r}-{balls.version()}"
    if context.results is not None and (known := context.results.load(name)) is not None:
        return known

    def tell(done: int, total: int) -> None:
        context.watcher.update("enclosing", done, total, unit=run.key)

    with _recorded(paired):
        found = certify(run, result, instances=context.instances, radius=radius, progress=tell)
    if context.results is not None and _is_followed(paired, context):
        context.results.store(name, found, {} if is_ours(run.check) else opened.digests())
    return found


def swapped_reason(trust: Trust | None, policy: Policy, among: Container[str] | None = None) -> str:
    """Why what runs may not be what the theorems are about; empty if there is no reason.

    Args:
        trust: what is behind the statements.
        policy: the project's waivers.
        among: the definitions that count; all if None.
    """
    for outside in () if trust is None else trust.swapped:
        if among is not None and outside.name not in among:
            continue
        if TRUST_PREFIX + outside.name not in policy.waivers:
            what = "an exported graph need not be the theorem's"
            if among is not None:
                what = "what was run need not be what the theorem speaks of"
            return (
                f"{outside.name} runs as something else than its definition ({outside.how}), so "
                f"{what}; waive {TRUST_PREFIX}{outside.name} if it is"
            )
    return ""
