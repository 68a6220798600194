"""A statement's own instances, with the values of its binders by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from bridge.lean.library import Library
from bridge.statements.choose import Obstacle, Question, Way

__all__ = ["Draws", "Instance", "Instances"]


@dataclass(frozen=True, slots=True)
class Instance:
    """Values of a theorem's binders.

    Attributes:
        family: the family and ``index`` draw it again.
        values: by the binder's name.
        violates: the hypotheses that are false on it, by their names in keys.
        text: the values in words.
    """

    family: str
    index: int
    values: Mapping[str, object]
    violates: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Instances:
    """The instances on which every hypothesis holds, and those on which exactly one is violated.

    ``remarks`` say which types replace type variables.
    """

    met: tuple[Instance, ...]
    violating: tuple[Instance, ...]
    remarks: tuple[str, ...] = ()


@runtime_checkable
class Draws(Protocol):
    """A way that gives the values of its instances."""

    @property
    def way(self) -> Way:
        """The way's name."""

    def instances(
        self, library: Library, question: Question, *, seed: int, instances: int
    ) -> Instances | Obstacle:
        """The instances that the way judges the theorem on, or why there are none."""
