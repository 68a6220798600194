"""Real numbers known to lie between two floating-point numbers, a batch at a time.

Every operation returns bounds that contain the exact result for all exact arguments within their
bounds; exact floating-point results stay points, so that ``x ≤ c`` is decided where ``x = c``.
``size`` is the sum of the absolute values of the input terms: bounds that are close together
relative to it mean that two numbers agree to rounding.

Conventions at the edge of a function's domain are those of Lean: ``x / 0 = 0``; where a function is
unspecified, the bounds are infinite.

Assumed, not proved: the platform's exp, log, tanh, sin and cos are within 4 ulp; rounding is to
nearest.
Source: T. J. Dekker, "A floating-point technique for extending the available precision", 1971 (the
    error of a product); D. E. Knuth, "The art of computer programming", volume 2, section 4.2.2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import ParamSpec

import numpy as np
import numpy.typing as npt

__all__ = [
    "Enclosure",
    "absolute",
    "add",
    "cosh",
    "cosine",
    "divide",
    "exponential",
    "hull",
    "inverse",
    "logarithm",
    "maximum",
    "minimum",
    "multiply",
    "negate",
    "point",
    "sigmoid",
    "sine",
    "sinh",
    "square_root",
    "subtract",
    "tanh",
    "widen",
]

FloatArray = npt.NDArray[np.float64]
_MAX = np.finfo(np.float64).max
_FUNCTION = 2.0**-50  # 4 ulp of a library function, and the rounding of the product that adds them
_TINY = 2.0**-1070


@dataclass(frozen=True, slots=True)
class Enclosure:
    """Numbers between ``lo`` and ``hi``, of one shape; ``size`` is at least their absolute value.

    Infinite bounds mean that nothing is known on that side.
    """

    lo: FloatArray
    hi: FloatArray
    size: FloatArray

    @property
    def middle(self) -> FloatArray:
        """A number in between, the best estimate; 0 where nothing is known."""
        lo, hi = np.maximum(self.lo, -_MAX), np.minimum(self.hi, _MAX)
        return np.asarray(lo / 2 + hi / 2, dtype=np.float64)

    @property
    def width(self) -> FloatArray:
        """The distance between the bounds."""
        return np.asarray(self.hi - self.lo, dtype=np.float64)


def point(value: FloatArray | float) -> Enclosure:
    """Exactly these numbers."""
    x = np.asarray(value, dtype=np.float64)
    return Enclosure(x, x, np.abs(x))


def widen(a: Enclosure, relative: float) -> Enclosure:
    """All numbers within ``relative · max(1, |a|)`` of these."""
    radius = relative * np.maximum(1.0, np.maximum(np.abs(a.lo), np.abs(a.hi)))
    return Enclosure(_down(a.lo - radius), _up(a.hi + radius), a.size + radius)


def hull(a: Enclosure, b: Enclosure) -> Enclosure:
    """Everything from the lower bound of both to the upper bound of both."""
    return Enclosure(np.minimum(a.lo, b.lo), np.maximum(a.hi, b.hi), np.maximum(a.size, b.size))


def _down(x: FloatArray) -> FloatArray:
    return np.asarray(np.nextafter(x, -np.inf), dtype=np.float64)


def _up(x: FloatArray) -> FloatArray:
    return np.asarray(np.nextafter(x, np.inf), dtype=np.float64)


def _bounded(value: FloatArray, error: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Bounds of ``value + error`` where the error's sign is right; wider where it is unknown."""
    known = np.isfinite(value) & np.isfinite(error)
    lo = np.where(known & (error >= 0), value, _down(value))
    hi = np.where(known & (error <= 0), value, _up(value))
    # An overflow only says that the number is large.
    lo = np.where(np.isnan(value), -np.inf, np.where(value == np.inf, _MAX, lo))
    hi = np.where(np.isnan(value), np.inf, np.where(value == -np.inf, -_MAX, hi))
    return lo, hi


