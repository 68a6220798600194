"""The activations of feed-forward layers, entry by entry, each with its derivative.

`TANH_GELU` is `gelu`; `GELU` is x · Φ(x) with the normal distribution function Φ; `RELU` is
max(x, 0), whose derivative at 0 is given as 0 (there is none); `SILU` is x · σ(x) with the logistic
function σ, and `QUICK_GELU` is x · σ(1.702 x).
Source: D. Hendrycks, K. Gimpel, "Gaussian error linear units", 2016; PyTorch's ``gelu`` and
    ``relu``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from numeric.closed_forms import gelu
from numeric.ops import Array

__all__ = ["GELU", "QUICK_GELU", "RELU", "SILU", "TANH_GELU", "Activation"]

_ERFC = np.frompyfunc(math.erfc, 1, 1)


@dataclass(frozen=True, slots=True)
class Activation:
    """A function of one number and its derivative, both on arrays of float64."""

    name: str
    forward: Callable[[Array], Array]
    derivative: Callable[[Array], Array]


def _cdf(x: Array) -> Array:
    """Φ(x) by the complementary error function, which keeps its digits far to the left."""
    return 0.5 * np.asarray(_ERFC(x * -math.sqrt(0.5)), dtype=np.float64)


def _pdf(x: Array) -> Array:
    density: Array = np.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi)
    return density


TANH_GELU = Activation("tanh-GELU", gelu.forward, gelu.derivative)
GELU = Activation("GELU", lambda x: x * _cdf(x), lambda x: _cdf(x) + x * _pdf(x))
RELU = Activation("ReLU", lambda x: np.where(x > 0, x, 0.0), lambda x: (x > 0).astype(np.float64))


def _sigmoid(x: Array) -> Array:
    """1/(1 + exp(−x)) = (1 + tanh(x/2))/2 would lose its digits far to the left."""
    e = np.exp(-np.abs(x))
    value: Array = np.where(x >= 0, 1.0, e) / (1.0 + e)
    return value


def _logistic(name: str, by: float) -> Activation:
    """x · σ(by · x)."""

    def derivative(x: Array) -> Array:
        right = _sigmoid(by * x)
        slope: Array = right + by * x * right * _sigmoid(-by * x)
        return slope

    return Activation(name, lambda x: x * _sigmoid(by * x), derivative)


SILU = _logistic("SiLU", 1.0)
QUICK_GELU = _logistic("quick-GELU", 1.702)
