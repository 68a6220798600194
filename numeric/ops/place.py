"""Entry index[k] of an axis at place k of the result, and 0 where index[k] = −1.

It selects, slices, pads, repeats and looks up rows; a concatenation is a sum of such.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from numeric.arithmetic.ball import Ball, Objects, each
from numeric.arithmetic.wide import Wide
from numeric.ops.arrays import placed
from numeric.ops.linear import axis_of, gathered, moving
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

__all__ = ["PLACE", "balls_of_places"]


def _shape(args: tuple[Shape, ...], params: Params, declared: Shape) -> Shape:
    axis, index = axis_of(params, len(args[0])), params.index
    assert index is not None  # the parser accepted it
    length = args[0][axis]
    if wrong := [k for k in index if not -1 <= k < length]:
        raise ShapeMismatch(f"expected indices from −1 to {length - 1} but got {wrong[:6]}")
    if not index:
        raise ShapeMismatch("expected at least one index but got none")
    return (*args[0][:axis], len(index), *args[0][axis + 1 :])


def _tangent(args: Values, out: Array, binding: Binding, k: int, t: Array) -> Array:
    return binding.xp.placed(t, binding.axis + 1, binding.index)


def balls_of_places(node: BallNode, entries: Objects, axis: int, floor: Any | None) -> Ball:
    """Balls along an axis at the places given by the node's index, with their lower bound."""
    index = node.params.index
    assert index is not None  # the parser has seen to it
    found = placed(entries, axis, np.asarray(index, dtype=np.intp))
    found = each(node.arb, found.reshape(node.shape))  # the zeros too
    if floor is not None and -1 in index and not bool(floor <= 0):
        floor = node.arb(0)
    return Ball(found, floor)


def _ball(node: BallNode, args: tuple[Ball, ...]) -> Ball:
    (x,), axis = args, node.params.axis
    assert axis is not None  # the parser has seen to it
    return balls_of_places(node, x.entries, axis, x.floor)


def _wide_pull(step: WideStep) -> Wide:
    axis, b = step.binding.axis, step.binding
    first = step.cotangent.moved(lambda x: np.moveaxis(x, axis, 0))
    length = step.args[0].hi.shape[axis]
    return gathered(first, b.index, length).moved(lambda x: np.moveaxis(x, 0, axis))


PLACE = moving(
    "place",
    _shape,
    lambda x, b: b.xp.placed(x, b.axis, b.index),
    lambda s, b: b.xp.gathered(s, b.axis, b.index, (s.shape[0], *b.operand)),
    tangent=_tangent,
    ball=_ball,
    wide_pull=_wide_pull,
    parameters=frozenset({"axis", "index"}),
    bounded=True,
)
