"""The file next to the lock that holds Lean's answer; the lock has its sha256."""

from __future__ import annotations

import gzip
from pathlib import Path

import msgspec

from bridge.errors import AnswerError, EngineError
from bridge.lean.locked_answer import SCHEMA, KeptAnswer, digest_of
from bridge.lean.requests import GraphRequest
from bridge.policy.lock import LOCK_NAME, read_lock
from bridge.storage.atomic import write_atomically

__all__ = ["ANSWER_NAME", "open_kept", "write_kept"]

ANSWER_NAME = "statements.lock.answer.json.gz"
RENEW = "write it with `obligations lock`, where Lean is available"


def write_kept(project: Path, text: str) -> None:
    """Keep a packed answer in the project's folder."""
    write_atomically(project / ANSWER_NAME, gzip.compress(text.encode(), 9, mtime=0))


def open_kept(project: Path) -> KeptAnswer:
    """The answer kept in the project's folder.

    Raises:
        EngineError: there is none, or no lock next to it.
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
        value = msgspec.json.decode(text)
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
