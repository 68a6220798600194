"""Errors to plant in an encoder block, and where mathematics hides them.

Every one is a mistake that somebody could make and that leaves the shapes as they should be.  At
some sizes a mistake cannot be seen: these are named with the reason, by the family of the size.
(A saved tensor may still show it.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt
from types import MappingProxyType
from typing import Literal

from numeric.graph import Graph
from numeric.mutants.decoder import DECODER_ERRORS
from numeric.mutants.edits import Change, DerivativeMutant, Edit, GraphMutant, Mutant
from numeric.mutants.kinds import AXIS, HEADS, ROOT, SCALE, TRANSPOSED, VARIANCE
from numeric.ops import Shape

__all__ = ["PLANTED", "Planted", "mutants_of", "reaching_tokens"]


@dataclass(frozen=True, slots=True)
class Planted:
    """An error, and the families where it changes nothing in the output and its derivatives, or
    nothing above rounding, each with the reason."""

    mutant: Mutant
    hidden: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


ONE_TOKEN = "the softmax of one score is 1, whatever the score"
ONE_HEAD_CHANNEL = "with heads of one channel there is nothing to mix up within a head"
ONE_ROW = "a single token is not moved by a transposition"


def _seq_len(graph: Graph) -> int:
    return graph.sizes["seqLen"]


def _tokens(graph: Graph) -> Shape:
    return (_seq_len(graph),)


def _heads(graph: Graph) -> Shape:
    return (graph.sizes["numHeads"], _seq_len(graph), graph.sizes["headDim"])


def _d_model(graph: Graph) -> int:
    return graph.input_shapes["x"][-1]


def _interleaved(prefix: str) -> tuple[Edit, Edit]:
    """Rows cut into head_dim pieces of num_heads, instead of the reverse."""
    return (
        Edit(
            f"{prefix}.split",
            shape=lambda g: (_seq_len(g), g.sizes["headDim"], g.sizes["numHeads"]),
        ),
        Edit(f"{prefix}.heads", perm=(2, 0, 1)),
    )


def _softmax_over(axis: int) -> tuple[Edit, ...]:
    def rest(graph: Graph) -> Shape:
        full = (graph.sizes["numHeads"], _seq_len(graph), _seq_len(graph))
        return full[:axis] + full[axis + 1 :]

    return (
        Edit("mha.softmax.sum", axis=axis, shape=rest),
        Edit("mha.softmax.inv", shape=rest),
        Edit("mha.softmax.invBroadcast", axis=axis),
    )


def _norm_over_tokens(prefix: str) -> tuple[Edit, ...]:
    def columns(graph: Graph) -> Shape:
        return (_d_model(graph),)

    return (
        *(Edit(prefix + n, axis=0, shape=columns) for n in ("mean", "var")),
        *(Edit(prefix + n, shape=columns) for n in ("varEps", "std", "invStd")),
        *(Edit(prefix + n, axis=0) for n in ("meanBroadcast", "invStdBroadcast")),
    )


def _planted(
    name: str, *edits: Edit, hidden: Mapping[str, str] | None = None, kind: str = ""
) -> Planted:
    return Planted(GraphMutant(name, edits, kind), MappingProxyType(dict(hidden or {})))


def _copies(node: str, of: str) -> Edit:
    """The node hands on another value unchanged."""
    return Edit(node, op="scale", args=(of,), constant=1.0)


_SCORES = {"seq_len 1": ONE_TOKEN}

_ATTENTION = (
    _planted("queries from Wk", Edit("mha.q", args=("x", "Wk")), hidden=_SCORES),
    _planted("keys from Wq", Edit("mha.k", args=("x", "Wq")), hidden=_SCORES),
    _planted("values from Wk", Edit("mha.v", args=("x", "Wk"))),
    _planted("values from the queries' heads", Edit("mha.context", args=(
        "mha.softmax.weights", "mha.qHeads.heads"))),
    _planted(
        "queries and keys swapped",
        Edit("mha.q", args=("x", "Wk")), Edit("mha.k", args=("x", "Wq")), hidden=_SCORES,
    ),
    _planted("scale left out", Edit("mha.scaled", constant=1.0), hidden={
        **_SCORES, "d_model 2": "√1 = 1"}, kind=SCALE),
    _planted("scale 1/head_dim", Edit("mha.scaled", constant=lambda g: 1 / g.sizes["headDim"]),
             hidden={**_SCORES, "d_model 2": "√1 = 1"}, kind=SCALE),
    _planted("scale 1/√d_model", Edit("mha.scaled", constant=lambda g: 1 / sqrt(_d_model(g))),
             hidden=_SCORES, kind=SCALE),
    _planted("scores negated", Edit("mha.scaled", constant=lambda g: -1 / sqrt(
        g.sizes["headDim"])), hidden=_SCORES),
    _planted("softmax over the queries", *_softmax_over(1), hidden=_SCORES, kind=AXIS),
    _planted("softmax over the heads", *_softmax_over(0), kind=AXIS),
    _planted("softmax divided by a mean", Edit("mha.softmax.sum", op="mean"), hidden={
        "seq_len 1": "the mean of one number is its sum"}),
    _planted("1/sum² for exp/sum", Edit("mha.softmax.weights", args=(
        "mha.softmax.invBroadcast", "mha.softmax.invBroadcast"))),
    _planted("softmax not normalized", _copies("mha.softmax.weights", "mha.softmax.exp")),
    _planted("tanh for exp", Edit("mha.softmax.exp", op="tanh"), hidden=_SCORES),
    _planted("weights transposed", Edit(
        "mha.turned", op="transpose", args=("mha.softmax.weights",), perm=(0, 2, 1),
        shape=lambda g: (g.sizes["numHeads"], _seq_len(g), _seq_len(g)), before="mha.context"),
        Edit("mha.context", args=("mha.turned", "mha.vHeads.heads")),
        hidden=_SCORES, kind=TRANSPOSED),
    _planted("query heads interleaved", *_interleaved("mha.qHeads"), hidden={
        **_SCORES, "d_model 2": ONE_HEAD_CHANNEL}, kind=HEADS),
    _planted("value heads interleaved", *_interleaved("mha.vHeads"), hidden={
        "d_model 2": ONE_HEAD_CHANNEL}, kind=HEADS),
    _planted(
        "heads merged without moving tokens first",
        Edit("mha.tokens", perm=(0, 1, 2), shape=_heads),
        hidden={"seq_len 1": ONE_ROW}, kind=HEADS,
    ),
    _planted("heads merged interleaved", Edit("mha.tokens", perm=(1, 2, 0), shape=lambda g: (
        _seq_len(g), g.sizes["headDim"], g.sizes["numHeads"])), hidden={
        "d_model 2": ONE_HEAD_CHANNEL}, kind=HEADS),
)  # fmt: skip

_FEED_FORWARD = (
    _planted("feed-forward reads x", Edit("ffn.hiddenPre.matmul", args=("x", "W1"))),
    _planted("feed-forward reads the residual", Edit(
        "ffn.hiddenPre.matmul", args=("attnResidual", "W1"))),
    _planted("b1 left out", _copies("ffn.hiddenPre", "ffn.hiddenPre.matmul")),
    _planted("b2 subtracted", Edit("ffn.projected", op="sub")),
    _planted("GELU left out", _copies("ffn.hiddenAct.y", "ffn.hiddenPre")),
    _planted("GELU's 0.044715 is 0.0447", Edit("ffn.hiddenAct.cubic", constant=0.0447)),
    _planted("GELU's √(2/π) is 0.8", Edit("ffn.hiddenAct.arg", constant=0.8)),
    _planted("GELU's cube is a fourth power", Edit(
        "ffn.hiddenAct.cube", args=("ffn.hiddenAct.square", "ffn.hiddenAct.square"))),
    _planted("GELU without 1 +", Edit("ffn.hiddenAct.shifted", constant=0.0)),
    _planted("GELU without the half", Edit("ffn.hiddenAct.half", constant=1.0)),
)  # fmt: skip

_RESIDUALS = (
    _planted("no first skip", _copies("attnResidual", "mha.projected")),
    _planted("first skip subtracted", Edit("attnResidual", op="sub")),
    _planted("no second skip", _copies("ffnResidual", "ffn.projected")),
    _planted("second skip from x", Edit("ffnResidual", args=("x", "ffn.projected"))),
    _planted("second skip from the residual", Edit(
        "ffnResidual", args=("attnResidual", "ffn.projected"))),
)  # fmt: skip

_NORMS = (
    _planted("ε₁ left out", Edit("norm1.varEps", constant=0.0)),
    _planted("ε₂ is ε₁", Edit("norm2.varEps", symbol="eps1")),
    _planted("ε₁ outside the root", Edit("norm1.varEps", op="sqrt"), Edit(
        "norm1.std", op="addConst", symbol="eps1"), kind=ROOT),
    _planted("variance divided by d − 1", Edit(
        "norm1.biased", op="mean", args=("norm1.square",), axis=1, shape=_tokens,
        before="norm1.var"),
        Edit("norm1.var", op="scale", args=("norm1.biased",),
             constant=lambda g: _d_model(g) / max(_d_model(g) - 1, 1)), kind=VARIANCE),
    _planted("divided by the variance", Edit("norm2.invStd", args=("norm2.varEps",))),
    _planted("mean not subtracted", Edit(
        "norm1.normalized", args=("attnResidual", "norm1.invStdBroadcast"))),
    _planted("second moment for the variance", Edit(
        "norm2.square", args=("ffnResidual", "ffnResidual")), kind=VARIANCE),
    _planted("mean − x", Edit("norm1.centered", args=("norm1.meanBroadcast", "attnResidual"))),
    _planted("mean is a sum", Edit("norm2.mean", op="sum")),
    _planted("normalized over tokens", *_norm_over_tokens("norm1."), kind=AXIS),
    _planted("gamma1 and gamma2 swapped", Edit("norm1.gammaBroadcast", args=("gamma2",)), Edit(
        "norm2.gammaBroadcast", args=("gamma1",))),
    _planted("beta1 left out", _copies("norm1.y", "norm1.scaled")),
    _planted("gamma2 added", Edit("norm2.scaled", op="add")),
    _planted("beta2 subtracted", Edit("norm2.y", op="sub")),
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

_MODES: tuple[Literal["jvp"], Literal["vjp"]] = ("jvp", "vjp")

# At one token the softmax is constant: what reaches the output through the scores alone is 0.
_ONLY_SCORES = {
    ("mha.q", 1), ("mha.qHeads.heads", 0), ("mha.scores", 0), ("mha.scores", 1),
    ("mha.scaled", 0), ("mha.softmax.exp", 0), ("mha.context", 0),
}  # fmt: skip


def _wrong_terms() -> tuple[Planted, ...]:
    """Both modes, but for a transposed tangent: only a cotangent of a weight can be square."""
    return tuple(
        Planted(
            DerivativeMutant(direction, node, argument, change),
            MappingProxyType(_SCORES if (node, argument) in _ONLY_SCORES else {}),
        )
        for direction in _MODES
        for node, argument, change in _TERMS
        if change != "transpose" or direction == "vjp"
    )


_BLOCK: tuple[Planted, ...] = (
    *_ATTENTION, *_FEED_FORWARD, *_RESIDUALS, *_NORMS, *_wrong_terms(),
)  # fmt: skip


Mode = Literal["value", "jvp", "vjp"]


def _mode(mutant: Mutant) -> Mode:
    return mutant.direction if isinstance(mutant, DerivativeMutant) else "value"


def _changed(mutant: Mutant) -> tuple[str, ...]:
    """The saved tensors that an error is in."""
    if isinstance(mutant, GraphMutant):
        return tuple(e.node for e in mutant.edits)
    return tuple(mutant.names)


def _part(names: Mapping[str, str]) -> tuple[Planted, ...]:
    """The errors that lie in a part of the block.

    Args:
        names: the part's name of each value of the block; a name that ends in a dot stands for all
            that begin with it.
    """

    def own(name: str) -> str | None:
        if name in names:
            return names[name]
        prefix = next((p for p in names if p.endswith(".") and name.startswith(p)), None)
        return None if prefix is None else names[prefix] + name.removeprefix(prefix)

    return tuple(
        Planted(p.mutant.renamed(lambda n: own(n) or n), p.hidden)
        for p in _BLOCK
        if all(own(name) is not None for name in p.mutant.names)
        and all(own(name) != "x" for name in _changed(p.mutant))
    )


_MASK_TERMS: Sequence[tuple[str, int, Change, Mapping[str, str]]] = (
    ("masked", 1, "drop", _SCORES),
    ("maskBroadcast", 0, "one entry", _SCORES),
    ("projected", 1, "negate", {}),
    ("q", 1, "drop", _SCORES),
)

_BIASES_AND_MASK = (
    _planted("bq left out", _copies("q", "q.matmul"), hidden=_SCORES),
    _planted("bk for bq", Edit("q.bias", args=("bk",)), hidden=_SCORES),
    _planted("bv subtracted", Edit("v", op="sub")),
    _planted("bo left out", _copies("projected", "projected.matmul")),
    _planted("mask left out", _copies("masked", "scaled"), hidden=_SCORES),
    _planted("mask subtracted", Edit("masked", op="sub"), hidden=_SCORES),
    _planted("mask turned", Edit("maskTurned", op="transpose", args=("mask",), perm=(1, 0),
        shape=lambda g: (_seq_len(g), _seq_len(g)), before="maskBroadcast"),
        Edit("maskBroadcast", args=("maskTurned",)), hidden=_SCORES, kind=TRANSPOSED),
    _planted("mask scaled too", Edit("masked", args=("scores", "maskBroadcast")), Edit(
        "maskedLater", op="scale", args=("masked",), symbol="scale", before="softmax.exp"), Edit(
        "softmax.exp", args=("maskedLater",)), hidden={**_SCORES, "d_model 2": "√1 = 1"}),
    *(
        Planted(DerivativeMutant(mode, node, argument, change), MappingProxyType(hidden))
        for mode in _MODES
        for node, argument, change, hidden in _MASK_TERMS
    ),
)  # fmt: skip

_WEIGHTS = {name: name for name in ("Wq", "Wk", "Wv", "Wo", "W1", "b1", "W2", "b2")}
_NORM1 = {"norm1.": "norm.", "gamma1": "gamma", "beta1": "beta", "eps1": "eps"}
_NORM2 = {"norm2.": "norm.", "gamma2": "gamma", "beta2": "beta", "eps2": "eps"}

_UP_TO_RESIDUAL = {
    **_WEIGHTS,
    **{n: n for n in ("x", "mha.", "attnResidual", "norm1.", "ffn.", "ffnResidual", "eps1")},
}

_OUTSIDE_ATTENTION = {
    **_WEIGHTS,
    **{n: n for n in ("x", "mha.projected", "attnResidual", "norm1.", "norm2.", "ffn.")},
    **{n: n for n in ("ffnResidual", "eps1", "eps2", "gamma1", "beta1", "gamma2", "beta2")},
}
_GIVEN = ("bq", "bk", "bv", "bo", "mask", "scale")

_STACK = (
    _planted("block 1's skip is from the tokens", Edit(
        "layer1.attnResidual", args=("layer1.mha.projected", "x"))),
    _planted("block 1 has block 0's W1", Edit("layer1.ffn.hiddenPre.matmul", args=(
        "layer1.norm1.y", "layer0.W1"))),
    _planted("block 0 has block 1's gamma2", Edit("layer0.norm2.gammaBroadcast", args=(
        "layer1.gamma2",))),
    _planted("block 1 has block 0's beta1", Edit("layer1.norm1.betaBroadcast", args=(
        "layer0.beta1",))),
)  # fmt: skip


def _stacked(planted: Sequence[Planted], layer: int) -> tuple[Planted, ...]:
    """Errors of a block, in one block of a stack."""
    x = "x" if layer == 0 else "layer0.norm2.y"
    shared = {"x": x, "eps1": "eps1", "eps2": "eps2", "scale": "scale"}
    return tuple(
        Planted(p.mutant.renamed(lambda n: shared.get(n, f"layer{layer}.{n}")), p.hidden)
        for p in planted
    )


_FADED = "Σ|terms| over all paths outgrows the derivative: the change is below rounding"
_SEEN_TO_FADE = {
    ("mha.softmax.exp", "one entry"): ("d_model 2",),
    ("norm1.std", "one in a million"): ("tall", "d_model 2"),
}
"""Small changes in the first of several blocks, and the families where rule A forgives them."""


def _faded(one: Planted) -> Planted:
    """An error of a block, where it stands in the first of several."""
    m = one.mutant
    where = _SEEN_TO_FADE.get((m.node, m.change), ()) if isinstance(m, DerivativeMutant) else ()
    hidden = {**dict.fromkeys(where, _FADED), **one.hidden}
    return Planted(one.mutant, MappingProxyType(hidden))


def _of_a_stack(block: Sequence[Planted]) -> tuple[Planted, ...]:
    """Some of a block's errors in the first and others in the second block, and some of stacking
    itself."""
    first = [_faded(p) for p in block[::6]]
    return (*_STACK, *_stacked(first, 0), *_stacked(block[3::6], 1))


_BIASED_BLOCK: tuple[Planted, ...] = (
    *(
        Planted(p.mutant.renamed(lambda n: n if n in _GIVEN else f"mha.{n}"), p.hidden)
        for p in _BIASES_AND_MASK
    ),
    *(p for p in _part(_OUTSIDE_ATTENTION) if "mha.projected" not in _changed(p.mutant)),
)


def _in_both_modes(*terms: tuple[str, int, Change]) -> tuple[Planted, ...]:
    """Wrong terms of the derivative, each in forward and in reverse mode."""
    return tuple(
        Planted(DerivativeMutant(mode, node, argument, change))
        for mode in _MODES
        for node, argument, change in terms
    )


_SMOOTH_GELU = (
    _planted("GELU left out", _copies("ffn.hiddenAct.y", "ffn.hiddenPre")),
    _planted("SiLU-like: tanh for Φ", Edit("ffn.hiddenAct.cdf", op="tanh")),
    _planted("Φ without its argument's factor", Edit("ffn.hiddenAct.y", args=(
        "ffn.hiddenAct.cdf", "ffn.hiddenAct.cdf"))),
    *_in_both_modes(
        ("ffn.hiddenAct.cdf", 0, "drop"), ("ffn.hiddenAct.y", 0, "one percent"),
    ),
)  # fmt: skip

_RELU = (
    _planted("ReLU left out", _copies("ffn.hiddenAct.y", "ffn.hiddenPre")),
    _planted("tanh for ReLU", Edit("ffn.hiddenAct.y", op="tanh")),
    *_in_both_modes(("ffn.hiddenAct.y", 0, "drop"), ("ffn.hiddenAct.y", 0, "one percent")),
)  # fmt: skip

_PRE_NORM = (
    _planted("first skip from the norm", Edit("attnResidual", args=("mha.projected", "norm1.y"))),
    _planted("no first skip", _copies("attnResidual", "mha.projected")),
    _planted("no second skip", _copies("ffnResidual", "ffn.projected")),
    _planted("second skip from x", Edit("ffnResidual", args=("ffn.projected", "x"))),
    _planted("second skip from the norm", Edit("ffnResidual", args=(
        "ffn.projected", "norm2.y"))),
    _planted("feed-forward reads the residual", Edit("ffn.hiddenPre.matmul", args=(
        "attnResidual", "W1"))),
    _planted("attention's values read x", Edit("mha.v.matmul", args=("x", "Wv"))),
    _planted("ε₂ is ε₁", Edit("norm2.varEps", symbol="eps1")),
    _planted("gamma1 and gamma2 swapped", Edit("norm1.gammaBroadcast", args=("gamma2",)), Edit(
        "norm2.gammaBroadcast", args=("gamma1",))),
    _planted("beta1 left out", _copies("norm1.y", "norm1.scaled")),
    *_in_both_modes(
        ("attnResidual", 1, "drop"), ("ffnResidual", 0, "drop"), ("ffnResidual", 1, "negate"),
        ("norm1.normalized", 1, "drop"), ("norm2.centered", 1, "drop"),
        ("ffn.hiddenPre.matmul", 1, "one entry"),
    ),
)  # fmt: skip


_RMS_NORM = (
    _planted("ε left out", Edit("meanSquareEps", op="scale", args=("meanSquare",), constant=1.0)),
    _planted("sum for mean", Edit("meanSquare", op="sum")),
    _planted("divided by the mean square", Edit("invRms", args=("meanSquareEps",))),
    _planted("gamma added", Edit("y", op="add")),
    _planted("x not divided", _copies("normalized", "x")),
    *_in_both_modes(
        ("square", 1, "drop"), ("rms", 0, "one percent"), ("normalized", 0, "drop"),
        ("normalized", 1, "negate"), ("y", 1, "drop"),
    ),
)  # fmt: skip


def _without_activation(planted: Sequence[Planted]) -> tuple[Planted, ...]:
    """Those that do not look inside the activation."""
    return tuple(
        p for p in planted if not any(n.startswith("ffn.hiddenAct.") for n in p.mutant.names)
    )


_QUICK_GELU = (
    _planted("GELU left out", _copies("ffn.hiddenAct.y", "ffn.hiddenPre")),
    _planted("SiLU for quick-GELU", Edit("ffn.hiddenAct.steep", constant=1.0)),
    *_in_both_modes(
        ("ffn.hiddenAct.sigmoid", 0, "drop"), ("ffn.hiddenAct.y", 0, "one percent"),
    ),
)  # fmt: skip

_DECODERS = {
    graph: tuple(Planted(mutant, hidden) for mutant, hidden in errors)
    for graph, errors in DECODER_ERRORS.items()
}

PLANTED: Mapping[str, tuple[Planted, ...]] = MappingProxyType(
    {
        **_DECODERS,
        "gpt2BlockGraph": (*_DECODERS["gpt2BlockGraph"], *_PRE_NORM),
        "decoderBlockGraph": (*_DECODERS["decoderBlockGraph"], *_RELU),
        "preNormQuickGeluBlockGraph": (*_QUICK_GELU, *_PRE_NORM),
        "encoderBlockGraph": _BLOCK,
        "geluEncoderBlockGraph": (*_SMOOTH_GELU, *_without_activation(_BIASED_BLOCK)),
        "reluEncoderBlockGraph": (*_RELU, *_without_activation(_BIASED_BLOCK)),
        "preNormGeluBlockGraph": (*_SMOOTH_GELU, *_PRE_NORM),
        "preNormGeluTanhBlockGraph": _PRE_NORM,
        "encoderFfnResidualGraph": _part(_UP_TO_RESIDUAL),
        "layerNormGraph": _part({**_NORM1, "attnResidual": "x", "norm1.": ""}),
        "rmsNormGraph": _RMS_NORM,
        "softmaxGraph": tuple(
            Planted(p.mutant)  # its rows are as long as a token's: one token hides nothing
            for p in _part({"mha.scaled": "x", "mha.softmax.": ""})
            if len(_changed(p.mutant)) == 1  # the others speak of heads
        ),
        "geluGraph": _part({"ffn.hiddenPre": "x", "ffn.hiddenAct.": ""}),
        "mhaGraph": _part({**_WEIGHTS, "x": "x", "mha.": ""}),
        "biasedMhaGraph": _BIASES_AND_MASK,
        "biasedEncoderBlockGraph": _BIASED_BLOCK,
        "encoderGraph": _of_a_stack(_BLOCK),
        "biasedEncoderGraph": _of_a_stack(_BIASED_BLOCK),
        "ffnGraph": _part({**_WEIGHTS, "norm1.y": "x", "ffn.": ""}),
        "mhaPostNormGraph": _part(
            {**_WEIGHTS, **_NORM1, "x": "x", "mha.": "mha.", "attnResidual": "residual"}
        ),
        "seqFfnPostNormGraph": _part(
            {**_WEIGHTS, **_NORM2, "norm1.y": "x", "ffn.": "ffn.", "ffnResidual": "residual"}
        ),
    }
)
"""Errors by the name of the graph that they are planted in."""


def mutants_of(graph: str, mode: Mode) -> tuple[Mutant, ...]:
    """The errors of a graph: in what it computes, or in one mode of its derivative."""
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
"""Errors of a graph that stands alone, where one at a time is cheap: its theorems' checks must
reject these too."""


_FROM_A_PARAMETER = {
    ("mha.q", 1), ("mha.projected", 1), ("mha.masked", 1), ("mha.maskBroadcast", 0),
    ("norm1.y", 1), ("norm2.scaled", 1), ("ffn.hiddenPre.matmul", 1), ("hiddenPre.matmul", 1),
}  # fmt: skip


def reaching_tokens(graph: str) -> tuple[Mutant, ...]:
    """The errors in either mode of a graph's derivative that lie on a path from x: not those in
    what a parameter alone contributes."""
    return tuple(
        p.mutant
        for p in PLANTED[graph]
        if isinstance(p.mutant, DerivativeMutant)
        and (p.mutant.node, p.mutant.argument) not in _FROM_A_PARAMETER
    )
