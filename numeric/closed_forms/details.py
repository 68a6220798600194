"""The values that a block computes between the saved tensors of its closed form.

A graph that computes a layer in another way is the same function: only the tensors of
`ClosedForm.run` are required of it.  If one of these is wrong, those in between locate the error
more exactly, as far as the graph has them under the names that Lean gives them.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from numeric.closed_forms import gelu
from numeric.closed_forms.catalogue import Arguments
from numeric.ops import Array

__all__ = ["between"]

Tensors = Mapping[str, Array]


def between(at: Arguments, saved: Tensors) -> dict[str, Array]:
    """Further tensors by Lean's names, computed from those that a closed form saved.

    Args:
        at: the arguments of the closed form.
        saved: the result of its run, by names such as ``norm1.centered``.

    Returns:
        For each LayerNorm ``var``, ``varEps``, ``std``, ``invStd`` and ``normalized``; for each
        attention the projections before the heads are split, the scores without scale, without
        mask, and their exponentials with their sums; for each GELU the steps to its tanh.
    """
    found: dict[str, Array] = {}
    for name, value in saved.items():
        prefix, dot, last = name.rpartition(".")
        start = prefix + dot
        if last == "centered":
            found |= _layer_norm(start, value, at.eps(f"eps{_number(prefix)}"))
        elif last == "heads":
            found[prefix.removesuffix("Heads")] = _merged(value)
        elif last in ("scaled", "masked") and f"{start}qHeads.heads" in saved:
            found |= _scores(start, value, saved)
        elif last == "hiddenPre":
            found |= _gelu(f"{start}hiddenAct.", value)
    if set(saved) == {"y"}:
        found |= _gelu("", at.inputs["x"])
    if set(saved) == {"weights"}:
        found |= _softmax("", at.inputs["x"])
    return found


def _number(prefix: str) -> str:
    """The suffixes of a block's LayerNorms: they end in 1 and 2."""
    return prefix[-1] if prefix[-1:].isdigit() else ""


def _layer_norm(start: str, centered: Array, eps: Array) -> dict[str, Array]:
    var = np.mean(centered * centered, axis=-1)
    shifted = var + eps.reshape(-1, *(1 for _ in var.shape[1:]))
    std = np.sqrt(np.maximum(shifted, 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            f"{start}var": var,
            f"{start}varEps": shifted,
            f"{start}std": std,
            f"{start}invStd": 1.0 / std,
            f"{start}normalized": centered / std[..., None],
        }


def _merged(heads: Array) -> Array:
    """``(B, seq_len, num_heads·head_dim)`` from ``(B, num_heads, seq_len, head_dim)``."""
    batch, number, tokens, size = heads.shape
    return np.swapaxes(heads, 1, 2).reshape(batch, tokens, number * size)


def _scores(start: str, last: Array, saved: Tensors) -> dict[str, Array]:
    query, key = saved[f"{start}qHeads.heads"], saved[f"{start}kHeads.heads"]
    scores = query @ np.swapaxes(key, -1, -2)
    return {
        f"{start}scores": scores,
        f"{start}scaled": scores / np.sqrt(query.shape[-1]),
        **_softmax(f"{start}softmax.", last),
    }


def _softmax(start: str, scores: Array) -> dict[str, Array]:
    with np.errstate(over="ignore"):
        powers = np.exp(scores)
        return {f"{start}exp": powers, f"{start}sum": powers.sum(axis=-1)}


def _gelu(start: str, x: Array) -> dict[str, Array]:
    cubic = gelu.cubic(x)
    inner = x + cubic
    arg = gelu.SLOPE * inner
    return {
        f"{start}cubic": cubic,
        f"{start}inner": inner,
        f"{start}arg": arg,
        f"{start}tanh": np.tanh(arg),
    }
