"""Axes permuted, as numpy does: axis i of the result is axis perm[i]."""

from __future__ import annotations

import numpy as np

from numeric.arithmetic.ball import Ball
from numeric.ops.linear import moving
from numeric.ops.rule import Array, BallNode, Binding, Params, Shape, ShapeMismatch, Values

__all__ = ["TRANSPOSE"]


def _shape(args: tuple[Shape, ...], params: Params, declared: Shape) -> Shape:
    assert params.perm is not None  # the parser accepted it
    if sorted(params.perm) != list(range(len(args[0]))):
        raise ShapeMismatch(
            f"expected a permutation of {len(args[0])} axes but got perm={list(params.perm)}"
        )
    return tuple(args[0][axis] for axis in params.perm)


def _back(s: Array, b: Binding) -> Array:
    back = sorted(range(len(b.perm)), key=b.perm.__getitem__)
    return b.xp.permute(s, tuple(back))


def _tangent(args: Values, out: Array, binding: Binding, k: int, t: Array) -> Array:
    return binding.xp.permute(t, (0, 1, *(axis + 1 for axis in binding.perm[1:])))


def _ball(node: BallNode, args: tuple[Ball, ...]) -> Ball:
    return Ball(np.transpose(args[0].entries, node.params.perm), args[0].floor)


TRANSPOSE = moving(
    "transpose",
    _shape,
    lambda x, b: b.xp.permute(x, b.perm),
    _back,
    tangent=_tangent,
    ball=_ball,
    parameters=frozenset({"perm"}),
)
