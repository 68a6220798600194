"""Single instances of one obligation: drawn again, measured again, read from a file, searched."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from bridge.auditing.check_graphs import parse_graphs
from bridge.auditing.graph_file import stand_in
from bridge.auditing.paired import pair
from bridge.auditing.search import counterexample
from bridge.auditing.selection import unknown_name
from bridge.checking import CheckRun, Replay, instances, measured, replay
from bridge.errors import InvalidInputError
from bridge.lean.library import Library
from bridge.progress import Progress
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
    return replay(_run(library, key, seed, replace_graph), family=family, index=index)


def case_of(
    library: Library, key: str, *, seed: int, family: str, indices: npt.NDArray[np.int64]
) -> Case:
    """The instances ``indices`` that an audit draws for an obligation from a family.

    Raises:
        InvalidInputError: there is no such obligation, check or family.
    """
    return instances(_run(library, key, seed), family=family, indices=indices)


def _run(library: Library, key: str, seed: int, graph: Graph | None = None) -> CheckRun:
    """The check of an obligation with everything that it runs on: the library's graphs, or another.

    Raises:
        InvalidInputError: there is no such obligation, or no check for it.
    """
    obligation = next((o for o in library.obligations if o.key == key), None)
    if obligation is None:
        raise unknown_name(key, library.obligations)
    graphs, _ = parse_graphs(library)
    given = None if graph is None else stand_in(graphs, graph)
    found = pair(library, obligation, graphs, seed=seed, given=given)
    if found is None:
        raise InvalidInputError(
            f"no check is registered for {key}",
            remedy=f"`obligations show {key}` says what is known of it",
        )
    return found.run


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
        key: the obligation's key.
        replace_graph: search on this graph instead of the library's of the same name.
        examples: how many instances to try, before shrinking.
        seed: determines all instances.
        progress: the callback that receives updates.

    Returns:
        One instance, or None if none was found.

    Raises:
        InvalidInputError: there is no such obligation or check, it compares two graphs, or the
            package ``hypothesis`` is not installed.
        SearchInterrupted: at a keyboard interrupt, if something was found before.
    """
    run = _run(library, key, seed, replace_graph)
    return counterexample(run, examples=examples, progress=progress)


def replay_file(library: Library, path: Path) -> tuple[str, Replay]:
    """Measure the instance in a file, on the graph in it.

    Raises:
        InvalidInputError: the file holds no instance, or there is no such obligation or check.
    """
    try:
        key, case = read_instance(path)
    except GraphError as e:
        raise InvalidInputError(
            f"--instance {path}: {e}", remedy="`obligations search KEY` writes one"
        ) from e
    return key, measured(_run(library, key, seed=0), case)
