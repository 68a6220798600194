"""The audit: every obligation of a library, paired with its check, judged, reported."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace

from bridge import __version__
from bridge.auditing.check_graphs import parse_graphs
from bridge.auditing.graph_file import StandIn, about, stand_in
from bridge.auditing.judge import (
    Context,
    Interrupted,
    decided,
    judge,
    kept,
    measure_ahead,
    swapped_reason,
)
from bridge.auditing.looking import Looking
from bridge.auditing.selection import select_keys
from bridge.checking import Spread
from bridge.checking.store import ResultCache, graph_hashes
from bridge.checks.pairing import paired as paired_checks
from bridge.checks.pairing import wanted_graphs
from bridge.engine import Engine
from bridge.engine.repository import folder_in_repository, state_of_repository
from bridge.errors import InvalidInputError
from bridge.lean.client import DEFAULT_TIMEOUT
from bridge.lean.library import Library, read_library
from bridge.lean.obligation import Obligation
from bridge.lean.project import Project
from bridge.lean.toolchain import toolchain_doubt
from bridge.lean.trust import Trust
from bridge.lean.unread import said_of, unread_sources
from bridge.policy.decisions import Policy, missing_keys, refuse_checks_of_nothing, stale_reasons
from bridge.progress import Progress, Silent
from bridge.report import EngineInfo, Entry, Report
from bridge.report.model import shortfalls
from bridge.statements.by_name import checked_by_name
from bridge.statements.choose import Judge, Pairing, Question, choose
from bridge.verdict import LeanStatus, Role
from numeric.backends import Backend
from numeric.graph import Graph, graph_to_json
from numeric.interpret import balls

__all__ = [
    "DEFAULT_INSTANCES",
    "audit",
    "last_entry",
    "left_unseen",
    "library_for_audit",
    "never_complete",
    "prepare",
    "seen_behind",
    "shortfalls_of",
    "without_refused",
]

DEFAULT_INSTANCES = 200


def library_for_audit(
    project: Project,
    engine: Engine,
    *,
    timeout: float = DEFAULT_TIMEOUT,
    progress: Progress | None = None,
    use_cache: bool = True,
    guarded: bool = False,
) -> Library:
    """Read the library with every graph that a check may run on."""
    return read_library(
        project,
        engine,
        wanted_graphs(),
        timeout=timeout,
        progress=progress,
        use_cache=use_cache,
        guarded=guarded,
    )


def without_refused(library: Library, trust: Trust) -> Library:
    """``library``, with notes at conclusions whose theorem rests on a constant that a kernel
    refuses or on an axiom that Lean does not ship, was accepted only by kernels known to accept
    proofs of False, or says nothing."""
    why = library.by_declaration({name: trust.why_refused(name) for name in trust.refused})
    empty = library.by_declaration(dict(trust.vacuous))
    theorems = library.statements.theorems
    axioms = library.by_declaration({t.name: trust.axioms & set(t.axioms) for t in theorems})

    def judged(o: Obligation) -> Obligation:
        if o.role is not Role.CONCLUSION:
            return o
        lean = replace(o.lean, says_nothing=empty.get(o.declaration, ""))
        if o.declaration in why:
            lean = replace(lean, status=LeanStatus.REFUSED, refusal=why[o.declaration])
        elif lean.status is LeanStatus.PROVED and (foreign := axioms.get(o.declaration)):
            lean = replace(lean, status=LeanStatus.AXIOM, foreign_axioms=tuple(sorted(foreign)))
        elif trust.doubt and lean.status is LeanStatus.PROVED:
            lean = replace(lean, doubt=trust.doubt)
        return replace(o, lean=lean)

    return replace(library, obligations=tuple(judged(o) for o in library.obligations))


def prepare(
    library: Library,
    *,
    seed: int,
    instances: int,
    only: Sequence[str],
    replace_graph: Graph | None = None,
    graph_file: str = "",
    policy: Policy,
    trust: Trust | None,
    results: ResultCache | None,
    judges: Sequence[Judge] = (),
    backend: Backend | None = None,
) -> tuple[tuple[Obligation, ...], Context]:
    """The obligations that an audit judges, and their context; raises what :func:`audit` does."""
    refuse_checks_of_nothing(library, policy.checks)
    chosen = select_keys(library.obligations, only)
    graphs, refused = parse_graphs(library)
    given = None
    if replace_graph is not None:
        given = stand_in(graphs, replace_graph)
        chosen = _with_fidelity(about(chosen, paired_checks(library), given), library, given)
    paired = _by_statement(chosen, library, policy, judges, seed=seed, instances=instances)
    context = Context(
        library=library,
        graphs=graphs,
        refused=refused,
        policy=policy,
        stale=stale_reasons(library, policy.lock),
        seed=seed,
        instances=instances,
        graph_file=graph_file,
        results=results,
        backend=backend,
        graph_hashes={} if results is None else graph_hashes(graphs),
        given=given,
        given_hashes={} if results is None or given is None else graph_hashes(given.graphs),
        paired=paired,
    )
    return (chosen, context) if trust is None else seen_behind(chosen, context, trust)


def seen_behind(
    chosen: tuple[Obligation, ...], context: Context, trust: Trust
) -> tuple[tuple[Obligation, ...], Context]:
    """The context from :func:`prepare`, with what is behind the statements.

    Raises:
        InvalidInputError: the project waives something that does not exist.
    """
    policy, library = context.policy, without_refused(context.library, trust)
    policy.refuse_unneeded(library, [o.waived_as for o in (*trust.swapped, *trust.at_import)])
    judged = {o.key: o for o in library.obligations}
    return tuple(judged[o.key] for o in chosen), replace(
        context,
        library=library,
        vacuous=library.by_declaration(dict(trust.vacuous)),
        swapped=swapped_reason(trust, policy),
        trust=policy.left_out(trust, library),
    )


def _with_fidelity(
    chosen: tuple[Obligation, ...], library: Library, given: StandIn
) -> tuple[Obligation, ...]:
    """The obligations, with the one that decides about the file if no other does."""
    if not given.decided_by_key or any(o.key == given.key for o in chosen):
        return chosen
    return (*chosen, *(o for o in library.obligations if o.key == given.key))


def _by_statement(
    chosen: Sequence[Obligation],
    library: Library,
    policy: Policy,
    judges: Sequence[Judge],
    *,
    seed: int,
    instances: int,
) -> dict[str, Pairing]:
    """The automatic judgements of the obligations without a check or a waiver."""
    waived, checks = policy.waivers, paired_checks(library)
    keys: dict[str, list[str]] = {}
    for o in chosen:
        if o.role is not Role.FIDELITY and o.key not in checks and o.key not in waived:
            keys.setdefault(o.declaration, []).append(o.key)
    questions = [
        Question(statement, declaration, tuple(own))
        for declaration, own in keys.items()
        if (statement := library.statement_named(declaration)) is not None
    ]
    if not judges or not questions:
        return {}
    found = choose(library, questions, judges, seed=seed, instances=instances)
    return checked_by_name(library, questions, found, judges, seed=seed, instances=instances)


def audit(
    library: Library,
    *,
    seed: int = 0,
    instances: int = DEFAULT_INSTANCES,
    only: Sequence[str] = (),
    replace_graph: Graph | None = None,
    graph_file: str = "",
    policy: Policy | None = None,
    trust: Trust | Looking | None = None,
    results: ResultCache | None = None,
    judges: Sequence[Judge] = (),
    strict: bool = False,
    certify: float | None = None,
    spread: Spread | None = None,
    backend: Backend | None = None,
    progress: Progress | None = None,
) -> Report:
    """Judge the obligations of a library.

    Args:
        library: what Lean says, from :func:`library_for_audit`.
        seed: determines all instances, with the check's form or the obligation's key, the family
            and the index.
        instances: how many to draw for each obligation.
        only: keys, declarations or globs; empty means all.
        replace_graph: run on this graph instead of the library's graph of the same name.
        graph_file: that graph's file, for reports and the commands in them.
        policy: waivers and the lock; by default none.
        trust: what is behind the statements, or a future of it: until it is known, checks are
            measured; None leaves it out.
        results: the cache for results of the same checks on the same graphs, if any.
        judges: the ways to judge what has no check, in this order.
        strict: whether what this audit leaves unseen makes it incomplete.
        certify: enclose each side condition in ball arithmetic, on the box of this radius around
            each instance; ``None`` leaves it out.
        spread: runs the measuring; this process if None.  The report is the same.
        backend: runs graphs instead of numpy, where it can; verdicts are the same.
        progress: the callback that receives updates.

    Raises:
        InvalidInputError: ``only`` matches nothing, an exported graph is malformed, a waiver, or a
            name that need not be tagged, is unused, or ``certify`` lacks python-flint.
    """
    watcher = progress or Silent()
    policy = policy or Policy()
    if certify is not None and balls.version() is None:
        raise InvalidInputError(
            "--certify needs python-flint, which is not installed",
            remedy="pip install 'lean-obligations[rigorous]'",
        )
    chosen, context = prepare(
        library,
        seed=seed,
        instances=instances,
        only=only,
        replace_graph=replace_graph,
        graph_file=graph_file,
        policy=policy,
        trust=None if isinstance(trust, Future) else trust,
        results=results,
        judges=judges,
        backend=backend,
    )
    context = replace(context, certify=certify, spread=spread, watcher=watcher)
    if isinstance(trust, Future):
        measure_ahead(chosen, context, until=trust.done)
        if (found := trust.result()) is not None:
            chosen, context = seen_behind(chosen, context, found)
    kept_keys = {o.key for o in chosen}
    if left := sum(o.key not in kept_keys for o in select_keys(library.obligations, only)):
        watcher.note(f"{left} obligations say nothing of a graph of these sizes: left out")
    entries: list[Entry] = []
    interrupted = False
    try:
        for done, obligation in enumerate(chosen):
            watcher.update("checking", done, len(chosen), unit=obligation.key)
            entries.append(judge(obligation, context))
        watcher.update("checking", len(chosen), len(chosen))
    except Interrupted as stop:
        entries.append(stop.entry)
        interrupted = True
    except KeyboardInterrupt:
        interrupted = True
    engine = library.engine
    part = only or replace_graph is not None
    commit, date = state_of_repository(library.project.root)
    return Report(
        tool=f"lean-obligations {__version__}",
        engine=EngineInfo(engine.kind, engine.lean_version, engine.official, engine.describe()),
        project=library.project.root.name,
        folder=folder_in_repository(library.project.root),
        commit=commit,
        date=date,
        seed=seed,
        backend="numpy" if backend is None else backend.describe(),
        entries=tuple(entries),
        interrupted=interrupted,
        trust=context.trust,
        unseen=(
            *never_complete(library, policy, whole=not only),
            *(left_unseen(library, policy, context.trust, whole=not part) if strict else ()),
        ),
        missing=() if only else missing_keys(library, policy.lock),
        graph=graph_file,
        graph_data=None if replace_graph is None else graph_to_json(replace_graph),
        graph_marks=() if context.given is None else context.given.marks,
    )


def shortfalls_of(context: Context, *, whole: bool, strict: bool) -> tuple[str, ...]:
    """Why an audit is incomplete whatever its verdicts: see :class:`bridge.report.Report`.

    Args:
        context: the prepared context.
        whole: whether every obligation is audited, on the library's own graphs.
        strict: whether what was not looked at counts.
    """
    left = left_unseen(context.library, context.policy, context.trust, whole=whole)
    missing = missing_keys(context.library, context.policy.lock) if whole else ()
    unread = never_complete(context.library, context.policy, whole=whole)
    return shortfalls(missing, (*unread, *(left if strict else ())))


def never_complete(library: Library, policy: Policy, *, whole: bool) -> tuple[str, ...]:
    """What makes an audit incomplete, strict or not: a Lean other than the project's was run, or,
    in an audit of everything, Lean never read some of its sources."""
    other = toolchain_doubt(library.project.root, library.engine)
    unread: tuple[str, ...] = ()
    if whole:
        known = Counter(s.module for s in library.statements.theorems)
        unread = said_of(unread_sources(library.project, policy.unread, known))
    return (*((other,) if other else ()), *unread)


def last_entry(
    library: Library,
    obligation: Obligation,
    *,
    seed: int,
    instances: int,
    policy: Policy,
    judges: Sequence[Judge] = (),
    backend: Backend | None = None,
) -> Entry | None:
    """The judgement that an audit would give without measuring; ``None`` if it would measure."""
    _, context = prepare(
        library,
        seed=seed,
        instances=instances,
        only=(),
        replace_graph=None,
        policy=policy,
        trust=None,
        results=ResultCache.default(),
        judges=judges,
        backend=backend,
    )
    paired = decided(obligation, context)
    if isinstance(paired, Entry):
        return paired
    return None if kept(paired, context) is None else judge(obligation, context)


def left_unseen(
    library: Library, policy: Policy, trust: Trust | None, *, whole: bool
) -> tuple[str, ...]:
    """What was not looked at, in the words of the report.

    Args:
        library: what Lean says.
        policy: the project's policy.
        trust: what is behind the statements; None if not looked at.
        whole: whether all of the library was audited.
    """
    found = []
    if not library.engine.official:
        found.append(f"whether an official Lean says the same ({library.engine.describe()})")
    if trust is None:
        found.append("whether the kernel accepts every constant once more")
    elif trust.doubt:
        found.append(f"whether a kernel without known bugs accepts it: {trust.doubt}")
    if trust is not None and (code := policy.not_waived(trust.at_import)):
        found.append(
            "what code does to the numbers that runs when the project is imported: "
            + ", ".join(dict.fromkeys(o.words for o in code))
        )
    if trust is not None and trust.untagged:
        found.append(f"what {len(trust.untagged)} untagged theorems with hypotheses assume")
    if policy.lock is None:
        found.append("what has changed, since there is no statements.lock.json")
    if not whole:
        found.append("the rest of the library, or its own graph (--only, --graph)")
    return tuple(found)
