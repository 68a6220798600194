"""Folders of cached files that stay small: the least recently used files are removed.

Files used within the last day stay, whatever their size: another process may rely on them.  Using a
file renews its time, so this works between processes and needs no index.
"""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Bound", "is_due", "mark_used"]

_DAY = 24 * 3600.0
_BETWEEN = 600.0
_MARKER = ".tidied"


@dataclass(frozen=True, slots=True)
class Bound:
    """How much a folder may hold, and for how long after a file's last use.

    ``pattern`` distinguishes the folder's entries from other files in it.
    """

    most_bytes: int
    days: float
    pattern: str = "*.json"

    def tidy(self, folder: Path, now: float | None = None) -> None:
        """Remove files that are too old, and the least recently used beyond the limit.

        This runs at most once in ten minutes.  A folder that cannot be written is left alone.
        """
        at = time.time() if now is None else now
        marker = folder.with_name(folder.name + _MARKER)
        with contextlib.suppress(OSError):
            if is_due(marker, at):
                self._remove(folder, at)

    def _remove(self, folder: Path, at: float) -> None:
        found = []
        for path in folder.glob(self.pattern):
            with contextlib.suppress(OSError):  # another process removed it
                status = path.stat()
                found.append((status.st_mtime, status.st_size, path))
        total = 0
        for used, size, path in sorted(found, key=lambda entry: -entry[0]):
            total += size
            if at - used < _DAY:
                continue
            if total > self.most_bytes or at - used > self.days * _DAY:
                with contextlib.suppress(OSError):
                    path.unlink()


def is_due(marker: Path, at: float) -> bool:
    """Whether the last time that this was so for ``marker`` is ten minutes ago; a file keeps it.

    Args:
        marker: the file.
        at: the present time, in seconds.

    Raises:
        OSError: the file cannot be written.
    """
    if marker.exists() and 0 <= at - marker.stat().st_mtime < _BETWEEN:
        return False
    marker.touch()
    os.utime(marker, (at, at))
    return True


def mark_used(path: Path) -> None:
    """Renew the time of a file's last use; a cache that is only read keeps its times."""
    with contextlib.suppress(OSError):
        os.utime(path)
