"""√max(x, 0)."""

from __future__ import annotations

from typing import Any

import numpy as np

from numeric.arithmetic.ball import Ball, each
from numeric.arithmetic.rounding import U
from numeric.arithmetic.wide import inverse, root
from numeric.ops.entrywise import diagonal, times
from numeric.ops.rule import Array, BallNode, Binding, FloatArray, Op, Radii, Values, same_shape

__all__ = ["SQRT"]


def _value(args: Values, binding: Binding) -> Array:
    """The clamp tests the real part, so that the complex step passes through it."""
    x = args[0]
    return binding.xp.sqrt(binding.xp.where(x.real > 0, x, 0))


def _half_inverse(args: Values, out: Array, binding: Binding) -> Array:
    """1 / (2·sqrt x) where x > 0.  At 0 there is no derivative, below it is 0; both are given as
    0."""
    return binding.xp.quotient(0.5, out)


def _tangent(args: Values, out: Array, binding: Binding, k: int, t: Array) -> Array:
    """Half the inverse root, and 0 where the root is 0 (the clamp, and the convention at 0)."""
    return t * binding.xp.quotient(0.5, out)


def _radius(balls: Radii, out: FloatArray, binding: Binding) -> FloatArray:
    ((x, r),) = balls
    high = np.sqrt(np.maximum((x + r) + 2 * U * (np.abs(x) + r), 0.0))
    low = np.sqrt(np.maximum((x - r) - 2 * U * (np.abs(x) + r), 0.0))
    radius = np.maximum(high - out, out - low) + 4 * U * high
    zero = (x == 0) & (r == 0)
    return np.where(zero | (x + r < -2 * U * (np.abs(x) + r)), 0.0, radius)


def _ball(node: BallNode, args: tuple[Ball, ...]) -> Ball:
    zero = node.arb(0)

    def of_one(x: Any) -> Any:
        if x > 0:
            return x.sqrt()
        if x <= 0:
            return zero
        return zero.union(x.upper().sqrt()) if x.is_finite() else x

    (x,) = args
    floor = x.floor.sqrt() if x.floor is not None and bool(x.floor > 0) else zero
    return Ball(each(of_one, x.entries), floor)


SQRT = Op(
    name="sqrt",
    shape=same_shape,
    evaluate=_value,
    partials=(diagonal(_half_inverse),),
    tangent=_tangent,
    radius=_radius,
    ball=_ball,
    wide=lambda a, b: root(a[0]),
    wide_pulls=(times(lambda s: inverse(s.out + s.out)),),
    bounded=True,
)
