"""tanh x."""

from __future__ import annotations

import numpy as np

from numeric.arithmetic.ball import Ball, each, known
from numeric.arithmetic.rounding import FUNCTION, TINY
from numeric.ops.entrywise import by_slope, diagonal, slope
from numeric.ops.rule import Array, BallNode, Binding, FloatArray, Op, Radii, Values, same_shape

__all__ = ["TANH"]


def _sech2(args: Values, out: Array, binding: Binding) -> Array:
    """1 − tanh²x from x itself: from tanh x it would lose every digit where tanh saturates."""
    e: Array = binding.xp.exp(-2.0 * binding.xp.absolute(args[0]))
    factor: Array = 4.0 * e / ((1.0 + e) * (1.0 + e))
    return factor


def _tangent(args: Values, out: Array, binding: Binding, k: int, t: Array) -> Array:
    """1 − tanh² as 1/cosh²: the difference loses every digit where tanh saturates."""
    xp = binding.xp
    c = 1.0 / xp.cosh(xp.minimum(xp.absolute(args[0]), 700.0))
    return t * (c * c)


def _radius(balls: Radii, out: FloatArray, binding: Binding) -> FloatArray:
    ((_, r),) = balls
    return np.minimum(r, 2.0) + FUNCTION * np.abs(out) + np.where(out == 0, 0.0, TINY)


def _ball(node: BallNode, args: tuple[Ball, ...]) -> Ball:
    floor = node.arb(0) if known(*args) else None
    return Ball(each(lambda x: x.tanh(), args[0].entries), floor)


TANH = Op(
    name="tanh",
    shape=same_shape,
    evaluate=lambda a, b: b.xp.tanh(a[0]),
    partials=(diagonal(_sech2),),
    tangent=_tangent,
    radius=_radius,
    ball=_ball,
    wide=by_slope(lambda x: x.tanh(), 1.0, 2.0),
    # |tanh″| ≤ 4/(3√3)
    wide_pulls=(slope(lambda a: 1 / (a.cosh() * a.cosh()), 0.78, 1.0),),
    bounded=True,
)
