"""Small answers in Lean's format, for tests that need no Lean."""

from __future__ import annotations

from typing import Any


def binder(name: str | None, type_: str, *, prop: bool = True, term: str = "t", **more: Any) -> Any:
    return {
        "name": name,
        "type": type_,
        "info": "default",
        "prop": prop,
        "term": term,
        "uses": [],
        **more,
    }


def statement(name: str, *binders: Any, **more: Any) -> dict[str, Any]:
    return {
        "kind": "statement",
        "name": name,
        "module": "Demo.Basic",
        "theorem": True,
        "line": 3,
        "doc": "A sentence.  More. ",
        "binders": list(binders),
        "conclusion": {"type": "0 < twice n", "term": "whole"},
        "uses": [],
        "axioms": ["propext"],
        "discharges": [],
        **more,
    }


def end(count: int, **modules: str | None) -> dict[str, Any]:
    return {
        "kind": "end",
        "count": count,
        "lean": "4.28.0",
        "axiom_modules": {"propext": "Init.Core", **modules},
    }


def answer(*messages: Any, **modules: str | None) -> list[Any]:
    return [*messages, end(len(messages), **modules)]


NO_GRAPHS: list[Any] = [{"kind": "end", "count": 0, "lean": "4.28.0"}]
