"""eˣ."""

from __future__ import annotations

import numpy as np

from numeric.arithmetic.ball import Ball, each
from numeric.arithmetic.rounding import FUNCTION, TINY, UP
from numeric.arithmetic.wide import Wide, function
from numeric.ops.entrywise import diagonal, times
from numeric.ops.rule import Array, BallNode, Binding, FloatArray, Op, Radii, Values, same_shape

__all__ = ["EXP"]


def _tangent(args: Values, out: Array, binding: Binding, k: int, t: Array) -> Array:
    return t * out


def _radius(balls: Radii, out: FloatArray, binding: Binding) -> FloatArray:
    ((_, r),) = balls
    return (out + TINY) * (np.expm1(r) + 2 * FUNCTION * np.exp(r)) + TINY


def _ball(node: BallNode, args: tuple[Ball, ...]) -> Ball:
    return Ball(each(lambda x: x.exp(), args[0].entries), node.arb(0))


def _wide(args: tuple[Wide, ...], binding: Binding) -> Wide:
    """e^r − 1 ≤ r·(1 + r) for r ≤ 1."""
    (x,) = args
    y = function(lambda a: a.exp(), x, np.zeros(x.hi.shape))
    r = np.where(x.radius <= 1.0, x.radius, np.inf)
    return Wide.of(y.hi, y.lo, y.radius + (y.absolute + y.radius) * (r * (1.0 + r) * UP))


EXP = Op(
    name="exp",
    shape=same_shape,
    evaluate=lambda a, b: b.xp.exp(a[0]),
    partials=(diagonal(lambda a, y, b: y),),
    tangent=_tangent,
    radius=_radius,
    ball=_ball,
    wide=_wide,
    wide_pulls=(times(lambda s: s.out),),
    bounded=True,
)
