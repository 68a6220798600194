"""Single instances of one obligation: drawn again, measured again, read from a file, looked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from bridge.auditing.check_graphs import parse_graphs
from bridge.auditing.graph_file import stand_in
from bridge.auditing.judge import hypothesis_keys
from bridge.auditing.search import counterexample
from bridge.auditing.selection import unknown_name
from bridge.checking import Check, Replay, instances, replay
from bridge.checks.pairing import paired
from bridge.errors import InvalidInputError
from bridge.lean.library import Library
from bridge.progress import Progress
from bridge.verdict import Role
from numeric.errors import GraphError
from numeric.graph import Graph
from numeric.instances.case import Case
from numeric.instances.instance_file import read_instance

__all__ = ["case_of", "replay_file", "replay_instance", "search"]


def replay_instance(
    library: Library,
    key: str,
    *,
    seed: int,
    family: str,
    index: int,
    replace_graph: Graph | None = None,
) -> Replay:
    """Measure exactly one instance of one obligation, on the library's graph or on another.

    Raises:
        InvalidInputError: there is no such obligation, check or family.
    """
    check, hypotheses = _paired(library, key)
    graphs, _ = parse_graphs(library)
    if replace_graph is not None:
        given = stand_in(graphs, replace_graph)
        check, graphs = given.check(key, check), dict(given.under(key))
    return replay(check, hypotheses, graphs, key=key, seed=seed, family=family, index=index)


def case_of(
    library: Library, key: str, *, seed: int, family: str, indices: npt.NDArray[np.int64]
) -> Case:
    """The instances ``indices`` that an audit draws for an obligation from a family.

    Raises:
        InvalidInputError: there is no such obligation, check or family.
    """
    check, _ = _paired(library, key)
    graphs, _ = parse_graphs(library)
    return instances(check, graphs, key=key, seed=seed, family=family, indices=indices)


def _paired(library: Library, key: str) -> tuple[Check, list[Check]]:
    """The check of an obligation, and those of its theorem's hypotheses.

    Raises:
        InvalidInputError: there is no such obligation, or no check for it.
    """
    obligation = next((o for o in library.obligations if o.key == key), None)
    if obligation is None:
        raise unknown_name(key, library.obligations)
    checks = paired(library)
    if key not in checks:
        raise InvalidInputError(
            f"no check is registered for {key}",
            remedy=f"`obligations show {key}` says what is known of it",
        )
    siblings = [checks[k] for k in hypothesis_keys(library, obligation) if k in checks]
    return checks[key], siblings if obligation.role is Role.CONCLUSION else []


def search(
    library: Library,
    key: str,
    *,
    replace_graph: Graph | None = None,
    examples: int = 200,
    seed: int = 0,
    progress: Progress | None = None,
) -> Case | None:
    """A small instance on which an obligation fails; see `bridge.auditing.search.counterexample`.

    Args:
        library: what Lean says.
        key: of the obligation.
        replace_graph: look on this graph instead of the library's of the same name.
        examples: how many instances to try, before it is made small.
        seed: all instances follow from it.
        progress: receives how far it has got.

    Returns:
        One instance, or None where none was found.

    Raises:
        InvalidInputError: there is no such obligation or check, it compares two graphs, or the
            package ``hypothesis`` is not installed.
        SearchInterrupted: at a keyboard interrupt, if something was found until then.
    """
    check, hypotheses = _paired(library, key)
    graphs, _ = parse_graphs(library)
    if replace_graph is not None:
        given = stand_in(graphs, replace_graph)
        check, graphs = given.check(key, check), dict(given.under(key))
    return counterexample(
        check, hypotheses, graphs, key=key, examples=examples, seed=seed, progress=progress
    )


def replay_file(library: Library, path: Path) -> tuple[str, Replay]:
    """Measure the instance in a file, on the graph in it.

    Raises:
        InvalidInputError: the file is no instance, or there is no such obligation or check.
    """
    try:
        key, case = read_instance(path)
    except GraphError as e:
        raise InvalidInputError(
            f"--instance {path}: {e}", remedy="`obligations search KEY` writes one"
        ) from e
    check, hypotheses = _paired(library, key)
    found = {h.name: h.measure(case) for h in hypotheses}
    return key, Replay(case, check.measure(case), found)
