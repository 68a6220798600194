"""The block's two sublayers in closed form: LN(x + MHA(x)) and LN(x + FFN(x)).

Tensors are passed by name with a batch axis in front: x, the parameters of the branch (see
`attention` and `feed_forward`), and gamma, beta ``(B, d_model)`` of the LayerNorm.
ε is ``(B,)``.  The derivatives need var + ε > 0 in every row of the residual; not checked.
Source: `PostNorm.mhaPostNormGraph`, `PostNorm.seqFfnPostNormGraph`; A. Vaswani et al., "Attention
    is all you need", 2017, section 3.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from numeric.closed_forms import attention, feed_forward, layer_norm
from numeric.closed_forms.activations import TANH_GELU, Activation
from numeric.closed_forms.form import HEADS, ROWS, Arguments, ClosedForm
from numeric.ops import Array

__all__ = [
    "FORMS",
    "Saved",
    "attention_jvp",
    "attention_run",
    "attention_vjp",
    "feed_forward_jvp",
    "feed_forward_run",
    "feed_forward_vjp",
    "norm_names",
]

FloatArray = npt.NDArray[np.float64]
Tensors = Mapping[str, Array]
Branch = TypeVar("Branch", attention.Saved, feed_forward.Saved)


@dataclass(frozen=True, slots=True)
class Saved(Generic[Branch]):
    """The values of a sublayer: its branch, ``residual`` = x + branch(x), and ``output`` =
    LN(residual)."""

    branch: Branch
    residual: Array
    output: Array
    eps: FloatArray


def attention_run(
    tensors: Tensors,
    num_heads: int,
    eps: FloatArray,
    mask: Array | None = None,
    scale: Array | None = None,
) -> Saved[attention.Saved]:
    """LN(x + MHA(x)) with all saved tensors; ``num_heads``, ``mask``, ``scale`` as in
    `numeric.closed_forms.attention`."""
    branch = attention.run(tensors, num_heads, mask, scale)
    return _finish(tensors, branch, branch.output, eps)


def feed_forward_run(
    tensors: Tensors, eps: FloatArray, activation: Activation = TANH_GELU
) -> Saved[feed_forward.Saved]:
    """LN(x + FFN(x)) with all saved tensors."""
    branch = feed_forward.run(tensors, activation)
    return _finish(tensors, branch, branch.output, eps)


def attention_jvp(tensors: Tensors, saved: Saved[attention.Saved], tangents: Tensors) -> Array:
    """The tangent of the output; tangents that are left out are 0."""
    return _norm_jvp(tensors, saved, tangents, attention.jvp(tensors, saved.branch, tangents))


def feed_forward_jvp(
    tensors: Tensors, saved: Saved[feed_forward.Saved], tangents: Tensors
) -> Array:
    """The tangent of the output; tangents that are left out are 0."""
    return _norm_jvp(tensors, saved, tangents, feed_forward.jvp(tensors, saved.branch, tangents))


def attention_vjp(
    tensors: Tensors, saved: Saved[attention.Saved], cotangent: Array
) -> dict[str, Array]:
    """Cotangents of x and of every parameter that is present."""
    through, found = _norm_vjp(tensors, saved, cotangent)
    pulled = attention.vjp(tensors, saved.branch, through)
    return {**pulled, "x": pulled["x"] + through, **found}


def feed_forward_vjp(
    tensors: Tensors, saved: Saved[feed_forward.Saved], cotangent: Array
) -> dict[str, Array]:
    """Cotangents of x and of every parameter."""
    through, found = _norm_vjp(tensors, saved, cotangent)
    pulled = feed_forward.vjp(tensors, saved.branch, through)
    return {**pulled, "x": pulled["x"] + through, **found}


def _finish(tensors: Tensors, branch: Branch, value: Array, eps: FloatArray) -> Saved[Branch]:
    residual = tensors["x"] + value
    output = layer_norm.forward(residual, tensors["gamma"], tensors["beta"], eps)
    return Saved(branch, residual, output, eps)


def _norm_jvp(tensors: Tensors, saved: Saved[Branch], tangents: Tensors, dvalue: Array) -> Array:
    dx, dgamma, dbeta = (
        tangents.get(name, np.zeros_like(tensors[name])) for name in ("x", "gamma", "beta")
    )
    return layer_norm.jvp(saved.residual, tensors["gamma"], saved.eps, dx + dvalue, dgamma, dbeta)


def _norm_vjp(
    tensors: Tensors, saved: Saved[Branch], cotangent: Array
) -> tuple[Array, dict[str, Array]]:
    """The cotangent of the residual, and those of gamma and beta."""
    through, gamma, beta = layer_norm.vjp(saved.residual, tensors["gamma"], saved.eps, cotangent)
    return through, {"gamma": gamma, "beta": beta}


def _attend(at: Arguments) -> Saved[attention.Saved]:
    return attention_run(at.inputs, at.heads, at.eps(), scale=at.scale)


def _feed(at: Arguments) -> Saved[feed_forward.Saved]:
    return feed_forward_run(at.inputs, at.eps())


def norm_names(saved: Saved[Any], residual: str, norm: str) -> dict[str, Array]:
    """The saved tensors after the branch, under the graph's names."""
    return {
        residual: saved.residual,
        f"{norm}.centered": layer_norm.centered(saved.residual),
        f"{norm}.y": saved.output,
    }


def _attention_names(saved: Saved[attention.Saved]) -> dict[str, Array]:
    names = attention.saved_names(saved.branch, "mha.")
    return {**names, **norm_names(saved, "residual", "norm")}


def _feed_forward_names(saved: Saved[feed_forward.Saved]) -> dict[str, Array]:
    names = feed_forward.saved_names(saved.branch, "ffn.")
    return {**names, **norm_names(saved, "residual", "norm")}


FORMS = {
    "mhaPostNormGraph": ClosedForm(
        lambda at: _attention_names(_attend(at)),
        lambda at, t: attention_jvp(at.inputs, _attend(at), t),
        lambda at, s: attention_vjp(at.inputs, _attend(at), s),
        {"eps": "residual"},
        HEADS,
    ),
    "seqFfnPostNormGraph": ClosedForm(
        lambda at: _feed_forward_names(_feed(at)),
        lambda at, t: feed_forward_jvp(at.inputs, _feed(at), t),
        lambda at, s: feed_forward_vjp(at.inputs, _feed(at), s),
        {"eps": "residual"},
        (*ROWS, "dFF"),
    ),
}
