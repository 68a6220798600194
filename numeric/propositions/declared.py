"""The values of the types that a project declares: its structures and its inductive types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from numeric.propositions.constants import TermError
from numeric.propositions.spaces import Finite, Functions, Lists, Records, Space, Variants
from numeric.propositions.terms import Binder, Const, Inductive, Structure, Term, subterms
from numeric.propositions.truth import Truth, both
from numeric.propositions.values import Env, Function, Made, Record, Value

__all__ = ["structure_of", "variants_of", "within"]


class Meanings(Protocol):
    """The meanings of types and propositions, given the variables before them."""

    def truth(self, term: Term, env: Env) -> Truth:
        """Whether a proposition holds."""

    def space(self, term: Term, env: Env) -> Space:
        """The values of a type."""

    def constraints(self, space: Space, value: Value) -> list[tuple[str, Truth]]:
        """The propositions in the fields of a structure's value."""


def structure_of(meanings: Meanings, s: Structure, params: Sequence[Value]) -> Value:
    """A structure's values; or, if all its fields are proofs, whether they hold.

    Raises:
        TermError: the type of a field cannot be evaluated.
    """
    if all(f.role == "proof" for f in s.fields):
        env: Env = tuple(params)
        parts = []
        for f in s.fields:
            try:
                parts.append(meanings.truth(f.type, env))
            except TermError as error:
                if error.constant:
                    raise
                raise TermError(s.name, f"{s.name}: {error.problem}") from error
            env = (*env, None)
        return both(parts)
    names = tuple(f.name or "" for f in s.fields)

    def space(name: str, before: Mapping[str, Value]) -> Space | None:
        position = names.index(name)
        f: Binder = s.fields[position]
        if f.role == "proof":
            return None
        env = (*params, *(before.get(n) for n in names[:position]))
        return meanings.space(f.type, env)

    return Records(s.name, names, space, tuple(params))


def variants_of(meanings: Meanings, i: Inductive, params: Sequence[Value]) -> Space:
    """The values of an inductive type; raises like :func:`structure_of` when one is drawn."""
    fields = {c.name: c.fields for c in i.constructors}

    def space(name: str, before: tuple[Value, ...]) -> Space | None:
        f = fields[name][len(before)]
        return None if f.role == "proof" else meanings.space(f.type, (*params, *before))

    within = {
        c.name
        for c in i.constructors
        for f in c.fields
        if any(isinstance(t, Const) and t.name == i.name for t in subterms(f.type))
    }
    made = tuple((c.name, len(c.fields)) for c in i.constructors)
    return Variants(i.name, made, space, frozenset(within))


def within(meanings: Meanings, space: Space, value: Value, *, inside: bool = False) -> list[Truth]:
    """The propositions in values within a value, such as in the elements of a list.

    Args:
        meanings: of types and propositions.
        space: of the value.
        value: the value.
        inside: whether it is itself within another value; then the propositions of its own fields
            count.

    Raises:
        TermError: one of them cannot be evaluated.
    """
    found: list[Truth] = []
    match space, value:
        case Records(), Record(_, fields):
            if inside:
                found += [truth for _, truth in meanings.constraints(space, value)]
            for name in space.fields:
                part = space.spaces(name, fields)
                if part is not None:
                    found += within(meanings, part, fields[name], inside=inside)
        case Lists(element), list():
            for item in value:
                found += within(meanings, element, item, inside=True)
        case Functions(Finite(count), to), Function():
            for i in range(count):
                found += within(meanings, to(i), value(i), inside=True)
        case Variants(_, _, spaces), Made(name, arguments):
            for i, argument in enumerate(arguments):
                part = spaces(name, arguments[:i])
                if part is not None:
                    found += within(meanings, part, argument, inside=True)
        case _:
            pass
    return found
