"""Errors to plant in gated, masked and grouped layers and in the blocks made of them.

As in `numeric.mutants.planted`, which lists these too: each is a plausible mistake, with the
families of sizes where mathematics hides it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal

from numeric.graph import Graph
from numeric.mutants.edits import Change, DerivativeMutant, Edit, GraphMutant, Mutant

__all__ = ["DECODER_ERRORS", "nothing_allowed"]

Errors = tuple[tuple[Mutant, Mapping[str, str]], ...]
Hidden = Mapping[str, str]

_ONE = "the only token sees itself, whatever its score and the mask"
_NO_HALVES = "a vector of one entry has no second half"
_SHOWN: Hidden = MappingProxyType({})
_SCORES: Hidden = MappingProxyType({"seq_len 1": _ONE})
_UNSCALED: Hidden = MappingProxyType({**_SCORES, "d_model 2": "√1 = 1"})
_HALVES: Hidden = MappingProxyType({**_SCORES, "d_model 2": _NO_HALVES})
_MODES: tuple[Literal["jvp"], Literal["vjp"]] = ("jvp", "vjp")


def _graph(name: str, *edits: Edit, hidden: Hidden = _SHOWN) -> Errors:
    return ((GraphMutant(name, edits), hidden),)


def _terms(*terms: tuple[str, int, Change], hidden: Hidden = _SHOWN) -> Errors:
    """Wrong terms of the derivative, each in forward and in reverse mode."""
    return tuple(
        (DerivativeMutant(mode, node, argument, change), hidden)
        for mode in _MODES
        for node, argument, change in terms
    )


def _copies(node: str, of: str) -> Edit:
    """The node passes on another value unchanged."""
    return Edit(node, op="scale", args=(of,), constant=1.0)


def _keeps(node: str, allowed: Callable[[int, int], bool]) -> Callable[[Graph], tuple[int, ...]]:
    """The index of a mask of the last two axes."""

    def index(graph: Graph) -> tuple[int, ...]:
        *lead, n, m = graph.node(node).shape
        count = lead[0] if lead else 1
        return tuple(
            (h * n + i) * m + j if allowed(i, j) else -1
            for h in range(count)
            for i in range(n)
            for j in range(m)
        )

    return index


def nothing_allowed(node: str) -> GraphMutant:
    """No row allows anything."""
    return GraphMutant("nothing is allowed", (Edit(node, index=_keeps(node, lambda i, j: False)),))


def _softmax(p: str, scores: str, hidden: Hidden, one: Hidden | None = None) -> Errors:
    """Mistakes with the mask; ``p`` is the prefix of the softmax's names.

    ``one`` is where a single key is allowed, so that its weight is 1 for any exponential.
    """
    kept = f"{p}kept"
    return (
        *_graph("mask left out", _copies(kept, f"{p}exp"), hidden=hidden),
        *_graph("what is masked stays in the sum", Edit(f"{p}sum", args=(f"{p}exp",)),
                hidden=hidden),
        *_graph("scores masked with 0, not with −∞", Edit(
            f"{p}early", op="gather", args=(scores,), before=f"{p}exp", index=lambda g: tuple(
                k for k in g.node(kept).params.index or ())),
            Edit(f"{p}exp", args=(f"{p}early",)), _copies(kept, f"{p}exp"), hidden=hidden),
        *_terms((f"{p}weights", 0, "drop"), (f"{p}weights", 1, "drop"), (f"{p}inv", 0, "negate")),
        *_terms((kept, 0, "one percent"), hidden=hidden if one is None else one),
    )  # fmt: skip


def _core(p: str) -> Errors:
    """Mistakes in self-attention with a causal mask."""
    kept = f"{p}softmax.kept"
    return (
        *_softmax(f"{p}softmax.", f"{p}scaled", _SCORES),
        *_graph("later tokens for earlier ones", Edit(
            kept, index=_keeps(kept, lambda i, j: j >= i)), hidden=_SCORES),
        *_graph("the next token is seen", Edit(
            kept, index=_keeps(kept, lambda i, j: j <= i + 1)), hidden=_SCORES),
        *_attention(p, _SCORES, _UNSCALED),
    )  # fmt: skip


def _attention(p: str, hidden: Hidden, unscaled: Hidden) -> Errors:
    return (
        *_graph("scale left out", Edit(f"{p}scaled", constant=1.0), hidden=unscaled),
        *_graph("heads merged without their transposition", Edit(
            f"{p}merged", args=(f"{p}context",)), hidden=MappingProxyType({
                "seq_len 1": "one token: the transposition moves nothing"})),
        *_terms((f"{p}scores", 0, "drop"), (f"{p}scores", 1, "one percent"),
                (f"{p}scaled", 0, "negate"), (f"{p}context", 0, "drop"), hidden=hidden),
        *_terms((f"{p}context", 1, "one percent")),
    )  # fmt: skip


def _projections(p: str, source: str, hidden: Hidden) -> Errors:
    """Mistakes with the weights and biases of attention; keys and values come from ``source``."""
    return (
        *_graph("values from Wk", Edit(f"{p}v.matmul", args=(source, "Wk"))),
        *_graph("keys from Wv", Edit(f"{p}k.matmul", args=(source, "Wv")), hidden=hidden),
        *_graph("bq left out", _copies(f"{p}q", f"{p}q.matmul"), hidden=hidden),
        *_graph("bk for bq", Edit(f"{p}q.bias", args=("bk",)), hidden=hidden),
        *_graph("bv subtracted", Edit(f"{p}v", op="sub")),
        *_graph("bo left out", _copies(f"{p}projected", f"{p}projected.matmul")),
        *_terms((f"{p}projected", 1, "negate")),
        *_terms((f"{p}q", 1, "drop"), hidden=hidden),
    )


def _rotary(p: str, hidden: Hidden, halves: Hidden) -> Errors:
    return (
        *_graph(f"{p}cosines for sines", Edit(f"{p}cosBroadcast", args=("sin",)), Edit(
            f"{p}sinBroadcast", args=("cos",)), hidden=halves),
        *_graph(f"{p}second half not negated", Edit(f"{p}turned", op="add"), hidden=halves),
        *_graph(f"{p}turned the other way", Edit(f"{p}y", op="sub"), hidden=hidden),
        *_terms((f"{p}straight", 0, "drop"), (f"{p}across", 0, "drop"),
                (f"{p}across", 1, "negate"), hidden=hidden),
        *_terms((f"{p}upper", 0, "drop"), hidden=halves),
    )  # fmt: skip


def _grouped(p: str, source: str) -> Errors:
    """Mistakes with grouped heads."""

    def interleaved(graph: Graph) -> tuple[int, ...]:
        groups, each, n, d = graph.node(f"{p}kShared.copies").shape
        return (each, groups, n, d)

    return (
        *_core(f"{p}core."),
        *_graph("values from Wk", Edit(f"{p}v", args=(source, "Wk"))),
        *_graph("keys not turned", Edit(f"{p}kShared.copies", args=(f"{p}kHeads.heads",)),
                hidden=_SCORES),
        *_graph("queries not turned", Edit(f"{p}core.scores", args=(
            f"{p}qHeads.heads", f"{p}core.keyT")), hidden=_SCORES),
        *_graph("groups interleaved", *(Edit(
            f"{p}{x}Shared.copies", axis=0, shape=interleaved) for x in "kv")),
        *_rotary(f"{p}kRotary.", _SCORES, _HALVES),
        *_terms((f"{p}kShared.copies", 0, "drop"), hidden=_SCORES),
        *_terms((f"{p}vShared.copies", 0, "one percent"), (f"{p}projected", 0, "drop")),
    )  # fmt: skip


def _gated(p: str, source: str) -> Errors:
    return (
        *_graph("gate without activation", _copies(f"{p}gate.y", f"{p}gatePre")),
        *_graph("gate from Wu", Edit(f"{p}gatePre", args=(source, "Wu"))),
        *_graph("what is gated from Wg", Edit(f"{p}up", args=(source, "Wg"))),
        *_graph("gate added", Edit(f"{p}hidden", op="add")),
        *_graph("gate left out", _copies(f"{p}hidden", f"{p}up")),
        *_terms((f"{p}hidden", 0, "drop"), (f"{p}hidden", 1, "negate"),
                (f"{p}gatePre", 1, "one entry"), (f"{p}gate.y", 0, "one percent"),
                (f"{p}projected", 0, "drop")),
    )  # fmt: skip


def _rms(p: str, source: str) -> Errors:
    return (
        *_graph(f"{p}sum for mean", Edit(f"{p}meanSquare", op="sum")),
        *_graph(f"{p}divided by the mean square", Edit(f"{p}invRms", args=(f"{p}meanSquareEps",))),
        *_graph(f"{p}not divided", _copies(f"{p}normalized", source)),
        *_terms((f"{p}square", 1, "drop"), (f"{p}normalized", 1, "negate")),
    )


def _offset(p: str, gamma: str) -> Errors:
    return (
        *_graph(f"{p}scale without 1 +", _copies(f"{p}gain", gamma)),
        *_terms((f"{p}gain", 0, "one percent")),
    )


def _residuals() -> Errors:
    return (
        *_graph("first skip from the norm", Edit("attnResidual", args=(
            "mha.projected", "norm1.y"))),
        *_graph("no first skip", _copies("attnResidual", "mha.projected")),
        *_graph("no second skip", _copies("ffnResidual", "ffn.projected")),
        *_graph("second skip from x", Edit("ffnResidual", args=("ffn.projected", "x"))),
        *_graph("ε₂ is ε₁", Edit("norm2.meanSquareEps", symbol="eps1")),
        *_terms(("attnResidual", 1, "drop"), ("ffnResidual", 0, "drop"),
                ("ffnResidual", 1, "negate")),
    )  # fmt: skip


def _gated_block(*more: Errors) -> Errors:
    found = (
        _grouped("mha.", "norm1.y"),
        _gated("ffn.", "norm2.y"),
        _rms("norm1.", "x"),
        _residuals(),
        *more,
    )
    return tuple(_once([one for errors in found for one in errors]))


def _once(errors: list[tuple[Mutant, Hidden]]) -> list[tuple[Mutant, Hidden]]:
    """Those whose names are new."""
    return list({mutant.name: (mutant, hidden) for mutant, hidden in reversed(errors)}.values())


def _cross() -> Errors:
    kept = "core.softmax.kept"

    def last(graph: Graph) -> tuple[int, ...]:
        first = graph.sizes["memoryLen"] - graph.sizes["visible"]
        return _keeps(kept, lambda i, j: j >= first)(graph)

    return (
        *_softmax("core.softmax.", "core.scaled", _SHOWN),
        *_graph("padding at the wrong end", Edit(kept, index=last)),
        *_attention("core.", _SHOWN, MappingProxyType({"d_model 2": "√1 = 1"})),
        *_projections("", "memory", _SHOWN),
    )


def _cross_entropy(p: str) -> Errors:
    """Mistakes with a loss; ``p`` is the prefix of the names of its values."""

    def last(graph: Graph) -> tuple[int, ...]:
        n, classes = graph.node(f"{p}exp").shape
        return tuple(i * classes + classes - 1 for i in range(n))

    return (
        *_graph("sum for mean", Edit(f"{p}loss", op="sum"), hidden=MappingProxyType(
            {"seq_len 1": "the mean of one number is its sum"})),
        *_graph("the logit added", Edit(f"{p}losses", op="add")),
        *_graph("the last class for the target", Edit(f"{p}picked", index=last)),
        *_graph("no logarithm", _copies(f"{p}logSum", f"{p}sum")),
        *_graph("the mean exponential", Edit(f"{p}sum", op="mean")),
        *_graph("the target of exponentials", Edit(f"{p}picked", args=(f"{p}exp",))),
        *_terms((f"{p}losses", 0, "drop"), (f"{p}losses", 1, "negate"), (f"{p}loss", 0, "drop"),
                (f"{p}logSum", 0, "one percent"), (f"{p}exp", 0, "negate"),
                (f"{p}picked", 0, "drop")),
    )  # fmt: skip


_LOG_SOFTMAX = (
    *_graph("the logarithm added", Edit("y", op="add")),
    *_graph("no logarithm", _copies("log", "sum")),
    *_graph("the mean exponential", Edit("sum", op="mean")),
    *_terms(("y", 0, "drop"), ("y", 1, "negate"), ("log", 0, "one percent"), ("exp", 0, "negate")),
)


def _language_model(eps: str, first: str, weights: str) -> Errors:
    """Mistakes around the blocks of a language model, and in one of two blocks: ``eps`` is the
    final norm's sum with ε, ``first`` the first product of a feed-forward layer."""
    kept, blocks = "blocks.layer1.mha.core.softmax.kept", "blocks.layer1.ffnResidual"

    def first_row(graph: Graph) -> tuple[int, ...]:
        n, d = graph.node("embedded.rows").shape
        return tuple(d + j for _ in range(n) for j in range(d))

    return (
        *_graph("another token's row", Edit("embedded.rows", index=first_row)),
        *_graph("second block with the first block's weights", Edit(
            f"blocks.layer1.ffn.{first}", args=("blocks.layer1.norm2.y", f"layer0.{weights}"))),
        *_graph("first block without its skip", _copies(
            "blocks.layer0.attnResidual", "blocks.layer0.mha.projected")),
        *_graph("second block without its mask", _copies(
            kept, "blocks.layer1.mha.core.softmax.exp"), hidden=_SCORES),
        *_graph("final norm left out", Edit("logits", args=(blocks, "tableT"))),
        *_graph("ε₃ is ε₂", Edit(eps, symbol="eps2")),
        *_cross_entropy("crossEntropy."),
        *_terms(("logits", 0, "drop"), ("logits", 1, "drop"), ("tableT", 0, "negate"),
                ("blocks.layer0.attnResidual", 1, "drop"),
                ("blocks.layer1.ffnResidual", 0, "drop")),
    )  # fmt: skip


