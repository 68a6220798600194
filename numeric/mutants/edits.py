"""Deliberately wrong graphs and derivatives, which a check must reject, as data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import numpy as np

from numeric.graph import Graph, GraphError, Node, build_graph
from numeric.instances.draw import Batch
from numeric.interpret.interpreter import Interpreter
from numeric.ops import OPS, Array, Arrays, Binding, Constant, Op, Params, Partial, Shape
from numeric.ops.rule import Values

__all__ = [
    "Change",
    "ConstantMutant",
    "DerivativeMutant",
    "Edit",
    "Error",
    "GraphMutant",
    "Mutant",
    "OutputMutant",
    "edit",
    "plant",
]


class Mutant(Protocol):
    """An error that can be planted in a graph or in its derivatives."""

    @property
    def name(self) -> str:
        """A name for reports, unique in a check."""

    @property
    def names(self) -> frozenset[str]:
        """The values and symbols of the graph that it mentions."""

    def apply(self, graph: Graph) -> Interpreter:
        """The graph with the error in it; raises `GraphError` if there is no place for it."""

    def renamed(self, name: Callable[[str], str]) -> Mutant:
        """The same for a graph whose values and symbols are called otherwise."""


Change = Literal[
    "drop", "negate", "transpose", "one percent", "one in a million", "one entry", "offset"
]

_CHANGES: dict[Change, Callable[[Array, Arrays], Array]] = {
    "drop": lambda t, xp: xp.zeros_like(t),
    "negate": lambda t, xp: -t,
    "transpose": lambda t, xp: xp.swapped(t),
    "one percent": lambda t, xp: 1.01 * t,
    "one in a million": lambda t, xp: (1 + 1e-6) * t,
    "one entry": lambda t, xp: t * xp.asarray(_last_entry_larger(t.shape[1:])),
    "offset": lambda t, xp: t + 1.0,
}


def _last_entry_larger(shape: Shape) -> Array:
    factor = np.ones((1, *shape))
    factor.reshape(-1)[-1] = 1.01
    return factor


@dataclass(frozen=True, slots=True)
class DerivativeMutant:
    """One term of one node's derivative is changed; values are right.

    Attributes:
        direction: whether forward or reverse mode is wrong; the other stays right.
        node: the saved tensor whose derivative is wrong.
        argument: with respect to which argument.
        change: how that term changes.
    """

    direction: Literal["jvp", "vjp"]
    node: str
    argument: int = 0
    change: Change = "drop"

    @property
    def name(self) -> str:
        """Such as ``vjp of square, argument 1: drop``."""
        return f"{self.direction} of {self.node}, argument {self.argument}: {self.change}"

    @property
    def names(self) -> frozenset[str]:
        """The saved tensor."""
        return frozenset({self.node})

    def renamed(self, name: Callable[[str], str]) -> DerivativeMutant:
        """The same for a graph whose values are called otherwise."""
        return replace(self, node=name(self.node))

    def apply(self, graph: Graph) -> Interpreter:
        """An interpreter with the wrong derivative at that node."""
        node = graph.node(self.node)
        op = OPS[node.op]
        if self.argument >= op.arity:
            raise GraphError(
                f"node {node.name!r}", f"expected argument < {op.arity} but got {self.argument}"
            )
        if self.change == "transpose":
            _check_square(
                node,
                node.shape if self.direction == "jvp" else graph.shape_of(node.args[self.argument]),
            )
        partials = list(op.partials)
        right = partials[self.argument]
        change = _CHANGES[self.change]

        def wrong(
            rule: Callable[[Values, Array, Binding, Array], Array],
        ) -> Callable[[Values, Array, Binding, Array], Array]:
            return lambda args, out, binding, direction: change(
                rule(args, out, binding, direction), binding.xp
            )

        if self.direction == "jvp":
            partials[self.argument] = Partial(push=wrong(right.push), pull=right.pull)
        else:
            partials[self.argument] = Partial(push=right.push, pull=wrong(right.pull))
        mutated: Op = replace(op, partials=tuple(partials))
        return Interpreter(graph, {self.node: mutated})


def _check_square(node: Node, shape: Shape) -> None:
    if len(shape) < 2 or shape[-1] != shape[-2]:
        raise GraphError(f"node {node.name!r}", f"expected square matrices but got {shape}")


Number = Callable[[Graph], float]


@dataclass(frozen=True, slots=True)
class Edit:
    """A node of the graph becomes another one; attributes that are None do not change.

    Attributes:
        node: the name of the node; one that the graph does not have is inserted before ``before``.
        op: the operation, which takes ``constant``, ``axis`` or ``perm`` as it needs them.
        args: names of the arguments.
        constant: without a symbol, or a function of the graph.
        symbol: a constant that an instance chooses.
        index: of a gathering, a function of the graph.
        shape: of the result, a function of the graph.
        before: where to insert.
    """

    node: str
    op: str | None = None
    args: Sequence[str] | None = None
    constant: float | Number | None = None
    symbol: str | None = None
    axis: int | None = None
    perm: tuple[int, ...] | None = None
    index: Callable[[Graph], tuple[int, ...]] | None = None
    shape: Callable[[Graph], Shape] | None = None
    before: str | None = None


@dataclass(frozen=True, slots=True)
class GraphMutant:
    """The graph computes something else; each step is differentiated correctly.

    Attributes:
        kind: of mistake, if the edits do not imply it; see `numeric.mutants.kinds`.
    """

    name: str
    edits: tuple[Edit, ...]
    kind: str = ""

    @property
    def names(self) -> frozenset[str]:
        """All values and symbols that its edits mention."""
        found = {n for e in self.edits for n in (e.node, e.before, e.symbol) if n is not None}
        return frozenset(found | {a for e in self.edits for a in e.args or ()})

    def renamed(self, name: Callable[[str], str]) -> GraphMutant:
        """The same for a graph whose values and symbols are called otherwise."""
        return replace(
            self,
            edits=tuple(
                replace(
                    e,
                    node=name(e.node),
                    args=None if e.args is None else tuple(name(a) for a in e.args),
                    symbol=None if e.symbol is None else name(e.symbol),
                    before=None if e.before is None else name(e.before),
                )
                for e in self.edits
            ),
        )

    def apply(self, graph: Graph) -> Interpreter:
        """An interpreter of the changed graph."""
        return Interpreter(edit(graph, self.edits))


@dataclass(frozen=True, slots=True)
class OutputMutant:
    """The first output times a factor: an error that fits any graph."""

    factor: float

    @property
    def name(self) -> str:
        """Such as ``output times 1.01``."""
        return f"output times {self.factor!r}"

    @property
    def names(self) -> frozenset[str]:
        """None."""
        return frozenset()

    def renamed(self, name: Callable[[str], str]) -> OutputMutant:
        """The same."""
        return self

    def apply(self, graph: Graph) -> Interpreter:
        """An interpreter of the graph with one more node."""
        known = {*graph.input_shapes, *(n.name for n in graph.nodes)}
        name = "planted"
        while name in known:
            name += "'"
        out = graph.outputs[0]
        params = Params(Constant(self.factor, None), None, None, None)
        node = Node(name, "scale", (out,), params, graph.shape_of(out))
        wrong = build_graph(
            name=graph.name,
            declaration=graph.declaration,
            sizes=graph.sizes,
            inputs=graph.inputs,
            nodes=(*graph.nodes, node),
            outputs=[len(graph.inputs) + len(graph.nodes), *graph.outputs[1:]],
        )
        return Interpreter(wrong)


@dataclass(frozen=True, slots=True)
class ConstantMutant:
    """Graph and derivatives are right; the instances have a constant that a hypothesis excludes."""

    symbol: str
    value: float

    @property
    def name(self) -> str:
        """Such as ``instances with eps1 = 0``."""
        return f"instances with {self.symbol} = {self.value:g}"

    def apply(self, batch: Batch) -> Batch:
        """The instances with that constant; raises `GraphError` if they have no such constant."""
        if self.symbol not in batch.constants:
            raise GraphError(f"constant {self.symbol!r}", f"expected {sorted(batch.constants)}")
        constant = np.full(len(batch), self.value)
        return replace(batch, constants={**batch.constants, self.symbol: constant})


Error = Mutant | ConstantMutant
"""The errors that can be planted."""


def plant(error: Error, graph: Graph, batch: Batch) -> tuple[Interpreter, Batch]:
    """The graph and the instances, one of them wrong.

    Raises:
        GraphError: the graph has no place for the error.
    """
    if isinstance(error, ConstantMutant):
        return Interpreter(graph), error.apply(batch)
    return error.apply(graph), batch


@dataclass(slots=True)
class _Draft:
    """A node whose arguments are names."""

    op: str
    args: tuple[str, ...]
    params: Params
    shape: Shape


def edit(graph: Graph, edits: Sequence[Edit]) -> Graph:
    """The graph with these edits made; validated like any other graph.

    Raises:
        GraphError: a name is unknown, or the result is not a graph.
    """
    names = [i.name for i in graph.inputs] + [n.name for n in graph.nodes]
    drafts = {
        n.name: _Draft(n.op, tuple(names[a] for a in n.args), n.params, n.shape)
        for n in graph.nodes
    }
    for one in edits:
        drafts = _edited(graph, drafts, one)
    index = {name: i for i, name in enumerate([*(i.name for i in graph.inputs), *drafts])}
    missing = sorted({a for d in drafts.values() for a in d.args} - set(index))
    if missing:
        raise GraphError(f"graph {graph.name!r}", f"expected values named {missing}")
    return build_graph(
        name=graph.name,
        declaration=graph.declaration,
        sizes=graph.sizes,
        inputs=graph.inputs,
        nodes=[
            Node(name, d.op, tuple(index[a] for a in d.args), d.params, d.shape)
            for name, d in drafts.items()
        ],
        outputs=[index[names[o]] for o in graph.outputs],
    )


def _edited(graph: Graph, drafts: dict[str, _Draft], one: Edit) -> dict[str, _Draft]:
    if one.before is None:
        graph.node(one.node)
        old = drafts[one.node]
        drafts[one.node] = _changed(graph, old, one)
        return drafts
    graph.node(one.before)
    blank = _Draft(one.op or "", tuple(one.args or ()), Params(), drafts[one.before].shape)
    inserted: dict[str, _Draft] = {}
    for name, draft in drafts.items():
        if name == one.before:
            inserted[one.node] = _changed(graph, blank, one)
        inserted[name] = draft
    return inserted


def _changed(graph: Graph, old: _Draft, one: Edit) -> _Draft:
    op = old.op if one.op is None else one.op
    wanted = OPS[op].parameters if op in OPS else frozenset()
    c = old.params.c
    if one.constant is not None:
        value = one.constant if isinstance(one.constant, (int, float)) else one.constant(graph)
        c = Constant(float(value))
    if one.symbol is not None:
        c = Constant(graph.symbols[one.symbol], one.symbol)
    axis = old.params.axis if one.axis is None else one.axis
    perm = old.params.perm if one.perm is None else one.perm
    index = old.params.index if one.index is None else one.index(graph)
    return _Draft(
        op,
        old.args if one.args is None else tuple(one.args),
        Params(
            c if "c" in wanted else None,
            axis if "axis" in wanted else None,
            perm if "perm" in wanted else None,
            index if "index" in wanted else None,
        ),
        old.shape if one.shape is None else one.shape(graph),
    )
