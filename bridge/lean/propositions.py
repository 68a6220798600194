"""Lean's statements as terms, parsed into typed values.

The messages come from ``#export_propositions`` (``lean/Obligations/Proposition.lean``) and are
parsed and validated here, once; ``docs/reference/propositions.md`` describes the format.  A missing
or unknown field, a field of the wrong type, an unbound variable, or a constant that no message
describes is an error that names it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import cast, get_args

from bridge.errors import AnswerError
from numeric.propositions.terms import (
    Apply,
    Binder,
    Binding,
    Cases,
    Const,
    Constructor,
    Definition,
    Field,
    Inductive,
    Leaf,
    Let,
    Num,
    Op,
    Role,
    Sort,
    Structure,
    Term,
    Text,
    Theorem,
    Theory,
    Var,
)

__all__ = ["SCHEMA", "parse_propositions"]

SCHEMA = "obligations-proposition/1"
ROLES = frozenset(get_args(Role))
BINDINGS = frozenset({"lambda", "pi", "forall", "exists"})
_NUMBER = re.compile(r"[0-9]+(e-?[0-9]{1,4})?")
_OTHER = (
    "the Lean library `Obligations` and this bridge are of different versions; use one checkout "
    "for both"
)


def _error(where: str, expected: str, value: object) -> AnswerError:
    return AnswerError(f"{where}: expected {expected} but got {value!r:.200}", remedy=_OTHER)


def _fields(
    value: object, where: str, required: Sequence[str], optional: Sequence[str] = ()
) -> dict[str, object]:
    if not isinstance(value, dict):
        raise _error(where, "an object", value)
    missing = [name for name in required if name not in value]
    unknown = [name for name in value if name not in required and name not in optional]
    if missing or unknown:
        raise _error(where, f"the fields {', '.join(required)}", value)
    return value


def _text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise _error(where, "text", value)
    return value


def _optional_text(value: object, where: str) -> str | None:
    return None if value is None else _text(value, where)


def _list(value: object, where: str) -> list[object]:
    if not isinstance(value, list):
        raise _error(where, "a list", value)
    return value


def _role(value: object, where: str) -> Role:
    if value not in ROLES:
        raise _error(where, "one of " + ", ".join(sorted(ROLES)), value)
    return cast(Role, value)


class _Terms:
    """Reads the terms of one message; ``constants`` collects the names that they mention."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.constants: dict[str, str] = {}

    def term(self, value: object, depth: int) -> Term:
        """The term under ``depth`` binders."""
        where = self.where
        if not isinstance(value, dict) or not value:
            raise _error(where, "a term", value)
        for kind in ("var", "num", "text", "sort", "op", "const", "apply", "let", "field", "cases"):
            if kind in value:
                read = getattr(self, f"_{kind}")
                return cast(Term, read(value, depth))
        binding = next((k for k in BINDINGS if k in value), None)
        if binding is None:
            raise _error(where, "a term", value)
        return self._binding(binding, value, depth)

    def _var(self, value: object, depth: int) -> Term:
        level = _fields(value, self.where, ("var",))["var"]
        if not isinstance(level, int) or isinstance(level, bool) or not 0 <= level < depth:
            raise _error(self.where, f"a level below {depth}", level)
        return Var(level)

    def _num(self, value: object, depth: int) -> Term:
        r = _fields(value, self.where, ("num", "at"))
        text = _text(r["num"], self.where)
        if not _NUMBER.fullmatch(text):
            raise _error(self.where, "a number such as 12 or 5e-1", text)
        return Num(Fraction(text), self.term(r["at"], depth))

    def _text(self, value: object, depth: int) -> Term:
        return Text(_text(_fields(value, self.where, ("text",))["text"], self.where))

    def _sort(self, value: object, depth: int) -> Term:
        name = _fields(value, self.where, ("sort",))["sort"]
        if name == "Prop":
            return Sort("Prop")
        if name == "Type":
            return Sort("Type")
        raise _error(self.where, "Prop or Type", name)

    def _op(self, value: object, depth: int) -> Term:
        r = _fields(value, self.where, ("op", "args"), ("at",))
        at = self.term(r["at"], depth) if "at" in r else None
        args = tuple(self.term(a, depth) for a in _list(r["args"], self.where))
        return Op(_text(r["op"], self.where), at, args)

    def _const(self, value: object, depth: int) -> Term:
        r = _fields(value, self.where, ("const",), ("args",))
        name = _text(r["const"], self.where)
        self.constants.setdefault(name, self.where)
        return Const(name, self._arguments(r.get("args", []), depth))

    def _apply(self, value: object, depth: int) -> Term:
        r = _fields(value, self.where, ("apply", "args"))
        return Apply(self.term(r["apply"], depth), self._arguments(r["args"], depth))

    def _arguments(self, value: object, depth: int) -> tuple[Term | None, ...]:
        items = _list(value, self.where)
        return tuple(None if a is None else self.term(a, depth) for a in items)

    def _let(self, value: object, depth: int) -> Term:
        r = _fields(value, self.where, ("let", "name", "value", "body"))
        return Let(
            self.term(r["let"], depth),
            _optional_text(r["name"], self.where),
            self.term(r["value"], depth),
            self.term(r["body"], depth + 1),
        )

    def _field(self, value: object, depth: int) -> Term:
        r = _fields(value, self.where, ("field", "structure", "of"))
        structure = _text(r["structure"], self.where)
        self.constants.setdefault(structure, self.where)
        return Field(structure, _text(r["field"], self.where), self.term(r["of"], depth))

    def _cases(self, value: object, depth: int) -> Term:
        r = _fields(value, self.where, ("cases", "of", "branches"))
        type_ = _text(r["cases"], self.where)
        self.constants.setdefault(type_, self.where)
        branches = []
        for item in _list(r["branches"], self.where):
            b = _fields(item, self.where, ("constructor", "body"))
            name = _text(b["constructor"], self.where)
            branches.append((name, self.term(b["body"], depth)))
        return Cases(type_, self.term(r["of"], depth), tuple(branches))

    def _binding(self, kind: str, value: object, depth: int) -> Term:
        r = _fields(value, self.where, (kind, "name", "role", "body"))
        return Binding(
            kind,  # type: ignore[arg-type]  # one of BINDINGS
            self.term(r[kind], depth),
            _optional_text(r["name"], self.where),
            _role(r["role"], self.where),
            self.term(r["body"], depth + 1),
        )

    def telescope(self, value: object, depth: int = 0) -> tuple[Binder, ...]:
        """Binders, each under those before it and ``depth`` others."""
        found: list[Binder] = []
        for position, item in enumerate(_list(value, self.where)):
            r = _fields(item, f"{self.where}, binder {position}", ("name", "role", "type"))
            name, role = _optional_text(r["name"], self.where), _role(r["role"], self.where)
            found.append(Binder(name, role, self.term(r["type"], depth + position)))
        return tuple(found)


