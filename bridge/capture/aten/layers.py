"""Normalization and softmax."""

from __future__ import annotations

import math
from typing import Any

from bridge.capture.aten.rule import Context, Found, rule
from bridge.capture.tape import Ref, tight

__all__ = ["softmax"]


def _rows(t: Context, n: Any, a: Any, normalized: list[int]) -> Ref:
    """What is normalized, as ``(rows, d)``."""
    d = math.prod(normalized)
    rows = math.prod(t.shape(a)) // d
    return t.tape.reshape(f"{n.name}.rows", t.ref(a), (rows, d))


def _gained(t: Context, n: Any, y: Ref, gain: Any, shift: Any) -> Ref:
    """y · gain + shift, along rows."""
    tape, (rows, d) = t.tape, y.shape
    if gain is not None:
        wide = tape.reshape(f"{n.name}.gamma", t.ref(gain), (d,))
        y = tape.two(f"{n.name}.scaled", "mul", y, tape.spread(f"{n.name}.gamma", wide, 0, rows))
    if shift is not None:
        wide = tape.reshape(f"{n.name}.beta", t.ref(shift), (d,))
        y = tape.two(f"{n.name}.shifted", "add", y, tape.spread(f"{n.name}.beta", wide, 0, rows))
    return y


def _standardized(t: Context, name: str, x: Ref, eps: float, *, center: bool) -> Ref:
    """(x − mean)/√(var + ε) along the last axis of a matrix; without the mean for RMSNorm."""
    tape, d = t.tape, x.shape[-1]
    if center:
        mean = tape.spread(f"{name}.mean", tape.reduce(f"{name}.mean", "mean", x, 1), 1, d)
        x = tape.two(f"{name}.centered", "sub", x, mean)
    square = tape.reduce(f"{name}.var", "mean", tape.two(f"{name}.square", "mul", x, x), 1)
    if eps:
        square = tape.map(f"{name}.varEps", "addConst", square, c=eps)
    inverse = tape.map(f"{name}.inv", "inv", tape.map(f"{name}.std", "sqrt", square))
    return tape.two(f"{name}.normalized", "mul", x, tape.spread(f"{name}.inv", inverse, 1, d))


@rule("aten.layer_norm.default")
def _layer_norm(
    t: Context,
    n: Any,
    a: Any,
    normalized: list[int],
    gain: Any = None,
    shift: Any = None,
    eps: float = 1e-5,
    *_: Any,
) -> Found:
    x = _rows(t, n, a, normalized)
    y = _standardized(t, n.name, x, eps, center=True)
    return t.tape.reshape(n.name, _gained(t, n, y, gain, shift), tight(t.shape(n)))


@rule("aten.native_layer_norm.default")
def _native_layer_norm(
    t: Context, n: Any, a: Any, normalized: list[int], gain: Any, shift: Any, eps: float
) -> Found:
    x = _rows(t, n, a, normalized)
    y = _gained(t, n, _standardized(t, n.name, x, eps, center=True), gain, shift)
    return [t.tape.reshape(n.name, y, tight(t.shape(a)))]


@rule("aten.rms_norm.default")
def _rms_norm(
    t: Context, n: Any, a: Any, normalized: list[int], gain: Any = None, eps: float | None = None
) -> Found:
    if eps is None:
        raise t.refuse("its ε is the least number of the dtype")
    x = _rows(t, n, a, normalized)
    y = _standardized(t, n.name, x, eps, center=False)
    return t.tape.reshape(n.name, _gained(t, n, y, gain, None), tight(t.shape(n)))


@rule("aten.group_norm.default")
def _group_norm(
    t: Context,
    n: Any,
    a: Any,
    groups: int,
    gain: Any = None,
    shift: Any = None,
    eps: float = 1e-5,
    *_: Any,
) -> Found:
    tape, shape = t.tape, t.shape(a)
    if shape[0] != 1:
        raise t.refuse("more than one sequence")
    x = tape.reshape(f"{n.name}.rows", t.ref(a), (groups, math.prod(shape) // groups))
    y = _standardized(t, n.name, x, eps, center=True)
    rest = math.prod(shape[2:])
    y = tape.reshape(f"{n.name}.channels", y, (shape[1], rest))
    for name, op, by in (("gamma", "mul", gain), ("beta", "add", shift)):
        if by is not None:
            wide = tape.reshape(f"{n.name}.{name}", t.ref(by), (shape[1],))
            y = tape.two(f"{n.name}.{op}", op, y, tape.spread(f"{n.name}.{name}", wide, 1, rest))
    return tape.reshape(n.name, y, tight(t.shape(n)))


@rule("aten._native_batch_norm_legit_no_training.default")
def _batch_norm(
    t: Context, n: Any, a: Any, gain: Any, shift: Any, mean: Any, variance: Any, _: Any, eps: float
) -> Found:
    """(x − mean) / √(variance + ε) · gain + shift by channels; mean and variance are known."""
    tape, shape = t.tape, t.shape(a)
    have = [m if d == 1 else 1 for d, m in enumerate(shape)]
    center, size = t.known(mean).double(), t.known(variance).double()
    x = t.ref(a)
    for name, op, by in (
        ("centered", "sub", t.constant(f"{n.name}.mean", center)),
        ("standardized", "mul", t.constant(f"{n.name}.factor", (size + eps).rsqrt())),
        ("gained", "mul", None if gain is None else t.ref(gain)),
        ("shifted", "add", None if shift is None else t.ref(shift)),
    ):
        if by is not None:
            wide = t.spread(f"{n.name}.{name}.spread", by, have, shape)
            x = tape.two(f"{n.name}.{name}", op, x, wide)
    return [x]


def softmax(t: Context, name: str, x: Ref, axis: int, keep: Ref | None) -> Ref:
    """exp x/Σ exp x along an axis; exp x · keep instead of exp x if something is hidden."""
    tape = t.tape
    e = tape.map(f"{name}.exp", "exp", x)
    if keep is not None:
        e = tape.two(f"{name}.kept", "mul", e, keep)
    inverse = tape.map(f"{name}.inv", "inv", tape.reduce(f"{name}.sum", "sum", e, axis))
    return tape.two(name, "mul", e, tape.spread(f"{name}.inv", inverse, axis, x.shape[axis]))


@rule("aten.softmax.int", "aten._softmax.default")
def _softmax(t: Context, n: Any, a: Any, dim: int, *_: Any, **__: Any) -> Found:
    shape = t.shape(a)
    dim %= len(shape)
    if shape[dim] == 1:
        raise t.refuse("softmax of one number is 1, whatever it is")
    x = t.ref(a, hidden=True)
    keep = t.keep(x)
    axis = len(tight(shape[:dim]))
    if keep is not None:
        t.some_kept(keep, axis)
    return softmax(t, n.name, x, axis, keep)


@rule("aten.log_softmax.int", "aten._log_softmax.default")
def _log_softmax(t: Context, n: Any, a: Any, dim: int, *_: Any, **__: Any) -> Found:
    """x − log Σ exp x."""
    tape, shape, x = t.tape, t.shape(a), t.ref(a)
    dim %= len(shape)
    if shape[dim] == 1:
        raise t.refuse("log softmax of one number is 0, whatever it is")
    axis = len(tight(shape[:dim]))
    total = tape.reduce(f"{n.name}.sum", "sum", tape.map(f"{n.name}.exp", "exp", x), axis)
    rows = tape.spread(f"{n.name}.log", tape.map(f"{n.name}.log", "log", total), axis, shape[dim])
    return tape.two(n.name, "sub", x, rows)
