"""The values of terms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from numeric.propositions.enclosures import Enclosure
from numeric.propositions.spaces import Made, Space
from numeric.propositions.truth import Truth

__all__ = ["Env", "Function", "Made", "Record", "Value"]


@dataclass(frozen=True, slots=True)
class Function:
    """A function; its values at whole numbers, and at the same real number, are computed once."""

    meaning: Callable[[Value], Value]
    known: dict[int, Value] = field(default_factory=dict, compare=False)
    there: dict[int, tuple[Value, Value]] = field(default_factory=dict, compare=False)
    """By identity: an argument, kept alive so that no other object gets its id, and the value."""

    def __call__(self, x: Value) -> Value:
        """The value at ``x``."""
        if isinstance(x, Enclosure):
            if id(x) not in self.there:
                self.there[id(x)] = (x, self.meaning(x))
            return self.there[id(x)][1]
        if not isinstance(x, int):
            return self.meaning(x)
        if x not in self.known:
            self.known[x] = self.meaning(x)
        return self.known[x]


@dataclass(frozen=True, slots=True)
class Record:
    """A value of a structure, by field; a field that is a proof is None."""

    structure: str
    fields: Mapping[str, Value]


Value = Enclosure | int | Truth | Function | Record | Made | Space | list["Value"] | None
"""Real numbers, a whole number, a proposition, a function, a structure's value, an inductive
type's, a type, a list; None for proofs and instances."""
Env = tuple[Value, ...]
"""The values of the variables, by level."""
