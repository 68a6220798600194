"""Entry index[k] of all axes together, in row-major order, at place k; 0 where index[k] = −1.

Used for a mask, the halves of a rotary position, one entry of each row.
"""

from __future__ import annotations

from math import prod

from numeric.arithmetic.ball import Ball
from numeric.arithmetic.wide import Wide
from numeric.ops.linear import gathered, moving
from numeric.ops.place import balls_of_places
from numeric.ops.rule import (
    Array,
    BallNode,
    Binding,
    Params,
    Shape,
    ShapeMismatch,
    Values,
    WideStep,
)

__all__ = ["GATHER"]


def _shape(args: tuple[Shape, ...], params: Params, declared: Shape) -> Shape:
    index, entries = params.index, prod(args[0])
    assert index is not None  # the parser accepted it
    if wrong := [k for k in index if not -1 <= k < entries]:
        raise ShapeMismatch(f"expected indices from −1 to {entries - 1} but got {wrong[:6]}")
    if len(index) != prod(declared):
        raise ShapeMismatch(f"expected {prod(declared)} indices but got {len(index)}")
    return declared


def _forward(x: Array, b: Binding) -> Array:
    return b.xp.placed(x.reshape(x.shape[0], -1), 1, b.index).reshape(x.shape[0], *b.shape)


def _back(s: Array, b: Binding) -> Array:
    """Entries that are read several times add up."""
    flat, size = s.reshape(s.shape[0], -1), (s.shape[0], prod(b.operand))
    return b.xp.gathered(flat, 1, b.index, size).reshape(s.shape[0], *b.operand)


def _tangent(args: Values, out: Array, binding: Binding, k: int, t: Array) -> Array:
    flat = t.reshape(*t.shape[:2], -1)
    moved = binding.xp.placed(flat, 2, binding.index)
    return moved.reshape(*t.shape[:2], *binding.shape)


def _ball(node: BallNode, args: tuple[Ball, ...]) -> Ball:
    (x,) = args
    return balls_of_places(node, x.entries.reshape(-1), 0, x.floor)


def _wide_pull(step: WideStep) -> Wide:
    shape = step.args[0].hi.shape
    flat = step.cotangent.moved(lambda x: x.reshape(len(x), -1).T)
    return gathered(flat, step.binding.index, prod(shape[1:])).moved(lambda x: x.T.reshape(shape))


GATHER = moving(
    "gather",
    _shape,
    _forward,
    _back,
    tangent=_tangent,
    ball=_ball,
    wide_pull=_wide_pull,
    parameters=frozenset({"index"}),
    bounded=True,
)
