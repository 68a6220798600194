"""Sends every declaration of an export to a kernel, in the kernel's process.

A file that violates the format is not an export; what the kernel refuses is noted, and the rest is
still checked.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from bridge.kernels.library import ANONYMOUS, EMPTY, ZERO, LeanLibrary, RefusedError, box

__all__ = ["Feed", "NotAnExportError"]

_BINDER = {"default": 0, "implicit": 1, "strictImplicit": 2, "instImplicit": 3}
_QUOT = {"type": 0, "ctor": 1, "lift": 2, "ind": 3}
_SAFE = 1


class NotAnExportError(Exception):
    """The file is not an export."""


class _Table(list[Any]):
    def __getitem__(self, i: Any) -> Any:
        if type(i) is not int or not 0 <= i < len(self):
            raise NotAnExportError(f"{i!r} is not the number of an earlier line")
        return super().__getitem__(i)


@dataclass
class Feed:
    """An export on its way into a kernel."""

    kernel: LeanLibrary
    kinds: dict[str, str] = field(default_factory=dict)
    refused: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.names, self.levels, self.exprs = _Table([ANONYMOUS]), _Table([ZERO]), _Table()
        self.texts = _Table([""])
        self._derived: list[tuple[str, int, int]] = []

    def read(self, lines: Iterable[str]) -> None:
        """Read the whole file; what is refused is noted, and the rest still checked.

        Raises:
            NotAnExportError: the file violates the format.
        """
        lines = iter(lines)
        try:
            version = json.loads(next(lines, ""))["meta"]["format"]["version"]
            if not version.startswith("3.1."):
                raise NotAnExportError(f"format {version}, not 3.1")
            for line in lines:
                self._line(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise NotAnExportError(f"a line is malformed: {error!r}") from error
        for text, name, constant in self._derived:
            if not self.kernel.holds(name, constant):
                self.refused.append((text, "the kernel derives something else"))

    def _line(self, o: dict[str, Any]) -> None:
        for key, table, read in (
            ("ie", self.exprs, self._expr),
            ("in", self.names, self._name),
            ("il", self.levels, self._level),
        ):
            if key in o:
                if o.pop(key) != len(table):
                    raise NotAnExportError("numbers are not consecutive")
                ((kind, d),) = o.items()
                table.append(read(kind, d))
                return
        ((kind, d),) = o.items()
        name = self.texts[(d["types"][0] if kind == "inductive" else d)["name"]]
        try:
            declaration = self._inductive(d) if kind == "inductive" else self._constant(kind, d)
            if declaration is not None:
                self.kernel.add(declaration)
        except RefusedError as why:
            self.refused.append((name, str(why)))

    def _name(self, kind: str, d: dict[str, Any]) -> int:
        k, pre = self.kernel, self.names[d["pre"]]
        part = d["str"] if kind == "str" else d["i"]
        self.texts.append(f"{self.texts[d['pre']]}.{part}".removeprefix("."))
        if kind == "str":
            return k.make("name_mk_string", pre, k.string(part))
        return k.make("name_mk_numeral", pre, k.nat(part))

    def _level(self, kind: str, d: Any) -> int:
        if kind == "param":
            return self.kernel.make("level_mk_param", self.names[d])
        if kind == "succ":
            return self.kernel.make("level_mk_succ", self.levels[d])
        a, b = d
        return self.kernel.make(
            {"max": "level_mk_max", "imax": "level_mk_imax"}[kind], self.levels[a], self.levels[b]
        )

    def _expr(self, kind: str, d: Any) -> int:
        k, n, e = self.kernel, self.names, self.exprs
        match kind:
            case "app":
                return k.make("expr_mk_app", e[d["fn"]], e[d["arg"]])
            case "lam" | "forallE":
                function = "expr_mk_lambda" if kind == "lam" else "expr_mk_forall"
                return k.make(
                    function, n[d["name"]], e[d["type"]], e[d["body"]], _BINDER[d["binderInfo"]]
                )
            case "const":
                return k.make(
                    "expr_mk_const", n[d["name"]], k.list(self.levels[u] for u in d["us"])
                )
            case "bvar":
                return k.make("expr_mk_bvar", k.nat(d))
            case "sort":
                return k.make("expr_mk_sort", self.levels[d])
            case "letE":
                return k.make(
                    "expr_mk_let",
                    n[d["name"]],
                    e[d["type"]],
                    e[d["value"]],
                    e[d["body"]],
                    bool(d["nondep"]),
                )
            case "proj":
                return k.make("expr_mk_proj", n[d["typeName"]], k.nat(d["idx"]), e[d["struct"]])
            case "natVal":
                return k.make("expr_mk_lit", k.build(0, k.nat(int(d))))
            case "strVal":
                return k.make("expr_mk_lit", k.build(1, k.string(d)))
            case "mdata":
                return k.make("expr_mk_mdata", EMPTY, e[d["expr"]])
        raise NotAnExportError(f"{kind!r} is not an expression")

    def _declare(self, d: dict[str, Any], kind: str) -> tuple[int, int, int]:
        text = self.texts[d["name"]]
        if text in self.kinds:
            raise NotAnExportError(f"{text} is declared twice")
        if d.get("isUnsafe") or d.get("safety", "safe") != "safe":
            raise NotAnExportError(f"{text} is not safe")
        self.kinds[text] = kind
        return self.names[d["name"]], self._names(d["levelParams"]), self.exprs[d["type"]]

    def _names(self, ids: list[int]) -> int:
        return self.kernel.list(self.names[i] for i in ids)

    def _derive(self, tag: int, d: dict[str, Any], value: int) -> None:
        self._derived.append(
            (self.texts[d["name"]], self.names[d["name"]], self.kernel.build(tag, value))
        )

    def _constant(self, kind: str, d: dict[str, Any]) -> int | None:
        k, base = self.kernel, self._declare(d, kind)
        if kind == "axiom":
            return k.build(0, k.make("mk_axiom_val", *base, False))
        if kind == "quot":
            self._derive(4, d, k.make("mk_quot_val", *base, _QUOT[d["kind"]]))
            return box(4) if d["kind"] == "type" else None
        value, group = self.exprs[d["value"]], self._names(d["all"])
        if kind == "thm":
            return k.build(2, k.make("mk_theorem_val", *base, value, group))
        if kind == "opaque":
            return k.build(3, k.make("mk_opaque_val", *base, value, False, group))
        if kind != "def":
            raise NotAnExportError(f"{kind!r} is not a declaration")
        hints = d["hints"]
        if isinstance(hints, dict):
            height = k.make("mk_reducibility_hints_regular", hints["regular"])
        else:
            height = box({"opaque": 0, "abbrev": 1}[hints])
        return k.build(1, k.make("mk_definition_val", *base, value, height, _SAFE, group))

    def _inductive(self, d: dict[str, Any]) -> int:
        k, n, e = self.kernel, self.names, self.exprs
        types = d["types"]
        ctors = {x["name"]: x for x in d["ctors"]}
        for t in types:
            numbers = (
                k.nat(t["numParams"]),
                k.nat(t["numIndices"]),
                self._names(t["all"]),
                self._names(t["ctors"]),
                k.nat(t["numNested"]),
            )
            self._derive(
                5,
                t,
                k.make(
                    "mk_inductive_val",
                    *self._declare(t, "inductive"),
                    *numbers,
                    t["isRec"],
                    False,
                    t["isReflexive"],
                ),
            )
        for x in d["ctors"]:
            fields = (k.nat(x["cidx"]), k.nat(x["numParams"]), k.nat(x["numFields"]))
            self._derive(
                6,
                x,
                k.make(
                    "mk_constructor_val", *self._declare(x, "ctor"), n[x["induct"]], *fields, False
                ),
            )
        for r in d["recs"]:
            counts = [
                k.nat(r[key]) for key in ("numParams", "numIndices", "numMotives", "numMinors")
            ]
            rules = k.list(
                k.build(0, n[x["ctor"]], k.nat(x["nfields"]), e[x["rhs"]]) for x in r["rules"]
            )
            self._derive(
                7,
                r,
                k.make(
                    "mk_recursor_val",
                    *self._declare(r, "rec"),
                    self._names(r["all"]),
                    *counts,
                    rules,
                    r["k"],
                    False,
                ),
            )
        first = self.texts[types[0]["name"]]
        recursors = {f"{self.texts[t['name']]}.rec" for t in types}
        recursors |= {f"{first}.rec_{i + 1}" for i in range(types[0]["numNested"])}
        if {self.texts[r["name"]] for r in d["recs"]} != recursors:
            raise NotAnExportError(f"recursors of {first} are missing")
        given = [
            k.build(
                0,
                n[t["name"]],
                e[t["type"]],
                k.list(k.build(0, n[c], e[ctors[c]["type"]]) for c in t["ctors"]),
            )
            for t in types
        ]
        return k.make(
            "mk_inductive_decl",
            self._names(types[0]["levelParams"]),
            k.nat(types[0]["numParams"]),
            k.list(given),
            False,
        )
