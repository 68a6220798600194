"""Caches evict entries that have not been used for long, and never those in use."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from bridge.checking import store as results
from bridge.lean import answers as cache
from bridge.lean.answers import AnswerCache
from bridge.storage.bounded import Bound

DAY = 86400.0
BOUND = Bound(most_bytes=250, days=30)


def put(folder: Path, name: str, age_days: float, size: int = 100) -> None:
    path = folder / f"{name}.json"
    path.write_bytes(b"x" * size)
    os.utime(path, (time.time() - age_days * DAY,) * 2)


def left(folder: Path) -> list[str]:
    return sorted(p.stem for p in folder.glob("*.json"))


def test_the_least_recently_used_entries_beyond_the_limit_are_removed(tmp_path: Path) -> None:
    for name, age in (("new", 2), ("middle", 3), ("old", 4)):
        put(tmp_path, name, age)
    BOUND.tidy(tmp_path)
    assert left(tmp_path) == ["middle", "new"]


def test_old_entries_are_removed_even_with_free_space(tmp_path: Path) -> None:
    put(tmp_path, "new", 2)
    put(tmp_path, "old", 31)
    BOUND.tidy(tmp_path)
    assert left(tmp_path) == ["new"]


def test_entries_used_today_stay_regardless_of_size(tmp_path: Path) -> None:
    for name in "abcde":
        put(tmp_path, name, 0.5)
    BOUND.tidy(tmp_path)
    assert left(tmp_path) == list("abcde")


def test_a_folder_is_scanned_occasionally(tmp_path: Path) -> None:
    BOUND.tidy(tmp_path)
    put(tmp_path, "old", 31)
    BOUND.tidy(tmp_path)
    assert left(tmp_path) == ["old"]
    BOUND.tidy(tmp_path, now=time.time() + 700)
    assert left(tmp_path) == []


def test_a_missing_folder_is_not_an_error(tmp_path: Path) -> None:
    BOUND.tidy(tmp_path / "no" / "where")


def test_answers_are_bounded_and_reading_one_is_using_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "BOUND", Bound(most_bytes=1, days=30))
    answers = AnswerCache(tmp_path)
    for key in ("read", "unread"):
        put(tmp_path, key, 0)
        answers.store(key, {"statements": ({"n": 1},)}, {})
        os.utime(tmp_path / f"{key}.json", (time.time() - 40 * DAY,) * 2)
    tmp_path.with_name(tmp_path.name + ".tidied").unlink()
    assert answers.load("read", tmp_path) is not None
    answers.store("third", {"statements": ()}, {})
    assert left(tmp_path) == ["read", "third"]


def test_results_are_bounded_too() -> None:
    assert results.BOUND.most_bytes < 1_000_000_000
    assert results.BOUND.days < 366
