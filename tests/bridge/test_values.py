"""The text of a value that Lean drew becomes a Python value."""

from __future__ import annotations

from fractions import Fraction

import pytest

from bridge.errors import AnswerError
from bridge.statements.values import Made, Opaque, Structure, read_value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7", 7),
        ("-3", -3),
        ("2ℚ", Fraction(2)),
        ("-1/2ℚ", Fraction(-1, 2)),
        ("true", True),
        ("none", None),
        ("some (-3)", -3),
        ("some 1/2ℚ", Fraction(1, 2)),
        ("[1, 2]", (1, 2)),
        ("#[]", ()),
        ("![![1ℚ, 0ℚ], ![]]", ((Fraction(1), Fraction(0)), ())),
        ("(1, true)", (1, True)),
        (r'"a\"\nλ\x00"', 'a"\nλ\0'),
        (r"'\n'", "\n"),
        ("relu", Made("relu")),
        (
            "node (leaf 1ℚ) (leaf 2ℚ)",
            Made("node", (Made("leaf", (Fraction(1),)), Made("leaf", (2,)))),
        ),
        ("inl 3", Made("inl", (3,))),
        ("[some 1, none]", (1, None)),
    ],
)
def test_each_kind_of_value(text: str, value: object) -> None:
    found = read_value(text)
    assert found == value
    assert type(found) is type(value)


def test_a_whole_number_and_a_rational_one_differ_by_their_type() -> None:
    """2 / 3 of whole numbers is a float, which is no longer exact."""
    assert isinstance(read_value("2"), int)
    assert isinstance(read_value("2ℚ"), Fraction)


def test_fields_are_attributes_and_inherited_ones_too() -> None:
    s = read_value('{toRange := {lo := 0ℚ, hi := 1/2ℚ}, steps := 3, name := "a, b}"}')
    assert isinstance(s, Structure)
    assert (s.hi, s.steps, s.name) == (Fraction(1, 2), 3, "a, b}")
    assert s.toRange == read_value("{lo := 0ℚ, hi := 1/2ℚ}")
    with pytest.raises(AttributeError, match="no field 'low'; it has toRange, steps, name"):
        _ = s.low
    with pytest.raises(AttributeError, match="cannot be changed"):
        s.steps = 4


def test_a_function_on_an_infinite_type_has_no_value() -> None:
    assert read_value("x ↦ 2ℚ * x + 1ℚ") == Opaque("x ↦ 2ℚ * x + 1ℚ")
    assert isinstance(read_value("values in turn 1, 2"), Opaque)


@pytest.mark.parametrize("text", ["", "[1", "{lo = 1}", "1 2", "(1,2)", "?"])
def test_anything_else_is_an_error(text: str) -> None:
    with pytest.raises(AnswerError, match="cannot be parsed"):
        read_value(text)


def test_a_text_that_looks_like_a_function_is_a_text() -> None:
    assert read_value('"a ↦ b"') == "a ↦ b"
    assert read_value("'↦'") == "↦"
    assert read_value('{c := \'"\', s := "values in turn 1"}') == Structure(
        {"c": '"', "s": "values in turn 1"}
    )
    assert isinstance(read_value('[" ↦ ", values in turn 1, 2]'), Opaque)
