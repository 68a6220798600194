"""Invalid external data is refused with its place, what was expected there, and what was found."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from msgspec import Meta, Struct

from bridge.decoding import read_toml, typed
from bridge.errors import InvalidInputError


class Inner(Struct, frozen=True, forbid_unknown_fields=True):
    line: int
    note: str | None = None
    share: float = 0.0
    least: Annotated[int, Meta(ge=1)] = 1
    name: Annotated[str, Meta(min_length=2)] = "ab"
    color: Literal["red", "blue"] = "red"
    strict: bool = False

    def __post_init__(self) -> None:
        if self.line == 13:
            raise ValueError("no line 13")


class Outer(Struct, frozen=True, tag_field="schema", tag="outer/1"):
    items: tuple[Inner, ...] = ()
    by_name: dict[str, Inner] = {}
    pair: tuple[str, int] = ("a", 1)


class One(Struct, tag_field="kind", tag="one"):
    pass


class Two(Struct, tag_field="kind", tag="two"):
    pass


def read(value: object, kind: Any = Outer) -> Any:
    return typed(value, kind, "file.json", InvalidInputError, remedy="mend it")


def item(**fields: object) -> dict[str, object]:
    return {"schema": "outer/1", "items": [{"line": 1}, {"line": 2, **fields}]}


def test_valid_data_is_typed() -> None:
    found = read({"schema": "outer/1", "by_name": {"a b": {"line": 3, "share": 1}}})
    assert found == Outer(by_name={"a b": Inner(3, share=1.0)})
    assert isinstance(found.by_name["a b"].share, float)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (3, "expected an object but got 3"),
        ({}, "the field 'schema' is missing in {}"),
        ({"schema": "outer/0"}, "expected 'outer/1' but got schema = 'outer/0'"),
        (item(line="x"), "expected an integer but got items[1].line = 'x'"),
        (item(line=True), "expected an integer but got items[1].line = True"),
        (item(line=1.5), "expected an integer but got items[1].line = 1.5"),
        (item(line=None), "expected an integer but got items[1].line = None"),
        (item(note=3), "expected text or null but got items[1].note = 3"),
        (item(share="1"), "expected a number but got items[1].share = '1'"),
        (item(strict=1), "expected true or false but got items[1].strict = 1"),
        (item(least=0), "expected an integer of at least 1 but got items[1].least = 0"),
        (item(name="a"), "expected text of length at least 2 but got items[1].name = 'a'"),
        (item(color="green"), "expected 'blue' or 'red' but got items[1].color = 'green'"),
        (item(line=13), "no line 13, in items[1] = {'line': 13}"),
        (item(surprise=1), "the field 'surprise' is not known in items[1] = {'line': 2, "),
        ({"schema": "outer/1", "items": [{}]}, "the field 'line' is missing in items[0] = {}"),
        ({"schema": "outer/1", "items": {}}, "expected an array but got items = {}"),
        ({"schema": "outer/1", "pair": ["a"]}, "length 2, got 1, in pair = ['a']"),
        (
            {"schema": "outer/1", "by_name": {"a": {"line": 1}, "b c": {"line": "x"}}},
            "expected an integer but got by_name['b c'].line = 'x'",
        ),
        (
            {"schema": "outer/1", "by_name": {"a": {"line": 1}, "b": {"` - at `$.x`": 1}}},
            "is not known in by_name.b = ",
        ),
    ],
)
def test_invalid_data_is_shown_with_its_place(value: object, said: str) -> None:
    with pytest.raises(InvalidInputError) as e:
        read(value)
    assert e.value.message.startswith("file.json: ")
    assert said in e.value.message
    assert e.value.remedy == "mend it"


def test_the_kinds_that_there_are_are_named() -> None:
    assert read({"kind": "two"}, One | Two) == Two()
    with pytest.raises(InvalidInputError, match="expected text but got kind = 3"):
        read({"kind": 3}, One | Two)
    with pytest.raises(InvalidInputError, match="expected 'one' or 'two' but got kind = 'three'"):
        read({"kind": "three"}, One | Two)


def test_a_long_value_is_cut() -> None:
    with pytest.raises(InvalidInputError) as e:
        read("x" * 10_000)
    assert len(e.value.message) < 300


def test_deep_nesting_is_an_error_and_not_a_crash() -> None:
    value: Any = 1
    for _ in range(100_000):
        value = [value]
    with pytest.raises(InvalidInputError):
        read({"schema": "outer/1", "pair": value})


def test_toml(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    assert read_toml(path) is None
    path.write_text("a = 1\n", encoding="utf-8-sig")
    assert read_toml(path) == {"a": 1}
    for text in (b"a = ", b"a = 1\na = 2", b"\xff"):
        path.write_bytes(text)
        with pytest.raises(InvalidInputError, match=r"x\.toml is not TOML"):
            read_toml(path)
