"""The sum along an axis."""

from __future__ import annotations

import numpy as np

from numeric.arithmetic.ball import Ball
from numeric.arithmetic.rounding import gamma, grown
from numeric.arithmetic.wide import Wide
from numeric.ops.linear import added, along, reducing
from numeric.ops.rule import Array, BallNode, Binding, FloatArray, Radii, Values, WideStep

__all__ = ["SUM", "ball_of_sum", "radius_of_sum", "repeated", "tangent_of_sum"]


def tangent_of_sum(args: Values, out: Array, binding: Binding, k: int, t: Array) -> Array:
    """The sum of tangents along the axis."""
    return binding.xp.sum(t, binding.axis + 1)


def radius_of_sum(balls: Radii, out: FloatArray, binding: Binding) -> FloatArray:
    """In any order of summation."""
    ((x, r),) = balls
    terms = x.shape[binding.axis]
    absolute = np.abs(x).sum(axis=binding.axis)
    radius = np.asarray(r.sum(axis=binding.axis) + gamma(terms - 1) * absolute)
    return grown(radius, terms)


def ball_of_sum(node: BallNode, args: tuple[Ball, ...]) -> Ball:
    """The sum of balls along the axis."""
    (x,) = args
    axis = node.params.axis
    assert axis is not None  # the parser ensures it
    entries = np.asarray(np.add.reduce(x.entries, axis=axis), dtype=object)
    return Ball(entries, None if x.floor is None else x.floor * x.entries.shape[axis])


def repeated(cotangent: Wide, step: WideStep) -> Wide:
    """The cotangent of a sum along an axis, for each of its terms."""
    shape, axis = step.args[0].hi.shape, step.binding.axis
    return cotangent.moved(lambda x: np.broadcast_to(np.expand_dims(x, axis), shape))


SUM = reducing(
    "sum",
    added,
    lambda s, b: along(s, b, b.operand),
    tangent=tangent_of_sum,
    radius=radius_of_sum,
    ball=ball_of_sum,
    wide=lambda a, b: a[0].summed(b.axis),
    wide_pull=lambda s: repeated(s.cotangent, s),
)
