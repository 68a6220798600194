"""Errors to plant in attention with relative-position biases and in T5's blocks.

As in `numeric.mutants.planted`, which lists these too.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from types import MappingProxyType

from numeric.graph import Graph
from numeric.mutants.edits import Change, DerivativeMutant, Edit, GraphMutant
from numeric.mutants.planting import MODES, Planted, copies, planted
from numeric.mutants.variants import RELU

__all__ = ["NOTHING_REACHES_RELU", "T5_ERRORS"]

Errors = tuple[Planted, ...]
_ONE: Mapping[str, str] = MappingProxyType(
    {"seq_len 1": "the only token sees itself, whatever its score and the mask"}
)
_UNSCALED: Mapping[str, str] = MappingProxyType({**_ONE, "d_model 2": "√1 = 1"})
_SHOWN: Mapping[str, str] = MappingProxyType({})

NOTHING_REACHES_RELU = GraphMutant(
    "nothing reaches ReLU",
    (
        Edit("ffn.all", op="matmul", args=("norm.y", "W1"), before="ffn.hiddenPre"),
        Edit("ffn.hiddenPre", op="scale", args=("ffn.all",), constant=0.0),
    ),
)


def _terms(*terms: tuple[str, int, Change], hidden: Mapping[str, str] = _SHOWN) -> Errors:
    """Wrong terms of the derivative, each in forward and in reverse mode."""
    return tuple(
        Planted(DerivativeMutant(mode, node, argument, change), hidden)
        for mode in MODES
        for node, argument, change in terms
    )


def _attention(p: str, source: str, weights: str, scores: str, hidden: Mapping[str, str]) -> Errors:
    """Mistakes in attention without a factor; ``scores`` is the argument of softmax, ``p`` the
    prefix of the names, and ``weights`` that of its weights' names."""
    kept = f"{p}core.softmax.kept"
    unscaled = {**hidden, **_UNSCALED} if hidden else {"d_model 2": _UNSCALED["d_model 2"]}
    reader = f"{p}biased" if scores == "biased" else f"{p}core.softmax.exp"
    others = (f"{p}bias",) if scores == "biased" else ()
    return (
        planted(f"{p}mask left out", copies(kept, f"{p}core.softmax.exp"), hidden=hidden),
        planted(f"{p}what is masked stays in the sum", Edit(
            f"{p}core.softmax.sum", args=(f"{p}core.softmax.exp",)), hidden=hidden),
        planted(f"{p}scores divided by √d", Edit(
            f"{p}usual", op="scale", args=(f"{p}scores",), before=reader,
            constant=lambda g: 1 / sqrt(g.sizes["headDim"])),
            Edit(reader, args=(f"{p}usual", *others)), hidden=unscaled),
        planted(f"{p}values from the keys' weights", Edit(f"{p}v", args=(source, f"{weights}Wk"))),
        planted(f"{p}keys from the values' weights", Edit(
            f"{p}k", args=(source, f"{weights}Wv")), hidden=hidden),
        planted(f"{p}heads merged without their transposition", Edit(
            f"{p}core.merged", args=(f"{p}core.context",)), hidden={
                "seq_len 1": "one token: the transposition moves nothing"}),
        *_terms((f"{p}scores", 0, "drop"), (f"{p}scores", 1, "one percent"), hidden=hidden),
        *_terms((f"{p}core.context", 1, "one percent"), (f"{p}projected", 1, "negate")),
    )  # fmt: skip


