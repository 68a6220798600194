"""Command line of the replacement for `lake`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

__all__ = ["stand_in_command"]

# The server is started in the folder of a user's project.  `-P` keeps that folder off Python's
# path, so that no file in it can pass for a module; our own folder is appended in case we are not
# installed.
_START = (
    "import sys; sys.path.append(sys.argv.pop(1)); "
    "from embedded_lean.lake import main; sys.exit(main(sys.argv[1:]))"
)


def stand_in_command(arguments: Sequence[str]) -> list[str]:
    """The command line for `embedded_lean.lake` with these arguments, from any folder."""
    import bridge

    root = Path(next(iter(bridge.__path__))).resolve().parent
    return [sys.executable, "-P", "-c", _START, str(root), *arguments]
