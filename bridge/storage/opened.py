"""What a project's checks have read, while they were imported and while they ran.

A result follows from the data files, folders and environment variables that a check reads as much
as from its code.  Python reports each file that it opens, each folder that it lists, and each
process or connection that it starts to an audit hook; what a library opens without Python, such as
a Rust extension, is not seen.

A path that ends in ``/`` stands for the names in a folder, ``$NAME`` for an environment variable.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from importlib.util import source_from_cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

__all__ = ["INSTALLED", "digests", "left_python", "recording", "unchanged"]

INSTALLED = tuple(sysconfig.get_paths()[k] for k in ("stdlib", "platstdlib", "purelib", "platlib"))
"""Folders of Python and of what is installed in it; no more of its prefix, which may be /usr."""

_NEW = os.O_WRONLY | os.O_TRUNC | os.O_EXCL
"""Flags of a file of which nothing is read that was there before; `r+` and `a+` read."""
_APART = tuple(
    # With the separator at its end: /development is not /dev.
    sorted(f"{folder.rstrip(os.sep)}{os.sep}" for folder in {*INSTALLED, "/proc", "/sys", "/dev"})
)
"""Python and what is installed in it, which the key of a result covers by version."""

_LISTING = frozenset({"os.listdir", "os.scandir"})
_PROCESSES = ("subprocess.Popen", "os.system", "os.posix_spawn", "os.exec", "os.fork", "os.forkpty")
_LEAVING = frozenset((*_PROCESSES, "socket.connect", "socket.sendto"))
"""What is read beyond these, no one here can tell."""

_seen: set[str] = set()
_installed = False
_recording = 0
_left = False


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    global _left
    if not _recording:
        return
    if event in _LEAVING:
        _left = True
    if event == "sqlite3.connect":  # SQLite opens its files itself
        for path in _database(arguments[0]):
            _note(path)
    if event != "open" and event not in _LISTING:
        return
    place = "." if event in _LISTING and arguments[0] is None else arguments[0]
    if not isinstance(place, str | bytes | os.PathLike):
        return
    flags = arguments[2] if event == "open" else 0
    if isinstance(flags, int) and flags & _NEW:
        return
    path = os.path.abspath(os.fsdecode(place))  # noqa: PTH100 - a hook must not recurse
    if event in _LISTING:
        path = path.rstrip(os.sep) + os.sep
    if path.endswith(".pyc"):  # Python reads it in place of the source, which is what may change
        try:
            path = source_from_cache(path)
        except ValueError:
            return
    _note(path)


def _note(path: str) -> None:
    if not path.startswith(_APART):
        _seen.add(path)


def _database(place: object) -> tuple[str, ...]:
    """The files of a database of SQLite: itself, and what is not yet written into it."""
    if not isinstance(place, str | bytes | os.PathLike):
        return ()
    name = os.fsdecode(place)
    if name.startswith("file:"):
        name = unquote(urlsplit(name).path)
    if name in ("", ":memory:"):
        return ()
    path = os.path.abspath(name)  # noqa: PTH100 - a hook must not recurse
    return (path, f"{path}-wal", f"{path}-journal")


def _watch_environment() -> None:
    """Note which variables are read; Python reports none of them itself."""
    kind: Any = type(os.environ)
    original = kind.__getitem__

    def read(self: Any, key: Any) -> Any:
        if _recording:
            _seen.add(f"${os.fsdecode(key)}")
        return original(self, key)

    kind.__getitem__ = read


@contextlib.contextmanager
def recording() -> Iterator[None]:
    """Note what this process reads within the block."""
    global _installed, _recording
    if not _installed:  # a hook cannot be taken away again
        sys.addaudithook(_hook)
        _watch_environment()
        _installed = True
    _recording += 1
    try:
        yield
    finally:
        _recording -= 1


def left_python() -> bool:
    """Whether something recorded so far started a process or spoke to a network: what that read, or
    received, is not known."""
    return _left


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _digest(name: str) -> str | None:
    """sha256 of a regular file, of the names in a folder, or of a variable; ``None`` where there is
    none that can be read.  Names that Python itself makes in a folder do not count."""
    if name.startswith("$"):
        value = os.environ.get(name[1:])
        return None if value is None else _sha(os.fsencode(value))
    try:
        if name.endswith(os.sep):
            names = (n for n in os.listdir(name) if n != "__pycache__")  # noqa: PTH208
            return _sha(os.fsencode("/".join(sorted(names))))
        file = Path(name)
        return _sha(file.read_bytes()) if file.is_file() else None
    except OSError:
        return None


def digests() -> dict[str, str | None]:
    """sha256 of all that was recorded so far, by its name; ``None`` for what is not there.

    A check may do something else once a file appears that it asked for in vain.
    """
    return {name: _digest(name) for name in sorted(_seen)}


def unchanged(files: Mapping[str, str | None]) -> bool:
    """Whether each of these still is what it was."""
    return all(_digest(name) == digest for name, digest in files.items())
