"""Lean's answer, kept next to the lock, so that numbers can be computed without Lean.

`obligations lock` writes what Lean said into ``statements.lock.answer.json.gz``; ``--engine lock``
reads it instead of asking.  Then nothing checks whether the theorems still compile: every Lean
status is ``unchecked``, and the audit is incomplete.  The lock holds the answer's sha256, and the
answer the sha256 of its Lean sources.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bridge.engine import (
    EVERYTHING,
    BuildProgress,
    BuildReport,
    Engine,
    EngineKind,
    LeanMessage,
    Recheck,
)
from bridge.errors import EngineError
from bridge.lean.client import Answer
from bridge.lean.requests import GraphRequest

__all__ = ["SCHEMA", "KeptAnswer", "digest_of", "pack"]

SCHEMA = "obligations-answer/1"


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """An engine without Lean: it repeats an answer that Lean gave earlier.

    Attributes:
        lean_version: version of the Lean that answered.
        source: that Lean, described in words.
        sources: sha256 of the Lean sources that it answered for.
        graphs: the graphs that were requested.
        answer: its answer.
        digest: sha256 of all this.
        files: the states of the files that Lean asked for while it compiled these sources.
    """

    lean_version: str
    source: str
    sources: str
    graphs: tuple[GraphRequest, ...]
    answer: Answer
    digest: str
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> EngineKind:
        """``lock``."""
        return "lock"

    @property
    def official(self) -> bool:
        """False: no Lean answered now, whichever did then."""
        return False

    @property
    def prefers_batch(self) -> bool:
        """False: it has no batch mode."""
        return False

    @property
    def fingerprint(self) -> str:
        """Changes with the answer."""
        return self.digest

    def describe(self) -> str:
        """One line for reports."""
        return f"no Lean was run: statements and graphs as locked, from {self.source}"

    def server_command(self, project: Path) -> list[str]:
        """There is no server.

        Raises:
            EngineError: always.
        """
        raise _no_lean()

    def begin(self, project: Path) -> None:
        """Nothing is started."""

    def build(
        self, project: Path, *, progress: BuildProgress | None = None, jobs: int | None = None
    ) -> BuildReport:
        """Nothing can be compiled.

        Raises:
            EngineError: always.
        """
        raise _no_lean()

    def run_document(
        self, project: Path, text: str, *, timeout: float, output: Path | None = None
    ) -> tuple[LeanMessage, ...] | None:
        """Nothing is run."""
        return None

    def until(self, over: threading.Event) -> None:
        """It runs none."""

    def files_asked(self, project: Path) -> Mapping[str, str] | None:
        """Their states when Lean answered."""
        return self.files

    def compiled_digests(self, project: Path) -> Mapping[str, str] | None:
        """Nothing is compiled."""
        return None

    def programs(self, project: Path) -> Path | None:
        """There is no Lean."""
        return None

    def recheck(self, project: Path, modules: Sequence[str], *, timeout: float) -> Recheck | None:
        """Nothing is checked."""
        return None


def _no_lean() -> EngineError:
    return EngineError(
        "--engine lock runs no Lean, and this needs one",
        remedy="leave --engine out, or choose lake or embedded",
    )


def pack(
    engine: Engine,
    sources: str,
    graphs: Sequence[GraphRequest],
    answer: Answer,
    files: Mapping[str, str],
) -> str:
    """An answer as text: the same answer of the same Lean gives the same text, on any machine.

    If it is unknown which files Lean asked for, none are kept: a change of any file would count.
    """
    known = {name: state for name, state in files.items() if name != EVERYTHING}
    source = f"{'official' if engine.official else 'unofficial'} Lean {engine.lean_version}"
    value = {
        "schema": SCHEMA,
        "lean": {"version": engine.lean_version, "source": source},
        "sources": sources,
        **({"files": known} if known else {}),
        "graphs": [[g.name, [list(pair) for pair in g.sizes]] for g in graphs],
        "answer": {section: list(messages) for section, messages in sorted(answer.items())},
    }
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def digest_of(text: str) -> str:
    """sha256 of a packed answer."""
    return hashlib.sha256(text.encode()).hexdigest()
