"""Derivatives along many directions at once, by dual numbers.

Each value of a run carries its tangents along those directions that reach it, stacked in front of
the batch axis: ``(k, B, *shape)``.  The rules are written by themselves: no derivative rule that a
graph is run with, right or planted wrong, takes part.  They are held against the complex step for
every operation, and in every check on some instances; see `numeric.tolerance.screened`.

Values of the run are shared by all directions, and a tangent is dropped after its last use: the
cost for a direction is about that of a run from where it enters the graph.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from numeric.graph import last_uses
from numeric.interpreter import Trace
from numeric.ops import OPS, Array, Binding

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
    """The tangents ``(k, B, *shape)`` of a value, along the directions ``active``; ``fresh`` where
    nobody else holds them, so that they may be overwritten."""

    active: tuple[int, ...]
    tangents: Array
    fresh: bool


def _push(
    trace: Trace, directions: Sequence[Mapping[str, FloatArray]], *, magnitude: bool
) -> FloatArray:
    graph, count = trace.graph, len(trace.graph.inputs)
    flow: list[_Stack | None] = [_seed(given.name, directions) for given in graph.inputs]
    last = last_uses(graph)
    with np.errstate(all="ignore"):
        for position, node in enumerate(graph.nodes):
            args = tuple(trace.values[a] for a in node.args)
            out, binding = trace.values[count + position], trace.bindings[position]
            if magnitude:
                args, out = tuple(np.abs(a) for a in args), np.abs(out)
            total: _Stack | None = None
            for k, arg in enumerate(node.args):
                if (incoming := flow[arg]) is None:
                    continue
                pushed = TANGENTS[node.op](args, out, binding, k, incoming.tangents)
                if magnitude:
                    pushed = np.abs(pushed)
                fresh = pushed is not incoming.tangents and pushed.base is None
                more = _Stack(incoming.active, pushed, fresh)
                total = more if total is None else _plus(total, more)
            flow.append(total)
            for arg in last[position]:
                flow[arg] = None
    found = flow[graph.outputs[0]]
    result = np.zeros((len(directions), *trace.output.shape))
    if found is not None:
        result[list(found.active)] = found.tangents
    return result


def _seed(name: str, directions: Sequence[Mapping[str, FloatArray]]) -> _Stack | None:
    """The tangents of an input."""
    active = tuple(k for k, d in enumerate(directions) if name in d)
    if not active:
        return None
    return _Stack(active, np.stack([directions[k][name] for k in active]), fresh=True)


def _plus(before: _Stack, more: _Stack) -> _Stack:
    """The sum of what comes from two arguments; in place where nobody else holds the first."""
    if set(more.active) <= set(before.active):
        total = before.tangents if before.fresh else before.tangents.copy()
        total[_places(more.active, before.active)] += more.tangents
        return _Stack(before.active, total, fresh=True)
    union = tuple(sorted({*before.active, *more.active}))
    total = np.empty((len(union), *before.tangents.shape[1:]))
    total[_places(before.active, union)] = before.tangents
    both = [k for k in more.active if k in before.active]
    if not both:
        total[_places(more.active, union)] = more.tangents
        return _Stack(union, total, fresh=True)
    total[_places([k for k in more.active if k not in both], union)] = 0.0
    total[_places(more.active, union)] += more.tangents
    return _Stack(union, total, fresh=True)


def _places(active: Sequence[int], among: Sequence[int]) -> slice | list[int]:
    """Where some directions stand among others; a slice where possible, which copies nothing."""
    found = [among.index(k) for k in active]
    step = found[1] - found[0] if len(found) > 1 else 1
    if all(b - a == step for a, b in pairwise(found)):
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


TANGENTS: Mapping[str, Rule] = MappingProxyType(
    {
        "add": _pass,
        "sub": _sub,
        "mul": _mul,
        "matmul": _matmul,
        "exp": _exp,
        "inv": _inv,
        "tanh": _tanh,
        "sqrt": _sqrt,
        "scale": _scale,
        "addConst": _pass,
        "sum": _sum,
        "mean": _mean,
        "broadcast": _broadcast,
        "transpose": _transpose,
        "reshape": _reshape,
    }
)
"""The tangent rule of each operation, by its name."""

if set(TANGENTS) != set(OPS):
    raise AssertionError(f"operations without a tangent: {sorted(set(TANGENTS) ^ set(OPS))}")
