"""The same numbers in another shape, in row-major order."""

from __future__ import annotations

from math import prod

from numeric.arithmetic.ball import Ball
from numeric.ops.linear import moving
from numeric.ops.rule import Array, BallNode, Binding, Params, Shape, ShapeMismatch, Values

__all__ = ["RESHAPE"]


def _shape(args: tuple[Shape, ...], params: Params, declared: Shape) -> Shape:
    if prod(declared) != prod(args[0]):
        raise ShapeMismatch(
            f"expected as many entries as {args[0]} has, {prod(args[0])}, "
            f"but {declared} has {prod(declared)}"
        )
    return declared


def _batched(x: Array, shape: Shape) -> Array:
    return x.reshape(x.shape[0], *shape)


def _tangent(args: Values, out: Array, binding: Binding, k: int, t: Array) -> Array:
    return t.reshape(*t.shape[:2], *binding.shape)


def _ball(node: BallNode, args: tuple[Ball, ...]) -> Ball:
    return Ball(args[0].entries.reshape(node.shape), args[0].floor)


RESHAPE = moving(
    "reshape",
    _shape,
    lambda x, b: _batched(x, b.shape),
    lambda s, b: _batched(s, b.operand),
    tangent=_tangent,
    ball=_ball,
)
