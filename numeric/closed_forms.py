"""The closed form of every graph that has one, by the graph's name.

Each is a function of a graph's inputs, constants and sizes, all by name, which shares no code with
the interpreter and gives the saved tensors that the graph and the closed form have in common, under
the graph's names for them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from numeric import (
    attention,
    encoder_block,
    feed_forward,
    gelu,
    layer_norm,
    post_norm,
    pre_norm,
    rms_norm,
    softmax,
    stack,
)
from numeric.activations import GELU, QUICK_GELU, RELU, TANH_GELU, Activation
from numeric.formulas import WRITTEN_FORMS, Given, WrittenForm
from numeric.graph import Graph, GraphError
from numeric.ops import Array

__all__ = [
    "CLOSED_FORMS",
    "Arguments",
    "ClosedForm",
    "add_closed_form",
    "arguments",
    "closed_form",
]

FloatArray = npt.NDArray[np.float64]
Tensors = Mapping[str, Array]


@dataclass(frozen=True, slots=True)
class Arguments:
    """What a closed form is a function of.

    Attributes:
        inputs: tensors ``(B, *shape)`` by name.
        constants: numbers ``(B,)`` by the graph's symbols.
        sizes: of the graph, such as ``numHeads``.
    """

    inputs: Tensors
    constants: Mapping[str, FloatArray]
    sizes: Mapping[str, int]

    def eps(self, symbol: str = "eps") -> FloatArray:
        """LayerNorm's ε; 0 where the graph has lost it."""
        found = self.constants.get(symbol)
        return np.zeros(len(next(iter(self.inputs.values())))) if found is None else found

    @property
    def heads(self) -> int:
        """The number of attention heads."""
        return self.sizes["numHeads"]

    @property
    def scale(self) -> FloatArray | None:
        """The scale of the attention's scores, where the graph has a symbol for it."""
        return self.constants.get("scale")


Run = Callable[[Arguments], dict[str, Array]]
Push = Callable[[Arguments, Tensors], Array]
Pull = Callable[[Arguments, Array], dict[str, Array]]


@dataclass(frozen=True, slots=True)
class ClosedForm:
    """Value and derivatives of one graph's function.

    Attributes:
        run: saved tensors by the graph's names for them, in the graph's order; the last is the
            value.
        jvp: the tangent of the value from tangents of inputs; those left out are 0.
        vjp: cotangents of all inputs from a cotangent of the value.
        normalized: for each symbol of an ε, the saved tensor or input whose rows its LayerNorm
            normalizes.
        sizes: names of the graph's sizes.
        scores: for each saved tensor of an attention's scores, the inputs that it is proportional
            to; empty where Wq and Wk are.
    """

    run: Run
    jvp: Push
    vjp: Pull
    normalized: Mapping[str, str]
    sizes: tuple[str, ...]
    scores: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def forward(self, at: Arguments) -> Array:
        """The value."""
        return list(self.run(at).values())[-1]


def arguments(graph: Graph, inputs: Tensors, constants: Mapping[str, FloatArray]) -> Arguments:
    """The closed form's arguments for instances of ``graph``."""
    return Arguments(inputs, constants, graph.sizes)


def _layer_norm_run(at: Arguments) -> dict[str, Array]:
    x, gamma, beta = (at.inputs[n] for n in ("x", "gamma", "beta"))
    return {"centered": layer_norm.centered(x), "y": layer_norm.forward(x, gamma, beta, at.eps())}


def _layer_norm_jvp(at: Arguments, tangents: Tensors) -> Array:
    dx, dgamma, dbeta = (
        tangents.get(n, np.zeros_like(at.inputs[n])) for n in ("x", "gamma", "beta")
    )
    return layer_norm.jvp(at.inputs["x"], at.inputs["gamma"], at.eps(), dx, dgamma, dbeta)


def _layer_norm_vjp(at: Arguments, cotangent: Array) -> dict[str, Array]:
    found = layer_norm.vjp(at.inputs["x"], at.inputs["gamma"], at.eps(), cotangent)
    return dict(zip(("x", "gamma", "beta"), found, strict=True))


def _attention(at: Arguments) -> attention.Saved:
    return attention.run(at.inputs, at.heads, scale=at.scale)


