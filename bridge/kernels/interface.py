"""What a kernel is asked, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bridge.errors import EngineError

__all__ = ["Kernel", "KernelAnswer", "KernelBrokeError"]


class KernelBrokeError(EngineError):
    """A kernel gave no complete answer, so that nothing is known of what it would say."""


@dataclass(frozen=True, slots=True)
class KernelAnswer:
    """What a kernel said of a whole export.

    Attributes:
        accepted: how many constants it took.
        refused: the constants that it did not take, and why.
        complete: whether it got to the end of the export.  Nothing else counts.
        undecided: how many constants it was not asked about without a refused one above them.
    """

    accepted: int
    refused: Mapping[str, str]
    complete: bool
    undecided: int = 0


class Kernel(Protocol):
    """Something that checks an export and reads nothing else."""

    @property
    def name(self) -> str:
        """What it is called in reports."""

    @property
    def version(self) -> str:
        """The Lean that it is, or its own version."""

    @property
    def known_bugs(self) -> str:
        """Proofs of False that it is known to take; empty where none is known."""

    @property
    def fingerprint(self) -> str:
        """Changes whenever its answers may."""

    def check(self, export: Path, *, roots: Sequence[int], timeout: float) -> KernelAnswer:
        """What it says of every constant of an export.

        Args:
            export: the file.
            roots: numbers of the tagged theorems, for a kernel that answers for whole exports only.
            timeout: seconds for one run.

        Raises:
            KernelBrokeError: it gave no complete answer.
        """
