"""A graph run in ball arithmetic: every value with a radius that encloses it, for a whole box.

The inputs of one instance are balls around its numbers; the result of each operation is a ball that
contains the exact value for every choice of the inputs.  Arb (python-flint) bounds all rounding,
exp, tanh and erfc included.  The rule of each operation is with the operation (`numeric.ops`).

Slow: every number is a Python object.  A block at (seq_len, d_model, heads, d_ff) = (4, 8, 2, 16)
takes about 10 ms, and the time grows with the number of multiplications.
Source: F. Johansson, "Arb: efficient arbitrary-precision midpoint-radius interval arithmetic",
    2017.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from numeric.arithmetic.ball import Ball
from numeric.errors import EvaluationError
from numeric.graph import Graph, Node
from numeric.ops import OPS, BallNode

__all__ = ["PRECISION", "Ball", "enclose", "version"]

PRECISION = 128
"""Bits of the midpoints."""
FloatArray = npt.NDArray[np.float64]


def version() -> str | None:
    """The installed version of python-flint; None if there is none."""
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
        inputs: of one instance, without a batch axis, assumed exact.
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
            values.append(OPS[node.op].ball(self._node(node), args).clipped())
        return values[last]

    def _node(self, node: Node) -> BallNode:
        c = node.params.c
        bound = None
        if c is not None:
            bound = self.arb(c.value if c.symbol is None else self.constants.get(c.symbol, c.value))
        square = len(node.args) == 2 and node.args[0] == node.args[1]
        return BallNode(self.arb, node.params, node.shape, bound, square)
