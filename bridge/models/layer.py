"""A model as the audit sees it: layers that load their weights when these are needed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from bridge.report.layers import Assumption

__all__ = ["BIASES", "Layer", "Model", "OwnDtype", "Pulled", "Reference"]

FloatArray = npt.NDArray[np.float64]
BIASES = ("bq", "bk", "bv", "bo")
"""The biases of attention: with any of them a layer belongs to the biased theorem."""


@dataclass(frozen=True, slots=True)
class Pulled:
    """The output ``(seq_len, d_model)`` of a layer, and gradients by the graph's names for its
    inputs."""

    output: FloatArray
    gradients: dict[str, FloatArray]


@dataclass(frozen=True, slots=True)
class OwnDtype:
    """What an unchanged layer returns.

    Attributes:
        title: its dtype, and the shortest float that takes part inside.
        unit: 1 ulp of that float, as a share.
        pulled: output and gradients.
    """

    title: str
    unit: float
    pulled: Pulled


class Reference(Protocol):
    """The model's own code for one layer, run without dropout, and in float64 except in
    `in_own_dtype`."""

    @property
    def title(self) -> str:
        """Its name, for reports."""

    def own(self, x: FloatArray, mask: FloatArray | None) -> FloatArray:
        """The unchanged layer's output, with its own activation.

        Args:
            x: ``(seq_len, d_model)``.
            mask: added to the scores, ``(seq_len, seq_len)``; −∞ hides.
        """

    def conforming(
        self, x: FloatArray, mask: FloatArray | None, cotangent: FloatArray, *, own: bool
    ) -> Pulled:
        """The layer with an activation of a theorem: its output, and its gradients of ⟨output,
        cotangent⟩.

        Args:
            x: ``(seq_len, d_model)``.
            mask: as for `own`.
            cotangent: of the output, ``(seq_len, d_model)``.
            own: whether its own activation is one; else tanh-GELU replaces it.
        """

    def in_own_dtype(
        self, x: FloatArray, mask: FloatArray | None, cotangent: FloatArray
    ) -> OwnDtype | None:
        """The layer with its own activation and dtype; None if that is float64, or several.

        Args:
            x: ``(seq_len, d_model)``.
            mask: as for `own`.
            cotangent: of the output, ``(seq_len, d_model)``.
        """


@dataclass(frozen=True, slots=True)
class Layer:
    """One encoder layer.

    Attributes:
        name: its name in the model.
        type: of the object, or whose names its tensors have.
        stack: layers of one stack run one after the other.
        d_model, d_ff, num_heads, head_dim: its sizes.
        eps: ε of the first and of the second LayerNorm.
        activation: one of `bridge.models.activations.ACTIVATIONS`; ``None`` for another one.
        biased: whether attention has biases.
        measurable: whether it is, or may be, a post-norm layer.
        assumptions: those of the theorem that do not depend on the inputs.
        load: returns its weights by the graph's names and in the graph's layout, in float64.
        reference: the model's own code, if any.
    """

    name: str
    type: str
    stack: str
    d_model: int
    d_ff: int
    num_heads: int
    head_dim: int
    eps: tuple[float, float]
    activation: str | None
    biased: bool
    measurable: bool
    assumptions: tuple[Assumption, ...]
    load: Callable[[], dict[str, FloatArray]]
    reference: Reference | None = None

    def sizes(self, seq_len: int) -> tuple[tuple[str, int], ...]:
        """The exported graph's sizes."""
        return (
            ("seqLen", seq_len),
            ("dModel", self.d_model),
            ("numHeads", self.num_heads),
            ("headDim", self.head_dim),
            ("dFF", self.d_ff),
        )


@dataclass(frozen=True, slots=True)
class Model:
    """A model: see `bridge.report.layers.ModelReport` for its members.

    ``module`` is the torch module itself; None for a file.
    """

    source: str
    kind: str
    naming: str
    dtype: str
    settings: tuple[str, ...]
    layers: tuple[Layer, ...]
    assumptions: tuple[Assumption, ...] = ()
    outside: tuple[str, ...] = ()
    module: Any = None

    def path(self, layer: str) -> str:
        """The path of a layer in the module; empty for a module that is itself a layer."""
        paths = (
            {name for name, _ in self.module.named_modules()} if self.module is not None else set()
        )
        return layer if layer in paths else ""