def _mha_post_norm(at: Arguments) -> post_norm.Saved[attention.Saved]:
    return post_norm.attention_run(at.inputs, at.heads, at.eps(), scale=at.scale)


def _ffn_post_norm(at: Arguments) -> post_norm.Saved[feed_forward.Saved]:
    return post_norm.feed_forward_run(at.inputs, at.eps())


def _block(at: Arguments) -> encoder_block.Saved:
    return encoder_block.run(at.inputs, at.heads, at.eps("eps1"), at.eps("eps2"), scale=at.scale)


def _attention_saved(saved: attention.Saved, prefix: str) -> dict[str, Array]:
    """The attention's saved tensors under the graph's names."""
    return {
        f"{prefix}qHeads.heads": saved.query,
        f"{prefix}kHeads.heads": saved.key,
        f"{prefix}vHeads.heads": saved.value,
        f"{prefix}scaled": saved.scores,
        f"{prefix}softmax.weights": saved.weights,
        f"{prefix}context": saved.context,
        f"{prefix}merged": saved.merged,
        f"{prefix}projected": saved.output,
    }


def _biased_mha_run(at: Arguments) -> dict[str, Array]:
    """Scores carry the mask, and go by the name of the masked ones."""
    return {
        {"scaled": "masked"}.get(name, name): value
        for name, value in _attention_saved(_attention(at), "").items()
    }


def _feed_forward_saved(saved: feed_forward.Saved, prefix: str) -> dict[str, Array]:
    """The feed-forward layer's saved tensors under the graph's names."""
    return {
        f"{prefix}hiddenPre": saved.hidden,
        f"{prefix}hiddenAct.y": saved.active,
        f"{prefix}projected": saved.output,
    }


def _mha_post_norm_run(at: Arguments) -> dict[str, Array]:
    saved = _mha_post_norm(at)
    return {
        **_attention_saved(saved.branch, "mha."),
        "residual": saved.residual,
        "norm.centered": layer_norm.centered(saved.residual),
        "norm.y": saved.output,
    }


def _ffn_post_norm_run(at: Arguments) -> dict[str, Array]:
    saved = _ffn_post_norm(at)
    return {
        **_feed_forward_saved(saved.branch, "ffn."),
        "residual": saved.residual,
        "norm.centered": layer_norm.centered(saved.residual),
        "norm.y": saved.output,
    }


def _stack(at: Arguments) -> tuple[encoder_block.Saved, ...]:
    eps = at.eps("eps1"), at.eps("eps2")
    return stack.run(at.inputs, at.sizes["depth"], at.heads, *eps, scale=at.scale)


def _stack_run(at: Arguments) -> dict[str, Array]:
    """Every block's saved tensors; those of a block with a mask under their names there."""
    found: dict[str, Array] = {}
    for layer, saved in enumerate(_stack(at)):
        start = stack.prefix(layer)
        masked = f"{start}mask" in at.inputs
        for name, value in _block_saved(saved).items():
            found[start + (_MASKED.get(name, name) if masked else name)] = value
    return found


def _block_run(at: Arguments) -> dict[str, Array]:
    return _block_saved(_block(at))


def _block_saved(saved: encoder_block.Saved) -> dict[str, Array]:
    return {
        **_attention_saved(saved.first.branch, "mha."),
        "attnResidual": saved.first.residual,
        "norm1.centered": layer_norm.centered(saved.first.residual),
        "norm1.y": saved.first.output,
        **_feed_forward_saved(saved.second.branch, "ffn."),
        "ffnResidual": saved.second.residual,
        "norm2.centered": layer_norm.centered(saved.second.residual),
        "norm2.y": saved.output,
    }


_MASKED = {"mha.scaled": "mha.masked"}


def _biased_block_run(at: Arguments) -> dict[str, Array]:
    """As the block's, but that the scores with the mask go by the name of the masked ones."""
    return {_MASKED.get(name, name): value for name, value in _block_run(at).items()}


def _until(name: str, saved: dict[str, Array]) -> dict[str, Array]:
    """The saved tensors up to one of them."""
    names = list(saved)
    return {n: saved[n] for n in names[: names.index(name) + 1]}


_ROWS = ("seqLen", "dModel")
_HEADS = (*_ROWS, "numHeads", "headDim")
_EVERY = (*_HEADS, "dFF")


