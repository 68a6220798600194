"""Where a Lean source lies in its repository, as GitHub and code scanning count paths."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from bridge.report.model import Entry, Report

__all__ = ["folder_in_repository", "repository_path"]


def folder_in_repository(project: Path) -> str:
    """The project's folder relative to the Git repository around it, with forward slashes.

    Empty where the project is the repository's root, or there is no repository.
    """
    root = project.resolve()
    for folder in (root, *root.parents):
        if (folder / ".git").exists():
            path = root.relative_to(folder).as_posix()
            return "" if path == "." else path
    return ""


def repository_path(report: Report, entry: Entry) -> str | None:
    """The source of an obligation, from the root of the repository."""
    if entry.file is None:
        return None
    return str(PurePosixPath(report.folder) / entry.file)
