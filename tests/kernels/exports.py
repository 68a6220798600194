"""A small export of Lean 4.28, and ways to tamper with it.

``small.ndjson`` contains three theorems, ``sum``, ``seven`` and ``tree``, and all that they depend
on, including a nested inductive type.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

SMALL = Path(__file__).with_name("small.ndjson")
COUNT = 50
Lines = list[Any]
Change = Callable[[Lines], Lines]


def lines() -> Lines:
    return [json.loads(line) for line in SMALL.read_text(encoding="utf-8").splitlines()]


def write(path: Path, content: Lines) -> Path:
    path.write_text("".join(json.dumps(o) + "\n" for o in content), encoding="utf-8")
    return path


def number(content: Lines, *parts: str) -> int:
    """The number of a name."""
    pre = 0
    for part in parts:
        pre = next(o["in"] for o in content if o.get("str") == {"pre": pre, "str": part})
    return pre


def place(content: Lines, kind: str, *parts: str) -> int:
    """The index of the line that declares a constant."""
    name = number(content, *parts)
    return next(
        i
        for i, o in enumerate(content)
        if kind in o and (o[kind]["types"][0] if kind == "inductive" else o[kind])["name"] == name
    )


def theorem_as_axiom(content: Lines) -> Lines:
    i = place(content, "thm", "seven")
    d = content[i]["thm"]
    content[i] = {"axiom": {k: d[k] for k in ("name", "levelParams", "type")} | {"isUnsafe": False}}
    return content


def axiom_of_nothing(content: Lines) -> Lines:
    """A definition below `tree` becomes an axiom that Lean did not report."""
    label = number(content, "Tree", "label")
    for o in content:
        if "def" in o and o["def"]["name"] == label:
            d = o.pop("def")
            o["axiom"] = {k: d[k] for k in ("name", "levelParams", "type")} | {"isUnsafe": False}
    return content


def theorem_left_out(content: Lines) -> Lines:
    del content[place(content, "thm", "seven")]
    return content


def another_statement(content: Lines) -> Lines:
    other = content[place(content, "thm", "sum")]["thm"]
    content[place(content, "thm", "seven")]["thm"] |= {k: other[k] for k in ("type", "value")}
    return content


def addition_redefined(content: Lines) -> Lines:
    """``Nat.add`` returns its first argument; the kernel computes it by name and does not
    notice."""
    i = place(content, "def", "Nat", "add")
    nat = next(
        o["ie"] for o in content if o.get("const") == {"name": number(content, "Nat"), "us": []}
    )
    first = max(o["ie"] for o in content[:i] if "ie" in o) + 1
    shift = 3
    n = number(content, "n")
    new = [
        {"ie": first, "bvar": 1},
        {"ie": first + 1, "lam": {"name": n, "type": nat, "body": first, "binderInfo": "default"}},
        {
            "ie": first + 2,
            "lam": {"name": n, "type": nat, "body": first + 1, "binderInfo": "default"},
        },
    ]
    rest = [moved(o, first, shift) for o in content[i:]]
    rest[0]["def"]["value"] = first + 2
    return [*content[:i], *new, *rest]


_TERMS = {"fn", "arg", "type", "body", "value", "struct", "rhs"}


def moved(value: Any, first: int, shift: int) -> Any:
    """A line in which the numbers of terms from ``first`` on are larger by ``shift``."""
    if isinstance(value, list):
        return [moved(x, first, shift) for x in value]
    if not isinstance(value, dict):
        return value
    return {
        k: v + shift
        if (k == "ie" or k in _TERMS) and isinstance(v, int) and v >= first
        else moved(v, first, shift)
        for k, v in value.items()
    }


def in_declaration(kind: str, name: tuple[str, ...], part: str, key: str, value: Any) -> Change:
    """Sets one field of an inductive declaration."""

    def change(content: Lines) -> Lines:
        d = content[place(content, "inductive", *name)]["inductive"]
        assert d[part][0][key] != value
        d[part][0][key] = value
        return content

    return change


def wrong_proof(content: Lines) -> Lines:
    content[place(content, "thm", "seven")]["thm"]["value"] = 0
    return content


def wrong_rule(content: Lines) -> Lines:
    d = content[place(content, "inductive", "Nat")]["inductive"]
    rules = d["recs"][0]["rules"]
    rules[1]["rhs"] = rules[0]["rhs"]
    return content


def recursor_left_out(content: Lines) -> Lines:
    d = content[place(content, "inductive", "Tree")]["inductive"]
    assert len(d["recs"]) == 2
    del d["recs"][1]
    return content


def constructor_left_out(content: Lines) -> Lines:
    del content[place(content, "inductive", "Nat")]["inductive"]["ctors"][1]
    return content


def used_before_declared(content: Lines) -> Lines:
    i = place(content, "def", "Tree", "label")
    return [*content[:i], *content[i + 1 :]]


def declared_twice(content: Lines) -> Lines:
    return [*content, content[place(content, "thm", "seven")]]


def later_number(content: Lines) -> Lines:
    next(o for o in content if "app" in o)["app"]["fn"] = 10**6
    return content


def negative_number(content: Lines) -> Lines:
    next(o for o in content if "app" in o)["app"]["fn"] = -1
    return content


def number_left_out(content: Lines) -> Lines:
    i = next(i for i, o in enumerate(content) if "ie" in o)
    return [*content[:i], *content[i + 1 :]]


def another_format(content: Lines) -> Lines:
    content[0]["meta"]["format"]["version"] = "4.0.0"
    return content


def unsafe(content: Lines) -> Lines:
    content[place(content, "def", "Tree", "label")]["def"]["safety"] = "unsafe"
    return content


def unknown_kind(content: Lines) -> Lines:
    return [*content, {"belief": {"name": number(content, "seven"), "levelParams": [], "type": 0}}]


REFUSED: dict[str, Change] = {
    "wrong-proof": wrong_proof,
    "wrong-rule-of-a-recursor": wrong_rule,
    "used-before-declared": used_before_declared,
    "too-few-nested": in_declaration("inductive", ("Tree",), "types", "numNested", 0),
    "not-recursive": in_declaration("inductive", ("Tree",), "types", "isRec", False),
    "parameters-of-a-type": in_declaration("inductive", ("List",), "types", "numParams", 0),
    "fields-of-a-constructor": in_declaration("inductive", ("Nat",), "ctors", "numFields", 1),
    "place-of-a-constructor": in_declaration("inductive", ("Nat",), "ctors", "cidx", 1),
    "motives-of-a-recursor": in_declaration("inductive", ("Nat",), "recs", "numMotives", 2),
    "minors-of-a-recursor": in_declaration("inductive", ("Nat",), "recs", "numMinors", 1),
    "k-of-a-recursor": in_declaration("inductive", ("Nat",), "recs", "k", True),
}
"""The kernel refuses a constant, or the file is not an export."""

NO_EXPORT: dict[str, Change] = {
    "recursor-left-out": recursor_left_out,
    "constructor-left-out": constructor_left_out,
    "declared-twice": declared_twice,
    "later-number": later_number,
    "negative-number": negative_number,
    "number-left-out": number_left_out,
    "another-format": another_format,
    "unsafe": unsafe,
    "unknown-kind": unknown_kind,
}
"""The child ends without an answer."""
