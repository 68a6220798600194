"""What counts as a finding, and the order of findings."""

from __future__ import annotations

import shlex
from dataclasses import replace

import pytest

from bridge.report.findings import RULES, Level, findings, findings_of
from bridge.report.model import Entry
from bridge.report.replay import replay_command
from bridge.report.table import lean_words
from bridge.verdict import LeanStatus, Verdict, exit_code
from tests.report.parts import EVIL, entry, obligation
from tests.report.samples import all_holds, hostile, realistic


def test_worst_first() -> None:
    ids = [f.rule.id for f in findings(realistic())]
    order = [rule.id for rule in RULES]
    assert ids == sorted(ids, key=order.index)
    assert ids[:3] == ["obligation-fails", "lean-sorry", "lean-axiom"]


def test_an_obligation_that_holds_is_not_a_finding() -> None:
    assert findings(all_holds()) == ()


@pytest.mark.parametrize("verdict", Verdict)
@pytest.mark.parametrize("status", LeanStatus)
def test_findings_agree_with_the_exit_code(verdict: Verdict, status: LeanStatus) -> None:
    found = findings_of(entry(obligation("t:conclusion", status=status), verdict))
    code = exit_code([(verdict, status)])
    notes = [f for f in found if f.rule.level is not Level.NOTE]
    assert bool(notes) == (code != 0)
    if code == 1:
        assert any(f.rule.level is Level.ERROR for f in found)


def test_every_rule_is_reachable() -> None:
    reached = {f.rule.id for f in findings(realistic())} | {
        f.rule.id
        for status in (LeanStatus.UNCHECKED, LeanStatus.REFUSED)
        for f in findings_of(entry(obligation("t:conclusion", status=status)))
    }
    reached |= {f.rule.id for f in findings_of(says_nothing())}
    assert reached == {rule.id for rule in RULES}


def says_nothing() -> Entry:
    o = obligation("t:conclusion")
    facts = replace(o.lean, says_nothing="its conclusion is True")
    return entry(replace(o, lean=facts), Verdict.FAILS, reason="the theorem says nothing: …")


def test_a_vacuous_theorem_is_a_separate_error() -> None:
    (found,) = findings_of(says_nothing())
    assert (found.rule.id, found.rule.level) == ("theorem-says-nothing", Level.ERROR)
    assert "counterexample" not in found.rule.summary


def test_lean_is_blamed_once_for_a_theorem() -> None:
    assert findings_of(entry(obligation("t:h", status=LeanStatus.UNCHECKED))) == ()


def test_a_counterexample_brings_its_command() -> None:
    (worst, *_) = findings(realistic())
    assert worst.details[-1].startswith("replay: obligations replay layerNorm_")
    assert "--family 'large offset' --index 7" in worst.details[-1]


def test_the_replay_command_survives_a_shell() -> None:
    first = hostile().entries[0]
    words = shlex.split(replay_command(first))
    assert words[:3] == ["obligations", "replay", f"{EVIL}:h"]
    assert words[words.index("--family") + 1] == EVIL


def test_a_headline_does_not_repeat_the_verdict() -> None:
    assert findings(realistic())[0].said == "fails on 3 of 167 instances"


def test_a_private_axiom_is_called_as_its_author_calls_it() -> None:
    axiom = "_private.Demo.Layer.0.Demo.law"
    rests = obligation("t:conclusion", status=LeanStatus.AXIOM, foreign=(axiom,))
    (found,) = findings_of(entry(rests))
    assert found.said == "rests on the axiom Demo.law"
    assert lean_words(rests) == "axiom Demo.law"
