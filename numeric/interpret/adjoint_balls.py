"""Backprop in ball arithmetic: every cotangent with a radius that encloses the exact one.

The walk is that of `Interpreter.vjp`: from the output back, each operation pulls the cotangent of
its result back to its arguments, at the values that the forward run saved.  Here the saved values
and the cotangents are balls, a number and how far the exact one can be from it, so the result
encloses what the same walk gives over the real numbers.  Of a captured graph, Lean proves that to
be the adjoint of the Fréchet derivative where its side conditions hold; they are checked elsewhere.

Inputs, constants and the cotangent of the output are taken as exact.  Where a derivative may not
exist, as of ReLU around 0, the ball holds 0 and 1 and no more is claimed.
Source: `numeric.interpret.rounding` for what is assumed of the platform.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from numeric.errors import EvaluationError
from numeric.interpret.enclosure import radii
from numeric.interpret.interpreter import Trace
from numeric.interpret.rounding import (
    FUNCTION,
    TINY,
    UP,
    U,
    bilinear,
    gamma,
    grown,
    standard_arithmetic,
    sum_error,
)
from numeric.ops import OPS, Binding

__all__ = ["Around", "Enclosed", "pulled_back"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Around:
    """Balls: numbers, and how far the exact ones can be from them; ∞ where nothing is known."""

    middle: FloatArray
    radius: FloatArray

    @staticmethod
    def of(middle: FloatArray, radius: FloatArray) -> Around:
        """Balls from a bound that was computed with rounding; what is not finite is not known."""
        known = np.isfinite(middle) & ~np.isnan(radius)
        return Around(np.where(known, middle, 0.0), np.where(known, radius * UP, np.inf))

    def __add__(self, other: Around) -> Around:
        total = self.middle + other.middle
        error = sum_error(self.middle, other.middle, total)
        return Around.of(total, self.radius + other.radius + error)

    def __neg__(self) -> Around:
        return Around(-self.middle, self.radius)

    def __mul__(self, other: Around) -> Around:
        a, b = (self.middle, self.radius), (other.middle, other.radius)
        return Around.of(self.middle * other.middle, bilinear(np.multiply, a, b, 1))

    def __matmul__(self, other: Around) -> Around:
        a, b = (self.middle, self.radius), (other.middle, other.radius)
        inner = self.middle.shape[-1]
        return Around.of(self.middle @ other.middle, bilinear(np.matmul, a, b, inner))

    @property
    def transposed(self) -> Around:
        """The last two axes swapped."""
        return self.moved(lambda x: np.swapaxes(x, -1, -2))

    def moved(self, move: Callable[[FloatArray], FloatArray]) -> Around:
        """What only moves or repeats entries."""
        return Around(move(self.middle), move(self.radius))

    def added(self, add: Callable[[FloatArray], FloatArray], terms: int) -> Around:
        """What adds up to so many entries into each of the result, and moves the others."""
        total = add(self.middle)
        radius = add(self.radius) + gamma(max(terms - 1, 0)) * add(np.abs(self.middle))
        return Around.of(total, grown(radius, terms))


@dataclass(frozen=True, slots=True)
class Enclosed:
    """What backprop gives over the real numbers.

    Attributes:
        values: of the graph, inputs first, each ``(B, *shape)``.
        gradients: of every input, by name.
        open: the first node, going back, of which nothing is known; empty where there is none.
    """

    values: tuple[Around, ...]
    gradients: Mapping[str, Around]
    open: str = ""


@dataclass(frozen=True, slots=True)
class _Step:
    """One node on the way back."""

    args: tuple[Around, ...]
    out: Around
    cotangent: Around
    binding: Binding


Pull: TypeAlias = Callable[[_Step], Around]
"""The cotangent of one argument."""


def pulled_back(trace: Trace, cotangent: FloatArray) -> Enclosed:
    """Enclose the values of a run and what backprop gives of a cotangent of its first output.

    Args:
        trace: a run in float64, without perturbation.
        cotangent: of the first output, ``(B, *shape)``, exact.

    Raises:
        EvaluationError: the run is complex, an operation has no rule for balls, or the platform
            does not compute as rounding errors are bounded.
    """
    standard_arithmetic()
    graph = trace.graph
    count = len(graph.inputs)
    values = tuple(
        Around(np.asarray(v, dtype=np.float64), r)
        for v, r in zip(trace.values, radii(trace), strict=True)
    )
    flow: dict[int, Around] = {
        graph.outputs[0]: Around(np.asarray(cotangent), np.zeros(cotangent.shape))
    }
    unknown = ""
    with np.errstate(all="ignore"):
        for position in reversed(range(len(graph.nodes))):
            arriving = flow.pop(count + position, None)
            if arriving is None:
                continue
            node = graph.nodes[position]
            rules = _PULLS.get(node.op)
            if rules is None:
                raise EvaluationError(f"no rule for balls pulls back through {node.op}")
            step = _Step(
                tuple(values[a] for a in node.args),
                values[count + position],
                arriving,
                trace.bindings[position],
            )
            for arg, pull in zip(node.args, rules, strict=True):
                pulled = pull(step)
                if not unknown and not np.isfinite(pulled.radius).all():
                    unknown = f"{node.name} ({node.op})"
                flow[arg] = flow[arg] + pulled if arg in flow else pulled
    nothing = {
        i: Around(np.zeros(v.middle.shape), np.zeros(v.middle.shape))
        for i, v in enumerate(values[:count])
    }
    gradients = {g.name: flow.get(i, nothing[i]) for i, g in enumerate(graph.inputs)}
    return Enclosed(values, gradients, unknown)


def _times(factor: Callable[[_Step], Around]) -> Pull:
    return lambda s: factor(s) * s.cotangent


def _smooth(
    derivative: Callable[[FloatArray], FloatArray], slope: float, most: float, roundings: int
) -> Pull:
    """The derivative of a function that is itself one of x alone.

    Args:
        derivative: at x, with one use of exp.
        slope: how fast it can change, a bound.
        most: its largest value, a bound.
        roundings: of everything but exp, and of exp's argument where it is rounded.
    """

    def factor(step: _Step) -> Around:
        (x,) = step.args
        value = derivative(x.middle)
        moved = np.minimum(slope * x.radius, most)
        off = (3 * FUNCTION + roundings * U) * np.abs(value) + U * most + TINY
        return Around.of(value, moved + off)

    return _times(factor)


def _sech2(x: FloatArray) -> FloatArray:
    """1 − tanh²x = 4e/(1 + e)², e = exp(−2|x|)."""
    e = np.exp(-2.0 * np.abs(x))
    found: FloatArray = 4.0 * e / ((1.0 + e) * (1.0 + e))
    return found


def _normal_density(x: FloatArray) -> FloatArray:
    """exp(−x²/2)/√(2π).  The rounding of x²/2 moves it by at most x²/2·u of it: below u/3."""
    found: FloatArray = np.exp(-0.5 * (x * x)) / math.sqrt(2.0 * math.pi)
    return found


def _sigmoid_slope(x: FloatArray) -> FloatArray:
    """σ·(1 − σ) = e/(1 + e)², e = exp(−|x|)."""
    e = np.exp(-np.abs(x))
    found: FloatArray = e / ((1.0 + e) * (1.0 + e))
    return found


def _inverse(x: Around) -> Around:
    """1/x; not known where the ball comes near 0."""
    size = np.abs(x.middle)
    away = np.where(x.radius <= 0.5 * size, size - x.radius, 0.0)
    middle = np.divide(1.0, x.middle, out=np.zeros_like(x.middle), where=away > 0)
    radius = np.where(away > 0, x.radius / size / away + U * np.abs(middle) + TINY, np.inf)
    return Around.of(middle, radius)


def _inv(step: _Step) -> Around:
    """−s/x², as Lean's fields have it: 0 at 0, where the side condition does not hold."""
    return -(step.out * (step.out * step.cotangent))


