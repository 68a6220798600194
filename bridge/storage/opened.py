"""Which files a project's checks have read, while they were imported and while they ran.

A result follows from the data files that a check reads as much as from its code.  Python reports
each file that it opens to an audit hook; what a library opens without Python, such as a Rust
extension, is not seen.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from pathlib import Path

__all__ = ["INSTALLED", "digests", "recording", "unchanged"]

INSTALLED = tuple(sysconfig.get_paths()[k] for k in ("stdlib", "platstdlib", "purelib", "platlib"))
"""Folders of Python and of what is installed in it; no more of its prefix, which may be /usr."""

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_APART = tuple(
    # With the separator at its end: /development is not /dev.
    sorted(f"{folder.rstrip(os.sep)}{os.sep}" for folder in {*INSTALLED, "/proc", "/sys", "/dev"})
)
"""Python and what is installed in it, which the key of a result covers by version."""

_seen: set[str] = set()
_installed = False
_recording = 0


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    if not _recording or event != "open" or not isinstance(arguments[0], str | bytes | os.PathLike):
        return
    flags = arguments[2]
    if isinstance(flags, int) and flags & _WRITING:
        return
    path = os.path.abspath(os.fsdecode(arguments[0]))  # noqa: PTH100 - a hook must not recurse
    if not path.startswith(_APART) and not path.endswith(".pyc"):
        _seen.add(path)


@contextlib.contextmanager
def recording() -> Iterator[None]:
    """Note the files that this process reads within the block."""
    global _installed, _recording
    if not _installed:  # a hook cannot be taken away again
        sys.addaudithook(_hook)
        _installed = True
    _recording += 1
    try:
        yield
    finally:
        _recording -= 1


def _digest(path: str) -> str | None:
    """sha256 of a regular file; ``None`` where there is none that can be read."""
    file = Path(path)
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else None
    except OSError:
        return None


def digests() -> dict[str, str | None]:
    """sha256 of every file that was recorded so far, by path; ``None`` for one that is not there.

    A check may do something else once a file appears that it asked for in vain.
    """
    return {path: _digest(path) for path in sorted(_seen)}


def unchanged(files: Mapping[str, str | None]) -> bool:
    """Whether each of these files still has the content that it had."""
    return all(_digest(path) == digest for path, digest in files.items())
