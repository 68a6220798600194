"""max(x, 0)."""

from __future__ import annotations

from typing import Any

import numpy as np

from numeric.arithmetic.ball import Ball, each
from numeric.arithmetic.rounding import UP
from numeric.arithmetic.wide import Wide
from numeric.ops.entrywise import diagonal, times
from numeric.ops.rule import Array, BallNode, Binding, FloatArray, Op, Radii, Values, same_shape

__all__ = ["RELU"]


def _value(args: Values, binding: Binding) -> Array:
    """By the real part."""
    x = args[0]
    return binding.xp.where(x.real > 0, x, 0)


def _is_positive(args: Values, out: Array, binding: Binding) -> Array:
    """1 where x > 0, else 0; at 0 there is no derivative."""
    positive: Array = 1.0 * (out.real > 0)
    return positive


def _tangent(args: Values, out: Array, binding: Binding, k: int, t: Array) -> Array:
    return t * (out > 0)


def _radius(balls: Radii, out: FloatArray, binding: Binding) -> FloatArray:
    """max(x, 0) moves no further than x, and is 0 where x is known not to be positive."""
    ((x, r),) = balls
    return np.where(x + r * UP < 0, 0.0, r)


def _ball(node: BallNode, args: tuple[Ball, ...]) -> Ball:
    zero = node.arb(0)

    def positive(x: Any) -> Any:
        if x >= 0 or not x.is_finite():
            return x
        return zero if x <= 0 else zero.union(x.upper())

    return Ball(each(positive, args[0].entries), zero)


def _wide(args: tuple[Wide, ...], binding: Binding) -> Wide:
    """max(x, 0) moves no further than x, and is 0 where x is known not to be positive."""
    (x,) = args
    below = x.hi + x.radius * UP < 0
    positive = x.hi > 0
    return Wide(
        np.where(positive, x.hi, 0.0),
        np.where(positive, x.lo, 0.0),
        np.where(below, 0.0, x.radius),
    )


def _wide_step(x: Wide) -> Wide:
    """1 where x is above 0, 0 where it is below, and both where the sign is unknown."""
    value = np.where(x.hi > 0, 1.0, 0.0)
    known = np.abs(x.hi) * (1.0 - 2.0**-50) > x.radius * UP
    return Wide(value, np.zeros(value.shape), np.where(known, 0.0, 1.0))


RELU = Op(
    name="relu",
    shape=same_shape,
    evaluate=_value,
    partials=(diagonal(_is_positive),),
    tangent=_tangent,
    radius=_radius,
    ball=_ball,
    wide=_wide,
    wide_pulls=(times(lambda s: _wide_step(s.args[0])),),
    terms=None,
    bounded=True,
)
