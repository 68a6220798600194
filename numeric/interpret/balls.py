"""A graph run in ball arithmetic: every value with a radius that encloses it, for a whole box.

The inputs of one instance are balls around its numbers; the result of each operation is a ball that
holds the exact value for every choice of the inputs.  Arb (python-flint) bounds all rounding, exp,
tanh and erfc included.  A floor is kept next to the balls: squares, exponentials and roots, and
sums and means of them, are not negative, however wide the box; a ball by itself does not know that
x·x is a square.

Slow: every number is a Python object.  A block at (seq_len, d_model, heads, d_ff) = (4, 8, 2, 16)
takes some 10 ms, and the time grows with the number of multiplications.
Source: F. Johansson, "Arb: efficient arbitrary-precision midpoint-radius interval arithmetic",
    2017.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from numeric.errors import EvaluationError
from numeric.graph import Graph, Node
from numeric.ops import OPS
from numeric.ops.arrays import placed

__all__ = ["PRECISION", "Ball", "enclose", "version"]

PRECISION = 128
"""Bits of the midpoints."""
FloatArray = npt.NDArray[np.float64]
Objects = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Ball:
    """One value of the graph: its entries as Arb's balls, and a number that none is below."""

    entries: Objects
    floor: Any | None

    def least(self) -> float:
        """A float that no entry is below, anywhere in the box; −∞ where nothing is known."""
        return min((self._least(e) for e in self.entries.flat), default=float("inf"))

    def _least(self, entry: Any) -> float:
        low = entry.lower() if entry.is_finite() else None
        if self.floor is not None and (low is None or not low >= self.floor):
            low = self.floor.lower()
        if low is None:
            return float("-inf")
        near = float(low)
        return near if bool(low >= near) else float(np.nextafter(near, -np.inf))

    @property
    def positive(self) -> bool:
        """Whether every entry is above 0 in the whole box."""
        if self.floor is not None and bool(self.floor > 0):
            return True
        return all(bool(e > 0) for e in self.entries.flat)


def version() -> str | None:
    """The installed version of python-flint; None where there is none."""
    if importlib.util.find_spec("flint") is None:
        return None
    return importlib.metadata.version("python-flint")


def enclose(
    graph: Graph,
    inputs: Mapping[str, FloatArray],
    constants: Mapping[str, float],
    radius: float,
    upto: str,
) -> Ball:
    """The value ``upto`` for every input within ``radius`` of the one given, entry by entry.

    Args:
        inputs: of one instance, without a batch axis, taken as exact numbers.
        constants: values of symbols, exact; the others keep the graph's own.
        radius: how far each entry of each input may move; 0 for the instance alone.

    Raises:
        EvaluationError: python-flint is not installed, or the radius is not a number ≥ 0.
    """
    if version() is None:
        raise EvaluationError("expected python-flint to be installed but there is none")
    if not 0.0 <= radius < float("inf"):
        raise EvaluationError(f"expected a radius ≥ 0 but got {radius!r}")
    flint = importlib.import_module("flint")
    before, flint.ctx.prec = flint.ctx.prec, PRECISION
    try:
        return _Run(flint.arb, graph, constants).value(inputs, radius, upto)
    finally:
        flint.ctx.prec = before


class _Run:
    def __init__(self, arb: Any, graph: Graph, constants: Mapping[str, float]) -> None:
        self.arb = arb
        self.graph = graph
        self.constants = constants

    def value(self, inputs: Mapping[str, FloatArray], radius: float, upto: str) -> Ball:
        """All values up to that one."""
        ball = np.vectorize(lambda x: self.arb(float(x), radius), otypes=[object])
        values = [Ball(ball(inputs[i.name]), None) for i in self.graph.inputs]
        last, count = self.graph.index(upto), len(self.graph.inputs)
        for node in self.graph.nodes[: max(last + 1 - count, 0)]:
            args = tuple(values[a] for a in node.args)
            found = _RULES[node.op](self, node, args)
            values.append(self.clipped(found))
        return values[last]

    def clipped(self, ball: Ball) -> Ball:
        """The same, with what lies below the floor cut away."""
        floor = ball.floor
        if floor is None:
            return ball

        def cut(x: Any) -> Any:
            if not x.is_finite() or bool(x.lower() >= floor):
                return x
            return floor.union(x.upper())

        return Ball(_each(cut, ball.entries), floor)

    def constant(self, node: Node) -> Any:
        c = node.params.c
        assert c is not None  # the parser has seen to it
        return self.arb(c.value if c.symbol is None else self.constants.get(c.symbol, c.value))


