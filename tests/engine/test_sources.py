"""The head of a Lean source."""

from __future__ import annotations

import pytest

from bridge.engine.sources import HeaderError, Import, parse_header


def imported(source: str) -> list[str]:
    return [i.module for i in parse_header(source).imports]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("", []),
        ("import A", ["A"]),
        ("import A.B\nimport C\ndef x := 1\nimport D", ["A.B", "C"]),
        ("-- import A\nimport B -- import C\n", ["B"]),
        ("/- import A\n/- nested -/ import B -/\nimport C", ["C"]),
        ("/-! module doc -/\nimport A", []),
        ("/-- doc -/\nimport A", []),
        ("import /- why not -/ A import B", ["A", "B"]),
        ("public import A\nmeta import B\npublic meta import all C", ["A", "B", "C"]),
        ("module\n\npublic import A", ["A"]),
        ("prelude\nimport A", ["A"]),
        ("import «A b».«C»\n", ["A b.C"]),
        ("import Größe.Ω₁\n", ["Größe.Ω₁"]),
        ("\ufeffimport A", ["A"]),
        ("public section\nimport A", []),
        ("importA B", []),
        ("import A\r\nimport B\r\n", ["A", "B"]),
    ],
)
def test_imports(source: str, expected: list[str]) -> None:
    assert imported(source) == expected


def test_flags() -> None:
    assert parse_header("module\nprelude\nimport A").is_module
    assert parse_header("module\nprelude\nimport A").is_prelude


def test_places_count_lines_from_one_and_columns_in_characters() -> None:
    source = "/- Ω\n -/ import A\n\nimport   «𝔸 b»"
    assert parse_header(source).imports == (Import("A", 2, 11), Import("𝔸 b", 4, 9))


@pytest.mark.parametrize(
    ("source", "message", "line", "column"),
    [
        ("import A\n  /- open", "not closed", 2, 2),
        ("import", "expected a module name", 1, 0),
        ("import A\nimport\n#eval 1", "expected a module name", 2, 0),
        ("import «A.B»", "not a module name", 1, 7),
        ("import «../etc»", "not a module name", 1, 7),
    ],
)
def test_unreadable_sources(source: str, message: str, line: int, column: int) -> None:
    with pytest.raises(HeaderError, match=message) as caught:
        parse_header(source)
    assert (caught.value.line, caught.value.column) == (line, column)
