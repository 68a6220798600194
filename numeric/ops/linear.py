"""Shared code of operations that move, merge, drop or repeat axes.

All are linear, with nonnegative coefficients, so each pushes as it evaluates.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from numeric.arithmetic.ball import Ball
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
    Radius,
    Shape,
    ShapeMismatch,
    Tangent,
    Values,
    WidePull,
    WideStep,
)

__all__ = ["Along", "added", "along", "axis_of", "gathered", "moving", "reduced", "reducing"]

Along: TypeAlias = Callable[[Array, Binding], Array]
"""A linear map of arrays ``(B, *shape)``."""
ShapeRule: TypeAlias = Callable[[tuple[Shape, ...], Params, Shape], Shape]
BallRule: TypeAlias = Callable[[BallNode, tuple[Ball, ...]], Ball]


def reducing(
    name: str,
    forward: Along,
    transpose: Along,
    *,
    tangent: Tangent,
    radius: Radius,
    ball: BallRule,
    wide: Callable[[tuple[Wide, ...], Binding], Wide],
    wide_pull: WidePull,
) -> Op:
    """An operation that adds along an axis."""

    def terms(args: Values, out: Array, binding: Binding) -> Array:
        return forward(binding.xp.absolute(args[0]), binding)

    return Op(
        name=name,
        shape=reduced,
        evaluate=lambda a, b: forward(a[0], b),
        partials=(_partial(forward, transpose),),
        tangent=tangent,
        radius=radius,
        ball=ball,
        wide=wide,
        wide_pulls=(wide_pull,),
        terms=terms,
        parameters=frozenset({"axis"}),
        entrywise=False,
    )


def moving(
    name: str,
    shape: ShapeRule,
    forward: Along,
    transpose: Along,
    *,
    tangent: Tangent,
    ball: BallRule,
    wide_pull: WidePull | None = None,
    parameters: frozenset[str] = frozenset(),
    bounded: bool = False,
) -> Op:
    """An operation that only moves numbers, exactly: radii move with them.

    Args:
        wide_pull: if the transpose adds; without one it only moves numbers, too.
    """

    def radius(balls: Radii, out: FloatArray, binding: Binding) -> FloatArray:
        return np.asarray(forward(balls[0][1], binding), dtype=np.float64)

    def wide(args: tuple[Wide, ...], binding: Binding) -> Wide:
        return args[0].moved(lambda x: np.asarray(forward(x, binding), dtype=np.float64))

    def back(step: WideStep) -> Wide:
        return step.cotangent.moved(
            lambda x: np.asarray(transpose(x, step.binding), dtype=np.float64)
        )

    return Op(
        name=name,
        shape=shape,
        evaluate=lambda a, b: forward(a[0], b),
        partials=(_partial(forward, transpose),),
        tangent=tangent,
        radius=radius,
        ball=ball,
        wide=wide,
        wide_pulls=(wide_pull or back,),
        terms=None,
        parameters=parameters,
        bounded=bounded,
        entrywise=False,
    )


def _partial(forward: Along, transpose: Along) -> Partial:
    return Partial(push=lambda a, y, b, t: forward(t, b), pull=lambda a, y, b, s: transpose(s, b))


def axis_of(params: Params, rank: int) -> int:
    """The axis of a node; raises `ShapeMismatch` if there is no axis of that number."""
    axis = params.axis
    assert axis is not None  # the parser accepted it
    if not 0 <= axis < rank:
        raise ShapeMismatch(f"expected 0 ≤ axis < {rank} but got axis={axis}")
    return axis


def reduced(args: tuple[Shape, ...], params: Params, declared: Shape) -> Shape:
    """The shape without the axis."""
    axis = axis_of(params, len(args[0]))
    return args[0][:axis] + args[0][axis + 1 :]


def added(x: Array, b: Binding) -> Array:
    """The sum along the axis.

    Real and imaginary part separately, and in the same order: the complex step should round as the
    value does.
    """
    if b.xp.is_complex(x):
        real, imaginary = (b.xp.full(part) for part in (x.real, x.imag))
        both: Array = added(real, b) + 1j * added(imaginary, b)
        return both
    return b.xp.sum(x, b.axis)


def along(x: Array, b: Binding, shape: Shape) -> Array:
    """With the axis put back in, along which it repeats to ``shape``."""
    return b.xp.repeat(x, b.axis, (x.shape[0], *shape))


def gathered(s: Wide, index: npt.NDArray[np.intp], length: int) -> Wide:
    """Entry k of the first axis added to place index[k], nowhere for −1: one pass for each time
    that a place is read."""
    turn = np.zeros(len(index), dtype=np.intp)
    order = np.argsort(index, kind="stable")
    ordered = index[order]
    first = np.searchsorted(ordered, ordered, side="left")
    turn[order] = np.arange(len(index)) - first
    total: Wide | None = None
    for k in range(int(turn[index >= 0].max(initial=-1)) + 1):
        now = (index >= 0) & (turn == k)

        def placed(x: FloatArray, now: npt.NDArray[np.bool_] = now) -> FloatArray:
            found = np.zeros((length, *x.shape[1:]))
            found[index[now]] = x[now]
            return found

        part = s.moved(placed)
        total = part if total is None else total + part
    return Wide.exactly(np.zeros((length, *s.hi.shape[1:]))) if total is None else total
