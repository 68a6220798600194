"""Operations that only move entries: views, slices, look-ups, concatenations."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from bridge.capture.aten.rule import Context, Found, rule
from bridge.capture.tape import Ref, tight

__all__: list[str] = []


@rule(
    "aten.view.default",
    "aten._unsafe_view.default",
    "aten.reshape.default",
    "aten.unsqueeze.default",
    "aten.squeeze.default",
    "aten.squeeze.dim",
    "aten.squeeze.dims",
    "aten.flatten.using_ints",
    "aten.unflatten.int",
    "aten.clone.default",
    "aten.alias.default",
    "aten.detach.default",
    "aten.contiguous.default",
    "aten._to_copy.default",
    "aten.to.dtype",
    "aten.to.dtype_layout",
    "aten.type_as.default",
    "aten.lift_fresh_copy.default",
    "aten.view_as.default",
)
def _same(t: Context, n: Any, a: Any, *_: Any, **__: Any) -> Found:
    """The same entries in the same order: over the real numbers a cast is the identity.  A detached
    value is a value like any other: comparing with autograd, which passes no gradient back there,
    shows it."""
    x = t.ref(a, hidden=True)
    result, keep = t.tape.reshape(n.name, x, tight(t.shape(n))), t.keep(x)
    if keep is None or result is x:
        return result
    return t.hide(result, t.tape.reshape(f"{n.name}.keep", keep, result.shape))


@rule("aten.dropout.default", "aten.feature_dropout.default")
def _dropout(t: Context, n: Any, a: Any, p: float, train: bool) -> Found:
    if train and p > 0:
        raise t.refuse("dropout is on")
    return t.ref(a)


@rule("aten.native_dropout.default")
def _native_dropout(t: Context, n: Any, a: Any, p: float, train: bool | None) -> Found:
    return [_dropout(t, n, a, p, train is not False)]  # type: ignore[list-item]


@rule("aten.permute.default")
def _permute(t: Context, n: Any, a: Any, dims: list[int]) -> Found:
    shape = t.shape(a)
    kept = [d % len(shape) for d in dims if shape[d] != 1]
    order = sorted(kept)
    perm = [order.index(d) for d in kept]
    x = t.ref(a, hidden=True)
    result, keep = t.tape.permute(n.name, x, perm), t.keep(x)
    return result if keep is None else t.hide(result, t.tape.permute(f"{n.name}.keep", keep, perm))


@rule("aten.transpose.int", "aten.swapaxes.default")
def _transpose(t: Context, n: Any, a: Any, i: int, j: int) -> Found:
    dims = list(range(len(t.shape(a))))
    dims[i], dims[j] = dims[j], dims[i]
    return _permute(t, n, a, dims)


@rule("aten.t.default", "aten.numpy_T.default")
def _t(t: Context, n: Any, a: Any) -> Found:
    return _permute(t, n, a, list(reversed(range(len(t.shape(a))))))


@rule("aten.expand.default", "aten.expand_as.default", "aten.broadcast_to.default")
def _expand(t: Context, n: Any, a: Any, *_: Any, **__: Any) -> Found:
    return t.at(n.name, a, t.shape(n))


@rule("aten.broadcast_tensors.default")
def _broadcast_tensors(t: Context, n: Any, parts: list[Any]) -> Found:
    return [t.at(f"{n.name}.{k}", p, t.shape(t.value(n)[k])) for k, p in enumerate(parts)]


@rule("aten.copy.default")
def _copy(t: Context, n: Any, _over: Any, a: Any, *_: Any) -> Found:
    return t.at(n.name, a, t.shape(n))


@rule(
    "aten.select.int",
    "aten.slice.Tensor",
    "aten.split.Tensor",
    "aten.split_with_sizes.default",
    "aten.chunk.default",
    "aten.unbind.int",
    "aten.narrow.default",
    "aten.index.Tensor",
    "aten.index_select.default",
    "aten.gather.default",
    "aten.flip.default",
    "aten.roll.default",
    "aten.repeat.default",
    "aten.unfold.default",
    "aten.diagonal.default",
    "aten.tril.default",
    "aten.triu.default",
    "aten.constant_pad_nd.default",
    "aten.pad.default",
    "aten.as_strided.default",
    "aten.repeat_interleave.self_int",
    "aten.tile.default",
)
def _moved(t: Context, n: Any, a: Any, *rest: Any, **more: Any) -> Found:
    """The operation, applied to the numbers 1, 2, … of the entries, shows where each goes; 0 is
    padding."""
    torch: Any = importlib.import_module("torch")
    padding = {"constant_pad_nd": 1, "pad": 2}.get(str(n.target).split(".")[1])
    if padding is not None and (*rest, 0, 0)[padding] not in (0, None):
        raise t.refuse(f"padded with {rest[padding]}")
    shape = t.shape(a)
    numbers = torch.arange(1, 1 + int(np.prod(shape, dtype=int))).reshape(shape)
    rest, more = torch.utils._pytree.tree_map(
        lambda v: t.known(v) if isinstance(v, torch.fx.Node) else v, (rest, more)
    )
    found = n.target(numbers, *rest, **more)
    x = t.ref(a)

    def taken(name: str, to: Any) -> Ref:
        return t.tape.moved(name, x, to.contiguous().numpy() - 1, tight(to.shape))

    if isinstance(found, torch.Tensor):
        return taken(n.name, found)
    return [taken(f"{n.name}.{k}", piece) for k, piece in enumerate(found)]


@rule("getitem")
def _getitem(t: Context, n: Any, a: Any, k: int) -> Found:
    return t.pieces(a)[k]


@rule("aten.cat.default")
def _cat(t: Context, n: Any, parts: list[Any], dim: int = 0) -> Found:
    """A sum of the parts, each padded with 0 to the whole."""
    whole = t.shape(n)
    dim %= len(whole)
    parts = [p for p in parts if len(t.shape(p)) == len(whole) and t.shape(p)[dim]]
    return _joined(t, n.name, [t.ref(p) for p in parts], [t.shape(p) for p in parts], whole, dim)


@rule("aten.stack.default")
def _stack(t: Context, n: Any, parts: list[Any], dim: int = 0) -> Found:
    whole = t.shape(n)
    dim %= len(whole)
    one = (*whole[:dim], 1, *whole[dim + 1 :])
    return _joined(t, n.name, [t.ref(p) for p in parts], [one] * len(parts), whole, dim)


def _joined(
    t: Context, name: str, parts: list[Ref], shapes: list[Any], whole: Any, dim: int
) -> Ref:
    if len(parts) == 1:
        return parts[0]
    axis, start = len(tight(whole[:dim])), 0
    total: Ref | None = None
    for k, (part, shape) in enumerate(zip(parts, shapes, strict=True)):
        length = shape[dim]
        wide = tuple(m for d, m in enumerate(shape) if m != 1 or d == dim)
        index = [i - start if start <= i < start + length else -1 for i in range(whole[dim])]
        piece = t.tape.reshape(f"{name}.{k}", part, wide)
        piece = t.tape.place(f"{name}.{k}", piece, axis, index)
        total = piece if total is None else t.tape.two(name, "add", total, piece)
        start += length
    assert total is not None  # there are at least two
    return total


@rule("aten.slice_scatter.default")
def _slice_scatter(
    t: Context,
    n: Any,
    a: Any,
    b: Any,
    dim: int = 0,
    start: int | None = None,
    end: int | None = None,
    step: int = 1,
) -> Found:
    """Remove what is overwritten, and add what is written."""
    whole = t.shape(n)
    dim %= len(whole)
    length = whole[dim]
    written = list(range(length))[slice(start, end, step)]
    place = {i: k for k, i in enumerate(written)}
    axis = len(tight(whole[:dim]))
    wide = tuple(m for d, m in enumerate(whole) if m != 1 or d == dim)
    old = t.tape.reshape(f"{n.name}.old", t.ref(a), wide)
    old = t.tape.place(
        f"{n.name}.kept", old, axis, [-1 if i in place else i for i in range(length)]
    )
    part = (*wide[:axis], len(written), *wide[axis + 1 :])
    new = t.tape.reshape(f"{n.name}.new", t.ref(b), part)
    new = t.tape.place(f"{n.name}.written", new, axis, [place.get(i, -1) for i in range(length)])
    return t.tape.reshape(n.name, t.tape.two(n.name, "add", old, new), tight(whole))


@rule("aten.embedding.default")
def _embedding(t: Context, n: Any, weight: Any, index: Any, *_: Any, **__: Any) -> Found:
    rows = t.known(index).flatten().tolist()
    table = t.tape.reshape(f"{n.name}.table", t.ref(weight), t.shape(weight))
    found = t.tape.place(f"{n.name}.rows", table, 0, rows)
    return t.tape.reshape(n.name, found, tight(t.shape(n)))
