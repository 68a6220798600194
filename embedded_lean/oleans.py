"""Writes Lean's own compiled modules, the `.olean` files, into the engine.

The published build compiled them as `module` files.  An ordinary file that imports such a
module sees only its public part, and the rest is not shipped; so the flag is cleared, in the
last four bytes of each file (a compiled module ends with its root object's last scalar fields).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from bridge.engine.errors import PatchError, UnpackError
from embedded_lean.pins import UNUSED_MODULES
from embedded_lean.unpack import regular_members

__all__ = ["LibraryCount", "clear_module_flag", "tree_hash", "write_library"]

_MAGIC = b"olean"
_FLAG_SET, _FLAG_CLEAR = b"\1\0\0\0", b"\0\0\0\0"
_REMEDY = "Do not use this package; report it. The official toolchain works too: --engine lake."


@dataclass(frozen=True, slots=True)
class LibraryCount:
    """How many compiled modules were written, and how many of them had the `module` flag."""

    modules: int
    flagged: int
    size_bytes: int


def write_library(
    archive: IO[bytes],
    folder: Path,
    on_bytes: Callable[[int], None] = lambda _count: None,
) -> LibraryCount:
    """Write the modules of `lean-lib.tar.gz` into `folder`, flags cleared, except unused ones.

    `on_bytes` is called with the number of bytes written so far.

    Raises:
        UnpackError: the archive contains something other than compiled modules.
        PatchError: a file is not a compiled module.
    """
    modules = flagged = size = 0
    for path, content in regular_members(archive, "lean-lib.tar.gz"):
        if path.suffix != ".olean":
            raise UnpackError(f"lean-lib.tar.gz: {path} is not a compiled module", remedy=_REMEDY)
        if path.parts[0].removesuffix(".olean") in UNUSED_MODULES:
            continue
        data, had_flag = clear_module_flag(content.read(), str(path))
        target = folder.joinpath(*path.parts)
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as file:
            file.write(data)
        modules += 1
        flagged += had_flag
        size += len(data)
        on_bytes(size)
    return LibraryCount(modules, flagged, size)


def clear_module_flag(data: bytes, name: str) -> tuple[bytes, bool]:
    """The compiled module without its `module` flag, and whether it had it.

    Raises:
        PatchError: the data is not a compiled module, or the flag has an unknown value.
    """
    if not data.startswith(_MAGIC):
        raise PatchError(f"{name}: starts with {data[:5]!r}, expected {_MAGIC!r}", remedy=_REMEDY)
    flag = data[-len(_FLAG_SET) :]
    if flag == _FLAG_CLEAR:
        return data, False
    if flag != _FLAG_SET:
        raise PatchError(f"{name}: its module flag is {flag.hex()}", remedy=_REMEDY)
    return data[: -len(_FLAG_SET)] + _FLAG_CLEAR, True


def tree_hash(folder: Path, on_bytes: Callable[[int], None] = lambda _count: None) -> str:
    """SHA-256 over the lines `<hash of file>  <relative path>` of all files, sorted by path."""
    lines = []
    size = 0
    for path in sorted(p for p in folder.rglob("*") if not p.is_dir()):
        data = path.read_bytes()
        size += len(data)
        on_bytes(size)
        lines.append(f"{hashlib.sha256(data).hexdigest()}  {path.relative_to(folder).as_posix()}\n")
    return hashlib.sha256("".join(sorted(lines, key=lambda line: line[66:])).encode()).hexdigest()
