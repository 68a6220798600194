"""Activations by name: which one a model has, and what it computes.

Theorems are about tanh-GELU, erf-GELU and ReLU (`theorems`).  A function object is recognized by
its values, not by its name: names differ between libraries, and ``gelu`` means erf-GELU in most of
them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from numeric.closed_forms import gelu

__all__ = ["ACTIVATIONS", "ERF_GELU", "NAMES", "RELU", "TANH_GELU", "recognized"]

FloatArray = npt.NDArray[np.float64]
Activation = Callable[[FloatArray], FloatArray]

TANH_GELU = "tanh-GELU"
ERF_GELU = "erf-GELU"
RELU = "ReLU"
_RECOGNIZED = 1e-13
_PROBE = np.linspace(-8.0, 8.0, 4001)
_erf = np.frompyfunc(math.erf, 1, 1)


def _tanh_gelu(x: FloatArray) -> FloatArray:
    return np.asarray(gelu.forward(x), dtype=np.float64)


def _erf_gelu(x: FloatArray) -> FloatArray:
    erf = np.asarray(_erf(x / math.sqrt(2.0)), dtype=np.float64)
    return 0.5 * x * (1.0 + erf)


def _relu(x: FloatArray) -> FloatArray:
    return np.maximum(x, 0.0)


def _silu(x: FloatArray) -> FloatArray:
    return 0.5 * x * (1.0 + np.tanh(0.5 * x))


ACTIVATIONS: Mapping[str, Activation] = MappingProxyType(
    {TANH_GELU: _tanh_gelu, ERF_GELU: _erf_gelu, RELU: _relu, "SiLU": _silu}
)
"""What each activation computes, entry by entry."""

NAMES: Mapping[str, str] = MappingProxyType(
    {
        "gelu": ERF_GELU,
        "gelu_erf": ERF_GELU,
        "gelu_python": ERF_GELU,
        "gelu_new": TANH_GELU,
        "gelu_pytorch_tanh": TANH_GELU,
        "gelu_tanh": TANH_GELU,
        "relu": RELU,
        "silu": "SiLU",
        "swish": "SiLU",
    }
)
"""Their names in configurations."""


def recognized(function: Activation) -> tuple[str | None, float]:
    """The activation that ``function`` is, by its values on [−8, 8], and its distance from
    tanh-GELU there.

    Returns:
        ``None`` for a function that equals none of `ACTIVATIONS` to 1e-13.
    """
    values = function(_PROBE)
    distance = float(np.abs(values - _tanh_gelu(_PROBE)).max())
    for name, known in ACTIVATIONS.items():
        if float(np.abs(values - known(_PROBE)).max()) <= _RECOGNIZED:
            return name, distance
    return None, distance
