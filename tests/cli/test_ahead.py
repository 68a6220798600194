"""Checks are measured while Lean inspects the project; the inspection's result decides anyway."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import replace
from typing import Any

import pytest

from bridge.auditing import judge as judging
from bridge.auditing.audit import audit, library_for_audit
from bridge.checking import CheckResult
from bridge.errors import EngineError
from bridge.lean.library import Library
from bridge.lean.project import find_project
from bridge.lean.trust import Trust
from bridge.verdict import LeanStatus, Verdict
from tests.cli.conftest import Harness

CHECKS, FEW = 6, 30
THEOREM = "PostNorm.layerNorm_eval"


@pytest.fixture
def library(harness: Harness) -> Library:
    return library_for_audit(find_project(harness.root), harness.engine)


class Late(Future[Trust | None]):
    """A result that is known as soon as this many checks have run, or never."""

    def __init__(self, trust: Trust, asked: list[str], checks: int = CHECKS) -> None:
        super().__init__()
        self.trust, self.asked, self.checks = trust, asked, checks

    def done(self) -> bool:
        return False

    def result(self, timeout: float | None = None) -> Trust | None:
        assert len(self.asked) == self.checks
        return self.trust


def known(**more: Any) -> Trust:
    plain = Trust(1, {}, {}, (), {}, ())
    return replace(plain, **more)


def test_checks_are_measured_before_it_is_known_and_once(
    library: Library, asked: list[str]
) -> None:
    now = audit(library, instances=FEW, trust=known())
    assert len(asked) == CHECKS
    asked.clear()
    late = audit(library, instances=FEW, trust=Late(known(), asked))
    assert len(asked) == CHECKS
    assert [(e.obligation, e.verdict, e.reason) for e in late.entries] == [
        (e.obligation, e.verdict, e.reason) for e in now.entries
    ]
    assert late.trust == now.trust


def test_a_projects_own_checks_wait(
    library: Library, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judging, "is_ours", lambda _check: False)
    audit(library, instances=FEW, trust=Late(known(), asked, checks=0))
    assert len(asked) == CHECKS


def test_the_inspection_counts_for_earlier_measurements(library: Library, asked: list[str]) -> None:
    refused = known(refusals={"bad": "not well typed"}, refused={THEOREM: "bad"})
    report = audit(library, instances=FEW, trust=Late(refused, asked))
    (entry,) = (e for e in report.entries if e.obligation.key == "layerNorm_eval:conclusion")
    assert entry.verdict is Verdict.HOLDS
    assert entry.obligation.lean.status is LeanStatus.REFUSED
    assert report.exit_code == 1
    empty = known(vacuous=((THEOREM, "it follows from False"),))
    asked.clear()
    report = audit(library, instances=FEW, trust=Late(empty, asked))
    (entry,) = (e for e in report.entries if e.obligation.key == "layerNorm_eval:conclusion")
    assert entry.verdict is Verdict.FAILS
    assert "it follows from False" in entry.reason


class Heard:
    """The reported progress: tasks with the amount done and their total."""

    def __init__(self) -> None:
        self.updates: list[tuple[str, float, float | None]] = []

    def update(self, task: str, done: float, total: float | None, *, unit: str = "") -> None:
        self.updates.append((task, done, total))

    def note(self, message: str) -> None:
        pytest.fail(message)


def test_it_is_one_task_item_by_item_which_ends(library: Library, asked: list[str]) -> None:
    heard = Heard()
    audit(library, instances=FEW, trust=Late(known(), asked), progress=heard)
    ahead = [u for u in heard.updates if u[0] == "measuring"]
    count = len(library.obligations)
    assert ahead == [("measuring", done, count) for done in range(count + 1)]
    # Measuring is a part of it: in a pipe it has no separate line.
    assert heard.updates[0] == ("measuring", 0, count)


def test_measuring_stops_as_soon_as_it_is_known(library: Library, asked: list[str]) -> None:
    trust: Future[Trust | None] = Future()
    trust.set_exception(EngineError("the replay ended"))
    with pytest.raises(EngineError, match="the replay ended"):
        audit(library, instances=FEW, trust=trust)
    assert asked == []


def test_an_interrupt_while_measuring_ahead_ends_the_audit(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> CheckResult:
        raise KeyboardInterrupt

    monkeypatch.setattr(judging, "run_check", interrupted)
    with pytest.raises(KeyboardInterrupt):
        audit(library, instances=FEW, trust=Future())  # not waited for
