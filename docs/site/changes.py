"""The unreleased changes, from the fragments in ``changelog.d``."""

from __future__ import annotations

import subprocess
import sys

__all__ = ["unreleased"]


def unreleased() -> str:
    """The next version's entries, as Markdown."""
    command = [sys.executable, "-m", "towncrier", "build", "--draft", "--version", "Next version"]
    done = subprocess.run(
        [*command, "--date", "not released yet"], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()
