"""Derivatives along many directions at once, by dual numbers.

Each value of a run carries its tangents along those directions that reach it, stacked in front of
the batch axis: ``(k, B, *shape)``.  The rules are written separately: they use no derivative rule
of the graph's own runs, right or planted wrong.  They are compared with the complex step for every
operation, and in every check on some instances; see `numeric.judge.tolerance.screened`.

Values of the run are shared by all directions, and a tangent is dropped after its last use: the
cost for a direction is at most about that of a run from where it enters the graph.  A chain of
entrywise operations, such as GELU, is differentiated once for all directions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from numeric.graph import last_uses
from numeric.interpret.interpreter import Trace
from numeric.ops import OPS, Array, Arrays, Binding

__all__ = ["SMALLEST", "derivatives", "magnitudes"]

FloatArray = npt.NDArray[np.float64]
Values = tuple[Array, ...]


def derivatives(trace: Trace, directions: Sequence[Mapping[str, FloatArray]]) -> FloatArray:
    """The derivative of the first output along each direction, ``(directions, B, *shape)``.

    Args:
        trace: a run in float64, without perturbation.
        directions: tangents ``(B, *shape)`` of some inputs, by name; the others are 0.

    Returns:
        If the run cannot inspect its numbers, as on compiled `Arrays`, NaN for an instance whose
        derivative may have lost a term that a large tangent would show.
    """
    return _push(trace, directions, magnitude=False)


def magnitudes(trace: Trace, directions: Sequence[Mapping[str, FloatArray]]) -> FloatArray:
    """Σ|terms| of each of these derivatives: the sum over all paths of absolute products."""
    xp = trace.xp
    sizes = [{name: xp.absolute(t) for name, t in d.items()} for d in directions]
    return _push(trace, sizes, magnitude=True)


@dataclass(frozen=True, slots=True)
class _Stack:
    """Tangents ``(k, B, *shape)`` along the directions ``active``; ``fresh`` while they are summed
    and not shared, so that they may be overwritten."""

    active: tuple[int, ...]
    tangents: Array
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class _Flow:
    """The tangents of a value: ``factor · stack``, entry by entry.

    A value that depends on the directions through one other value, entry by entry, as in GELU,
    needs no tangents of its own: its derivative by that value is one factor for all directions.
    """

    stack: _Stack
    factor: Array | None = None

    def spread(self) -> _Stack:
        """Its explicit tangents."""
        if self.factor is None:
            return self.stack
        return _Stack(self.stack.active, self.stack.tangents * self.factor)


def _push(
    trace: Trace, directions: Sequence[Mapping[str, FloatArray]], *, magnitude: bool
) -> Array:
    xp = trace.xp
    least: list[Array] = []
    graph, count = trace.graph, len(trace.graph.inputs)
    flow: list[_Flow | None] = [_seed(given.name, directions, xp) for given in graph.inputs]
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
                    args, out = tuple(xp.absolute(a) for a in args), xp.absolute(out)
                here = _Node(node.op, args, out, trace.bindings[position], magnitude)
                found = here.factor(incoming, least) if _as_factor(node.op, incoming) else None
                if found is not None and not (xp.decides and _lost(found, xp)):
                    flow.append(found)
                else:
                    alone = {k: f.spread() for k, f in incoming.items()}
                    flow.append(here.stack(alone))
                    # Expanded once, regardless of the number of readers.
                    for k, stack in alone.items():
                        flow[node.args[k]] = _Flow(stack)
            for arg in last[position]:
                flow[arg] = None
    last_flow = flow[graph.outputs[0]]
    if last_flow is None:
        return xp.zeros((len(directions), *trace.output.shape))
    result = _in_order(last_flow.spread(), len(directions), xp)
    for each in least:
        known = (each >= SMALLEST).reshape(-1, *(1 for _ in result.shape[2:]))
        result = xp.where(known, result, np.nan)
    return result


def _in_order(stack: _Stack, count: int, xp: Arrays) -> Array:
    """The tangents along all directions, including those that do not reach the value."""
    if stack.active == tuple(range(count)):
        return stack.tangents
    zero = xp.zeros_like(stack.tangents[0])
    place = {k: i for i, k in enumerate(stack.active)}
    return xp.stack([stack.tangents[place[k]] if k in place else zero for k in range(count)])


def _as_factor(op: str, incoming: Mapping[int, _Flow]) -> bool:
    """Whether a node depends on the directions through one value alone, entry by entry."""
    source, *others = (f.stack for f in incoming.values())
    return (
        OPS[op].entrywise and len(source.active) > _FEW and all(other is source for other in others)
    )


def _lost(flow: _Flow, xp: Arrays) -> bool:
    """Whether a product of derivatives may have underflowed that, times a large tangent, would not.

    One that overflows ends up non-finite, and settles nothing.
    """
    return flow.factor is not None and bool(xp.least(xp.absolute(flow.factor)).min() < SMALLEST)


@dataclass(frozen=True, slots=True)
class _Node:
    """One operation at the values of a run, or at their absolute values to compute magnitudes."""

    op: str
    args: Values
    out: Array
    binding: Binding
    magnitude: bool

    def _pushed(self, k: int, tangents: Array) -> Array:
        pushed = OPS[self.op].tangent(self.args, self.out, self.binding, k, tangents)
        return self.binding.xp.absolute(pushed) if self.magnitude else pushed

    def factor(self, incoming: Mapping[int, _Flow], least: list[Array]) -> _Flow:
        """The derivative by the one value that all arguments depend on.

        If numbers cannot be inspected, the least product of two nonzero derivatives is appended to
        ``least``, for each instance.
        """
        xp = self.binding.xp
        one = self.binding.xp.asarray(np.ones((1,) * (len(self.out.shape) + 1)))
        total: Array | None = None
        for k, flow in incoming.items():
            if flow.factor is None:
                more = self._pushed(k, one)
            elif xp.decides:
                more = self._pushed(k, flow.factor[None])
            else:
                partial = self._pushed(k, one)
                more = partial * flow.factor[None]
                there = (partial[0] != 0) & (flow.factor != 0)
                least.append(xp.least(xp.where(there, xp.absolute(more[0]), 1.0)))
            total = more if total is None else total + more
        assert total is not None  # some argument depends on a direction
        return _Flow(next(iter(incoming.values())).stack, total[0])

    def stack(self, incoming: Mapping[int, _Stack]) -> _Flow:
        """Tangents from those of the arguments."""
        xp = self.binding.xp
        total: _Stack | None = None
        for k, stack in incoming.items():
            pushed = self._pushed(k, stack.tangents)
            fresh = xp.writes and xp.owned(pushed, stack.tangents)
            more = _Stack(stack.active, pushed, fresh)
            total = more if total is None else _plus(total, more, xp)
        assert total is not None  # some argument depends on a direction
        return _Flow(total)


def _seed(name: str, directions: Sequence[Mapping[str, FloatArray]], xp: Arrays) -> _Flow | None:
    """The tangents of an input."""
    active = tuple(k for k, d in enumerate(directions) if name in d)
    if not active:
        return None
    if len(active) == 1:
        return _Flow(_Stack(active, directions[active[0]][name][None]))
    return _Flow(_Stack(active, xp.stack([directions[k][name] for k in active])))


def _plus(before: _Stack, more: _Stack, xp: Arrays) -> _Stack:
    """The sum of the tangents from two arguments; in place if one of them is not shared."""
    if before.active == more.active:
        if before.fresh:
            into, other = before.tangents, more.tangents
        elif more.fresh:
            into, other = more.tangents, before.tangents
        else:
            return _Stack(before.active, before.tangents + more.tangents, fresh=xp.writes)
        into += other
        return _Stack(before.active, into, fresh=True)
    new = [k for k in more.active if k not in before.active]
    both = [k for k in more.active if k in before.active]
    if not xp.writes:
        return _joined(before, more, new, both, xp)
    total = before.tangents
    if new or not before.fresh:
        total = xp.empty((len(before.active) + len(new), *before.tangents.shape[1:]))
        total[: len(before.active)] = before.tangents
        total[len(before.active) :] = more.tangents[_places(new, more.active)]
    if both:
        total[_places(both, before.active)] += more.tangents[_places(both, more.active)]
    return _Stack((*before.active, *new), total, fresh=True)


def _joined(
    before: _Stack, more: _Stack, new: Sequence[int], both: Sequence[int], xp: Arrays
) -> _Stack:
    """The same without overwriting anything."""
    only = [k for k in before.active if k not in both]

    def some(of: _Stack, active: Sequence[int]) -> Array:
        there = _places(active, of.active)
        return of.tangents[there if isinstance(there, slice) else np.asarray(there)]

    parts = [some(before, only)] if only else []
    if both:
        parts.append(some(before, both) + some(more, both))
    if new:
        parts.append(some(more, new))
    return _Stack((*only, *both, *new), xp.concatenate(parts))


def _places(active: Sequence[int], among: Sequence[int]) -> slice | list[int]:
    """The positions of some directions among others; a slice where possible, which copies
    nothing."""
    found = [among.index(k) for k in active]
    if not found:
        return slice(0, 0)
    step = found[1] - found[0] if len(found) > 1 else 1
    if step > 0 and all(b - a == step for a, b in pairwise(found)):
        return slice(found[0], found[-1] + 1, step)
    return found


_FEW = 2
"""Along this many directions or fewer, a factor costs as much as it saves."""

SMALLEST = float(np.finfo(np.float64).smallest_normal)
"""Below this a factor has lost digits."""
