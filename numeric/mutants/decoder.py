"""Errors to plant in gated, masked and grouped layers and in the blocks made of them.

As in `numeric.mutants.planted`, which lists these too: each is a mistake that somebody could make,
with the families of sizes where mathematics hides it.
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
    """The node hands on another value unchanged."""
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
    """Mistakes with the mask; ``p`` is what the names of the softmax begin with.

    ``one`` is where a single key is allowed, so that its weight is 1 whatever its exponential is.
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
    """Mistakes in attention of tokens to themselves, with a causal mask."""
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


DECODER_ERRORS: Mapping[str, Errors] = MappingProxyType(
    {
        **dict.fromkeys(("swiGluGraph", "geGluGraph", "geGluTanhGraph"), _gated("", "x")),
        "rmsNormOffsetGraph": (*_rms("", "x"), *_offset("", "gamma")),
        "softmaxOverGraph": _softmax("", "x", _SHOWN, _SCORES),
        "rotaryGraph": _rotary("", _SHOWN, MappingProxyType({"d_model 2": _NO_HALVES})),
        "crossMhaGraph": _cross(),
        "groupedMhaGraph": _grouped("", "x"),
        "gpt2BlockGraph": (
            *_core("mha.core."),
            *_projections("mha.", "norm1.y", _SCORES),
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