def _line(value: object, where: str) -> int | None:
    if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
        raise _error(where, "a line or null", value)
    return value


def parse_propositions(messages: Sequence[object]) -> Theory:
    """Parse the messages of one request, in the order in which Lean sent them.

    Args:
        messages: decoded JSON values; the last one counts the others.

    Raises:
        AnswerError: the answer is empty, partial, repeated or malformed.
    """
    try:
        return _parse(messages)
    except RecursionError:
        raise AnswerError("a statement nests too deeply to be read") from None


def _parse(messages: Sequence[object]) -> Theory:
    if not messages:
        raise AnswerError("Lean's answer holds no propositions, not even their count")
    *parts, end = messages
    last = _fields(end, "end", ("kind", "schema", "count", "lean"))
    if last["kind"] != "end":
        raise AnswerError(
            f"Lean's answer has no end: {len(messages)} propositions arrived and then nothing",
            remedy="run the command again; a larger --timeout may help",
        )
    if last["schema"] != SCHEMA:
        raise _error("end", SCHEMA, last["schema"])
    if last["count"] != len(parts):
        raise AnswerError(
            f"Lean's answer is partial: it announces {last['count']!r:.20} propositions and "
            f"{len(parts)} arrived"
        )
    theory = Theory({}, {}, {}, {}, {})
    mentioned: dict[str, str] = {}
    seen: set[tuple[bool, str]] = set()
    for position, message in enumerate(parts):
        name, is_theorem, constants = _read(message, position, theory)
        if (is_theorem, name) in seen:
            raise AnswerError(f"Lean's answer holds {name!r} twice")
        seen.add((is_theorem, name))
        mentioned.update(constants)
    for name, where in mentioned.items():
        if (False, name) not in seen:
            raise AnswerError(
                f"Lean's answer is partial: {where} mentions {name!r} and nothing says what it is"
            )
    return theory


def _read(message: object, position: int, theory: Theory) -> tuple[str, bool, Mapping[str, str]]:
    """Add one message to ``theory``; its name, whether it is a theorem, what it mentions."""
    if not isinstance(message, dict):
        raise _error(f"message {position}", "an object", message)
    name = _text(message.get("name"), f"message {position}")
    terms = _Terms(name)
    # A Theory is read-only for its users; here it is being built.
    match message.get("kind"):
        case "theorem":
            r = _fields(message, name, ("kind", "name", "binders", "conclusion"))
            binders = terms.telescope(r["binders"])
            conclusion = terms.term(r["conclusion"], len(binders))
            cast("dict[str, Theorem]", theory.theorems)[name] = Theorem(name, binders, conclusion)
        case "refused":
            refused = _fields(message, name, ("kind", "name", "why"))
            cast("dict[str, str]", theory.refused)[name] = _text(refused["why"], name)
        case "definition":
            r = _fields(message, name, ("kind", "name", "params", "body", "module", "line"))
            params = terms.telescope(r["params"])
            cast("dict[str, Definition]", theory.definitions)[name] = Definition(
                name,
                params,
                terms.term(r["body"], len(params)),
                _optional_text(r["module"], name),
                _line(r["line"], name),
            )
        case "structure":
            r = _fields(message, name, ("kind", "name", "constructor", "params", "fields"))
            params = terms.telescope(r["params"])
            fields = terms.telescope(r["fields"], len(params))
            constructor = _text(r["constructor"], name)
            cast("dict[str, Structure]", theory.structures)[name] = Structure(
                name, constructor, params, fields
            )
        case "inductive":
            r = _fields(message, name, ("kind", "name", "params", "constructors"))
            params = terms.telescope(r["params"])
            made = []
            for item in _list(r["constructors"], name):
                c = _fields(item, name, ("name", "fields"))
                fields = terms.telescope(c["fields"], len(params))
                made.append(Constructor(_text(c["name"], name), fields))
            cast("dict[str, Inductive]", theory.inductives)[name] = Inductive(
                name, params, tuple(made)
            )
        case "constant":
            r = _fields(message, name, ("kind", "name", "why", "module", "line"))
            cast("dict[str, Leaf]", theory.leaves)[name] = Leaf(
                name,
                _text(r["why"], name),
                _optional_text(r["module"], name),
                _line(r["line"], name),
            )
        case kind:
            raise _error(name, "a theorem, definition, structure, inductive type or constant", kind)
    return name, message["kind"] in ("theorem", "refused"), terms.constants
