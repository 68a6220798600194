"""Types as sets of values that can be listed or drawn.

A type variable of a theorem stands for the real numbers if its classes are those of a field, and
for a small finite set if no class says what its elements are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = [
    "Bools",
    "Finite",
    "Functions",
    "Integers",
    "Lists",
    "Made",
    "Naturals",
    "Props",
    "Reals",
    "Records",
    "Space",
    "Subsets",
    "Types",
    "Variants",
    "is_discrete",
    "members",
]


@dataclass(frozen=True, slots=True)
class Reals:
    """Real numbers; also rational ones, as doubles.

    ``total``: a square root of a negative number is 0 and a logarithm that of the absolute value,
    as in Mathlib; otherwise they are unspecified, as in a `RealField`.
    """

    total: bool = False


@dataclass(frozen=True, slots=True)
class Naturals:
    """0, 1, 2, …"""


@dataclass(frozen=True, slots=True)
class Integers:
    """All whole numbers."""


@dataclass(frozen=True, slots=True)
class Bools:
    """``false`` and ``true``, as 0 and 1."""


@dataclass(frozen=True, slots=True)
class Finite:
    """``Fin n``, or any set of n elements: 0 to n − 1."""

    count: int


@dataclass(frozen=True, slots=True)
class Functions:
    """Functions from a space; ``to`` is the space of the values at an argument."""

    source: Space
    to: Callable[[Any], Space]


@dataclass(frozen=True, slots=True)
class Records:
    """Values of a structure: the names of its fields, and each one's space given those before.

    ``None`` stands for a field that is a proof; ``params`` are the structure's parameters.
    """

    structure: str
    fields: tuple[str, ...]
    spaces: Callable[[str, Any], Space | None]
    params: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Lists:
    """Lists of elements of one space."""

    element: Space


@dataclass(frozen=True, slots=True)
class Subsets:
    """Finite sets of elements of one space: lists in order, without repetition."""

    element: Space


@dataclass(frozen=True, slots=True)
class Variants:
    """Values of an inductive type: for each constructor, its fields' spaces given those before.

    Attributes:
        type: its name.
        constructors: each one's name and number of fields.
        spaces: the space of a field, by constructor and the fields before it; None for a proof.
        recursive: constructors whose fields contain values of the type itself.
    """

    type: str
    constructors: tuple[tuple[str, int], ...]
    spaces: Callable[[str, tuple[Any, ...]], Space | None]
    recursive: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Props:
    """Propositions."""


@dataclass(frozen=True, slots=True)
class Types:
    """Types themselves."""


@dataclass(frozen=True, slots=True)
class Made:
    """A value of an inductive type: its constructor and the constructor's arguments."""

    constructor: str
    arguments: tuple[Any, ...] = ()


Space = (
    Reals
    | Naturals
    | Integers
    | Bools
    | Finite
    | Functions
    | Records
    | Lists
    | Subsets
    | Variants
    | Props
    | Types
)


def is_discrete(space: Space) -> bool:
    """Whether its values are single whole numbers, which all instances of a batch share."""
    return isinstance(space, Naturals | Integers | Bools | Finite)


def members(space: Space) -> tuple[int | Made, ...] | None:
    """All values of a finite space; None for an infinite one."""
    match space:
        case Finite(count):
            return tuple(range(count))
        case Bools():
            return (0, 1)
        case Variants(_, constructors) if not any(count for _, count in constructors):
            return tuple(Made(name) for name, _ in constructors)
        case _:
            return None