def _sqrt(step: _Step) -> Around:
    """s/(2·√x)."""
    return _inverse(step.out).moved(lambda x: 0.5 * x) * step.cotangent


def _relu(step: _Step) -> Around:
    """s where x is above 0, 0 where it is below, and either where that is not known."""
    (x,) = step.args
    value = np.where(x.middle > 0, 1.0, 0.0)
    known = np.abs(x.middle) > x.radius
    return Around(value, np.where(known, 0.0, 1.0)) * step.cotangent


def _scale(step: _Step) -> Around:
    c = np.broadcast_to(np.asarray(step.binding.c, np.float64), step.cotangent.middle.shape)
    return Around(c, np.zeros(c.shape)) * step.cotangent


def _repeated(step: _Step) -> Around:
    """The cotangent of a sum along an axis, for each of its terms."""
    shape = step.args[0].middle.shape
    return step.cotangent.moved(
        lambda x: np.broadcast_to(np.expand_dims(x, step.binding.axis), shape)
    )


def _mean(step: _Step) -> Around:
    terms = float(step.args[0].middle.shape[step.binding.axis])
    share = step.cotangent.moved(lambda x: x / terms)
    exact = (step.cotangent.middle == 0) & (step.cotangent.radius == 0)
    off = np.where(exact, 0.0, U * np.abs(share.middle) + TINY)
    share = Around.of(share.middle, share.radius + off)
    return _repeated(_Step(step.args, step.out, share, step.binding))


