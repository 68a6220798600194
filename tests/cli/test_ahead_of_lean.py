"""Locked graphs are measured while Lean compiles; Lean's answer still decides."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bridge.auditing import ahead as ahead_module
from bridge.auditing import configured
from bridge.auditing.ahead import TASK, Ahead, ahead_of_lean
from bridge.auditing.configured import set_up
from bridge.engine import BuildReport
from bridge.errors import LeanSourceError
from bridge.policy.answer_file import ANSWER_NAME
from bridge.progress import Silent
from bridge.storage import opened
from tests.cli.conftest import Harness
from tests.cli.fake import FakeEngine
from tests.cli.test_trust_and_policy import report

CHECKS = 6


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead_module, "PATIENCE", 0.0)


@dataclass(frozen=True)
class Compiling(FakeEngine):
    """An engine that compiles until a condition holds, at most for 20 s."""

    until_so: Callable[[], bool] = field(default=lambda: True)

    def build(self, project: Path, **more: Any) -> BuildReport:
        end = time.monotonic() + 5
        while not self.until_so() and time.monotonic() < end:
            time.sleep(0.01)
        return super().build(project, **more)


@pytest.fixture
def locked(harness: Harness, asked: list[str]) -> Harness:
    """A project with a lock, whose sources have changed since Lean was asked."""
    assert harness.run("lock").exit_code == 0
    harness.says(*json.loads(harness.answers.read_text())["statements"][:-1])
    assert asked == []
    return harness


def compiles_until(harness: Harness, so: Callable[[], bool]) -> None:
    harness.engine = Compiling(harness.answers, until_so=so)


def test_checks_are_measured_while_lean_compiles_and_once(
    locked: Harness, asked: list[str]
) -> None:
    measured: list[int] = []

    def all_measured() -> bool:
        measured.append(len(asked))
        return len(asked) == CHECKS

    compiles_until(locked, all_measured)
    ahead = report(locked)
    assert measured[0] < CHECKS == measured[-1] == len(asked)
    assert ahead["summary"] == {"holds": 8}
    assert "unchecked" not in {o["lean"]["status"] for o in ahead["obligations"]}


def test_nothing_counts_that_was_measured_on_another_graph(
    locked: Harness, asked: list[str]
) -> None:
    answers = json.loads(locked.answers.read_text())
    for message in answers["graphs"]:  # Lean's export is now wrong
        if "graph" in message:
            message["graph"]["nodes"][2]["args"] = [4, 0]  # mean - x
    locked.answers.write_text(json.dumps(answers))
    compiles_until(locked, lambda: len(asked) >= CHECKS)
    found = report(locked)
    assert found["summary"]["fails"] > 0
    assert len(asked) == 2 * CHECKS - found["summary"]["stale"]
    assert found["obligations"] == report(locked, "--no-cache")["obligations"]


@pytest.mark.parametrize("why", ["no lock", "damaged", "no cache"])
def test_nothing_is_measured_where_nothing_can_be_kept(
    locked: Harness, asked: list[str], why: str
) -> None:
    if why == "no lock":
        (locked.root / ANSWER_NAME).unlink()
    elif why == "damaged":
        (locked.root / ANSWER_NAME).write_bytes(b"")
    began = time.monotonic()
    compiles_until(locked, lambda: bool(asked) or time.monotonic() > began + 0.5)
    report(locked, *(("--no-cache",) if why == "no cache" else ()))
    assert len(asked) == CHECKS


def test_nothing_is_measured_ahead_where_lean_has_answered_before(
    locked: Harness, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    report(locked, "--only", "layerNorm_eval")
    monkeypatch.setattr(configured, "measure_locked", lambda *_a, **_k: pytest.fail("measured"))
    assert 0 < len(asked) < CHECKS
    report(locked)
    assert len(asked) == CHECKS


def test_a_source_that_does_not_compile_ends_it(
    locked: Harness, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> bool:
        raise LeanSourceError("the Lean sources do not compile")

    compiles_until(locked, lambda: bool(asked) and broken())
    result = locked.run("audit")
    assert result.exit_code == 3
    assert "do not compile" in result.stderr
    assert not any(thread.name.startswith("ahead") for thread in threading.enumerate())


def test_it_ends_within_a_check(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds: list[int] = []

    def measure(ahead: Ahead) -> None:
        while True:
            rounds.append(1)
            ahead.update("instances", 0, 200)

    with ahead_of_lean(measure, Silent()) as end:
        while not rounds:
            time.sleep(0.01)
        end()
        before = len(rounds)
        time.sleep(0.05)
        assert len(rounds) == before


def test_it_does_not_begin_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead_module, "PATIENCE", 3600.0)
    begun: list[Ahead] = []
    with ahead_of_lean(begun.append, Silent()) as lean_has_answered:
        lean_has_answered()  # returns, although the hour is not over
    assert begun == []


class Heard(Silent):
    def __init__(self) -> None:
        self.updates: list[tuple[str, float, float | None, str]] = []
        self.notes: list[str] = []

    def note(self, message: str) -> None:
        self.notes.append(message)

    def update(self, task: str, done: float, total: float | None, *, unit: str = "") -> None:
        self.updates.append((task, done, total, unit))


def test_first_results_are_shown() -> None:
    heard, shown = Heard(), threading.Event()

    def measure(ahead: Ahead) -> None:
        for done in range(3):
            ahead.update("measuring", done, 3, unit=f"{done} holds")
        ahead.note("nothing")
        shown.set()

    with ahead_of_lean(measure, heard) as end:
        shown.wait()
        end()
    assert heard.updates == [
        *((TASK, done, 3, f"{done} holds") for done in (1, 2)),
        (TASK, 1, 1, ""),
    ]


def test_a_mistake_of_ours_is_noted_and_ends_no_audit() -> None:
    heard = Heard()

    def measure(_: Ahead) -> None:
        raise ZeroDivisionError("by 0")

    with ahead_of_lean(measure, heard) as end:
        end()
    assert heard.notes == ["measuring what was locked ended early: ZeroDivisionError('by 0')"]


def test_concurrent_reads_do_not_count_for_a_check(
    locked: Harness, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lean is started meanwhile; the result of a project's check that starts nothing may still be
    kept."""
    recorded: list[object] = []
    monkeypatch.setattr(opened, "recording", lambda *a: recorded.append(a) or pytest.fail("it is"))
    compiles_until(locked, lambda: len(asked) >= CHECKS)
    found = set_up(locked.root).audit()
    assert found.exit_code == 0
    assert len(asked) == CHECKS
    assert recorded == []
