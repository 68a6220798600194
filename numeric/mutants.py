"""Graphs and derivatives that are wrong on purpose: what a check must reject, as data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import numpy as np

from numeric.graph import Graph, Node, build_graph
from numeric.interpreter import Interpreter
from numeric.ops import OPS, Array, Binding, Constant, Op, Params, Partial
from numeric.ops.rule import Values

__all__ = ["Change", "DerivativeMutant", "GraphMutant", "Mutant", "change_node"]


class Mutant(Protocol):
    """Something wrong that can be done to a graph or to how it is differentiated."""

    @property
    def name(self) -> str:
        """A name for reports, unique in a check."""

    def apply(self, graph: Graph) -> Interpreter:
        """The graph with the error in it; raises `GraphError` where there is no place for it."""


Change = Literal["drop", "negate", "one percent", "one in a million", "one entry"]

_CHANGES: dict[Change, Callable[[Array], Array]] = {
    "drop": lambda t: np.zeros_like(t),
    "negate": lambda t: -t,
    "one percent": lambda t: 1.01 * t,
    "one in a million": lambda t: (1 + 1e-6) * t,
    "one entry": lambda t: _last_entry_scaled(t),
}


def _last_entry_scaled(t: Array) -> Array:
    changed = np.array(t)
    changed.reshape(len(changed), -1)[:, -1] *= 1.01
    return changed


@dataclass(frozen=True, slots=True)
class DerivativeMutant:
    """One term of one node's derivative is changed; values are right.

    Attributes:
        direction: whether forward or reverse mode is wrong; the other stays right.
        node: the saved tensor whose derivative is wrong.
        argument: with respect to which argument.
        change: what becomes of that term.
    """

    direction: Literal["jvp", "vjp"]
    node: str
    argument: int = 0
    change: Change = "drop"

    @property
    def name(self) -> str:
        """Such as ``vjp of square, argument 1: drop``."""
        return f"{self.direction} of {self.node}, argument {self.argument}: {self.change}"

    def apply(self, graph: Graph) -> Interpreter:
        """An interpreter with the wrong derivative at that node."""
        op = OPS[graph.node(self.node).op]
        partials = list(op.partials)
        right = partials[self.argument]
        change = _CHANGES[self.change]

        def wrong(
            rule: Callable[[Values, Array, Binding, Array], Array],
        ) -> Callable[[Values, Array, Binding, Array], Array]:
            return lambda args, out, binding, direction: change(rule(args, out, binding, direction))

        if self.direction == "jvp":
            partials[self.argument] = Partial(push=wrong(right.push), pull=right.pull)
        else:
            partials[self.argument] = Partial(push=right.push, pull=wrong(right.pull))
        mutated: Op = replace(op, partials=tuple(partials))
        return Interpreter(graph, {self.node: mutated})


@dataclass(frozen=True, slots=True)
class GraphMutant:
    """One node of the graph is another one.

    Attributes:
        op: the operation instead, or None to keep it.
        args: names of the arguments instead, or None to keep them.
        constant: the constant instead, without a symbol, or None to keep it.
    """

    name: str
    node: str
    op: str | None = None
    args: Sequence[str] | None = None
    constant: float | None = None

    def apply(self, graph: Graph) -> Interpreter:
        """An interpreter of the changed graph."""
        node = graph.node(self.node)
        op = node.op if self.op is None else self.op
        params = node.params
        if self.constant is not None:
            params = Params(Constant(self.constant))
        elif self.op is not None and not OPS[op].parameters:
            params = Params()
        args = node.args if self.args is None else tuple(graph.index(a) for a in self.args)
        return Interpreter(change_node(graph, replace(node, op=op, args=args, params=params)))


def change_node(graph: Graph, node: Node) -> Graph:
    """The graph with the node of that name replaced; checked as any other graph is."""
    graph.node(node.name)
    return build_graph(
        name=graph.name,
        declaration=graph.declaration,
        sizes=graph.sizes,
        inputs=graph.inputs,
        nodes=[node if n.name == node.name else n for n in graph.nodes],
        outputs=graph.outputs,
    )
