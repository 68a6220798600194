"""``--engine lock``: numbers without Lean, and no claim that Lean checked anything."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from bridge.auditing import configured as setup
from bridge.policy.answer_file import ANSWER_NAME
from tests.cli.conftest import Harness
from tests.cli.test_trust_and_policy import EVAL, FEW, changed, report

LOCKED = ("--engine", "lock")


@pytest.fixture
def locked(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> Harness:
    """A project with a lock, on a machine without Lean."""
    assert harness.run("lock").exit_code == 0

    def no_lean(*_a: Any, **_k: Any) -> None:
        raise AssertionError("a Lean was looked for")

    monkeypatch.setattr(setup, "select", no_lean)
    return harness


def test_numbers_are_run_and_lean_is_unchecked(locked: Harness) -> None:
    found = report(locked, *LOCKED)
    assert found["summary"] == {"holds": 8}
    assert found["exit_code"] == 4
    assert found["engine"] == {"kind": "lock", "lean_version": "4.28.0", "official": False}
    assert found["trust"] is None
    assert {o["lean"]["status"] for o in found["obligations"]} == {"unchecked"}
    assert not any(o["lean"]["discharged_by"] for o in found["obligations"])


def test_the_report_says_so_in_words(locked: Harness) -> None:
    result = locked.run("audit", *FEW, *LOCKED)
    text = " ".join(result.stdout.split())
    assert "no Lean was run: statements and graphs as locked, from unofficial Lean 4.28.0" in text
    assert "Lean: 0 of 3 theorems proved" in text
    assert "The kernel was not asked again." in text
    assert result.exit_code == 4


def test_the_same_numbers_as_with_lean(harness: Harness) -> None:
    harness.run("lock")
    with_lean, without = report(harness), report(harness, *LOCKED)
    for a, b in zip(with_lean["obligations"], without["obligations"], strict=True):
        assert {**a, "lean": None} == {**b, "lean": None}


def test_a_setting_chooses_it(locked: Harness) -> None:
    (locked.root / "obligations.toml").write_text('engine = "lock"\n')
    assert report(locked)["engine"]["kind"] == "lock"


def test_other_sources_make_everything_stale(locked: Harness) -> None:
    source = locked.root / "lean" / "PostNorm" / "Layers.lean"
    source.write_text("theorem layerNorm_eval : False := sorry\n")
    found = report(locked, *LOCKED)
    assert found["summary"] == {"stale": 8}
    assert "not those that were locked" in found["obligations"][0]["reason"]


def test_changes_that_were_not_accepted_are_stale(harness: Harness) -> None:
    harness.says(changed("old"))
    harness.run("lock")
    harness.says(changed("new"))
    assert harness.run("lock").exit_code == 4
    assert report(harness, *LOCKED)["summary"] == {"holds": 1, "stale": 1}


def rewrite(harness: Harness, **changes: Any) -> None:
    path = harness.root / ANSWER_NAME
    value = {**json.loads(gzip.decompress(path.read_bytes())), **changes}
    path.write_bytes(gzip.compress(json.dumps(value).encode()))


def test_an_answer_that_the_lock_does_not_name_is_refused(locked: Harness) -> None:
    rewrite(locked, sources="0" * 64)
    result = locked.run("audit", *FEW, *LOCKED)
    assert result.exit_code == 3
    assert "is not the answer that statements.lock.json names" in result.stderr


@pytest.mark.parametrize(
    "data", [b"", b"not gzip", gzip.compress(b"\xff")], ids=["empty", "text", "bytes"]
)
def test_a_damaged_answer_is_refused(locked: Harness, data: bytes) -> None:
    (locked.root / ANSWER_NAME).write_bytes(data)
    result = locked.run("audit", *FEW, *LOCKED)
    assert result.exit_code == 3
    assert "obligations lock" in result.stderr


@pytest.mark.parametrize("name", [ANSWER_NAME, "statements.lock.json"])
def test_without_a_kept_answer_there_is_no_engine(locked: Harness, name: str) -> None:
    (locked.root / name).unlink()
    result = locked.run("audit", *FEW, *LOCKED)
    assert result.exit_code == 3
    assert f"there is no {name}" in result.stderr


@pytest.mark.parametrize("command", [("build",), ("graph", "layerNormGraph", "--size", "seqLen=9")])
def test_commands_that_need_lean_say_so(locked: Harness, command: tuple[str, ...]) -> None:
    result = locked.run(*command, *LOCKED)
    assert result.exit_code in (2, 3)
    assert "lock" in result.stderr


@pytest.mark.parametrize("more", [(), ("--check",)])
def test_a_lock_is_not_compared_with_itself(locked: Harness, more: tuple[str, ...]) -> None:
    result = locked.run("lock", *LOCKED, *more)
    assert result.exit_code == 2
    assert "compared with itself" in result.stderr


def test_statements_and_plans_come_from_the_lock(locked: Harness) -> None:
    assert "hVarEpsPos" in locked.run("show", "layerNorm_hasFDerivAt", *LOCKED).stdout
    assert "would not be asked (--engine lock)" in locked.run("audit", "--dry-run", *LOCKED).stdout


def test_a_lock_is_the_same_when_written_again(harness: Harness) -> None:
    harness.says(EVAL)
    harness.run("lock")
    files = [harness.root / ANSWER_NAME, harness.root / "statements.lock.json"]
    before = [f.read_bytes() for f in files]
    harness.run("lock")
    assert [f.read_bytes() for f in files] == before
