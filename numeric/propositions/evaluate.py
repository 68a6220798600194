"""Evaluates terms on a batch of instances: real numbers as enclosures, propositions as truths.

Whole numbers, and with them all sizes, are the same on every instance of a batch; real numbers
differ.  ``∀`` and ``∃`` over finite sets are evaluated case by case; over infinite ones only some
cases are, and the truth says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from numeric.propositions.connectives import LOGIC, compared
from numeric.propositions.constants import BUILTIN_TYPES, BUILTINS, Differs, TermError
from numeric.propositions.declared import structure_of, variants_of
from numeric.propositions.made import curried, literal, suggested
from numeric.propositions.operations import OPERATIONS, select
from numeric.propositions.spaces import (
    Finite,
    Functions,
    Integers,
    Naturals,
    Props,
    Reals,
    Records,
    Space,
    Types,
    members,
)
from numeric.propositions.terms import (
    Apply,
    Binding,
    Cases,
    Const,
    Definition,
    Field,
    Let,
    Num,
    Op,
    Sort,
    Structure,
    Term,
    Text,
    Theory,
    Var,
)
from numeric.propositions.truth import (
    FALSE,
    SAMPLED,
    TRUE,
    UNLIKELY,
    Truth,
    both,
    either,
    negation,
    sampled,
)
from numeric.propositions.values import Env, Function, Made, Record, Value
from numeric.propositions.variants import taken_apart

__all__ = ["Evaluator", "Sampler"]

FloatArray = npt.NDArray[np.float64]
Sampler = Callable[[Space, int], Sequence[Value]]
"""Some values of an infinite space, for a quantifier at this depth."""


@dataclass(frozen=True, slots=True)
class Evaluator:
    """Evaluates the terms of a theory.

    Attributes:
        theory: the definitions and structures that terms refer to.
        sampler: draws the cases of an infinite quantifier.
        noted: receives right − left of each comparison, also in branches that are not taken.
    """

    theory: Theory
    sampler: Sampler
    noted: list[FloatArray] | None = None
    outer: list[Env] = field(default_factory=list)
    """The uses of the definitions whose bodies are being evaluated."""
    constructors: Mapping[str, Structure] = field(init=False)
    makers: Mapping[str, tuple[int, int]] = field(init=False)
    """For each constructor of an inductive type, the numbers of parameters and of fields."""

    def __post_init__(self) -> None:
        named = {s.constructor: s for s in self.theory.structures.values()}
        object.__setattr__(self, "constructors", named)
        makers = {
            c.name: (len(i.params), len(c.fields))
            for i in self.theory.inductives.values()
            for c in i.constructors
        }
        object.__setattr__(self, "makers", makers)

    def truth(self, term: Term, env: Env) -> Truth:
        """Whether a proposition holds.

        Raises:
            TermError: it is not a proposition, or a constant in it has no meaning here.
        """
        found = self.value(term, env)
        if not isinstance(found, Truth):
            raise TermError("", f"expected a proposition but got {type(found).__name__}")
        return found

    def space(self, term: Term, env: Env) -> Space:
        """The values of a type; raises like :meth:`truth`."""
        found = self.value(term, env)
        if not isinstance(found, Space):
            raise TermError("", f"expected a type but got {type(found).__name__}")
        return found

    def value(self, term: Term, env: Env) -> Value:
        """The value of a term; raises like :meth:`truth`."""
        match term:
            case Var(level):
                return env[level]
            case Op(name, at, args):
                return self._operation(name, at, args, env)
            case Num(value, at):
                return self._number(value, at, env)
            case Const(name, args):
                return self._constant(name, args, env)
            case Apply(function, args):
                return self._applied(self.value(function, env), args, env)
            case Binding():
                return self._binding(term, env)
            case Field(structure, name, of):
                return self._field(structure, name, self.value(of, env))
            case Let(_, _, value, body):
                return self.value(body, (*env, self.value(value, env)))
            case Cases(type, of, branches):
                made = taken_apart(type, self.value(of, env))
                found = self.value(dict(branches)[made.constructor], env)
                for x in made.arguments:
                    found = self._applied_to(found, x)
                return found
            case Sort(name):
                return Props() if name == "Prop" else Types()
            case Text():
                raise TermError("String", "a text is not a number")

    def _number(self, value: Fraction, at: Term, env: Env) -> Value:
        match self.space(at, env):
            case Reals():
                return literal(value)
            case Finite(count):
                return int(value) % count
            case Naturals() | Integers() if value.denominator == 1:
                return int(value)
            case space:
                raise TermError("", f"no literal of {type(space).__name__.lower()} is supported")

    def _operation(self, name: str, at: Term | None, args: tuple[Term, ...], env: Env) -> Value:
        if name in ("ite", "dite"):
            return self._branch(name, args, env)
        if name in LOGIC:
            return LOGIC[name]([self.truth(a, env) for a in args])
        if name in ("and", "or"):
            # The second may make no sense where the first decides.
            first = self.truth(args[0], env)
            stop = FALSE if name == "and" else TRUE
            if not self._notes(first) and first.code.size and np.all(first.code == stop):
                return first
            join = both if name == "and" else either
            return join([first, self.truth(args[1], env)])
        if name not in OPERATIONS:
            raise TermError(name, f"the operation {name!r} is not supported in numbers")
        space = None if at is None else self.space(at, env)
        values = [self.value(a, env) for a in args]
        found = OPERATIONS[name](space, values)
        slack = None if self.noted is None else compared(name, values, found)
        if self.noted is not None and slack is not None:
            self.noted.append(slack)
        return found

    def _notes(self, condition: Truth) -> bool:
        """Whether all branches are evaluated: those that whole numbers decide may not terminate."""
        return self.noted is not None and condition.code.ndim > 0

    def _branch(self, name: str, args: tuple[Term, ...], env: Env) -> Value:
        condition = self.truth(args[0], env)

        def branch(term: Term) -> Value:
            value = self.value(term, env)
            return value(None) if name == "dite" and isinstance(value, Function) else value

        if not self._notes(condition):
            if np.all(condition.code == TRUE):
                return branch(args[1])
            if np.all(condition.code == FALSE):
                return branch(args[2])
        return select(condition, branch(args[1]), branch(args[2]))

    def _applied(self, function: Value, args: Sequence[Term | None], env: Env) -> Value:
        for a in args:
            if not isinstance(function, Function):
                kind = type(function).__name__
                raise TermError("", f"expected a function but got {kind}")
            function = function(None if a is None else self.value(a, env))
        return function

    def _applied_to(self, function: Value, x: Value) -> Value:
        if not isinstance(function, Function):
            raise TermError("", f"expected a function but got {type(function).__name__}")
        return function(x)

    def _constant(self, name: str, args: Sequence[Term | None], env: Env) -> Value:
        if name in BUILTIN_TYPES and name not in self.theory.structures:
            return BUILTIN_TYPES[name]([self._argument(a, env) for a in args])
        if name in BUILTINS:
            known = BUILTINS[name]
            values = [self._argument(a, env) for a in args[: known.arity]]
            if len(values) < known.arity:
                return curried(known.arity, values, known.meaning)
            return self._applied(known.meaning(values), args[known.arity :], env)
        if (definition := self.theory.definitions.get(name)) is not None:
            return self._unfolded(definition, args, env)
        if (structure := self.constructors.get(name)) is not None:
            return self._made(structure, args, env)
        if (counts := self.makers.get(name)) is not None:
            params, fields = counts
            values = [self._argument(a, env) for a in args]
            if len(values) == params + fields:
                return Made(name, tuple(values[params:]))
            return curried(params + fields, values, lambda a: Made(name, tuple(a[params:])))
        if (inductive := self.theory.inductives.get(name)) is not None:
            return variants_of(self, inductive, [self._argument(a, env) for a in args])
        if (structure := self.theory.structures.get(name)) is not None:
            return structure_of(self, structure, [self._argument(a, env) for a in args])
        raise self._obstacle(name)

    def _argument(self, a: Term | None, env: Env) -> Value:
        return None if a is None else self.value(a, env)

    def _obstacle(self, name: str) -> TermError:
        leaf = self.theory.leaves.get(name)
        if leaf is None:
            return TermError(name, f"{name} is not supported in numbers")
        place = f"{leaf.module}:{leaf.line}" if leaf.line else leaf.module or "an unknown place"
        return TermError(name, f"{name} ({leaf.why}, {place}) is not supported in numbers")

    def _unfolded(self, d: Definition, args: Sequence[Term | None], env: Env) -> Value:
        try:
            return self._meaning(d, args, env)
        except TermError as error:
            # A reader knows Mathlib's functions, but not how they are defined.
            if isinstance(error, Differs):
                raise
            if not error.constant:
                raise TermError(d.name, f"{d.name}: {error.problem}") from error
            if (d.module or "").partition(".")[0] == "Mathlib":
                said = f"{d.name} is not supported in numbers: it uses {error.constant}"
                raise TermError(d.name, said) from error
            raise

    def _meaning(self, d: Definition, args: Sequence[Term | None], env: Env) -> Value:
        count = len(d.params)
        values = [self._argument(a, env) for a in args[:count]]
        if len(values) < count:
            return curried(count, values, lambda all_: self.value(d.body, tuple(all_)))
        self.outer.append(env)
        try:
            found = self.value(d.body, tuple(values))
        finally:
            self.outer.pop()
        return self._applied(found, args[count:], env)

    def _made(self, s: Structure, args: Sequence[Term | None], env: Env) -> Value:
        first = len(s.params)
        values = [self._argument(a, env) for a in args[first:]]
        if len(values) < len(s.fields):
            raise TermError(s.constructor, f"{s.constructor} lacks arguments")
        names = [f.name or "" for f in s.fields]
        return Record(s.name, dict(zip(names, values, strict=False)))

    def _field(self, structure: str, name: str, of: Value) -> Value:
        if isinstance(of, Record):
            if name not in of.fields:
                raise TermError(structure, f"{structure} has no field {name!r} here")
            return of.fields[name]
        if structure in ("Fin", "Subtype") and name == "val":
            return of
        raise TermError(structure, f"the field {name} of {structure} is not supported in numbers")

    def constraints(self, space: Space, value: Value) -> list[tuple[str, Truth]]:
        """The propositions in the fields of a structure's value, by the path to the field."""
        if not isinstance(space, Records) or not isinstance(value, Record):
            return []
        if space.structure == "Subtype":
            found = self._applied_to(space.params[1], value.fields["val"])
            return [("property", found)] if isinstance(found, Truth) else []
        s = self.theory.structures.get(space.structure)
        if s is None:
            return []
        env: Env = space.params
        proofs = []
        for f in s.fields:
            name = f.name or ""
            if f.role == "proof":
                proofs.append((name, self.truth(f.type, env)))
                env = (*env, None)
                continue
            inner = self.space(f.type, env) if f.role == "value" else None
            if isinstance(inner, Records):
                within = self.constraints(inner, value.fields[name])
                proofs += [(f"{name}.{path}", truth) for path, truth in within]
            env = (*env, value.fields[name])
        return proofs

    def _binding(self, term: Binding, env: Env) -> Value:
        match term.kind:
            case "lambda":
                return Function(lambda x: self.value(term.body, (*env, x)))
            case "pi":
                source = self.space(term.type, env) if term.role != "proof" else Props()
                return Functions(source, lambda x: self.space(term.body, (*env, x)))
            case "forall":
                return self._forall(term, env)
            case "exists":
                return self._exists(term, env)

    def _forall(self, term: Binding, env: Env) -> Truth:
        if term.role == "proof":
            given = self.truth(term.type, env)
            if np.all(given.code == FALSE):
                return negation(given)
            return either([negation(given), self.truth(term.body, (*env, None))])
        if term.role == "instance":
            return self.truth(term.body, (*env, None))
        listed = self._elements_of(term, env)
        if listed is not None and isinstance(term.body, Binding):
            return both([self.truth(term.body.body, (*env, x, None)) for x in listed])
        cases, whole = self._cases(term, env)
        found = both([self.truth(term.body, (*env, x)) for x in cases])
        return found if whole else sampled(found)

    def _exists(self, term: Binding, env: Env) -> Truth:
        if term.role == "proof":
            return both([self.truth(term.type, env), self.truth(term.body, (*env, None))])
        listed = self._elements_of(term, env)
        if listed is not None and isinstance(term.body, Op):
            return either([self.truth(term.body.args[1], (*env, x)) for x in listed])
        cases, whole = self._cases(term, env)
        found = either([self.truth(term.body, (*env, x)) for x in cases])
        if whole:
            return found
        code = np.where(found.code >= SAMPLED, found.code, UNLIKELY).astype(np.int8)
        return Truth(code, found.margin, found.slack)

    def _cases(self, term: Binding, env: Env) -> tuple[Sequence[Value], bool]:
        """The values to test, and whether these are all that matter."""
        space = self.space(term.type, env)
        listed = members(space)
        if listed is not None:
            return listed, True
        found = self.sampler(space, len(env))
        if term.kind == "exists" and isinstance(space, Reals):
            found = [*found, *suggested([v for e in (*self.outer, env) for v in e])]
        return found, False

    def _elements_of(self, term: Binding, env: Env) -> Sequence[Value] | None:
        """The list that a quantifier ranges over: ``∀ x ∈ xs, …`` and ``∃ x ∈ xs, …``."""
        first = term.body.type if isinstance(term.body, Binding) else None
        if term.kind == "exists" and isinstance(term.body, Op) and term.body.name == "and":
            first = term.body.args[0]
        match first:
            case Const("List.Mem", (_, x, collection)) if collection is not None:
                pass
            case Op("member", _, (collection, x)):
                pass
            case _:
                return None
        if x != Var(len(env)):
            return None
        found = self.value(collection, (*env, None))
        return found if isinstance(found, list) else None
