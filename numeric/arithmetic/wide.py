"""Balls of 106 bits: each number is the sum of two float64, with a radius around it.

In float64 alone the bound on a layer's rounding grows by the sum of each row of weights, from one
matrix to the next and all the way back, until it exceeds the error of a float32 model.  So numbers
are unevaluated sums hi + lo.  The rounding error of an operation is computed where possible, by
error-free transformations, and bounded elsewhere; errors of the arguments move the result by at
most its slope.  A matrix product is split into products of short integers, which BLAS computes
exactly in any order.  Functions are Arb's (python-flint) at 160 bits, rounding included.

Unbounded errors have radius ∞: splitting a number beyond 2^996, dividing by a value that may be 0.
Source: T. J. Dekker, "A floating-point technique for extending the available precision", 1971;
    K. Ozaki, T. Ogita, S. Oishi, S. M. Rump, "Error-free transformations of matrix multiplication",
    2012.  Assumed of the platform: as in `numeric.arithmetic.rounding`, except about its functions.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from numeric.arithmetic.rounding import TINY, UP, U, grown
from numeric.errors import EvaluationError

__all__ = ["SLICES", "Wide", "function", "inverse", "root"]

FloatArray = npt.NDArray[np.float64]

SLICES = 5
"""The number of short integers that an entry of a factor is split into in a matrix product."""
PRECISION = 160
"""Arb's precision in bits."""
_SPLIT = 2.0**27 + 1.0


