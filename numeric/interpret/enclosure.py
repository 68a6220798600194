"""How far the values of a run can be from those of exact arithmetic: rigorous radii.

The instance's inputs and constants are taken as exact.  Each value then is a ball: the computed
number, and a radius that the exact number lies within.  What is exact stays exact: adding 0, or
multiplying by it, has radius 0.  What is assumed of the platform: see `numeric.interpret.rounding`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from numeric.errors import EvaluationError
from numeric.interpret.interpreter import Trace
from numeric.interpret.rounding import (
    FUNCTION,
    TINY,
    UP,
    U,
    bilinear,
    gamma,
    grown,
    standard_arithmetic,
    sum_error,
)
from numeric.ops import OPS, Binding

__all__ = ["radii"]

FloatArray = npt.NDArray[np.float64]
Balls = tuple[tuple[FloatArray, FloatArray], ...]
Rule = Callable[[Balls, FloatArray, Binding], FloatArray]


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
    standard_arithmetic()
    found = [np.zeros(v.shape) for v in values[:count]]
    with np.errstate(all="ignore"):
        for position, node in enumerate(graph.nodes[: max(last + 1 - count, 0)]):
            balls = tuple((values[a], found[a]) for a in node.args)
            value = values[count + position]
            radius = _RULES[node.op](balls, value, trace.bindings[position]) * UP
            found.append(np.where(np.isfinite(value) & ~np.isnan(radius), radius, np.inf))
    return tuple(found)


def _zero(x: FloatArray, r: FloatArray) -> npt.NDArray[np.bool_]:
    """Where the exact number is known to be 0."""
    return np.asarray((x == 0) & (r == 0), dtype=np.bool_)


def _add(balls: Balls, out: FloatArray, binding: Binding) -> FloatArray:
    (a, ra), (b, rb) = balls
    return ra + rb + sum_error(a, b, out)


def _sub(balls: Balls, out: FloatArray, binding: Binding) -> FloatArray:
    (a, ra), (b, rb) = balls
    return ra + rb + sum_error(a, -b, out)


def _add_constant(balls: Balls, out: FloatArray, binding: Binding) -> FloatArray:
    ((a, ra),) = balls
    return ra + sum_error(a, np.broadcast_to(binding.c, a.shape), out)


def _mul(balls: Balls, out: FloatArray, binding: Binding) -> FloatArray:
    return bilinear(np.multiply, balls[0], balls[1], 1)


def _matmul(balls: Balls, out: FloatArray, binding: Binding) -> FloatArray:
    return bilinear(np.matmul, balls[0], balls[1], balls[0][0].shape[-1])


def _scale(balls: Balls, out: FloatArray, binding: Binding) -> FloatArray:
    c = np.broadcast_to(np.asarray(binding.c, dtype=np.float64), out.shape)
    return bilinear(np.multiply, (c, np.zeros(out.shape)), balls[0], 1)


def _exp(balls: Balls, out: FloatArray, binding: Binding) -> FloatArray:
    ((_, r),) = balls
    return (out + TINY) * (np.expm1(r) + 2 * FUNCTION * np.exp(r)) + TINY


def _tanh(balls: Balls, out: FloatArray, binding: Binding) -> FloatArray:
    ((_, r),) = balls
    return np.minimum(r, 2.0) + FUNCTION * np.abs(out) + np.where(out == 0, 0.0, TINY)


def _normal_cdf(balls: Balls, out: FloatArray, binding: Binding) -> FloatArray:
    """The slope is at most 0.4; the argument −x/√2 is rounded twice, and |x| · density ≤ 0.25."""
    ((_, r),) = balls
    return np.minimum(0.4 * r, 1.0) + FUNCTION * np.abs(out) + U + TINY


def _sigmoid(balls: Balls, out: FloatArray, binding: Binding) -> FloatArray:
    """The slope is at most 1/4; after exp come a sum and a quotient."""
    ((_, r),) = balls
    return np.minimum(0.25 * r, 1.0) + (FUNCTION + 4 * U) * np.abs(out) + TINY


def _log(balls: Balls, out: FloatArray, binding: Binding) -> FloatArray:
    """|log(x ± r) − log x| ≤ r/(x − r); nothing is known where x may be 0."""
    ((x, r),) = balls
    radius = np.where(r <= 0.5 * x, r / (x - r), np.inf) + FUNCTION * np.abs(out)
    return np.where(x > 0, radius, np.inf)


def _relu(balls: Balls, out: FloatArray, binding: Binding) -> FloatArray:
    """max(x, 0) moves no further than x, and is 0 where x is known not to be positive."""
    ((x, r),) = balls
    return np.where(x + r * UP < 0, 0.0, r)


def _inv(balls: Balls, out: FloatArray, binding: Binding) -> FloatArray:
    ((x, r),) = balls
    away = np.abs(x) - r
    # Not r / (|x|·away): the product overflows for x beyond 1e154.
    radius = np.where(away > 0, r / np.abs(x) / away + U * np.abs(out) + TINY, np.inf)
    # |x| − r is rounded: near 0 it may be off by a large factor.
    radius = np.where(r > 0.5 * np.abs(x), np.inf, radius)
    return np.where(_zero(x, r), 0.0, radius)


def _sqrt(balls: Balls, out: FloatArray, binding: Binding) -> FloatArray:
    ((x, r),) = balls
    high = np.sqrt(np.maximum((x + r) + 2 * U * (np.abs(x) + r), 0.0))
    low = np.sqrt(np.maximum((x - r) - 2 * U * (np.abs(x) + r), 0.0))
    radius = np.maximum(high - out, out - low) + 4 * U * high
    return np.where(_zero(x, r) | (x + r < -2 * U * (np.abs(x) + r)), 0.0, radius)


def _sum(balls: Balls, out: FloatArray, binding: Binding) -> FloatArray:
    ((x, r),) = balls
    terms = x.shape[binding.axis]
    absolute = np.abs(x).sum(axis=binding.axis)
    radius = np.asarray(r.sum(axis=binding.axis) + gamma(terms - 1) * absolute)
    return grown(radius, terms)


def _mean(balls: Balls, out: FloatArray, binding: Binding) -> FloatArray:
    terms = balls[0][0].shape[binding.axis]
    if terms == 1:
        return _sum(balls, out, binding)
    total = _sum(balls, out, binding) / terms
    return np.where((out == 0) & (total == 0), 0.0, total + U * np.abs(out) + TINY)


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
