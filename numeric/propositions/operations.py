"""The operations of the language, on enclosures and on whole numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce

import numpy as np

from numeric.propositions import enclosures as enc
from numeric.propositions.constants import Differs, TermError, whole
from numeric.propositions.enclosures import Enclosure, hull, point
from numeric.propositions.powers import power, real_power
from numeric.propositions.spaces import (
    Finite,
    Functions,
    Integers,
    Lists,
    Naturals,
    Reals,
    Records,
    Space,
    Variants,
    members,
)
from numeric.propositions.truth import (
    FALSE,
    TRUE,
    UNDECIDED,
    Truth,
    both,
    certain,
    either,
    equal,
    less,
    less_or_equal,
    negation,
)
from numeric.propositions.values import Function, Made, Record, Value

__all__ = ["OPERATIONS", "select"]

Meaning = Callable[[Space | None, Sequence[Value]], Value]


def _real(value: Value) -> Enclosure:
    if not isinstance(value, Enclosure):
        raise TermError("", f"expected a real number but got {type(value).__name__}")
    return value


def select(condition: Truth, a: Value, b: Value) -> Value:
    """``a`` where the condition is true, ``b`` where it is false, everything between where
    undecided."""
    if a is b:
        return a
    yes, no = condition.code == TRUE, condition.code == FALSE
    match a, b:
        case Enclosure(), Enclosure():
            all_ = hull(a, b)
            return Enclosure(
                np.where(yes, a.lo, np.where(no, b.lo, all_.lo)),
                np.where(yes, a.hi, np.where(no, b.hi, all_.hi)),
                np.where(yes, a.size, np.where(no, b.size, all_.size)),
            )
        case Truth(), Truth():
            code = np.where(yes, a.code, np.where(no, b.code, UNDECIDED))
            code = np.where(a.code == b.code, a.code, code)
            margin = np.where(yes, a.margin, b.margin)
            return Truth(code.astype(np.int8), margin, np.where(yes, a.slack, b.slack))
        case Function(), Function():
            return Function(lambda x: select(condition, a(x), b(x)))
        case Record(), Record():
            fields = {n: select(condition, a.fields[n], b.fields[n]) for n in a.fields}
            return Record(a.structure, fields)
        case Made(name, xs), Made(other, ys) if name == other:
            chosen = [select(condition, x, y) for x, y in zip(xs, ys, strict=True)]
            return Made(name, tuple(chosen))
        case list(), list() if len(a) == len(b):
            return [select(condition, x, y) for x, y in zip(a, b, strict=True)]
        case _ if type(a) is type(b) and a == b:
            return a
        case _:
            raise Differs("ite", "a choice by real numbers between other values")


def _arithmetic(
    on_reals: Callable[[Enclosure, Enclosure], Enclosure], on_integers: Callable[[int, int], int]
) -> Meaning:
    def meaning(space: Space | None, args: Sequence[Value]) -> Value:
        a, b = args
        if isinstance(space, Reals):
            return on_reals(_real(a), _real(b))
        found = on_integers(whole(a), whole(b))
        match space:
            case Naturals():
                return max(found, 0)
            case Finite(count):
                return found % count
            case Integers():
                return found
            case _:
                raise TermError("", f"no arithmetic of {type(space).__name__.lower()} is supported")

    return meaning


def _of_one(on_reals: Callable[[Enclosure], Enclosure]) -> Meaning:
    return lambda _, args: on_reals(_real(args[0]))


def _conventional(f: Callable[..., Enclosure]) -> Meaning:
    """A function that Lean's libraries extend differently outside its domain."""

    def meaning(space: Space | None, args: Sequence[Value]) -> Value:
        total = isinstance(space, Reals) and space.total
        return f(_real(args[0]), open_below=not total)

    return meaning


def _negative(space: Space | None, args: Sequence[Value]) -> Value:
    a = args[0]
    if isinstance(a, Enclosure):
        return enc.negate(a)
    return -whole(a) % space.count if isinstance(space, Finite) else -whole(a)


def _absolute(_: Space | None, args: Sequence[Value]) -> Value:
    a = args[0]
    return enc.absolute(a) if isinstance(a, Enclosure) else abs(whole(a))


def _extremum(
    on_reals: Callable[[Enclosure, Enclosure], Enclosure], on_integers: Callable[[int, int], int]
) -> Meaning:
    def meaning(_: Space | None, args: Sequence[Value]) -> Value:
        a, b = args
        if isinstance(a, Enclosure):
            return on_reals(a, _real(b))
        return on_integers(whole(a), whole(b))

    return meaning


