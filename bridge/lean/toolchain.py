"""Whether the Lean that runs is the Lean that the project is written for.

`lean-toolchain` names a release, such as `leanprover/lean4:v4.28.0`.  Another release may accept or
refuse other proofs, so an audit by it says little about the project; if the file is missing, the
intended release is unknown.
"""

from __future__ import annotations

import re
from pathlib import Path

from bridge.engine import Engine

__all__ = ["TOOLCHAIN_NAME", "toolchain_doubt"]

TOOLCHAIN_NAME = "lean-toolchain"
_RELEASE = re.compile(r"v?(\d+)\.(\d+)\.(\d+)(?:-(rc\d+|nightly.*|pre))?")
_OFFICIAL = frozenset({"", "leanprover/lean4", "leanprover/lean4-nightly"})
"""Where releases come from; elan uses the first if none is named."""
_NIGHTLY = re.compile(r"nightly-(\d{4}-\d{2}-\d{2})")


def toolchain_doubt(project: Path, engine: Engine) -> str:
    """Why a Lean other than the project's may have run, as a clause; empty if it is the same.

    As for elan, the nearest file counts, in the project or above it.  A build before a release
    (`4.28.0-pre`) counts as that release: the report names it anyway.
    """
    run = f"Lean {engine.lean_version} was run"
    places = (folder / TOOLCHAIN_NAME for folder in (project, *project.parents))
    path = next((p for p in places if p.is_file()), None)
    if path is None:
        return f"which Lean the project is for: it has no {TOOLCHAIN_NAME} ({run})"
    try:
        text = path.read_text(encoding="utf-8-sig").strip()
    except (OSError, UnicodeDecodeError) as error:
        return f"which Lean the project is for: {TOOLCHAIN_NAME} cannot be read: {error} ({run})"
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) > 1:
        return (
            f"which Lean the project is for: {TOOLCHAIN_NAME} has {len(lines)} lines, "
            f"{lines[0]!r:.60} and {lines[1]!r:.60}; leave one in it, that of a release ({run})"
        )
    origin, _, name = text.rpartition(":")
    if origin not in _OFFICIAL:
        return f"whether the Lean of {origin}, which {TOOLCHAIN_NAME} names, says the same: {run}"
    wanted = _release(name)
    if wanted is None:
        return f"which Lean the project is for: {TOOLCHAIN_NAME} names no release: {text!r} ({run})"
    if wanted == _release(engine.lean_version):
        return ""
    return (
        f"whether Lean {name.removeprefix('v')}, which {TOOLCHAIN_NAME} names, says the same: {run}"
    )


def _release(text: str) -> tuple[str, ...] | None:
    """What distinguishes releases; None for a name of no release, such as `stable`."""
    if nightly := _NIGHTLY.search(text):
        return ("nightly", nightly[1])
    found = _RELEASE.fullmatch(text)
    if found is None:
        return None
    major, minor, patch, kind = found.groups()
    return (major, minor, patch, "" if kind in (None, "pre") else kind)