Rule = Callable[[_Run, Node, tuple[Ball, ...]], Ball]


def _each(function: Callable[[Any], Any], x: Objects) -> Objects:
    out = np.empty(x.shape, dtype=object)
    for place in np.ndindex(x.shape):
        out[place] = function(x[place])
    return out


def _known(*balls: Ball) -> bool:
    """Whether all are known not to be negative."""
    return all(b.floor is not None and bool(b.floor >= 0) for b in balls)


def _add(run: _Run, node: Node, args: tuple[Ball, ...]) -> Ball:
    a, b = args
    floors = None if a.floor is None or b.floor is None else a.floor + b.floor
    return Ball(a.entries + b.entries, floors)


def _sub(run: _Run, node: Node, args: tuple[Ball, ...]) -> Ball:
    return Ball(args[0].entries - args[1].entries, None)


def _mul(run: _Run, node: Node, args: tuple[Ball, ...]) -> Ball:
    square = node.args[0] == node.args[1]
    return Ball(args[0].entries * args[1].entries, run.arb(0) if square or _known(*args) else None)


def _matmul(run: _Run, node: Node, args: tuple[Ball, ...]) -> Ball:
    return Ball(np.matmul(args[0].entries, args[1].entries), run.arb(0) if _known(*args) else None)


def _scale(run: _Run, node: Node, args: tuple[Ball, ...]) -> Ball:
    c, (x,) = run.constant(node), args
    kept = x.floor is not None and bool(c >= 0)
    return Ball(x.entries * c, c * x.floor if kept else None)


def _add_constant(run: _Run, node: Node, args: tuple[Ball, ...]) -> Ball:
    c, (x,) = run.constant(node), args
    return Ball(x.entries + c, None if x.floor is None else x.floor + c)


def _exp(run: _Run, node: Node, args: tuple[Ball, ...]) -> Ball:
    return Ball(_each(lambda x: x.exp(), args[0].entries), run.arb(0))


def _tanh(run: _Run, node: Node, args: tuple[Ball, ...]) -> Ball:
    return Ball(_each(lambda x: x.tanh(), args[0].entries), run.arb(0) if _known(*args) else None)


def _normal_cdf(run: _Run, node: Node, args: tuple[Ball, ...]) -> Ball:
    """Φ(x) = erfc(−x/√2)/2."""
    root = run.arb(2).sqrt()
    return Ball(_each(lambda x: (-x / root).erfc() / 2, args[0].entries), run.arb(0))


def _sigmoid(run: _Run, node: Node, args: tuple[Ball, ...]) -> Ball:
    """1/(1 + exp(−x)) at both ends: it grows with x."""

    def between(x: Any) -> Any:
        if not x.is_finite():
            return x
        low, high = (1 / (1 + (-end).exp()) for end in (x.lower(), x.upper()))
        return low.union(high)

    return Ball(_each(between, args[0].entries), run.arb(0))


def _log(run: _Run, node: Node, args: tuple[Ball, ...]) -> Ball:
    """No number where a ball holds one that is not positive."""
    return Ball(_each(lambda x: x.log(), args[0].entries), None)


def _relu(run: _Run, node: Node, args: tuple[Ball, ...]) -> Ball:
    """max(x, 0)."""
    zero = run.arb(0)

    def positive(x: Any) -> Any:
        if x >= 0 or not x.is_finite():
            return x
        return zero if x <= 0 else zero.union(x.upper())

    return Ball(_each(positive, args[0].entries), zero)


