"""How far the values of a run can be from those of exact arithmetic: rigorous radii.

The instance's inputs and constants are taken as exact.  Each value then is a ball: the computed
number, and a radius that the exact number lies within.  Sums and products are bounded by the
standard model of rounding, |fl(a ∘ b) − a ∘ b| ≤ u·|a ∘ b| and its n-term form γₙ = n·u/(1 − n·u),
in any order of summation; the rounding of one addition is computed exactly.  What is exact stays
exact: adding 0, or multiplying by it, has radius 0.

Assumed, not proved: the platform's exp, log, tanh and erfc are within 4 ulp, and no rounding mode
but to nearest is set.
Source: N. J. Higham, "Accuracy and stability of numerical algorithms", 2002, chapter 3; D. E.
    Knuth, "The art of computer programming", volume 2, section 4.2.2 (the error of an addition).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from numeric.errors import EvaluationError
from numeric.interpret.interpreter import Trace
from numeric.ops import OPS, Binding

__all__ = ["radii"]

FloatArray = npt.NDArray[np.float64]
Balls = tuple[tuple[FloatArray, FloatArray], ...]
Rule = Callable[[Balls, FloatArray, Binding], FloatArray]

_U = 2.0**-53
_TINY = 2.0**-1073  # what underflow can lose, rounded up
_LEAST = 2.0**-1000  # beside what is larger, _TINY vanishes
_UP = 1.0 + 2.0**-40  # the radii themselves are computed with rounding
_FUNCTION = 8 * _U  # 4 ulp of exp, tanh and erfc


def radii(trace: Trace, upto: int | None = None) -> tuple[FloatArray, ...]:
    """The radius of every value of a run, ``(B, *shape)`` each, in the graph's order.

    Args:
        trace: a run in float64, without perturbation.
        upto: the index of the last value that is wanted; all of them if None.

    Returns:
        Infinite where nothing is known: after a division by what may be 0, or an overflow.

    Raises:
        EvaluationError: the run is complex.
    """
    graph = trace.graph
    count = len(graph.inputs)
    last = len(trace.values) - 1 if upto is None else upto
    values: list[FloatArray] = []
    for value in trace.values[: last + 1]:
        if np.iscomplexobj(value):
            raise EvaluationError("expected a run in real numbers but got complex128")
        values.append(np.asarray(value, dtype=np.float64))
    found = [np.zeros(v.shape) for v in values[:count]]
    with np.errstate(all="ignore"):
        for position, node in enumerate(graph.nodes[: max(last + 1 - count, 0)]):
            balls = tuple((values[a], found[a]) for a in node.args)
            value = values[count + position]
            radius = _RULES[node.op](balls, value, trace.bindings[position]) * _UP
            found.append(np.where(np.isfinite(value) & ~np.isnan(radius), radius, np.inf))
    return tuple(found)


def _gamma(roundings: int) -> float:
    return roundings * _U / (1.0 - roundings * _U)


def _zero(x: FloatArray, r: FloatArray) -> npt.NDArray[np.bool_]:
    """Where the exact number is known to be 0."""
    return np.asarray((x == 0) & (r == 0), dtype=np.bool_)


def _sum_error(a: FloatArray, b: FloatArray, total: FloatArray) -> FloatArray:
    """|fl(a + b) − (a + b)|, exactly (Knuth's two-sum)."""
    part = total - a
    return np.abs((a - (total - part)) + (b - part))


def _add(balls: Balls, out: FloatArray, binding: Binding) -> FloatArray:
    (a, ra), (b, rb) = balls
    return ra + rb + _sum_error(a, b, out)


def _sub(balls: Balls, out: FloatArray, binding: Binding) -> FloatArray:
    (a, ra), (b, rb) = balls
    return ra + rb + _sum_error(a, -b, out)


def _add_constant(balls: Balls, out: FloatArray, binding: Binding) -> FloatArray:
    ((a, ra),) = balls
    return ra + _sum_error(a, np.broadcast_to(binding.c, a.shape), out)


def _bilinear(
    times: Callable[[FloatArray, FloatArray], FloatArray], balls: Balls, roundings: int
) -> FloatArray:
    """|a|·rb + ra·(|b| + rb) + γ·|a|·|b|, where an exact 0 times anything is 0."""
    (a, ra), (b, rb) = balls
    a, b = np.abs(a), np.abs(b)
    lost_a, lost_b = np.isinf(ra), np.isinf(rb)
    ra, rb = np.where(lost_a, 0.0, ra), np.where(lost_b, 0.0, rb)
    radius = times(a, rb + _gamma(roundings) * b) + times(ra, b + rb)
    some_a, some_b = lost_a | (a + ra > 0), lost_b | (b + rb > 0)
    if (radius < _LEAST).any():  # where underflow can count at all
        radius = radius + _TINY * times(some_a.astype(np.float64), some_b.astype(np.float64))
    else:
        radius = radius * (1.0 + 2.0**-30)
    if not (lost_a.any() or lost_b.any()):
        return radius
    lost = times(lost_a.astype(np.float64), some_b.astype(np.float64))
    lost = lost + times(some_a.astype(np.float64), lost_b.astype(np.float64))
    return np.where(lost > 0, np.inf, radius)


def _mul(balls: Balls, out: FloatArray, binding: Binding) -> FloatArray:
    return _bilinear(np.multiply, balls, 1)


def _matmul(balls: Balls, out: FloatArray, binding: Binding) -> FloatArray:
    inner = balls[0][0].shape[-1]
    # Bounds of sums of positive terms: their own rounding is within _UP of them.
    return _bilinear(np.matmul, balls, inner)


def _scale(balls: Balls, out: FloatArray, binding: Binding) -> FloatArray:
    c = np.broadcast_to(np.asarray(binding.c, dtype=np.float64), out.shape)
    return _bilinear(np.multiply, ((c, np.zeros(out.shape)), balls[0]), 1)


def _exp(balls: Balls, out: FloatArray, binding: Binding) -> FloatArray:
    ((_, r),) = balls
    return (out + _TINY) * (np.expm1(r) + 2 * _FUNCTION * np.exp(r)) + _TINY


def _tanh(balls: Balls, out: FloatArray, binding: Binding) -> FloatArray:
    ((_, r),) = balls
    return np.minimum(r, 2.0) + _FUNCTION * np.abs(out)


def _normal_cdf(balls: Balls, out: FloatArray, binding: Binding) -> FloatArray:
    """The slope is at most 0.4; the argument −x/√2 is rounded twice, and |x| · density ≤ 0.25."""
    ((_, r),) = balls
    return np.minimum(0.4 * r, 1.0) + _FUNCTION * np.abs(out) + _U + _TINY


def _sigmoid(balls: Balls, out: FloatArray, binding: Binding) -> FloatArray:
    """The slope is at most 1/4; after exp come a sum and a quotient."""
    ((_, r),) = balls
    return np.minimum(0.25 * r, 1.0) + (_FUNCTION + 4 * _U) * np.abs(out) + _TINY


def _log(balls: Balls, out: FloatArray, binding: Binding) -> FloatArray:
    """|log(x ± r) − log x| ≤ r/(x − r); nothing is known where x may be 0."""
    ((x, r),) = balls
    radius = np.where(r <= 0.5 * x, r / (x - r), np.inf) + _FUNCTION * np.abs(out)
    return np.where(x > 0, radius, np.inf)


def _relu(balls: Balls, out: FloatArray, binding: Binding) -> FloatArray:
    """max(x, 0) moves no further than x, and is 0 where x is known not to be positive."""
    ((x, r),) = balls
    return np.where(x + r * _UP < 0, 0.0, r)


def _inv(balls: Balls, out: FloatArray, binding: Binding) -> FloatArray:
    ((x, r),) = balls
    away = np.abs(x) - r
    radius = np.where(away > 0, r / (np.abs(x) * away) + _U * np.abs(out) + _TINY, np.inf)
    # |x| − r is rounded: near 0 it may be off by a large factor.
    radius = np.where(r > 0.5 * np.abs(x), np.inf, radius)
    return np.where(_zero(x, r), 0.0, radius)


def _sqrt(balls: Balls, out: FloatArray, binding: Binding) -> FloatArray:
    ((x, r),) = balls
    high = np.sqrt(np.maximum((x + r) + 2 * _U * (np.abs(x) + r), 0.0))
    low = np.sqrt(np.maximum((x - r) - 2 * _U * (np.abs(x) + r), 0.0))
    radius = np.maximum(high - out, out - low) + 4 * _U * high
    return np.where(_zero(x, r) | (x + r < -2 * _U * (np.abs(x) + r)), 0.0, radius)


def _sum(balls: Balls, out: FloatArray, binding: Binding) -> FloatArray:
    ((x, r),) = balls
    terms = x.shape[binding.axis]
    absolute = np.abs(x).sum(axis=binding.axis)
    return np.asarray(r.sum(axis=binding.axis) + _gamma(terms - 1) * absolute)


def _mean(balls: Balls, out: FloatArray, binding: Binding) -> FloatArray:
    terms = balls[0][0].shape[binding.axis]
    if terms == 1:
        return _sum(balls, out, binding)
    total = _sum(balls, out, binding) / terms
    return np.where((out == 0) & (total == 0), 0.0, total + _U * np.abs(out) + _TINY)


def _moves(name: str) -> Rule:
    """An operation that only moves numbers moves their radii with them."""

    def rule(balls: Balls, out: FloatArray, binding: Binding) -> FloatArray:
        return np.asarray(OPS[name].evaluate((balls[0][1],), binding), dtype=np.float64)

    return rule


_RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "add": _add,
        "sub": _sub,
        "mul": _mul,
        "matmul": _matmul,
        "scale": _scale,
        "addConst": _add_constant,
        "exp": _exp,
        "tanh": _tanh,
        "normalCdf": _normal_cdf,
        "sigmoid": _sigmoid,
        "log": _log,
        "relu": _relu,
        "inv": _inv,
        "sqrt": _sqrt,
        "sum": _sum,
        "mean": _mean,
        **{name: _moves(name) for name in ("broadcast", "transpose", "reshape", "place", "gather")},
    }
)

if set(_RULES) != set(OPS):
    raise AssertionError(f"operations without an enclosure: {sorted(set(OPS) ^ set(_RULES))}")
