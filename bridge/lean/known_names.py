"""Names that a project's library had when a command last read it.

The shell's completion has to answer at once and may not start Lean.  The names may be out of date,
so nothing else uses them.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bridge.lean.answers import cache_folder
from bridge.storage.atomic import write_atomically

__all__ = ["Names", "remember", "remembered"]


@dataclass(frozen=True, slots=True)
class Names:
    """Keys, in the order of the sources, and exported graphs, without the root namespace."""

    keys: tuple[str, ...] = ()
    graphs: tuple[str, ...] = ()

    @property
    def declarations(self) -> tuple[str, ...]:
        """The theorems that the keys belong to."""
        return tuple(dict.fromkeys(key.rpartition(":")[0] for key in self.keys))


def _file(root: Path) -> Path:
    digest = hashlib.sha256(str(root.resolve()).encode()).hexdigest()
    return cache_folder() / "names" / f"{digest[:32]}.json"


def remember(root: Path, keys: Iterable[str], graphs: Iterable[str]) -> None:
    """Keep the names of the project in the folder ``root``; a failure loses only the names."""
    text = json.dumps({"keys": list(keys), "graphs": list(graphs)})
    path = _file(root)
    with contextlib.suppress(OSError):
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text)


def remembered(root: Path) -> Names:
    """The names kept for the project in the folder ``root``; empty if there are none."""
    try:
        return msgspec.json.decode(_file(root).read_bytes(), type=Names)
    except (OSError, ValueError):
        return Names()