def _linear(name: str, terms: Callable[[Binding], int]) -> Pull:
    """The transpose of a map that moves entries: what stands in several places adds up."""
    (partial,) = OPS[name].partials

    def pull(step: _Step) -> Around:
        def back(x: FloatArray) -> FloatArray:
            found = partial.pull((x,), x, step.binding, x)
            return np.asarray(found, dtype=np.float64)

        return step.cotangent.added(back, terms(step.binding))

    return pull


def _copies(binding: Binding) -> int:
    """How often the most read entry is read."""
    index = binding.index[binding.index >= 0]
    return int(np.bincount(index).max(initial=0))


_PULLS: Mapping[str, tuple[Pull, ...]] = MappingProxyType(
    {
        "add": (lambda s: s.cotangent, lambda s: s.cotangent),
        "sub": (lambda s: s.cotangent, lambda s: -s.cotangent),
        "mul": (_times(lambda s: s.args[1]), _times(lambda s: s.args[0])),
        "matmul": (
            lambda s: s.cotangent @ s.args[1].transposed,
            lambda s: s.args[0].transposed @ s.cotangent,
        ),
        "exp": (_times(lambda s: s.out),),
        "tanh": (_smooth(_sech2, 0.78, 1.0, 8),),
        "normalCdf": (_smooth(_normal_density, 0.25, 0.4, 4),),
        "sigmoid": (_smooth(_sigmoid_slope, 0.1, 0.25, 8),),
        "log": (_times(lambda s: _inverse(s.args[0])),),
        "relu": (_relu,),
        "inv": (_inv,),
        "sqrt": (_sqrt,),
        "scale": (_scale,),
        "addConst": (lambda s: s.cotangent,),
        "sum": (_repeated,),
        "mean": (_mean,),
        "broadcast": (_linear("broadcast", lambda b: b.shape[b.axis - 1]),),
        "transpose": (_linear("transpose", lambda b: 1),),
        "reshape": (_linear("reshape", lambda b: 1),),
        "place": (_linear("place", _copies),),
        "gather": (_linear("gather", _copies),),
    }
)

if set(_PULLS) != set(OPS):
    raise AssertionError(f"operations without a pull in balls: {sorted(set(OPS) ^ set(_PULLS))}")
