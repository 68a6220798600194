"""Sums, products, powers, functions of one number, and reductions."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Sequence
from typing import Any

from bridge.capture.aten.rule import Context, Found, rule
from bridge.capture.exported import HIDDEN
from bridge.capture.tape import Ref, tight

__all__ = ["axes_of", "masked"]


def masked(t: Context, n: Any, a: Any, bias: Any) -> Ref | None:
    """``a + bias`` if the known ``bias`` hides entries: the rest of it is added, and the kept
    entries noted; None if it hides nothing."""
    torch: Any = importlib.import_module("torch")
    hidden = bias <= HIDDEN
    if not bool(hidden.any()):
        return None
    full = tuple(torch.broadcast_shapes(t.shape(a), bias.shape))
    x = t.ref(a, hidden=True)
    before = t.keep(x)
    if before is not None:
        before = t.spread(f"{n.name}.keep", before, t.shape(a), full)
    x = t.spread(n.name, x, t.shape(a), full)
    rest = torch.where(hidden, 0.0, bias)
    if bool(rest.any()):
        known = t.constant(f"{n.name}.bias", rest)
        x = t.tape.two(n.name, "add", x, t.spread(f"{n.name}.bias", known, bias.shape, full))
    else:
        x = t.tape.map(n.name, "scale", x, c=1.0)  # a new value, so that only it is masked
    kept = t.constant(f"{n.name}.keep", (~hidden).double())
    kept = t.spread(f"{n.name}.keep", kept, bias.shape, full)
    if before is not None:
        kept = t.tape.two(f"{n.name}.keep", "mul", before, kept)
    return t.hide(x, kept)


def _sum(t: Context, n: Any, a: Any, b: Any, alpha: float = 1) -> Found:
    return _add(t, n, a, b, float(alpha))


def _add(t: Context, n: Any, a: Any, b: Any, alpha: float) -> Ref:
    """a + alpha · b."""
    torch: Any = importlib.import_module("torch")
    tape, full = t.tape, t.shape(n)
    for one, other, factor in ((a, b, alpha), (b, a, 1.0)):
        c = t.scalar(other)
        if c is not None and t.live(one):
            x = t.at(n.name, one, full)
            if one is b and alpha != 1.0:
                x = tape.map(f"{n.name}.scaled", "scale", x, c=alpha)
            return x if c == 0 else tape.map(n.name, "addConst", x, c=factor * c)
        if isinstance(other, torch.fx.Node) and not t.live(other) and factor == 1.0 and t.live(one):
            found = masked(t, n, one, t.known(other).double())
            if found is not None:
                return found
            if not bool(t.known(other).any()):
                return t.at(n.name, one, full)
    x, y = t.at(n.name, a, full), t.at(n.name, b, full)
    if alpha == -1.0:
        return tape.two(n.name, "sub", x, y)
    if alpha != 1.0:
        y = tape.map(f"{n.name}.scaled", "scale", y, c=alpha)
    return tape.two(n.name, "add", x, y)


rule("aten.add.Tensor", "aten.add.Scalar")(_sum)


@rule("aten.sub.Tensor", "aten.sub.Scalar")
def _sub(t: Context, n: Any, a: Any, b: Any, alpha: float = 1) -> Found:
    return _add(t, n, a, b, -float(alpha))


@rule("aten.rsub.Scalar", "aten.rsub.Tensor")
def _rsub(t: Context, n: Any, a: Any, b: Any, alpha: float = 1) -> Found:
    return _add(t, n, b, a, -float(alpha))


@rule("aten.mul.Tensor", "aten.mul.Scalar")
def _mul(t: Context, n: Any, a: Any, b: Any) -> Found:
    for one, other in ((a, b), (b, a)):
        c = t.scalar(other)
        if c is not None and t.live(one):
            x = t.at(n.name, one, t.shape(n))
            return x if c == 1 else t.tape.map(n.name, "scale", x, c=c)
    return t.tape.two(n.name, "mul", t.at(n.name, a, t.shape(n)), t.at(n.name, b, t.shape(n)))


@rule("aten.div.Tensor", "aten.div.Scalar", "aten.true_divide.Tensor")
def _div(t: Context, n: Any, a: Any, b: Any) -> Found:
    c = t.scalar(b)
    if c is not None:
        return t.tape.map(n.name, "scale", t.at(n.name, a, t.shape(n)), c=1.0 / c)
    y = t.tape.map(f"{n.name}.inv", "inv", t.at(n.name, b, t.shape(n)))
    c = t.scalar(a)
    if c is not None:
        return t.tape.map(n.name, "scale", y, c=c)
    return t.tape.two(n.name, "mul", t.at(n.name, a, t.shape(n)), y)


@rule("aten.neg.default")
def _neg(t: Context, n: Any, a: Any) -> Found:
    return t.tape.map(n.name, "scale", t.ref(a), c=-1.0)


def _one(op: str) -> Callable[..., Found]:
    return lambda t, n, a: t.tape.map(n.name, op, t.ref(a))


for _aten, _op in (
    ("tanh", "tanh"),
    ("exp", "exp"),
    ("sqrt", "sqrt"),
    ("relu", "relu"),
    ("log", "log"),
    ("reciprocal", "inv"),
    ("sigmoid", "sigmoid"),
    ("special_ndtr", "normalCdf"),
):
    rule(f"aten.{_aten}.default")(_one(_op))


@rule("aten.rsqrt.default")
def _rsqrt(t: Context, n: Any, a: Any) -> Found:
    return t.tape.map(n.name, "inv", t.tape.map(f"{n.name}.sqrt", "sqrt", t.ref(a)))


@rule("aten.erf.default")
def _erf(t: Context, n: Any, a: Any) -> Found:
    """2·Φ(√2·x) − 1."""
    tape = t.tape
    wide = tape.map(f"{n.name}.arg", "scale", t.ref(a), c=math.sqrt(2.0))
    twice = tape.map(
        f"{n.name}.twice", "scale", tape.map(f"{n.name}.cdf", "normalCdf", wide), c=2.0
    )
    return tape.map(n.name, "addConst", twice, c=-1.0)


@rule("aten.gelu.default")
def _gelu(t: Context, n: Any, a: Any, approximate: str = "none") -> Found:
    tape, x = t.tape, t.ref(a)
    if approximate != "tanh":
        return tape.two(n.name, "mul", x, tape.map(f"{n.name}.cdf", "normalCdf", x))
    cube = tape.two(f"{n.name}.cube", "mul", tape.two(f"{n.name}.square", "mul", x, x), x)
    inner = tape.two(
        f"{n.name}.inner", "add", x, tape.map(f"{n.name}.cubic", "scale", cube, c=0.044715)
    )
    argument = tape.map(f"{n.name}.arg", "scale", inner, c=math.sqrt(2.0 / math.pi))
    shifted = tape.map(
        f"{n.name}.shifted", "addConst", tape.map(f"{n.name}.tanh", "tanh", argument), c=1.0
    )
    return tape.two(n.name, "mul", tape.map(f"{n.name}.half", "scale", x, c=0.5), shifted)


@rule("aten.silu.default")
def _silu(t: Context, n: Any, a: Any) -> Found:
    x = t.ref(a)
    return t.tape.two(n.name, "mul", x, t.tape.map(f"{n.name}.sigmoid", "sigmoid", x))


@rule("aten.mish.default")
def _mish(t: Context, n: Any, a: Any) -> Found:
    x = t.ref(a)
    return t.tape.two(n.name, "mul", x, t.tape.map(f"{n.name}.tanh", "tanh", _softplus_of(t, n, x)))


def _softplus_of(t: Context, n: Any, x: Ref) -> Ref:
    """log(1 + exp x)."""
    grown = t.tape.map(f"{n.name}.exp", "exp", x)
    return t.tape.map(f"{n.name}.log", "log", t.tape.map(f"{n.name}.one", "addConst", grown, c=1.0))


@rule("aten.leaky_relu.default")
def _leaky(t: Context, n: Any, a: Any, slope: float = 0.01) -> Found:
    """relu(x) − slope · relu(−x)."""
    tape, x = t.tape, t.ref(a)
    negative = tape.map(f"{n.name}.neg", "scale", x, c=-1.0)
    low = tape.map(f"{n.name}.low", "scale", tape.map(f"{n.name}.off", "relu", negative), c=slope)
    return tape.two(n.name, "sub", tape.map(f"{n.name}.on", "relu", x), low)


@rule("aten.prelu.default", "aten._prelu_kernel.default")
def _prelu(t: Context, n: Any, a: Any, weight: Any) -> Found:
    """relu(x) − weight · relu(−x), the weight along the axis of channels."""
    tape, x, shape = t.tape, t.ref(a), t.shape(a)
    count = t.shape(weight)
    if n.target.__name__.startswith("_prelu"):
        full = t.at(n.name, weight, shape)
    else:
        have = [1] * len(shape)
        have[min(1, len(shape) - 1)] = math.prod(count)
        full = t.spread(n.name, t.ref(weight), have, shape)
    off = tape.map(f"{n.name}.off", "relu", tape.map(f"{n.name}.neg", "scale", x, c=-1.0))
    low = tape.two(f"{n.name}.low", "mul", full, off)
    return tape.two(n.name, "sub", tape.map(f"{n.name}.on", "relu", x), low)


@rule("aten.pow.Tensor_Scalar")
def _pow(t: Context, n: Any, a: Any, k: float) -> Found:
    tape, x = t.tape, t.ref(a)
    if k in (0.5, -0.5):
        root = tape.map(f"{n.name}.sqrt", "sqrt", x)
        return root if k > 0 else tape.map(n.name, "inv", root)
    if k != int(k) or not 1 <= abs(k) <= 8:
        raise t.refuse(f"the power {k}")
    power = x
    for _ in range(abs(int(k)) - 1):
        power = tape.two(n.name, "mul", power, x)
    return power if k > 0 else tape.map(f"{n.name}.inv", "inv", power)


@rule("aten.square.default")
def _square(t: Context, n: Any, a: Any) -> Found:
    return _pow(t, n, a, 2)


def axes_of(t: Context, a: Any, dims: Sequence[int] | int | None) -> list[int]:
    """The tape's axes that some dims of a node are, last first."""
    shape = t.shape(a)
    dims = [dims] if isinstance(dims, int) else list(dims or range(len(shape)))
    chosen = sorted((d % len(shape) for d in dims), reverse=True)
    return [len(tight(shape[:d])) for d in chosen if shape[d] != 1]


