"""The theorem's block at the weights of one layer: its value, its backprop, its derivative.

It is computed with the graph that Lean exports at the layer's sizes.  If Lean exports none, the
closed form of the graph's name replaces it; the audit of the library compares that with the graph
at smaller sizes.  If the graph overflows it is run with the largest score of each row subtracted,
as every softmax is run; the closed form replaces it if that overflows too.  Reports say which was
used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from numeric.closed_forms.catalogue import CLOSED_FORMS, Arguments
from numeric.graph import Graph
from numeric.interpret.derivative import complex_step
from numeric.interpret.enclosure import radii
from numeric.interpret.interpreter import Interpreter, Trace
from numeric.interpret.perturbation import Perturbation
from numeric.interpret.shifted import shifted
from numeric.ops import Array
from numeric.streams import Streams

__all__ = [
    "CLOSED_FORM",
    "NOT_EXPORTED",
    "OVERFLOWS",
    "ULP",
    "Block",
    "ClosedBlock",
    "Inner",
    "LeanBlock",
    "Point",
    "Rows",
]

EXPORTED = "the graph that Lean exports at this size"
SHIFTED = (
    f"{EXPORTED}, run with the largest score of each row taken away, without which it overflows in "
    "float64"
)
CLOSED_FORM = "the closed form"
NOT_EXPORTED = f"{CLOSED_FORM}, since Lean exports no graph at this size"
OVERFLOWS = f"{CLOSED_FORM}, since the exported graph overflows in float64"

FloatArray = npt.NDArray[np.float64]
_U = 2.0**-53
ULP = 2.0 * _U


@dataclass(frozen=True, slots=True)
class Point:
    """The point at which the block is evaluated: one sequence, the layer's weights and constants.

    Attributes:
        inputs: the graph's inputs, ``(1, *shape)`` each.
        constants: ε of both LayerNorms, ``(1,)`` each.
        sizes: the graph's sizes.
        streams: random numbers of this layer and sequence.
    """

    inputs: Mapping[str, FloatArray]
    constants: Mapping[str, FloatArray]
    sizes: Mapping[str, int]
    streams: Streams

    @property
    def arguments(self) -> Arguments:
        """The arguments of the closed form."""
        return Arguments(self.inputs, self.constants, self.sizes)


@dataclass(frozen=True, slots=True)
class Rows:
    """A saved tensor's rows, such as those that a LayerNorm normalizes, ``(1, seq_len, d_model)``,
    and how far each entry may be from exact arithmetic."""

    values: FloatArray
    radius: FloatArray


@dataclass(frozen=True, slots=True)
class Inner:
    """What the side conditions are about.

    Attributes:
        norms: what each LayerNorm normalizes.
        hidden: the activation's input, ``(1, seq_len, d_ff)``.
    """

    norms: tuple[Rows, Rows]
    hidden: Rows


class Block(Protocol):
    """The theorem's block, computed in one way."""

    source: str

    def inner(self, at: Point) -> Inner:
        """What the side conditions are about."""

    def pull(
        self, at: Point, cotangent: FloatArray, rerun: int = 0, unit: float = ULP
    ) -> dict[str, FloatArray]:
        """Value and backprop: the output under the name ``output``, and a cotangent of each input.

        Args:
            cotangent: of the output, ``(1, seq_len, d_model)``.
            rerun: if not 0, every rounding is moved, differently for each number.
            unit: the size of these moves, as a share.
        """

    def derivative(self, at: Point, tangents: Mapping[str, FloatArray]) -> FloatArray:
        """The derivative of the value along tangents of all inputs, by complex step."""


class LeanBlock:
    """The graph that Lean exports."""

    def __init__(self, graph: Graph, *, shift: bool = False) -> None:
        self.source = SHIFTED if shift else EXPORTED
        self._program = shifted(graph) if shift else Interpreter(graph)

    def steadied(self) -> LeanBlock:
        """The same graph, with the largest score of each row subtracted."""
        return LeanBlock(self._program.graph, shift=True)

    def _run(self, at: Point, perturbation: Perturbation | None = None) -> Trace:
        return self._program.evaluate(at.inputs, at.constants, perturbation)

    def inner(self, at: Point) -> Inner:
        """What the side conditions are about, with rigorous radii."""
        graph, trace = self._program.graph, self._run(at)
        first, second = (graph.node(f"norm{n}.centered").args[0] for n in (1, 2))
        around = radii(trace, second)

        def rows(index: int) -> Rows:
            return Rows(np.asarray(trace.values[index], np.float64), around[index])

        return Inner((rows(first), rows(second)), rows(graph.index("ffn.hiddenPre")))

    def overflows(self, at: Point) -> bool:
        """Whether some saved tensor is not finite."""
        return not all(np.isfinite(value).all() for value in self._run(at).values)

    def pull(
        self, at: Point, cotangent: FloatArray, rerun: int = 0, unit: float = ULP
    ) -> dict[str, FloatArray]:
        """Value and backprop of the graph."""
        noise = Perturbation(at.streams.child("noise", rerun), unit) if rerun else None
        trace = self._run(at, noise)
        found = self._program.vjp(trace, cotangent, noise)
        return {"output": _real(trace.output), **{n: _real(v) for n, v in found.items()}}

    def derivative(self, at: Point, tangents: Mapping[str, FloatArray]) -> FloatArray:
        """By complex step through the interpreter."""

        def output(inputs: Mapping[str, Array]) -> Array:
            return self._program.evaluate(inputs, at.constants).output

        return complex_step(output, at.inputs, tangents)


class ClosedBlock:
    """The closed form of the graph's name."""

    def __init__(self, name: str, source: str = CLOSED_FORM) -> None:
        self.source = source
        self._form = CLOSED_FORMS[name]

    def inner(self, at: Point) -> Inner:
        """What the side conditions are about.  The radii are d·u·max|h|: a rule, not an
        enclosure."""
        saved = self._form.run(at.arguments)

        def rows(name: str) -> Rows:
            values = np.asarray(saved[name], np.float64)
            return Rows(values, _usual(values))

        first, second = (rows(self._form.normalized[s]) for s in ("eps1", "eps2"))
        return Inner((first, second), rows("ffn.hiddenPre"))

    def pull(
        self, at: Point, cotangent: FloatArray, rerun: int = 0, unit: float = ULP
    ) -> dict[str, FloatArray]:
        """Value and backprop; a rerun moves every input by ± the unit."""
        arguments = at.arguments
        if rerun:
            streams = at.streams.child("noise", rerun)
            moved = {
                name: value * (1.0 + unit * streams.child(name).signs(value.shape[1:]))
                for name, value in at.inputs.items()
            }
            arguments = Arguments(moved, at.constants, at.sizes)
        found = self._form.vjp(arguments, cotangent)
        output = _real(self._form.forward(arguments))
        return {"output": output, **{n: _real(v) for n, v in found.items()}}

    def derivative(self, at: Point, tangents: Mapping[str, FloatArray]) -> FloatArray:
        """By complex step through the closed form."""

        def output(inputs: Mapping[str, Array]) -> Array:
            return self._form.forward(Arguments(inputs, at.constants, at.sizes))

        return complex_step(output, at.inputs, tangents)


def _usual(rows: FloatArray) -> FloatArray:
    largest = np.abs(rows).max(axis=-1, keepdims=True)
    return np.broadcast_to(rows.shape[-1] * _U * largest, rows.shape)


def _real(value: Array) -> FloatArray:
    return np.asarray(value, dtype=np.float64)
