"""Constants that can be evaluated although they are not operations of the language."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import cast

import numpy as np

from numeric.errors import NumericError
from numeric.propositions.enclosures import Enclosure, add, point
from numeric.propositions.spaces import (
    Bools,
    Finite,
    Integers,
    Lists,
    Naturals,
    Reals,
    Records,
    Space,
    Subsets,
    Variants,
)
from numeric.propositions.truth import CLOSE, TRUE, Truth
from numeric.propositions.values import Function, Made, Record, Value

__all__ = ["BUILTINS", "BUILTIN_TYPES", "Builtin", "Differs", "TermError", "plus", "whole"]


class TermError(NumericError):
    """A term that numbers cannot evaluate.

    Args:
        constant: the constant that prevents it; empty if none does.
        problem: what is wrong with it.
    """

    def __init__(self, constant: str, problem: str) -> None:
        super().__init__(problem)
        self.constant = constant
        self.problem = problem


class Differs(TermError):
    """A value that real numbers decide differs between the instances of a batch, or is
    undecided."""


@dataclass(frozen=True, slots=True)
class Builtin:
    """A constant with this number of arguments, including types, and its meaning."""

    arity: int
    meaning: Callable[[Sequence[Value]], Value]


def whole(value: Value) -> int:
    """A whole number."""
    if not isinstance(value, int):
        raise TermError("", f"expected a whole number but got {type(value).__name__}")
    return value


def plus(a: Value, b: Value) -> Value:
    """The sum of two numbers of one kind."""
    if isinstance(a, Enclosure) and isinstance(b, Enclosure):
        return add(a, b)
    return whole(a) + whole(b)


def _space(value: Value) -> Space:
    if not isinstance(value, Space):
        raise TermError("", f"expected a type but got {type(value).__name__}")
    return value


def _list(value: Value) -> list[Value]:
    if not isinstance(value, list):
        raise TermError("", f"expected a list but got {type(value).__name__}")
    return value


def _function(value: Value) -> Function:
    if not isinstance(value, Function):
        raise TermError("", f"expected a function but got {type(value).__name__}")
    return value


def _call(f: Value, *args: Value) -> Value:
    for a in args:
        f = _function(f)(a)
    return f


def _pair(args: Sequence[Value]) -> Space:
    first, second = _space(args[0]), _space(args[1])
    return Records("Prod", ("fst", "snd"), lambda name, _: first if name == "fst" else second)


def _subtype(args: Sequence[Value]) -> Space:
    element, predicate = _space(args[0]), args[1]

    def space(name: str, _: object) -> Space | None:
        return element if name == "val" else None

    return Records("Subtype", ("val", "property"), space, (element, predicate))


def _option(args: Sequence[Value]) -> Space:
    element = _space(args[0])
    made = (("Option.none", 0), ("Option.some", 1))
    return Variants("Option", made, lambda _, __: element)


def _sum_type(args: Sequence[Value]) -> Space:
    left, right = _space(args[0]), _space(args[1])
    made = (("Sum.inl", 1), ("Sum.inr", 1))
    return Variants("Sum", made, lambda name, _: left if name == "Sum.inl" else right)


BUILTIN_TYPES: Mapping[str, Callable[[Sequence[Value]], Space]] = {
    "Nat": lambda _: Naturals(),
    "Int": lambda _: Integers(),
    "Bool": lambda _: Bools(),
    "Rat": lambda _: Reals(total=True),
    "Real": lambda _: Reals(total=True),
    "PostNorm.Real": lambda _: Reals(),
    "Fin": lambda args: Finite(whole(args[0])),
    "Unit": lambda _: Finite(1),
    "PUnit": lambda _: Finite(1),
    "List": lambda args: Lists(_space(args[0])),
    "Array": lambda args: Lists(_space(args[0])),
    "Finset": lambda args: Subsets(_space(args[0])),
    "Option": _option,
    "Sum": _sum_type,
    "Prod": _pair,
    "Subtype": _subtype,
}


def _head(items: Sequence[Value]) -> Value:
    return [items[1], *_list(items[2])]


def _sum(items: Sequence[Value]) -> Value:
    listed = _list(items[1])
    zero: Value = point(0.0) if isinstance(_space(items[0]), Reals) else 0
    return reduce(plus, listed, zero)


def _holds(value: Value) -> bool:
    """A proposition or a Boolean that is the same on every instance."""
    if isinstance(value, int):
        return bool(value)
    if isinstance(value, Truth) and np.all(np.abs(value.code.astype(int)) >= CLOSE):
        codes = np.unique(value.code)
        if len(codes) == 1:
            return int(codes[0]) == TRUE
    raise Differs("", "a Boolean that differs between instances cannot be evaluated")


BUILTINS: Mapping[str, Builtin] = {
    "Bool.true": Builtin(0, lambda _: 1),
    "Bool.false": Builtin(0, lambda _: 0),
    "Decidable.decide": Builtin(2, lambda a: int(_holds(a[0]))),
    "Fin.mk": Builtin(3, lambda a: a[1]),
    "Fin.succ": Builtin(2, lambda a: whole(a[1]) + 1),
    "Fin.castSucc": Builtin(2, lambda a: a[1]),
    "Fin.last": Builtin(1, lambda a: a[0]),
    "Prod.mk": Builtin(4, lambda a: Record("Prod", {"fst": a[2], "snd": a[3]})),
    "Subtype.mk": Builtin(4, lambda a: Record("Subtype", {"val": a[2], "property": None})),
    "Option.none": Builtin(1, lambda _: Made("Option.none")),
    "Option.some": Builtin(2, lambda a: Made("Option.some", (a[1],))),
    "Sum.inl": Builtin(3, lambda a: Made("Sum.inl", (a[2],))),
    "Sum.inr": Builtin(3, lambda a: Made("Sum.inr", (a[2],))),
    "Nat.zero": Builtin(0, lambda _: 0),
    "Array.toList": Builtin(2, lambda a: a[1]),
    "Array.size": Builtin(2, lambda a: len(_list(a[1]))),
    "List.toArray": Builtin(2, lambda a: a[1]),
    "Unit.unit": Builtin(0, lambda _: 0),
    "PUnit.unit": Builtin(0, lambda _: 0),
    "List.nil": Builtin(1, lambda _: []),
    "List.cons": Builtin(3, _head),
    "List.length": Builtin(2, lambda a: len(_list(a[1]))),
    "List.sum": Builtin(4, lambda a: _sum((a[0], a[3]))),
    "List.map": Builtin(4, lambda a: [_call(a[2], x) for x in _list(a[3])]),
    "List.foldr": Builtin(
        5, lambda a: reduce(lambda acc, x: _call(a[2], x, acc), reversed(_list(a[4])), a[3])
    ),
    "List.foldl": Builtin(
        5, lambda a: reduce(lambda acc, x: _call(a[2], acc, x), _list(a[4]), a[3])
    ),
    "List.finRange": Builtin(1, lambda a: cast("list[Value]", list(range(whole(a[0]))))),
    "List.range": Builtin(1, lambda a: cast("list[Value]", list(range(whole(a[0]))))),
}
