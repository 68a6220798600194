"""c · x, with a constant of the graph."""

from __future__ import annotations

import numpy as np

from numeric.arithmetic.ball import Ball
from numeric.arithmetic.rounding import bilinear
from numeric.ops.entrywise import constant, diagonal
from numeric.ops.rule import Array, BallNode, Binding, FloatArray, Op, Radii, Values, same_shape

__all__ = ["SCALE"]


def _tangent(args: Values, out: Array, binding: Binding, k: int, t: Array) -> Array:
    return t * binding.c


def _radius(balls: Radii, out: FloatArray, binding: Binding) -> FloatArray:
    c = np.broadcast_to(np.asarray(binding.c, dtype=np.float64), out.shape)
    return bilinear(np.multiply, (c, np.zeros(out.shape)), balls[0], 1)


def _ball(node: BallNode, args: tuple[Ball, ...]) -> Ball:
    c, (x,) = node.c, args
    assert c is not None  # the parser ensures it
    stays = x.floor is not None and bool(c >= 0)
    return Ball(x.entries * c, c * x.floor if stays else None)


SCALE = Op(
    name="scale",
    shape=same_shape,
    evaluate=lambda a, b: b.c * a[0],
    partials=(diagonal(lambda a, y, b: b.c),),
    tangent=_tangent,
    radius=_radius,
    ball=_ball,
    wide=lambda a, b: constant(b, a[0].hi.shape) * a[0],
    wide_pulls=(lambda s: constant(s.binding, s.cotangent.hi.shape) * s.cotangent,),
    parameters=frozenset({"c"}),
)
