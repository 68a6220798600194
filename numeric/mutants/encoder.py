"""Errors of the post-norm encoder block with tanh-GELU, of its parts, and of graphs that contain
it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt
from types import MappingProxyType

from numeric.graph import Graph
from numeric.mutants.edits import Change, DerivativeMutant, Edit
from numeric.mutants.kinds import AXIS, HEADS, ROOT, SCALE, TRANSPOSED, VARIANCE
from numeric.mutants.planting import (
    MODES,
    ONE_HEAD_CHANNEL,
    ONE_ROW,
    SCORES,
    Planted,
    changed,
    copies,
    d_model,
    heads,
    planted,
    seq_len,
    tokens,
)
from numeric.ops import Shape

__all__ = [
    "BIASED_BLOCK",
    "BIASES_AND_MASK",
    "BLOCK",
    "NORM1",
    "NORM2",
    "UP_TO_RESIDUAL",
    "WEIGHTS",
    "of_a_stack",
    "part",
]


def _interleaved(prefix: str) -> tuple[Edit, Edit]:
    """Rows cut into head_dim pieces of num_heads, instead of the reverse."""
    return (
        Edit(
            f"{prefix}.split",
            shape=lambda g: (seq_len(g), g.sizes["headDim"], g.sizes["numHeads"]),
        ),
        Edit(f"{prefix}.heads", perm=(2, 0, 1)),
    )


def _softmax_over(axis: int) -> tuple[Edit, ...]:
    def rest(graph: Graph) -> Shape:
        full = (graph.sizes["numHeads"], seq_len(graph), seq_len(graph))
        return full[:axis] + full[axis + 1 :]

    return (
        Edit("mha.softmax.sum", axis=axis, shape=rest),
        Edit("mha.softmax.inv", shape=rest),
        Edit("mha.softmax.invBroadcast", axis=axis),
    )


def _norm_over_tokens(prefix: str) -> tuple[Edit, ...]:
    def columns(graph: Graph) -> Shape:
        return (d_model(graph),)

    return (
        *(Edit(prefix + n, axis=0, shape=columns) for n in ("mean", "var")),
        *(Edit(prefix + n, shape=columns) for n in ("varEps", "std", "invStd")),
        *(Edit(prefix + n, axis=0) for n in ("meanBroadcast", "invStdBroadcast")),
    )


_ATTENTION = (
    planted("queries from Wk", Edit("mha.q", args=("x", "Wk")), hidden=SCORES),
    planted("keys from Wq", Edit("mha.k", args=("x", "Wq")), hidden=SCORES),
    planted("values from Wk", Edit("mha.v", args=("x", "Wk"))),
    planted("values from the queries' heads", Edit("mha.context", args=(
        "mha.softmax.weights", "mha.qHeads.heads"))),
    planted(
        "queries and keys swapped",
        Edit("mha.q", args=("x", "Wk")), Edit("mha.k", args=("x", "Wq")), hidden=SCORES,
    ),
    planted("scale left out", Edit("mha.scaled", constant=1.0), hidden={
        **SCORES, "d_model 2": "√1 = 1"}, kind=SCALE),
    planted("scale 1/head_dim", Edit("mha.scaled", constant=lambda g: 1 / g.sizes["headDim"]),
             hidden={**SCORES, "d_model 2": "√1 = 1"}, kind=SCALE),
    planted("scale 1/√d_model", Edit("mha.scaled", constant=lambda g: 1 / sqrt(d_model(g))),
             hidden=SCORES, kind=SCALE),
    planted("scores negated", Edit("mha.scaled", constant=lambda g: -1 / sqrt(
        g.sizes["headDim"])), hidden=SCORES),
    planted("softmax over the queries", *_softmax_over(1), hidden=SCORES, kind=AXIS),
    planted("softmax over the heads", *_softmax_over(0), kind=AXIS),
    planted("softmax divided by a mean", Edit("mha.softmax.sum", op="mean"), hidden={
        "seq_len 1": "the mean of one number is its sum"}),
    planted("1/sum² for exp/sum", Edit("mha.softmax.weights", args=(
        "mha.softmax.invBroadcast", "mha.softmax.invBroadcast"))),
    planted("softmax not normalized", copies("mha.softmax.weights", "mha.softmax.exp")),
    planted("tanh for exp", Edit("mha.softmax.exp", op="tanh"), hidden=SCORES),
    planted("weights transposed", Edit(
        "mha.turned", op="transpose", args=("mha.softmax.weights",), perm=(0, 2, 1),
        shape=lambda g: (g.sizes["numHeads"], seq_len(g), seq_len(g)), before="mha.context"),
        Edit("mha.context", args=("mha.turned", "mha.vHeads.heads")),
        hidden=SCORES, kind=TRANSPOSED),
    planted("query heads interleaved", *_interleaved("mha.qHeads"), hidden={
        **SCORES, "d_model 2": ONE_HEAD_CHANNEL}, kind=HEADS),
    planted("value heads interleaved", *_interleaved("mha.vHeads"), hidden={
        "d_model 2": ONE_HEAD_CHANNEL}, kind=HEADS),
    planted(
        "heads merged without moving tokens first",
        Edit("mha.tokens", perm=(0, 1, 2), shape=heads),
        hidden={"seq_len 1": ONE_ROW}, kind=HEADS,
    ),
    planted("heads merged interleaved", Edit("mha.tokens", perm=(1, 2, 0), shape=lambda g: (
        seq_len(g), g.sizes["headDim"], g.sizes["numHeads"])), hidden={
        "d_model 2": ONE_HEAD_CHANNEL}, kind=HEADS),
)  # fmt: skip

_FEED_FORWARD = (
    planted("feed-forward reads x", Edit("ffn.hiddenPre.matmul", args=("x", "W1"))),
    planted("feed-forward reads the residual", Edit(
        "ffn.hiddenPre.matmul", args=("attnResidual", "W1"))),
    planted("b1 left out", copies("ffn.hiddenPre", "ffn.hiddenPre.matmul")),
    planted("b2 subtracted", Edit("ffn.projected", op="sub")),
    planted("GELU left out", copies("ffn.hiddenAct.y", "ffn.hiddenPre")),
    planted("GELU's 0.044715 is 0.0447", Edit("ffn.hiddenAct.cubic", constant=0.0447)),
    planted("GELU's √(2/π) is 0.8", Edit("ffn.hiddenAct.arg", constant=0.8)),
    planted("GELU's cube is a fourth power", Edit(
        "ffn.hiddenAct.cube", args=("ffn.hiddenAct.square", "ffn.hiddenAct.square"))),
    planted("GELU without 1 +", Edit("ffn.hiddenAct.shifted", constant=0.0)),
    planted("GELU without the half", Edit("ffn.hiddenAct.half", constant=1.0)),
)  # fmt: skip

_RESIDUALS = (
    planted("no first skip", copies("attnResidual", "mha.projected")),
    planted("first skip subtracted", Edit("attnResidual", op="sub")),
    planted("no second skip", copies("ffnResidual", "ffn.projected")),
    planted("second skip from x", Edit("ffnResidual", args=("x", "ffn.projected"))),
    planted("second skip from the residual", Edit(
        "ffnResidual", args=("attnResidual", "ffn.projected"))),
)  # fmt: skip

_NORMS = (
    planted("ε₁ left out", Edit("norm1.varEps", constant=0.0)),
    planted("ε₂ is ε₁", Edit("norm2.varEps", symbol="eps1")),
    planted("ε₁ outside the root", Edit("norm1.varEps", op="sqrt"), Edit(
        "norm1.std", op="addConst", symbol="eps1"), kind=ROOT),
    planted("variance divided by d − 1", Edit(
        "norm1.biased", op="mean", args=("norm1.square",), axis=1, shape=tokens,
        before="norm1.var"),
        Edit("norm1.var", op="scale", args=("norm1.biased",),
             constant=lambda g: d_model(g) / max(d_model(g) - 1, 1)), kind=VARIANCE),
    planted("divided by the variance", Edit("norm2.invStd", args=("norm2.varEps",))),
    planted("mean not subtracted", Edit(
        "norm1.normalized", args=("attnResidual", "norm1.invStdBroadcast"))),
    planted("second moment for the variance", Edit(
        "norm2.square", args=("ffnResidual", "ffnResidual")), kind=VARIANCE),
    planted("mean − x", Edit("norm1.centered", args=("norm1.meanBroadcast", "attnResidual"))),
    planted("mean is a sum", Edit("norm2.mean", op="sum")),
    planted("normalized over tokens", *_norm_over_tokens("norm1."), kind=AXIS),
    planted("gamma1 and gamma2 swapped", Edit("norm1.gammaBroadcast", args=("gamma2",)), Edit(
        "norm2.gammaBroadcast", args=("gamma1",))),
    planted("beta1 left out", copies("norm1.y", "norm1.scaled")),
    planted("gamma2 added", Edit("norm2.scaled", op="add")),
    planted("beta2 subtracted", Edit("norm2.y", op="sub")),
)  # fmt: skip

_TERMS: Sequence[tuple[str, int, Change]] = (
    ("mha.q", 1, "transpose"),
    ("mha.v", 0, "drop"),
    ("mha.qHeads.heads", 0, "negate"),
    ("mha.scores", 0, "drop"),
    ("mha.scores", 1, "one percent"),
    ("mha.scaled", 0, "one in a million"),
    ("mha.softmax.exp", 0, "one entry"),
    ("mha.softmax.weights", 0, "drop"),
    ("mha.softmax.weights", 1, "drop"),
    ("mha.softmax.inv", 0, "negate"),
    ("mha.context", 0, "drop"),
    ("mha.projected", 1, "transpose"),
    ("attnResidual", 0, "drop"),
    ("norm1.square", 1, "drop"),
    ("norm1.mean", 0, "negate"),
    ("norm1.std", 0, "one in a million"),
    ("norm1.normalized", 1, "drop"),
    ("norm1.y", 1, "drop"),
    ("ffn.hiddenPre.matmul", 1, "one entry"),
    ("ffn.hiddenAct.tanh", 0, "one percent"),
    ("ffn.hiddenAct.cube", 0, "drop"),
    ("ffn.hiddenAct.y", 1, "drop"),
    ("ffnResidual", 0, "drop"),
    ("norm2.centered", 1, "drop"),
    ("norm2.scaled", 1, "one entry"),
)

# At one token the softmax is constant: any derivative through the scores alone is 0.
_ONLY_SCORES = {
    ("mha.q", 1), ("mha.qHeads.heads", 0), ("mha.scores", 0), ("mha.scores", 1),
    ("mha.scaled", 0), ("mha.softmax.exp", 0), ("mha.context", 0),
}  # fmt: skip


def _wrong_terms() -> tuple[Planted, ...]:
    """Both modes, except for a transposed tangent: only a cotangent of a weight can be square."""
    return tuple(
        Planted(
            DerivativeMutant(direction, node, argument, change),
            MappingProxyType(SCORES if (node, argument) in _ONLY_SCORES else {}),
        )
        for direction in MODES
        for node, argument, change in _TERMS
        if change != "transpose" or direction == "vjp"
    )


BLOCK: tuple[Planted, ...] = (
    *_ATTENTION, *_FEED_FORWARD, *_RESIDUALS, *_NORMS, *_wrong_terms(),
)  # fmt: skip


def part(names: Mapping[str, str]) -> tuple[Planted, ...]:
    """The errors that lie in a part of the block.

    Args:
        names: the part's name of each value of the block; a name that ends in a dot stands for all
            names that begin with it.
    """

    def own(name: str) -> str | None:
        if name in names:
            return names[name]
        prefix = next((p for p in names if p.endswith(".") and name.startswith(p)), None)
        return None if prefix is None else names[prefix] + name.removeprefix(prefix)

    return tuple(
        Planted(p.mutant.renamed(lambda n: own(n) or n), p.hidden)
        for p in BLOCK
        if all(own(name) is not None for name in p.mutant.names)
        and all(own(name) != "x" for name in changed(p.mutant))
    )


_MASK_TERMS: Sequence[tuple[str, int, Change, Mapping[str, str]]] = (
    ("masked", 1, "drop", SCORES),
    ("maskBroadcast", 0, "one entry", SCORES),
    ("projected", 1, "negate", {}),
    ("q", 1, "drop", SCORES),
)

BIASES_AND_MASK = (
    planted("bq left out", copies("q", "q.matmul"), hidden=SCORES),
    planted("bk for bq", Edit("q.bias", args=("bk",)), hidden=SCORES),
    planted("bv subtracted", Edit("v", op="sub")),
    planted("bo left out", copies("projected", "projected.matmul")),
    planted("mask left out", copies("masked", "scaled"), hidden=SCORES),
    planted("mask subtracted", Edit("masked", op="sub"), hidden=SCORES),
    planted("mask turned", Edit("maskTurned", op="transpose", args=("mask",), perm=(1, 0),
        shape=lambda g: (seq_len(g), seq_len(g)), before="maskBroadcast"),
        Edit("maskBroadcast", args=("maskTurned",)), hidden=SCORES, kind=TRANSPOSED),
    planted("mask scaled too", Edit("masked", args=("scores", "maskBroadcast")), Edit(
        "maskedLater", op="scale", args=("masked",), symbol="scale", before="softmax.exp"), Edit(
        "softmax.exp", args=("maskedLater",)), hidden={**SCORES, "d_model 2": "√1 = 1"}),
    *(
        Planted(DerivativeMutant(mode, node, argument, change), MappingProxyType(hidden))
        for mode in MODES
        for node, argument, change, hidden in _MASK_TERMS
    ),
)  # fmt: skip

WEIGHTS = {name: name for name in ("Wq", "Wk", "Wv", "Wo", "W1", "b1", "W2", "b2")}
NORM1 = {"norm1.": "norm.", "gamma1": "gamma", "beta1": "beta", "eps1": "eps"}
NORM2 = {"norm2.": "norm.", "gamma2": "gamma", "beta2": "beta", "eps2": "eps"}

UP_TO_RESIDUAL = {
    **WEIGHTS,
    **{n: n for n in ("x", "mha.", "attnResidual", "norm1.", "ffn.", "ffnResidual", "eps1")},
}

_OUTSIDE_ATTENTION = {
    **WEIGHTS,
    **{n: n for n in ("x", "mha.projected", "attnResidual", "norm1.", "norm2.", "ffn.")},
    **{n: n for n in ("ffnResidual", "eps1", "eps2", "gamma1", "beta1", "gamma2", "beta2")},
}
_GIVEN = ("bq", "bk", "bv", "bo", "mask", "scale")

_STACK = (
    planted("block 1's skip is from the tokens", Edit(
        "layer1.attnResidual", args=("layer1.mha.projected", "x"))),
    planted("block 1 has block 0's W1", Edit("layer1.ffn.hiddenPre.matmul", args=(
        "layer1.norm1.y", "layer0.W1"))),
    planted("block 0 has block 1's gamma2", Edit("layer0.norm2.gammaBroadcast", args=(
        "layer1.gamma2",))),
    planted("block 1 has block 0's beta1", Edit("layer1.norm1.betaBroadcast", args=(
        "layer0.beta1",))),
)  # fmt: skip


def _stacked(errors: Sequence[Planted], layer: int) -> tuple[Planted, ...]:
    """Errors of a block, in one block of a stack."""
    x = "x" if layer == 0 else "layer0.norm2.y"
    shared = {"x": x, "eps1": "eps1", "eps2": "eps2", "scale": "scale"}
    return tuple(
        Planted(p.mutant.renamed(lambda n: shared.get(n, f"layer{layer}.{n}")), p.hidden)
        for p in errors
    )


_FADED = "Σ|terms| over all paths outgrows the derivative: the change is below rounding"
_SEEN_TO_FADE = {
    ("mha.softmax.exp", "one entry"): ("d_model 2",),
    ("norm1.std", "one in a million"): ("tall", "d_model 2"),
}
"""Small changes in the first of several blocks, and the families where rule A tolerates them."""


def _faded(one: Planted) -> Planted:
    """An error of a block, in the first of several."""
    m = one.mutant
    where = _SEEN_TO_FADE.get((m.node, m.change), ()) if isinstance(m, DerivativeMutant) else ()
    hidden = {**dict.fromkeys(where, _FADED), **one.hidden}
    return Planted(one.mutant, MappingProxyType(hidden))


def of_a_stack(block: Sequence[Planted]) -> tuple[Planted, ...]:
    """Some of a block's errors in the first and others in the second block, and some errors of
    stacking itself."""
    first = [_faded(p) for p in block[::6]]
    return (*_STACK, *_stacked(first, 0), *_stacked(block[3::6], 1))


BIASED_BLOCK: tuple[Planted, ...] = (
    *(
        Planted(p.mutant.renamed(lambda n: n if n in _GIVEN else f"mha.{n}"), p.hidden)
        for p in BIASES_AND_MASK
    ),
    *(p for p in part(_OUTSIDE_ATTENTION) if "mha.projected" not in changed(p.mutant)),
)
