"""The mean along an axis."""

from __future__ import annotations

import numpy as np

from numeric.arithmetic.ball import Ball, each
from numeric.arithmetic.rounding import TINY, U
from numeric.arithmetic.wide import Wide, inverse
from numeric.ops.linear import added, along, reducing
from numeric.ops.rule import Array, BallNode, Binding, FloatArray, Radii, Values, WideStep
from numeric.ops.sum import ball_of_sum, radius_of_sum, repeated, tangent_of_sum

__all__ = ["MEAN"]


def _tangent(args: Values, out: Array, binding: Binding, k: int, t: Array) -> Array:
    total = tangent_of_sum(args, out, binding, k, t)
    return total * (1.0 / binding.operand[binding.axis - 1])


def _radius(balls: Radii, out: FloatArray, binding: Binding) -> FloatArray:
    terms = balls[0][0].shape[binding.axis]
    if terms == 1:
        return radius_of_sum(balls, out, binding)
    total = radius_of_sum(balls, out, binding) / terms
    return np.where((out == 0) & (total == 0), 0.0, total + U * np.abs(out) + TINY)


def _ball(node: BallNode, args: tuple[Ball, ...]) -> Ball:
    total, axis = ball_of_sum(node, args), node.params.axis
    assert axis is not None  # the parser ensures it
    count = node.arb(args[0].entries.shape[axis])
    return Ball(each(lambda x: x / count, total.entries), args[0].floor)


def _share(total: Wide, terms: int) -> Wide:
    return total * inverse(Wide.exactly(np.full(total.hi.shape, float(terms))))


def _wide(args: tuple[Wide, ...], binding: Binding) -> Wide:
    return _share(args[0].summed(binding.axis), args[0].hi.shape[binding.axis])


def _wide_pull(step: WideStep) -> Wide:
    return repeated(_share(step.cotangent, step.args[0].hi.shape[step.binding.axis]), step)


MEAN = reducing(
    "mean",
    lambda x, b: added(x, b) / x.shape[b.axis],
    lambda s, b: along(s / b.operand[b.axis - 1], b, b.operand),
    tangent=_tangent,
    radius=_radius,
    ball=_ball,
    wide=_wide,
    wide_pull=_wide_pull,
)
