"""The natural logarithm; NaN where x < 0."""

from __future__ import annotations

import numpy as np

from numeric.arithmetic.ball import Ball, each
from numeric.arithmetic.rounding import FUNCTION, UP
from numeric.arithmetic.wide import Wide, function, inverse
from numeric.ops.entrywise import diagonal, times
from numeric.ops.rule import Array, BallNode, Binding, FloatArray, Op, Radii, Values, same_shape

__all__ = ["LOG"]


def _value(args: Values, binding: Binding) -> Array:
    """Of an imaginary part only the first order is kept, which is all that the complex step
    (h = 1e-200) sees."""
    (x,) = args
    real = binding.xp.log(x.real)
    if not binding.xp.is_complex(x):
        return real
    value: Array = real + 1j * (x.imag / x.real)
    return value


def _tangent(args: Values, out: Array, binding: Binding, k: int, t: Array) -> Array:
    return t / args[0]


def _radius(balls: Radii, out: FloatArray, binding: Binding) -> FloatArray:
    """|log(x ± r) − log x| ≤ r/(x − r); nothing is known where x may be 0."""
    ((x, r),) = balls
    radius = np.where(r <= 0.5 * x, r / (x - r), np.inf) + FUNCTION * np.abs(out)
    return np.where(x > 0, radius, np.inf)


def _ball(node: BallNode, args: tuple[Ball, ...]) -> Ball:
    """NaN where a ball contains a number that is not positive."""
    return Ball(each(lambda x: x.log(), args[0].entries), None)


def _wide(args: tuple[Wide, ...], binding: Binding) -> Wide:
    """|log x′ − log x| ≤ r/(x − r); nothing is known where x may be 0."""
    (x,) = args
    known = (x.hi > 0) & (x.radius <= 0.5 * x.hi)
    moved = np.where(known, x.radius / np.where(known, x.least, 1.0), np.inf)
    safe = Wide(np.where(known, x.hi, 1.0), np.where(known, x.lo, 0.0), x.radius)
    return function(lambda a: a.log(), safe, moved * UP)


LOG = Op(
    name="log",
    shape=same_shape,
    evaluate=_value,
    partials=(diagonal(lambda a, y, b: 1.0 / a[0]),),
    tangent=_tangent,
    radius=_radius,
    ball=_ball,
    wide=_wide,
    wide_pulls=(times(lambda s: inverse(s.args[0])),),
)
