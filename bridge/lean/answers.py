"""Lean's answers, kept by the hash of everything they depend on.

An unchanged library costs nothing the second time.  An entry names the files of the project that
Lean asked for while it compiled the sources, and is a miss if one of them has changed.  Entries are
written atomically and carry a digest of their own content; a damaged entry is a miss.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bridge.engine import unchanged
from bridge.lean.client import Answer
from bridge.storage.atomic import write_atomically
from bridge.storage.bounded import Bound, mark_used
from bridge.storage.location import cache_folder

__all__ = ["AnswerCache", "cache_folder"]

BOUND = Bound(most_bytes=500_000_000, days=90)


class _Entry(msgspec.Struct, frozen=True):
    """As `_dump` writes it: the digest is over the text of the answer and of the files."""

    key: str
    digest: str
    answer: msgspec.Raw
    files: msgspec.Raw


@dataclass(frozen=True, slots=True)
class AnswerCache:
    """A folder of answers.  A cache that cannot be written costs time, never an error."""

    folder: Path

    @classmethod
    def default(cls) -> AnswerCache:
        """The cache in the user's cache folder."""
        return cls(cache_folder() / "answers")

    @staticmethod
    def key(*parts: str) -> str:
        """sha256 over the parts; each is framed by its length, so that no two lists collide."""
        digest = hashlib.sha256()
        for part in parts:
            data = part.encode()
            digest.update(b"%d:" % len(data) + data)
        return digest.hexdigest()

    def path(self, key: str) -> Path:
        """Where an answer is kept."""
        return self.folder / f"{key}.json"

    def load(self, key: str, project: Path) -> Answer | None:
        """The answer stored under ``key``; ``None`` if there is no intact one, or if a file of
        ``project`` that it depends on has changed."""
        found = self.load_with_files(key, project)
        return None if found is None else found[0]

    def load_with_files(self, key: str, project: Path) -> tuple[Answer, dict[str, str]] | None:
        """Like :meth:`load`, with the states of these files by path."""
        try:
            data = self.path(key).read_bytes()
            entry = msgspec.json.decode(data, type=_Entry)
            kept = bytes(entry.answer).decode(), bytes(entry.files).decode()
            if entry.key != key or entry.digest != self.key(*kept):
                return None
            files = msgspec.json.decode(entry.files, type=dict[str, str])
            if not unchanged(project, files):
                return None
            answer = msgspec.json.decode(entry.answer, type=dict[str, tuple[object, ...]])
        except (OSError, ValueError, RecursionError):
            return None
        mark_used(self.path(key))
        return answer, files

    def store(self, key: str, answer: Answer, files: Mapping[str, str]) -> None:
        """Keep ``answer`` under ``key``; ``files`` are the states of what it depends on besides the
        key, by path: see :mod:`bridge.engine.asked`."""
        body = {section: list(messages) for section, messages in answer.items()}
        digest = self.key(_dump(body), _dump(dict(files)))
        entry = {"key": key, "digest": digest, "answer": body, "files": dict(files)}
        with contextlib.suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            write_atomically(self.path(key), _dump(entry))
        BOUND.tidy(self.folder)


def _dump(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
