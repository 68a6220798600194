"""The layout of the values of a theorem's variables: what is drawn, and how values are built from
it.

Whole numbers, including sizes, are chosen when a layout is made; real numbers are drawn later, a
batch at a time, into slots: one array for each vector, matrix or number that a theorem binds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import numpy.typing as npt

from numeric.propositions.constants import TermError
from numeric.propositions.enclosures import Enclosure, add, multiply, point, widen
from numeric.propositions.evaluate import Evaluator
from numeric.propositions.spaces import (
    Bools,
    Finite,
    Functions,
    Integers,
    Lists,
    Naturals,
    Reals,
    Records,
    Space,
    Subsets,
    Variants,
    members,
)
from numeric.propositions.terms import Binder, Const, Sort, Term, Theorem, Var
from numeric.propositions.values import Env, Function, Made, Record, Value

__all__ = ["Chooser", "Impossible", "Layout", "Slot", "is_field", "laid_out"]

FloatArray = npt.NDArray[np.float64]
Chooser = Callable[[str, Sequence[int]], int]
"""Chooses one of some whole numbers for a place."""
Recipe = Callable[[Sequence[FloatArray], float], Value]
"""Makes a value from the slots' arrays, as balls of this relative radius."""

NATURALS = (2, 3, 1, 4, 2, 3, 0, 5)
INTEGERS = (0, 1, -1, 2, -2, 3, -3, 5)
LENGTHS = (2, 3, 1, 0, 4)
DEEPEST = 3
"""The depth of a value of a recursive type, such as a tree."""

_FIELD = frozenset(
    {
        "PostNorm.RealField",
        "PostNorm.CompleteOrderedField",
        "Field",
        "LinearOrderedField",
        "DivisionRing",
        "CommRing",
        "Ring",
        "Semiring",
        "CommSemiring",
        "StrictOrderedRing",
        "IsStrictOrderedRing",
        "LinearOrder",
        "PartialOrder",
        "Preorder",
        *("Add", "Sub", "Mul", "Div", "Neg", "Inv", "Zero", "One", "LE", "LT", "Min", "Max"),
        *("Std.IsLinearOrder", "Std.LawfulOrderLT", "Std.IsPreorder", "Std.IsPartialOrder"),
    }
)
# Classes of `Lean.Grind` whose laws the real numbers satisfy; `IsCharP` is not one of them.
_GRIND = frozenset(
    {
        *("Field", "CommRing", "Ring", "Semiring", "CommSemiring", "OrderedRing", "OrderedAdd"),
        *("NatModule", "IntModule", "AddCommMonoid", "AddCommGroup", "NoNatZeroDivisors"),
    }
)
_FINITE = frozenset(
    {"Fintype", "Finite", "DecidableEq", "Nonempty", "Inhabited", "BEq", "Hashable"}
)


class Impossible(Exception):
    """At these sizes a variable has no value."""


@dataclass(frozen=True, slots=True)
class Slot:
    """Real numbers that are drawn together: the entries of one variable.

    ``level`` is that of the theorem's binder that they belong to.
    """

    name: str
    shape: tuple[int, ...]
    level: int


@dataclass(frozen=True, slots=True)
class Layout:
    """The slots of a theorem at given sizes.

    Attributes:
        slots: what is drawn.
        choices: the whole numbers that were chosen, by place.
        words: the name of a choice, for places where it is more than a number.
        recipes: how each binder's value is made.
        spaces: each binder's space; None for proofs and instances.
    """

    slots: tuple[Slot, ...]
    choices: tuple[tuple[str, int], ...]
    recipes: tuple[Recipe, ...]
    spaces: tuple[Space | None, ...]
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def env(self, arrays: Sequence[FloatArray], radius: float = 0.0) -> Env:
        """The values of the telescope: ``arrays`` has one ``(B, *shape)`` for each slot."""
        return tuple(recipe(arrays, radius) for recipe in self.recipes)


