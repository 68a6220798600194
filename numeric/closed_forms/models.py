"""The closed forms of language models up to their loss.

As in `closed_forms.formulas`.  Token i is i modulo the size of the vocabulary, and its target is
the next token.
Source: ``lean/PostNorm/Block/LanguageModel.lean`` and ``Block/GatedModels.lean``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from numeric.closed_forms import formula as f
from numeric.closed_forms.activations import SILU, TANH_GELU
from numeric.closed_forms.formula import Formula, Term
from numeric.closed_forms.formulas import (
    Given,
    WrittenForm,
    causal,
    closed,
    cyclic,
    gated_block,
    loss,
    masked_pre_norm,
)

__all__ = ["FORMS", "WRITTEN_FORMS"]

Block = Callable[[Formula, Given], Formula]


def _between(
    at: Given,
    first: Callable[[Formula, Given, Term], Term],
    block: Block,
    last: Callable[[Formula, Given, Term], Term],
    head: str,
) -> Formula:
    """Cross-entropy of N(blocks(embedding))·headᵀ.

    Args:
        first: the function applied to the tokens' rows of the table.
        last: the final norm.
        head: the name of the head's weights.
    """
    form, n, vocab = Formula.at(at.inputs), at.sizes["seqLen"], at.sizes["vocab"]
    rows = form.save("embedded.rows", f.rows(form["table"], cyclic(n, vocab)))
    x = first(form, at, rows)
    for k in range(at.sizes["depth"]):
        start = f"layer{k}."
        own = {m.removeprefix(start): t for m, t in form.inputs.items() if m.startswith(start)}
        inner = block(Formula({"x": x, **own}), at)
        for name, term in inner.saved.items():
            form.save(f"blocks.{start}{name}", term)
        x = inner.result
    normed = form.save("norm.y", last(form, at, x))
    logits = form.save("logits", f.matmul(normed, f.turned(form[head])))
    loss(form, "crossEntropy.", logits, 1)
    return form


def _gpt2(at: Given) -> Formula:
    def first(form: Formula, at: Given, rows: Term) -> Term:
        return form.save("embedded.y", f.add(rows, form["positions"]))

    def last(form: Formula, at: Given, x: Term) -> Term:
        return f.layer_norm(x, form["gamma"], form["beta"], at.eps("eps3"))

    return _between(at, first, lambda form, at: masked_pre_norm(form, at, TANH_GELU), last, "table")


def _rms(offset: float) -> Callable[[Formula, Given, Term], Term]:
    return lambda form, at, x: f.rms_norm(x, form["gamma"], at.eps("eps3"), offset)


def _llama(at: Given) -> Formula:
    def block(form: Formula, at: Given) -> Formula:
        return gated_block(form, at, SILU, causal, 0.0)

    return _between(at, lambda form, at, rows: rows, block, _rms(0.0), "head")


def _gemma(at: Given) -> Formula:
    def first(form: Formula, at: Given, rows: Term) -> Term:
        return form.save("embedded.y", f.times(rows, at.sizes["dModel"] ** 0.5))

    def block(form: Formula, at: Given) -> Formula:
        return gated_block(form, at, TANH_GELU, causal, 1.0)

    return _between(at, first, block, _rms(1.0), "table")


def _form(
    write: Callable[[Given], Formula], heads: tuple[str, ...], embedded: str, *scored: str
) -> WrittenForm:
    return WrittenForm(
        write,
        ("seqLen", "dModel", *heads, "headDim", "dFF", "vocab", "depth"),
        MappingProxyType(
            {
                "eps1": embedded,
                "eps2": "blocks.layer0.attnResidual",
                "eps3": "blocks.layer1.ffnResidual",
            }
        ),
        MappingProxyType({"blocks.layer0.mha.core.scaled": tuple(f"layer0.{w}" for w in scored)}),
    )


_GROUPED = ("numGroups", "perGroup")
WRITTEN_FORMS: Mapping[str, WrittenForm] = MappingProxyType(
    {
        "gpt2ModelGraph": _form(_gpt2, ("numHeads",), "embedded.y", "Wq", "bq", "Wk", "bk"),
        "llamaModelGraph": _form(_llama, _GROUPED, "embedded.rows", "Wq", "Wk"),
        "gemmaModelGraph": _form(_gemma, _GROUPED, "embedded.y", "Wq", "Wk"),
    }
)
"""By the name of the graph."""

FORMS = {name: closed(form) for name, form in WRITTEN_FORMS.items()}
