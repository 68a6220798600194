"""The form of a statement follows from its term; a term that says something else has none."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from bridge.checks.by_form import FORMULAS
from bridge.checks.forms import Exported, Form, Says, form_of_binder, form_of_conclusion
from bridge.checks.pairing import _masked
from bridge.lean.propositions import parse_propositions
from bridge.policy.answer_file import open_kept
from numeric.propositions.terms import Const, Num, Theorem, Theory, Var

TERMS = Path(__file__).parent.parent / "bridge" / "layer_norm_terms.json"
GRAPH = "layerNormGraph"
EXPORTED = {GRAPH: Exported(("eps",), {"eps": "varEps"})}
DERIVATIVE = "PostNorm.layerNorm_hasFDerivAt"
ADJOINT = "PostNorm.layerNorm_backpropVec_eq_adjoint_fderiv_at"
VALUE = "PostNorm.layerNorm_eval"


def theory(old: str = "", new: str = "", count: int = -1) -> Theory:
    """LayerNorm's theorems, with one piece of their text replaced."""
    text = TERMS.read_text(encoding="utf-8")
    assert old in text
    messages: list[Any] = json.loads(text.replace(old, new, count) if old else text)
    end = {"kind": "end", "schema": "obligations-proposition/1", "lean": "4.28.0"}
    return parse_propositions([*messages, {**end, "count": len(messages)}])


def conclusion(name: str, of: Theory | None = None) -> Form | None:
    return form_of_conclusion((of or theory()).theorems[name], FORMULAS)


def hypotheses(of: Theory) -> list[Form | None]:
    theorem = of.theorems[DERIVATIVE]
    levels = [i for i, b in enumerate(theorem.binders) if b.role == "proof"]
    return [form_of_binder(theorem, level, EXPORTED) for level in levels]


def test_each_statement_has_its_form() -> None:
    assert conclusion(DERIVATIVE) == Form(Says.DERIVATIVE, GRAPH)
    assert conclusion(ADJOINT) == Form(Says.ADJOINT, GRAPH)
    assert conclusion(VALUE) == Form(Says.VALUE, GRAPH)
    assert hypotheses(theory()) == [
        Form(Says.TENSOR_POSITIVE, GRAPH, "eps", "varEps"),
        Form(Says.TENSOR_NONZERO, GRAPH, "eps", "std"),
    ]


def test_names_of_binders_do_not_matter() -> None:
    known = theory()
    theorem = known.theorems[DERIVATIVE]
    renamed = replace(theorem, binders=tuple(replace(b, name=None) for b in theorem.binders))
    assert form_of_conclusion(renamed, FORMULAS) == Form(Says.DERIVATIVE, GRAPH)


@pytest.mark.parametrize("name", [DERIVATIVE, ADJOINT])
def test_another_point_is_another_statement(name: str) -> None:
    theorem = theory().theorems[name]
    term: Any = theorem.conclusion
    wrong = (
        replace(term, args=(*term.args[:-1], term.args[0]))
        if name == DERIVATIVE
        else replace(
            term, args=(term.args[0], replace(term.args[1], args=(term.args[0].args[-2],)))
        )
    )
    assert form_of_conclusion(replace(theorem, conclusion=wrong), FORMULAS) is None


def test_another_formula_is_another_statement() -> None:
    assert conclusion(VALUE, theory("PostNorm.Spec.layerNorm", "PostNorm.Spec.rmsNorm")) is None
    theorem = theory().theorems[VALUE]
    assert form_of_conclusion(theorem, {}) is None


def test_fixed_or_equal_sizes_say_less_than_the_check() -> None:
    theorem = theory().theorems[DERIVATIVE]
    term: Any = theorem.conclusion
    graph = next(a for a in term.args[5].args if getattr(a, "name", "") == f"PostNorm.{GRAPH}")
    special = replace(graph, args=(graph.args[0], graph.args[1], graph.args[1], graph.args[3]))
    text = repr(theorem.conclusion)
    assert repr(graph) in text
    from numeric.propositions import terms

    wrong = eval(text.replace(repr(graph), repr(special)), vars(terms))
    assert form_of_conclusion(replace(theorem, conclusion=wrong), FORMULAS) is None


def test_a_condition_on_another_tensor_has_no_form() -> None:
    assert hypotheses(theory("layerNormPrefix6", "layerNormPrefix5"))[0] is None
    nothing = {GRAPH: Exported((), {})}
    theorem = theory().theorems[DERIVATIVE]
    assert form_of_binder(theorem, len(theorem.binders) - 1, nothing) is None


@pytest.fixture(scope="module")
def library() -> Theory:
    """The whole library's statements, as they were locked."""
    return parse_propositions(open_kept(Path(__file__).parents[2]).answer["propositions"])