def _sum(a: FloatArray, b: FloatArray) -> tuple[FloatArray, FloatArray]:
    total = a + b
    shifted = total - a
    error = (a - (total - shifted)) + (b - shifted)
    lo, hi = _bounded(total, error)
    open_ = np.isinf(a) | np.isinf(b)
    return np.where(open_, total, lo), np.where(open_, total, hi)


def _split(a: FloatArray) -> tuple[FloatArray, FloatArray]:
    scaled = a * 134217729.0  # 2^27 + 1
    high = scaled - (scaled - a)
    return high, a - high


def _product_error(a: FloatArray, b: FloatArray, product: FloatArray) -> FloatArray:
    """a·b − fl(a·b), exactly; NaN where Dekker's product is not exact."""
    ah, al = _split(a)
    bh, bl = _split(b)
    error = ((ah * bh - product) + ah * bl + al * bh) + al * bl
    size = np.abs(product)
    apt = (size > 1e-270) & (size < 1e270) & (np.abs(a) < 1e150) & (np.abs(b) < 1e150)
    apt &= (np.abs(a) > 1e-150) & (np.abs(b) > 1e-150)
    zero = (a == 0) | (b == 0)
    return np.where(zero, 0.0, np.where(apt, error, np.nan))


def _product(a: FloatArray, b: FloatArray) -> tuple[FloatArray, FloatArray]:
    product = np.where((a == 0) | (b == 0), 0.0, a * b)
    lo, hi = _bounded(product, _product_error(a, b, product))
    open_ = (np.isinf(a) | np.isinf(b)) & (product != 0)
    return np.where(open_, product, lo), np.where(open_, product, hi)