def _post_norm_form(activation: Activation) -> ClosedForm:
    """The post-norm block with biases, mask and this activation."""

    def block(at: Arguments) -> encoder_block.Saved:
        eps = at.eps("eps1"), at.eps("eps2")
        return encoder_block.run(at.inputs, at.heads, *eps, scale=at.scale, activation=activation)

    def run(at: Arguments) -> dict[str, Array]:
        saved = _block_saved(block(at))
        return {_MASKED.get(name, name): value for name, value in saved.items()}

    return ClosedForm(
        run,
        lambda at, t: encoder_block.jvp(at.inputs, block(at), t),
        lambda at, s: encoder_block.vjp(at.inputs, block(at), s),
        {"eps1": "attnResidual", "eps2": "ffnResidual"},
        _EVERY,
    )


def _pre_norm_form(activation: Activation) -> ClosedForm:
    """The pre-norm block with biases, mask and this activation."""

    def block(at: Arguments) -> pre_norm.Saved:
        eps = at.eps("eps1"), at.eps("eps2")
        return pre_norm.run(at.inputs, at.heads, *eps, scale=at.scale, activation=activation)

    def run(at: Arguments) -> dict[str, Array]:
        saved = block(at)
        found = {
            "norm1.centered": layer_norm.centered(at.inputs["x"]),
            "norm1.y": saved.norm1,
            **_attention_saved(saved.attention, "mha."),
            "attnResidual": saved.residual,
            "norm2.centered": layer_norm.centered(saved.residual),
            "norm2.y": saved.norm2,
            **_feed_forward_saved(saved.feed_forward, "ffn."),
            "ffnResidual": saved.output,
        }
        return {_MASKED.get(name, name): value for name, value in found.items()}

    return ClosedForm(
        run,
        lambda at, t: pre_norm.jvp(at.inputs, block(at), t),
        lambda at, s: pre_norm.vjp(at.inputs, block(at), s),
        {"eps1": "x", "eps2": "attnResidual"},
        _EVERY,
    )


def _written(form: WrittenForm) -> ClosedForm:
    """What follows from a formula."""

    def given(at: Arguments) -> Given:
        return Given(at.inputs, at.constants, at.sizes)

    return ClosedForm(
        lambda at: form.write(given(at)).values(),
        lambda at, t: form.write(given(at)).jvp(t),
        lambda at, s: form.write(given(at)).vjp(s),
        form.normalized,
        form.sizes,
        form.scores,
    )


