"""The SARIF 2.1.0 report, for code scanning: what needs attention, at its Lean source line.

An obligation that holds is not a result.  SARIF could report it with the kind ``pass``, but GitHub
ignores kinds and would open an alert for each; the counts of all verdicts are in the run's
properties.  A waived obligation is not a result either: readers that ignore suppressions would open
an alert for it.  The run's properties list what is waived, with the reasons.
"""

from __future__ import annotations

import json
from urllib.parse import quote

from bridge.report.escaping import json_text, one_line, plain
from bridge.report.findings import RULES, Finding, Level, findings
from bridge.report.locations import repository_path
from bridge.report.model import Report
from bridge.report.replay import replay_command, witness_command
from bridge.verdict import Verdict

__all__ = ["SARIF_SCHEMA", "render_sarif", "sarif_log"]

SARIF_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
SOURCE_ROOT = "SRCROOT"

_WAIVED = f"obligation-{Verdict.WAIVED.value}"
_RULE_INDEX = {rule.id: index for index, rule in enumerate(RULES)}
_SECURITY_SEVERITY = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "recommendation"}


def _rules() -> list[dict[str, object]]:
    return [
        {
            "id": rule.id,
            "name": rule.name,
            "shortDescription": {"text": rule.summary},
            "fullDescription": {"text": rule.summary},
            "help": {"text": rule.remedy},
            "defaultConfiguration": {"level": rule.level.value},
            "properties": {
                "problem.severity": _SECURITY_SEVERITY[rule.level],
                "tags": ["lean", "proof-obligation"],
            },
        }
        for rule in RULES
    ]


def _location(report: Report, finding: Finding) -> dict[str, object]:
    o, file = finding.entry.obligation, repository_path(report, finding.entry)
    location: dict[str, object] = {
        "logicalLocations": [
            {
                "name": one_line(o.binder),
                "fullyQualifiedName": one_line(o.key),
                "kind": "declaration",
            }
        ]
    }
    if file is not None:
        location["physicalLocation"] = {
            "artifactLocation": {"uri": quote(file, errors="replace"), "uriBaseId": SOURCE_ROOT},
            "region": {"startLine": max(1, o.line)},
        }
    return location


def _result(report: Report, finding: Finding) -> dict[str, object]:
    entry, o, r = finding.entry, finding.entry.obligation, finding.entry.result
    result: dict[str, object] = {
        "ruleId": finding.rule.id,
        "ruleIndex": _RULE_INDEX[finding.rule.id],
        "kind": "fail",
        "level": finding.rule.level.value,
        "message": {"text": plain(f"{finding.subject}: {finding.message}")},
        "locations": [_location(report, finding)],
        "partialFingerprints": {
            "statementHash/v1": o.statement_hash,
            "obligationKey/v1": one_line(o.key),
        },
        "properties": {
            "key": o.key,
            "verdict": entry.verdict.value,
            "lean": o.lean.status.value,
            "statement": o.statement,
            "check": entry.check,
            "replay": replay_command(entry) or None,
            "instances": None if r is None else r.instances,
            "accepted": None if r is None else r.accepted,
            "witness": witness_command(entry) or None,
            "needs": {} if r is None else {n.hypothesis: n.words for n in r.needs},
        },
    }
    return result


def sarif_log(report: Report) -> dict[str, object]:
    """The report as a SARIF log with one run."""
    name, _, version = report.tool.rpartition(" ")
    return {
        "$schema": SARIF_SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": name or report.tool,
                        "semanticVersion": version or "0",
                        "rules": _rules(),
                    }
                },
                "originalUriBaseIds": {
                    SOURCE_ROOT: {"description": {"text": "The root of the audited repository."}}
                },
                "columnKind": "unicodeCodePoints",
                "automationDetails": {"id": f"obligations/{one_line(report.project)}/"},
                "invocations": [
                    {
                        "executionSuccessful": not report.interrupted,
                        "exitCode": report.exit_code,
                        "toolExecutionNotifications": [
                            {"level": "error", "message": {"text": one_line(what)}}
                            for what in (*report.refusals, *report.shortfalls)
                        ],
                    }
                ],
                "results": [_result(report, f) for f in findings(report) if f.rule.id != _WAIVED],
                "properties": {
                    "engine": report.engine.description,
                    "leanVersion": report.engine.lean_version,
                    "officialEngine": report.engine.official,
                    "seed": report.seed,
                    "backend": report.backend,
                    "summary": report.summary,
                    "waived": {
                        one_line(e.obligation.key): one_line(e.reason)
                        for e in report.entries
                        if e.verdict is Verdict.WAIVED
                    },
                },
            }
        ],
    }


def render_sarif(report: Report) -> str:
    """The SARIF log as text, indented, ending with a newline."""
    return json_text(json.dumps(sarif_log(report), indent=2, ensure_ascii=False)) + "\n"
