"""The form of a statement follows from its term; a term that says something else has none."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bridge.checks.by_form import FORMULAS
from bridge.checks.forms import Exported, Form, Says, form_of_binder, form_of_conclusion
from bridge.lean.propositions import parse_propositions
from numeric.propositions.terms import Theory

TERMS = Path(__file__).parent.parent / "bridge" / "layer_norm_terms.json"
GRAPH = "layerNormGraph"
EXPORTED = {GRAPH: Exported(("eps",), {"eps": "varEps"})}
DERIVATIVE = "PostNorm.layerNorm_hasFDerivAt"
ADJOINT = "PostNorm.layerNorm_backpropVec_eq_adjoint_fderiv_at"
VALUE = "PostNorm.layerNorm_eval"


def theory(old: str = "", new: str = "", count: int = -1) -> Theory:
    """LayerNorm's theorems, with one piece of their text for another."""
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
