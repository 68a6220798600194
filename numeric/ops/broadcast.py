"""A new axis, along which the numbers repeat."""

from __future__ import annotations

import numpy as np

from numeric.arithmetic.ball import Ball
from numeric.ops.linear import added, along, axis_of, moving
from numeric.ops.rule import Array, BallNode, Binding, Params, Shape, ShapeMismatch, Values

__all__ = ["BROADCAST"]


def _shape(args: tuple[Shape, ...], params: Params, declared: Shape) -> Shape:
    axis = axis_of(params, len(args[0]) + 1)
    if len(declared) != len(args[0]) + 1 or declared[:axis] + declared[axis + 1 :] != args[0]:
        raise ShapeMismatch(
            f"expected a shape that is {args[0]} with axis {axis} inserted but got {declared}"
        )
    return declared


def _tangent(args: Values, out: Array, binding: Binding, k: int, t: Array) -> Array:
    return binding.xp.repeat(t, binding.axis + 1, (*t.shape[:2], *binding.shape))


def _ball(node: BallNode, args: tuple[Ball, ...]) -> Ball:
    axis = node.params.axis
    assert axis is not None  # the parser ensures it
    wide = np.broadcast_to(np.expand_dims(args[0].entries, axis), node.shape)
    return Ball(wide, args[0].floor)


BROADCAST = moving(
    "broadcast",
    _shape,
    # Materialized, not a view: it is read more often than made.
    lambda x, b: b.xp.full(along(x, b, b.shape)),
    added,
    tangent=_tangent,
    ball=_ball,
    wide_pull=lambda s: s.cotangent.summed(s.binding.axis),
    parameters=frozenset({"axis"}),
)
