"""What is behind the statements: the kernel's second opinion, and what steps outside it.

Lean's answer to ``#export_trust`` (``lean/Obligations/Trust.lean``), as typed values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bridge.errors import AnswerError

__all__ = ["Outside", "Trust", "parse_trust"]

SWAPPED = frozenset({"implemented_by", "extern"})
"""Code that runs in place of the definition that theorems speak of."""


@dataclass(frozen=True, slots=True)
class Outside:
    """A declaration of the project that the kernel does not vouch for, and how it steps outside."""

    name: str
    how: str
    module: str


@dataclass(frozen=True, slots=True)
class Trust:
    """A whole, verified answer.

    Attributes:
        constants: how many constants the kernel was handed again.
        kernel: what it said where it refused one; ``None`` where it accepted all.
        outside: axioms, unsafe definitions, and definitions with code of their own.
        untagged: theorems with hypotheses that nobody tagged as obligations, and their modules.
        vacuous: tagged theorems that say nothing, by name, with the reason.
        checker: a program beside Lean that accepted the compiled files too; empty where none ran.
    """

    constants: int
    kernel: str | None
    outside: tuple[Outside, ...]
    untagged: Mapping[str, str]
    vacuous: tuple[tuple[str, str], ...]
    checker: str = ""

    @property
    def swapped(self) -> tuple[Outside, ...]:
        """Definitions that run as something else than what theorems speak of."""
        return tuple(o for o in self.outside if o.how in SWAPPED)


def parse_trust(messages: Sequence[object]) -> Trust:
    """Check one answer to ``#export_trust``.

    Raises:
        AnswerError: the answer is empty, partial or malformed.
    """
    outside: list[Outside] = []
    untagged: dict[str, str] = {}
    vacuous: list[tuple[str, str]] = []
    for position, message in enumerate(messages):
        match message:
            case {"kind": "outside", "name": str(name), "how": str(how), "module": str(module)}:
                outside.append(Outside(name, how, module))
            case {"kind": "untagged", "name": str(name), "module": str(module)}:
                untagged[name] = module
            case {"kind": "vacuous", "name": str(name), "why": str(why)}:
                vacuous.append((name, why))
            case {
                "kind": "end",
                "count": int(count),
                "constants": int(constants),
                "kernel": kernel,
            }:
                if count != position or position != len(messages) - 1:
                    raise AnswerError(
                        f"Lean's answer is partial: it announces {count} messages about trust and "
                        f"{position} arrived before the end"
                    )
                if kernel is not None and not isinstance(kernel, str):
                    raise AnswerError(f"expected text or null but got kernel={kernel!r:.200}")
                return Trust(constants, kernel, tuple(outside), untagged, tuple(vacuous))
            case _:
                raise AnswerError(f"trust message {position} is not understood: {message!r:.200}")
    raise AnswerError("Lean's answer about trust has no end")
