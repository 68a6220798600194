"""Powers of enclosures."""

from __future__ import annotations

import numpy as np

from numeric.propositions.enclosures import (
    Enclosure,
    exponential,
    inverse,
    logarithm,
    multiply,
    point,
)

__all__ = ["power", "real_power"]


def power(a: Enclosure, exponent: int) -> Enclosure:
    """a to a whole power; negative powers are those of the inverse."""
    if exponent < 0:
        return inverse(power(a, -exponent))
    result: Enclosure | None = None
    square = a
    left = exponent
    while left:
        if left & 1:
            result = square if result is None else multiply(result, square)
        left >>= 1
        if left:
            square = multiply(square, square)
    if result is None:
        return point(np.ones(np.shape(a.lo)))
    if exponent % 2 == 0:
        result = Enclosure(np.maximum(result.lo, 0.0), result.hi, result.size)
    return result


def real_power(a: Enclosure, b: Enclosure) -> Enclosure:
    """a to a real power for 0 < a: exp (b · log a).  Also defined at 0, and at whole exponents."""
    exponent = np.asarray(b.lo)
    if b.lo is b.hi and exponent.size and np.all(exponent == exponent.flat[0]):
        n = float(exponent.flat[0])
        if n == round(n) and abs(n) <= 64:
            return power(a, int(n))
    found = exponential(multiply(b, logarithm(a, open_below=True)))
    zero = (a.lo == 0) & (a.hi == 0)
    known = zero & ((b.lo > 0) | (b.hi < 0))
    return Enclosure(
        np.where(known, 0.0, np.where(a.lo <= 0, -np.inf, found.lo)),
        np.where(known, 0.0, np.where(a.lo <= 0, np.inf, found.hi)),
        np.where(known, 0.0, found.size),
    )