def of_mask(theorem: Theorem) -> Form | None:
    exported = {
        "softmaxOverGraph": Exported((), {}, "kept"),
        "crossMhaGraph": Exported((), {}, "core.softmax.kept"),
    }
    level = next(i for i, b in enumerate(theorem.binders) if b.role == "proof")
    return form_of_binder(theorem, level, exported)


def with_hypothesis(theorem: Theorem, body: Any) -> Theorem:
    *others, binder = theorem.binders
    term: Any = binder.type
    changed = replace(binder, type=replace(term, body=body(term.body)))
    return replace(theorem, binders=(*others, changed))


def test_a_mask_that_allows_a_key_keeps_the_sum_positive(library: Theory) -> None:
    over = library.theorems["PostNorm.softmaxOver_hasFDerivAt"]
    assert of_mask(over) == Form(Says.KEY_ALLOWED, "softmaxOverGraph", tensor="sum")
    cross = library.theorems["PostNorm.crossMha_hasFDerivAt_real"]
    assert of_mask(cross) == Form(Says.KEY_ALLOWED, "crossMhaGraph", tensor="core.softmax.sum")


def test_another_mask_or_another_order_of_indices_has_no_form(library: Theory) -> None:
    theorem = library.theorems["PostNorm.softmaxOver_hasFDerivAt"]

    def with_mask(change: Any) -> Any:
        def body(exists: Any) -> Any:
            asked, true = exists.body.args
            return replace(exists, body=replace(exists.body, args=(change(asked), true)))

        return body

    same = with_hypothesis(theorem, with_mask(lambda asked: asked))
    assert of_mask(same) is not None
    swapped = with_mask(lambda asked: replace(asked, args=asked.args[::-1]))
    assert of_mask(with_hypothesis(theorem, swapped)) is None
    other = with_mask(lambda asked: replace(asked, function=Var(5)))
    assert of_mask(with_hypothesis(theorem, other)) is None
    for_all = with_hypothesis(theorem, lambda exists: replace(exists, kind="forall"))
    assert of_mask(for_all) is None


def test_a_graph_with_two_masks_has_no_mask_form() -> None:
    def nodes(*names: str) -> list[dict[str, str]]:
        return [{"name": name} for name in names]

    assert _masked(nodes("scores", "softmax.kept", "kept.sum")) == "softmax.kept"
    assert _masked(nodes("a.kept", "b.kept")) == ""
    assert _masked(None) == ""


def test_only_the_number_that_is_exported_may_be_fixed(library: Theory) -> None:
    theorem = library.theorems["PostNorm.rmsNormOffset_hasFDerivAt"]
    assert form_of_conclusion(theorem, FORMULAS) == Form(Says.DERIVATIVE, "rmsNormOffsetGraph")
    assert repr(Num(Fraction(1), Var(2))) in repr(theorem.conclusion)
    from numeric.propositions import terms

    text = repr(theorem.conclusion).replace("Fraction(1, 1)", "Fraction(2, 1)")
    other = eval(text, {**vars(terms), "Fraction": Fraction})
    assert form_of_conclusion(replace(theorem, conclusion=other), FORMULAS) is None


def test_each_graph_has_its_own_formula(library: Theory) -> None:
    """A formula shared by two graphs could not distinguish theorems about them."""
    found = {
        g: form_of_conclusion(library.theorems[f"PostNorm.{g}_eval"], FORMULAS)
        for g in ("swiGlu", "geGlu", "llamaBlock", "mistralBlock", "gemmaBlock", "gpt2Block")
    }
    assert found == {g: Form(Says.VALUE, f"{g}Graph") for g in found}
    exchanged = {**FORMULAS, "llamaBlockGraph": FORMULAS["mistralBlockGraph"]}
    assert form_of_conclusion(library.theorems["PostNorm.llamaBlock_eval"], exchanged) is None


def test_only_the_constants_that_are_exported_may_be_fixed(library: Theory) -> None:
    theorem = library.theorems["PostNorm.gpt2Block_hasFDerivAt_real"]
    level = next(i for i, b in enumerate(theorem.binders) if b.name == "c")
    from numeric.propositions import terms

    def at(constants: str) -> Form | None:
        fixed = repr(Const(f"PostNorm.{constants}"))
        text = repr(theorem.conclusion).replace(repr(Var(level)), fixed)
        assert fixed in text
        other = eval(text, {**vars(terms), "Fraction": Fraction})
        return form_of_conclusion(replace(theorem, conclusion=other), FORMULAS)

    assert at("GeluConstants.usual") == Form(Says.DERIVATIVE, "gpt2BlockGraph")
    assert at("GeluConstants.other") is None
