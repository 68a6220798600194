"""A theorem with its hypotheses, ready to be evaluated on drawn instances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from numeric.propositions.constants import BUILTIN_TYPES, TermError
from numeric.propositions.declared import within
from numeric.propositions.enclosures import point
from numeric.propositions.evaluate import Evaluator
from numeric.propositions.layout import Layout, is_field
from numeric.propositions.spaces import (
    Finite,
    Functions,
    Integers,
    Naturals,
    Reals,
    Records,
    Space,
)
from numeric.propositions.terms import (
    Binding,
    Const,
    Op,
    Structure,
    Term,
    Theorem,
    Theory,
    Var,
    subterms,
)
from numeric.propositions.truth import Truth, both, certain
from numeric.propositions.values import Env, Function, Value
from numeric.propositions.variants import one_by_one

__all__ = ["Hypothesis", "Problem", "problem_of", "some_values"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A proposition that a theorem assumes.

    Attributes:
        name: the binder's, or ``binder.field`` for a proof in a structure that the theorem binds.
        level: of the binder.
        field: the path to the structure's field; empty for a hypothesis of the telescope.
        mentions: the levels of the binders that it mentions.
        silent: it is part of a type, such as that of a list's elements, and not an obligation.
        law: it is a law of numbers, such as that they are ordered; the real numbers satisfy it.
    """

    name: str
    level: int
    field: str
    mentions: frozenset[int]
    silent: bool = False
    law: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """A theorem and its hypotheses; those that are part of a type come last."""

    theory: Theory
    theorem: Theorem
    evaluator: Evaluator
    hypotheses: tuple[Hypothesis, ...]

    def assumed(self, h: Hypothesis, layout: Layout, env: Env, count: int) -> Truth:
        """Whether a hypothesis holds on ``count`` instances.

        Raises:
            TermError: it cannot be evaluated.
        """
        binder = self.theorem.binders[h.level]
        space = layout.spaces[h.level]

        if h.law:
            return certain(True)

        def truth(env: Env) -> Truth:
            if h.silent:
                assert space is not None
                return both(within(self.evaluator, space, env[h.level]))
            if not h.field:
                return self.evaluator.truth(binder.type, env[: h.level])
            assert space is not None
            return dict(self.evaluator.constraints(space, env[h.level]))[h.field]

        return one_by_one(truth, env, count)

    def concluded(self, env: Env, count: int) -> Truth:
        """Whether the conclusion holds on ``count`` instances; raises like :meth:`assumed`."""
        return one_by_one(lambda e: self.evaluator.truth(self.theorem.conclusion, e), env, count)

    def comparisons(self, env: Env, count: int) -> list[FloatArray]:
        """Right − left of each comparison in the conclusion, in all its branches.

        Each has the shape ``(count,)``; there is none if instances reach different comparisons, or
        if a part cannot be evaluated.
        """
        noted: list[FloatArray] = []
        evaluator = replace(self.evaluator, noted=noted)
        try:
            for part in _compared(self.theorem.conclusion):
                evaluator.value(part, env)
        except (TermError, RecursionError):
            return []
        return [np.broadcast_to(x, (count,)) for x in noted]


def _compared(conclusion: Term) -> list[Term]:
    """The parts that may have branches: both sides of an equation, whose failure is noticed
    anyway."""
    match conclusion:
        case Op("eq", _, (a, b)):
            return [a, b]
        case Op("and", _, (a, b)):
            return [*_compared(a), *_compared(b)]
        case _:
            return [conclusion]


def problem_of(theory: Theory, theorem: Theorem) -> Problem:
    """A theorem's hypotheses: its own, and the proofs in the structures that it binds."""
    found, silent = [], []
    for level, binder in enumerate(theorem.binders):
        name = binder.name or f"#{level + 1}"
        if binder.role == "proof":
            law = isinstance(binder.type, Const) and is_field(binder.type.name)
            mentions = _levels(binder.type, level)
            found.append(Hypothesis(name, level, "", mentions, law=law))
        elif binder.role == "value":
            for part in _proofs(theory, binder.type):
                mentions = _levels(binder.type, level) | {level}
                found.append(Hypothesis(f"{name}.{part}", level, part, mentions))
            if _has_proofs_within(theory, binder.type):
                mentions = _levels(binder.type, level) | {level}
                silent.append(Hypothesis(f"{name}'s type", level, "", mentions, silent=True))
    return Problem(theory, theorem, Evaluator(theory, some_values), (*found, *silent))


