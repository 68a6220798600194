"""GitHub workflow annotations: worst first, at most ten, and the rest counted.

Every line is a workflow command, so that no text from Lean is at the start of a line, where the
runner would read it as a command.
"""

from __future__ import annotations

from collections import Counter

from bridge.report.escaping import github_message, github_property
from bridge.report.findings import Finding, Level, findings
from bridge.report.locations import repository_path
from bridge.report.model import Report

__all__ = ["MOST_ANNOTATIONS", "render_github"]

MOST_ANNOTATIONS = 10
"""GitHub shows ten annotations of each level for each step, and silently drops the rest."""

_COMMAND = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "notice"}


def _annotation(report: Report, finding: Finding) -> str:
    o, file = finding.entry.obligation, repository_path(report, finding.entry)
    properties = []
    if file is not None:
        properties += [f"file={github_property(file)}", f"line={max(1, o.line)}"]
    properties.append(f"title={github_property(finding.subject)}")
    command = _COMMAND[finding.rule.level]
    return f"::{command} {','.join(properties)}::{github_message(finding.message)}"


def _rest(hidden: tuple[Finding, ...]) -> str:
    count = Counter(f.rule.id for f in hidden)
    kinds = ", ".join(f"{n} {rule}" for rule, n in count.items())
    return f"::notice title=lean-obligations::{len(hidden)} more findings: {github_message(kinds)}"


def render_github(report: Report) -> str:
    """The findings as annotations; empty if there are none."""
    found = findings(report)
    lines = [_annotation(report, f) for f in found[:MOST_ANNOTATIONS]]
    if len(found) > MOST_ANNOTATIONS:
        lines.append(_rest(found[MOST_ANNOTATIONS:]))
    for what in (*report.refusals, *report.shortfalls):
        lines.append(f"::error title=lean-obligations::{github_message(what)}")
    return "".join(line + "\n" for line in lines)
