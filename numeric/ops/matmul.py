"""The matrix product over the last two axes; leading axes are batched."""

from __future__ import annotations

import numpy as np

from numeric.arithmetic.ball import Ball, known
from numeric.arithmetic.rounding import bilinear
from numeric.arithmetic.wide import Wide
from numeric.ops.rule import (
    Array,
    BallNode,
    Binding,
    FloatArray,
    Op,
    Params,
    Partial,
    Radii,
    Shape,
    ShapeMismatch,
    Values,
)

__all__ = ["MATMUL"]


def _shape(args: tuple[Shape, ...], params: Params, declared: Shape) -> Shape:
    left, right = args
    if len(left) < 2 or len(right) < 2:
        raise ShapeMismatch(f"expected matrices but got shapes {left} and {right}")
    if left[:-2] != right[:-2]:
        raise ShapeMismatch(f"expected equal leading axes but got shapes {left} and {right}")
    if left[-1] != right[-2]:
        raise ShapeMismatch(
            f"expected the last axis of {left} to equal the last but one of {right} "
            f"but got {left[-1]} and {right[-2]}"
        )
    return (*left[:-1], right[-1])


def _terms(args: Values, out: Array, binding: Binding) -> Array:
    product: Array = binding.xp.absolute(args[0]) @ binding.xp.absolute(args[1])
    return product


def _tangent(args: Values, out: Array, binding: Binding, k: int, t: Array) -> Array:
    return binding.xp.times(t, args[1]) if k == 0 else args[0] @ t


def _radius(balls: Radii, out: FloatArray, binding: Binding) -> FloatArray:
    return bilinear(np.matmul, balls[0], balls[1], balls[0][0].shape[-1])


def _ball(node: BallNode, args: tuple[Ball, ...]) -> Ball:
    entries = np.matmul(args[0].entries, args[1].entries)
    return Ball(entries, node.arb(0) if known(*args) else None)


def _turned(x: Wide) -> Wide:
    """The last two axes swapped."""
    return x.moved(lambda a: np.swapaxes(a, -1, -2))


MATMUL = Op(
    name="matmul",
    shape=_shape,
    evaluate=lambda a, b: a[0] @ a[1],
    partials=(
        Partial(push=lambda a, y, b, t: t @ a[1], pull=lambda a, y, b, s: s @ b.xp.swapped(a[1])),
        Partial(push=lambda a, y, b, t: a[0] @ t, pull=lambda a, y, b, s: b.xp.swapped(a[0]) @ s),
    ),
    tangent=_tangent,
    radius=_radius,
    ball=_ball,
    wide=lambda a, b: a[0] @ a[1],
    wide_pulls=(
        lambda s: s.cotangent @ _turned(s.args[1]),
        lambda s: _turned(s.args[0]) @ s.cotangent,
    ),
    terms=_terms,
    entrywise=False,
)
