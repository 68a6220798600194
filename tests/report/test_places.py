"""Paths as GitHub counts them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bridge.report.github import render_github
from bridge.report.places import folder_in_repository
from bridge.report.sarif import render_sarif
from tests.report.samples import realistic


def test_the_folder_of_a_project_in_its_repository(tmp_path: Path) -> None:
    project = tmp_path / "proofs" / "lean"
    project.mkdir(parents=True)
    assert folder_in_repository(project) == ""
    (tmp_path / ".git").mkdir()
    assert folder_in_repository(project) == "proofs/lean"
    assert folder_in_repository(tmp_path) == ""


def test_a_worktree_has_a_file_called_git(tmp_path: Path) -> None:
    (tmp_path / ".git").touch()
    (tmp_path / "a").mkdir()
    assert folder_in_repository(tmp_path / "a") == "a"


def test_annotations_and_code_scanning_count_from_the_repository() -> None:
    report = replace(realistic(), folder="proofs")
    assert "file=proofs/lean/PostNorm/" in render_github(report)
    assert '"uri": "proofs/lean/PostNorm/' in render_sarif(report)
