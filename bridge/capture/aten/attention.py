"""Scaled dot-product attention."""

from __future__ import annotations

import importlib
import math
from typing import Any

from bridge.capture.aten.layers import softmax
from bridge.capture.aten.rule import Context, Found, rule
from bridge.capture.exported import HIDDEN
from bridge.capture.tape import Ref, tight
from numeric.ops import Shape

__all__: list[str] = []


@rule("aten.scaled_dot_product_attention.default")
def _attention(
    t: Context,
    n: Any,
    q: Any,
    k: Any,
    v: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    *,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Found:
    """softmax(scale · q kᵀ + bias, over what the mask keeps) v."""
    if dropout_p:
        raise t.refuse(f"dropout is on, p = {dropout_p:g}")
    tape, name = t.tape, n.name
    queries, keys = t.shape(q), t.shape(k)
    if len(queries) < 2 or keys[-2] == 1:
        raise t.refuse("one key: its weight is 1, whatever the queries are")
    heads = queries[-3] if len(queries) > 2 else 1
    scale = 1.0 / math.sqrt(queries[-1]) if scale is None else scale
    lead = tight(queries[:-2])
    left, right, values = (
        _operand(t, f"{name}.{w}", a, heads, lead) for w, a in zip("qkv", (q, k, v), strict=True)
    )
    turned = (*range(len(lead)), len(lead) + 1, len(lead))
    scores = tape.matmul(f"{name}.scores", left, tape.permute(f"{name}.keys", right, turned))
    scores = tape.map(f"{name}.scaled", "scale", scores, c=scale)
    full = (*queries[:-2], queries[-2], keys[-2])

    def side(x: Ref, have: Shape) -> Ref:
        return tape.reshape(name, t.spread(name, x, have, full), scores.shape)

    keep: Ref | None = None
    if attn_mask is not None and t.live(attn_mask):
        added = t.ref(attn_mask, hidden=True)
        more = side(added, t.shape(attn_mask))
        scores = tape.two(f"{name}.biased", "add", scores, more)
        hidden = t.keep(added)
        if hidden is not None:
            keep = side(hidden, t.shape(attn_mask))
            t.some_kept(keep, len(keep.shape) - 1)
    else:
        bias, kept = _mask(t, None if attn_mask is None else t.known(attn_mask), full, is_causal)
        if bias is not None:
            more = side(t.constant(f"{name}.bias", bias), tuple(bias.shape))
            scores = tape.two(f"{name}.biased", "add", scores, more)
        if kept is not None:
            keep = side(t.constant(f"{name}.keep", kept.double()), tuple(kept.shape))
    weights = softmax(t, f"{name}.softmax", scores, len(scores.shape) - 1, keep)
    return tape.reshape(name, tape.matmul(name, weights, values), tight(t.shape(n)))


def _operand(t: Context, name: str, a: Any, heads: int, lead: Shape) -> Ref:
    """``(lead…, tokens, d)``; a key head that several query heads share is repeated."""
    tape, shape = t.tape, t.shape(a)
    x = tape.reshape(name, t.ref(a), (*tight(shape[:-2]), *shape[-2:]))
    if len(shape) > 2 and shape[-3] != heads:
        before = tight(shape[:-3])
        x = tape.reshape(name, x, (*before, shape[-3], *shape[-2:]))
        x = tape.spread(f"{name}.shared", x, len(before) + 1, heads // shape[-3])
        x = tape.reshape(name, x, (*before, heads, *shape[-2:]))
    if x.shape[:-2] != lead:
        raise t.refuse(f"queries and keys with different leading axes: {lead} and {x.shape[:-2]}")
    return x


def _mask(t: Context, mask: Any, full: Shape, causal: bool) -> tuple[Any, Any]:
    """What is added to the scores, and which are kept; None for nothing, and for all."""
    torch: Any = importlib.import_module("torch")
    bias = keep = None
    if mask is not None and mask.dtype == torch.bool:
        keep = mask
    elif mask is not None:
        hidden = mask <= HIDDEN
        keep = ~hidden if bool(hidden.any()) else None
        bias = torch.where(hidden, 0.0, mask)
        bias = bias if bool(bias.any()) else None
    if causal:
        keep = torch.ones(full[-2:], dtype=torch.bool).tril()
    if keep is not None and not bool(keep.any(-1).all()):
        raise t.refuse("a row of the mask keeps nothing: over the reals it would be 0/0")
    return bias, None if keep is None or bool(keep.all()) else keep