def _two_sum(a: FloatArray, b: FloatArray) -> tuple[FloatArray, FloatArray]:
    """fl(a + b) and its exact error."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def _halves(a: FloatArray) -> tuple[FloatArray, FloatArray]:
    wide = _SPLIT * a
    high = wide - (wide - a)
    return high, a - high


def _two_product(a: FloatArray, b: FloatArray) -> tuple[FloatArray, FloatArray]:
    """fl(a · b) and its error, exact except for underflow."""
    product = a * b
    (ah, al), (bh, bl) = _halves(a), _halves(b)
    return product, ((ah * bh - product) + ah * bl + al * bh) + al * bl


@dataclass(frozen=True, slots=True)
class Wide:
    """Balls: the exact number is within ``radius`` of hi + lo; ∞ where nothing is known."""

    hi: FloatArray
    lo: FloatArray
    radius: FloatArray

    @staticmethod
    def exactly(x: FloatArray) -> Wide:
        """Exact numbers, with radius 0."""
        x = np.asarray(x, dtype=np.float64)
        return Wide(x, np.zeros(x.shape), np.zeros(x.shape))

    @staticmethod
    def of(hi: FloatArray, lo: FloatArray, radius: FloatArray) -> Wide:
        """Balls from a bound that was computed with rounding; non-finite values are unknown."""
        hi, lo = _two_sum(hi, lo)
        known = np.isfinite(hi) & np.isfinite(lo) & ~np.isnan(radius)
        if known.all():
            return Wide(hi, lo, radius * UP)
        return Wide(
            np.where(known, hi, 0.0), np.where(known, lo, 0.0), np.where(known, radius * UP, np.inf)
        )

    @property
    def absolute(self) -> FloatArray:
        """|hi + lo|, or a little more."""
        return np.abs(self.hi) * (1.0 + 4.0 * U)

    @property
    def least(self) -> FloatArray:
        """A lower bound of the exact absolute value; 0 or less where it may be 0."""
        low = np.abs(self.hi) * (1.0 - 4.0 * U) - self.radius * UP
        return low * np.where(low > 0, 1.0 - 4.0 * U, 1.0 + 4.0 * U)

    @property
    def zero(self) -> npt.NDArray[np.bool_]:
        """Where the number is known to be 0."""
        return np.asarray((self.hi == 0) & (self.radius == 0), dtype=np.bool_)

    @property
    def middle(self) -> Wide:
        """Without the radius."""
        return Wide(self.hi, self.lo, np.zeros(self.hi.shape))

    def moved(self, move: Callable[[FloatArray], FloatArray]) -> Wide:
        """A function that only moves or repeats entries, or multiplies by a power of 2."""
        return Wide(move(self.hi), move(self.lo), move(self.radius))

    def __neg__(self) -> Wide:
        return Wide(-self.hi, -self.lo, self.radius)

    def __add__(self, other: Wide) -> Wide:
        high, error = _two_sum(self.hi, other.hi)
        low, lost = _two_sum(self.lo, other.lo)
        rest, more = _two_sum(error, low)
        radius = self.radius + other.radius + (np.abs(lost) + np.abs(more))
        return Wide.of(high, rest, radius)

    def __mul__(self, other: Wide) -> Wide:
        product, error = _two_product(self.hi, other.hi)
        first, second = self.hi * other.lo, self.lo * other.hi
        cross = first + second
        rest, lost = _two_sum(error, cross)
        off = U * (np.abs(first) + np.abs(second) + np.abs(cross)) + np.abs(lost)
        off = off + 2.0 * np.abs(self.lo * other.lo) + TINY
        radius = self.absolute * other.radius + self.radius * (other.absolute + other.radius) + off
        found = Wide.of(product, rest, radius + TINY)
        zero = self.zero | other.zero  # 0 times anything, known or not
        if not zero.any():
            return found
        return Wide(*(np.where(zero, 0.0, x) for x in (found.hi, found.lo, found.radius)))

    def __matmul__(self, other: Wide) -> Wide:
        inner = self.hi.shape[-1]
        high, rest, off = _product(self, other)
        radius = off
        if other.radius.any():
            radius = radius + self.absolute @ other.radius
        if self.radius.any():
            radius = radius + self.radius @ (other.absolute + other.radius)
        if self.radius.any() or other.radius.any():
            radius = radius + 4.0 * TINY * inner
        return Wide.of(high, rest, grown(radius, inner))

    def summed(self, axis: int) -> Wide:
        """The sum along an axis, by halves."""
        x = self.moved(lambda a: np.moveaxis(a, axis, 0))
        while (count := len(x.hi)) > 1:
            half = count // 2
            folded = x.moved(lambda a: a[:half]) + x.moved(lambda a: a[half : 2 * half])  # noqa: B023
            if count % 2:
                rest = x.moved(lambda a: a[-1:])
                folded = Wide(
                    *(
                        np.concatenate(pair)
                        for pair in (
                            (folded.hi, rest.hi),
                            (folded.lo, rest.lo),
                            (folded.radius, rest.radius),
                        )
                    )
                )
            x = folded
        return x.moved(lambda a: a[0])

    def distance(self, other: FloatArray) -> tuple[float, float]:
        """The distance of a tensor from the exact one: no entry by more than the first number, some
        entry by at least the second; (∞, 0) where that is not known."""
        high, error = _two_sum(np.asarray(other, dtype=np.float64), -self.hi)
        low = error - self.lo
        gap, rest = _two_sum(high, low)
        off = np.abs(rest) + 2.0 * U * np.abs(low) + self.radius
        most = float(((np.abs(gap) + off) * UP).max(initial=0.0))
        if not most < np.inf:
            return np.inf, 0.0
        least = np.abs(gap) * (1.0 - 4.0 * U) - off * UP
        return most, max(float(least.max(initial=0.0)) * (1.0 - 4.0 * U), 0.0)


def _product(a: Wide, b: Wide) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(hi + lo)·(hi + lo) as two numbers, and their error bound.

    Rows of a and columns of b are scaled to at most 1, and split into integers short enough that a
    sum of their products is below 2^53.  The products of the leading slices are added up in 106
    bits, the others, which are smaller by 2^−2·bits, in 53.
    """
    inner = a.hi.shape[-1]
    bits = (53 - int(np.ceil(np.log2(max(inner, 2)))) - 1) // 2
    left, rest_a, up_a = _slices(a, -1, bits)
    right, rest_b, up_b = _slices(b, -2, bits)
    shape = np.broadcast_shapes((*a.hi.shape[:-1], 1), (*b.hi.shape[:-2], 1, b.hi.shape[-1]))
    high, low, tail = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    sizes, off = np.zeros(shape), np.zeros(shape)
    pairs = [(i, j) for i in range(SLICES) for j in range(SLICES) if i + j < SLICES]
    for i, j in sorted(pairs, key=sum):
        if left[i] is None or right[j] is None:
            continue
        part = left[i] @ right[j]
        if i + j < 2:
            high, error = _two_sum(high, part)
            low, lost = _two_sum(low, error)
            off += np.abs(lost)
        else:
            tail += part
            sizes += np.abs(part)
    low, lost = _two_sum(low, tail)
    off += np.abs(lost) + 2.0 * len(pairs) * U * sizes
    # Omitted pairs, and the remainder of each factor after slicing; all entries are ≤ 1.
    dropped = SLICES * SLICES * 2.0 ** (-SLICES * bits) if _cut(left) and _cut(right) else 0.0
    off += inner * (dropped + 2.0 * rest_a + 2.0 * rest_b)
    exponents = up_a + up_b
    back = [np.ldexp(x, exponents) for x in (high, low, off)]
    # Not if nothing underflows: an exact product of zeros stays exact.
    zero = (high == 0) & (off == 0)
    return back[0], back[1], np.where(zero, 0.0, back[2] * UP + 4.0 * TINY)


def _cut(slices: list[Any]) -> bool:
    """Whether there is more than the first slice, so that a pair may have been omitted."""
    return any(s is not None for s in slices[1:])


