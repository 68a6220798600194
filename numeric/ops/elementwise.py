"""Operations that act on each entry by itself."""

from __future__ import annotations

import math
from collections.abc import Callable

from numeric.ops.rule import Array, Binding, Op, Partial, Values, same_shape

__all__ = ["ELEMENTWISE"]


def _diagonal(factor: Callable[[Values, Array, Binding], Array]) -> Partial:
    """A derivative that multiplies each entry by ``factor``; it is its own transpose."""

    def apply(args: Values, out: Array, binding: Binding, direction: Array) -> Array:
        product: Array = factor(args, out, binding) * direction
        return product

    return Partial(push=apply, pull=apply)


_KEEP = Partial(push=lambda a, y, b, t: t, pull=lambda a, y, b, s: s)
_NEGATE = Partial(push=lambda a, y, b, t: -t, pull=lambda a, y, b, s: -s)


def _clamped_sqrt(args: Values, binding: Binding) -> Array:
    """sqrt(max(x, 0)).  The clamp looks at the real part, so that the complex step passes through
    it."""
    x = args[0]
    return binding.xp.sqrt(binding.xp.where(x.real > 0, x, 0))


def _half_inverse(args: Values, out: Array, binding: Binding) -> Array:
    """1 / (2·sqrt x) where x > 0.  At 0 there is no derivative, below it is 0; both are given as
    0."""
    return binding.xp.quotient(0.5, out)


def _inverse(args: Values, binding: Binding) -> Array:
    """1/x, and 0 at 0: the convention of Lean's fields."""
    return binding.xp.quotient(1.0, args[0])


def _inverse_rule(args: Values, out: Array, binding: Binding, direction: Array) -> Array:
    """−direction/x², as two products: 1/x² would vanish for x beyond 1e154, as a sum of
    exponentials can be."""
    product: Array = -out * (out * direction)
    return product


def _sech2(args: Values, out: Array, binding: Binding) -> Array:
    """1 − tanh²x from x itself: from tanh x it would lose every digit where tanh saturates."""
    e: Array = binding.xp.exp(-2.0 * binding.xp.absolute(args[0]))
    factor: Array = 4.0 * e / ((1.0 + e) * (1.0 + e))
    return factor


def _normal_pdf(x: Array, binding: Binding) -> Array:
    """The density of the normal distribution, at the real part."""
    density: Array = binding.xp.exp(-0.5 * (x.real * x.real)) / math.sqrt(2.0 * math.pi)
    return density


def _normal_cdf(args: Values, binding: Binding) -> Array:
    """Φ(x) = erfc(−x/√2)/2.  Of an imaginary part only the first order is kept, which is all that
    the complex step (h = 1e-200) sees."""
    (x,) = args
    real: Array = 0.5 * binding.xp.erfc(x.real * -math.sqrt(0.5))
    if not binding.xp.is_complex(x):
        return real
    value: Array = real + 1j * (_normal_pdf(x, binding) * x.imag)
    return value


def _normal_cdf_terms(args: Values, out: Array, binding: Binding) -> Array:
    """The rounding of −x/√2 is seen through the density."""
    size = binding.xp.absolute
    terms: Array = size(out) + size(args[0]) * _normal_pdf(args[0], binding)
    return terms


def _relu(args: Values, binding: Binding) -> Array:
    """max(x, 0), by the real part."""
    x = args[0]
    return binding.xp.where(x.real > 0, x, 0)


def _is_positive(args: Values, out: Array, binding: Binding) -> Array:
    """1 where x > 0, else 0; at 0 there is no derivative."""
    positive: Array = 1.0 * (out.real > 0)
    return positive


def _sigmoid(args: Values, binding: Binding) -> Array:
    """1/(1 + exp(−x)); exp is asked for what is not positive, so that nothing overflows."""
    x = args[0]
    right = x.real >= 0
    e = binding.xp.exp(binding.xp.where(right, -x, x))
    value: Array = binding.xp.where(right, 1.0, e) / (1.0 + e)
    return value


def _sigmoid_slope(args: Values, out: Array, binding: Binding) -> Array:
    """σ·(1 − σ) from x itself, as `_sech2`."""
    e = binding.xp.exp(-binding.xp.absolute(args[0]))
    slope: Array = e / ((1.0 + e) * (1.0 + e))
    return slope


def _log(args: Values, binding: Binding) -> Array:
    """The natural logarithm; no number where x < 0.  Of an imaginary part only the first order is
    kept, as in `_normal_cdf`."""
    (x,) = args
    real = binding.xp.log(x.real)
    if not binding.xp.is_complex(x):
        return real
    value: Array = real + 1j * (x.imag / x.real)
    return value


ELEMENTWISE = (
    Op("add", same_shape, lambda a, b: a[0] + a[1], (_KEEP, _KEEP)),
    Op("sub", same_shape, lambda a, b: a[0] - a[1], (_KEEP, _NEGATE)),
    Op(
        "mul",
        same_shape,
        lambda a, b: a[0] * a[1],
        (_diagonal(lambda a, y, b: a[1]), _diagonal(lambda a, y, b: a[0])),
    ),
    Op(
        "exp",
        same_shape,
        lambda a, b: b.xp.exp(a[0]),
        (_diagonal(lambda a, y, b: y),),
        bounded=True,
    ),
    Op(
        "inv",
        same_shape,
        _inverse,
        (Partial(push=_inverse_rule, pull=_inverse_rule),),
        bounded=True,
    ),
    Op("tanh", same_shape, lambda a, b: b.xp.tanh(a[0]), (_diagonal(_sech2),), bounded=True),
    Op(
        "normalCdf",
        same_shape,
        _normal_cdf,
        (_diagonal(lambda a, y, b: _normal_pdf(a[0], b)),),
        terms=_normal_cdf_terms,
        bounded=True,
    ),
    Op("sigmoid", same_shape, _sigmoid, (_diagonal(_sigmoid_slope),), bounded=True),
    Op("log", same_shape, _log, (_diagonal(lambda a, y, b: 1.0 / a[0]),)),
    Op("relu", same_shape, _relu, (_diagonal(_is_positive),), terms=None, bounded=True),
    Op("sqrt", same_shape, _clamped_sqrt, (_diagonal(_half_inverse),), bounded=True),
    Op(
        "scale",
        same_shape,
        lambda a, b: b.c * a[0],
        (_diagonal(lambda a, y, b: b.c),),
        parameters=frozenset({"c"}),
    ),
    Op(
        "addConst",
        same_shape,
        lambda a, b: a[0] + b.c,
        (_KEEP,),
        parameters=frozenset({"c"}),
    ),
)
"""``add sub mul exp inv tanh normalCdf sigmoid log relu sqrt scale addConst``."""
