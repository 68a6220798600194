"""1/x, and 0 at 0: the convention of Lean's fields."""

from __future__ import annotations

import numpy as np

from numeric.arithmetic.ball import Ball, each, known
from numeric.arithmetic.rounding import TINY, U
from numeric.arithmetic.wide import inverse
from numeric.ops.rule import (
    Array,
    BallNode,
    Binding,
    FloatArray,
    Op,
    Partial,
    Radii,
    Values,
    same_shape,
)

__all__ = ["INV"]


def _rule(args: Values, out: Array, binding: Binding, direction: Array) -> Array:
    """−direction/x², as two products: 1/x² would underflow for x beyond 1e154, which a sum of
    exponentials can reach."""
    product: Array = -out * (out * direction)
    return product


def _tangent(args: Values, out: Array, binding: Binding, k: int, t: Array) -> Array:
    return -(t * out) * out


def _radius(balls: Radii, out: FloatArray, binding: Binding) -> FloatArray:
    ((x, r),) = balls
    away = np.abs(x) - r
    # Not r / (|x|·away): the product overflows for x beyond 1e154.
    radius = np.where(away > 0, r / np.abs(x) / away + U * np.abs(out) + TINY, np.inf)
    # |x| − r is rounded: near 0 it may be off by a large factor.
    radius = np.where(r > 0.5 * np.abs(x), np.inf, radius)
    return np.where((x == 0) & (r == 0), 0.0, radius)


def _ball(node: BallNode, args: tuple[Ball, ...]) -> Ball:
    """Where a ball contains 0 and other numbers, nothing is known."""
    entries = each(lambda x: x if x.is_zero() else 1 / x, args[0].entries)
    return Ball(entries, node.arb(0) if known(*args) else None)


INV = Op(
    name="inv",
    shape=same_shape,
    evaluate=lambda a, b: b.xp.quotient(1.0, a[0]),
    partials=(Partial(push=_rule, pull=_rule),),
    tangent=_tangent,
    radius=_radius,
    ball=_ball,
    wide=lambda a, b: inverse(a[0]),
    # The side condition does not hold at 0.
    wide_pulls=(lambda s: -(s.out * (s.out * s.cotangent)),),
    bounded=True,
)
