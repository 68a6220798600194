"""`statements.lock.json`: the statements that the project accepted.

For each obligation the lock keeps the statement as text, the hash of its own term, the hash over
every definition of the project that it unfolds to, and the hash of the check that judges it.  Text
is for
people: two different statements can print alike, so only hashes decide.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from bridge.decoding import typed
from bridge.errors import InvalidInputError
from bridge.lean.obligation import Obligation
from bridge.storage.atomic import write_atomically

__all__ = ["LOCK_NAME", "Drift", "DriftKind", "Lock", "Locked", "drifts", "read_lock", "write_lock"]

LOCK_NAME = "statements.lock.json"
SCHEMA = "obligations-lock/1"
RESTORE = (
    "take it from version control; or remove it, and `obligations lock` writes one that accepts "
    "everything as it is"
)


class DriftKind(StrEnum):
    """How an obligation differs from the lock."""

    ADDED = "added"
    REMOVED = "removed"
    STATEMENT = "statement changed"
    DEFINITION = "definition changed"
    CHECK = "check changed"


class Locked(Struct, frozen=True, forbid_unknown_fields=True):
    """One obligation as it was accepted; ``reason`` is the reason, if one was given."""

    statement: str
    term_hash: str
    statement_hash: str
    check: str | None
    check_hash: str | None
    reason: str = ""


class Lock(Struct, frozen=True, forbid_unknown_fields=True, tag_field="schema", tag=SCHEMA):
    """All accepted obligations by key, and hashes of the definitions below them by name.

    ``answer`` is the sha256 of Lean's answer, which is next to the lock: see `answer_file`.
    """

    obligations: Mapping[str, Locked]
    definitions: Mapping[str, str]
    answer: str | None = None


@dataclass(frozen=True, slots=True)
class Drift:
    """One difference.  ``definitions`` names what changed below the statement."""

    key: str
    kind: DriftKind
    old: str
    new: str
    definitions: tuple[str, ...] = ()

    @property
    def makes_stale(self) -> bool:
        """Whether a check that was accepted before may no longer fit."""
        return self.kind in (DriftKind.STATEMENT, DriftKind.DEFINITION)


def locked(obligation: Obligation, check: str | None, check_hash: str | None) -> Locked:
    """The lock's entry for an obligation as it is now."""
    return Locked(
        obligation.statement,
        obligation.term_hash,
        obligation.statement_hash,
        check,
        check_hash,
    )


def drifts(old: Lock, new: Lock) -> tuple[Drift, ...]:
    """Every difference between two locks, in the order of the new one, removed ones last."""
    found: list[Drift] = []
    for key, now in new.obligations.items():
        before = old.obligations.get(key)
        if before is None:
            found.append(Drift(key, DriftKind.ADDED, "", now.statement))
        elif before.term_hash != now.term_hash:
            found.append(Drift(key, DriftKind.STATEMENT, before.statement, now.statement))
        elif before.statement_hash != now.statement_hash:
            changed = _changed(old.definitions, new.definitions)
            found.append(Drift(key, DriftKind.DEFINITION, before.statement, now.statement, changed))
        elif (before.check, before.check_hash) != (now.check, now.check_hash):
            found.append(Drift(key, DriftKind.CHECK, before.check or "none", now.check or "none"))
    for key, before in old.obligations.items():
        if key not in new.obligations:
            found.append(Drift(key, DriftKind.REMOVED, before.statement, ""))
    return tuple(found)


def _changed(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(sorted(n for n in old.keys() | new.keys() if old.get(n) != new.get(n)))


def accept(old: Lock, new: Lock, keys: Iterable[str], reason: str) -> Lock:
    """``old`` with these obligations as they are in ``new``.

    Definitions are updated only if that leaves no other obligation behind: while one is still
    stale, the old definitions stay, so that it still names what changed.
    """
    merged = dict(old.obligations)
    for key in keys:
        if key in new.obligations:
            merged[key] = replace(new.obligations[key], reason=reason)
        else:
            merged.pop(key, None)
    lock = Lock(merged, old.definitions, new.answer)
    left = any(d.kind is DriftKind.DEFINITION for d in drifts(lock, new))
    return lock if left else Lock(merged, new.definitions, new.answer)


def read_lock(path: Path) -> Lock | None:
    """The lock at ``path``; ``None`` if there is none.

    Raises:
        InvalidInputError: the file is not a lock of this version.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as e:
        raise InvalidInputError(f"{path.name} is not JSON: {e}", remedy=RESTORE) from e
    return typed(value, Lock, path.name, InvalidInputError, remedy=RESTORE)


def write_lock(path: Path, lock: Lock) -> None:
    """Write the lock; readers see the old or the new one, never half of it."""
    value = {
        "schema": SCHEMA,
        "answer": lock.answer,
        "obligations": dict(sorted(lock.obligations.items())),
        "definitions": dict(sorted(lock.definitions.items())),
    }
    text = json.dumps(msgspec.to_builtins(value), indent=1, ensure_ascii=False)
    write_atomically(path, text + "\n")
