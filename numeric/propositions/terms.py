"""The language in which statements are evaluated: terms, binders, definitions.

A variable is named by its level: the number of binders of its message outside its own.  A
message's telescope takes the first levels.  Types are terms too.  The format is
``obligations-proposition/1``; ``docs/reference/propositions.md`` describes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

__all__ = [
    "Apply",
    "Binder",
    "Binding",
    "Cases",
    "Const",
    "Constructor",
    "Definition",
    "Field",
    "Inductive",
    "Leaf",
    "Let",
    "Num",
    "Op",
    "Role",
    "Sort",
    "Structure",
    "Term",
    "Text",
    "Theorem",
    "Theory",
    "Var",
    "subterms",
]

Role = Literal["type", "value", "instance", "proof"]
"""What a binder binds: a type, a value, an instance of a class, or a hypothesis."""
Kind = Literal["lambda", "pi", "forall", "exists"]


@dataclass(frozen=True, slots=True)
class Var:
    """A bound variable, by its level."""

    level: int


@dataclass(frozen=True, slots=True)
class Num:
    """A literal of the type ``at``."""

    value: Fraction
    at: Term


@dataclass(frozen=True, slots=True)
class Text:
    """A literal string."""

    value: str


@dataclass(frozen=True, slots=True)
class Sort:
    """``Prop``, or any ``Type``."""

    name: Literal["Prop", "Type"]


@dataclass(frozen=True, slots=True)
class Const:
    """A constant with all its arguments in order; instances and proofs are None."""

    name: str
    args: tuple[Term | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Op:
    """An operation with a known meaning, over the type ``at`` if that matters."""

    name: str
    at: Term | None
    args: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Apply:
    """A function that is not a constant, applied."""

    function: Term
    args: tuple[Term | None, ...]


@dataclass(frozen=True, slots=True)
class Binding:
    """``fun``, a function type, ``∀`` or ``∃``; the body is one level deeper."""

    kind: Kind
    type: Term
    name: str | None
    role: Role
    body: Term


@dataclass(frozen=True, slots=True)
class Let:
    """``let name : type := value; body``; the body is one level deeper."""

    type: Term
    name: str | None
    value: Term
    body: Term


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a structure's value."""

    structure: str
    name: str
    of: Term


@dataclass(frozen=True, slots=True)
class Cases:
    """``match`` on a value of an inductive type: for each constructor, in order, a function of its
    fields, or the value itself if it has none."""

    type: str
    of: Term
    branches: tuple[tuple[str, Term], ...]


Term = Var | Num | Text | Sort | Const | Op | Apply | Binding | Let | Field | Cases


@dataclass(frozen=True, slots=True)
class Binder:
    """An entry of a telescope; its type may mention the entries before it."""

    name: str | None
    role: Role
    type: Term


@dataclass(frozen=True, slots=True)
class Theorem:
    """A statement: its telescope, in Lean's order, and its conclusion."""

    name: str
    binders: tuple[Binder, ...]
    conclusion: Term


@dataclass(frozen=True, slots=True)
class Definition:
    """A definition that terms refer to by name."""

    name: str
    params: tuple[Binder, ...]
    body: Term
    module: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Structure:
    """A structure: parameters, then fields, each of which may mention those before it."""

    name: str
    constructor: str
    params: tuple[Binder, ...]
    fields: tuple[Binder, ...]


@dataclass(frozen=True, slots=True)
class Constructor:
    """A constructor of an inductive type; each field's type may mention the fields before it."""

    name: str
    fields: tuple[Binder, ...]


@dataclass(frozen=True, slots=True)
class Inductive:
    """An inductive type that is not a structure: parameters, then constructors."""

    name: str
    params: tuple[Binder, ...]
    constructors: tuple[Constructor, ...]


@dataclass(frozen=True, slots=True)
class Leaf:
    """A constant that is not unfolded, with its place and why.

    ``why`` is ``type`` for types whose values can be drawn, ``kept`` for constants that are
    measured as they are, ``class``, or the obstacle: ``recursive``, ``opaque``, ``axiom``,
    ``library``, ….
    """

    name: str
    why: str
    module: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Theory:
    """Statements and everything that they unfold to.  ``refused`` says why a theorem has no
    term."""

    theorems: Mapping[str, Theorem]
    refused: Mapping[str, str]
    definitions: Mapping[str, Definition]
    structures: Mapping[str, Structure]
    leaves: Mapping[str, Leaf]
    inductives: Mapping[str, Inductive] = field(default_factory=dict)


def subterms(term: Term) -> Iterator[Term]:
    """The term and everything in it, outermost first."""
    todo: list[Term | None] = [term]
    while todo:
        t = todo.pop()
        if t is None:
            continue
        yield t
        match t:
            case Num(_, at):
                todo.append(at)
            case Const(_, args):
                todo.extend(reversed(args))
            case Op(_, at, args):
                todo.extend((*reversed(args), at))
            case Apply(function, args):
                todo.extend((*reversed(args), function))
            case Binding(_, type, _, _, body):
                todo.extend((body, type))
            case Let(type, _, value, body):
                todo.extend((body, value, type))
            case Field(_, _, of):
                todo.append(of)
            case Cases(_, of, branches):
                todo.extend((*(b for _, b in reversed(branches)), of))
            case _:
                pass
