"""Cached answers: the same or nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bridge.engine import states_of
from bridge.lean.answers import AnswerCache, cache_folder
from bridge.lean.client import Answer

ANSWER: Answer = {
    "statements": ({"kind": "statement", "name": "α"}, {"kind": "end"}),
    "graphs": ({"kind": "end"},),
}


def test_a_stored_answer_is_returned(tmp_path: Path) -> None:
    cache = AnswerCache(tmp_path / "answers")
    key = cache.key("a", "b")
    assert cache.load(key, tmp_path) is None
    cache.store(key, ANSWER, {})
    assert cache.load(key, tmp_path) == ANSWER
    assert cache.load(cache.key("a", "c"), tmp_path) is None


def test_parts_of_a_key_do_not_run_together() -> None:
    assert AnswerCache.key("ab", "c") != AnswerCache.key("a", "bc")


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: text.replace("statement", "axiom"),
        lambda text: "[]",
        lambda text: "",
    ],
)
def test_a_damaged_entry_is_a_miss(tmp_path: Path, damage: object) -> None:
    cache = AnswerCache(tmp_path)
    key = cache.key("x")
    cache.store(key, ANSWER, {})
    path = tmp_path / f"{key}.json"
    path.write_text(damage(path.read_text()))  # type: ignore[operator]
    assert cache.load(key, tmp_path) is None


def test_an_entry_under_another_name_is_a_miss(tmp_path: Path) -> None:
    cache = AnswerCache(tmp_path)
    one, two = cache.key("1"), cache.key("2")
    cache.store(one, ANSWER, {})
    (tmp_path / f"{one}.json").rename(tmp_path / f"{two}.json")
    assert cache.load(two, tmp_path) is None


def test_an_unwritable_cache_is_not_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    AnswerCache(tmp_path / "file" / "answers").store("k", ANSWER, {})


def test_nothing_is_left_half_written(tmp_path: Path) -> None:
    cache = AnswerCache(tmp_path)
    cache.store(cache.key("x"), ANSWER, {})
    (entry,) = tmp_path.iterdir()
    assert json.loads(entry.read_text())["key"] == cache.key("x")


def test_the_folder_can_be_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LEAN_OBLIGATIONS_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path


def test_an_entry_whose_files_have_changed_is_a_miss(tmp_path: Path) -> None:
    cache, data = AnswerCache(tmp_path / "answers"), tmp_path / "data.txt"
    data.write_text("before")
    cache.store("k", ANSWER, states_of(tmp_path, ["data.txt", "other.txt"]))
    assert cache.load("k", tmp_path) == ANSWER
    data.write_text("after")
    assert cache.load("k", tmp_path) is None
    data.write_text("before")
    assert cache.load("k", tmp_path) == ANSWER
    (tmp_path / "other.txt").touch()  # it was requested, but did not exist
    assert cache.load("k", tmp_path) is None
