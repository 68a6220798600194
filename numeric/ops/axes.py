"""Operations that move, merge, drop or repeat axes.  All are linear, so each pushes as it
evaluates."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

from numeric.ops.rule import Array, Binding, Op, Params, Partial, Shape, ShapeMismatch, Values

__all__ = ["AXES"]


def _linear(
    name: str,
    shape: Callable[[tuple[Shape, ...], Params, Shape], Shape],
    forward: Callable[[Array, Binding], Array],
    transpose: Callable[[Array, Binding], Array],
    parameters: frozenset[str] = frozenset(),
    *,
    exact: bool = False,
    bounded: bool = False,
) -> Op:
    """A linear map with non-negative coefficients, and its transpose; exact where it only moves
    numbers."""

    def terms(args: Values, out: Array, binding: Binding) -> Array:
        return forward(binding.xp.absolute(args[0]), binding)

    partial = Partial(
        push=lambda a, y, b, t: forward(t, b),
        pull=lambda a, y, b, s: transpose(s, b),
    )
    return Op(
        name,
        shape,
        lambda a, b: forward(a[0], b),
        (partial,),
        None if exact else terms,
        parameters,
        bounded,
    )


def _axis(params: Params, rank: int) -> int:
    axis = params.axis
    assert axis is not None  # the parser has taken it
    if not 0 <= axis < rank:
        raise ShapeMismatch(f"expected 0 ≤ axis < {rank} but got axis={axis}")
    return axis


def _reduced(args: tuple[Shape, ...], params: Params, declared: Shape) -> Shape:
    axis = _axis(params, len(args[0]))
    return args[0][:axis] + args[0][axis + 1 :]


def _broadcast(args: tuple[Shape, ...], params: Params, declared: Shape) -> Shape:
    axis = _axis(params, len(args[0]) + 1)
    if len(declared) != len(args[0]) + 1 or declared[:axis] + declared[axis + 1 :] != args[0]:
        raise ShapeMismatch(
            f"expected a shape that is {args[0]} with axis {axis} inserted but got {declared}"
        )
    return declared


def _permuted(args: tuple[Shape, ...], params: Params, declared: Shape) -> Shape:
    assert params.perm is not None
    if sorted(params.perm) != list(range(len(args[0]))):
        raise ShapeMismatch(
            f"expected a permutation of {len(args[0])} axes but got perm={list(params.perm)}"
        )
    return tuple(args[0][axis] for axis in params.perm)


def _reshaped(args: tuple[Shape, ...], params: Params, declared: Shape) -> Shape:
    if prod(declared) != prod(args[0]):
        raise ShapeMismatch(
            f"expected as many entries as {args[0]} has, {prod(args[0])}, "
            f"but {declared} has {prod(declared)}"
        )
    return declared


def _sum(x: Array, b: Binding) -> Array:
    """Real and imaginary part by themselves, and in the same order: the complex step should round
    as the value does."""
    if b.xp.is_complex(x):
        real, imaginary = (b.xp.full(part) for part in (x.real, x.imag))
        both: Array = _sum(real, b) + 1j * _sum(imaginary, b)
        return both
    return b.xp.sum(x, b.axis)


def _repeat(x: Array, b: Binding, shape: Shape) -> Array:
    return b.xp.repeat(x, b.axis, (x.shape[0], *shape))


def _batched_reshape(x: Array, shape: Shape) -> Array:
    return x.reshape(x.shape[0], *shape)


def _unpermute(s: Array, b: Binding) -> Array:
    back = sorted(range(len(b.perm)), key=b.perm.__getitem__)
    return b.xp.permute(s, tuple(back))


def _placed(args: tuple[Shape, ...], params: Params, declared: Shape) -> Shape:
    axis, index = _axis(params, len(args[0])), params.index
    assert index is not None  # the parser has taken it
    length = args[0][axis]
    if wrong := [k for k in index if not -1 <= k < length]:
        raise ShapeMismatch(f"expected indices from −1 to {length - 1} but got {wrong[:6]}")
    if not index:
        raise ShapeMismatch("expected at least one index but got none")
    return (*args[0][:axis], len(index), *args[0][axis + 1 :])


def _read(args: tuple[Shape, ...], params: Params, declared: Shape) -> Shape:
    index, entries = params.index, prod(args[0])
    assert index is not None  # the parser has taken it
    if wrong := [k for k in index if not -1 <= k < entries]:
        raise ShapeMismatch(f"expected indices from −1 to {entries - 1} but got {wrong[:6]}")
    if len(index) != prod(declared):
        raise ShapeMismatch(f"expected {prod(declared)} indices but got {len(index)}")
    return declared


def _pushed_back(s: Array, b: Binding) -> Array:
    """The transpose of a gathering: what is read several times adds up."""
    flat, size = s.reshape(s.shape[0], -1), (s.shape[0], prod(b.operand))
    return b.xp.gathered(flat, 1, b.index, size).reshape(s.shape[0], *b.operand)


AXES = (
    _linear("sum", _reduced, _sum, lambda s, b: _repeat(s, b, b.operand), frozenset({"axis"})),
    _linear(
        "mean",
        _reduced,
        lambda x, b: _sum(x, b) / x.shape[b.axis],
        lambda s, b: _repeat(s / b.operand[b.axis - 1], b, b.operand),
        frozenset({"axis"}),
    ),
    _linear(
        "broadcast",
        _broadcast,
        # In full, not as a view: it is read more often than made.
        lambda x, b: b.xp.full(_repeat(x, b, b.shape)),
        _sum,
        frozenset({"axis"}),
        exact=True,
    ),
    _linear(
        "transpose",
        _permuted,
        lambda x, b: b.xp.permute(x, b.perm),
        _unpermute,
        frozenset({"perm"}),
        exact=True,
    ),
    _linear(
        "reshape",
        _reshaped,
        lambda x, b: _batched_reshape(x, b.shape),
        lambda s, b: _batched_reshape(s, b.operand),
        exact=True,
    ),
    _linear(
        "place",
        _placed,
        lambda x, b: b.xp.placed(x, b.axis, b.index),
        lambda s, b: b.xp.gathered(s, b.axis, b.index, (s.shape[0], *b.operand)),
        frozenset({"axis", "index"}),
        exact=True,
        bounded=True,
    ),
    _linear(
        "gather",
        _read,
        lambda x, b: b.xp.placed(x.reshape(x.shape[0], -1), 1, b.index).reshape(
            x.shape[0], *b.shape
        ),
        _pushed_back,
        frozenset({"index"}),
        exact=True,
        bounded=True,
    ),
)
"""``sum mean broadcast transpose reshape place gather``.

``transpose`` is numpy's: axis i of the result is axis perm[i].  ``place`` takes entry index[k] of
its axis to place k of the result, and puts 0 where index[k] = −1: it selects, slices, pads, repeats
and looks up rows; a concatenation is a sum of such.  ``gather`` does so with all axes together, in
row-major order: a mask, the halves of a rotary position, one entry of each row.
"""
