"""The folder for files that this package can make again."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

import platformdirs

from bridge.errors import InvalidInputError

__all__ = ["CACHE_VARIABLE", "cache_folder"]

CACHE_VARIABLE = "LEAN_OBLIGATIONS_CACHE"
_NAME = "lean-obligations"


def cache_folder() -> Path:
    """The user's cache folder for this package, absolute; ``LEAN_OBLIGATIONS_CACHE`` overrides it.

    A user without a home, as in containers, gets a private folder among the temporary files.

    Raises:
        InvalidInputError: there is no home, and that folder belongs to another user.
    """
    try:
        chosen = os.environ.get(CACHE_VARIABLE) or platformdirs.user_cache_dir(_NAME)
        folder = Path(chosen).expanduser()
    except RuntimeError:  # neither HOME nor an entry in the password database
        return _temporary()
    return _temporary() if str(folder).startswith("~") else folder.absolute()


def _temporary() -> Path:
    """A folder that only this user can write: compiled modules are trusted for their place."""
    folder = Path(tempfile.gettempdir()) / f"{_NAME}-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
    except OSError as error:
        raise _homeless(f"{folder}: {error.strerror}") from error
    private = stat.S_ISDIR(status.st_mode) and not status.st_mode & 0o022
    if not private or status.st_uid != os.getuid():
        raise _homeless(f"{folder} belongs to another user, or others may write to it")
    return folder


def _homeless(why: str) -> InvalidInputError:
    return InvalidInputError(
        f"the user {os.getuid()} has no home folder to keep a cache in, and {why}",
        remedy=f"set {CACHE_VARIABLE} to a folder that only you can write to",
    )
