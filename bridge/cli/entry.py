"""The command line's entry point, which runs before any slow import.

An audit whose inputs have not changed is printed again from `bridge.storage.outcome`; everything
else goes to `bridge.cli.main`.
"""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from pathlib import Path

from bridge.engine.repository import state_of_repository
from bridge.errors import ObligationsError
from bridge.storage.outcome import OutcomeCache, command_key, write_files

__all__ = ["known_outcome", "main"]


def main() -> None:
    """Run the command line; never returns."""
    # Statements have characters that not every locale can encode: escape them, do not fail.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    key: str | None = None
    if sys.argv[1:2] == ["audit"]:
        with suppress(OSError):  # the command itself reports the error
            key = command_key(sys.argv[1:])
        if key is not None and (code := known_outcome(key)) is not None:
            sys.exit(code)
    from bridge.cli.main import main as run

    run(key)


def known_outcome(key: str) -> int | None:
    """Print the same audit's earlier output, if nothing has changed, and return its exit code."""
    try:
        known = OutcomeCache().load(key)
        if known is None or state_of_repository(Path(known.project)) != known.repository:
            return None
        write_files(known.files)
    except (ObligationsError, OSError):
        return None
    try:
        sys.stdout.write(known.printed)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader of the pipe has closed it, and Python must not try again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    sys.stderr.write(
        f"Nothing has changed since {known.found}, when this was found: nothing was asked or "
        "measured again.\n"
    )
    return known.exit_code