def _comparison(
    on_reals: Callable[[Enclosure, Enclosure], Truth], on_integers: Callable[[int, int], bool]
) -> Meaning:
    def meaning(space: Space | None, args: Sequence[Value]) -> Value:
        a, b = args
        if isinstance(a, Enclosure) and isinstance(b, Enclosure):
            return on_reals(a, b)
        if isinstance(a, Function) and isinstance(b, Function) and isinstance(space, Functions):
            cases = _arguments(space)
            parts = [meaning(space.to(i), (a(i), b(i))) for i in cases]
            return both([p for p in parts if isinstance(p, Truth)])
        x, y = whole(a), whole(b)
        off = np.asarray(float(y - x))
        code = TRUE if on_integers(x, y) else FALSE
        return Truth(np.asarray(code, dtype=np.int8), off, off)

    return meaning


def _arguments(space: Functions) -> Sequence[Value]:
    cases = members(space.source)
    if cases is None:
        raise TermError("", "an equation of functions with infinitely many arguments")
    return cases


def _equal(space: Space | None, args: Sequence[Value]) -> Value:
    a, b = args
    match a, b:
        case Enclosure(), Enclosure():
            return equal(a, b)
        case int(), int():
            off = np.asarray(float(b - a))
            return Truth(np.asarray(TRUE if a == b else FALSE, dtype=np.int8), -np.abs(off), off)
        case Truth(), Truth():
            return both([either([negation(a), b]), either([negation(b), a])])
        case Function(), Function() if isinstance(space, Functions):
            return both([_truth(_equal(space.to(i), (a(i), b(i)))) for i in _arguments(space)])
        case Record(), Record() if isinstance(space, Records):
            parts = []
            for name in space.fields:
                part = space.spaces(name, dict(a.fields))
                if part is not None:
                    parts.append(_truth(_equal(part, (a.fields[name], b.fields[name]))))
            return both(parts)
        case Made(name, xs), Made(other, ys) if isinstance(space, Variants):
            if name != other:
                return certain(False)
            parts = []
            for i, pair in enumerate(zip(xs, ys, strict=True)):
                part = space.spaces(name, xs[:i])
                if part is not None:
                    parts.append(_truth(_equal(part, pair)))
            return both(parts)
        case list(), list() if isinstance(space, Lists):
            if len(a) != len(b):
                return certain(False)
            pairs = zip(a, b, strict=True)
            return both([_truth(_equal(space.element, pair)) for pair in pairs])
        case _:
            raise TermError("", f"no equality of {type(a).__name__} is supported in numbers")


def _truth(value: Value) -> Truth:
    if not isinstance(value, Truth):
        raise TermError("", f"expected a proposition but got {type(value).__name__}")
    return value


def _swapped(meaning: Meaning) -> Meaning:
    return lambda space, args: meaning(space, (args[1], args[0]))


def _inverse(_: Space | None, args: Sequence[Value]) -> Value:
    return enc.inverse(_real(args[0]))


def _power(space: Space | None, args: Sequence[Value]) -> Value:
    a, n = args[0], whole(args[1])
    if isinstance(a, Enclosure):
        return power(a, n)
    if n < 0:
        raise TermError("HPow.hPow", "a negative power of a whole number")
    found: int = whole(a) ** n
    return found % space.count if isinstance(space, Finite) else found


def _cast(space: Space | None, args: Sequence[Value]) -> Value:
    a = args[0]
    match space:
        case Reals() | None:
            return point(float(a)) if isinstance(a, int) else a
        case Naturals() | Integers():
            return whole(a)
        case Finite(count):
            return whole(a) % count
        case _:
            raise TermError("", f"nothing is cast to {type(space).__name__.lower()}")


def _constant(value: float) -> Meaning:
    def meaning(space: Space | None, _: Sequence[Value]) -> Value:
        return point(value) if isinstance(space, Reals) else int(value)

    return meaning


def _fold(
    on_reals: Callable[[Enclosure, Enclosure], Enclosure],
    on_integers: Callable[[int, int], int],
    start: int,
    bounds: Callable[[Value], Sequence[int]],
) -> Meaning:
    def meaning(space: Space | None, args: Sequence[Value]) -> Value:
        function = args[1]
        if not isinstance(function, Function):
            raise TermError("", f"expected a function but got {type(function).__name__}")
        values = [function(i) for i in bounds(args[0])]
        if isinstance(space, Reals):
            reals = [_real(v) for v in values]
            return reduce(on_reals, reals) if reals else point(float(start))
        return reduce(on_integers, (whole(v) for v in values), start)

    return meaning


def _first(value: Value) -> Sequence[int]:
    return range(whole(value))


