"""Multi-head self-attention in closed form, written without the graph.

Token t's projected row is cut into ``num_heads`` pieces of ``head_dim`` = columns / num_heads;
head h attends over all tokens with softmax(q kᵀ · scale + mask), and the heads' results,
concatenated, are projected by Wo.  The scale is 1/√head_dim unless it is given.

Tensors are passed by name, as a graph's inputs are, each with a batch axis in front:
x ``(B, seq_len, d_model)``; Wq, Wk, Wv ``(B, d_model, num_heads·head_dim)``; Wo ``(B,
num_heads·head_dim, d_model)``; optional biases bq, bk, bv ``(B, num_heads·head_dim)`` and bo ``(B,
d_model)``.  A mask is added to the scores of every head: ``(B, seq_len, seq_len)``, query first; it
is given as a tensor called ``mask``, and then has derivatives, or next to the tensors.
Source: A. Vaswani et al., "Attention is all you need", 2017; PyTorch's ``nn.MultiheadAttention``,
    without dropout (its weights are ours transposed).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from numeric.closed_forms import softmax
from numeric.closed_forms.form import HEADS, Arguments, ClosedForm
from numeric.ops import Array

__all__ = ["FORMS", "PARAMETERS", "Saved", "forward", "jvp", "run", "saved_names", "vjp"]

Tensors = Mapping[str, Array]

PARAMETERS = ("Wq", "Wk", "Wv", "Wo", "bq", "bk", "bv", "bo")


@dataclass(frozen=True, slots=True)
class Saved:
    """The intermediate values of a run.

    ``query``, ``key``, ``value`` and ``context`` are ``(B, num_heads, seq_len, head_dim)``,
    ``scores`` (with scale and mask) and ``weights`` ``(B, num_heads, seq_len, seq_len)``,
    ``merged`` ``(B, seq_len, num_heads·head_dim)``, ``output`` ``(B, seq_len, d_model)``;
    ``scale`` broadcasts against the scores.
    """

    query: Array
    key: Array
    value: Array
    scores: Array
    weights: Array
    context: Array
    merged: Array
    output: Array
    scale: Array


def run(
    tensors: Tensors, num_heads: int, mask: Array | None = None, scale: Array | None = None
) -> Saved:
    """The value with all saved tensors.

    Args:
        tensors: x, the weights and any of the biases, by name; other names are ignored.
        mask: added to the scores; −∞ forbids a pair of tokens.
        scale: of the scores, ``(B,)``; 1/√head_dim if None.
    """
    x = tensors["x"]
    query, key, value = (
        _split(_affine(x, tensors, f"W{p}", f"b{p}"), num_heads) for p in ("q", "k", "v")
    )
    head_dim = query.shape[-1]
    by = np.asarray(1.0 / np.sqrt(head_dim)) if scale is None else scale[:, None, None, None]
    scores = query @ np.swapaxes(key, -1, -2) * by
    for added in (mask, tensors.get("mask")):
        if added is not None:
            scores = scores + added[:, None]
    weights = softmax.forward(scores)
    context = weights @ value
    merged = _merge(context)
    output = _affine(merged, tensors, "Wo", "bo")
    return Saved(query, key, value, scores, weights, context, merged, output, by)


def forward(
    tensors: Tensors, num_heads: int, mask: Array | None = None, scale: Array | None = None
) -> Array:
    """The value, ``(B, seq_len, d_model)``."""
    return run(tensors, num_heads, mask, scale).output


def jvp(tensors: Tensors, saved: Saved, tangents: Tensors) -> Array:
    """The tangent of the output; tangents of tensors that are left out are 0.

    Args:
        tensors: as for `run`, which made ``saved``.
    """
    num_heads = saved.query.shape[1]
    dx = tangents.get("x")
    x = tensors["x"]
    dquery, dkey, dvalue = (
        _split(_affine_jvp(x, dx, tensors, tangents, f"W{p}", f"b{p}"), num_heads)
        for p in ("q", "k", "v")
    )
    dscores = saved.scale * (
        dquery @ np.swapaxes(saved.key, -1, -2) + saved.query @ np.swapaxes(dkey, -1, -2)
    )
    if "mask" in tangents:
        dscores = dscores + tangents["mask"][:, None]
    dcontext = softmax.jvp(saved.weights, dscores) @ saved.value + saved.weights @ dvalue
    return _affine_jvp(saved.merged, _merge(dcontext), tensors, tangents, "Wo", "bo")


def vjp(tensors: Tensors, saved: Saved, cotangent: Array) -> dict[str, Array]:
    """Cotangents of x and of every parameter that is present."""
    num_heads = saved.query.shape[1]
    found: dict[str, Array] = {}
    merged = _affine_vjp(saved.merged, cotangent, tensors, found, "Wo", "bo")
    context = _split(merged, num_heads)
    value = np.swapaxes(saved.weights, -1, -2) @ context
    shifted = softmax.vjp(saved.weights, context @ np.swapaxes(saved.value, -1, -2))
    if "mask" in tensors:
        found["mask"] = shifted.sum(axis=1)
    scores = saved.scale * shifted
    query = scores @ saved.key
    key = np.swapaxes(scores, -1, -2) @ saved.query
    x: Array = np.zeros_like(tensors["x"])
    for p, projected in (("q", query), ("k", key), ("v", value)):
        pulled = _affine_vjp(tensors["x"], _merge(projected), tensors, found, f"W{p}", f"b{p}")
        x = x + pulled
    return {"x": x, **found}


def _split(rows: Array, num_heads: int) -> Array:
    """``(B, seq_len, num_heads·head_dim)`` to ``(B, num_heads, seq_len, head_dim)``."""
    size, seq_len, width = rows.shape
    return rows.reshape(size, seq_len, num_heads, width // num_heads).transpose(0, 2, 1, 3)


def _merge(heads: Array) -> Array:
    """The inverse of `_split`."""
    size, num_heads, seq_len, head_dim = heads.shape
    return heads.transpose(0, 2, 1, 3).reshape(size, seq_len, num_heads * head_dim)


def _affine(x: Array, tensors: Tensors, weight: str, bias: str) -> Array:
    y: Array = x @ tensors[weight]
    return y + tensors[bias][:, None, :] if bias in tensors else y


def _affine_jvp(
    x: Array, dx: Array | None, tensors: Tensors, tangents: Tensors, weight: str, bias: str
) -> Array:
    w = tensors[weight]
    total: Array = np.zeros((*x.shape[:-1], w.shape[-1]), dtype=np.result_type(x, w))
    if dx is not None:
        total = total + dx @ w
    if weight in tangents:
        total = total + x @ tangents[weight]
    if bias in tangents:
        total = total + tangents[bias][:, None, :]
    return total


def _affine_vjp(
    x: Array, cotangent: Array, tensors: Tensors, found: dict[str, Array], weight: str, bias: str
) -> Array:
    """The cotangent of x; those of weight and bias go into ``found``."""
    found[weight] = np.swapaxes(x, -1, -2) @ cotangent
    if bias in tensors:
        found[bias] = cotangent.sum(axis=1)
    pulled: Array = cotangent @ np.swapaxes(tensors[weight], -1, -2)
    return pulled


def saved_names(saved: Saved, prefix: str, *, masked: bool = False) -> dict[str, Array]:
    """The saved tensors under the graph's names; scores with a mask are the masked ones there."""
    return {
        f"{prefix}qHeads.heads": saved.query,
        f"{prefix}kHeads.heads": saved.key,
        f"{prefix}vHeads.heads": saved.value,
        f"{prefix}{'masked' if masked else 'scaled'}": saved.scores,
        f"{prefix}softmax.weights": saved.weights,
        f"{prefix}context": saved.context,
        f"{prefix}merged": saved.merged,
        f"{prefix}projected": saved.output,
    }


def _form(*, masked: bool) -> ClosedForm:
    def attend(at: Arguments) -> Saved:
        return run(at.inputs, at.heads, scale=at.scale)

    return ClosedForm(
        lambda at: saved_names(attend(at), "", masked=masked),
        lambda at, t: jvp(at.inputs, attend(at), t),
        lambda at, s: vjp(at.inputs, attend(at), s),
        {},
        HEADS,
    )


FORMS = {"mhaGraph": _form(masked=False), "biasedMhaGraph": _form(masked=True)}
