"""Notices damage to the installed engine: cheaply at every start, thoroughly on request.

The manifest holds size and modification time of every installed file.  It catches accidents (a
disk that filled up, a cleaner that removed files); `verify_hashes` reads everything and
compares with the pinned hashes.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from embedded_lean import pins
from embedded_lean.layout import Layout
from embedded_lean.oleans import tree_hash

__all__ = ["damage", "file_hash", "verify_hashes", "write_manifest"]

_SHOWN = 3


def write_manifest(home: Path) -> int:
    """Write `manifest.json` for the files below `home`; returns their total size in bytes."""
    entries = _scan(home)
    text = json.dumps(entries, separators=(",", ":"))
    (home / "manifest.json").write_text(text, encoding="utf-8")
    return sum(size for size, _time in entries.values())


def damage(layout: Layout) -> str:
    """The differences between the manifest and the files; empty if there are none."""
    try:
        expected = msgspec.json.decode(layout.manifest.read_bytes(), type=dict[str, list[int]])
    except (OSError, ValueError):
        return "its manifest cannot be read"
    found: dict[str, list[int]] = {k: list(v) for k, v in _scan(layout.home).items()}
    missing = sorted(expected.keys() - found.keys())
    added = sorted(found.keys() - expected.keys())
    changed = sorted(
        name for name in expected.keys() & found.keys() if expected[name] != found[name]
    )
    parts = [
        f"{len(names)} files {what}, such as {', '.join(names[:_SHOWN])}"
        for what, names in (("are missing", missing), ("were added", added), ("changed", changed))
        if names
    ]
    return "; ".join(parts)


def verify_hashes(
    home: Path, on_bytes: Callable[[int], None] = lambda _count: None
) -> tuple[str, ...]:
    """Names among `pins.OUTPUTS` whose hash is not the pinned one; everything is read."""
    wrong = []
    done = 0
    for name, expected in pins.OUTPUTS.items():
        path = home / name
        if path.is_dir():
            before = done

            def report(count: int, before: int = before) -> None:
                on_bytes(before + count)

            found = tree_hash(path, report)
        elif path.is_file():
            found = file_hash(path)
            done += path.stat().st_size
            on_bytes(done)
        else:
            found = "missing"
        if found != expected:
            wrong.append(name)
    return tuple(wrong)


def file_hash(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _scan(home: Path) -> dict[str, tuple[int, int]]:
    """Relative path of every file except the manifest: (size in bytes, modification time in ns)."""
    found: dict[str, tuple[int, int]] = {}
    pending = [""]
    while pending:
        prefix = pending.pop()
        with os.scandir(home / prefix) as entries:
            for entry in entries:
                name = prefix + entry.name
                if entry.is_dir(follow_symlinks=False):
                    pending.append(name + "/")
                elif name != "manifest.json":
                    stat = entry.stat(follow_symlinks=False)
                    found[name] = stat.st_size, stat.st_mtime_ns
    return found
