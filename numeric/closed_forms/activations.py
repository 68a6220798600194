"""The activations of feed-forward layers, entry by entry, each with its derivative.

`TANH_GELU` is `gelu`; `GELU` is x · Φ(x) with the normal distribution function Φ; `RELU` is
max(x, 0), whose derivative at 0 is given as 0 (there is none).
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

__all__ = ["GELU", "RELU", "TANH_GELU", "Activation"]

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
