"""Lean's answer becomes typed values, or an error that says what is wrong with it."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from bridge.errors import AnswerError
from bridge.lean.statement import parse_statements
from tests.bridge.answers import answer, binder, end, statement

GOOD = statement("Demo.twice_pos", binder("n", "Nat", prop=False), binder("hPos", "0 < n"))


def test_a_whole_answer_is_understood() -> None:
    found = parse_statements(answer(GOOD))
    (theorem,) = found.theorems
    assert theorem.name == "Demo.twice_pos"
    assert [b.name for b in theorem.hypotheses] == ["hPos"]
    assert theorem.doc == "A sentence.  More."
    assert found.lean_version == "4.28.0"


def test_an_empty_answer_has_no_end() -> None:
    with pytest.raises(AnswerError, match="no end"):
        parse_statements([])


def test_a_missing_message_is_noticed() -> None:
    with pytest.raises(AnswerError, match="announces 2 messages about statements and 1 arrived"):
        parse_statements([GOOD, end(2)])


def test_a_repeated_theorem_is_noticed() -> None:
    with pytest.raises(AnswerError, match=r"'Demo\.twice_pos' twice"):
        parse_statements([GOOD, GOOD, end(2)])


def test_nothing_may_follow_the_end() -> None:
    with pytest.raises(AnswerError, match="after its end"):
        parse_statements([GOOD, end(1), GOOD])


@pytest.mark.parametrize("field", sorted(GOOD))
def test_every_field_is_needed(field: str) -> None:
    broken = copy.deepcopy(GOOD)
    del broken[field]
    with pytest.raises(AnswerError, match=field):
        parse_statements(answer(broken))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("line", None),
        ("line", True),
        ("line", "3"),
        ("theorem", 1),
        ("binders", {}),
        ("binders", ["x"]),
        ("axioms", [1]),
        ("uses", "none"),
        ("conclusion", None),
        ("module", None),
        ("extra", "surprise"),
    ],
)
def test_every_field_is_checked(field: str, value: Any) -> None:
    with pytest.raises(AnswerError, match=field):
        parse_statements(answer({**GOOD, field: value}))


def test_an_unnamed_hypothesis_is_called_after_its_position() -> None:
    given = statement("Demo.t", binder("n", "Nat", prop=False), binder(None, "0 < n"))
    found = parse_statements(answer(given)).theorems[0]
    assert [h.name for h in found.hypotheses] == ["#2"]


def test_an_unnamed_instance_that_is_data_is_fine() -> None:
    fine = statement("Demo.inst", binder(None, "RealField R", prop=False, info="instImplicit"))
    assert parse_statements(answer(fine)).theorems[0].hypotheses == ()


def test_two_hypotheses_of_one_name_share_no_key() -> None:
    given = statement("Demo.double", binder("h", "0 < n"), binder("h", "0 < m"))
    found = parse_statements(answer(given)).theorems[0]
    assert [h.name for h in found.hypotheses] == ["h#1", "h#2"]


@pytest.mark.parametrize("name", ["conclusion", "fidelity"])
def test_a_hypothesis_cannot_take_the_key_of_a_role(name: str) -> None:
    given = statement("Demo.sly", binder(name, "0 < n"))
    found = parse_statements(answer(given)).theorems[0]
    assert [h.name for h in found.hypotheses] == [f"{name}#1"]


def test_an_axiom_of_unknown_origin_is_an_error() -> None:
    with pytest.raises(AnswerError, match="mystery"):
        parse_statements(answer(statement("Demo.odd", axioms=["mystery"])))


def constant(name: str, *terms: str, uses: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"kind": "constant", "name": name, "terms": list(terms), "uses": list(uses)}


class TestFingerprint:
    def test_a_definition_far_below_counts(self) -> None:
        def fingerprint(body: str) -> str:
            found = parse_statements(
                answer(
                    GOOD,
                    constant("twice", "type", "value", uses=("clamp",)),
                    constant("clamp", "type", body),
                )
            )
            return found.fingerprint("term", ["twice"])

        assert fingerprint("max x 0") == fingerprint("max x 0")
        assert fingerprint("max x 0") != fingerprint("max x 1")

    def test_definitions_that_use_each_other_end(self) -> None:
        found = parse_statements(
            answer(constant("even", "e", uses=("odd",)), constant("odd", "o", uses=("even",)))
        )
        assert found.fingerprint("t", ["even"]) == found.fingerprint("t", ["odd"])

    def test_an_unknown_definition_is_a_partial_answer(self) -> None:
        found = parse_statements(answer(GOOD))
        with pytest.raises(AnswerError, match="'lost'"):
            found.fingerprint("t", ["lost"])


def test_theorems_come_in_the_order_of_the_sources() -> None:
    def theorem(name: str, module: str, line: int) -> Any:
        return {**statement(f"Demo.{name}", module=module), "line": line}

    given = [theorem("c", "Demo.B", 9), theorem("d", "Demo.B", 3), theorem("a", "Demo.A", 7)]
    found = parse_statements(answer(*given)).theorems
    assert [t.name for t in found] == ["Demo.d", "Demo.c", "Demo.a"]


def test_propositions_inside_a_value_are_hypotheses_with_its_name() -> None:
    field = {"path": "inner.pos", "type": "0 < c.inner.eps", "term": "p", "uses": []}
    carrier = binder("c", "Cfg", prop=False, fields=[field])
    (theorem,) = parse_statements(
        answer(statement("Demo.t", carrier, binder("h", "True")))
    ).theorems
    assert [h.name for h in theorem.hypotheses] == ["c.inner.pos", "h"]
    assert list(theorem.placed_hypotheses) == [(1, "inner.pos"), (2, "")]


def test_a_value_without_a_name_lends_its_place_to_the_propositions_inside() -> None:
    field = {"path": "pos", "type": "0 < eps", "term": "p", "uses": []}
    carriers = [binder(name, "Cfg", prop=False, fields=[field]) for name in (None, "c", "c")]
    (theorem,) = parse_statements(answer(statement("Demo.t", *carriers))).theorems
    assert [h.name for h in theorem.hypotheses] == ["#1.pos", "c#2.pos", "c#3.pos"]
