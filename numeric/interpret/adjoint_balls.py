"""Value and backprop in ball arithmetic: each with a radius that encloses the exact one.

The walk is that of `Interpreter.vjp`: from the output back, each operation pulls the cotangent of
its result back to its arguments, at the values that the forward run saved.  Here the saved values
and the cotangents are balls, so the result encloses what the same walk gives over the real numbers.
Of a captured graph, Lean proves that to be the adjoint of the Fréchet derivative where its side
conditions hold; they are checked elsewhere.

Inputs, constants and the cotangent of the output are taken as exact.  Where a derivative may not
exist, as of ReLU around 0, the ball holds 0 and 1 and no more is claimed.
Source: `numeric.interpret.wide`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from numeric.errors import EvaluationError
from numeric.interpret.interpreter import Trace
from numeric.interpret.rounding import UP, standard_arithmetic
from numeric.interpret.wide import Wide, function, inverse, root
from numeric.ops import OPS, Binding

__all__ = ["Enclosed", "pulled_back"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Enclosed:
    """What a run and backprop give over the real numbers.

    Attributes:
        values: of the graph, inputs first, each ``(B, *shape)``.
        gradients: of every input, by name.
        open: the first node, forward and then back, of which something is not known; empty where
            there is none.
    """

    values: tuple[Wide, ...]
    gradients: Mapping[str, Wide]
    open: str = ""


@dataclass(frozen=True, slots=True)
class _Step:
    """One node: its arguments, its parameters; on the way back its result and its cotangent."""

    args: tuple[Wide, ...]
    binding: Binding
    out: Wide
    cotangent: Wide


Value: TypeAlias = Callable[[tuple[Wide, ...], Binding], Wide]
Pull: TypeAlias = Callable[[_Step], Wide]
"""The cotangent of one argument."""


def pulled_back(trace: Trace, cotangent: FloatArray) -> Enclosed:
    """Enclose the values of a graph and what backprop gives of a cotangent of its first output.

    Args:
        trace: a run in float64: its inputs and constants are taken.
        cotangent: of the first output, ``(B, *shape)``, exact.

    Raises:
        EvaluationError: the run is complex, an operation has no rule for balls, python-flint is not
            installed, or the platform does not compute as rounding errors are bounded.
    """
    standard_arithmetic()
    graph = trace.graph
    count = len(graph.inputs)
    given = trace.values[:count]
    if any(np.iscomplexobj(v) for v in given):
        raise EvaluationError("expected a run in real numbers but got complex128")
    unruled = sorted({n.op for n in graph.nodes} - set(_VALUES).intersection(_PULLS))
    if unruled:
        raise EvaluationError(f"there is no rule for balls of {', '.join(unruled)}")
    values = [Wide.exactly(v) for v in given]
    flow: dict[int, Wide] = {graph.outputs[0]: Wide.exactly(cotangent)}
    unknown = ""
    with np.errstate(all="ignore"):
        for node, binding in zip(graph.nodes, trace.bindings, strict=True):
            found = _VALUES[node.op](tuple(values[a] for a in node.args), binding)
            if not unknown and not np.isfinite(found.radius).all():
                unknown = f"{node.name} ({node.op})"
            values.append(found)
        for position in reversed(range(len(graph.nodes))):
            arriving = flow.pop(count + position, None)
            if arriving is None:
                continue
            node = graph.nodes[position]
            args = tuple(values[a] for a in node.args)
            step = _Step(args, trace.bindings[position], values[count + position], arriving)
            for arg, pull in zip(node.args, _PULLS[node.op], strict=True):
                pulled = pull(step)
                if not unknown and not np.isfinite(pulled.radius).all():
                    unknown = f"the way back through {node.name} ({node.op})"
                flow[arg] = flow[arg] + pulled if arg in flow else pulled
    gradients = {
        g.name: flow[i] if i in flow else Wide.exactly(np.zeros(given[i].shape))
        for i, g in enumerate(graph.inputs)
    }
    return Enclosed(tuple(values), gradients, unknown)


def _constant(binding: Binding, shape: tuple[int, ...]) -> Wide:
    return Wide.exactly(np.broadcast_to(np.asarray(binding.c, np.float64), shape))


def _by(x: Wide, slope: float) -> FloatArray:
    """How far a function moves within the radius whose slope is at most that."""
    return slope * x.radius * UP


def _exp(x: Wide) -> Wide:
    """e^r − 1 ≤ r·(1 + r) for r ≤ 1."""
    y = function(lambda a: a.exp(), x, np.zeros(x.hi.shape))
    r = np.where(x.radius <= 1.0, x.radius, np.inf)
    return Wide.of(y.hi, y.lo, y.radius + (y.absolute + y.radius) * (r * (1.0 + r) * UP))


def _cdf(a: Any) -> Any:
    return (-a / type(a)(2).sqrt()).erfc() / 2


def _density(a: Any) -> Any:
    return (-a * a / 2).exp() / (2 * type(a).pi()).sqrt()


def _logistic(a: Any) -> Any:
    return 1 / (1 + (-a).exp())


def _log(x: Wide) -> Wide:
    """|log x′ − log x| ≤ r/(x − r); nothing is known where x may be 0."""
    known = (x.hi > 0) & (x.radius <= 0.5 * x.hi)
    moved = np.where(known, x.radius / np.where(known, x.least, 1.0), np.inf)
    safe = Wide(np.where(known, x.hi, 1.0), np.where(known, x.lo, 0.0), x.radius)
    return function(lambda a: a.log(), safe, moved * UP)


def _relu(x: Wide) -> Wide:
    """max(x, 0) moves no further than x, and is 0 where x is known not to be positive."""
    below = x.hi + x.radius * UP < 0
    positive = x.hi > 0
    return Wide(
        np.where(positive, x.hi, 0.0),
        np.where(positive, x.lo, 0.0),
        np.where(below, 0.0, x.radius),
    )


def _mean(x: Wide, axis: int) -> Wide:
    total = x.summed(axis)
    return total * inverse(Wide.exactly(np.full(total.hi.shape, float(x.hi.shape[axis]))))


def _moves(name: str) -> Value:
    """An operation that only moves numbers moves radii with them."""

    def value(args: tuple[Wide, ...], binding: Binding) -> Wide:
        def move(x: FloatArray) -> FloatArray:
            return np.asarray(OPS[name].evaluate((x,), binding), dtype=np.float64)

        return args[0].moved(move)

    return value


_VALUES: Mapping[str, Value] = MappingProxyType(
    {
        "add": lambda a, b: a[0] + a[1],
        "sub": lambda a, b: a[0] + -a[1],
        "mul": lambda a, b: a[0] * a[1],
        "matmul": lambda a, b: a[0] @ a[1],
        "exp": lambda a, b: _exp(a[0]),
        "tanh": lambda a, b: function(lambda x: x.tanh(), a[0], _by(a[0], 1.0), 2.0),
        "normalCdf": lambda a, b: function(_cdf, a[0], _by(a[0], 0.4), 1.0),
        "sigmoid": lambda a, b: function(_logistic, a[0], _by(a[0], 0.25), 1.0),
        "log": lambda a, b: _log(a[0]),
        "relu": lambda a, b: _relu(a[0]),
        "inv": lambda a, b: inverse(a[0]),
        "sqrt": lambda a, b: root(a[0]),
        "scale": lambda a, b: _constant(b, a[0].hi.shape) * a[0],
        "addConst": lambda a, b: _constant(b, a[0].hi.shape) + a[0],
        "sum": lambda a, b: a[0].summed(b.axis),
        "mean": lambda a, b: _mean(a[0], b.axis),
        **{n: _moves(n) for n in ("broadcast", "transpose", "reshape", "place", "gather")},
    }
)


def _times(factor: Callable[[_Step], Wide]) -> Pull:
    return lambda s: factor(s) * s.cotangent


def _slope(f: Callable[[Any], Any], bend: float, most: float) -> Pull:
    """The derivative of a function that Arb has, whose own slope is at most ``bend``."""
    return _times(lambda s: function(f, s.args[0], _by(s.args[0], bend), most))


def _turned(x: Wide) -> Wide:
    """The last two axes swapped."""
    return x.moved(lambda a: np.swapaxes(a, -1, -2))


def _step(x: Wide) -> Wide:
    """1 where x is above 0, 0 where it is below, and either where that is not known."""
    value = np.where(x.hi > 0, 1.0, 0.0)
    known = np.abs(x.hi) * (1.0 - 2.0**-50) > x.radius * UP
    return Wide(value, np.zeros(value.shape), np.where(known, 0.0, 1.0))


def _repeated(step: _Step) -> Wide:
    """The cotangent of a sum along an axis, for each of its terms."""
    shape, axis = step.args[0].hi.shape, step.binding.axis
    return step.cotangent.moved(lambda x: np.broadcast_to(np.expand_dims(x, axis), shape))


def _shared(step: _Step) -> Wide:
    """The cotangent of a mean."""
    terms = float(step.args[0].hi.shape[step.binding.axis])
    share = inverse(Wide.exactly(np.full(step.cotangent.hi.shape, terms)))
    return _repeated(_Step(step.args, step.binding, step.out, step.cotangent * share))


def _back(name: str) -> Pull:
    """The transpose of a map that moves each entry to one place."""
    (partial,) = OPS[name].partials

    def pull(step: _Step) -> Wide:
        def move(x: FloatArray) -> FloatArray:
            return np.asarray(partial.pull((x,), x, step.binding, x), dtype=np.float64)

        return step.cotangent.moved(move)

    return pull


def _gathered(s: Wide, index: npt.NDArray[np.intp], length: int) -> Wide:
    """Entry k of the first axis added to place index[k], nowhere for −1: one pass for each time
    that a place is read."""
    turn = np.zeros(len(index), dtype=np.intp)
    order = np.argsort(index, kind="stable")
    ordered = index[order]
    first = np.searchsorted(ordered, ordered, side="left")
    turn[order] = np.arange(len(index)) - first
    total: Wide | None = None
    for k in range(int(turn[index >= 0].max(initial=-1)) + 1):
        now = (index >= 0) & (turn == k)

        def placed(x: FloatArray, now: npt.NDArray[np.bool_] = now) -> FloatArray:
            found = np.zeros((length, *x.shape[1:]))
            found[index[now]] = x[now]
            return found

        part = s.moved(placed)
        total = part if total is None else total + part
    return Wide.exactly(np.zeros((length, *s.hi.shape[1:]))) if total is None else total


def _place(step: _Step) -> Wide:
    axis, b = step.binding.axis, step.binding
    first = step.cotangent.moved(lambda x: np.moveaxis(x, axis, 0))
    length = step.args[0].hi.shape[axis]
    return _gathered(first, b.index, length).moved(lambda x: np.moveaxis(x, 0, axis))


def _gather(step: _Step) -> Wide:
    shape = step.args[0].hi.shape
    flat = step.cotangent.moved(lambda x: x.reshape(len(x), -1).T)
    length = int(np.prod(shape[1:], dtype=int))
    return _gathered(flat, step.binding.index, length).moved(lambda x: x.T.reshape(shape))


_PULLS: Mapping[str, tuple[Pull, ...]] = MappingProxyType(
    {
        "add": (lambda s: s.cotangent, lambda s: s.cotangent),
        "sub": (lambda s: s.cotangent, lambda s: -s.cotangent),
        "mul": (_times(lambda s: s.args[1]), _times(lambda s: s.args[0])),
        "matmul": (
            lambda s: s.cotangent @ _turned(s.args[1]),
            lambda s: _turned(s.args[0]) @ s.cotangent,
        ),
        "exp": (_times(lambda s: s.out),),
        # |tanh″| ≤ 4/(3√3), |Φ″| ≤ 1/√(2πe), |σ″| ≤ 1/(6√3)
        "tanh": (_slope(lambda a: 1 / (a.cosh() * a.cosh()), 0.78, 1.0),),
        "normalCdf": (_slope(_density, 0.25, 0.4),),
        "sigmoid": (_slope(lambda a: _logistic(a) * _logistic(-a), 0.1, 0.25),),
        "log": (_times(lambda s: inverse(s.args[0])),),
        "relu": (_times(lambda s: _step(s.args[0])),),
        # Lean's fields have 1/0 = 0; the side condition does not hold there.
        "inv": (lambda s: -(s.out * (s.out * s.cotangent)),),
        "sqrt": (_times(lambda s: inverse(s.out + s.out)),),
        "scale": (lambda s: _constant(s.binding, s.cotangent.hi.shape) * s.cotangent,),
        "addConst": (lambda s: s.cotangent,),
        "sum": (_repeated,),
        "mean": (_shared,),
        "broadcast": (lambda s: s.cotangent.summed(s.binding.axis),),
        "transpose": (_back("transpose"),),
        "reshape": (_back("reshape"),),
        "place": (_place,),
        "gather": (_gather,),
    }
)

for _table in (_VALUES, _PULLS):
    if set(_table) != set(OPS):
        raise AssertionError(f"operations without balls: {sorted(set(OPS) ^ set(_table))}")