def _quotient(a: FloatArray, b: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Bounds of a / b for b ≠ 0."""
    q = a / b
    product = q * b
    rest = (a - product) - _product_error(q, b, product)
    # Only its sign is used; where the quotient underflows to 0, nothing is known.
    sign = np.where((q == 0) & (a != 0), np.nan, np.sign(rest) * np.sign(b))
    lo, hi = _bounded(q, np.where(a == 0, 0.0, sign))
    open_ = np.isinf(a) | np.isinf(b)
    return np.where(open_, np.where(np.isnan(q), -np.inf, q), lo), np.where(
        open_, np.where(np.isnan(q), np.inf, q), hi
    )


P = ParamSpec("P")


def _quiet(f: Callable[P, Enclosure]) -> Callable[P, Enclosure]:
    """Without warnings: infinities and NaN are handled where they arise."""

    @wraps(f)
    def quiet(*args: P.args, **kwargs: P.kwargs) -> Enclosure:
        with np.errstate(all="ignore"):
            return f(*args, **kwargs)

    return quiet


def _made(lo: FloatArray, hi: FloatArray, size: FloatArray) -> Enclosure:
    """Bounds; a single array if they are equal everywhere, which makes the next step cheap."""
    return Enclosure(lo, lo if np.array_equal(lo, hi) else hi, size)


@_quiet
def add(a: Enclosure, b: Enclosure) -> Enclosure:
    """a + b."""
    lo, hi = _sum(a.lo, b.lo)
    if a.lo is not a.hi or b.lo is not b.hi:
        hi = _sum(a.hi, b.hi)[1]
    return _made(lo, hi, a.size + b.size)


def negate(a: Enclosure) -> Enclosure:
    """−a."""
    lo = -a.hi
    return Enclosure(lo, lo if a.lo is a.hi else -a.lo, a.size)


def subtract(a: Enclosure, b: Enclosure) -> Enclosure:
    """a − b."""
    return add(a, negate(b))


@_quiet
def multiply(a: Enclosure, b: Enclosure) -> Enclosure:
    """a · b."""
    size = np.where((a.size == 0) | (b.size == 0), 0.0, a.size * b.size)
    if a.lo is a.hi and b.lo is b.hi:
        lo, hi = _product(a.lo, b.lo)
        return _made(lo, hi, size)
    ends = [_product(x, y) for x in (a.lo, a.hi) for y in (b.lo, b.hi)]
    lo = np.minimum.reduce([e[0] for e in ends])
    hi = np.maximum.reduce([e[1] for e in ends])
    if a is b:
        lo = np.maximum(lo, 0.0)  # a square
    return Enclosure(lo, hi, size)


@_quiet
def divide(a: Enclosure, b: Enclosure) -> Enclosure:
    """a / b, and 0 where b = 0."""
    zero = (b.lo == 0) & (b.hi == 0)
    spans = (b.lo <= 0) & (b.hi >= 0) & ~zero
    lower, upper = np.where(zero | spans, 1.0, b.lo), np.where(zero | spans, 1.0, b.hi)
    ends = [_quotient(x, y) for x in (a.lo, a.hi) for y in (lower, upper)]
    lo = np.minimum.reduce([e[0] for e in ends])
    hi = np.maximum.reduce([e[1] for e in ends])
    lo = np.where(zero, 0.0, np.where(spans, -np.inf, lo))
    hi = np.where(zero, 0.0, np.where(spans, np.inf, hi))
    least = np.minimum(np.abs(b.lo), np.abs(b.hi))
    size = np.where(zero | (a.size == 0), 0.0, a.size / least * np.maximum(1, b.size / least))
    return _made(lo, hi, np.where(np.isnan(size), np.inf, size))


def inverse(a: Enclosure) -> Enclosure:
    """1 / a, and 0 where a = 0."""
    return divide(point(np.ones(np.shape(a.lo))), a)


def absolute(a: Enclosure) -> Enclosure:
    """|a|."""
    spans = (a.lo < 0) & (a.hi > 0)
    low, high = np.abs(a.lo), np.abs(a.hi)
    return Enclosure(np.where(spans, 0.0, np.minimum(low, high)), np.maximum(low, high), a.size)


def minimum(a: Enclosure, b: Enclosure) -> Enclosure:
    """The lesser of the two."""
    return Enclosure(np.minimum(a.lo, b.lo), np.minimum(a.hi, b.hi), np.maximum(a.size, b.size))


def maximum(a: Enclosure, b: Enclosure) -> Enclosure:
    """The greater of the two."""
    return Enclosure(np.maximum(a.lo, b.lo), np.maximum(a.hi, b.hi), np.maximum(a.size, b.size))


def _around(value: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Bounds of the exact value of which a library function returned ``value``."""
    radius = np.abs(value) * _FUNCTION + _TINY
    lo = np.where(np.isnan(value), -np.inf, np.where(np.isposinf(value), _MAX, value - radius))
    hi = np.where(np.isnan(value), np.inf, np.where(np.isneginf(value), -_MAX, value + radius))
    return lo, hi


def _monotone(a: Enclosure, f: Callable[[FloatArray], FloatArray]) -> tuple[FloatArray, FloatArray]:
    return _around(f(a.lo))[0], _around(f(a.hi))[1]


@_quiet
def exponential(a: Enclosure) -> Enclosure:
    """The exponential function; 1 at 0 exactly."""
    lo, hi = _monotone(a, np.exp)
    lo = np.where(a.lo == 0, 1.0, np.where(np.isneginf(a.lo), 0.0, np.maximum(lo, 0.0)))
    hi = np.where(a.hi == 0, 1.0, np.where(np.isposinf(a.hi), np.inf, hi))
    # The error of the argument's terms is multiplied by the value.
    return Enclosure(lo, hi, np.where(np.isinf(hi), np.inf, hi * np.maximum(1.0, a.size)))


@_quiet
def square_root(a: Enclosure, *, open_below: bool) -> Enclosure:
    """The square root of nonnegative numbers.

    Where the argument is negative it is 0, or with ``open_below`` any nonnegative number.
    """

    def root(x: FloatArray) -> tuple[FloatArray, FloatArray]:
        s = np.sqrt(np.maximum(x, 0.0))
        square = s * s
        rest = (np.maximum(x, 0.0) - square) - _product_error(s, s, square)
        lo, hi = _bounded(s, np.where(x <= 0, 0.0, rest))
        return np.where(np.isposinf(x), _MAX, np.maximum(lo, 0.0)), hi

    lo, hi = root(a.lo)[0], root(a.hi)[1]
    if open_below:
        lo, hi = np.where(a.lo < 0, 0.0, lo), np.where(a.lo < 0, np.inf, hi)
    root_of_size = np.sqrt(a.size)
    return Enclosure(lo, hi, np.maximum(root_of_size, np.where(lo > 0, a.size / lo, 0.0)))


@_quiet
def logarithm(a: Enclosure, *, open_below: bool) -> Enclosure:
    """The logarithm of positive numbers.

    Elsewhere it is log |a|, and 0 at 0; with ``open_below`` it is anything.
    """
    b = a if open_below else absolute(a)
    zero = (b.lo == 0) & (b.hi == 0)
    unknown = (b.lo <= 0) & ~(zero & (not open_below))
    safe = np.where(b.lo > 0, b.lo, 1.0), np.where(b.lo > 0, b.hi, 1.0)
    lo, hi = _around(np.log(safe[0]))[0], _around(np.log(safe[1]))[1]
    lo = np.where(unknown, -np.inf, np.where(safe[0] == 1, 0.0, lo))
    hi = np.where(unknown, np.inf, np.where(safe[1] == 1, 0.0, hi))
    size = np.maximum(np.abs(lo), np.abs(hi)) + np.where(b.lo > 0, a.size / safe[0], 0.0)
    return Enclosure(lo, hi, size)


@_quiet
def tanh(a: Enclosure) -> Enclosure:
    """The hyperbolic tangent."""
    lo, hi = _monotone(a, np.tanh)
    lo = np.where(a.lo == 0, 0.0, np.maximum(lo, -1.0))
    hi = np.where(a.hi == 0, 0.0, np.minimum(hi, 1.0))
    return Enclosure(lo, hi, np.maximum(np.maximum(np.abs(lo), np.abs(hi)), a.size))


@_quiet
def sinh(a: Enclosure) -> Enclosure:
    """The hyperbolic sine."""
    lo, hi = _monotone(a, np.sinh)
    return Enclosure(lo, hi, np.maximum(np.abs(lo), np.abs(hi)) * np.maximum(1.0, a.size))


@_quiet
def cosh(a: Enclosure) -> Enclosure:
    """The hyperbolic cosine."""
    b = absolute(a)
    lo, hi = _monotone(b, np.cosh)
    lo = np.maximum(lo, 1.0)
    return Enclosure(lo, hi, hi * np.maximum(1.0, a.size))


def sigmoid(a: Enclosure) -> Enclosure:
    """1 / (1 + exp (−a))."""
    one = point(np.ones(np.shape(a.lo)))
    return divide(one, add(one, exponential(negate(a))))


def _wave(a: Enclosure, f: Callable[[FloatArray], FloatArray]) -> Enclosure:
    with np.errstate(all="ignore"):
        middle, radius = a.middle, a.width  # a slope is at most 1
        lo, hi = _around(f(middle))
        unknown = ~np.isfinite(a.width)
        lo = np.where(unknown, -1.0, np.maximum(lo - radius, -1.0))
        hi = np.where(unknown, 1.0, np.minimum(hi + radius, 1.0))
        return Enclosure(lo, hi, np.maximum(1.0, a.size))


def sine(a: Enclosure) -> Enclosure:
    """The sine."""
    return _wave(a, np.sin)


def cosine(a: Enclosure) -> Enclosure:
    """The cosine."""
    return _wave(a, np.cos)