_FORMS: dict[str, ClosedForm] = {
    **{name: _written(form) for name, form in WRITTEN_FORMS.items()},
    "preNormQuickGeluBlockGraph": _pre_norm_form(QUICK_GELU),
    "geluEncoderBlockGraph": _post_norm_form(GELU),
    "reluEncoderBlockGraph": _post_norm_form(RELU),
    "preNormGeluBlockGraph": _pre_norm_form(GELU),
    "preNormGeluTanhBlockGraph": _pre_norm_form(TANH_GELU),
    "softmaxGraph": ClosedForm(
        lambda at: {"weights": softmax.forward(at.inputs["x"])},
        lambda at, t: softmax.jvp(softmax.forward(at.inputs["x"]), t["x"]),
        lambda at, s: {"x": softmax.vjp(softmax.forward(at.inputs["x"]), s)},
        {},
        _ROWS,
    ),
    "geluGraph": ClosedForm(
        lambda at: {"y": gelu.forward(at.inputs["x"])},
        lambda at, t: gelu.derivative(at.inputs["x"]) * t["x"],
        lambda at, s: {"x": gelu.derivative(at.inputs["x"]) * s},
        {},
        ("seqLen", "dFF"),
    ),
    "rmsNormGraph": ClosedForm(
        lambda at: {"y": rms_norm.forward(at.inputs["x"], at.inputs["gamma"], at.eps())},
        lambda at, t: rms_norm.jvp(at.inputs["x"], at.inputs["gamma"], at.eps(), t),
        lambda at, s: rms_norm.vjp(at.inputs["x"], at.inputs["gamma"], at.eps(), s),
        {"eps": "x"},
        _ROWS,
    ),
    "layerNormGraph": ClosedForm(
        _layer_norm_run,
        _layer_norm_jvp,
        _layer_norm_vjp,
        {"eps": "x"},
        _ROWS,
    ),
    "mhaGraph": ClosedForm(
        lambda at: _attention_saved(_attention(at), ""),
        lambda at, t: attention.jvp(at.inputs, _attention(at), t),
        lambda at, s: attention.vjp(at.inputs, _attention(at), s),
        {},
        _HEADS,
    ),
    "biasedMhaGraph": ClosedForm(
        _biased_mha_run,
        lambda at, t: attention.jvp(at.inputs, _attention(at), t),
        lambda at, s: attention.vjp(at.inputs, _attention(at), s),
        {},
        _HEADS,
    ),
    "ffnGraph": ClosedForm(
        lambda at: _feed_forward_saved(feed_forward.run(at.inputs), ""),
        lambda at, t: feed_forward.jvp(at.inputs, feed_forward.run(at.inputs), t),
        lambda at, s: feed_forward.vjp(at.inputs, feed_forward.run(at.inputs), s),
        {},
        (*_ROWS, "dFF"),
    ),
    "mhaPostNormGraph": ClosedForm(
        _mha_post_norm_run,
        lambda at, t: post_norm.attention_jvp(at.inputs, _mha_post_norm(at), t),
        lambda at, s: post_norm.attention_vjp(at.inputs, _mha_post_norm(at), s),
        {"eps": "residual"},
        _HEADS,
    ),
    "seqFfnPostNormGraph": ClosedForm(
        _ffn_post_norm_run,
        lambda at, t: post_norm.feed_forward_jvp(at.inputs, _ffn_post_norm(at), t),
        lambda at, s: post_norm.feed_forward_vjp(at.inputs, _ffn_post_norm(at), s),
        {"eps": "residual"},
        (*_ROWS, "dFF"),
    ),
    "encoderFfnResidualGraph": ClosedForm(
        lambda at: _until("ffnResidual", _block_run(at)),
        lambda at, t: encoder_block.residual_jvp(at.inputs, _block(at), t),
        lambda at, s: encoder_block.residual_vjp(at.inputs, _block(at), s),
        {"eps1": "attnResidual"},
        _EVERY,
    ),
    "biasedEncoderBlockGraph": ClosedForm(
        _biased_block_run,
        lambda at, t: encoder_block.jvp(at.inputs, _block(at), t),
        lambda at, s: encoder_block.vjp(at.inputs, _block(at), s),
        {"eps1": "attnResidual", "eps2": "ffnResidual"},
        _EVERY,
    ),
    "encoderBlockGraph": ClosedForm(
        _block_run,
        lambda at, t: encoder_block.jvp(at.inputs, _block(at), t),
        lambda at, s: encoder_block.vjp(at.inputs, _block(at), s),
        {"eps1": "attnResidual", "eps2": "ffnResidual"},
        _EVERY,
    ),
    **dict.fromkeys(
        ("encoderGraph", "biasedEncoderGraph"),
        ClosedForm(
            _stack_run,
            lambda at, t: stack.jvp(at.inputs, _stack(at), t),
            lambda at, s: stack.vjp(at.inputs, _stack(at), s),
            {"eps1": "layer0.attnResidual", "eps2": "layer0.ffnResidual"},
            (*_EVERY, "depth"),
        ),
    ),
}
CLOSED_FORMS: Mapping[str, ClosedForm] = MappingProxyType(_FORMS)
"""By the name of the graph."""


def add_closed_form(graph: str, form: ClosedForm) -> None:
    """Give a project's own exported graph a closed form; its fidelity is an obligation from then
    on.

    Raises:
        GraphError: the graph has one.
    """
    if graph in _FORMS:
        raise GraphError(f"graph {graph!r}", "expected a graph without a closed form")
    _FORMS[graph] = form


def closed_form(graph: Graph) -> ClosedForm:
    """The closed form of a graph.

    Raises:
        GraphError: none is known under its name.
    """
    try:
        return CLOSED_FORMS[graph.name]
    except KeyError:
        raise GraphError(
            f"graph {graph.name!r}",
            f"expected a graph with a closed form, one of {', '.join(CLOSED_FORMS)}",
        ) from None
