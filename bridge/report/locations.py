"""The path of a Lean source in its repository, as GitHub and code scanning need it."""

from __future__ import annotations

from pathlib import PurePosixPath

from bridge.report.model import Entry, Report

__all__ = ["repository_path"]


def repository_path(report: Report, entry: Entry) -> str | None:
    """The source of an obligation, from the root of the repository."""
    if entry.file is None:
        return None
    return str(PurePosixPath(report.folder) / entry.file)
