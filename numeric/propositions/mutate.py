"""Statements with one planted error, which instances that satisfy the statement must tell apart.

A mutant drops a hypothesis, exchanges a comparison, an operation or a variable, or changes a
number: in the conclusion, in a hypothesis, or in a definition that the statement unfolds to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

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
    Term,
    Theorem,
    Theory,
    Var,
    subterms,
)

__all__ = ["Mutant", "changed", "mutants", "unfolded"]

MOST = 40
"""The largest number of mutants of one statement."""

_EXCHANGED = {
    "le": "lt",
    "lt": "le",
    "ge": "gt",
    "gt": "ge",
    "add": "sub",
    "sub": "add",
    "mul": "add",
    "div": "mul",
    "min": "max",
    "max": "min",
    "and": "or",
    "or": "and",
    "sinh": "cosh",
    "cosh": "sinh",
    "sin": "cos",
    "cos": "sin",
}
_DROPPED = frozenset({"exp", "sqrt", "log", "tanh", "abs", "neg", "inv", "sigmoid"})
_WEAKER = frozenset({"≤ for <", "≥ for >", "∨ for ∧"})
_SIGNS = {
    "le": "≤",
    "lt": "<",
    "ge": "≥",
    "gt": ">",
    "add": "+",
    "sub": "−",
    "mul": "·",
    "div": "/",
    "and": "∧",
    "or": "∨",
    "eq": "=",
    "ne": "≠",
}


@dataclass(frozen=True, slots=True)
class Mutant:
    """A theory and a theorem with one error.

    Attributes:
        place: ``conclusion``, the name of a hypothesis, or that of a definition.
        change: the change, in words.
        of_conclusion: whether the conclusion, or what it unfolds to, changes.
        dropped: the level of the hypothesis that is left out; −1 for none.
    """

    place: str
    change: str
    theory: Theory
    theorem: Theorem
    of_conclusion: bool
    dropped: int = -1

    @property
    def name(self) -> str:
        """In one line."""
        return f"{self.change} in {self.place}" if self.dropped < 0 else f"without {self.place}"


def _sign(op: str) -> str:
    return _SIGNS.get(op, op)


Alike = Mapping[int, tuple[str, int]]
"""For a variable, by level: another one of the same type, and the exchange in words."""


def _here(term: Term, alike: Alike) -> Iterator[tuple[str, Term]]:
    """The replacements of a term itself, not of its parts."""
    match term:
        case Var(level) if level in alike:
            change, other_level = alike[level]
            yield change, Var(other_level)
        case Op(name, at, args):
            if name in _EXCHANGED:
                other = _EXCHANGED[name]
                yield f"{_sign(other)} for {_sign(name)}", Op(other, at, args)
            elif name in _DROPPED:
                yield f"no {name}", args[0]
            elif name == "ite":
                yield "the branches exchanged", Op(name, at, (args[0], args[2], args[1]))
        case Num(value, at):
            yield f"{value + 1} for {value}", Num(value + 1, at)
            if value >= 1:
                yield f"{value - 1} for {value}", Num(value - 1, at)
        case _:
            pass


def _optional(
    args: tuple[Term | None, ...], alike: Alike
) -> Iterator[tuple[str, tuple[Term | None, ...]]]:
    for i, a in enumerate(args):
        for change, other in changed(a, alike) if a is not None else ():
            yield change, (*args[:i], other, *args[i + 1 :])


def changed(term: Term, alike: Alike = MappingProxyType({})) -> Iterator[tuple[str, Term]]:
    """The term with one error, and the error in words; types do not change."""
    yield from _here(term, alike)
    match term:
        case Op(name, at, args):
            for i, a in enumerate(args):
                for change, other in changed(a, alike):
                    yield change, Op(name, at, (*args[:i], other, *args[i + 1 :]))
        case Const(name, args_):
            for change, others in _optional(args_, alike):
                yield change, Const(name, others)
        case Apply(function, args_):
            for change, others in _optional(args_, alike):
                yield change, Apply(function, others)
        case Binding(kind, type, name_, role, body):
            # The hypotheses before a proposition's body are part of it.
            if role == "proof":
                for change, other in changed(type, alike):
                    yield change, Binding(kind, other, name_, role, body)
            for change, other in changed(body, alike):
                yield change, replace(term, body=other)
        case Let(_, _, value, body):
            for change, other in changed(value, alike):
                yield change, replace(term, value=other)
            for change, other in changed(body, alike):
                yield change, replace(term, body=other)
        case Field(_, _, of):
            for change, other in changed(of, alike):
                yield change, replace(term, of=other)
        case Cases(_, of, branches):
            for change, other in changed(of, alike):
                yield change, replace(term, of=other)
            for i, (constructor, branch) in enumerate(branches):
                for change, other in changed(branch, alike):
                    swapped = (*branches[:i], (constructor, other), *branches[i + 1 :])
                    yield change, replace(term, branches=swapped)
        case _:
            pass


def unfolded(theory: Theory, term: Term) -> tuple[Definition, ...]:
    """The definitions that a term unfolds to, in order of first use."""
    found: dict[str, Definition] = {}
    todo = [term]
    while todo:
        for t in subterms(todo.pop(0)):
            if isinstance(t, Const) and t.name in theory.definitions and t.name not in found:
                found[t.name] = theory.definitions[t.name]
                todo.append(found[t.name].body)
    return tuple(found.values())


def _numeric(d: Definition, theory: Theory) -> bool:
    """A definition of a value, not of a type."""
    return not isinstance(d.body, Binding) or d.body.kind != "pi"


def _alike(theorem: Theorem) -> Alike:
    """For each variable that stands for a value, the next one of the same type."""
    by_type: dict[Term, list[int]] = {}
    for level, binder in enumerate(theorem.binders):
        # Whole numbers may be sizes, which types mention.
        if binder.role == "value" and binder.type != Const("Nat", ()):
            by_type.setdefault(binder.type, []).append(level)
    found = {}
    for levels in by_type.values():
        for level, other in zip(levels, levels[1:] + levels[:1], strict=True):
            if level != other:
                new, old = theorem.binders[other].name, theorem.binders[level].name
                found[level] = (f"{new} for {old}", other)
    return found


def _at_one_use(theory: Theory, theorem: Theorem) -> Iterator[Mutant]:
    """One use of a definition means something else: if both sides of an equation use it, changing
    the definition would leave it true."""
    uses = [
        t
        for t in subterms(theorem.conclusion)
        if isinstance(t, Const) and t.name in theory.definitions
    ]
    for use in dict.fromkeys(uses):
        d = theory.definitions[use.name]
        recursive = any(isinstance(t, Const) and t.name == d.name for t in subterms(d.body))
        if not _numeric(d, theory) or not (recursive or sum(t.name == d.name for t in uses) > 1):
            continue
        other_name = f"{d.name} (changed)"
        conclusion = _exchanged(theorem.conclusion, use, replace(use, name=other_name))
        for change, body in changed(d.body):
            made = replace(d, name=other_name, body=body)
            yield Mutant(
                f"one {d.name}",
                change,
                replace(theory, definitions={**theory.definitions, other_name: made}),
                replace(theorem, conclusion=conclusion),
                of_conclusion=True,
            )


def _exchanged(term: Term, old: Term, new: Term) -> Term:
    """A term with one part exchanged for another, wherever it is."""
    if term == old:
        return new

    def inner(t: Term | None) -> Term | None:
        return None if t is None else _exchanged(t, old, new)

    def certainly(t: Term) -> Term:
        return _exchanged(t, old, new)

    match term:
        case Op(name, at, args):
            return Op(name, at, tuple(certainly(a) for a in args))
        case Const(name, args_):
            return Const(name, tuple(inner(a) for a in args_))
        case Apply(function, args_):
            return Apply(certainly(function), tuple(inner(a) for a in args_))
        case Binding(_, type, _, _, body):
            return replace(term, type=certainly(type), body=certainly(body))
        case Let(_, _, value, body):
            return replace(term, value=certainly(value), body=certainly(body))
        case Field(_, _, of):
            return replace(term, of=certainly(of))
        case Cases(_, of, branches):
            made = tuple((c, certainly(b)) for c, b in branches)
            return replace(term, of=certainly(of), branches=made)
        case _:
            return term


def mutants(theory: Theory, theorem: Theorem) -> tuple[Mutant, ...]:
    """Mutants of a statement: the same ones for the same statement, at most :data:`MOST`."""
    found: list[Mutant] = []
    for change, term in changed(theorem.conclusion, _alike(theorem)):
        made = replace(theorem, conclusion=term)
        found.append(Mutant("conclusion", change, theory, made, of_conclusion=True))
    for d in unfolded(theory, theorem.conclusion):
        if not _numeric(d, theory):
            continue
        for change, body in changed(d.body):
            definitions = {**theory.definitions, d.name: replace(d, body=body)}
            other = replace(theory, definitions=definitions)
            found.append(Mutant(d.name, change, other, theorem, of_conclusion=True))
    found += _at_one_use(theory, theorem)
    for level, binder in enumerate(theorem.binders):
        if binder.role != "proof":
            continue
        place = binder.name or f"#{level + 1}"
        found.append(Mutant(place, "dropped", theory, theorem, False, dropped=level))
        for change, type in changed(binder.type):
            if change not in _WEAKER:
                continue  # a stronger hypothesis does not make a statement false
            binders = list(theorem.binders)
            binders[level] = replace(binder, type=type)
            made = replace(theorem, binders=tuple(binders))
            found.append(Mutant(place, change, theory, made, of_conclusion=False))
    if len(found) <= MOST:
        return tuple(found)
    # Evenly spread, so that each part of the statement keeps some mutants.
    return tuple(found[i * len(found) // MOST] for i in range(MOST))
