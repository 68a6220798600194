"""A graph that stands in for the library's: ``--graph FILE``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import prod

from bridge.checking import Check, GraphRequest
from bridge.checking.check_run import CheckRun
from bridge.errors import InvalidInputError
from bridge.lean.obligation import Obligation
from numeric.graph import Graph
from numeric.instances.families import families_of

__all__ = ["about", "replaced"]


def about(
    chosen: tuple[Obligation, ...],
    checks: Mapping[str, Check],
    graphs: Mapping[GraphRequest, Graph],
    graph: Graph,
) -> tuple[Obligation, ...]:
    """The obligations without those of theorems that say nothing of a graph of these sizes, such as
    one about a single channel where there are eight, or one that compares it with another graph,
    which is there at other sizes; all of them where else there would be none.

    Args:
        chosen: what was asked for.
        checks: by the key of the obligation.
        graphs: what the checks run on, with ``graph`` in them.
        graph: that stands in for the library's.
    """

    def speaks(obligation: Obligation) -> bool:
        check = checks.get(obligation.key)
        if check is None or graph.name not in (check.graph, check.beside):
            return True
        run = CheckRun(check, (), graphs, obligation.key, 0)
        return any(run.fits(family) for family in check.families)

    return tuple(o for o in chosen if speaks(o)) or chosen


def replaced(graphs: Mapping[GraphRequest, Graph], graph: Graph) -> dict[GraphRequest, Graph]:
    """The graphs, with every member of one family replaced by the one given.

    Constants that no instance chooses, such as the attention's scale, are the graph's own matter.

    Raises:
        InvalidInputError: no check runs on a graph of that name, or it lacks an input, a size, or a
            constant that instances choose, that the library's has; or its sizes are not those of
            its inputs.
    """
    if not any(r.name == graph.name for r in graphs):
        known = ", ".join(sorted({r.name for r in graphs}))
        raise InvalidInputError(
            f"--graph: no check runs on a graph called {graph.name!r}",
            remedy=f'write as its "name" what it should be one of: {known}',
        )
    ours = next(g for r, g in graphs.items() if r.name == graph.name)
    _refuse_missing(graph, "input", [i.name for i in ours.inputs], [i.name for i in graph.inputs])
    _refuse_sizes(graph, ours)
    drawn = {s for f in families_of(graph.name) for s in f.constants}
    chosen = [s for s in ours.symbols if s.startswith("eps") or s in drawn]
    _refuse_missing(graph, "constant", chosen, graph.symbols)
    return {r: graph if r.name == graph.name else g for r, g in graphs.items()}


_AXES = {
    "x": (("seqLen",), ("dModel",)),
    "Wq": (("dModel",), ("numHeads", "headDim")),
    "W1": (("dModel",), ("dFF",)),
}
"""What each axis of an input is: a product of sizes."""


def _refuse_sizes(graph: Graph, ours: Graph) -> None:
    """Raise where the sizes cannot be those of the graph: closed forms cut heads by them."""
    remedy = "correct the sizes in the file"
    for name in ours.sizes:
        if graph.sizes.get(name, 0) < 1:
            found = graph.sizes.get(name, "none")
            raise InvalidInputError(
                f"--graph: {graph.name}: expected a size {name} of at least 1 but got {found}",
                remedy=remedy,
            )
    for given in graph.inputs:
        axes = _AXES.get(given.name.rpartition(".")[2], ())
        if not axes or any(name not in ours.sizes for axis in axes for name in axis):
            continue
        if given.shape != tuple(prod(graph.sizes[name] for name in axis) for axis in axes):
            said = " and ".join(f"{n}={graph.sizes[n]}" for axis in axes for n in axis)
            raise InvalidInputError(
                f"--graph: {graph.name}: the input {given.name} has the shape "
                f"{list(given.shape)}, and the sizes say {said}",
                remedy=remedy,
            )


def _refuse_missing(graph: Graph, what: str, wanted: Iterable[str], given: Iterable[str]) -> None:
    missing = sorted(set(wanted) - set(given))
    if missing:
        remedy = "name the inputs as `obligations graph` does"
        if what == "constant":
            remedy = f'give the node that adds it "params": {{"c": …, "symbol": "{missing[0]}"}}'
        raise InvalidInputError(
            f"--graph: {graph.name} has no {what} called {missing[0]!r}, and its checks need one",
            remedy=remedy,
        )
