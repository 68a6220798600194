"""A theorem with its hypotheses, ready to be evaluated on drawn instances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from numeric.propositions.constants import BUILTIN_TYPES, TermError
from numeric.propositions.enclosures import point
from numeric.propositions.evaluate import Evaluator
from numeric.propositions.layout import Layout
from numeric.propositions.spaces import (
    Finite,
    Functions,
    Integers,
    Naturals,
    Reals,
    Records,
    Space,
)
from numeric.propositions.terms import Const, Structure, Term, Theorem, Theory, Var, subterms
from numeric.propositions.truth import Truth
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
        mentions: the levels of the binders that it speaks of.
    """

    name: str
    level: int
    field: str
    mentions: frozenset[int]


@dataclass(frozen=True, slots=True)
class Problem:
    """A theorem, and what it assumes."""

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

        def truth(env: Env) -> Truth:
            if not h.field:
                return self.evaluator.truth(binder.type, env[: h.level])
            assert space is not None
            return dict(self.evaluator.constraints(space, env[h.level]))[h.field]

        return one_by_one(truth, env, count)

    def concluded(self, env: Env, count: int) -> Truth:
        """Whether the conclusion holds on ``count`` instances; raises as :meth:`assumed`."""
        return one_by_one(lambda e: self.evaluator.truth(self.theorem.conclusion, e), env, count)

    def comparisons(self, env: Env, count: int) -> list[FloatArray]:
        """Right − left of each comparison that the conclusion comes to, in all its branches.

        Each has the shape ``(count,)``; there is none where instances differ in what they come to,
        or where a part cannot be evaluated.
        """
        noted: list[FloatArray] = []
        try:
            replace(self.evaluator, noted=noted).truth(self.theorem.conclusion, env)
        except (TermError, RecursionError):
            return []
        return [np.broadcast_to(x, (count,)) for x in noted]


def problem_of(theory: Theory, theorem: Theorem) -> Problem:
    """A theorem's hypotheses: its own, and the proofs in the structures that it binds."""
    found = []
    for level, binder in enumerate(theorem.binders):
        name = binder.name or f"#{level + 1}"
        if binder.role == "proof":
            found.append(Hypothesis(name, level, "", _levels(binder.type, level)))
        elif binder.role == "value":
            for part in _proofs(theory, binder.type):
                mentions = _levels(binder.type, level) | {level}
                found.append(Hypothesis(f"{name}.{part}", level, part, mentions))
    return Problem(theory, theorem, Evaluator(theory, some_values), tuple(found))


def _proofs(theory: Theory, type: Term, depth: int = 4) -> Sequence[str]:
    """The paths to the fields that are proofs, in the structure that a type is."""
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
_TABLE = np.array(
    [[1.0, -1.0, 0.5, 2.0], [0.0, 1.0, 0.0, -2.0], [0.25, 0.25, 0.5, 0.0], [-3.0, 2.0, 1.0, 1.0]]
)


def some_values(space: Space, depth: int) -> Sequence[Value]:
    """Some values of an infinite space; the same ones wherever a quantifier asks for them.

    Raises:
        TermError: nothing is known to draw from it.
    """
    match space:
        case Reals():
            return [point(x) for x in _REALS]
        case Naturals():
            return list(range(6))
        case Integers():
            return list(range(-3, 4))
        case Functions(source, to) if isinstance(source, Finite):
            if source.count and not isinstance(to(0), Reals):
                raise TermError("", "a quantifier over functions of something else than numbers")
            return [_row(row, depth) for row in _TABLE]
        case Records(structure):
            raise TermError(structure, f"a quantifier over all values of {structure}")
        case _:
            raise TermError("", f"a quantifier over a space of {type(space).__name__.lower()}")


def _row(row: FloatArray, depth: int) -> Function:
    def entry(i: Value) -> Value:
        if not isinstance(i, int):
            raise TermError("", "an index that is no whole number")
        return point(row[(i + depth) % len(row)])

    return Function(entry)
