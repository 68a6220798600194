"""The lock: changes are found, named, and remain until they are accepted."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from bridge.errors import InvalidInputError
from bridge.policy.lock import DriftKind, Lock, Locked, accept, drifts, read_lock, write_lock

ENTRY = Locked("0 < n", "term", "closure", "check", "source")
LOCK = Lock({"t:h": ENTRY}, {"clamp": "1", "twice": "2"})


def changed(**fields: str) -> Lock:
    return Lock({"t:h": replace(ENTRY, **fields)}, LOCK.definitions)


def test_nothing_changed() -> None:
    assert drifts(LOCK, LOCK) == ()


def test_a_changed_statement_that_prints_the_same_is_found() -> None:
    (drift,) = drifts(LOCK, changed(term_hash="other", statement_hash="other"))
    assert drift.kind is DriftKind.STATEMENT
    assert drift.makes_stale


def test_a_definition_below_an_unchanged_statement_is_seen_and_named() -> None:
    now = Lock({"t:h": replace(ENTRY, statement_hash="other")}, {"clamp": "9", "twice": "2"})
    (drift,) = drifts(LOCK, now)
    assert (drift.kind, drift.definitions) == (DriftKind.DEFINITION, ("clamp",))
    assert drift.makes_stale


def test_another_check_is_seen_and_makes_nothing_stale() -> None:
    (drift,) = drifts(LOCK, changed(check_hash="other"))
    assert drift.kind is DriftKind.CHECK
    assert not drift.makes_stale


def test_added_and_removed() -> None:
    other = Lock({"t:k": ENTRY}, LOCK.definitions)
    assert [(d.key, d.kind) for d in drifts(LOCK, other)] == [
        ("t:k", DriftKind.ADDED),
        ("t:h", DriftKind.REMOVED),
    ]


def test_accepting_one_leaves_the_other_stale() -> None:
    old = Lock({"a": ENTRY, "b": ENTRY}, {"clamp": "1"})
    moved = replace(ENTRY, statement_hash="other")
    new = Lock({"a": moved, "b": moved}, {"clamp": "9"})
    half = accept(old, new, ["a"], "looked at it")
    assert half.obligations["a"].reason == "looked at it"
    (left,) = drifts(half, new)
    assert (left.key, left.definitions) == ("b", ("clamp",))
    assert drifts(accept(half, new, ["b"], "and at this"), new) == ()


def test_accepting_a_removal_forgets_it() -> None:
    assert accept(LOCK, Lock({}, {}), ["t:h"], "gone").obligations == {}


def test_a_written_lock_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "statements.lock.json"
    assert read_lock(path) is None
    write_lock(path, LOCK)
    assert read_lock(path) == LOCK
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"schema": "obligations-lock/0"}', '{"schema": "obligations-lock/1"}'],
)
def test_an_invalid_lock_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "statements.lock.json"
    path.write_text(text)
    with pytest.raises(InvalidInputError) as e:
        read_lock(path)
    assert "obligations lock" in e.value.remedy


def test_an_entry_of_another_type_is_named(tmp_path: Path) -> None:
    path = tmp_path / "statements.lock.json"
    write_lock(path, Lock({"a:h": ENTRY, "t:h": ENTRY}, {"clamp": "1", "twice": "2"}))
    right = path.read_text()
    for change, said in (
        (('"check": "check"', '"check": 3'), "text or null but got obligations['a:h'].check = 3"),
        (('"twice": "2"', '"twice": 2'), "expected text but got definitions.twice = 2"),
        (('"reason": ""', '"reasons": ""'), "'reasons' is not known in obligations['a:h'] = "),
        (("lock/1", "lock/2"), "expected 'obligations-lock/1' but got schema = "),
    ):
        path.write_text(right.replace(*change))
        with pytest.raises(InvalidInputError) as e:
            read_lock(path)
        assert said in e.value.message