_GPT2_MODEL = (
    *_language_model("norm.varEps", "hiddenPre.matmul", "W1"),
    *_graph("positions left out", _copies("embedded.y", "embedded.rows")),
    *_graph("beta subtracted", Edit("norm.y", op="sub")),
    *_terms(("embedded.y", 0, "drop"), ("embedded.y", 1, "negate"),
            ("norm.scaled", 1, "one entry")),
)  # fmt: skip
_LLAMA_MODEL = (
    *_language_model("norm.meanSquareEps", "gatePre", "Wg"),
    *_graph("the table for the head", Edit("tableT", args=("table",))),
    *_terms(("embedded.rows", 0, "drop"), ("norm.normalized", 1, "negate")),
)  # fmt: skip
_GEMMA_MODEL = (
    *_language_model("norm.meanSquareEps", "gatePre", "Wg"),
    *_graph("rows not multiplied", _copies("embedded.y", "embedded.rows")),
    *_offset("norm.", "gamma"),
    *_terms(("embedded.y", 0, "drop"), ("norm.normalized", 1, "negate")),
)  # fmt: skip


def _narrow(errors: Errors) -> Errors:
    """If rows have two channels, LayerNorm makes each (1, −1) or (−1, 1), up to ε."""
    hidden = {"d_model 2": "1 % of what the scores hand on is below rounding"}
    return tuple(
        (mutant, MappingProxyType({**known, **hidden}))
        if isinstance(mutant, DerivativeMutant)
        and mutant.change == "one percent"
        and mutant.node in ("mha.core.softmax.kept", "mha.core.scores")
        else (mutant, known)
        for mutant, known in errors
    )


