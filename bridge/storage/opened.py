"""What a project's checks have read, while they were imported and while they ran.

A result follows from the data files, folders and environment variables that a check reads as much
as from its code.  Python reports each file that it opens, each folder that it lists, and each
process or connection that it starts to an audit hook; what is asked of a file without opening it,
such as whether it exists, passes through `os.stat` and its like, which are watched.

What a library opens without Python is not seen.  Where a project's check loads a foreign library
itself, or its code imports one that is known to open files so (``SILENT_READERS``), no result of it
is kept.

What an audit as a whole reads is recorded apart from that (:class:`Reads`): a process of ours is
none of a check.

A path that ends in ``/`` stands for the names in a folder, ``$NAME`` for an environment variable,
``?PATH`` for what `os.stat` says of a path.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import re
import stat
import sys
import sysconfig
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.util import source_from_cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

__all__ = [
    "INSTALLED",
    "Reads",
    "digests",
    "left_python",
    "reads_silently",
    "recording",
    "unchanged",
]

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

SILENT_READERS = (
    *("ctypes", "cffi", "cppyy", "safetensors", "h5py", "tables", "netCDF4", "pyarrow", "polars"),
    *("duckdb", "lmdb", "cv2", "soundfile", "rasterio", "tensorflow", "tensorstore", "osgeo"),
)
"""Packages that open files in C, C++ or Rust."""
_IMPORTS_ONE = re.compile(
    rf"^[ \t]*(?:from|import)[ \t]+(?:[\w.]+(?:[ \t]+as[ \t]+\w+)?[ \t]*,[ \t]*)*"
    rf"(?:{'|'.join(SILENT_READERS)})\b|\b(?:__import__|import_module)\(\s*[\"']"
    rf"(?:{'|'.join(SILENT_READERS)})\b",
    re.MULTILINE,
)
_ASKING = ("stat", "lstat", "access", "readlink")
"""Functions of `os` that ask something of a path and report to no audit hook."""


@dataclass(eq=False, slots=True)
class Reads:
    """What was read while it was recorded.

    Attributes:
        first: by its name, as the module's text says, what it was when it was first read.
        left: whether a process was started, a network reached, or a foreign library loaded.
    """

    first: dict[str, str | None] = field(default_factory=dict)
    left: bool = False

    def note(self, name: str) -> None:
        """Note that something is being read."""
        if name not in self.first:
            self.first[name] = None  # so that no other thread looks, too
            self.first[name] = _at_a_glance(name)

    def as_first_read(self, names: Iterable[str]) -> bool:
        """Whether these are now what they were when they were first read."""
        return all(_at_a_glance(name) == self.first[name] for name in names)


_of_checks = Reads()
_recorded: list[Reads] = []
"""Those that are recorded now, as often as they are."""
_installed = False
_own = threading.local()
"""Whether this thread looks for itself at what is read (``looking``), which is not recorded."""


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    if not _recorded or getattr(_own, "looking", False):
        return
    if event in _LEAVING or (event == "ctypes.dlopen" and not _by_import()):
        for reads in _recorded:
            reads.left = True
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
        _add(path)


def _add(name: str) -> None:
    if not getattr(_own, "looking", False):
        for reads in _recorded:
            reads.note(name)


def _at_a_glance(name: str) -> str | None:
    """What something that was read is now: of a file its time, size and place on the disk."""
    _own.looking = True
    try:
        if name.startswith(("$", "?")) or name.endswith(os.sep):
            return _digest(name)
        found = os.stat(name)  # noqa: PTH116 - as `_state`
        return f"{found.st_mtime_ns} {found.st_size} {found.st_ino}"
    except OSError:
        return None
    finally:
        _own.looking = False


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


def _by_import() -> bool:
    """Whether an installed package does this while it is imported, and not for the code of a
    project."""
    frame = sys._getframe(2).f_back  # behind the hook, and `ctypes` itself
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith("<frozen importlib"):
            return True
        if not file.startswith(_APART):
            return False
        frame = frame.f_back
    return True


def _watch_paths() -> None:
    """Note what is asked of a path without opening it; no audit hook hears of that."""
    for name in _ASKING:
        original = getattr(os, name)
        asked = _noting(original)
        setattr(os, name, asked)
        for among in (os.supports_dir_fd, os.supports_fd, os.supports_follow_symlinks):
            if original in among:
                among.add(asked)


def _noting(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def asked(path: Any, *args: Any, **kwargs: Any) -> Any:
        if _recorded and isinstance(path, str | bytes | os.PathLike):
            place = os.path.abspath(os.fsdecode(path))  # noqa: PTH100 - it must not ask itself
            if not place.startswith(_APART):
                _add(f"?{place}")
        return original(path, *args, **kwargs)

    return asked


def _watch_environment() -> None:
    """Note which variables are read; Python reports none of them itself."""
    kind: Any = type(os.environ)
    original = kind.__getitem__

    def read(self: Any, key: Any) -> Any:
        if _recorded:
            _add(f"${os.fsdecode(key)}")
        return original(self, key)

    kind.__getitem__ = read


@contextlib.contextmanager
def recording(into: Reads | None = None) -> Iterator[None]:
    """Note what this process reads within the block: as what checks read, or ``into`` another."""
    global _installed
    if not _installed:  # a hook cannot be taken away again
        sys.addaudithook(_hook)
        _watch_environment()
        _watch_paths()
        _installed = True
    reads = _of_checks if into is None else into
    _recorded.append(reads)
    try:
        yield
    finally:
        _recorded.remove(reads)


def left_python() -> bool:
    """Whether a check recorded so far started a process, spoke to a network or loaded a foreign
    library: what that read, or received, is not known."""
    return _of_checks.left


def reads_silently(source: bytes) -> bool:
    """Whether this Python source imports a package that opens files without Python."""
    return _IMPORTS_ONE.search(source.decode("utf-8", "replace")) is not None


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _digest(name: str) -> str | None:
    """sha256 of a regular file, of the names in a folder, of a variable, or of what is known of a
    path; ``None`` where there is none that can be read.  Names that Python itself makes in a folder
    do not count."""
    if name.startswith("$"):
        value = os.environ.get(name[1:])
        return None if value is None else _sha(os.fsencode(value))
    try:
        if name.startswith("?"):
            return _sha(_state(name[1:]).encode())
        if name.endswith(os.sep):
            names = (n for n in os.listdir(name) if n != "__pycache__")  # noqa: PTH208
            return _sha(os.fsencode("/".join(sorted(names))))
        file = Path(name)
        return _sha(file.read_bytes()) if file.is_file() else None
    except OSError:
        return None


def _state(path: str) -> str:
    """What `os.stat` says of a path, as far as a check may rest on it: of a folder only that it is
    one, for the cache itself may be in it."""
    found = os.stat(path)  # noqa: PTH116 - a link leads where it leads
    link = os.readlink(path) if os.path.islink(path) else ""  # noqa: PTH114, PTH115
    kind = f"{found.st_mode} {link}"
    return kind if stat.S_ISDIR(found.st_mode) else f"{kind} {found.st_size} {found.st_mtime_ns}"


def digests(names: Iterable[str] | None = None) -> dict[str, str | None]:
    """sha256 of all that was recorded of checks so far, or of what these names stand for, by its
    name; ``None`` for what is not there.

    A check may do something else once a file appears that it asked for in vain.
    """
    return {name: _digest(name) for name in sorted(_of_checks.first if names is None else names)}


def unchanged(files: Mapping[str, str | None]) -> bool:
    """Whether each of these still is what it was."""
    return all(_digest(name) == digest for name, digest in files.items())
