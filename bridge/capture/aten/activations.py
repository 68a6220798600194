"""Activations, clamps and norms of vectors, written with ReLU, exponentials and roots."""

from __future__ import annotations

from typing import Any

import numpy as np

from bridge.capture.aten.arithmetic import axes_of
from bridge.capture.aten.rule import Context, Found, rule
from bridge.capture.tape import Ref

__all__: list[str] = []


def _negative_part(t: Context, name: str, x: Ref) -> Ref:
    """min(x, 0), as −relu(−x)."""
    off = t.tape.map(f"{name}.off", "relu", t.tape.map(f"{name}.neg", "scale", x, c=-1.0))
    return t.tape.map(f"{name}.below", "scale", off, c=-1.0)


def _at_least(t: Context, name: str, x: Ref, low: float) -> Ref:
    """max(x, low), as low + relu(x − low)."""
    if low == 0:
        return t.tape.map(name, "relu", x)
    over = t.tape.map(f"{name}.over", "relu", t.tape.map(f"{name}.from", "addConst", x, c=-low))
    return t.tape.map(name, "addConst", over, c=low)


def _at_most(t: Context, name: str, x: Ref, high: float) -> Ref:
    """min(x, high), as high − relu(high − x)."""
    left = t.tape.map(f"{name}.left", "scale", x, c=-1.0)
    if high != 0:
        left = t.tape.map(f"{name}.to", "addConst", left, c=high)
    under = t.tape.map(f"{name}.under", "relu", left)
    below = t.tape.map(f"{name}.below", "scale", under, c=-1.0)
    return below if high == 0 else t.tape.map(name, "addConst", below, c=high)


def _between(t: Context, name: str, x: Ref, low: float | None, high: float | None) -> Ref:
    if low is not None:
        x = _at_least(t, f"{name}.low", x, low)
    return x if high is None else _at_most(t, f"{name}.high", x, high)


@rule("aten.elu.default", "aten.celu.default", "aten.selu.default")
def _elu(
    t: Context, n: Any, a: Any, alpha: float = 1.0, scale: float = 1.0, inner: float = 1.0
) -> Found:
    """scale · (relu(x) + α · (e^(inner · min(x, 0)) − 1))."""
    kind = str(n.target).split(".")[1]
    if kind == "selu":
        alpha, scale = 1.6732632423543772, 1.0507009873554805
    elif kind == "celu":
        inner = 1.0 / alpha
        if float(np.float32(inner)) != inner:
            raise t.refuse("torch keeps 1/α in float32 in its backward, so its gradient is off")
    tape, x = t.tape, t.ref(a)
    low = _negative_part(t, n.name, x)
    if inner != 1.0:
        low = tape.map(f"{n.name}.inner", "scale", low, c=inner)
    grown = tape.map(f"{n.name}.exp", "exp", low)
    low = tape.map(f"{n.name}.less", "addConst", grown, c=-1.0)
    if alpha != 1.0:
        low = tape.map(f"{n.name}.alpha", "scale", low, c=alpha)
    found = tape.two(n.name, "add", tape.map(f"{n.name}.on", "relu", x), low)
    return found if scale == 1.0 else tape.map(f"{n.name}.scaled", "scale", found, c=scale)


@rule("aten.softplus.default")
def _softplus(t: Context, n: Any, a: Any, beta: float = 1.0, threshold: float = 20.0) -> Found:
    """log(1 + e^(β·x)) / β; beyond the threshold torch gives x, which is within e^−20 of it."""
    if threshold < 20:
        raise t.refuse(f"the threshold {threshold}")
    tape, x = t.tape, t.ref(a)
    if beta != 1.0:
        x = tape.map(f"{n.name}.beta", "scale", x, c=beta)
    one = tape.map(f"{n.name}.one", "addConst", tape.map(f"{n.name}.exp", "exp", x), c=1.0)
    found = tape.map(n.name, "log", one)
    return found if beta == 1.0 else tape.map(f"{n.name}.scaled", "scale", found, c=1.0 / beta)


