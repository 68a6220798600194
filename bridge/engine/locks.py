"""A lock between processes, by a file that the operating system unlocks when its holder dies."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bridge.engine.errors import LockTimeoutError

__all__ = ["file_lock"]

_POLL_SECONDS = 0.1


@contextmanager
def file_lock(
    path: Path,
    *,
    timeout: float,
    on_wait: Callable[[], None] | None = None,
) -> Iterator[None]:
    """Hold the lock `path` for the body; wait up to `timeout` seconds for it.

    The file itself stays: removing it would let two processes lock two files of one name.
    `on_wait` is called once if somebody else holds the lock.

    Raises:
        LockTimeoutError: it was not free in time.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        deadline = time.monotonic() + timeout
        told = False
        while not _try_lock(descriptor):
            if not told and on_wait is not None:
                on_wait()
            told = True
            if time.monotonic() > deadline:
                raise LockTimeoutError(
                    f"another process has held {path} for more than {timeout:.0f} s",
                    remedy="Wait for the other command to end, or end it, and try again.",
                )
            time.sleep(_POLL_SECONDS)
        yield
    finally:
        os.close(descriptor)  # which unlocks


if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
