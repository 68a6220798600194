"""x · y, entry by entry."""

from __future__ import annotations

import numpy as np

from numeric.arithmetic.ball import Ball, known
from numeric.arithmetic.rounding import bilinear
from numeric.ops.entrywise import diagonal, times
from numeric.ops.rule import Array, BallNode, Binding, FloatArray, Op, Radii, Values, same_shape

__all__ = ["MUL"]


def _tangent(args: Values, out: Array, binding: Binding, k: int, t: Array) -> Array:
    return t * args[1 - k]


def _radius(balls: Radii, out: FloatArray, binding: Binding) -> FloatArray:
    return bilinear(np.multiply, balls[0], balls[1], 1)


def _ball(node: BallNode, args: tuple[Ball, ...]) -> Ball:
    floor = node.arb(0) if node.square or known(*args) else None
    return Ball(args[0].entries * args[1].entries, floor)


MUL = Op(
    name="mul",
    shape=same_shape,
    evaluate=lambda a, b: a[0] * a[1],
    partials=(diagonal(lambda a, y, b: a[1]), diagonal(lambda a, y, b: a[0])),
    tangent=_tangent,
    radius=_radius,
    ball=_ball,
    wide=lambda a, b: a[0] * a[1],
    wide_pulls=(times(lambda s: s.args[1]), times(lambda s: s.args[0])),
)
