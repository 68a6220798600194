"""A command's output, kept with everything that it depends on.

If the same command is run again and nothing of that has changed, the outcome is the same, and it
can be printed without anything else: no Lean, no numpy, no new report.  Therefore this module
imports almost nothing.

An outcome is found by the command line, the folder, the terminal, this package's own code, Python
and its installed packages.  It counts while all files, folders and environment variables that were
read (`bridge.storage.opened`) are unchanged, and the repository is at the same commit.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import msgspec

from bridge import __version__
from bridge.storage import opened
from bridge.storage.atomic import write_atomically
from bridge.storage.bounded import Bound, mark_used
from bridge.storage.location import cache_folder

__all__ = ["Outcome", "OutcomeCache", "command_key", "write_files"]

BOUND = Bound(most_bytes=100_000_000, days=30)
_FORMAT = "outcome-2"
_PACKAGES = ("bridge", "embedded_lean", "numeric")


class Outcome(msgspec.Struct, frozen=True):
    """The outcome of a command.

    Attributes:
        printed: what it wrote to standard output.
        exit_code: its exit code.
        files: the text of each file that it wrote, by its path.
        project: the project's folder.
        repository: its commit, and the date of that.
        found: the time of the run, in UTC.
    """

    printed: str
    exit_code: int
    files: dict[str, str]
    project: str
    repository: tuple[str, str]
    found: str = ""


class _Content(msgspec.Struct, frozen=True):
    """An outcome with what was read, by its name (`bridge.storage.opened`)."""

    outcome: Outcome
    reads: dict[str, str | None]


class _Entry(msgspec.Struct, frozen=True):
    """An entry of the cache: the digest is over the text of the content."""

    digest: str
    content: msgspec.Raw


@cache
def _own_code() -> str:
    """sha256 over every file of this package."""
    root = Path(__file__).parents[2]
    digest = hashlib.sha256()
    for package in _PACKAGES:
        for folder, folders, names in os.walk(root / package):
            folders[:] = sorted(f for f in folders if f != "__pycache__")
            for name in sorted(names):
                data = Path(folder, name).read_bytes()
                digest.update(f"{folder}/{name}:{len(data)}:".encode() + data)
    return digest.hexdigest()


def _installed() -> list[str]:
    """Names and versions of installed packages; no metadata is parsed, which would take long."""
    found: set[str] = set()
    for folder in sys.path:
        with suppress(OSError):
            names = os.listdir(folder or ".")  # noqa: PTH208 - only names are needed
            found.update(n for n in names if n.endswith((".dist-info", ".egg-info", ".pth")))
    return sorted(found)


def command_key(arguments: Sequence[str]) -> str:
    """sha256 over a command and its environment: the folder, the terminal, this code, Python, its
    module search path, and its installed packages.

    Raises:
        OSError: the folder no longer exists, or our own code cannot be read.
    """
    out = sys.stdout
    terminal = (out.isatty(), shutil.get_terminal_size().columns, out.encoding)
    python = (__version__, sys.version, sys.executable, platform.machine())
    code = (sys.path, _own_code(), _installed())
    parts = (_FORMAT, [*arguments], str(Path.cwd()), terminal, python, code)
    return hashlib.sha256(ascii(parts).encode()).hexdigest()


class OutcomeCache:
    """A folder of outcomes.  A cache that cannot be written costs time, never an error."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or cache_folder() / "outcomes"

    def load(self, key: str) -> Outcome | None:
        """The outcome of the same command, if nothing that it read has changed since.

        The caller checks whether the repository is still at the same commit.
        """
        path = self.folder / f"{key}.json"
        try:
            entry = msgspec.json.decode(path.read_bytes(), type=_Entry)
            if entry.digest != hashlib.sha256(entry.content).hexdigest():
                return None
            kept = msgspec.json.decode(entry.content, type=_Content)
        except (OSError, ValueError):
            return None
        if not opened.unchanged(kept.reads):
            return None
        mark_used(path)
        return kept.outcome

    def store(self, key: str, outcome: Outcome, reads: opened.Reads) -> None:
        """Keep an outcome with what was read, unless some of that has changed meanwhile.

        Files in the cache itself are named by what they depend on, and do not count; nor do our own
        temporary files.
        """
        own = (f"{cache_folder()}{os.sep}", str(Path(tempfile.gettempdir()) / "obligations-"))
        names = [n for n in reads.first if not n.removeprefix("?").startswith(own)]
        if not reads.as_first_read(names):
            return
        now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
        kept = _Content(msgspec.structs.replace(outcome, found=now), opened.digests(names))
        with suppress(OSError, UnicodeEncodeError):  # a path may have bytes that are not text
            content = msgspec.json.encode(kept)
            entry = _Entry(hashlib.sha256(content).hexdigest(), msgspec.Raw(content))
            self.folder.mkdir(parents=True, exist_ok=True)
            write_atomically(self.folder / f"{key}.json", msgspec.json.encode(entry))
            BOUND.tidy(self.folder)


def write_files(files: Mapping[str, str]) -> None:
    """Write each file again.

    Raises:
        OSError: a folder cannot be written.
    """
    for name, text in files.items():
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text)
