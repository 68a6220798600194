"""An export as the bridge reads it: its constants, their kinds, and what they rest on.

The hash of a type is computed from the export alone, by the rules of
``lean/Obligations/Canonical.lean``, so that it can be compared with the hash of the audit's
statement.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from bridge.errors import AnswerError
from bridge.kernels.lean_text import name_text, quoted

__all__ = ["Declared", "Export", "declared_by", "read_export"]


@dataclass(frozen=True, slots=True)
class Declared:
    """One constant of an export: its kind, and the sha256 of its type and of its meaning.

    ``meaning`` is over the type and, for a definition, its value; ``uses`` are the numbers of the
    names that it mentions.
    """

    kind: str
    type_hash: str
    meaning: str
    uses: frozenset[int]


@dataclass(frozen=True, slots=True)
class Export:
    """A whole export.  Constants go by the number of their name.

    ``raw`` are names as in a kernel's answer, ``names`` as Lean prints them.
    """

    names: tuple[str, ...]
    raw: tuple[str, ...]
    constants: Mapping[int, Declared]

    def below(self, *constants: int) -> frozenset[int]:
        """Numbers of all names that these constants rest on, including themselves."""
        found, left = set(constants), list(constants)
        while left:
            declared = self.constants.get(left.pop())
            new = (declared.uses if declared is not None else frozenset()) - found
            found |= new
            left += new
        return frozenset(found)


def declared_by(line: Mapping[str, Any]) -> frozenset[int]:
    """Numbers of the constants that a line of an export declares; none if it makes a name, a level
    or a term."""
    if line.keys() & {"in", "il", "ie"}:
        return frozenset()
    ((kind, d),) = line.items()
    if kind != "inductive":
        return frozenset({d["name"]})
    return frozenset(x["name"] for part in ("types", "ctors", "recs") for x in d[part])


def read_export(path: Path) -> Export:
    """Read an export.

    Raises:
        AnswerError: it is not an export, or incomplete.
    """
    reader = _Reader()
    try:
        with path.open(encoding="utf-8") as file:
            if not file.readline().startswith('{"meta":'):
                raise ValueError("its first line says nothing of the format")
            for line in file:
                reader.line(msgspec.json.decode(line))
    except (OSError, ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
        raise AnswerError(f"Lean's export {path.name} is damaged: {error}") from error
    names = tuple(name_text(parts) for parts in reader.parts)
    raw = tuple(".".join(map(str, parts)) for parts in reader.parts)
    return Export(names, raw, reader.whole())


class _Reader:
    """The tables of an export while it is read."""

    def __init__(self) -> None:
        self.parts: list[tuple[str | int, ...]] = [()]
        self.constants: dict[int, Declared] = {}
        self._texts: list[str] = [""]
        self._literals: dict[str, int] = {}
        self._levels: list[dict[str, Any]] = [{}]
        self._exprs: list[dict[str, Any]] = []

    def whole(self) -> dict[int, Declared]:
        """The constants, when all lines are read: those of quotients are declared together."""
        quotients = frozenset(n for n, d in self.constants.items() if d.kind == "quot")
        return {
            n: replace(d, uses=d.uses | quotients - {n}) if d.kind == "quot" else d
            for n, d in self.constants.items()
        }

    def line(self, o: dict[str, Any]) -> None:
        """One line below the first."""
        if "ie" in o:
            if o["ie"] != len(self._exprs) or any(not 0 <= p < o["ie"] for p in _parts(o)):
                raise ValueError(f"term {o['ie']!r} is not made of earlier ones")
            self._exprs.append(o)
        elif "in" in o:
            d = o.get("str") or o["num"]
            part = d["str"] if "str" in o else d["i"]
            self.parts.append((*self.parts[d["pre"]], part))
            self._texts.append(name_text(self.parts[-1]))
            if self._texts[-1] in _LITERALS:
                self._literals[self._texts[-1]] = len(self._texts) - 1
        elif "il" in o:
            self._levels.append(o)
        else:
            ((kind, d),) = o.items()
            if kind == "inductive":
                self._inductive(d)
            else:
                self._declare(kind, d, [d["value"]] if kind in ("def", "opaque", "thm") else [])

    def _inductive(self, d: dict[str, Any]) -> None:
        whole = set(declared_by({"inductive": d}))
        ctors = {x["name"]: x["type"] for x in d["ctors"]}
        for x in d["types"]:
            self._declare("inductive", x, [ctors[c] for c in x["ctors"]], whole)
        for x in d["ctors"]:
            self._declare("ctor", x, [], whole)
        for x in d["recs"]:
            self._declare("rec", x, [r["rhs"] for r in x["rules"]], whole)

    def _declare(
        self, kind: str, d: dict[str, Any], rest: list[int], with_it: set[int] | None = None
    ) -> None:
        if d["name"] in self.constants:
            raise ValueError(f"{self._texts[d['name']]} is declared twice")
        parameters: list[int] = d["levelParams"]
        uses: set[int] = set(with_it or ())
        texts = [self._canonical(e, parameters, uses) for e in (d["type"], *rest)]
        said = texts[:1] if kind == "thm" else texts
        self.constants[d["name"]] = Declared(
            kind,
            hashlib.sha256(texts[0].encode()).hexdigest(),
            hashlib.sha256("\0".join(said).encode()).hexdigest(),
            frozenset(uses - {d["name"]}),
        )

    def _level(self, i: int, parameters: list[int]) -> str:
        if i == 0:
            return "0"
        o = self._levels[i]
        if "succ" in o:
            return f"S({self._level(o['succ'], parameters)})"
        for kind, letter in (("max", "M"), ("imax", "I")):
            if kind in o:
                a, b = (self._level(x, parameters) for x in o[kind])
                return f"{letter}({a},{b})"
        return f"p{parameters.index(o['param'])}"

    def _canonical(self, root: int, parameters: list[int], uses: set[int]) -> str:
        """The text of a term, and the constants in it added to ``uses``.

        Iterative, since terms are deeper than Python's recursion limit.
        """
        lines: list[str] = []
        seen: dict[int, int] = {}
        left = [root]
        while left:
            i = left[-1]
            if i in seen:
                left.pop()
                continue
            o = self._exprs[i]
            missing = [p for p in _parts(o) if p not in seen]
            if missing:
                left.append(missing[0])
                continue
            left.pop()
            lines.append(self._one(o, seen, parameters, uses))
            seen[i] = len(lines) - 1
        return "\n".join(lines)

    def _one(
        self, o: dict[str, Any], seen: dict[int, int], parameters: list[int], uses: set[int]
    ) -> str:
        below = " ".join(str(seen[p]) for p in _parts(o))
        if "app" in o:
            return f"a {below}"
        if "const" in o:
            d = o["const"]
            uses.add(d["name"])
            levels = ", ".join(self._level(u, parameters) for u in d["us"])
            return f"c {self._texts[d['name']]} [{levels}]"
        if "bvar" in o:
            return f"b{o['bvar']}"
        if "lam" in o:
            return f"f {below}"
        if "forallE" in o:
            return f"p {below}"
        if "sort" in o:
            return f"t {self._level(o['sort'], parameters)}"
        if "letE" in o:
            return f"e {below}"
        if "proj" in o:
            uses.add(o["proj"]["typeName"])
            return f"j {self._texts[o['proj']['typeName']]} {o['proj']['idx']} {below}"
        if "natVal" in o:
            uses.update(self._literals[n] for n in _LITERALS[:1] if n in self._literals)
            return f"l n{o['natVal']}"
        uses.update(self._literals.values())
        return f"l s{quoted(o['strVal'])}"


def _parts(o: dict[str, Any]) -> Iterator[int]:
    """The terms that a term is made of, in the order in which Lean visits them."""
    for kind, fields in _FIELDS:
        if kind in o:
            for f in fields:
                yield o[kind][f]
            return


_LITERALS = ("Nat", "Char.ofNat", "String.ofList")
"""What a kernel needs for a term with a literal of text; for one that is a number, the first."""

_FIELDS = (
    ("app", ("fn", "arg")),
    ("lam", ("type", "body")),
    ("forallE", ("type", "body")),
    ("letE", ("type", "value", "body")),
    ("proj", ("struct",)),
)