@rule("aten.log_sigmoid.default", "aten.log_sigmoid_forward.default")
def _log_sigmoid(t: Context, n: Any, a: Any) -> Found:
    found = t.tape.map(n.name, "log", t.tape.map(f"{n.name}.sigmoid", "sigmoid", t.ref(a)))
    return [found] if "forward" in str(n.target) else found


@rule("aten.clamp.default", "aten.hardtanh.default")
def _clamp(t: Context, n: Any, a: Any, low: Any = None, high: Any = None) -> Found:
    if "hardtanh" in str(n.target):
        low, high = (-1.0 if low is None else low), (1.0 if high is None else high)
    return _between(t, n.name, t.ref(a), low, high)


@rule("aten.clamp_min.default")
def _clamp_min(t: Context, n: Any, a: Any, low: float) -> Found:
    return _between(t, n.name, t.ref(a), float(low), None)


@rule("aten.clamp_max.default")
def _clamp_max(t: Context, n: Any, a: Any, high: float) -> Found:
    return _between(t, n.name, t.ref(a), None, float(high))


@rule("aten.relu6.default")
def _relu6(t: Context, n: Any, a: Any) -> Found:
    return _between(t, n.name, t.ref(a), 0.0, 6.0)


@rule("aten.hardswish.default")
def _hardswish(t: Context, n: Any, a: Any) -> Found:
    """x · relu6(x + 3) / 6."""
    tape, x = t.tape, t.ref(a)
    gate = _between(t, f"{n.name}.gate", tape.map(f"{n.name}.3", "addConst", x, c=3.0), 0.0, 6.0)
    gate = tape.map(f"{n.name}.sixth", "scale", gate, c=1.0 / 6.0)
    return tape.two(n.name, "mul", x, gate)


@rule("aten.hardsigmoid.default")
def _hardsigmoid(t: Context, n: Any, a: Any) -> Found:
    """Refused: what autograd returns is off by 5e-9 in float64."""
    raise t.refuse("torch keeps 1/6 in float32 in its backward, so its gradient is off")


@rule("aten.abs.default")
def _abs(t: Context, n: Any, a: Any) -> Found:
    """relu(x) − min(x, 0)."""
    x = t.ref(a)
    low = _negative_part(t, n.name, x)
    return t.tape.two(n.name, "sub", t.tape.map(f"{n.name}.on", "relu", x), low)


def _norm(t: Context, name: str, x: Ref, axes: list[int]) -> Ref:
    """The root of the sum of squares along axes, last first."""
    found = t.tape.two(f"{name}.square", "mul", x, x)
    for axis in axes:
        found = t.tape.reduce(f"{name}.sum", "sum", found, axis)
    return t.tape.map(name, "sqrt", found)


@rule("aten.linalg_vector_norm.default")
def _vector_norm(
    t: Context, n: Any, a: Any, order: float = 2, dims: Any = None, *_: Any, **__: Any
) -> Found:
    if order != 2:
        raise t.refuse(f"the norm of order {order}")
    return _norm(t, n.name, t.ref(a), axes_of(t, a, dims))


@rule("aten._weight_norm.default", "aten._weight_norm_interface.default")
def _weight_norm(t: Context, n: Any, v: Any, g: Any, dim: int = 0) -> Found:
    """v · g / ‖v‖, the norm over all axes but one."""
    shape = t.shape(v)
    others = [d for d in range(len(shape)) if d != dim % len(shape)]
    size = _norm(t, f"{n.name}.norm", t.ref(v), axes_of(t, v, others))
    have = [m if d == dim % len(shape) else 1 for d, m in enumerate(shape)]
    factor = t.tape.two(
        f"{n.name}.factor", "mul", t.ref(g), t.tape.map(f"{n.name}.inv", "inv", size)
    )
    found = t.tape.two(n.name, "mul", t.ref(v), t.spread(n.name, factor, have, shape))
    return [found] if "interface" in str(n.target) else found
