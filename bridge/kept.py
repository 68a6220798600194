"""Lean's answer, kept beside the lock, so that numbers can be had where there is no Lean.

`obligations lock` writes what Lean said into ``statements.lock.answer.json.gz``; ``--engine lock``
reads it instead of asking.  Nobody looks then whether the theorems still compile: every Lean status
is ``unchecked``, and the audit is incomplete.  The lock holds the answer's sha256, and the answer
that of the Lean sources it was given for.
"""

from __future__ import annotations

import gzip
import hashlib
import json
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
from bridge.errors import AnswerError, EngineError
from bridge.files import write_atomically
from bridge.lean_client import Answer, GraphRequest
from bridge.lock import LOCK_NAME, read_lock

__all__ = ["ANSWER_NAME", "KeptAnswer", "digest_of", "open_kept", "pack", "write_kept"]

ANSWER_NAME = "statements.lock.answer.json.gz"
SCHEMA = "obligations-answer/1"
RENEW = "write it with `obligations lock`, where there is a Lean"


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """An engine that is no engine: it says again what Lean once said.

    Attributes:
        lean_version: version of the Lean that answered.
        source: what that Lean was, in words.
        sources: sha256 of the Lean sources that it answered for.
        graphs: the graphs that it was asked for.
        answer: what it said.
        digest: sha256 of all this.
        files: what lay under the paths that Lean asked for while it compiled these sources.
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
        """False: whatever Lean answered once, none did now."""
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

    def files_asked(self, project: Path) -> Mapping[str, str] | None:
        """What they were when Lean answered."""
        return self.files

    def recheck(self, project: Path, modules: Sequence[str], *, timeout: float) -> Recheck | None:
        """Nobody checks anything."""
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

    Where nobody knows which files Lean asked for, none are kept: a change of any would count.
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


def write_kept(project: Path, text: str) -> None:
    """Keep a packed answer in the project's folder."""
    write_atomically(project / ANSWER_NAME, gzip.compress(text.encode(), 9, mtime=0))


def open_kept(project: Path) -> KeptAnswer:
    """The answer that is kept in the project's folder.

    Raises:
        EngineError: there is none, or no lock beside it.
        AnswerError: it is not the one that the lock names, or it is damaged.
    """
    lock = read_lock(project / LOCK_NAME)
    if lock is None:
        raise EngineError(f"--engine lock: there is no {LOCK_NAME}", remedy=RENEW)
    try:
        data = (project / ANSWER_NAME).read_bytes()
    except FileNotFoundError:
        raise EngineError(f"--engine lock: there is no {ANSWER_NAME}", remedy=RENEW) from None
    try:
        text = gzip.decompress(data).decode("utf-8")
        digest = digest_of(text)
        if digest != lock.answer:
            raise AnswerError(
                f"{ANSWER_NAME} is not the answer that {LOCK_NAME} names: its sha256 is {digest}, "
                f"expected {lock.answer}",
                remedy=RENEW,
            )
        value = json.loads(text)
        if value["schema"] != SCHEMA:
            raise ValueError(f"its schema is {value['schema']!r}, expected {SCHEMA!r}")
        return KeptAnswer(
            lean_version=str(value["lean"]["version"]),
            source=str(value["lean"]["source"]),
            sources=str(value["sources"]),
            graphs=tuple(
                GraphRequest(name, tuple((size, int(n)) for size, n in sizes))
                for name, sizes in value["graphs"]
            ),
            answer={section: tuple(messages) for section, messages in value["answer"].items()},
            digest=digest,
            files={str(k): str(v) for k, v in value.get("files", {}).items()},
        )
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError) as e:
        raise AnswerError(f"{ANSWER_NAME} is damaged: {e}", remedy=RENEW) from e
