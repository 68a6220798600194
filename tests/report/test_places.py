"""Paths as GitHub counts them."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.engine.repository import folder_in_repository, state_of_repository
from bridge.report.github import render_github
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


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def test_the_commit_and_its_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    assert state_of_repository(tmp_path) == ("", "")
    monkeypatch.setenv("GIT_COMMITTER_DATE", "1700000000 +0000")
    (tmp_path / "a").write_text("1")
    git(tmp_path, "init")
    git(tmp_path, "add", "a")
    git(tmp_path, "commit", "-m", "first")
    commit, date = state_of_repository(tmp_path)
    assert len(commit) == 40
    assert date == "2023-11-14 22:13 UTC"
    (tmp_path / "a").write_text("2")
    assert state_of_repository(tmp_path) == (f"{commit} with changes", date)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    assert state_of_repository(tmp_path)[1] == "1970-01-01 00:00 UTC"
