"""Values derived from others: numbers from literals, functions, suggested witnesses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cache

import numpy as np

from numeric.propositions.constants import TermError
from numeric.propositions.enclosures import (
    Enclosure,
    absolute,
    add,
    divide,
    multiply,
    negate,
    point,
    square_root,
    subtract,
)
from numeric.propositions.values import Function, Value

__all__ = ["curried", "literal", "suggested"]


@cache
def literal(value: Fraction) -> Enclosure:
    """A rational number, between the adjacent doubles if it is not a double."""
    nearest = float(value)
    if Fraction(nearest) == value:
        return point(nearest)
    lo, hi = np.nextafter(nearest, -np.inf), np.nextafter(nearest, np.inf)
    size = np.asarray(abs(nearest))
    return Enclosure(np.asarray(lo), np.asarray(hi), size)


def suggested(env: Sequence[Value]) -> list[Value]:
    """Numbers that the given ones suggest as witnesses: midpoints, differences, sums, products,
    quotients, halves and roots.

    Only the last few count, and the first entry of a vector.
    """
    numbers: list[Enclosure] = []
    for value in env:
        if isinstance(value, Function):
            try:
                value = value(0)
            except (TermError, IndexError):
                continue
        if isinstance(value, Enclosure):
            numbers.append(value)
    few = numbers[-3:]
    half = point(0.5)
    found: list[Value] = list(few)
    for i, a in enumerate(few):
        found += [
            multiply(half, a),
            add(a, a),
            negate(a),
            square_root(absolute(a), open_below=False),
        ]
        for b in few[i + 1 :]:
            found += [multiply(half, add(a, b)), subtract(a, b), subtract(b, a), add(a, b)]
            found += [multiply(a, b), divide(a, b), divide(b, a)]
    return found


def curried(
    count: int, values: Sequence[Value], meaning: Callable[[Sequence[Value]], Value]
) -> Function:
    """A function of the arguments that are missing, out of ``count``, after ``values``; one at a
    time."""

    def take(x: Value) -> Value:
        all_ = [*values, x]
        return meaning(all_) if len(all_) == count else curried(count, all_, meaning)

    return Function(take)
