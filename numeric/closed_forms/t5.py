"""The closed forms of attention with relative-position biases and of T5's blocks.

As in `closed_forms.formulas`.
Source: ``PostNorm.relativeMhaGraph``, ``PostNorm.t5EncoderGraph``, ``PostNorm.t5DecoderGraph``;
    C. Raffel et al., "Exploring the limits of transfer learning with a unified text-to-text
    Transformer", 2020.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from numeric.closed_forms import formula as f
from numeric.closed_forms.activations import RELU, TANH_GELU
from numeric.closed_forms.formula import Formula, Term
from numeric.closed_forms.formulas import Given, WrittenForm, causal, closed, gated

__all__ = ["FORMS", "WRITTEN_FORMS", "near_buckets"]

Bools = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]


def near_buckets(encoder: bool, n: int, buckets: int) -> Integers:
    """`PostNorm.nearBuckets`: T5's buckets as far as each distance has its own, ``(n, n)``."""
    half = buckets // 2 if encoder else buckets
    back = np.arange(n)[:, None] - np.arange(n)
    earlier = np.minimum(back, max(half - 1, 0))
    later = half + np.minimum(-back, max(half - 1, 0)) if encoder else np.zeros_like(back)
    return np.asarray(np.where(back >= 0, earlier, later) % buckets, dtype=np.int64)


def _visible(at: Given, keys: str) -> Bools:
    """The first tokens are not padding."""
    real = np.arange(at.sizes[keys]) < at.sizes["visible"]
    return np.broadcast_to(real, (at.sizes["seqLen"], at.sizes[keys]))


def _attend(
    form: Formula,
    at: Given,
    prefix: str,
    x: Term,
    memory: Term,
    allowed: Bools,
    bucket: Integers | None,
    weights: str = "",
) -> Term:
    """softmax of q·kᵀ and the biases over the allowed keys, times v; no factor."""
    number = at.sizes["numHeads"]
    cut = {}
    for p, source in (("q", x), ("k", memory), ("v", memory)):
        projected = form.save(prefix + p, f.matmul(source, form[f"{weights}W{p}"]))
        cut[p] = form.save(f"{prefix}{p}Heads.heads", f.heads(projected, number))
    scores = form.save(f"{prefix}scores", f.matmul(cut["q"], f.turned(cut["k"])))
    if bucket is not None:
        bias = form.save(f"{prefix}bias", f.biases(form["table"], bucket))
        scores = form.save(f"{prefix}biased", f.add(scores, bias))
    core = f"{prefix}core."
    kept = form.save(f"{core}softmax.weights", f.softmax_over(scores, allowed))
    context = form.save(f"{core}context", f.matmul(kept, cut["v"]))
    merged = form.save(f"{core}merged", f.merge_heads(context))
    return form.save(f"{prefix}projected", f.matmul(merged, form[f"{weights}Wo"]))


def _relative(at: Given) -> Formula:
    form, n = Formula.at(at.inputs), at.sizes["seqLen"]
    bucket = near_buckets(True, n, at.sizes["buckets"])
    _attend(form, at, "", form["x"], form["x"], _visible(at, "seqLen"), bucket)
    return form


def _sublayer(
    form: Formula, at: Given, number: int, prefix: str, x: Term, branch: Callable[[Term], Term]
) -> Term:
    """f(N(x)) + x."""
    normed = f.rms_norm(x, form[f"gamma{number}"], at.eps(f"eps{number}"))
    return form.save(f"{prefix}residual", f.add(branch(form.save(f"{prefix}norm.y", normed)), x))


def _maps(form: Formula, x: Term) -> Term:
    """max(x·W1, 0)·W2."""
    pre = form.save("ffn.hiddenPre", f.matmul(x, form["W1"]))
    active = form.save("ffn.hiddenAct.y", f.activation(pre, RELU))
    return form.save("ffn.projected", f.matmul(active, form["W2"]))


def _gate(form: Formula, x: Term) -> Term:
    return gated(form, "ffn.", x, TANH_GELU)


def _block(at: Given, *, decoder: bool, feed_forward: Callable[[Formula, Term], Term]) -> Formula:
    """F(N(z)) + z, where z = y in an encoder and C(N(y)) + y in a decoder, with y = A(N(x)) + x."""
    form, n = Formula.at(at.inputs), at.sizes["seqLen"]
    bucket = near_buckets(not decoder, n, at.sizes["buckets"])
    own = causal(n) if decoder else _visible(at, "seqLen")

    def attention(x: Term) -> Term:
        return _attend(form, at, "attention.mha.", x, x, own, bucket)

    def cross(y: Term) -> Term:
        seen = _visible(at, "memoryLen")
        return _attend(form, at, "cross.mha.", y, form["memory"], seen, None, "cross.")

    z = _sublayer(form, at, 1, "attention.", form["x"], attention)
    if decoder:
        z = _sublayer(form, at, 2, "cross.", z, cross)
    _sublayer(form, at, 3 if decoder else 2, "", z, lambda x: feed_forward(form, x))
    return form


_HEADS = ("dModel", "numHeads", "headDim", "buckets")
_SCORES: Mapping[str, tuple[str, ...]] = {"attention.mha.scores": ("Wq", "Wk")}


def _encoder_form(feed_forward: Callable[[Formula, Term], Term]) -> WrittenForm:
    return WrittenForm(
        partial(_block, decoder=False, feed_forward=feed_forward),
        ("seqLen", *_HEADS, "dFF", "visible"),
        MappingProxyType({"eps1": "x", "eps2": "attention.residual"}),
        MappingProxyType(_SCORES),
    )


def _decoder_form(feed_forward: Callable[[Formula, Term], Term]) -> WrittenForm:
    return WrittenForm(
        partial(_block, decoder=True, feed_forward=feed_forward),
        ("seqLen", "memoryLen", *_HEADS, "dFF", "visible"),
        MappingProxyType({"eps1": "x", "eps2": "attention.residual", "eps3": "cross.residual"}),
        MappingProxyType({**_SCORES, "cross.mha.scores": ("cross.Wq", "cross.Wk")}),
    )


WRITTEN_FORMS: Mapping[str, WrittenForm] = MappingProxyType(
    {
        "relativeMhaGraph": WrittenForm(
            _relative,
            ("seqLen", *_HEADS, "visible"),
            scores=MappingProxyType({"scores": ("Wq", "Wk")}),
        ),
        "t5EncoderBlockGraph": _encoder_form(_maps),
        "t5GatedEncoderBlockGraph": _encoder_form(_gate),
        "t5DecoderBlockGraph": _decoder_form(_maps),
        "t5GatedDecoderBlockGraph": _decoder_form(_gate),
    }
)
"""By the name of the graph."""

FORMS = {name: closed(form) for name, form in WRITTEN_FORMS.items()}
