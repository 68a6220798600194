"""x − y."""

from __future__ import annotations

from numeric.arithmetic.ball import Ball
from numeric.arithmetic.rounding import sum_error
from numeric.ops.entrywise import KEEP
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

__all__ = ["SUB"]

_NEGATE = Partial(push=lambda a, y, b, t: -t, pull=lambda a, y, b, s: -s)


def _tangent(args: Values, out: Array, binding: Binding, k: int, t: Array) -> Array:
    return t if k == 0 else -t


def _radius(balls: Radii, out: FloatArray, binding: Binding) -> FloatArray:
    (a, ra), (b, rb) = balls
    return ra + rb + sum_error(a, -b, out)


def _ball(node: BallNode, args: tuple[Ball, ...]) -> Ball:
    return Ball(args[0].entries - args[1].entries, None)


SUB = Op(
    name="sub",
    shape=same_shape,
    evaluate=lambda a, b: a[0] - a[1],
    partials=(KEEP, _NEGATE),
    tangent=_tangent,
    radius=_radius,
    ball=_ball,
    wide=lambda a, b: a[0] + -a[1],
    wide_pulls=(lambda s: s.cotangent, lambda s: -s.cotangent),
)