def _reduced(op: str) -> Callable[..., Found]:
    def reduce(t: Context, n: Any, a: Any, dims: Any = None, *_: Any, **__: Any) -> Found:
        x = t.ref(a)
        for axis in axes_of(t, a, dims):
            x = t.tape.reduce(n.name, op, x, axis)
        return x

    return reduce


rule("aten.mean.dim", "aten.mean.default")(_reduced("mean"))
rule("aten.sum.dim_IntList", "aten.sum.default")(_reduced("sum"))


@rule("aten.var.correction")
def _variance(
    t: Context, n: Any, a: Any, dims: Any = None, *, correction: float = 1, keepdim: bool = False
) -> Ref:
    """The mean of the squares of x − mean x, times m/(m − correction)."""
    tape, x = t.tape, t.ref(a)
    axes = axes_of(t, a, dims)
    mean = x
    for axis in axes:
        mean = tape.reduce(f"{n.name}.mean", "mean", mean, axis)
    for axis in reversed(axes):
        mean = tape.spread(f"{n.name}.mean", mean, axis, x.shape[axis])
    centered = tape.two(f"{n.name}.centered", "sub", x, mean)
    found = tape.two(f"{n.name}.square", "mul", centered, centered)
    for axis in axes:
        found = tape.reduce(n.name, "mean", found, axis)
    size = math.prod(x.shape[axis] for axis in axes)
    return (
        found if correction == 0 else tape.map(n.name, "scale", found, c=size / (size - correction))
    )


