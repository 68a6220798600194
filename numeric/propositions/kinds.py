"""Kinds of real numbers that variables are drawn from."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from numeric.ops import Shape
from numeric.streams import Streams

__all__ = ["DOMAIN", "KINDS", "Kind"]

FloatArray = npt.NDArray[np.float64]


def _usual(s: Streams, shape: Shape) -> FloatArray:
    return s.normal(shape)


def _positive(s: Streams, shape: Shape) -> FloatArray:
    return s.log_uniform(-1.5, 1.5, shape)


def _halves(s: Streams, shape: Shape) -> FloatArray:
    return np.asarray(np.round(4 * s.normal(shape)) / 4)


def _zeros(s: Streams, shape: Shape) -> FloatArray:
    return np.zeros((len(s), *shape))


def _equal(s: Streams, shape: Shape) -> FloatArray:
    return _zeros(s, shape) + s.normal().reshape(len(s), *(1 for _ in shape))


def _simplex(s: Streams, shape: Shape) -> FloatArray:
    """Entries that sum to 1 over the last axis."""
    x = -np.log(s.uniform(shape, 1e-3, 1.0))
    return x / x.sum(axis=-1, keepdims=True) if shape and shape[-1] else x


def _one_hot(s: Streams, shape: Shape) -> FloatArray:
    x = s.uniform(shape)
    return np.asarray(x == x.max(axis=-1, keepdims=True), float) if shape and shape[-1] else x


Kind = Callable[[Streams, Shape], FloatArray]
KINDS: Mapping[str, Kind] = {
    "normal": _usual,
    "unit": lambda s, shape: s.uniform(shape),
    "positive": _positive,
    "negative": lambda s, shape: -_positive(s, shape),
    "quarters": _halves,
    "between": lambda s, shape: s.uniform(shape, -1.0, 1.0),
    "zero": _zeros,
    "equal": _equal,
    "large": lambda s, shape: 1e3 * s.normal(shape),
    "tiny": lambda s, shape: 1e-6 * s.normal(shape),
    "one": lambda s, shape: _zeros(s, shape) + 1.0,
    "signs": lambda s, shape: s.signs(shape),
    "simplex": _simplex,
    "one-hot": _one_hot,
    "not negative": lambda s, shape: np.abs(_halves(s, shape)),
}
DOMAIN = ("normal", "unit", "positive", "negative", "quarters", "between", "simplex")
"""Kinds of numbers that the usual family mixes; the others mix all."""
