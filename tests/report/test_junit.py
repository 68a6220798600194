"""The JUnit report: what is not verified is never passed."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import pytest
from junitparser import Error, Failure, JUnitXml, Skipped

from bridge.report.junit import render_junit
from bridge.verdict import LeanStatus, Role, Verdict
from tests.report.samples import REPORTS, empty, hostile, interrupted, realistic


def _cases(text: str) -> dict[str, list[object]]:
    return {
        f"{case.classname}:{case.name}": list(case.result)
        for suite in JUnitXml.fromstring(text.encode("utf-8"))
        for case in suite
    }


def test_each_theorem_is_a_suite_and_each_obligation_a_case() -> None:
    report = realistic()
    assert list(_cases(render_junit(report))) == [e.obligation.key for e in report.entries]


def test_verdicts_become_results() -> None:
    report = realistic()
    cases = _cases(render_junit(report))
    for e in report.entries:
        kinds = [type(r) for r in cases[e.obligation.key]]
        lean_fails = e.obligation.role is Role.CONCLUSION and e.obligation.lean.status in (
            LeanStatus.SORRY,
            LeanStatus.AXIOM,
        )
        if e.verdict is Verdict.FAILS or lean_fails:
            assert kinds == [Failure]
        elif e.verdict is Verdict.ERROR:
            assert kinds == [Error]
        elif e.verdict in (Verdict.HOLDS, Verdict.CERTIFIED):
            assert kinds == []
        else:
            assert kinds == [Skipped]


def test_a_failure_carries_counterexample_and_replay() -> None:
    (failure,) = _cases(render_junit(realistic()))[
        "layerNorm_backpropVec_eq_adjoint_fderiv_at:conclusion"
    ]
    assert isinstance(failure, Failure)
    assert "fails on 3 of 167 instances" in str(failure.message)
    assert "residual 3.3e-07 > tolerance 1e-13" in failure.text
    assert (
        "obligations replay layerNorm_backpropVec_eq_adjoint_fderiv_at:conclusion" in failure.text
    )


def test_two_findings_of_one_obligation_are_both_reported() -> None:
    (failure,) = _cases(render_junit(realistic()))["postNormEncoderBlock_hasFDerivAt:conclusion"]
    assert isinstance(failure, Failure)
    assert "sorry" in str(failure.message)
    assert "hAttnPack has no check" in failure.text


@pytest.mark.parametrize("name", REPORTS)
def test_counts_add_up(name: str) -> None:
    root = ElementTree.fromstring(render_junit(REPORTS[name]()))
    for what, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert int(root.attrib[what]) == len(root.findall(f".//{tag}"))
    assert int(root.attrib["tests"]) == len(root.findall(".//testcase"))


@pytest.mark.parametrize("report", [empty, interrupted])
def test_an_incomplete_audit_does_not_pass(report: object) -> None:
    assert callable(report)
    (error,) = _cases(render_junit(report()))["audit:complete"]
    assert isinstance(error, Error)


def test_hostile_text_gives_well_formed_xml() -> None:
    text = render_junit(hostile())
    text.encode("utf-8")
    assert ElementTree.fromstring(text).find(".//script") is None


def test_what_a_conclusion_does_without_its_hypotheses_is_reported() -> None:
    held = "layerNorm_hasFDerivAt:conclusion"
    xml = ElementTree.fromstring(render_junit(realistic()).encode("utf-8"))
    (case,) = (c for c in xml.iter("testcase") if f"{c.get('classname')}:{c.get('name')}" == held)
    told = {str(p.get("name")): str(p.get("value")) for p in case.iter("property")}
    assert told["witness"] == f"obligations replay {held} --seed 0 --family generic --index 0"
    assert told["without hVarEpsPos"] == "needed on 14, not needed on 16 of 30 violating instances"
    assert told["without hStdNe0"] == "no instance drawn violates it"


def test_files_are_counted_from_the_root_of_the_repository() -> None:
    plain, inside = (
        ElementTree.fromstring(render_junit(replace(realistic(), folder=folder)))
        for folder in ("", "sub/project")
    )
    files = [case.get("file") for case in plain.iter("testcase")]
    assert any(files)
    expected = [None if f is None else f"sub/project/{f}" for f in files]
    assert [case.get("file") for case in inside.iter("testcase")] == expected
