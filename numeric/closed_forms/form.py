"""The one interface of a closed form: value and derivatives of one graph's function.

A closed form shares no code with the interpreter and returns the saved tensors that the graph and
the closed form have in common, under the graph's names for them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from numeric.graph import Graph
from numeric.ops import Array

__all__ = ["EVERY", "HEADS", "ROWS", "Arguments", "ClosedForm", "Tensors", "arguments"]

FloatArray = npt.NDArray[np.float64]
Tensors = Mapping[str, Array]
ROWS = ("seqLen", "dModel")
HEADS = (*ROWS, "numHeads", "headDim")
EVERY = (*HEADS, "dFF")
"""Sizes that graphs have."""


@dataclass(frozen=True, slots=True)
class Arguments:
    """The arguments of a closed form.

    Attributes:
        inputs: tensors ``(B, *shape)`` by name.
        constants: numbers ``(B,)`` by the graph's symbols.
        sizes: of the graph, such as ``numHeads``.
    """

    inputs: Tensors
    constants: Mapping[str, FloatArray]
    sizes: Mapping[str, int]

    def eps(self, symbol: str = "eps") -> FloatArray:
        """LayerNorm's ε; 0 if the graph has lost it."""
        found = self.constants.get(symbol)
        return np.zeros(len(next(iter(self.inputs.values())))) if found is None else found

    @property
    def heads(self) -> int:
        """The number of attention heads."""
        return self.sizes["numHeads"]

    @property
    def scale(self) -> FloatArray | None:
        """The scale of the attention's scores, if the graph has a symbol for it."""
        return self.constants.get("scale")


Run = Callable[[Arguments], dict[str, Array]]
Push = Callable[[Arguments, Tensors], Array]
Pull = Callable[[Arguments, Array], dict[str, Array]]


@dataclass(frozen=True, slots=True)
class ClosedForm:
    """Value and derivatives of one graph's function.

    Attributes:
        run: saved tensors by the graph's names for them, in the graph's order; the last is the
            value.
        jvp: the tangent of the value from tangents of inputs; those left out are 0.
        vjp: cotangents of all inputs from a cotangent of the value.
        normalized: for each symbol of an ε, the saved tensor or input whose rows its LayerNorm
            normalizes.
        sizes: names of the graph's sizes.
        scores: for each saved tensor of an attention's scores, the inputs that it is proportional
            to; empty where Wq and Wk are.
    """

    run: Run
    jvp: Push
    vjp: Pull
    normalized: Mapping[str, str]
    sizes: tuple[str, ...]
    scores: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def forward(self, at: Arguments) -> Array:
        """The value."""
        return list(self.run(at).values())[-1]


def arguments(graph: Graph, inputs: Tensors, constants: Mapping[str, FloatArray]) -> Arguments:
    """The closed form's arguments for instances of ``graph``."""
    return Arguments(inputs, constants, graph.sizes)
