"""The audit: every obligation of a library, paired with its check, judged, reported."""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Mapping, Sequence

from bridge import __version__
from bridge.checks import (
    Check,
    CheckResult,
    Replay,
    graph_requests,
    registered,
    replay,
    run_check,
)
from bridge.checks import GraphRequest as CheckGraphRequest
from bridge.engine import Engine
from bridge.errors import InvalidInputError
from bridge.lean_client import DEFAULT_TIMEOUT, GraphRequest
from bridge.library import Library, read_library
from bridge.obligation import Obligation
from bridge.progress import Progress, Silent
from bridge.project import Project
from bridge.report import EngineInfo, Entry, Report
from bridge.report.places import folder_in_repository
from bridge.verdict import Role, Verdict
from numeric.errors import GraphError
from numeric.graph import Graph, parse_graph

__all__ = [
    "DEFAULT_INSTANCES",
    "audit",
    "library_for_audit",
    "replay_instance",
    "select_keys",
    "unknown_name",
]

DEFAULT_INSTANCES = 200


def lean_request(request: CheckGraphRequest) -> GraphRequest:
    """A check's wish for a graph, as a request to Lean."""
    return GraphRequest(request.name, request.sizes)


def library_for_audit(
    project: Project,
    engine: Engine,
    *,
    timeout: float = DEFAULT_TIMEOUT,
    progress: Progress | None = None,
    use_cache: bool = True,
) -> Library:
    """Read the library together with every graph that a registered check runs on."""
    wanted = [lean_request(r) for r in graph_requests(registered().values())]
    return read_library(
        project, engine, wanted, timeout=timeout, progress=progress, use_cache=use_cache
    )


def select_keys(obligations: Sequence[Obligation], only: Sequence[str]) -> tuple[Obligation, ...]:
    """The obligations that ``--only`` names, by key, declaration or glob; all where it is empty.

    Raises:
        InvalidInputError: a pattern matches nothing; the message suggests keys that look like it.
    """
    if not only:
        return tuple(obligations)
    chosen: set[str] = set()
    for pattern in only:
        hits = {
            o.key
            for o in obligations
            if pattern in (o.key, o.declaration) or fnmatch.fnmatchcase(o.key, pattern)
        }
        if not hits:
            raise unknown_name(pattern, obligations)
        chosen |= hits
    return tuple(o for o in obligations if o.key in chosen)


def unknown_name(name: str, obligations: Sequence[Obligation]) -> InvalidInputError:
    """The error for a name that nothing has, with the names that look like it."""
    known = [o.key for o in obligations] + list(dict.fromkeys(o.declaration for o in obligations))
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    remedy = (
        f"did you mean {' or '.join(close)}?" if close else "`obligations list` shows every key"
    )
    return InvalidInputError(f"no obligation is called {name!r}", remedy=remedy)


def _parse_graphs(library: Library) -> tuple[dict[CheckGraphRequest, Graph], dict[str, str]]:
    """The library's exported graphs, validated, and why a graph is not to be had, by its name."""
    graphs: dict[CheckGraphRequest, Graph] = {}
    for request, value in library.graphs.members.items():
        try:
            graphs[CheckGraphRequest(request.name, request.sizes)] = parse_graph(value)
        except GraphError as e:
            raise InvalidInputError(
                f"the exported graph {request.name} is malformed: {e}",
                remedy="correct its GraphFamily in the Lean sources",
            ) from e
    return graphs, {r.name: reason for r, reason in library.graphs.refused.items()}


def judge(
    obligation: Obligation,
    hypotheses: Sequence[Check],
    graphs: Mapping[CheckGraphRequest, Graph],
    refused: Mapping[str, str],
    *,
    file: str | None,
    unchecked_hypotheses: Sequence[str],
    seed: int,
    instances: int,
) -> Entry:
    """Run the check that is paired with one obligation, if there is one."""
    check = registered().get(obligation.key)
    if check is None:
        reason = f"no check is registered for {obligation.key}"
        return Entry(obligation, file, Verdict.UNPAIRED, reason)
    if check.graph in refused:
        reason = f"Lean exports no graph {check.graph}: {refused[check.graph]}"
        return Entry(obligation, file, Verdict.ERROR, reason, check.name)
    if obligation.role is Role.CONCLUSION and unchecked_hypotheses:
        reason = f"no instance is known to meet {unchecked_hypotheses[0]}, which has no check"
        return Entry(obligation, file, Verdict.INCONCLUSIVE, reason, check.name)
    result: CheckResult = run_check(
        check, hypotheses, graphs, key=obligation.key, seed=seed, instances=instances
    )
    return Entry(obligation, file, result.verdict, result.reason, check.name, result)


