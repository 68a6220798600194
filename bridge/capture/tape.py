"""A graph under construction: the project's vocabulary, one value after the other.

Values have no axes of length 1: a model's ``(1, 8, 16)`` is ``(8, 16)`` here.  Inputs may
be added at any time; `Tape.graph` puts them first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from numeric.graph import Graph, Input, Node, build_graph
from numeric.ops import Constant, Params, Shape

__all__ = ["Ref", "Tape", "tight"]

IntArray = npt.NDArray[np.intp]


def tight(shape: Sequence[int]) -> Shape:
    """The shape without axes of length 1."""
    return tuple(int(k) for k in shape if k != 1)


@dataclass(frozen=True, slots=True)
class Ref:
    """A value of the tape: an input or a node, by its position among the inputs or the nodes."""

    node: bool
    place: int
    shape: Shape


@dataclass(slots=True)
class Tape:
    """The graph written so far.

    Attributes:
        origins: the line of the model's code for each node, by its name.
        origin: the line for the next nodes.
    """

    inputs: list[Input] = field(default_factory=list)
    nodes: list[tuple[Node, tuple[Ref, ...]]] = field(default_factory=list)
    origins: dict[str, str] = field(default_factory=dict)
    origin: str = ""
    _uses: dict[str, int] = field(default_factory=dict)

    def _fresh(self, name: str) -> str:
        count = self._uses.get(name, 0)
        self._uses[name] = count + 1
        return name if count == 0 else self._fresh(f"{name}.{count}")

    def input(self, name: str, shape: Shape) -> Ref:
        """An input tensor; its name is reserved."""
        ref = Ref(False, len(self.inputs), shape)
        self.inputs.append(Input(self._fresh(name), shape))
        return ref

    def name(self, ref: Ref) -> str:
        """The name that the value got."""
        return self.nodes[ref.place][0].name if ref.node else self.inputs[ref.place].name

    def op(self, name: str, op: str, args: Sequence[Ref], shape: Shape, **params: Any) -> Ref:
        """One operation."""
        if "c" in params:
            params["c"] = Constant(float(params["c"]))
        own = self._fresh(name)
        self.origins[own] = self.origin
        self.nodes.append((Node(own, op, (), Params(**params), shape), tuple(args)))
        return Ref(True, len(self.nodes) - 1, shape)

    def graph(self, name: str, outputs: Sequence[Ref]) -> Graph:
        """The finished graph.

        Raises:
            GraphError: it is not well formed.
        """
        count = len(self.inputs)

        def index(ref: Ref) -> int:
            return count + ref.place if ref.node else ref.place

        nodes = [
            Node(n.name, n.op, tuple(index(a) for a in args), n.params, n.shape)
            for n, args in self.nodes
        ]
        return build_graph(
            name=name,
            declaration=name,
            sizes={},
            inputs=self.inputs,
            nodes=nodes,
            outputs=[index(r) for r in outputs],
        )

    # The operations that rules use.

    def map(self, name: str, op: str, x: Ref, **params: Any) -> Ref:
        """An operation entry by entry."""
        return self.op(name, op, (x,), x.shape, **params)

    def two(self, name: str, op: str, x: Ref, y: Ref) -> Ref:
        """An operation on two values of one shape."""
        return self.op(name, op, (x, y), x.shape)

    def reshape(self, name: str, x: Ref, shape: Sequence[int]) -> Ref:
        """The same entries in another shape."""
        shape = tuple(int(k) for k in shape)
        return x if x.shape == shape else self.op(name, "reshape", (x,), shape)

    def permute(self, name: str, x: Ref, perm: Sequence[int]) -> Ref:
        """Axis i of the result is axis perm[i]."""
        perm = tuple(perm)
        if perm == tuple(range(len(perm))):
            return x
        return self.op(name, "transpose", (x,), tuple(x.shape[p] for p in perm), perm=perm)

    def spread(self, name: str, x: Ref, axis: int, length: int) -> Ref:
        """A new axis along which the value repeats."""
        shape = (*x.shape[:axis], length, *x.shape[axis:])
        return self.op(name, "broadcast", (x,), shape, axis=axis)

    def reduce(self, name: str, op: str, x: Ref, axis: int) -> Ref:
        """``sum`` or ``mean`` over one axis."""
        return self.op(name, op, (x,), (*x.shape[:axis], *x.shape[axis + 1 :]), axis=axis)

    def matmul(self, name: str, x: Ref, y: Ref) -> Ref:
        """The matrix product."""
        return self.op(name, "matmul", (x, y), (*x.shape[:-1], y.shape[-1]))

    def place(self, name: str, x: Ref, axis: int, index: Sequence[int]) -> Ref:
        """Entry index[k] along an axis at place k, 0 for −1."""
        index = tuple(int(k) for k in index)
        if index == tuple(range(x.shape[axis])):
            return x
        shape = (*x.shape[:axis], len(index), *x.shape[axis + 1 :])
        return self.op(name, "place", (x,), shape, axis=axis, index=index)

    def moved(self, name: str, x: Ref, flat: IntArray, shape: Shape) -> Ref:
        """A value of the given shape whose entry k is entry flat[k] of ``x``, both in row-major
        order, and 0 where that is −1; along one axis if that suffices."""
        flat = flat.reshape(-1)
        if flat.size == np.prod(x.shape, dtype=int) and (flat == np.arange(flat.size)).all():
            return self.reshape(name, x, shape)
        for axis, wide in _same_but_one(x.shape, shape):
            index = _along(x.shape, wide, axis, flat)
            if index is not None:
                return self.reshape(name, self.place(name, x, axis, index.tolist()), shape)
        line = self.reshape(f"{name}.flat", x, (int(np.prod(x.shape, dtype=int)),))
        return self.reshape(name, self.place(name, line, 0, flat.tolist()), shape)


def _same_but_one(given: Shape, result: Shape) -> list[tuple[int, Shape]]:
    """Axes along which ``given`` may become ``result``, or what it is with an axis of length 1."""
    found = []
    for axis in range(len(given)):
        for wide in (result, (*result[:axis], 1, *result[axis:])):
            fits = len(wide) == len(given) and wide[axis + 1 :] == given[axis + 1 :]
            if fits and wide[:axis] == given[:axis]:
                found.append((axis, wide))
    return found


def _along(given: Shape, wide: Shape, axis: int, flat: IntArray) -> IntArray | None:
    """The index along the axis that gives ``flat``; None if there is none."""
    table = np.moveaxis(flat.reshape(wide), axis, 0).reshape(wide[axis], -1)
    stride = int(np.prod(given[axis + 1 :], dtype=int))
    first = table[:, 0]
    index = np.where(first < 0, -1, first // stride % given[axis])
    entries = np.moveaxis(np.arange(int(np.prod(given, dtype=int))).reshape(given), axis, 0)
    expected = entries.reshape(given[axis], -1)[np.maximum(index, 0)]
    expected = np.where(index[:, None] < 0, -1, expected)
    return np.asarray(index, dtype=np.intp) if np.array_equal(table, expected) else None
