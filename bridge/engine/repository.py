"""The Git repository around a project: the project's path in it, and its commit."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from bridge.engine.processes import bounded_output

__all__ = ["folder_in_repository", "state_of_repository"]


def folder_in_repository(project: Path) -> str:
    """The project's folder relative to the Git repository around it, with forward slashes.

    Empty if the project is the repository's root, or there is no repository.
    """
    root = project.resolve()
    for folder in (root, *root.parents):
        if (folder / ".git").exists():
            path = root.relative_to(folder).as_posix()
            return "" if path == "." else path
    return ""


def state_of_repository(project: Path) -> tuple[str, str]:
    """The commit that a project is at, and a date that belongs to it.

    The date is that of the commit, or ``SOURCE_DATE_EPOCH`` if that is set; never the clock's, so
    that a report of the same files is the same.  Empty if there is no repository or no git.
    """
    said = _git(project, "log", "-1", "--format=%H %ct").split()
    commit, seconds = said if len(said) == 2 else ("", "")
    if commit and _git(project, "status", "--porcelain", "--untracked-files=no"):
        commit += " with changes"
    chosen = os.environ.get("SOURCE_DATE_EPOCH") or seconds
    try:
        date = datetime.fromtimestamp(int(chosen), UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (ValueError, OverflowError, OSError):
        date = ""
    return commit, date


def _git(project: Path, *arguments: str) -> str:
    try:
        answer = bounded_output(["git", *arguments], timeout=20, cwd=project)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.strip() if answer.returncode == 0 else ""
