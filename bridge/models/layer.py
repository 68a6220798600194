"""A model as the audit sees it: layers that give their weights when they are asked for them."""

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
"""The biases of attention: with one of them a layer is one of the biased theorem's."""


@dataclass(frozen=True, slots=True)
class Pulled:
    """The output ``(seq_len, d_model)`` of a layer, and gradients by the graph's names for its
    inputs."""

    output: FloatArray
    gradients: dict[str, FloatArray]


@dataclass(frozen=True, slots=True)
class OwnDtype:
    """What a layer returns as it is.

    Attributes:
        title: its dtype, and the shortest float that takes part inside.
        unit: 1 ulp of that one, as a share.
        pulled: output and gradients.
    """

    title: str
    unit: float
    pulled: Pulled


class Reference(Protocol):
    """The model's own code for one layer, run without dropout, and in float64 but for
    `in_own_dtype`."""

    @property
    def title(self) -> str:
        """What it is, for reports."""

    def own(self, x: FloatArray, mask: FloatArray | None) -> FloatArray:
        """The layer's output as it is, with its own activation.

        Args:
            x: ``(seq_len, d_model)``.
            mask: added to the scores, ``(seq_len, seq_len)``; −∞ hides.
        """

    def conforming(
        self, x: FloatArray, mask: FloatArray | None, cotangent: FloatArray, *, own: bool
    ) -> Pulled:
        """The layer with an activation that a theorem has: its output, and its gradients of
        ⟨output, cotangent⟩.

        Args:
            x: ``(seq_len, d_model)``.
            mask: as for `own`.
            cotangent: of the output, ``(seq_len, d_model)``.
            own: whether its own is one; else tanh-GELU takes its place.
        """

    def in_own_dtype(
        self, x: FloatArray, mask: FloatArray | None, cotangent: FloatArray
    ) -> OwnDtype | None:
        """The layer with its own activation and dtype; None where that is float64, or several.

        Args:
            x: ``(seq_len, d_model)``.
            mask: as for `own`.
            cotangent: of the output, ``(seq_len, d_model)``.
        """


@dataclass(frozen=True, slots=True)
class Layer:
    """One encoder layer.

    Attributes:
        name: as the model calls it.
        type: of the object, or whose names its tensors have.
        stack: layers of one stack run one after the other.
        d_model, d_ff, num_heads, head_dim: its sizes.
        eps: of the first and of the second LayerNorm.
        activation: one of `bridge.models.activations.ACTIVATIONS`; ``None`` for another one.
        biased: whether attention has biases.
        measurable: whether it is a post-norm layer at all, or may be one.
        assumptions: of the theorem, as far as the inputs do not matter.
        load: gives its weights by the graph's names and in the graph's layout, in float64.
        reference: the model's own code, where there is some.
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
    """A model: see `bridge.report.layers.ModelReport` for what its members say.

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
        """The path of a layer in the module; a module that is a layer itself has the empty one."""
        paths = (
            {name for name, _ in self.module.named_modules()} if self.module is not None else set()
        )
        return layer if layer in paths else ""
