"""x + c, with a constant of the graph."""

from __future__ import annotations

import numpy as np

from numeric.arithmetic.ball import Ball
from numeric.arithmetic.rounding import sum_error
from numeric.ops.entrywise import KEEP, constant, kept
from numeric.ops.rule import BallNode, Binding, FloatArray, Op, Radii, same_shape

__all__ = ["ADD_CONSTANT"]


def _radius(balls: Radii, out: FloatArray, binding: Binding) -> FloatArray:
    ((a, ra),) = balls
    return ra + sum_error(a, np.broadcast_to(binding.c, a.shape), out)


def _ball(node: BallNode, args: tuple[Ball, ...]) -> Ball:
    c, (x,) = node.c, args
    assert c is not None  # the parser ensures it
    return Ball(x.entries + c, None if x.floor is None else x.floor + c)


ADD_CONSTANT = Op(
    name="addConst",
    shape=same_shape,
    evaluate=lambda a, b: a[0] + b.c,
    partials=(KEEP,),
    tangent=kept,
    radius=_radius,
    ball=_ball,
    wide=lambda a, b: constant(b, a[0].hi.shape) + a[0],
    wide_pulls=(lambda s: s.cotangent,),
    parameters=frozenset({"c"}),
)
