"""Error bounds of single floating-point operations, from which radii are built.

Sums and products are bounded by the standard model of rounding, |fl(a ∘ b) − a ∘ b| ≤ u·|a ∘ b|,
and its n-term form γₙ = n·u/(1 − n·u), in any order of summation; the rounding of one addition is
computed exactly.  Bounds are themselves computed with rounding, so each is enlarged by what
rounding can lose, and by the least subnormal where underflow can occur.

Assumed, not proved: exp, log, tanh and erfc of the platform are within 16 ulp.  NumPy states less
than 4 for its vectorized ones (release notes of 1.22); the GNU C Library's manual, "Errors in Math
Functions", has at most 5, and its tests treat more than 9 as an error.  A matrix product computes
each entry as a sum of the n products, in any order, fused or not: BLAS without Strassen's method.
That numbers round to nearest and that subnormals are kept is checked: see `standard_arithmetic`.
Source: N. J. Higham, "Accuracy and stability of numerical algorithms", 2002, chapter 3; D. E.
    Knuth, "The art of computer programming", volume 2, section 4.2.2 (the error of an addition).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from numeric.errors import EvaluationError

__all__ = [
    "FUNCTION",
    "TINY",
    "UP",
    "U",
    "bilinear",
    "gamma",
    "grown",
    "standard_arithmetic",
    "sum_error",
]

FloatArray = npt.NDArray[np.float64]
Radius = tuple[FloatArray, FloatArray]
"""Numbers, and how far the exact ones can be from them."""

U = 2.0**-53
"""The unit roundoff of float64."""
TINY = 2.0**-1060
"""The most that underflow can lose in one operation, 16 ulp of a function included, rounded up."""
UP = 1.0 + 2.0**-40
"""Enlarges a bound by more than the rounding of about a thousand operations can reduce it."""
FUNCTION = 32 * U
"""16 ulp of exp, log, tanh and erfc: an ulp is at most 2u of the number."""
_LEAST = 2.0**-980  # next to what is larger, TINY vanishes


def standard_arithmetic() -> None:
    """Check that numbers round to nearest and that subnormals are kept, in this thread.

    Raises:
        EvaluationError: they do not, so no bound here would hold.
    """
    one, half, least = np.array([1.0]), np.array([2.0**-53]), np.array([2.0**-1074])
    nearest = bool(one + half == one and one + 1.5 * half > one and -one - half == -one)
    if not nearest:
        raise EvaluationError("expected numbers to round to nearest but another mode is set")
    if not (one * least > 0 and least + least > least and np.abs(least @ one) > 0):
        raise EvaluationError(
            "expected subnormal numbers to be kept but they are flushed to 0 "
            "(torch.set_flush_denormal(False) keeps them)"
        )


def gamma(roundings: int) -> float:
    """γₙ, the relative error of n successive roundings."""
    return roundings * U / (1.0 - roundings * U)


def grown(bound: FloatArray, terms: int) -> FloatArray:
    """A bound computed as a sum of ``terms`` terms ≥ 0, enlarged by what the summation can have
    lost."""
    return bound if terms < 1000 else bound * (1.0 + 4.0 * terms * U)


def sum_error(a: FloatArray, b: FloatArray, total: FloatArray) -> FloatArray:
    """|fl(a + b) − (a + b)|, exactly (Knuth's two-sum)."""
    part = total - a
    error: FloatArray = np.abs((a - (total - part)) + (b - part))
    return error


def bilinear(
    times: Callable[[FloatArray, FloatArray], FloatArray], a: Radius, b: Radius, roundings: int
) -> FloatArray:
    """The radius of a product: |a|·rb + ra·(|b| + rb) + γ·|a|·|b|.

    An exact 0 times anything is 0; an unknown value times anything else is unknown.

    Args:
        times: the product, such as ``numpy.matmul``.
        a, b: the numbers and their radii.
        roundings: how many one entry of the result has.
    """
    left, ra, right, rb = np.abs(a[0]), a[1], np.abs(b[0]), b[1]
    lost_a, lost_b = np.isinf(ra), np.isinf(rb)
    lost = bool(lost_a.any() or lost_b.any())
    if lost:
        ra, rb = np.where(lost_a, 0.0, ra), np.where(lost_b, 0.0, rb)
    share = gamma(roundings) * right
    if (share < _LEAST).any():  # γ·|b| may underflow, and |a| be huge
        share = np.where(right > 0, share + TINY, 0.0)
    radius = times(left, rb + share)
    if ra.any():
        radius = radius + times(ra, right + rb)
    if (radius < _LEAST).any():  # where underflow can matter
        some_a = (lost_a | (left + ra > 0)).astype(np.float64)
        some_b = (lost_b | (right + rb > 0)).astype(np.float64)
        radius = radius + TINY * times(some_a, some_b)
    else:
        radius = radius * (1.0 + 2.0**-30)
    radius = grown(radius, roundings)
    if not lost:
        return radius
    some_a = (lost_a | (left + ra > 0)).astype(np.float64)
    some_b = (lost_b | (right + rb > 0)).astype(np.float64)
    unknown = times(lost_a.astype(np.float64), some_b) + times(some_a, lost_b.astype(np.float64))
    return np.where(unknown > 0, np.inf, radius)
