"""Lean's answer becomes typed values, or an error that says what is wrong with it."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from bridge.errors import AnswerError, InvalidInputError
from bridge.statement import parse_statements
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
    with pytest.raises(AnswerError, match="announces 2 messages and 1 arrived"):
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


def test_an_unnamed_hypothesis_is_refused_with_its_statement() -> None:
    bad = statement("Demo.unnamed", binder(None, "0 < n"))
    with pytest.raises(InvalidInputError, match="`0 < n` has no name") as e:
        parse_statements(answer(bad))
    assert "line 3" in e.value.remedy


def test_an_unnamed_instance_that_is_data_is_fine() -> None:
    fine = statement("Demo.inst", binder(None, "RealField R", prop=False, info="instImplicit"))
    assert parse_statements(answer(fine)).theorems[0].hypotheses == ()


def test_two_hypotheses_of_one_name_are_refused() -> None:
    bad = statement("Demo.double", binder("h", "0 < n"), binder("h", "0 < m"))
    with pytest.raises(InvalidInputError, match="Demo.double:h"):
        parse_statements(answer(bad))


@pytest.mark.parametrize("name", ["conclusion", "fidelity"])
def test_a_hypothesis_with_the_name_of_a_role_is_refused(name: str) -> None:
    bad = statement("Demo.sly", binder(name, "0 < n"))
    with pytest.raises(InvalidInputError, match=f"Demo.sly:{name}"):
        parse_statements(answer(bad))


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