def _slices(x: Wide, axis: int, bits: int) -> tuple[list[Any], FloatArray, npt.NDArray[np.intc]]:
    """The slices, ``None`` for one that is 0; a bound on the remainder; the scale's exponents."""
    size = np.abs(x.hi).max(axis=axis, keepdims=True)
    _, exponent = np.frexp(size)
    exponent = exponent + 1  # hi + lo is at most twice 2^exponent otherwise
    high, low = np.ldexp(x.hi, -exponent), np.ldexp(x.lo, -exponent)
    # Scaling down may lose digits below the least subnormal: 2^−1074 of a row of size ≤ 1.
    loss = 4.0 * TINY if bool((size > 1.0).any()) else 0.0
    found: list[Any] = []
    for k in range(SLICES):
        # Multiples of 2^−(k+1)·bits: adding 1.5·2^52 of them rounds to one.
        anchor = 1.5 * 2.0 ** (52 - (k + 1) * bits)
        part = (high + anchor) - anchor
        found.append(part if part.any() else None)
        high, low = _two_sum(high - part, low)
    rest = (np.abs(high) + np.abs(low)).max(axis=axis, keepdims=True)
    return found, rest * UP + loss, exponent


def inverse(x: Wide) -> Wide:
    """1/x, and 0 at an exact 0; unknown where the ball is near 0."""
    size = np.abs(x.hi)
    known = (x.radius <= 0.25 * size) & (size > 0)
    safe = Wide(np.where(known, x.hi, 1.0), np.where(known, x.lo, 0.0), np.zeros(size.shape))
    one = Wide.exactly(np.ones(size.shape))
    first = Wide.exactly(1.0 / safe.hi)
    second = first + first * (one + -(safe * first)).middle
    second = second.middle
    left = one + -(safe * second)  # |1/x − y| = |1 − x·y|/|x|
    away = safe.least
    off = (left.absolute + left.radius) / away
    r = np.where(known, x.radius, 0.0)
    off = off + r / away / np.where(known, 0.5 * size, 1.0) + TINY
    found = Wide.of(second.hi, second.lo, np.where(known, off, np.inf))
    zero = x.zero
    return Wide(*(np.where(zero, 0.0, a) for a in (found.hi, found.lo, found.radius)))


def root(x: Wide) -> Wide:
    """√max(x, 0)."""
    known = (x.radius <= 0.25 * x.hi) & (x.hi > 0)
    safe = Wide(np.where(known, x.hi, 1.0), np.where(known, x.lo, 0.0), np.zeros(x.hi.shape))
    first = Wide.exactly(np.sqrt(safe.hi))
    left = safe + -(first * first)
    second = (first + Wide.exactly(0.5 * left.hi / first.hi)).middle
    left = safe + -(second * second)  # |√x − y| ≤ |x − y²|/y
    below = second.least
    off = (left.absolute + left.radius + np.where(known, x.radius, 0.0) * 1.25) / below + TINY
    # Otherwise all that is known is that x is at most |x| + r.
    most = np.sqrt(np.maximum(x.absolute + x.radius, 0.0)) * (2.0 + 2.0**-20)
    negative = x.hi + x.radius * UP < 0
    hi = np.where(known, second.hi, 0.0)
    lo = np.where(known, second.lo, 0.0)
    radius = np.where(known, off, np.where(negative | x.zero, 0.0, most))
    return Wide.of(hi, lo, radius)


def function(
    f: Callable[[Any], Any], x: Wide, moved: FloatArray, most: float = float("inf")
) -> Wide:
    """A function of one number, by Arb.

    Args:
        f: from a ball of Arb to one.
        x: the arguments.
        moved: how far the function can move within the radius of each argument.
        most: how far it can move at all.

    Raises:
        EvaluationError: python-flint is not installed.
    """
    if importlib.util.find_spec("flint") is None:
        raise EvaluationError("expected python-flint to be installed but there is none")
    flint: Any = importlib.import_module("flint")
    before, flint.ctx.prec = flint.ctx.prec, PRECISION
    try:
        rows = [_by_arb(flint.arb, f, h, low) for h, low in zip(x.hi.flat, x.lo.flat, strict=True)]
    finally:
        flint.ctx.prec = before
    table = np.array(rows, dtype=np.float64).reshape(*x.hi.shape, 3)
    hi, lo, off = table[..., 0], table[..., 1], table[..., 2]
    return Wide.of(hi, lo, off + np.minimum(moved, most))


def _by_arb(arb: Any, f: Callable[[Any], Any], high: float, low: float) -> tuple[float, ...]:
    value = f(arb(high) + arb(low) if low else arb(high))
    if not value.is_finite():
        return 0.0, 0.0, float("inf")
    near = float(value)
    if not abs(near) < float("inf"):
        return 0.0, 0.0, float("inf")
    rest = value - arb(near)
    second = float(rest)
    off = (rest - arb(second)).abs_upper()
    return near, second, float(off) * (1.0 + 2.0**-40) + TINY if off else 0.0