@rule("aten.var.dim")
def _variance_of(
    t: Context, n: Any, a: Any, dims: Any = None, unbiased: bool = True, keepdim: bool = False
) -> Found:
    return _variance(t, n, a, dims, correction=int(unbiased), keepdim=keepdim)


@rule("aten.var.default")
def _variance_of_all(t: Context, n: Any, a: Any, unbiased: bool = True) -> Found:
    return _variance(t, n, a, None, correction=int(unbiased))


@rule("aten.std.correction")
def _deviation(
    t: Context, n: Any, a: Any, dims: Any = None, *, correction: float = 1, keepdim: bool = False
) -> Found:
    """The root of the variance; over the reals it has no derivative where the variance is 0."""
    variance = _variance(t, n, a, dims, correction=correction, keepdim=keepdim)
    assert not isinstance(variance, list)  # a rule may give several
    return t.tape.map(n.name, "sqrt", variance)


@rule("aten.std.dim")
def _deviation_of(
    t: Context, n: Any, a: Any, dims: Any = None, unbiased: bool = True, keepdim: bool = False
) -> Found:
    return _deviation(t, n, a, dims, correction=int(unbiased), keepdim=keepdim)


@rule("aten.std.default")
def _deviation_of_all(t: Context, n: Any, a: Any, unbiased: bool = True) -> Found:
    return _deviation(t, n, a, None, correction=int(unbiased))


