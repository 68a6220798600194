"""The outcome in one sentence: never better than the exit code."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from bridge.checking import CheckResult, Need, Worst
from bridge.report import table
from bridge.report.html.page import render_html
from bridge.report.junit import render_junit
from bridge.report.markdown import render_markdown
from bridge.report.model import Report
from bridge.report.wording import (
    exit_words,
    headline,
    joint_witness,
    needs_of,
    proved_theorems,
    tightness,
)
from bridge.verdict import LeanStatus, Verdict
from tests.report.parts import entry, obligation
from tests.report.samples import all_holds, empty, interrupted, realistic


def _headline(*verdicts: Verdict, status: LeanStatus = LeanStatus.PROVED) -> str:
    entries = tuple(
        entry(obligation(f"t{i}:conclusion", status=status), v) for i, v in enumerate(verdicts)
    )
    return headline(replace(all_holds(), entries=entries))


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [
        ([Verdict.HOLDS, Verdict.CERTIFIED], "all 2 obligations that were checked hold"),
        (
            [Verdict.HOLDS, Verdict.WAIVED],
            "the one obligation that was checked holds, 1 is waived",
        ),
        ([Verdict.WAIVED], "nothing was checked, 1 is waived"),
        ([Verdict.FAILS, Verdict.HOLDS], "1 of 2 obligations fails"),
        (
            [Verdict.FAILS, Verdict.FAILS, Verdict.STALE],
            "2 of 3 obligations fail, 1 is not verified",
        ),
        ([Verdict.ERROR, Verdict.UNPAIRED], "2 of 2 obligations are not verified"),
    ],
)
def test_the_sentence(verdicts: list[Verdict], said: str) -> None:
    assert _headline(*verdicts) == said


def test_if_all_is_waived_nothing_holds() -> None:
    waived = entry(obligation("t:conclusion"), Verdict.WAIVED)
    assert exit_words(replace(all_holds(), entries=(waived,))) == (
        "nothing was checked, all is waived"
    )
    assert exit_words(all_holds()) == "everything that was checked holds"


def test_a_hypothesis_that_no_instance_needs_has_a_comment() -> None:
    found = next(e for e in all_holds().entries if e.result is not None)
    assert found.result is not None
    needs = (Need("h", 8, 8, 0, 0), Need("k", 8, 6, 2, 0))
    theorem = [replace(found, result=replace(found.result, needs=needs))]
    assert needs_of(theorem) == {
        "h": "not seen to be needed: the conclusion holds on 8 of 8 without it",
        "k": "needed on 2 of 8",
    }


def test_a_condition_with_a_wide_margin_is_not_a_negative_share() -> None:
    found = next(e for e in all_holds().entries if e.result is not None)
    assert found.result is not None
    worst = Worst(residual=-91.0, tolerance=1e-9, margin=91.0)
    roomy = replace(found, result=replace(found.result, worst=worst))
    assert tightness(roomy) == "91 from the limit"
    assert "tol" not in table._tightest(roomy)


def test_lean_has_a_say() -> None:
    assert _headline(Verdict.HOLDS, status=LeanStatus.SORRY) == "1 theorem is not proved"
    assert _headline(Verdict.HOLDS, status=LeanStatus.UNCHECKED) == "Lean was not run"


def test_an_incomplete_audit() -> None:
    assert headline(empty()) == "nothing was audited"
    assert headline(interrupted()) == "the audit was interrupted"


@pytest.mark.parametrize("verdict", Verdict)
@pytest.mark.parametrize("status", LeanStatus)
def test_only_where_the_exit_code_is_0_all_hold(verdict: Verdict, status: LeanStatus) -> None:
    report = replace(
        all_holds(), entries=(entry(obligation("t:conclusion", status=status), verdict),)
    )
    fine = headline(report).startswith(
        ("the one obligation that was checked holds", "nothing was checked")
    )
    assert fine == (report.exit_code == 0)


def test_the_realistic_one() -> None:
    assert headline(realistic()).startswith("1 of 13 obligations fails, 5 are not verified, 2 theo")


@pytest.mark.parametrize(
    ("residual", "tolerance", "said"),
    [
        (3.1e-14, 1e-13, "0.31 of tolerance"),
        (3.3e-7, 1e-13, "3.3e+06 × tolerance"),
        (3e8, 6e9, "0.05 of tolerance"),
        (-2e-6, 0.0, "2e-06 above 0"),
        (0.0, 0.0, "exact"),
        (0.25, 0.0, "-0.25"),
        (math.nan, 1.0, "nan × tolerance"),
    ],
)
def test_how_tight_it_was(residual: float, tolerance: float, said: str) -> None:
    worst = Worst(residual, tolerance, tolerance - residual)
    found = CheckResult(Verdict.HOLDS, "", 1, 1, worst)
    assert tightness(entry(obligation("t:h"), found=found)) == said


def test_a_limit_that_is_met_to_the_bit_is_exact_only_where_that_holds() -> None:
    """0 ≤ 0 is true, and 0 < 0 is false: the verdict shows which was meant."""
    found = CheckResult(Verdict.FAILS, "", 1, 1, Worst(0.0, 0.0, 0.0))
    assert tightness(entry(obligation("t:h"), Verdict.FAILS, found=found)) == "0"


def test_if_nothing_was_measured_nothing_is_claimed() -> None:
    assert tightness(entry(obligation("t:h"))) == ""


def test_a_vacuous_theorem_is_not_among_the_proved() -> None:
    o = obligation("t:conclusion")
    empty = replace(o, lean=replace(o.lean, says_nothing="its conclusion is True"))
    report = replace(all_holds(), entries=(entry(o), entry(empty, Verdict.FAILS)))
    assert proved_theorems(report) == (1, 2)
    assert table.lean_words(empty) == "proved, and says nothing"
    page = render_html(report)
    assert '<span class="lean bad"><span class="label">Lean: </span>proved, and says' in page
    assert page.count('<span class="lean good">') == 1


def test_a_joint_witness_is_named_or_said_to_be_missing() -> None:
    found = next(e for e in all_holds().entries if e.result and e.result.witness)
    theorem = [found, entry(obligation("t:h"))]
    said, command = joint_witness(found, theorem) or ("", "")
    assert said == "all hypotheses hold together on this instance"
    assert command.startswith("obligations replay ")
    assert found.result is not None
    none = replace(found, result=replace(found.result, witness=None))
    assert joint_witness(none, theorem) == (
        "no instance was found on which all hypotheses hold together",
        "",
    )
    unlooked = joint_witness(entry(obligation("t:conclusion"), Verdict.WAIVED), theorem)
    assert unlooked is not None
    assert unlooked[0].startswith("no instance was sought")
    assert joint_witness(theorem[1], theorem) is None
    assert joint_witness(found, [found]) is None


@pytest.mark.parametrize("render", [render_html, render_markdown, table.render_table, render_junit])
def test_every_report_says_whether_there_is_a_joint_witness(
    render: Callable[[Report], str],
) -> None:
    found = next(e for e in all_holds().entries if e.result and e.result.witness)
    assert found.result is not None
    none = replace(found, result=replace(found.result, witness=None))
    for one, wanted in ((found, "replay layerNorm"), (none, "nstance was found on which all")):
        o = one.obligation
        key = f"{o.declaration}:h"
        beside = entry(replace(obligation(key), declaration=o.declaration))
        text = " ".join(render(replace(all_holds(), entries=(beside, one))).split())
        assert wanted in text
