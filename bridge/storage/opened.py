"""What a project's checks have read, while they were imported and while they ran.

A result depends on the data files, folders and environment variables that a check reads as much as
on its code.  Python reports each file that it opens, each folder that it lists, and each process or
connection that it starts to an audit hook; queries about a file without opening it, such as whether
it exists, go through `os.stat` and similar functions, which are watched.

What a library opens without Python is not seen.  If a project's check loads a foreign library
itself, or its code imports one that is known to open files in this way (``SILENT_READERS``), none
of its results is kept.

What an audit as a whole reads is recorded separately (:class:`Reads`): our own processes do not
count as a check's.

A path that ends in ``/`` stands for the names in a folder, ``$NAME`` for an environment variable,
``?PATH`` for the result of `os.stat` for a path.
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
"""Folders of Python and of its installed packages, not its whole prefix, which may be /usr."""

_NEW = os.O_WRONLY | os.O_TRUNC | os.O_EXCL
"""Flags with which no earlier content of a file is read; `r+` and `a+` read."""
_APART = tuple(
    # With the separator at its end: /development is not /dev.
    sorted(f"{folder.rstrip(os.sep)}{os.sep}" for folder in {*INSTALLED, "/proc", "/sys", "/dev"})
)
"""Python and its installed packages, which the key of a result covers by version."""

_LISTING = frozenset({"os.listdir", "os.scandir"})
_PROCESSES = ("subprocess.Popen", "os.system", "os.posix_spawn", "os.exec", "os.fork", "os.forkpty")
_LEAVING = frozenset((*_PROCESSES, "socket.connect", "socket.sendto"))
"""Events after which it is unknown what is read."""

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
"""Functions of `os` that query a path without reporting to an audit hook."""


@dataclass(eq=False, slots=True)
class Reads:
    """What was read while it was recorded.

    Attributes:
        first: by name, in the module's notation, the state when it was first read.
        left: whether a process was started, a network reached, or a foreign library loaded.
    """

    first: dict[str, str | None] = field(default_factory=dict)
    left: bool = False

    def note(self, name: str) -> None:
        """Note that something is being read."""
        if name not in self.first:
            self.first[name] = None  # so that no other thread looks it up too
            self.first[name] = _at_a_glance(name)

    def as_first_read(self, names: Iterable[str]) -> bool:
        """Whether these still have the state of their first read."""
        return all(_at_a_glance(name) == self.first[name] for name in names)


_of_checks = Reads()
_recorded: list[Reads] = []
"""The recordings in progress; one may occur several times."""
_installed = False
_own = threading.local()
"""Whether this thread itself reads states (``looking``), which is not recorded."""


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
    if path.endswith(".pyc"):  # Python reads it instead of the source, which is what may change
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
    """The present state of something that was read: for a file its time, size and inode."""
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
    """The files of an SQLite database: itself, and its journals."""
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
    """Whether an installed package does this during its import, not for a project's code."""
    frame = sys._getframe(2).f_back  # past the hook, and `ctypes` itself
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith("<frozen importlib"):
            return True
        if not file.startswith(_APART):
            return False
        frame = frame.f_back
    return True


def _watch_paths() -> None:
    """Note queries about a path without opening it; audit hooks do not receive these."""
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
            place = os.path.abspath(os.fsdecode(path))  # noqa: PTH100 - it must not query itself
            if not place.startswith(_APART):
                _add(f"?{place}")
        return original(path, *args, **kwargs)

    return asked


def _watch_environment() -> None:
    """Note which environment variables are read; Python reports none."""
    kind: Any = type(os.environ)
    original = kind.__getitem__

    def read(self: Any, key: Any) -> Any:
        if _recorded:
            _add(f"${os.fsdecode(key)}")
        return original(self, key)

    kind.__getitem__ = read


@contextlib.contextmanager
def recording(into: Reads | None = None) -> Iterator[None]:
    """Note what this process reads within the block: as checks' reads, or ``into`` other ones."""
    global _installed
    if not _installed:  # a hook cannot be removed
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
    """Whether a check recorded so far started a process, used a network or loaded a foreign
    library: what that read, or received, is unknown."""
    return _of_checks.left


def reads_silently(source: bytes) -> bool:
    """Whether this Python source imports a package that opens files without Python."""
    return _IMPORTS_ONE.search(source.decode("utf-8", "replace")) is not None


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _digest(name: str) -> str | None:
    """sha256 of a regular file, of the names in a folder, of a variable, or of what is known about
    a path; ``None`` if it cannot be read.  Names that Python itself makes in a folder do not
    count."""
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
    """The result of `os.stat` for a path, as far as a check may depend on it: for a folder only
    that it is one, since the cache itself may be in it."""
    found = os.stat(path)  # noqa: PTH116 - a link leads where it leads
    link = os.readlink(path) if os.path.islink(path) else ""  # noqa: PTH114, PTH115
    kind = f"{found.st_mode} {link}"
    return kind if stat.S_ISDIR(found.st_mode) else f"{kind} {found.st_size} {found.st_mtime_ns}"


def digests(names: Iterable[str] | None = None) -> dict[str, str | None]:
    """sha256 of everything recorded for checks so far, or of these names, by name; ``None`` for
    what does not exist.

    A check may behave differently once a file appears that it looked for in vain.
    """
    return {name: _digest(name) for name in sorted(_of_checks.first if names is None else names)}


def unchanged(files: Mapping[str, str | None]) -> bool:
    """Whether each of these is unchanged."""
    return all(_digest(name) == digest for name, digest in files.items())
