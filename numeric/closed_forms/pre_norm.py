"""The pre-norm block in closed form: FFN(LN₂(y)) + y with y = MHA(LN₁(x)) + x.

Tensors are passed by name with a batch axis in front, as for `closed_forms.encoder_block`; ε₁ and
ε₂ are ``(B,)``.  The derivatives need var + ε > 0 in every row of x and of y; not checked.
Source: R. Xiong et al., "On layer normalization in the Transformer architecture", 2020; PyTorch's
    ``nn.TransformerEncoderLayer(norm_first=True)`` without dropout (its weights are ours
    transposed).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from numeric.closed_forms import attention, feed_forward, layer_norm
from numeric.closed_forms.activations import GELU, QUICK_GELU, RELU, TANH_GELU, Activation
from numeric.closed_forms.form import EVERY, Arguments, ClosedForm
from numeric.ops import Array

__all__ = ["FORMS", "Saved", "jvp", "run", "vjp"]

FloatArray = npt.NDArray[np.float64]
Tensors = Mapping[str, Array]


@dataclass(frozen=True, slots=True)
class Saved:
    """The intermediate values of the block: the two normalized streams, the two branches, the first
    ``residual`` and the ``output``."""

    norm1: Array
    attention: attention.Saved
    residual: Array
    norm2: Array
    feed_forward: feed_forward.Saved
    output: Array
    eps: tuple[FloatArray, FloatArray]


def run(
    tensors: Tensors,
    num_heads: int,
    eps1: FloatArray,
    eps2: FloatArray,
    *,
    scale: Array | None = None,
    activation: Activation = TANH_GELU,
) -> Saved:
    """The value with all saved tensors; ``num_heads`` and ``scale`` as in `attention`."""
    x = tensors["x"]
    norm1 = layer_norm.forward(x, tensors["gamma1"], tensors["beta1"], eps1)
    first = attention.run({**tensors, "x": norm1}, num_heads, scale=scale)
    residual = first.output + x
    norm2 = layer_norm.forward(residual, tensors["gamma2"], tensors["beta2"], eps2)
    second = feed_forward.run({**tensors, "x": norm2}, activation)
    return Saved(norm1, first, residual, norm2, second, second.output + residual, (eps1, eps2))


def jvp(tensors: Tensors, saved: Saved, tangents: Tensors) -> Array:
    """The tangent of the output; tangents that are left out are 0."""

    def given(name: str) -> Array:
        return tangents.get(name, np.zeros_like(tensors[name]))

    dx = given("x")
    dnorm1 = layer_norm.jvp(
        tensors["x"], tensors["gamma1"], saved.eps[0], dx, given("gamma1"), given("beta1")
    )
    dy = dx + attention.jvp(
        {**tensors, "x": saved.norm1}, saved.attention, {**tangents, "x": dnorm1}
    )
    dnorm2 = layer_norm.jvp(
        saved.residual, tensors["gamma2"], saved.eps[1], dy, given("gamma2"), given("beta2")
    )
    return dy + feed_forward.jvp(
        {**tensors, "x": saved.norm2}, saved.feed_forward, {**tangents, "x": dnorm2}
    )


def vjp(tensors: Tensors, saved: Saved, cotangent: Array) -> dict[str, Array]:
    """Cotangents of x and of every parameter that is present."""
    second = feed_forward.vjp({**tensors, "x": saved.norm2}, saved.feed_forward, cotangent)
    through2, gamma2, beta2 = layer_norm.vjp(
        saved.residual, tensors["gamma2"], saved.eps[1], second.pop("x")
    )
    residual = cotangent + through2
    first = attention.vjp({**tensors, "x": saved.norm1}, saved.attention, residual)
    through1, gamma1, beta1 = layer_norm.vjp(
        tensors["x"], tensors["gamma1"], saved.eps[0], first.pop("x")
    )
    norms = {"gamma1": gamma1, "beta1": beta1, "gamma2": gamma2, "beta2": beta2}
    return {"x": residual + through1, **first, **second, **norms}


def _form(activation: Activation) -> ClosedForm:
    def block(at: Arguments) -> Saved:
        eps = at.eps("eps1"), at.eps("eps2")
        return run(at.inputs, at.heads, *eps, scale=at.scale, activation=activation)

    def names(at: Arguments) -> dict[str, Array]:
        saved = block(at)
        return {
            "norm1.centered": layer_norm.centered(at.inputs["x"]),
            "norm1.y": saved.norm1,
            **attention.saved_names(saved.attention, "mha.", masked=True),
            "attnResidual": saved.residual,
            "norm2.centered": layer_norm.centered(saved.residual),
            "norm2.y": saved.norm2,
            **feed_forward.saved_names(saved.feed_forward, "ffn."),
            "ffnResidual": saved.output,
        }

    return ClosedForm(
        names,
        lambda at, t: jvp(at.inputs, block(at), t),
        lambda at, s: vjp(at.inputs, block(at), s),
        {"eps1": "x", "eps2": "attnResidual"},
        EVERY,
    )


FORMS = {
    "preNormReluBlockGraph": _form(RELU),
    "preNormGeluBlockGraph": _form(GELU),
    "preNormGeluTanhBlockGraph": _form(TANH_GELU),
    "preNormQuickGeluBlockGraph": _form(QUICK_GELU),
}
