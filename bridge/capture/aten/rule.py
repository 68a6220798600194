"""The context that a rule receives, and the table of all rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias

from bridge.capture.tape import Ref, Tape
from numeric.ops import Shape

__all__ = ["RULES", "Context", "Found", "Rule", "Untranslated", "rule"]


class Untranslated(Exception):
    """An operation that the project's vocabulary lacks, or lacks with these arguments; the text
    names it and its place in the model's code."""


Found: TypeAlias = Ref | list[Ref]
"""The value, or the values, of an operation."""


class Context(Protocol):
    """What a rule works with: the tape, and what is known about the nodes."""

    tape: Tape

    def known(self, a: Any) -> Any:
        """The value of an argument that depends on no parameter and no float input; others
        raise."""

    def value(self, a: Any) -> Any:
        """The value of an argument in this run."""

    def shape(self, a: Any) -> Shape:
        """The full shape of a node."""

    def live(self, a: Any) -> bool:
        """Whether an argument is a node of the graph, not a constant."""

    def ref(self, a: Any, *, hidden: bool = False) -> Ref:
        """A node as a value of the tape; a constant becomes an input.  A masked node raises, unless
        ``hidden`` says that the rule reads `keep`."""

    def pieces(self, a: Any) -> list[Ref]:
        """The values of a node that has several."""

    def constant(self, name: str, value: Any) -> Ref:
        """A tensor that the rule made, as an input."""

    def spread(self, name: str, x: Ref, have: Sequence[int], want: Sequence[int]) -> Ref:
        """A value of full shape ``have`` broadcast to ``want``."""

    def at(self, name: str, a: Any, want: Sequence[int]) -> Ref:
        """A node broadcast to a full shape."""

    def scalar(self, a: Any) -> float | None:
        """The number that an argument is, if it is a known number."""

    def keep(self, x: Ref) -> Ref | None:
        """Which entries a masked value keeps, 1 or 0."""

    def hide(self, x: Ref, keep: Ref) -> Ref:
        """Note that a value keeps only these entries."""

    def some_kept(self, keep: Ref, axis: int) -> None:
        """Refuse a mask with a row that keeps nothing: over the reals it would be 0/0."""

    def refuse(self, why: str) -> Untranslated:
        """The error that names this node."""


Rule: TypeAlias = Callable[..., Found]
"""Called with the context, the node, and the node's arguments."""

RULES: dict[str, Rule] = {}
"""The rules by the name of the overload, such as ``aten.add.Tensor``."""


def rule(*names: str) -> Callable[[Rule], Rule]:
    """Register a rule for these overloads."""

    def enter(function: Rule) -> Rule:
        for name in names:
            if name in RULES:
                raise AssertionError(f"two rules for {name}")
            RULES[name] = function
        return function

    return enter
