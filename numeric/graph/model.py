"""Graphs as frozen data: Lean's exports, after validation.

A graph is a list of inputs and a list of nodes in single assignment form.  Values are counted
inputs first, then nodes in order; the name of a value is the name of the saved tensor.
`numeric.graph.parse` builds graphs and is the only place that validates them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from numeric.errors import GraphError
from numeric.ops import Params, Shape

__all__ = ["Graph", "Input", "Node", "last_uses"]


@dataclass(frozen=True, slots=True)
class Input:
    """An input tensor of the graph."""

    name: str
    shape: Shape


@dataclass(frozen=True, slots=True)
class Node:
    """A saved tensor: one operation applied to earlier values."""

    name: str
    op: str
    args: tuple[int, ...]
    params: Params
    shape: Shape


@dataclass(frozen=True, slots=True)
class Graph:
    """A validated graph.

    Attributes:
        name: the graph's short name, such as ``layerNormGraph``.
        declaration: the Lean declaration that theorems mention; empty if none is stated.
        sizes: the sizes at which the graph was exported, by name.
        outputs: indices of the results, counted as arguments are.
        symbols: the constants that an instance may choose, with the graph's own values.
    """

    name: str
    declaration: str
    sizes: Mapping[str, int]
    inputs: tuple[Input, ...]
    nodes: tuple[Node, ...]
    outputs: tuple[int, ...]
    symbols: Mapping[str, float]
    _index: Mapping[str, int] = field(repr=False, compare=False)

    def index(self, name: str) -> int:
        """The index of the value called ``name``.

        Raises:
            GraphError: there is none.
        """
        try:
            return self._index[name]
        except KeyError:
            known = ", ".join(self._index)
            raise GraphError(
                f"graph {self.name!r}", f"expected a value named {name!r} but it has only: {known}"
            ) from None

    def node(self, name: str) -> Node:
        """The node called ``name``.

        Raises:
            GraphError: there is none, or it is an input.
        """
        position = self.index(name) - len(self.inputs)
        if position < 0:
            raise GraphError(f"graph {self.name!r}", f"expected a node but {name!r} is an input")
        return self.nodes[position]

    def shape_of(self, index: int) -> Shape:
        """The shape of a value, without the batch axis."""
        inputs = len(self.inputs)
        return self.inputs[index].shape if index < inputs else self.nodes[index - inputs].shape

    @property
    def input_shapes(self) -> dict[str, Shape]:
        """Shapes of the inputs by name, in order."""
        return {i.name: i.shape for i in self.inputs}


def last_uses(graph: Graph) -> tuple[tuple[int, ...], ...]:
    """For each node the values that no later one reads; outputs and unread values are kept."""
    last: dict[int, int] = {}
    for position, node in enumerate(graph.nodes):
        last.update(dict.fromkeys(node.args, position))
    uses: list[list[int]] = [[] for _ in graph.nodes]
    for value, position in last.items():
        if value not in graph.outputs:
            uses[position].append(value)
    return tuple(tuple(values) for values in uses)