def _relative(p: str, source: str) -> Errors:
    """Mistakes with the biases too."""

    def exchanged(graph: Graph) -> tuple[int, ...]:
        h, n, _ = graph.node(f"{p}bias").shape
        index = graph.node(f"{p}bias").params.index or ()
        return tuple(
            index[(t * n + j) * n + i] for t in range(h) for i in range(n) for j in range(n)
        )

    def of_first_head(graph: Graph) -> tuple[int, ...]:
        h = graph.node(f"{p}bias").shape[0]
        return tuple(k - k % h for k in graph.node(f"{p}bias").params.index or ())

    return (
        *_attention(p, source, "", "biased", _ONE),
        planted("biases left out", copies(f"{p}biased", f"{p}scores"), hidden=_ONE),
        planted("biases subtracted", Edit(f"{p}biased", op="sub"), hidden=_ONE),
        planted("keys and queries exchanged", Edit(f"{p}bias", index=exchanged), hidden=_ONE),
        planted("the first head's biases", Edit(f"{p}bias", index=of_first_head), hidden=_ONE),
        *_terms((f"{p}biased", 1, "drop"), (f"{p}bias", 0, "negate"), hidden=_ONE),
    )


def _norm(p: str, source: str) -> Errors:
    return (
        planted(f"{p}sum for mean", Edit(f"{p}meanSquare", op="sum")),
        planted(f"{p}not divided", copies(f"{p}normalized", source)),
        *_terms((f"{p}square", 1, "drop"), (f"{p}normalized", 1, "negate")),
    )


def _feed_forward(before: str) -> Errors:
    """Mistakes in the last sublayer, after the residual ``before``."""
    return (
        planted("no last skip", copies("residual", "ffn.projected")),
        planted("last skip from x", Edit("residual", args=("ffn.projected", "x"))),
        planted("last ε is the first", Edit("norm.meanSquareEps", symbol="eps1")),
        planted("last norm reads x", Edit("norm.normalized", args=("x", "norm.invRmsBroadcast"))),
        *_norm("norm.", before),
        *_terms(("residual", 0, "drop"), ("residual", 1, "negate"), ("ffn.projected", 1, "negate")),
    )  # fmt: skip


_GATE = (
    planted("gate without activation", copies("ffn.gate.y", "ffn.gatePre")),
    planted("gate from Wu", Edit("ffn.gatePre", args=("norm.y", "Wu"))),
    planted("gate added", Edit("ffn.hidden", op="add")),
    *_terms(("ffn.hidden", 0, "drop"), ("ffn.hidden", 1, "negate"),
            ("ffn.gatePre", 1, "one entry")),
)  # fmt: skip
_FIRST = (
    planted("no first skip", copies("attention.residual", "attention.mha.projected")),
    planted("first skip from the norm", Edit("attention.residual", args=(
        "attention.mha.projected", "attention.norm.y"))),
    *_norm("attention.norm.", "x"),
    *_relative("attention.mha.", "attention.norm.y"),
    *_terms(("attention.residual", 1, "drop")),
)  # fmt: skip
_ENCODER = (*_FIRST, *_feed_forward("attention.residual"))
_DECODER = (
    *_FIRST,
    planted("no second skip", copies("cross.residual", "cross.mha.projected")),
    planted("second skip from x", Edit("cross.residual", args=("cross.mha.projected", "x"))),
    planted("queries of the memory from x", Edit("cross.mha.q", args=("x", "cross.Wq"))),
    planted("cross attention with self-attention's output", Edit(
        "cross.mha.projected", args=("cross.mha.core.merged", "Wo"))),
    planted("feed-forward past cross attention", Edit(
        "norm.normalized", args=("attention.residual", "norm.invRmsBroadcast"))),
    planted("ε₂ is ε₁", Edit("cross.norm.meanSquareEps", symbol="eps1")),
    *_norm("cross.norm.", "attention.residual"),
    *_attention("cross.mha.", "memory", "cross.", "scores", _SHOWN),
    *_feed_forward("cross.residual"),
)  # fmt: skip

T5_ERRORS: Mapping[str, Errors] = MappingProxyType(
    {
        "relativeMhaGraph": _relative("", "x"),
        "t5EncoderBlockGraph": (*_ENCODER, *RELU),
        "t5GatedEncoderBlockGraph": (*_ENCODER, *_GATE),
        "t5DecoderBlockGraph": (*_DECODER, *RELU),
        "t5GatedDecoderBlockGraph": (*_DECODER, *_GATE),
    }
)
"""By the name of the graph."""
