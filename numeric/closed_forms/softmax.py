"""Softmax over the last axis in closed form, written without the graph.

p = exp z / Σ exp z, with the largest entry subtracted first: without that, exp overflows at 710.
Source: J. S. Bridle, "Probabilistic interpretation of feedforward classification network outputs",
    1990; PyTorch's ``softmax(dim=-1)``.
"""

from __future__ import annotations

import numpy as np

from numeric.closed_forms.form import ROWS, ClosedForm
from numeric.ops import Array

__all__ = ["FORMS", "forward", "jvp", "vjp"]


def forward(z: Array) -> Array:
    """The value, of the shape of ``z``.

    The shift is by a real number, so that the complex step passes through.  An entry may be −∞ (a
    mask), as long as another one of its row is finite.
    """
    e = np.exp(z - z.real.max(axis=-1, keepdims=True))
    p: Array = e / e.sum(axis=-1, keepdims=True)
    return p


def jvp(p: Array, dz: Array) -> Array:
    """The tangent of p = softmax z along dz: p·(dz − ⟨p, dz⟩)."""
    dp: Array = p * (dz - (p * dz).sum(axis=-1, keepdims=True))
    return dp


def vjp(p: Array, cotangent: Array) -> Array:
    """The cotangent of z; softmax's Jacobian diag p − p pᵀ is symmetric."""
    return jvp(p, cotangent)


FORMS = {
    "softmaxGraph": ClosedForm(
        lambda at: {"weights": forward(at.inputs["x"])},
        lambda at, t: jvp(forward(at.inputs["x"]), t["x"]),
        lambda at, s: {"x": vjp(forward(at.inputs["x"]), s)},
        {},
        ROWS,
    ),
}
