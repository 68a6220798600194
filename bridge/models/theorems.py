"""Which theorems apply to a layer, and what is measured for each of their obligations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bridge.errors import InvalidInputError
from bridge.lean.obligation import Obligation
from bridge.models.activations import ERF_GELU, RELU, TANH_GELU
from bridge.models.layer import Layer

__all__ = [
    "BIASED",
    "PLAIN",
    "PROVED_ACTIVATIONS",
    "THEOREMS",
    "Theorems",
    "measure_of",
    "obligations_of",
    "theorems_for",
]


@dataclass(frozen=True, slots=True)
class Theorems:
    """The theorems of one block.

    Attributes:
        graph: the block's graph.
        activation: of its feed-forward layer: one of `bridge.models.activations.ACTIVATIONS`.
        biased: whether its attention has biases and a mask.
        value: the graph computes the block.
        backprop: backprop is the adjoint of the derivative, under the side conditions.
        backprop_of_pos: the same if both ε are positive.
    """

    graph: str
    activation: str
    biased: bool
    value: str
    backprop: str
    backprop_of_pos: str

    @property
    def declarations(self) -> tuple[str, ...]:
        """All theorems, the one with the side conditions first."""
        return (self.backprop, self.backprop_of_pos, self.value)


BIASED = Theorems(
    "biasedEncoderBlockGraph",
    TANH_GELU,
    True,
    "biasedEncoderBlock_eval",
    "biasedEncoderBlock_backpropVec_eq_adjoint_fderiv_at",
    "biasedEncoderBlock_backprop_eq_adjoint_fderiv_of_pos",
)
"""Attention with biases and a mask, tanh-GELU."""

PLAIN = Theorems(
    "encoderBlockGraph",
    TANH_GELU,
    False,
    "encoderBlock_eval",
    "encoderBlock_backpropVec_eq_adjoint_fderiv_at",
    "encoderBlock_backprop_eq_adjoint_fderiv_real",
)
"""Attention without, tanh-GELU."""


def _activated(block: str, activation: str) -> Theorems:
    """Attention with biases and a mask, another activation: ``lean/PostNorm/Block/Activated``."""
    backprop = f"{block}_backprop_eq_adjoint_fderiv"
    return Theorems(
        f"{block}Graph", activation, True, f"{block}_eval", backprop, f"{backprop}_of_pos"
    )


THEOREMS = (
    BIASED,
    PLAIN,
    _activated("geluEncoderBlock", ERF_GELU),
    _activated("reluEncoderBlock", RELU),
)
"""The theorems of every block that a layer can be."""

PROVED_ACTIVATIONS = tuple(dict.fromkeys(t.activation for t in THEOREMS))


def theorems_for(layer: Layer, *, masked: bool) -> Theorems:
    """The theorems for a layer; if none has its activation, those of the same block with tanh-GELU,
    which then do not apply."""
    if layer.activation == TANH_GELU or layer.activation not in PROVED_ACTIVATIONS:
        return BIASED if layer.biased or masked else PLAIN
    return next(t for t in THEOREMS if t.activation == layer.activation)


def measure_of(theorems: Theorems, obligation: Obligation) -> str | None:
    """What is measured for an obligation: ``value``, ``backprop``, or the name of a hypothesis;
    ``None`` if nothing is."""
    if obligation.binder == "conclusion":
        return "value" if obligation.declaration == theorems.value else "backprop"
    known = {f"hNorm{n}{what}" for n in "12" for what in ("VarEpsPos", "StdNe0")}
    known |= {"hEps1Pos", "hEps2Pos", "hPreActivationNe0"}
    return obligation.binder if obligation.binder in known else None


def obligations_of(theorems: Theorems, obligations: Sequence[Obligation]) -> tuple[Obligation, ...]:
    """The obligations of the theorems, in the order of `Theorems.declarations`.

    Raises:
        InvalidInputError: the library has no such theorem.
    """
    found = []
    for declaration in theorems.declarations:
        of_it = [o for o in obligations if o.declaration == declaration]
        if not of_it:
            raise InvalidInputError(
                f"--model: the library has no obligation of {declaration}",
                remedy="a model is audited against the theorems of the post-norm encoder block; "
                "give --project a library that has them",
            )
        found += of_it
    return tuple(found)