def _has_proofs_within(
    theory: Theory, type: Term, inside: bool = False, seen: frozenset[str] = frozenset()
) -> bool:
    """Whether values of a type contain values that a proposition is about, as in a list of positive
    numbers.  ``inside`` is whether the type is itself that of such a part."""
    while isinstance(type, Const) and type.name in theory.definitions:
        type = theory.definitions[type.name].body
    if isinstance(type, Binding):
        return _has_proofs_within(theory, type.body, True, seen)
    if not isinstance(type, Const) or type.name in seen:
        return False
    if inside and type.name == "Subtype":
        return True
    known = seen | {type.name}
    if (s := theory.structures.get(type.name)) is not None:
        own = any(f.role == "proof" for f in s.fields)
        parts = [f.type for f in s.fields if f.role == "value"]
        return (own and inside) or any(_has_proofs_within(theory, p, inside, known) for p in parts)
    if (i := theory.inductives.get(type.name)) is not None:
        parts = [f.type for c in i.constructors for f in c.fields if f.role == "value"]
        return any(_has_proofs_within(theory, p, True, known) for p in parts)
    # A list, a pair, the value in a subtype.
    within = inside or type.name != "Subtype"
    return any(_has_proofs_within(theory, a, within, known) for a in type.args if a is not None)


def _proofs(theory: Theory, type: Term, depth: int = 4) -> Sequence[str]:
    """The paths to the fields that are proofs, in the structure that a type is."""
    while isinstance(type, Const) and type.name in theory.definitions:
        type = theory.definitions[type.name].body
    if not isinstance(type, Const):
        return ()
    if type.name == "Subtype":
        return ("property",)
    if type.name in BUILTIN_TYPES:
        return ()
    structure: Structure | None = theory.structures.get(type.name)
    if structure is None or all(f.role == "proof" for f in structure.fields):
        return ()
    found = []
    for f in structure.fields:
        if f.role == "proof":
            found.append(f.name or "")
        elif depth > 0:
            found += [f"{f.name}.{path}" for path in _proofs(theory, f.type, depth - 1)]
    return found


def _levels(term: Term, depth: int) -> frozenset[int]:
    """The levels below ``depth`` that a term mentions: not those of its own binders."""
    return frozenset(t.level for t in subterms(term) if isinstance(t, Var) and t.level < depth)


_REALS = (0.0, 1.0, -1.0, 0.5, 2.0, -0.5, 3.0, -3.0, 10.0, 0.001)
_POINTS = [point(x) for x in _REALS]
_TABLE = np.array(
    [[1.0, -1.0, 0.5, 2.0], [0.0, 1.0, 0.0, -2.0], [0.25, 0.25, 0.5, 0.0], [-3.0, 2.0, 1.0, 1.0]]
)


def some_values(space: Space, depth: int) -> Sequence[Value]:
    """Some values of an infinite space; the same ones for every quantifier.

    Raises:
        TermError: its values cannot be drawn.
    """
    match space:
        case Reals():
            return _POINTS
        case Naturals():
            return list(range(6))
        case Integers():
            return list(range(-3, 4))
        case Functions(source, to) if isinstance(source, Finite):
            if source.count and not isinstance(to(0), Reals):
                raise TermError("", "a quantifier over functions of something other than numbers")
            return [_row(row, depth) for row in _TABLE]
        case Records(structure):
            raise TermError(structure, f"a quantifier over all values of {structure}")
        case _:
            raise TermError("", f"a quantifier over a space of {type(space).__name__.lower()}")


def _row(row: FloatArray, depth: int) -> Function:
    def entry(i: Value) -> Value:
        if not isinstance(i, int):
            raise TermError("", "an index that is not a whole number")
        return point(row[(i + depth) % len(row)])

    return Function(entry)
