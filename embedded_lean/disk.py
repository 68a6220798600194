"""Explains errors of the file system: which folder, why, and what to do."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bridge.engine.errors import CacheUnusableError
from bridge.storage.location import CACHE_VARIABLE

__all__ = ["errors_explained"]

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_CLOSED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


@contextmanager
def errors_explained(folder: Path) -> Iterator[None]:
    """Turn an `OSError` of the body into an error about the cache in ``folder``.

    Raises:
        CacheUnusableError: the disk is full, or the folder cannot be read and written.
    """
    try:
        yield
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else str(error)
        place = error.filename if isinstance(error.filename, str) else folder
        elsewhere = f"set {CACHE_VARIABLE} to a folder that you may write to"
        remedy = f"See that {folder} can be read and written, or {elsewhere}."
        if error.errno in _FULL:
            remedy = f"Free some space on its disk, or {elsewhere} on another disk."
        elif error.errno in _CLOSED:
            remedy = f"It belongs to another user or is read-only: {elsewhere}."
        raise CacheUnusableError(
            f"the cache of compiled modules cannot be used: {place}: {why}", remedy=remedy
        ) from error
