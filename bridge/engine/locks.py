"""A lock between processes, by the library `filelock`, with errors that say what to do."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from bridge.engine.errors import CacheUnusableError, LockTimeoutError

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

    The operating system frees the lock when its holder dies.  `on_wait` is called once if another
    process holds it.

    Raises:
        LockTimeoutError: it was not free in time.
        CacheUnusableError: the folder cannot be written, or its file system has no locks.  This is
            raised at once: only a lock that another process holds is waited for.
    """
    # Without a lock by the kernel, a marker file would outlive a killed process.
    lock = FileLock(path, poll_interval=_POLL_SECONDS, fallback_to_soft=False, thread_local=False)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _acquire(lock, timeout, on_wait)
    except Timeout:
        raise LockTimeoutError(
            f"another process has held {path} for more than {timeout:.0f} s",
            remedy="Wait for the other command to end, or end it, and try again.",
        ) from None
    except (OSError, NotImplementedError) as error:
        number = error.errno if isinstance(error, OSError) else None
        why = os.strerror(number) if number else str(error)
        raise CacheUnusableError(
            f"{path} cannot be locked: {why}",
            remedy="Set LEAN_OBLIGATIONS_CACHE to a folder that you may write to, on a disk of "
            "this machine: some network file systems have no locks.",
        ) from error
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # the body's own error, if any, is what matters
            lock.release()


def _acquire(lock: FileLock, timeout: float, on_wait: Callable[[], None] | None) -> None:
    started = time.monotonic()
    try:
        lock.acquire(timeout=0)
    except Timeout:
        if on_wait is not None:
            on_wait()
        lock.acquire(timeout=max(0.0, timeout - (time.monotonic() - started)))
