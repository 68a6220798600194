"""Value and backprop of a graph in Arb, with thousands of bits, which balls must contain.

Written independently of `numeric.ops` and `numeric.interpret`: one value rule and one pull rule for
each operation, over arrays of objects.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from numeric.arithmetic.wide import Wide
from numeric.graph import Graph, Node

flint: Any = pytest.importorskip(
    "flint", reason="python-flint is not installed: the extra `rigorous`"
)
Objects = npt.NDArray[Any]
BITS = 2500  # from the least subnormal to beyond 1: no sum of float64 is rounded


def _each(function: Any, *arrays: Objects) -> Objects:
    return np.asarray(np.frompyfunc(function, len(arrays), 1)(*arrays), dtype=object)


def _density(x: Any) -> Any:
    return (-x * x / 2).exp() / (2 * flint.arb.pi()).sqrt()


def _cdf(x: Any) -> Any:
    return (-x / flint.arb(2).sqrt()).erfc() / 2


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + (-x).exp())


def _sech2(x: Any) -> Any:
    return 1 / (x.cosh() * x.cosh())


_VALUE: Mapping[str, Any] = {
    "exp": lambda x: x.exp(),
    "tanh": lambda x: x.tanh(),
    "normalCdf": _cdf,
    "sigmoid": _sigmoid,
    "log": lambda x: x.log(),
    "relu": lambda x: x if x > 0 else x * 0,
    "inv": lambda x: x if x == 0 else 1 / x,
    "sqrt": lambda x: x.sqrt() if x > 0 else flint.arb(0),
}
_SLOPE: Mapping[str, Any] = {
    "exp": lambda x: x.exp(),
    "tanh": _sech2,
    "normalCdf": _density,
    "sigmoid": lambda x: _sigmoid(x) * _sigmoid(-x),
    "log": lambda x: 1 / x,
    "relu": lambda x: flint.arb(1 if x > 0 else 0),
    "inv": lambda x: x if x == 0 else -1 / (x * x),
    "sqrt": lambda x: 1 / (2 * x.sqrt()) if x > 0 else flint.arb(0),
}
_TWO: Mapping[str, Any] = {"add": np.add, "sub": np.subtract, "mul": np.multiply}


def _moves(node: Node, shape: tuple[int, ...]) -> list[int]:
    """For each entry of the result, which entry of the argument it is; −1 for none."""
    count = int(np.prod(shape, dtype=int))
    index = np.arange(count).reshape(shape)
    p = node.params
    if node.op == "transpose":
        found = np.transpose(index, p.perm)
    elif node.op == "broadcast":
        found = np.broadcast_to(np.expand_dims(index, p.axis or 0), node.shape)
    elif node.op == "place":
        picked = np.asarray(p.index)
        found = np.take(index, np.maximum(picked, 0), axis=p.axis)
        found = np.moveaxis(found, p.axis or 0, -1)
        found = np.where(picked < 0, -1, found)
        found = np.moveaxis(found, -1, p.axis or 0)
    elif node.op == "gather":
        found = np.asarray(p.index)
    else:
        found = index
    return [int(k) for k in found.reshape(-1)]


def _value(node: Node, args: list[Objects]) -> Objects:
    c = None if node.params.c is None else flint.arb(node.params.c.value)
    if node.op in _VALUE:
        return _each(_VALUE[node.op], args[0])
    if node.op in _TWO:
        return np.asarray(_TWO[node.op](*args), dtype=object)
    if node.op == "matmul":
        return np.asarray(np.matmul(*args), dtype=object)
    if node.op == "scale":
        return _each(lambda x: x * c, args[0])
    if node.op == "addConst":
        return _each(lambda x: x + c, args[0])
    if node.op in ("sum", "mean"):
        total = np.asarray(np.add.reduce(args[0], axis=node.params.axis), dtype=object)
        count = args[0].shape[node.params.axis or 0] if node.op == "mean" else 1
        return _each(lambda x: x / count, total)
    flat = args[0].reshape(-1)
    moved = [flat[k] if k >= 0 else flint.arb(0) for k in _moves(node, args[0].shape)]
    found = np.empty(len(moved), dtype=object)
    found[:] = moved
    return found.reshape(node.shape)


def _pull(node: Node, args: list[Objects], s: Objects) -> list[Objects]:
    if node.op in _SLOPE:
        return [_each(lambda x, t: _SLOPE[node.op](x) * t, args[0], s)]
    if node.op in ("add", "sub"):
        return [s, s if node.op == "add" else -s]
    if node.op == "mul":
        return [s * args[1], s * args[0]]
    if node.op == "matmul":
        left, right = (np.swapaxes(a, -1, -2) for a in args)
        return [np.matmul(s, right), np.matmul(left, s)]
    if node.op == "scale":
        assert node.params.c is not None
        c = flint.arb(node.params.c.value)
        return [_each(lambda t: t * c, s)]
    if node.op == "addConst":
        return [s]
    shape = args[0].shape
    if node.op in ("sum", "mean"):
        count = shape[node.params.axis or 0] if node.op == "mean" else 1
        wide = np.broadcast_to(np.expand_dims(s, node.params.axis or 0), shape)
        return [_each(lambda t: t / count, wide)]
    total = np.empty(int(np.prod(shape, dtype=int)), dtype=object)
    total[:] = [flint.arb(0) for _ in total]
    for entry, k in zip(s.reshape(-1), _moves(node, shape), strict=True):
        if k >= 0:
            total[k] = total[k] + entry
    return [total.reshape(shape)]


def exactly(
    graph: Graph, inputs: Mapping[str, npt.NDArray[np.float64]], cotangent: npt.NDArray[np.float64]
) -> tuple[list[Objects], dict[str, Objects]]:
    """All values, and the gradient of every input; inputs have no batch axis."""
    before, flint.ctx.prec = flint.ctx.prec, BITS
    try:
        exact = lambda x: _each(lambda v: flint.arb(float(v)), np.asarray(x, object))  # noqa: E731
        values = [exact(inputs[i.name]) for i in graph.inputs]
        for node in graph.nodes:
            values.append(_value(node, [values[a] for a in node.args]))
        flow: dict[int, Objects] = {graph.outputs[0]: exact(cotangent)}
        for position in reversed(range(len(graph.nodes))):
            s = flow.pop(len(graph.inputs) + position, None)
            if s is None:
                continue
            node = graph.nodes[position]
            pulled = _pull(node, [values[a] for a in node.args], s)
            for arg, t in zip(node.args, pulled, strict=True):
                flow[arg] = flow[arg] + t if arg in flow else t
        zero = {i: exact(np.zeros(g.shape)) for i, g in enumerate(graph.inputs)}
        return values, {g.name: flow.get(i, zero[i]) for i, g in enumerate(graph.inputs)}
    finally:
        flint.ctx.prec = before


def outside(exact: Objects, ball: Wide) -> int:
    """The number of entries that are not shown to be within the radius."""
    before, flint.ctx.prec = flint.ctx.prec, BITS
    try:
        parts = (np.ravel(x).tolist() for x in (ball.hi, ball.lo, ball.radius))
        count = 0
        for t, hi, lo, r in zip(exact.flat, *parts, strict=True):
            if r < float("inf"):
                gap = abs(t - flint.arb(hi) - flint.arb(lo))
                count += not bool(gap <= flint.arb(r))
        return count
    finally:
        flint.ctx.prec = before
