"""Errors planted in the library's graphs, and which of its checks find them."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.auditing.check_graphs import parse_graphs
from bridge.checking.mutation import mutation_matrix
from bridge.checking.mutation_report import MutationReport
from bridge.checks.pairing import paired
from bridge.errors import InvalidInputError
from bridge.lean.library import Library
from bridge.progress import Progress, Silent

__all__ = ["mutate"]


def mutate(
    library: Library,
    *,
    seed: int,
    instances: int,
    graphs: Sequence[str] = (),
    progress: Progress | None = None,
) -> MutationReport:
    """Plant errors in the exported graphs and see which of the library's checks finds which.

    Args:
        library: what Lean says.
        seed: determines all instances.
        instances: how many to draw for each error and family.
        graphs: names of graphs; empty means all.
        progress: the callback that receives updates.

    Raises:
        InvalidInputError: no check runs on a graph of that name, or Lean exports none that a check
            runs on.
    """
    watcher = progress or Silent()
    exported, refused = parse_graphs(library)
    keys = {o.key for o in library.obligations}
    checks = [c for k, c in paired(library).items() if k in keys]
    for name in graphs:
        if all(c.graph != name for c in checks):
            known = ", ".join(sorted({c.graph for c in checks})) or "none"
            raise InvalidInputError(
                f"no check runs on a graph called {name!r}", remedy=f"checks run on {known}"
            )
    asked = [c for c in checks if not graphs or c.graph in graphs]
    for name in (n for c in asked for n in (c.graph, c.beside) if n in refused):
        raise InvalidInputError(
            f"Lean exports no graph {name}: {refused[name]}",
            remedy="`--graph` plants errors in the others alone",
        )
    return mutation_matrix(
        asked,
        exported,
        seed,
        instances,
        lambda done, total, graph: watcher.update("planting errors", done, total, unit=graph),
    )