@dataclass(slots=True)
class _Builder:
    evaluator: Evaluator
    choose: Chooser
    level: int = 0
    slots: list[Slot] = field(default_factory=list)
    choices: list[tuple[str, int]] = field(default_factory=list)
    words: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def whole(self, place: str, among: Sequence[int]) -> int:
        if not among:
            raise Impossible
        value = self.choose(place, among)
        self.choices.append((place, value))
        return value

    def slot(self, place: str, shape: tuple[int, ...]) -> int:
        self.slots.append(Slot(place, shape, self.level))
        return len(self.slots) - 1

    def recipe(self, space: Space, place: str) -> Recipe:
        """How a value of the space is made.

        Raises:
            TermError: its values cannot be drawn.
            Impossible: it is empty.
        """
        match space:
            case Reals():
                return _entries(self.slot(place, ()), ())
            case Naturals():
                return _fixed(self.whole(place, NATURALS))
            case Integers():
                return _fixed(self.whole(place, INTEGERS))
            case Bools():
                return _fixed(self.whole(place, (0, 1)))
            case Finite(count):
                return _fixed(self.whole(place, range(count)))
            case Functions():
                return self.function(space, place)
            case Records():
                return self.record(space, place)
            case Variants():
                return self.variant(space, place)
            case Subsets(element):
                return self.subset(element, place)
            case Lists(element):
                length = self.whole(f"{place}.length", LENGTHS)
                if isinstance(element, Reals):
                    index = self.slot(place, (length,))
                    return lambda arrays, radius: [
                        _ball(arrays[index][:, i], radius) for i in range(length)
                    ]
                parts = [self.recipe(element, f"{place}[{i}]") for i in range(length)]
                return lambda arrays, radius: [part(arrays, radius) for part in parts]
            case _:
                name = type(space).__name__.lower()
                raise TermError("", f"numbers cannot draw {place}, of a space of {name}")

    def subset(self, element: Space, place: str) -> Recipe:
        """Some of all elements, or of the first few numbers."""
        few = sorted(set(NATURALS)) if isinstance(element, Naturals) else None
        elements = few or members(element)
        if elements is None:
            raise TermError("Finset", f"numbers cannot draw {place}, a set of something infinite")
        masks = range(2 ** len(elements))
        chosen = [[x for i, x in enumerate(elements) if mask >> i & 1] for mask in masks]
        self.words[place] = tuple("{" + ", ".join(map(str, c)) + "}" for c in chosen)
        found = chosen[self.whole(place, masks)]
        return lambda arrays, radius: list(found)

    def function(self, space: Functions, place: str) -> Recipe:
        shape = _tensor(space)
        if shape is not None:
            return _entries(self.slot(place, shape), shape)
        if isinstance(space.source, Finite):
            parts = [self.recipe(space.to(i), f"{place}[{i}]") for i in range(space.source.count)]
            return lambda arrays, radius: Function(lambda i: parts[cast(int, i)](arrays, radius))
        if isinstance(space.source, Reals) and isinstance(space.to(point(0.0)), Reals):
            return _polynomial(self.slot(place, (3,)))
        raise TermError("", f"numbers cannot draw {place}, a function of infinitely many values")

    def record(self, space: Records, place: str) -> Recipe:
        parts: dict[str, Recipe | None] = {}
        known: dict[str, Value] = {}
        for name in space.fields:
            part = space.spaces(name, known)
            parts[name] = None if part is None else self.recipe(part, f"{place}.{name}")
            made = parts[name]
            known[name] = None if made is None else made(self.zeros(), 0.0)

        def make(arrays: Sequence[FloatArray], radius: float) -> Value:
            values = {n: None if p is None else p(arrays, radius) for n, p in parts.items()}
            return Record(space.structure, values)

        return make

    def variant(self, space: Variants, place: str) -> Recipe:
        """A constructor, and its fields; ``place`` shows how deep within its own type it is."""
        deep = place.count("/") >= DEEPEST
        names = tuple(n for n, _ in space.constructors if not (deep and n in space.recursive))
        self.words[place] = tuple(n.rpartition(".")[2] for n in names)
        name = names[self.whole(place, range(len(names)))]
        parts: list[Recipe | None] = []
        known: tuple[Value, ...] = ()
        for i in range(dict(space.constructors)[name]):
            part = space.spaces(name, known)
            made = None if part is None else self.recipe(part, f"{place}/{i + 1}")
            parts.append(made)
            known = (*known, None if made is None else made(self.zeros(), 0.0))

        def make(arrays: Sequence[FloatArray], radius: float) -> Value:
            return Made(name, tuple(None if p is None else p(arrays, radius) for p in parts))

        return make

    def zeros(self) -> list[FloatArray]:
        return [np.zeros((1, *s.shape)) for s in self.slots]


