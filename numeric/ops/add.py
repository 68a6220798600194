"""x + y."""

from __future__ import annotations

from numeric.arithmetic.ball import Ball
from numeric.arithmetic.rounding import sum_error
from numeric.ops.entrywise import KEEP, kept
from numeric.ops.rule import BallNode, Binding, FloatArray, Op, Radii, same_shape

__all__ = ["ADD"]


def _radius(balls: Radii, out: FloatArray, binding: Binding) -> FloatArray:
    (a, ra), (b, rb) = balls
    return ra + rb + sum_error(a, b, out)


def _ball(node: BallNode, args: tuple[Ball, ...]) -> Ball:
    a, b = args
    floors = None if a.floor is None or b.floor is None else a.floor + b.floor
    return Ball(a.entries + b.entries, floors)


ADD = Op(
    name="add",
    shape=same_shape,
    evaluate=lambda a, b: a[0] + a[1],
    partials=(KEEP, KEEP),
    tangent=kept,
    radius=_radius,
    ball=_ball,
    wide=lambda a, b: a[0] + a[1],
    wide_pulls=(lambda s: s.cotangent, lambda s: s.cotangent),
)