def _original() -> Errors:
    """Mistakes with cross attention between two post-norm sublayers."""
    p = "cross.core."
    return (
        *_graph("padding of the memory is seen", _copies(f"{p}softmax.kept", f"{p}softmax.exp")),
        *_graph("queries of the memory from x", Edit("cross.q.matmul", args=("x", "cross.Wq"))),
        *_graph("keys of the memory from its values' weights", Edit(
            "cross.k.matmul", args=("memory", "cross.Wv"))),
        *_graph("cross attention with self-attention's queries", Edit(
            "cross.q.matmul", args=("norm1.y", "Wq"))),
        *_graph("cross attention with self-attention's output", Edit(
            "cross.projected.matmul", args=("cross.core.merged", "Wo"))),
        *_graph("no first skip", _copies("attnResidual", "mha.projected")),
        *_graph("no second skip", _copies("crossResidual", "cross.projected")),
        *_graph("second skip from x", Edit("crossResidual", args=("cross.projected", "x"))),
        *_graph("no third skip", _copies("ffnResidual", "ffn.projected")),
        *_graph("third skip past cross attention", Edit(
            "ffnResidual", args=("ffn.projected", "norm1.y"))),
        *_graph("feed-forward past cross attention", Edit(
            "ffn.hiddenPre.matmul", args=("norm1.y", "W1"))),
        *_graph("ε₃ is ε₂", Edit("norm3.varEps", symbol="eps2")),
        *_graph("gamma2 and gamma3 swapped", Edit("norm2.gammaBroadcast", args=("gamma3",)),
                Edit("norm3.gammaBroadcast", args=("gamma2",))),
        *_graph("beta3 subtracted", Edit("norm3.y", op="sub")),
        *_terms(("attnResidual", 1, "drop"), ("crossResidual", 0, "drop"),
                ("crossResidual", 1, "negate"), ("ffnResidual", 1, "drop"),
                ("cross.k.matmul", 0, "drop"), ("cross.v.matmul", 1, "drop"),
                ("cross.core.scores", 0, "drop"), ("norm2.centered", 1, "drop"),
                ("norm3.scaled", 1, "one entry")),
    )  # fmt: skip


