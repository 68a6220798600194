"""The interface of kernels: requests and answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bridge.errors import EngineError

__all__ = ["Kernel", "KernelAnswer", "KernelBrokeError"]


class KernelBrokeError(EngineError):
    """A kernel gave no complete answer, so its verdict is unknown."""


@dataclass(frozen=True, slots=True)
class KernelAnswer:
    """A kernel's answer about a whole export.

    Attributes:
        accepted: how many constants it accepted.
        refused: the constants that it did not accept, and why.
        complete: whether it reached the end of the export.  Otherwise the answer does not count.
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
        """Its name in reports."""

    @property
    def version(self) -> str:
        """Its version, or that of its Lean."""

    @property
    def known_bugs(self) -> str:
        """Proofs of False that it is known to accept; empty if none is known."""

    @property
    def fingerprint(self) -> str:
        """Changes whenever its answers may."""

    def check(self, export: Path, *, roots: Sequence[int], timeout: float) -> KernelAnswer:
        """Its answer about every constant of an export.

        Args:
            export: the file.
            roots: numbers of the tagged theorems, for a kernel that answers for whole exports only.
            timeout: seconds for one run.

        Raises:
            KernelBrokeError: it gave no complete answer.
        """