def _listed(value: Value) -> Sequence[int]:
    if not isinstance(value, list):
        raise TermError("", "a sum over a set that is not listed")
    return [whole(v) for v in value]


def _everything(space: Space | None, _: Sequence[Value]) -> Value:
    cases = None if space is None else members(space)
    if cases is None:
        raise TermError("", "a sum over infinitely many cases")
    return list(cases)


def _norm(space: Space | None, args: Sequence[Value]) -> Value:
    """The absolute value, and the maximum norm of vectors and matrices."""
    a = args[0]
    if not isinstance(a, Function):
        return _absolute(space, args)
    if not isinstance(space, Functions):
        raise TermError("Norm.norm", "a norm of something other than numbers and vectors")
    parts = [_real(_norm(space.to(i), (a(i),))) for i in _arguments(space)]
    return reduce(enc.maximum, parts, point(0.0))


def _is_member(_: Space | None, args: Sequence[Value]) -> Value:
    listed, x = args
    if not isinstance(listed, list) or isinstance(x, Enclosure):
        raise TermError("Membership.mem", "membership in a set that is not listed")
    return certain(x in listed)


def _followed(_: Space | None, args: Sequence[Value]) -> Value:
    """A vector with one more entry, in front."""
    first, rest = args

    def entry(i: Value) -> Value:
        if whole(i) == 0:
            return first
        if not isinstance(rest, Function):
            raise TermError("Matrix.vecCons", "an entry that the vector does not have")
        return rest(whole(i) - 1)

    return Function(entry)


def _pi(_: Space | None, __: Sequence[Value]) -> Value:
    lo = np.asarray(np.pi)
    return Enclosure(lo, np.asarray(np.nextafter(np.pi, 4.0)), np.asarray(4.0))


_LESS = _comparison(less, lambda a, b: a < b)
_LESS_OR_EQUAL = _comparison(less_or_equal, lambda a, b: a <= b)


def _different(space: Space | None, args: Sequence[Value]) -> Value:
    return negation(_truth(_equal(space, args)))


OPERATIONS: Mapping[str, Meaning] = {
    "add": _arithmetic(enc.add, lambda a, b: a + b),
    "sub": _arithmetic(enc.subtract, lambda a, b: a - b),
    "mul": _arithmetic(enc.multiply, lambda a, b: a * b),
    "div": _arithmetic(enc.divide, lambda a, b: 0 if b == 0 else (a // b if b > 0 else -(a // -b))),
    "mod": _arithmetic(lambda a, b: _no_remainder(), lambda a, b: a if b == 0 else a % abs(b)),
    "neg": _negative,
    "inv": _inverse,
    "abs": _absolute,
    "norm": _norm,
    "min": _extremum(enc.minimum, min),
    "max": _extremum(enc.maximum, max),
    "pow": _power,
    "zpow": _power,
    "rpow": lambda _, args: real_power(_real(args[0]), _real(args[1])),
    "sqrt": _conventional(enc.square_root),
    "log": _conventional(enc.logarithm),
    "exp": _of_one(enc.exponential),
    "tanh": _of_one(enc.tanh),
    "sinh": _of_one(enc.sinh),
    "cosh": _of_one(enc.cosh),
    "sin": _of_one(enc.sine),
    "cos": _of_one(enc.cosine),
    "sigmoid": _of_one(enc.sigmoid),
    "pi": _pi,
    "eq": _equal,
    "ne": _different,
    "lt": _LESS,
    "le": _LESS_OR_EQUAL,
    "gt": _swapped(_LESS),
    "ge": _swapped(_LESS_OR_EQUAL),
    "zero": _constant(0),
    "one": _constant(1),
    "cast": _cast,
    "succ": lambda _, args: whole(args[0]) + 1,
    "finVal": lambda _, args: whole(args[0]),
    "toNat": lambda _, args: max(whole(args[0]), 0),
    "natAbs": lambda _, args: abs(whole(args[0])),
    "sum": _fold(enc.add, lambda a, b: a + b, 0, _first),
    "sumOver": _fold(enc.add, lambda a, b: a + b, 0, _listed),
    "prodOver": _fold(enc.multiply, lambda a, b: a * b, 1, _listed),
    "univ": _everything,
    "member": _is_member,
    "card": lambda _, args: len(_listed(args[0])),
    "vecCons": _followed,
    "vecEmpty": lambda _, __: Function(_no_entry),
    "range": lambda _, args: list(_first(args[0])),
}


def _no_entry(_: Value) -> Value:
    raise TermError("Matrix.vecEmpty", "an entry of a vector without entries")


def _no_remainder() -> Enclosure:
    raise TermError("HMod.hMod", "a remainder of real numbers is not supported")
