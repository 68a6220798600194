"""The post-norm encoder block in closed form: LN₂(FFN(y) + y) with y = LN₁(MHA(x) + x).

Tensors are passed by name with a batch axis in front: x, the parameters of `closed_forms.attention`
and `feed_forward`, and gamma1, beta1, gamma2, beta2 ``(B, d_model)``.  ε₁ and ε₂ are ``(B,)``.
The derivatives need var + ε > 0 in every row of both residuals; not checked.
Source: `PostNorm.encoderBlockGraph`; PyTorch's ``nn.TransformerEncoderLayer(norm_first=False)``
    with ``activation=gelu(approximate="tanh")`` and without dropout (its weights are ours
    transposed).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from numeric.closed_forms import attention, feed_forward, post_norm
from numeric.closed_forms.activations import GELU, RELU, TANH_GELU, Activation
from numeric.closed_forms.form import EVERY, Arguments, ClosedForm
from numeric.ops import Array

__all__ = [
    "FORMS",
    "Saved",
    "forward",
    "jvp",
    "residual_jvp",
    "residual_vjp",
    "run",
    "saved_names",
    "vjp",
]

FloatArray = npt.NDArray[np.float64]
Tensors = Mapping[str, Array]


@dataclass(frozen=True, slots=True)
class Saved:
    """The intermediate values of both sublayers."""

    first: post_norm.Saved[attention.Saved]
    second: post_norm.Saved[feed_forward.Saved]

    @property
    def output(self) -> Array:
        """The value, ``(B, seq_len, d_model)``."""
        return self.second.output


def run(
    tensors: Tensors,
    num_heads: int,
    eps1: FloatArray,
    eps2: FloatArray,
    mask: Array | None = None,
    scale: Array | None = None,
    activation: Activation = TANH_GELU,
) -> Saved:
    """The value with all saved tensors; ``num_heads``, ``mask``, ``scale`` as in
    `numeric.closed_forms.attention`."""
    first = post_norm.attention_run(_first(tensors), num_heads, eps1, mask, scale)
    second = post_norm.feed_forward_run(_second(tensors, first.output), eps2, activation)
    return Saved(first, second)


def forward(
    tensors: Tensors,
    num_heads: int,
    eps1: FloatArray,
    eps2: FloatArray,
    mask: Array | None = None,
    scale: Array | None = None,
) -> Array:
    """The value, ``(B, seq_len, d_model)``."""
    return run(tensors, num_heads, eps1, eps2, mask, scale).output


def jvp(tensors: Tensors, saved: Saved, tangents: Tensors) -> Array:
    """The tangent of the output; tangents that are left out are 0.

    Args:
        tensors: as for `run`, which made ``saved``.
    """
    dy = post_norm.attention_jvp(_first(tensors), saved.first, _first(tangents))
    return post_norm.feed_forward_jvp(
        _second(tensors, saved.first.output), saved.second, _second(tangents, dy)
    )


def vjp(tensors: Tensors, saved: Saved, cotangent: Array) -> dict[str, Array]:
    """Cotangents of x and of every parameter that is present."""
    second = post_norm.feed_forward_vjp(
        _second(tensors, saved.first.output), saved.second, cotangent
    )
    first = post_norm.attention_vjp(_first(tensors), saved.first, second.pop("x"))
    return {
        **{_renamed(name, "1"): value for name, value in first.items()},
        **{_renamed(name, "2"): value for name, value in second.items()},
    }


def residual_jvp(tensors: Tensors, saved: Saved, tangents: Tensors) -> Array:
    """The tangent of FFN(y) + y, which the second LayerNorm normalizes."""
    dy = post_norm.attention_jvp(_first(tensors), saved.first, _first(tangents))
    second = _second(tensors, saved.first.output)
    return dy + feed_forward.jvp(second, saved.second.branch, _second(tangents, dy))


def residual_vjp(tensors: Tensors, saved: Saved, cotangent: Array) -> dict[str, Array]:
    """Cotangents of all tensors from one of FFN(y) + y; gamma2 and beta2 get 0."""
    pulled = feed_forward.vjp(_second(tensors, saved.first.output), saved.second.branch, cotangent)
    first = post_norm.attention_vjp(_first(tensors), saved.first, cotangent + pulled.pop("x"))
    unread = {name: np.zeros_like(tensors[name]) for name in ("gamma2", "beta2")}
    return {**{_renamed(name, "1"): v for name, v in first.items()}, **pulled, **unread}


def _renamed(name: str, number: str) -> str:
    return name + number if name in ("gamma", "beta") else name


def _first(tensors: Tensors) -> dict[str, Array]:
    """The first sublayer's tensors by its own names."""
    names = {"x": "x", "gamma1": "gamma", "beta1": "beta"}
    names.update({p: p for p in (*attention.PARAMETERS, "mask")})
    return {own: tensors[name] for name, own in names.items() if name in tensors}


def _second(tensors: Tensors, x: Array) -> dict[str, Array]:
    """The second sublayer's tensors by its own names; ``x`` is the first one's output."""
    names = {"gamma2": "gamma", "beta2": "beta", **{p: p for p in feed_forward.PARAMETERS}}
    return {"x": x, **{own: tensors[name] for name, own in names.items() if name in tensors}}


def saved_names(saved: Saved, *, masked: bool) -> dict[str, Array]:
    """The saved tensors under the graph's names."""
    return {
        **attention.saved_names(saved.first.branch, "mha.", masked=masked),
        **post_norm.norm_names(saved.first, "attnResidual", "norm1"),
        **feed_forward.saved_names(saved.second.branch, "ffn."),
        **post_norm.norm_names(saved.second, "ffnResidual", "norm2"),
    }


def _block(at: Arguments, activation: Activation = TANH_GELU) -> Saved:
    eps = at.eps("eps1"), at.eps("eps2")
    return run(at.inputs, at.heads, *eps, scale=at.scale, activation=activation)


def _form(activation: Activation, *, masked: bool) -> ClosedForm:
    return ClosedForm(
        lambda at: saved_names(_block(at, activation), masked=masked),
        lambda at, t: jvp(at.inputs, _block(at, activation), t),
        lambda at, s: vjp(at.inputs, _block(at, activation), s),
        {"eps1": "attnResidual", "eps2": "ffnResidual"},
        EVERY,
    )


def _until_residual(at: Arguments) -> dict[str, Array]:
    """The block's saved tensors up to its second residual."""
    found = saved_names(_block(at), masked=False)
    names = list(found)
    return {name: found[name] for name in names[: names.index("ffnResidual") + 1]}


FORMS = {
    "encoderFfnResidualGraph": ClosedForm(
        _until_residual,
        lambda at, t: residual_jvp(at.inputs, _block(at), t),
        lambda at, s: residual_vjp(at.inputs, _block(at), s),
        {"eps1": "attnResidual"},
        EVERY,
    ),
    "encoderBlockGraph": _form(TANH_GELU, masked=False),
    "biasedEncoderBlockGraph": _form(TANH_GELU, masked=True),
    "geluEncoderBlockGraph": _form(GELU, masked=True),
    "reluEncoderBlockGraph": _form(RELU, masked=True),
}