def _tensor(space: Space) -> tuple[int, ...] | None:
    """The shape of the arrays that a space of vectors or matrices of real numbers has."""
    if isinstance(space, Reals):
        return ()
    if not isinstance(space, Functions) or not isinstance(space.source, Finite):
        return None
    if space.source.count == 0:
        return (0,)
    inner = {_tensor(space.to(i)) for i in range(space.source.count)}
    found = inner.pop()
    return None if inner or found is None else (space.source.count, *found)


def _fixed(value: int) -> Recipe:
    return lambda arrays, radius: value


def _ball(x: FloatArray, radius: float) -> Enclosure:
    return widen(point(x), radius) if radius else point(x)


def _entries(index: int, shape: tuple[int, ...]) -> Recipe:
    def entry(array: FloatArray, depth: int, radius: float) -> Value:
        if depth == len(shape):
            return _ball(array, radius)
        return Function(lambda i: entry(array[:, cast(int, i)], depth + 1, radius))

    return lambda arrays, radius: entry(arrays[index], 0, radius)


def _polynomial(index: int) -> Recipe:
    """x ↦ c₀ + c₁·x + c₂·x²."""

    def make(arrays: Sequence[FloatArray], radius: float) -> Value:
        c0, c1, c2 = (_ball(arrays[index][:, k], radius) for k in range(3))

        def value(x: Value) -> Value:
            if not isinstance(x, Enclosure):
                raise TermError("", "a function of real numbers of something else")
            return add(c0, multiply(x, add(c1, multiply(c2, x))))

        return Function(value)

    return make


def _type_of(theorem: Theorem, level: int, chosen: Callable[[], int]) -> Space:
    """What a type variable stands for."""
    classes = []
    for binder in theorem.binders:
        match binder:
            case Binder(_, "instance" | "proof", Const(name, args)) if Var(level) in args:
                classes.append(name)
    if theorem.binders[level].type != Sort("Type"):
        name = theorem.binders[level].name or f"#{level + 1}"
        raise TermError(
            _head(theorem.binders[level].type), f"numbers cannot draw {name}, a set or a predicate"
        )
    unknown = [c for c in classes if not (is_field(c) or c in _FINITE)]
    if unknown:
        raise TermError(unknown[0], f"nothing is known about a type with a {unknown[0]}")
    if any(is_field(c) for c in classes):
        return Reals()
    return Finite(chosen())


def _head(type: Term) -> str:
    return type.name if isinstance(type, Const) else ""


def is_field(name: str) -> bool:
    """Whether a class is one of numbers: an operation on them, or a law that they satisfy."""
    return name in _FIELD or name.removeprefix("Lean.Grind.") in _GRIND


def laid_out(evaluator: Evaluator, theorem: Theorem, choose: Chooser) -> Layout:
    """Choose the whole numbers of a theorem, and lay out its real ones.

    Raises:
        TermError: a variable's values cannot be drawn.
        Impossible: a variable has no value at the chosen sizes.
    """
    builder = _Builder(evaluator, choose)
    recipes: list[Recipe] = []
    spaces: list[Space | None] = []
    env: Env = ()
    for level, binder in enumerate(theorem.binders):
        builder.level = level
        place = binder.name or f"#{level + 1}"
        recipe: Recipe = _nothing
        space: Space | None = None
        if binder.role == "type":
            space = _type_of(theorem, level, lambda p=place: builder.whole(p, (2, 3, 1)))  # type: ignore[misc]
            recipe = _space(space)
        elif binder.role == "value":
            space = evaluator.space(binder.type, env)
            recipe = builder.recipe(space, place)
        recipes.append(recipe)
        spaces.append(space)
        env = (*env, recipe(builder.zeros(), 0.0))
    return Layout(
        tuple(builder.slots), tuple(builder.choices), tuple(recipes), tuple(spaces), builder.words
    )


def _nothing(arrays: Sequence[FloatArray], radius: float) -> Value:
    return None


def _space(space: Space) -> Recipe:
    return lambda arrays, radius: space
