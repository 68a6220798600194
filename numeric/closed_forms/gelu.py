"""GELU by its tanh approximation, written without the graph.

gelu x = x/2 · (1 + tanh(k·(x + a·x³))), k = √(2/π), a = 0.044715.
Source: D. Hendrycks, K. Gimpel, "Gaussian error linear units", 2016; PyTorch's
    ``gelu(approximate="tanh")``.
"""

from __future__ import annotations

import math

import numpy as np

from numeric.closed_forms.form import ClosedForm
from numeric.ops import Array

__all__ = ["CUBIC", "FORMS", "SLOPE", "cubic", "derivative", "forward"]

SLOPE = math.sqrt(2.0 / math.pi)
CUBIC = 0.044715


def cubic(x: Array) -> Array:
    """a·x³, entry by entry."""
    return CUBIC * x * x * x


def forward(x: Array) -> Array:
    """The value, entry by entry."""
    y: Array = 0.5 * x * (1.0 + np.tanh(SLOPE * (x + cubic(x))))
    return y


def derivative(x: Array) -> Array:
    """gelu′, entry by entry: (1 + tanh u)/2 + x/2 · (1 − tanh² u) · u′.

    1 − tanh² is taken as 1/cosh², from e^(−2|u|): the difference loses every digit for large |u|.
    """
    u = SLOPE * (x + cubic(x))
    e = np.exp(-2.0 * np.where(u.real < 0, -u, u))
    sech2 = 4.0 * e / ((1.0 + e) * (1.0 + e))
    slope: Array = 0.5 * (1.0 + np.tanh(u)) + 0.5 * x * sech2 * SLOPE * (1.0 + 3 * CUBIC * x * x)
    return slope


FORMS = {
    "geluGraph": ClosedForm(
        lambda at: {"y": forward(at.inputs["x"])},
        lambda at, t: derivative(at.inputs["x"]) * t["x"],
        lambda at, s: {"x": derivative(at.inputs["x"]) * s},
        {},
        ("seqLen", "dFF"),
    ),
}
