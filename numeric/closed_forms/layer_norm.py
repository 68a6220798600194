"""LayerNorm in closed form, written without the graph, and a decided sign of var + ε.

y = (x − mean x) / √(max(var x + ε, 0)) · γ + β, over the last axis, var biased (÷ d).
Arrays: x ``(B, seq_len, d_model)``, gamma and beta ``(B, d_model)``, eps ``(B,)``.
Source: `PostNorm.layerNormGraph`; J. L. Ba, J. R. Kiros, G. E. Hinton, "Layer normalization", 2016.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from numeric.closed_forms.form import ROWS, Arguments, ClosedForm, Tensors
from numeric.ops import Array

__all__ = ["FORMS", "VarEps", "centered", "forward", "jvp", "var_eps", "vjp"]

FloatArray = npt.NDArray[np.float64]
_U = 2.0**-53


def centered(x: Array) -> Array:
    """x − mean x.  The second pass subtracts the mean that rounding left."""
    d = x.shape[-1]
    c = x - x.sum(axis=-1, keepdims=True) / d
    twice: Array = c - c.sum(axis=-1, keepdims=True) / d
    return twice


def _inverse_std(c: Array, eps: FloatArray) -> Array:
    """1/√(var + ε), and 0 where var + ε is not positive (Lean: 0⁻¹ = 0).  Not `np.var`, which drops
    the imaginary part of the complex step."""
    v = (c * c).sum(axis=-1, keepdims=True) / c.shape[-1] + eps[:, None, None]
    positive = v.real > 0
    root = np.sqrt(np.where(positive, v, 1))
    inverse: Array = np.where(positive, 1.0 / root, 0)
    return inverse


def forward(x: Array, gamma: Array, beta: Array, eps: FloatArray) -> Array:
    """The value, ``(B, seq_len, d_model)``."""
    c = centered(x)
    y: Array = c * _inverse_std(c, eps) * gamma[:, None, :] + beta[:, None, :]
    return y


def jvp(x: Array, gamma: Array, eps: FloatArray, dx: Array, dgamma: Array, dbeta: Array) -> Array:
    """The tangent of y along (dx, dgamma, dbeta): γ·r·(dc − x̂·mean(x̂·dc)) + x̂·dγ + dβ.

    r = 1/std, x̂ = r·(x − mean x), dc = dx − mean dx.  Needs var + ε > 0 in every row; not checked.
    """
    c, dc = centered(x), centered(dx)
    r = _inverse_std(c, eps)
    hat = c * r
    along = (hat * dc).sum(axis=-1, keepdims=True) / x.shape[-1]
    dhat = r * (dc - hat * along)
    dy: Array = dhat * gamma[:, None, :] + hat * dgamma[:, None, :] + dbeta[:, None, :]
    return dy


def vjp(x: Array, gamma: Array, eps: FloatArray, cotangent: Array) -> tuple[Array, Array, Array]:
    """Cotangents of x, gamma and beta.  Needs var + ε > 0 in every row; not checked."""
    c = centered(x)
    r = _inverse_std(c, eps)
    hat = c * r
    g = cotangent * gamma[:, None, :]
    along = (hat * g).sum(axis=-1, keepdims=True) / x.shape[-1]
    return (
        r * (centered(g) - hat * along),
        (cotangent * hat).sum(axis=1),
        cotangent.sum(axis=1),
    )


@dataclass(frozen=True, slots=True)
class VarEps:
    """var + ε of every row, ``(B, seq_len)``: an enclosure, and a sign that is decided or left
    open.

    ``positive`` and ``nonpositive`` are both False where rounding hides the sign.
    """

    low: FloatArray
    high: FloatArray
    positive: npt.NDArray[np.bool_]
    nonpositive: npt.NDArray[np.bool_]


def var_eps(x: FloatArray, eps: FloatArray, radius: FloatArray | None = None) -> VarEps:
    """Enclose var + ε of the rows of ``x``, in exact arithmetic, and decide its sign.

    Around any centre m, var = mean (x − m)² − (mean (x − m))²; each mean of d terms is off by at
    most (d + 4)·u times its absolute terms.  A variance is 0 exactly when all entries are equal,
    which needs no arithmetic: a constant row is never mistaken for var = 1e-34, nor the reverse.
    For ε ≥ 0 the sign is therefore always decided where the rows are known exactly.

    Args:
        radius: how far each entry may be from the exact one, of the shape of ``x``; the rows are
            exact if None.  √var is a seminorm, so it moves by at most the root mean square of the
            radii; and the variance of any row is not negative.
    """
    with np.errstate(all="ignore"):  # a bound may overflow to ∞ or vanish to 0
        exact = _var_eps(x, eps)
        if radius is None:
            return exact
        return _blurred(x, eps, radius, exact)


def _blurred(x: FloatArray, eps: FloatArray, radius: FloatArray, exact: VarEps) -> VarEps:
    """The enclosure for rows within ``radius`` of ``x``; unchanged for rows with radius 0."""
    d = x.shape[-1]
    known = (radius == 0).all(axis=-1)
    e = eps[:, None]
    var = _var_eps(x, np.zeros(len(x)))
    drift = np.sqrt((radius * radius).sum(axis=-1) / d) * (1 + 2.0**-40) + 2.0**-500
    low = np.maximum(np.sqrt(np.maximum(var.low, 0)) * (1 - 4 * _U) - drift, 0) ** 2
    high = (np.sqrt(np.maximum(var.high, 0)) * (1 + 4 * _U) + drift) ** 2 * (1 + 8 * _U)
    low = np.where(np.isfinite(drift), low * (1 - 8 * _U), 0.0)
    high = np.where(np.isfinite(drift), high, np.inf)
    if d == 1:
        low, high = np.zeros_like(low), np.zeros_like(high)
    positive = np.where(known, exact.positive, (e > 0) | (low > -e))
    return VarEps(
        low=np.where(known, exact.low, _least(low, e, positive)),
        high=np.where(known, exact.high, _shifted(high, e, np.inf)),
        positive=positive,
        nonpositive=np.where(known, exact.nonpositive, high <= -e),
    )


def _shifted(bound: FloatArray, e: FloatArray, towards: float) -> FloatArray:
    """bound + ε, rounded outwards; exact where either is 0."""
    return np.where((e == 0) | (bound == 0), bound + e, np.nextafter(bound + e, towards))


def _least(low: FloatArray, e: FloatArray, positive: npt.NDArray[np.bool_]) -> FloatArray:
    """The lower bound of var + ε; above 0 where positivity is known."""
    bound = _shifted(low, e, -np.inf)
    return np.where(positive, np.maximum(bound, np.nextafter(0.0, 1.0)), bound)


def _var_eps(x: FloatArray, eps: FloatArray) -> VarEps:
    d = x.shape[-1]
    gamma = (d + 8) * _U
    # Scaled by a power of two, which is exact, so that squares neither overflow nor underflow.
    _, exponent = np.frexp(np.abs(x).max(axis=-1))
    scaled = np.ldexp(x, -exponent[..., None])
    c = scaled - scaled.sum(axis=-1, keepdims=True) / d
    square = (c * c).sum(axis=-1) / d
    drift = np.abs(c.sum(axis=-1) / d)
    slack = gamma * np.abs(c).sum(axis=-1) / d
    low = square * (1 - 2 * gamma) - (drift + slack) ** 2 * (1 + 4 * _U)
    high = square * (1 + 2 * gamma) - np.maximum(drift - slack, 0) ** 2 * (1 - 4 * _U)
    constant = x.max(axis=-1) == x.min(axis=-1)
    low = np.ldexp(np.where(constant, 0.0, np.maximum(low, 0.0)), 2 * exponent)
    high = np.ldexp(np.where(constant, 0.0, high), 2 * exponent)
    e = eps[:, None]
    positive = (low > -e) | ((e == 0) & ~constant)
    nonpositive = (high <= -e) & ((e < 0) | constant)
    return VarEps(
        low=_least(low, e, positive),
        high=_shifted(high, e, np.inf),
        positive=positive,
        nonpositive=nonpositive,
    )


def _run(at: Arguments) -> dict[str, Array]:
    x, gamma, beta = (at.inputs[n] for n in ("x", "gamma", "beta"))
    return {"centered": centered(x), "y": forward(x, gamma, beta, at.eps())}


def _push(at: Arguments, tangents: Tensors) -> Array:
    dx, dgamma, dbeta = (
        tangents.get(n, np.zeros_like(at.inputs[n])) for n in ("x", "gamma", "beta")
    )
    return jvp(at.inputs["x"], at.inputs["gamma"], at.eps(), dx, dgamma, dbeta)


def _pull(at: Arguments, cotangent: Array) -> dict[str, Array]:
    found = vjp(at.inputs["x"], at.inputs["gamma"], at.eps(), cotangent)
    return dict(zip(("x", "gamma", "beta"), found, strict=True))


FORMS = {"layerNormGraph": ClosedForm(_run, _push, _pull, {"eps": "x"}, ROWS)}