def _inv(run: _Run, node: Node, args: tuple[Ball, ...]) -> Ball:
    """1/x, and 0 at 0: where a ball holds 0 next to other numbers, nothing is known."""
    entries = _each(lambda x: x if x.is_zero() else 1 / x, args[0].entries)
    return Ball(entries, run.arb(0) if _known(*args) else None)


def _sqrt(run: _Run, node: Node, args: tuple[Ball, ...]) -> Ball:
    """√max(x, 0)."""
    zero = run.arb(0)

    def root(x: Any) -> Any:
        if x > 0:
            return x.sqrt()
        if x <= 0:
            return zero
        return zero.union(x.upper().sqrt()) if x.is_finite() else x

    (x,) = args
    floor = x.floor.sqrt() if x.floor is not None and bool(x.floor > 0) else zero
    return Ball(_each(root, x.entries), floor)


def _sum(run: _Run, node: Node, args: tuple[Ball, ...]) -> Ball:
    (x,) = args
    axis = node.params.axis
    assert axis is not None
    entries = np.asarray(np.add.reduce(x.entries, axis=axis), dtype=object)
    return Ball(entries, None if x.floor is None else x.floor * x.entries.shape[axis])


def _mean(run: _Run, node: Node, args: tuple[Ball, ...]) -> Ball:
    total, axis = _sum(run, node, args), node.params.axis
    assert axis is not None
    count = run.arb(args[0].entries.shape[axis])
    return Ball(_each(lambda x: x / count, total.entries), args[0].floor)


def _broadcast(run: _Run, node: Node, args: tuple[Ball, ...]) -> Ball:
    assert node.params.axis is not None
    wide = np.broadcast_to(np.expand_dims(args[0].entries, node.params.axis), node.shape)
    return Ball(wide, args[0].floor)


def _transpose(run: _Run, node: Node, args: tuple[Ball, ...]) -> Ball:
    return Ball(np.transpose(args[0].entries, node.params.perm), args[0].floor)


def _reshape(run: _Run, node: Node, args: tuple[Ball, ...]) -> Ball:
    return Ball(args[0].entries.reshape(node.shape), args[0].floor)


def _place(run: _Run, node: Node, args: tuple[Ball, ...]) -> Ball:
    (x,), axis, index = args, node.params.axis, node.params.index
    assert axis is not None
    assert index is not None
    entries = placed(x.entries, axis, np.asarray(index, dtype=np.intp))
    entries = _each(run.arb, entries)  # the zeros too
    floor = x.floor
    if floor is not None and -1 in index and not bool(floor <= 0):
        floor = run.arb(0)
    return Ball(entries, floor)


def _gather(run: _Run, node: Node, args: tuple[Ball, ...]) -> Ball:
    (x,), index = args, node.params.index
    assert index is not None
    entries = placed(x.entries.reshape(-1), 0, np.asarray(index, dtype=np.intp))
    entries = _each(run.arb, entries.reshape(node.shape))
    floor = x.floor
    if floor is not None and -1 in index and not bool(floor <= 0):
        floor = run.arb(0)
    return Ball(entries, floor)


_RULES: Mapping[str, Rule] = {
    "add": _add,
    "sub": _sub,
    "mul": _mul,
    "matmul": _matmul,
    "scale": _scale,
    "addConst": _add_constant,
    "exp": _exp,
    "tanh": _tanh,
    "normalCdf": _normal_cdf,
    "sigmoid": _sigmoid,
    "log": _log,
    "relu": _relu,
    "inv": _inv,
    "sqrt": _sqrt,
    "sum": _sum,
    "mean": _mean,
    "broadcast": _broadcast,
    "transpose": _transpose,
    "reshape": _reshape,
    "place": _place,
    "gather": _gather,
}

if set(_RULES) != set(OPS):
    raise AssertionError(f"operations without a rule for balls: {sorted(set(OPS) ^ set(_RULES))}")
