"""RMSNorm in closed form, written without the graph.

y = x / √(mean(x²) + ε) · γ over the last axis.  x is ``(B, seq_len, d_model)``, gamma ``(B,
d_model)``, eps ``(B,)``.  Needs mean(x²) + ε > 0 in every row; not checked: 1/root is 0 elsewhere.
Source: B. Zhang, R. Sennrich, "Root mean square layer normalization", 2019; PyTorch's
    ``nn.RMSNorm``.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from numeric.closed_forms.form import ROWS, ClosedForm
from numeric.ops import Array

__all__ = ["FORMS", "forward", "jvp", "vjp"]

FloatArray = npt.NDArray[np.float64]


def _inverse(x: Array, eps: FloatArray) -> Array:
    """1/√(mean(x²) + ε) of each row, ``(B, seq_len, 1)``."""
    square = np.einsum("bij,bij->bi", x, x)[..., None] / x.shape[-1] + eps[:, None, None]
    positive = square > 0
    inverse: Array = np.where(positive, 1.0 / np.sqrt(np.where(positive, square, 1.0)), 0.0)
    return inverse


def forward(x: Array, gamma: Array, eps: FloatArray) -> Array:
    """The value, ``(B, seq_len, d_model)``."""
    y: Array = x * _inverse(x, eps) * gamma[:, None, :]
    return y


def jvp(x: Array, gamma: Array, eps: FloatArray, tangents: Mapping[str, Array]) -> Array:
    """The tangent of y: γ·r·(dx − x̂·mean(x̂·dx)) + x̂·dγ with r = 1/rms, x̂ = r·x."""
    r = _inverse(x, eps)
    hat = x * r
    dx = tangents.get("x", np.zeros_like(x))
    along = (hat * dx).sum(axis=-1, keepdims=True) / x.shape[-1]
    dy: Array = r * (dx - hat * along) * gamma[:, None, :]
    if "gamma" in tangents:
        dy = dy + hat * tangents["gamma"][:, None, :]
    return dy


def vjp(x: Array, gamma: Array, eps: FloatArray, cotangent: Array) -> dict[str, Array]:
    """Cotangents of x and gamma."""
    r = _inverse(x, eps)
    hat = x * r
    g = cotangent * gamma[:, None, :]
    along = (hat * g).sum(axis=-1, keepdims=True) / x.shape[-1]
    return {"x": r * (g - hat * along), "gamma": (cotangent * hat).sum(axis=1)}


FORMS = {
    "rmsNormGraph": ClosedForm(
        lambda at: {"y": forward(at.inputs["x"], at.inputs["gamma"], at.eps())},
        lambda at, t: jvp(at.inputs["x"], at.inputs["gamma"], at.eps(), t),
        lambda at, s: vjp(at.inputs["x"], at.inputs["gamma"], at.eps(), s),
        {"eps": "x"},
        ROWS,
    ),
}
