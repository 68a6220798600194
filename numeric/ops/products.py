"""The matrix product."""

from __future__ import annotations

from numeric.ops.rule import Array, Binding, Op, Params, Partial, Shape, ShapeMismatch, Values

__all__ = ["PRODUCTS"]


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


PRODUCTS = (
    Op(
        "matmul",
        _shape,
        lambda a, b: a[0] @ a[1],
        (
            Partial(
                push=lambda a, y, b, t: t @ a[1], pull=lambda a, y, b, s: s @ b.xp.swapped(a[1])
            ),
            Partial(
                push=lambda a, y, b, t: a[0] @ t, pull=lambda a, y, b, s: b.xp.swapped(a[0]) @ s
            ),
        ),
        terms=_terms,
    ),
)
"""``matmul`` over the last two axes; leading axes are batched."""
