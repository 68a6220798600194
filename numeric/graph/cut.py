"""Pieces of a graph: the part up to a saved tensor, optionally with another one as an input."""

from __future__ import annotations

from numeric.graph.model import Graph, Input, Node
from numeric.graph.parse import build_graph

__all__ = ["piece"]


def piece(graph: Graph, end: str, start: str | None = None) -> Graph:
    """The graph of the value ``end`` as a function of the inputs; with ``start``, as a function of
    that saved tensor too, which is the first input.

    Nodes and inputs that ``end`` does not need are dropped; all names stay, except the graph's.

    Raises:
        GraphError: a name is unknown.
    """
    inputs = len(graph.inputs)
    last = graph.index(end)
    first = None if start is None else graph.index(start)
    needed = {last}
    for index in range(last, inputs - 1, -1):
        if index in needed and index != first:
            needed.update(graph.nodes[index - inputs].args)
    kept = [i for i in sorted(needed) if i < inputs and i != first]
    given = [graph.inputs[i] for i in kept]
    order = kept
    if first is not None and start is not None:
        given = [Input(start, graph.shape_of(first)), *given]
        order = [first, *kept]
    order = order + [i for i in sorted(needed) if i >= inputs and i != first]
    place = {old: new for new, old in enumerate(order)}
    nodes = [graph.nodes[i - inputs] for i in order[len(given) :]]
    return build_graph(
        name=f"{graph.name}:{end}" if start is None else f"{graph.name}:{start}:{end}",
        declaration=graph.declaration,
        sizes=graph.sizes,
        inputs=given,
        nodes=[
            Node(n.name, n.op, tuple(place[a] for a in n.args), n.params, n.shape) for n in nodes
        ],
        outputs=[place[last]],
    )