def audit(
    library: Library,
    *,
    seed: int = 0,
    instances: int = DEFAULT_INSTANCES,
    only: Sequence[str] = (),
    replace_graph: Graph | None = None,
    progress: Progress | None = None,
) -> Report:
    """Judge the obligations of a library.

    Args:
        library: what Lean says, from :func:`library_for_audit`.
        seed: all instances follow from it, the obligation's key, the family and the index.
        instances: how many to draw for each obligation.
        only: keys, declarations or globs; empty means all.
        replace_graph: run on this graph instead of the library's graph of the same name.
        progress: who is told.

    Raises:
        InvalidInputError: ``only`` matches nothing, or an exported graph is malformed.
    """
    watcher = progress or Silent()
    chosen = select_keys(library.obligations, only)
    graphs, refused = _parse_graphs(library)
    if replace_graph is not None:
        graphs = _replaced(graphs, replace_graph)
    checks = registered()
    entries: list[Entry] = []
    interrupted = False
    try:
        for done, obligation in enumerate(chosen):
            watcher.update("checking", done, len(chosen), unit=obligation.key)
            siblings = _hypothesis_keys(library, obligation)
            entries.append(
                judge(
                    obligation,
                    [checks[k] for k in siblings if k in checks],
                    graphs,
                    refused,
                    file=library.project.file_of(obligation.module),
                    unchecked_hypotheses=[k for k in siblings if k not in checks],
                    seed=seed,
                    instances=instances,
                )
            )
        watcher.update("checking", len(chosen), len(chosen))
    except KeyboardInterrupt:
        interrupted = True
    engine = library.engine
    return Report(
        tool=f"lean-obligations {__version__}",
        engine=EngineInfo(engine.kind, engine.lean_version, engine.official, engine.describe()),
        project=library.project.root.name,
        folder=folder_in_repository(library.project.root),
        seed=seed,
        entries=tuple(entries),
        interrupted=interrupted,
    )


def _replaced(
    graphs: Mapping[CheckGraphRequest, Graph], graph: Graph
) -> dict[CheckGraphRequest, Graph]:
    """The graphs, with every member of one family replaced by the one given.

    Raises:
        InvalidInputError: no check runs on a graph of that name.
    """
    if not any(r.name == graph.name for r in graphs):
        known = ", ".join(sorted({r.name for r in graphs}))
        raise InvalidInputError(
            f"--graph: no check runs on a graph called {graph.name!r}",
            remedy=f"checks run on {known}",
        )
    return {r: graph if r.name == graph.name else g for r, g in graphs.items()}


def replay_instance(library: Library, key: str, *, seed: int, family: str, index: int) -> Replay:
    """Measure exactly one instance of one obligation.

    Raises:
        InvalidInputError: there is no such obligation, check or family.
    """
    obligation = next((o for o in library.obligations if o.key == key), None)
    if obligation is None:
        raise unknown_name(key, library.obligations)
    checks = registered()
    if key not in checks:
        raise InvalidInputError(f"no check is registered for {key}")
    graphs, _ = _parse_graphs(library)
    hypotheses = [checks[k] for k in _hypothesis_keys(library, obligation) if k in checks]
    return replay(checks[key], hypotheses, graphs, key=key, seed=seed, family=family, index=index)


def _hypothesis_keys(library: Library, obligation: Obligation) -> list[str]:
    """Keys of the hypotheses of an obligation's theorem."""
    return [
        o.key
        for o in library.obligations
        if o.declaration == obligation.declaration and o.role is Role.HYPOTHESIS
    ]
