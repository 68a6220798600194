"""σ(x) = 1/(1 + exp(−x))."""

from __future__ import annotations

from typing import Any

import numpy as np

from numeric.arithmetic.ball import Ball, each
from numeric.arithmetic.rounding import FUNCTION, TINY, U
from numeric.ops.entrywise import by_slope, diagonal, slope
from numeric.ops.rule import Array, BallNode, Binding, FloatArray, Op, Radii, Values, same_shape

__all__ = ["SIGMOID"]


def _value(args: Values, binding: Binding) -> Array:
    """exp gets only nonpositive arguments, so that nothing overflows."""
    x = args[0]
    right = x.real >= 0
    e = binding.xp.exp(binding.xp.where(right, -x, x))
    value: Array = binding.xp.where(right, 1.0, e) / (1.0 + e)
    return value


def _slope(args: Values, out: Array, binding: Binding) -> Array:
    """σ·(1 − σ) from x itself: from σ it would lose every digit where σ saturates."""
    e = binding.xp.exp(-binding.xp.absolute(args[0]))
    slope: Array = e / ((1.0 + e) * (1.0 + e))
    return slope


def _tangent(args: Values, out: Array, binding: Binding, k: int, t: Array) -> Array:
    """σ(x)·σ(−x): the difference 1 − σ loses every digit where σ saturates."""
    xp = binding.xp
    c = 1.0 / xp.cosh(xp.minimum(0.5 * xp.absolute(args[0]), 350.0))
    return t * (0.25 * c * c)


def _radius(balls: Radii, out: FloatArray, binding: Binding) -> FloatArray:
    """The slope is at most 1/4; after exp come a sum and a quotient."""
    ((_, r),) = balls
    return np.minimum(0.25 * r, 1.0) + (FUNCTION + 4 * U) * np.abs(out) + TINY


def _ball(node: BallNode, args: tuple[Ball, ...]) -> Ball:
    """The values at both ends, since it is increasing."""

    def between(x: Any) -> Any:
        if not x.is_finite():
            return x
        low, high = (_of_arb(end) for end in (x.lower(), x.upper()))
        return low.union(high)

    return Ball(each(between, args[0].entries), node.arb(0))


def _of_arb(a: Any) -> Any:
    return 1 / (1 + (-a).exp())


SIGMOID = Op(
    name="sigmoid",
    shape=same_shape,
    evaluate=_value,
    partials=(diagonal(_slope),),
    tangent=_tangent,
    radius=_radius,
    ball=_ball,
    wide=by_slope(_of_arb, 0.25, 1.0),
    # |σ″| ≤ 1/(6√3)
    wide_pulls=(slope(lambda a: _of_arb(a) * _of_arb(-a), 0.1, 0.25),),
    bounded=True,
)
