"""Reads the values that Lean drew, from the text that `lean/Obligations/Exact/Draw.lean` writes.

A rational number is a `Fraction`, a whole number an `int`; lists, arrays, vectors and functions
`Fin n → α` are tuples; a structure has its fields as attributes; `none` is None, and `some x` is x;
any other constructor is a :class:`Made`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from bridge.errors import AnswerError

__all__ = ["Made", "Opaque", "Structure", "read_value"]

_NUMBER = re.compile(r"(-?[0-9]+(?:/[0-9]+)?)(ℚ?)")
_NAME = re.compile(r"(?:«[^»]*»|[^\W\d][\w'!?]*)(?:\.(?:«[^»]*»|[^\W\d][\w'!?]*))*")
_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_CHAR = re.compile(r"'(?:[^'\\]|\\(?:x[0-9a-f]{2}|.))'", re.DOTALL)
_LITERAL = re.compile("|".join(p.pattern for p in (_TEXT, _CHAR, _NAME)), re.DOTALL)
_ESCAPE = re.compile(r"\\(x[0-9a-f]{2}|u[0-9a-f]{4}|.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0"}
_CLOSING = {"[": "]", "#[": "]", "![": "]", "(": ")"}


@dataclass(frozen=True, slots=True)
class Opaque:
    """A value without a Python counterpart: a function on an infinite type."""

    text: str


@dataclass(frozen=True, slots=True)
class Made:
    """A value of an inductive type: its constructor's name and arguments."""

    constructor: str
    arguments: tuple[object, ...] = ()


class Structure:
    """A structure's value: ``s.rate``, also for an inherited field."""

    __slots__ = ("_fields",)
    _fields: Mapping[str, object]

    def __init__(self, fields: Mapping[str, object]) -> None:
        object.__setattr__(self, "_fields", dict(fields))

    def __getattr__(self, name: str) -> object:
        if name in self._fields:
            return self._fields[name]
        for field, value in self._fields.items():
            inherited = field.startswith("to") and field[2:3].isupper()
            if inherited and isinstance(value, Structure) and hasattr(value, name):
                return getattr(value, name)
        raise AttributeError(f"it has no field {name!r}; it has {', '.join(self._fields)}")

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a drawn value cannot be changed")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Structure) and self._fields == other._fields

    def __hash__(self) -> int:
        return hash(tuple(self._fields))

    def __repr__(self) -> str:
        return "{" + ", ".join(f"{k} := {v!r}" for k, v in self._fields.items()) + "}"


def read_value(text: str) -> object:
    """The value that a text represents.

    Raises:
        AnswerError: the text is not of this form.
    """
    if _is_opaque(text):
        return Opaque(text)
    reader = _Reader(text)
    value = reader.applied()
    if reader.at != len(text):
        raise reader.error("its end")
    return value


def _is_opaque(text: str) -> bool:
    # Text within a string or a character does not count.
    bare = _LITERAL.sub(lambda m: "" if m[0][0] in "\"'" else m[0], text)
    return "values in turn " in bare or " ↦ " in bare


@dataclass(slots=True)
class _Reader:
    text: str
    at: int = 0

    def error(self, expected: str) -> AnswerError:
        return AnswerError(
            f"Lean's value {self.text!r:.100} cannot be parsed: expected {expected} at {self.at}",
            remedy="the Lean library `Obligations` may be of another version: `obligations init`",
        )

    def found(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        match = pattern.match(self.text, self.at)
        if match is not None:
            self.at = match.end()
        return match

    def skips(self, token: str) -> bool:
        if self.text.startswith(token, self.at):
            self.at += len(token)
            return True
        return False

    def applied(self) -> object:
        """A value, or a constructor with its arguments."""
        match = self.found(_NAME)
        if match is None:
            return self.single()
        arguments = []
        while self.skips(" "):
            arguments.append(self.single())
        return _made(match[0], tuple(arguments))

    def single(self) -> object:
        """A value that needs no brackets around it."""
        if match := self.found(_NUMBER):
            exact = Fraction(match[1])
            return exact if match[2] or exact.denominator > 1 else int(exact)
        if match := self.found(_TEXT) or self.found(_CHAR):
            return _ESCAPE.sub(_unescaped, match[0][1:-1])
        for opening, closing in _CLOSING.items():
            if self.skips(opening):
                items = self.items(closing)
                return items[0] if opening == "(" and len(items) == 1 else tuple(items)
        if self.skips("{"):
            return Structure(dict(self.fields()))
        if match := self.found(_NAME):
            return _made(match[0], ())
        raise self.error("a value")

    def items(self, closing: str) -> list[object]:
        found: list[object] = []
        while not self.skips(closing):
            if found and not self.skips(", "):
                raise self.error(f"', ' or {closing!r}")
            found.append(self.applied())
        return found

    def fields(self) -> list[tuple[str, object]]:
        found: list[tuple[str, object]] = []
        while not self.skips("}"):
            if found and not self.skips(", "):
                raise self.error("', ' or '}'")
            name = self.found(_NAME)
            if name is None or not self.skips(" := "):
                raise self.error("a field and ' := '")
            found.append((name[0], self.applied()))
        return found


def _made(constructor: str, arguments: tuple[object, ...]) -> object:
    match constructor, arguments:
        case (("true" | "false"), ()):
            return constructor == "true"
        case "none", ():
            return None
        case "some", (value,):
            return value
        case _:
            return Made(constructor, arguments)


def _unescaped(match: re.Match[str]) -> str:
    code = match[1]
    if code[0] in "xu" and len(code) > 1:
        return chr(int(code[1:], 16))
    return _ESCAPES.get(code, code)