DECODER_ERRORS: Mapping[str, Errors] = MappingProxyType(
    {
        **dict.fromkeys(("swiGluGraph", "geGluGraph", "geGluTanhGraph"), _gated("", "x")),
        "rmsNormOffsetGraph": (*_rms("", "x"), *_offset("", "gamma")),
        "softmaxOverGraph": _softmax("", "x", _SHOWN, _SCORES),
        "crossEntropyGraph": _cross_entropy(""),
        "logSoftmaxGraph": _LOG_SOFTMAX,
        "gpt2ModelGraph": _GPT2_MODEL,
        "llamaModelGraph": _LLAMA_MODEL,
        "gemmaModelGraph": _GEMMA_MODEL,
        "rotaryGraph": _rotary("", _SHOWN, MappingProxyType({"d_model 2": _NO_HALVES})),
        "crossMhaGraph": _cross(),
        "groupedMhaGraph": _grouped("", "x"),
        "gpt2BlockGraph": (
            *_core("mha.core."),
            *_projections("mha.", "norm1.y", _SCORES),
        ),
        "decoderBlockGraph": (
            *_narrow(_core("mha.core.")),
            *_projections("mha.", "x", _SCORES),
            *_original(),
        ),
        "llamaBlockGraph": _gated_block(),
        "mistralBlockGraph": _gated_block(
            _graph(
                "the whole past is seen",
                Edit(
                    "mha.core.softmax.kept",
                    index=_keeps("mha.core.softmax.kept", lambda i, j: j <= i),
                ),
                hidden=_SCORES,
            )
        ),
        "gemmaBlockGraph": _gated_block(_offset("norm1.", "gamma1")),
    }
)
"""By the name of the graph: each error, with the families that hide it and why."""
