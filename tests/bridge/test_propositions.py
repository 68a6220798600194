"""Lean's export of statements as terms is parsed strictly, and conforms to its published schema."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import jsonschema
import pytest

from bridge.errors import AnswerError
from bridge.lean.propositions import parse_propositions
from bridge.lean.schema import proposition_schema
from numeric.propositions.terms import Binding, Const, Num, Op, Var, subterms
from tests.recorded import recorded

SCHEMA: dict[str, Any] = json.loads(proposition_schema())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
Messages = list[Any]


def end(count: int) -> Any:
    return {"kind": "end", "schema": "obligations-proposition/1", "count": count, "lean": "4.28.0"}


def theorem(conclusion: Any, *binders: Any, name: str = "T.t") -> Any:
    return {"kind": "theorem", "name": name, "binders": list(binders), "conclusion": conclusion}


TRUE = {"op": "true", "args": []}


def test_the_schema_is_a_schema_and_what_lean_says_keeps_to_it() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    for message in recorded("reals"):
        VALIDATOR.validate(message)


def test_a_statement_is_its_term() -> None:
    theory = parse_propositions(recorded("reals"))
    young = theory.theorems["Demo.young"]
    assert [b.name for b in young.binders] == ["a", "b"]
    assert isinstance(young.conclusion, Op)
    assert young.conclusion.name == "le"
    left, _ = young.conclusion.args
    assert left == Op("mul", Const("Real"), (Var(0), Var(1)))
    two = [t for t in subterms(young.conclusion) if isinstance(t, Num)]
    assert {t.value for t in two} == {Fraction(2)}
    bound = theory.theorems["Demo.convex_le"].binders[4].type
    assert isinstance(bound, Binding)
    assert bound.kind == "forall"


def test_an_instance_of_the_projects_own_is_written_as_what_it_says() -> None:
    odd = parse_propositions(recorded("reals")).theorems["Demo.odd_add"].conclusion
    assert isinstance(odd, Op)
    assert [t.name for t in odd.args if isinstance(t, Op)] == ["sub", "sub"]


def test_a_constant_without_meaning_is_named_with_its_place() -> None:
    leaf = parse_propositions(recorded("reals")).leaves["Demo.Secret"]
    assert (leaf.why, leaf.module) == ("opaque", "Demo")
    assert leaf.line


def test_a_theorem_that_could_not_be_written_says_why() -> None:
    told = {"kind": "refused", "name": "T.t", "why": "the term has more than 40000 parts"}
    assert parse_propositions([told, end(1)]).refused == {"T.t": told["why"]}


Spoil = Callable[[Messages], object]
SPOILT: dict[str, tuple[Spoil, str]] = {
    "nothing": (lambda m: m.clear(), "no propositions"),
    "no end": (lambda m: m.pop(), "expected the fields kind, schema, count, lean"),
    "a lost message": (lambda m: m.pop(0), "is partial"),
    "a message twice": (lambda m: m.__setitem__(1, m[0]), "twice"),
    "another version": (lambda m: m[-1].update(schema="obligations-proposition/2"), "/1"),
    "an unknown kind": (lambda m: m[0].update(kind="lemma"), "lemma"),
    "an unknown field": (lambda m: m[0].update(proof=1), "expected the fields"),
    "a missing field": (lambda m: m[0].pop("conclusion"), "expected the fields"),
    "no term": (lambda m: m[0].update(conclusion=3), "expected a term but got 3"),
    "an empty term": (lambda m: m[0].update(conclusion={}), "expected a term"),
    "an unbound variable": (lambda m: m[0].update(conclusion={"var": 99}), "expected a level"),
    "a negative level": (lambda m: m[0].update(conclusion={"var": -1}), "expected a level"),
    "a truth for a level": (lambda m: m[0].update(conclusion={"var": True}), "expected a level"),
    "no number": (
        lambda m: m[0].update(conclusion={"num": "NaN", "at": TRUE}),
        "expected a number",
    ),
    "a huge exponent": (
        lambda m: m[0].update(conclusion={"num": "1e999999999", "at": TRUE}),
        "expected a number",
    ),
    "an unknown sort": (lambda m: m[0].update(conclusion={"sort": "Set"}), "expected Prop or Type"),
    "an unknown role": (
        lambda m: m[0]["binders"].append({"name": None, "role": "axiom", "type": TRUE}),
        "expected one of",
    ),
    "an unexplained constant": (
        lambda m: m[0].update(conclusion={"const": "Nowhere.x"}),
        "mentions 'Nowhere.x' and nothing says what it is",
    ),
}


@pytest.mark.parametrize("spoilt", SPOILT)
def test_a_spoilt_answer_is_refused(spoilt: str) -> None:
    messages = copy.deepcopy(recorded("reals"))
    change, said = SPOILT[spoilt]
    change(messages)
    with pytest.raises(AnswerError, match=said):
        parse_propositions(messages)


def test_a_variable_of_a_body_may_be_one_level_deeper_than_its_type() -> None:
    body = {"op": "eq", "at": {"sort": "Type"}, "args": [{"var": 0}, {"var": 0}]}
    whole = {"forall": {"sort": "Type"}, "name": "x", "role": "value", "body": body}
    assert parse_propositions([theorem(whole), end(1)]).theorems
    with pytest.raises(AnswerError, match="expected a level below 0"):
        parse_propositions([theorem({**whole, "forall": {"var": 0}}), end(1)])


def test_deep_nesting_is_an_error_and_not_a_crash() -> None:
    term: Any = TRUE
    for _ in range(100_000):
        term = {"op": "not", "args": [term]}
    with pytest.raises(AnswerError, match="nests too deeply"):
        parse_propositions([theorem(term), end(1)])
