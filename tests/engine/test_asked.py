"""Which files a project's compilation followed from, and whether they have changed."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from bridge.engine import asked
from bridge.engine.asked import EVERYTHING, changed_since, state_of, states_of, unchanged


def test_each_state_is_distinguished_from_the_others(tmp_path: Path) -> None:
    path = tmp_path / "a"
    seen = [state_of(tmp_path, "a")]
    path.write_text("1")
    seen.append(state_of(tmp_path, "a"))
    path.write_text("2")
    seen.append(state_of(tmp_path, "a"))
    path.unlink()
    path.mkdir()
    seen += [state_of(tmp_path, "a"), state_of(tmp_path, "a/")]
    (path / "b").touch()
    assert state_of(tmp_path, "a") == seen[3]  # its existence, but not its content
    seen.append(state_of(tmp_path, "a/"))
    assert len(set(seen)) == 6


def test_a_change_is_seen(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    states = states_of(tmp_path, ["a", "gone"])
    assert unchanged(tmp_path, states)
    (tmp_path / "gone").touch()
    assert not unchanged(tmp_path, states)


def test_a_change_during_reading_is_reported(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    later = time.time_ns() + 10**10
    assert changed_since(tmp_path, ["a", "gone", "."], later) == ""
    os.utime(tmp_path / "a", ns=(later, later))
    assert changed_since(tmp_path, ["a", "gone", "."], later) == "a"


@pytest.mark.parametrize("repository", [True, False])
def test_everything_is_every_file_that_matters(tmp_path: Path, repository: bool) -> None:
    if repository:
        subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / ".gitignore").write_text("/build\n")
    (tmp_path / "build").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.txt").write_text("1")
    before = state_of(tmp_path, EVERYTHING)
    (tmp_path / "build" / "object").write_text("made")
    (tmp_path / "statements.lock.json").write_text("{}")
    assert state_of(tmp_path, EVERYTHING) == before
    (tmp_path / "data" / "a.txt").write_text("2")
    changed = state_of(tmp_path, EVERYTHING)
    (tmp_path / "data" / "b.txt").write_text("")
    assert len({before, changed, state_of(tmp_path, EVERYTHING)}) == 3


def test_a_large_file_counts_by_size_and_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asked, "_MOST_BYTES", 3)
    (tmp_path / "weights").write_bytes(b"12345")
    before = state_of(tmp_path, EVERYTHING)
    os.utime(tmp_path / "weights", (1, 1))
    assert state_of(tmp_path, EVERYTHING) != before
