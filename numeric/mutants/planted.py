"""Errors to plant in an encoder block, and where mathematics hides them.

Each is a plausible mistake that leaves the shapes right.  At some sizes a mistake cannot be seen:
these are named with the reason, by the family of the size. (A saved tensor may still show it.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Literal

from numeric.mutants.decoder import DECODER_ERRORS
from numeric.mutants.edits import DerivativeMutant, Edit, GraphMutant, Mutant
from numeric.mutants.encoder import (
    BIASED_BLOCK,
    BIASES_AND_MASK,
    BLOCK,
    NORM1,
    NORM2,
    UP_TO_RESIDUAL,
    WEIGHTS,
    of_a_stack,
    part,
)
from numeric.mutants.planting import Planted, changed
from numeric.mutants.t5 import T5_ERRORS
from numeric.mutants.variants import PRE_NORM, QUICK_GELU, RELU, RMS_NORM, SMOOTH_GELU

__all__ = ["PLANTED", "Planted", "mutants_of", "reaching_tokens"]

Mode = Literal["value", "jvp", "vjp"]


def _mode(mutant: Mutant) -> Mode:
    return mutant.direction if isinstance(mutant, DerivativeMutant) else "value"


def _without_activation(errors: Sequence[Planted]) -> tuple[Planted, ...]:
    """Those that do not involve the inside of the activation."""
    return tuple(
        p for p in errors if not any(n.startswith("ffn.hiddenAct.") for n in p.mutant.names)
    )


_DECODERS = {
    graph: tuple(Planted(mutant, hidden) for mutant, hidden in errors)
    for graph, errors in DECODER_ERRORS.items()
}

PLANTED: Mapping[str, tuple[Planted, ...]] = MappingProxyType(
    {
        **_DECODERS,
        **T5_ERRORS,
        "gpt2BlockGraph": (*_DECODERS["gpt2BlockGraph"], *PRE_NORM),
        "decoderBlockGraph": (*_DECODERS["decoderBlockGraph"], *RELU),
        "preNormQuickGeluBlockGraph": (*QUICK_GELU, *PRE_NORM),
        "encoderBlockGraph": BLOCK,
        "geluEncoderBlockGraph": (*SMOOTH_GELU, *_without_activation(BIASED_BLOCK)),
        "reluEncoderBlockGraph": (*RELU, *_without_activation(BIASED_BLOCK)),
        "preNormReluBlockGraph": (*RELU, *PRE_NORM),
        "preNormGeluBlockGraph": (*SMOOTH_GELU, *PRE_NORM),
        "preNormGeluTanhBlockGraph": PRE_NORM,
        "encoderFfnResidualGraph": part(UP_TO_RESIDUAL),
        "layerNormGraph": part({**NORM1, "attnResidual": "x", "norm1.": ""}),
        "rmsNormGraph": RMS_NORM,
        "softmaxGraph": tuple(
            Planted(p.mutant)  # its rows are as long as a token's: one token hides nothing
            for p in part({"mha.scaled": "x", "mha.softmax.": ""})
            if len(changed(p.mutant)) == 1  # the others mention heads
        ),
        "geluGraph": part({"ffn.hiddenPre": "x", "ffn.hiddenAct.": ""}),
        "mhaGraph": part({**WEIGHTS, "x": "x", "mha.": ""}),
        "biasedMhaGraph": BIASES_AND_MASK,
        "biasedEncoderBlockGraph": BIASED_BLOCK,
        "encoderGraph": of_a_stack(BLOCK),
        "biasedEncoderGraph": of_a_stack(BIASED_BLOCK),
        "ffnGraph": part({**WEIGHTS, "norm1.y": "x", "ffn.": ""}),
        "mhaPostNormGraph": part(
            {**WEIGHTS, **NORM1, "x": "x", "mha.": "mha.", "attnResidual": "residual"}
        ),
        "seqFfnPostNormGraph": part(
            {**WEIGHTS, **NORM2, "norm1.y": "x", "ffn.": "ffn.", "ffnResidual": "residual"}
        ),
    }
)
"""Errors by the name of the graph that they are planted in."""


def mutants_of(graph: str, mode: Mode) -> tuple[Mutant, ...]:
    """The errors of a graph: in its values, or in one mode of its derivative."""
    own = tuple(p.mutant for p in PLANTED[graph] if _mode(p.mutant) == mode)
    return own + tuple(m for m in _FURTHER.get(graph, ()) if _mode(m) == mode)


_FURTHER: Mapping[str, tuple[Mutant, ...]] = {
    "layerNormGraph": (
        GraphMutant("variance is not divided by d", (Edit("var", op="sum"),)),
        GraphMutant("mean is not divided by d", (Edit("mean", op="sum"),)),
        GraphMutant(
            "x is normalized instead of x - mean",
            (Edit("normalized", args=("x", "invStdBroadcast")),),
        ),
        GraphMutant("divided by the variance", (Edit("invStd", args=("varEps",)),)),
        GraphMutant("beta subtracted", (Edit("y", op="sub"),)),
        DerivativeMutant("jvp", "centered", 1),
        DerivativeMutant("jvp", "invStd", 0, "negate"),
        DerivativeMutant("jvp", "scaled", 1, "one entry"),
        DerivativeMutant("vjp", "centered", 1),
        DerivativeMutant("vjp", "normalized", 0),
        DerivativeMutant("vjp", "scaled", 1, "one entry"),
    )
}
"""Errors of a graph on its own, where one at a time is cheap: its theorems' checks must reject
these too."""


_FROM_A_PARAMETER = {
    ("mha.q", 1), ("mha.projected", 1), ("mha.masked", 1), ("mha.maskBroadcast", 0),
    ("norm1.y", 1), ("norm2.scaled", 1), ("ffn.hiddenPre.matmul", 1), ("hiddenPre.matmul", 1),
    ("attention.mha.biased", 1), ("attention.mha.bias", 0), ("attention.mha.projected", 1),
    ("mha.kRotary.across", 1), ("ffn.gatePre", 1), ("ffn.projected", 1),
}  # fmt: skip


def reaching_tokens(graph: str) -> tuple[Mutant, ...]:
    """The errors in either mode of a graph's derivative that lie on a path from x: not those in a
    parameter's own contribution."""
    return tuple(
        p.mutant
        for p in PLANTED[graph]
        if isinstance(p.mutant, DerivativeMutant)
        and (p.mutant.node, p.mutant.argument) not in _FROM_A_PARAMETER
    )
