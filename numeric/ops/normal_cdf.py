"""Φ(x) = erfc(−x/√2)/2, the distribution function of the normal distribution."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from numeric.arithmetic.ball import Ball, each
from numeric.arithmetic.rounding import FUNCTION, TINY, U
from numeric.ops.entrywise import by_slope, diagonal, slope
from numeric.ops.rule import Array, BallNode, Binding, FloatArray, Op, Radii, Values, same_shape

__all__ = ["NORMAL_CDF"]


def _density(x: Array, binding: Binding) -> Array:
    """The density of the normal distribution, at the real part."""
    density: Array = binding.xp.exp(-0.5 * (x.real * x.real)) / math.sqrt(2.0 * math.pi)
    return density


def _value(args: Values, binding: Binding) -> Array:
    """Of an imaginary part only the first order is kept, which is all that the complex step
    (h = 1e-200) sees."""
    (x,) = args
    real: Array = 0.5 * binding.xp.erfc(x.real * -math.sqrt(0.5))
    if not binding.xp.is_complex(x):
        return real
    value: Array = real + 1j * (_density(x, binding) * x.imag)
    return value


def _terms(args: Values, out: Array, binding: Binding) -> Array:
    """The rounding of −x/√2 is scaled by the density."""
    size = binding.xp.absolute
    terms: Array = size(out) + size(args[0]) * _density(args[0], binding)
    return terms


def _tangent(args: Values, out: Array, binding: Binding, k: int, t: Array) -> Array:
    """The density, as the square of its square root: exp gets half the exponent."""
    half = binding.xp.exp(-0.25 * (args[0] * args[0]))
    return t * (half * half * math.sqrt(0.5 / math.pi))


def _radius(balls: Radii, out: FloatArray, binding: Binding) -> FloatArray:
    """The slope is at most 0.4; the argument −x/√2 is rounded twice, and |x| · density ≤ 0.25."""
    ((_, r),) = balls
    return np.minimum(0.4 * r, 1.0) + FUNCTION * np.abs(out) + U + TINY


def _of_arb(a: Any) -> Any:
    return (-a / type(a)(2).sqrt()).erfc() / 2


def _density_of_arb(a: Any) -> Any:
    return (-a * a / 2).exp() / (2 * type(a).pi()).sqrt()


def _ball(node: BallNode, args: tuple[Ball, ...]) -> Ball:
    return Ball(each(_of_arb, args[0].entries), node.arb(0))


NORMAL_CDF = Op(
    name="normalCdf",
    shape=same_shape,
    evaluate=_value,
    partials=(diagonal(lambda a, y, b: _density(a[0], b)),),
    tangent=_tangent,
    radius=_radius,
    ball=_ball,
    wide=by_slope(_of_arb, 0.4, 1.0),
    # |Φ″| ≤ 1/√(2πe)
    wide_pulls=(slope(_density_of_arb, 0.25, 0.4),),
    terms=_terms,
    bounded=True,
)
