"""Shared code of operations that act on each entry separately."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from numeric.arithmetic.rounding import UP
from numeric.arithmetic.wide import Wide, function
from numeric.ops.rule import Array, Binding, FloatArray, Partial, Values, WidePull, WideStep

__all__ = ["KEEP", "by_slope", "constant", "diagonal", "kept", "moved", "slope", "times"]

KEEP = Partial(push=lambda a, y, b, t: t, pull=lambda a, y, b, s: s)
"""The derivative 1."""


def diagonal(factor: Callable[[Values, Array, Binding], Array]) -> Partial:
    """A derivative that multiplies each entry by ``factor``; it is its own transpose."""

    def apply(args: Values, out: Array, binding: Binding, direction: Array) -> Array:
        product: Array = factor(args, out, binding) * direction
        return product

    return Partial(push=apply, pull=apply)


def kept(args: Values, out: Array, binding: Binding, k: int, t: Array) -> Array:
    """The tangent of an operation whose derivative is 1."""
    return t


def constant(binding: Binding, shape: tuple[int, ...]) -> Wide:
    """The constant of a node at every entry, exact."""
    return Wide.exactly(np.broadcast_to(np.asarray(binding.c, np.float64), shape))


def moved(x: Wide, steepest: float) -> FloatArray:
    """How far a function with at most this slope moves within the radius."""
    return steepest * x.radius * UP


def by_slope(
    f: Callable[[Any], Any], steepest: float, most: float
) -> Callable[[tuple[Wide, ...], Binding], Wide]:
    """A function of Arb whose slope is at most ``steepest`` and whose value moves by at most
    ``most``."""
    return lambda args, binding: function(f, args[0], moved(args[0], steepest), most)


def times(factor: Callable[[WideStep], Wide]) -> WidePull:
    """The cotangent times a factor."""
    return lambda step: factor(step) * step.cotangent


def slope(f: Callable[[Any], Any], bend: float, most: float) -> WidePull:
    """The cotangent times a derivative computed by Arb, whose own slope is at most ``bend``."""
    return times(lambda step: function(f, step.args[0], moved(step.args[0], bend), most))
