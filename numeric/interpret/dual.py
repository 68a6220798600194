"""Derivatives along many directions at once, by dual numbers.

Each value of a run carries its tangents along those directions that reach it, stacked in front of
the batch axis: ``(k, B, *shape)``.  The rules are written by themselves: no derivative rule that a
graph is run with, right or planted wrong, takes part.  They are held against the complex step for
every operation, and in every check on some instances; see `numeric.judge.tolerance.screened`.

Values of the run are shared by all directions, and a tangent is dropped after its last use: the
cost for a direction is at most about that of a run from where it enters the graph.  A chain of
operations entry by entry, such as GELU, is differentiated once for all directions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from numeric.graph import last_uses
from numeric.interpret.interpreter import Trace
from numeric.ops import OPS, Array, Binding
from numeric.ops.elementwise import ELEMENTWISE

__all__ = ["TANGENTS", "derivatives", "magnitudes"]

FloatArray = npt.NDArray[np.float64]
Values = tuple[Array, ...]
Rule = Callable[[Values, Array, Binding, int, Array], Array]
"""From the arguments, the result, the binding, which argument, and its tangents ``(k, B, *s)``."""


def derivatives(trace: Trace, directions: Sequence[Mapping[str, FloatArray]]) -> FloatArray:
    """The derivative of the first output along each direction, ``(directions, B, *shape)``.

    Args:
        trace: a run in float64, without perturbation.
        directions: tangents ``(B, *shape)`` of some inputs, by name; the others are 0.
    """
    return _push(trace, directions, magnitude=False)


def magnitudes(trace: Trace, directions: Sequence[Mapping[str, FloatArray]]) -> FloatArray:
    """Σ|terms| of each of these derivatives: the sum over all paths of absolute products."""
    sizes = [{name: np.abs(t) for name, t in d.items()} for d in directions]
    return _push(trace, sizes, magnitude=True)


@dataclass(frozen=True, slots=True)
class _Stack:
    """Tangents ``(k, B, *shape)`` along the directions ``active``; ``fresh`` while they are added
    up and no one else holds them, so that they may be overwritten."""

    active: tuple[int, ...]
    tangents: Array
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class _Flow:
    """The tangents of a value: ``factor · stack``, entry by entry.

    A value that depends on the directions through one other value, entry by entry, as GELU does,
    needs no tangents of its own: its derivative by that value is one factor for all directions.
    """

    stack: _Stack
    factor: Array | None = None

    def spread(self) -> _Stack:
        """Its tangents by themselves."""
        if self.factor is None:
            return self.stack
        return _Stack(self.stack.active, self.stack.tangents * self.factor)


def _push(
    trace: Trace, directions: Sequence[Mapping[str, FloatArray]], *, magnitude: bool
) -> FloatArray:
    graph, count = trace.graph, len(trace.graph.inputs)
    flow: list[_Flow | None] = [_seed(given.name, directions) for given in graph.inputs]
    last = last_uses(graph)
    with np.errstate(all="ignore"):
        for position, node in enumerate(graph.nodes):
            incoming = {k: f for k, arg in enumerate(node.args) if (f := flow[arg]) is not None}
            if not incoming:
                flow.append(None)
            else:
                args = tuple(trace.values[a] for a in node.args)
                out = trace.values[count + position]
                if magnitude:
                    args, out = tuple(np.abs(a) for a in args), np.abs(out)
                here = _Node(node.op, args, out, trace.bindings[position], magnitude)
                if _as_factor(node.op, incoming) and not _lost(found := here.factor(incoming)):
                    flow.append(found)
                else:
                    alone = {k: f.spread() for k, f in incoming.items()}
                    flow.append(here.stack(alone))
                    # Spread once, however many read it.
                    for k, stack in alone.items():
                        flow[node.args[k]] = _Flow(stack)
            for arg in last[position]:
                flow[arg] = None
    last_flow = flow[graph.outputs[0]]
    result = np.zeros((len(directions), *trace.output.shape))
    if last_flow is not None:
        stack = last_flow.spread()
        result[list(stack.active)] = stack.tangents
    return result


def _as_factor(op: str, incoming: Mapping[int, _Flow]) -> bool:
    """Whether a node depends on the directions through one value alone, entry by entry."""
    source, *others = (f.stack for f in incoming.values())
    return (
        op in _POINTWISE and len(source.active) > _FEW and all(other is source for other in others)
    )


def _lost(flow: _Flow) -> bool:
    """Whether a product of derivatives may have vanished that, times a large tangent, would not.

    One that overflows is not a finite number in the end, and settles nothing.
    """
    return flow.factor is not None and bool(np.abs(flow.factor).min() < _SMALLEST)


@dataclass(frozen=True, slots=True)
class _Node:
    """One operation at the values of a run, or at their sizes where magnitudes are asked for."""

    op: str
    args: Values
    out: Array
    binding: Binding
    magnitude: bool

    def _pushed(self, k: int, tangents: Array) -> Array:
        pushed = TANGENTS[self.op](self.args, self.out, self.binding, k, tangents)
        return np.abs(pushed) if self.magnitude else pushed

    def factor(self, incoming: Mapping[int, _Flow]) -> _Flow:
        """The derivative by the one value that all arguments depend on."""
        one = np.ones((1,) * (self.out.ndim + 1))
        total: Array | None = None
        for k, flow in incoming.items():
            more = self._pushed(k, one if flow.factor is None else flow.factor[None])
            total = more if total is None else total + more
        assert total is not None  # some argument depends on a direction
        return _Flow(next(iter(incoming.values())).stack, total[0])

    def stack(self, incoming: Mapping[int, _Stack]) -> _Flow:
        """Tangents from those of the arguments."""
        total: _Stack | None = None
        for k, stack in incoming.items():
            pushed = self._pushed(k, stack.tangents)
            fresh = pushed is not stack.tangents and pushed.base is None
            more = _Stack(stack.active, pushed, fresh)
            total = more if total is None else _plus(total, more)
        assert total is not None  # some argument depends on a direction
        return _Flow(total)


def _seed(name: str, directions: Sequence[Mapping[str, FloatArray]]) -> _Flow | None:
    """The tangents of an input."""
    active = tuple(k for k, d in enumerate(directions) if name in d)
    if not active:
        return None
    if len(active) == 1:
        return _Flow(_Stack(active, directions[active[0]][name][None]))
    return _Flow(_Stack(active, np.stack([directions[k][name] for k in active])))


def _plus(before: _Stack, more: _Stack) -> _Stack:
    """The sum of what comes from two arguments; in place where no one else holds one of them."""
    if before.active == more.active:
        into = before.tangents if before.fresh else more.tangents if more.fresh else None
        return _Stack(before.active, np.add(before.tangents, more.tangents, out=into), fresh=True)
    new = [k for k in more.active if k not in before.active]
    both = [k for k in more.active if k in before.active]
    total = before.tangents
    if new or not before.fresh:
        total = np.empty((len(before.active) + len(new), *before.tangents.shape[1:]))
        total[: len(before.active)] = before.tangents
        total[len(before.active) :] = more.tangents[_places(new, more.active)]
    if both:
        total[_places(both, before.active)] += more.tangents[_places(both, more.active)]
    return _Stack((*before.active, *new), total, fresh=True)


def _places(active: Sequence[int], among: Sequence[int]) -> slice | list[int]:
    """Where some directions stand among others; a slice where possible, which copies nothing."""
    found = [among.index(k) for k in active]
    if not found:
        return slice(0, 0)
    step = found[1] - found[0] if len(found) > 1 else 1
    if step > 0 and all(b - a == step for a, b in pairwise(found)):
        return slice(found[0], found[-1] + 1, step)
    return found


def _pass(args: Values, out: Array, binding: Binding, k: int, t: Array) -> Array:
    return t


def _sub(args: Values, out: Array, binding: Binding, k: int, t: Array) -> Array:
    return t if k == 0 else -t


def _mul(args: Values, out: Array, binding: Binding, k: int, t: Array) -> Array:
    return t * args[1 - k]


def _matmul(args: Values, out: Array, binding: Binding, k: int, t: Array) -> Array:
    return t @ args[1] if k == 0 else args[0] @ t


def _exp(args: Values, out: Array, binding: Binding, k: int, t: Array) -> Array:
    return t * out


def _inv(args: Values, out: Array, binding: Binding, k: int, t: Array) -> Array:
    return -(t * out) * out


def _tanh(args: Values, out: Array, binding: Binding, k: int, t: Array) -> Array:
    """1 − tanh² as 1/cosh²: the difference loses every digit where tanh saturates."""
    c = 1.0 / np.cosh(np.minimum(np.abs(args[0]), 700.0))
    return t * (c * c)


def _normal_cdf(args: Values, out: Array, binding: Binding, k: int, t: Array) -> Array:
    """The density, whose square root is squared: exp is asked for half the exponent."""
    half = np.exp(-0.25 * (args[0] * args[0]))
    return t * (half * half * math.sqrt(0.5 / math.pi))


def _sigmoid(args: Values, out: Array, binding: Binding, k: int, t: Array) -> Array:
    """σ(x)·σ(−x): the difference 1 − σ loses every digit where σ saturates."""
    c = 1.0 / np.cosh(np.minimum(0.5 * np.abs(args[0]), 350.0))
    return t * (0.25 * c * c)


def _log(args: Values, out: Array, binding: Binding, k: int, t: Array) -> Array:
    return t / args[0]


def _relu(args: Values, out: Array, binding: Binding, k: int, t: Array) -> Array:
    return t * (out > 0)


def _sqrt(args: Values, out: Array, binding: Binding, k: int, t: Array) -> Array:
    """Half the inverse root, and 0 where the root is 0 (the clamp, and the convention at 0)."""
    return t * np.divide(0.5, out, out=np.zeros_like(out), where=out != 0)


def _scale(args: Values, out: Array, binding: Binding, k: int, t: Array) -> Array:
    return t * binding.c


def _sum(args: Values, out: Array, binding: Binding, k: int, t: Array) -> Array:
    axes = list(range(t.ndim))
    total: Array = np.einsum(t, axes, axes[: binding.axis + 1] + axes[binding.axis + 2 :])
    return total


def _mean(args: Values, out: Array, binding: Binding, k: int, t: Array) -> Array:
    return _sum(args, out, binding, k, t) * (1.0 / binding.operand[binding.axis - 1])


def _broadcast(args: Values, out: Array, binding: Binding, k: int, t: Array) -> Array:
    wide = np.expand_dims(t, binding.axis + 1)
    return np.broadcast_to(wide, (*t.shape[:2], *binding.shape))


def _transpose(args: Values, out: Array, binding: Binding, k: int, t: Array) -> Array:
    return np.transpose(t, (0, 1, *(axis + 1 for axis in binding.perm[1:])))


def _reshape(args: Values, out: Array, binding: Binding, k: int, t: Array) -> Array:
    return t.reshape(*t.shape[:2], *binding.shape)


def _place(args: Values, out: Array, binding: Binding, k: int, t: Array) -> Array:
    moved = np.zeros((*t.shape[:2], *binding.shape), dtype=t.dtype)
    there, axis = binding.index >= 0, binding.axis + 1
    np.moveaxis(moved, axis, 0)[there] = np.moveaxis(t, axis, 0)[binding.index[there]]
    return moved


def _gather(args: Values, out: Array, binding: Binding, k: int, t: Array) -> Array:
    flat = t.reshape(*t.shape[:2], -1)
    there = binding.index >= 0
    moved = np.zeros((*t.shape[:2], len(there)), dtype=t.dtype)
    moved[..., there] = flat[..., binding.index[there]]
    return moved.reshape(*t.shape[:2], *binding.shape)


TANGENTS: Mapping[str, Rule] = MappingProxyType(
    {
        "add": _pass,
        "sub": _sub,
        "mul": _mul,
        "matmul": _matmul,
        "exp": _exp,
        "inv": _inv,
        "tanh": _tanh,
        "normalCdf": _normal_cdf,
        "sigmoid": _sigmoid,
        "log": _log,
        "relu": _relu,
        "sqrt": _sqrt,
        "scale": _scale,
        "addConst": _pass,
        "sum": _sum,
        "mean": _mean,
        "broadcast": _broadcast,
        "transpose": _transpose,
        "reshape": _reshape,
        "place": _place,
        "gather": _gather,
    }
)
"""The tangent rule of each operation, by its name."""

_POINTWISE = frozenset(op.name for op in ELEMENTWISE)
_FEW = 2
"""Along so many directions or fewer, a factor costs what it saves."""

_SMALLEST = float(np.finfo(np.float64).smallest_normal)

if set(TANGENTS) != set(OPS):
    raise AssertionError(f"operations without a tangent: {sorted(set(TANGENTS) ^ set(OPS))}")