@rule("aten.masked_fill.Scalar", "aten.masked_fill.Tensor")
def _masked_fill(t: Context, n: Any, a: Any, mask: Any, value: Any) -> Found:
    torch: Any = importlib.import_module("torch")
    number = t.scalar(value)
    if number is None:
        raise t.refuse("filled with a tensor")
    chosen = t.known(mask).bool()
    fill = torch.zeros(chosen.shape, dtype=torch.float64).masked_fill(chosen, number)
    return _chosen(t, n, a, fill, ~chosen)


@rule("aten.where.self", "aten.where.ScalarOther", "aten.where.ScalarSelf", "aten.where.Scalar")
def _where(t: Context, n: Any, condition: Any, a: Any, b: Any) -> Found:
    """One of two by a known condition: a · keep + b · (1 − keep)."""
    torch: Any = importlib.import_module("torch")
    chosen = t.known(condition).bool()
    if t.live(a) and not t.live(b):
        other = torch.as_tensor(t.known(b), dtype=torch.float64)
        return _chosen(t, n, a, torch.where(chosen, 0.0, other), chosen)
    if t.live(b) and not t.live(a):
        other = torch.as_tensor(t.known(a), dtype=torch.float64)
        return _chosen(t, n, b, torch.where(chosen, other, 0.0), ~chosen)
    full = t.shape(n)
    total: Ref | None = None
    for name, one, keep in (("on", a, chosen), ("off", b, ~chosen)):
        kept = t.spread(
            n.name, t.constant(f"{n.name}.{name}", keep.double()), tuple(keep.shape), full
        )
        part = t.tape.two(f"{n.name}.{name}", "mul", t.at(n.name, one, full), kept)
        total = part if total is None else t.tape.two(n.name, "add", total, part)
    assert total is not None  # there are two parts
    return total


def _chosen(t: Context, n: Any, a: Any, other: Any, keep: Any) -> Ref:
    """``a`` where ``keep``, else the known ``other``, which is 0 where ``keep``."""
    if bool(keep.all()):
        return t.at(n.name, a, t.shape(n))
    if bool((other <= HIDDEN).any()):
        if bool((other > HIDDEN).logical_and(~keep).any()):
            raise t.refuse("some entries are hidden, and others filled")
        found = masked(t, n, a, other)
        assert found is not None  # something is hidden
        return found
    full = t.shape(n)
    kept = t.constant(f"{n.name}.keep", keep.double())
    x = t.tape.two(
        f"{n.name}.kept",
        "mul",
        t.at(n.name, a, full),
        t.spread(n.name, kept, tuple(keep.shape), full),
    )
    if not bool(other.any()):
        return x
    fill = t.constant(f"{n.name}.fill", other)
    return t.tape.two(n.name, "add", x, t.spread(n.name, fill, tuple(other.shape), full))
