"""The JUnit XML report: a suite for each theorem, a case for each obligation.

What is not verified is *skipped* with its reason, never passed.  A theorem whose proof Lean does
not accept fails its ``conclusion``, whatever the numbers say.  An incomplete audit has a separate
failing case.
"""

from __future__ import annotations

from itertools import groupby
from xml.etree import ElementTree

from junitparser import Attr, Error, Failure, JUnitXml, Skipped, TestCase, TestSuite
from junitparser.junitparser import Properties, Property

from bridge.report.escaping import one_line, plain
from bridge.report.findings import Finding, Level, findings_of
from bridge.report.layers_junit import layer_suites
from bridge.report.locations import repository_path
from bridge.report.model import Entry, Report
from bridge.report.wording import joint_witness
from bridge.verdict import Verdict

__all__ = ["render_junit"]


class _Case(TestCase):
    """A test case that says where its source is, as pytest's do."""

    file = Attr()
    line = Attr()


def _result(finding: Finding) -> Skipped | Failure | Error:
    kind: type[Skipped | Failure | Error]
    if finding.rule.level is not Level.ERROR:
        kind = Skipped
    elif finding.rule.id == f"obligation-{Verdict.ERROR.value}":
        kind = Error
    else:
        kind = Failure
    result = kind(finding.headline, finding.rule.id)
    if finding.details:
        result.text = plain("\n".join(finding.details))
    return result


def _properties(entry: Entry, theorem: list[Entry]) -> dict[str, str]:
    o = entry.obligation
    found = {
        "key": o.key,
        "role": o.role.value,
        "statement": o.statement,
        "statement_hash": o.statement_hash,
        "lean": o.lean.status.value,
        "verdict": entry.verdict.value,
    }
    if entry.check is not None:
        found["check"] = entry.check
    if entry.result is not None:
        found["instances"] = str(entry.result.instances)
        found["accepted"] = str(entry.result.accepted)
        found |= {f"without {n.hypothesis}": n.words for n in entry.result.needs}
    if (joint := joint_witness(entry, theorem)) is not None:
        found["witness"] = joint[1] or joint[0]
    return found


def _case(report: Report, entry: Entry, theorem: list[Entry]) -> TestCase:
    o = entry.obligation
    case = _Case(one_line(o.binder), classname=one_line(o.declaration), time=0)
    file = repository_path(report, entry)
    if file is not None:
        case.file = one_line(file)
        case.line = str(o.line)
    properties = Properties()
    for name, value in _properties(entry, theorem).items():
        properties.add_property(Property(one_line(name), one_line(value)))
    TestCase.append(case, properties)
    found = findings_of(entry)
    if found:
        # A case has one result: the worst.  The others follow in its text.
        result = _result(found[0])
        if len(found) > 1:
            others = [f.message for f in found[1:]]
            result.text = plain("\n".join([*found[0].details, *others]))
        case.result = [result]
    return case


def _suite(report: Report, entries: list[Entry]) -> TestSuite:
    suite = TestSuite(one_line(entries[0].obligation.declaration))
    suite.add_property("engine", one_line(report.engine.description))
    suite.add_property("seed", str(report.seed))
    suite.add_property("backend", one_line(report.backend))
    for entry in entries:
        suite.add_testcase(_case(report, entry, entries))
    return suite


def _incomplete(report: Report) -> TestSuite | None:
    found = (*report.refusals, *report.shortfalls)
    if not found and report.exit_code != 4:
        return None
    said = one_line("; ".join(found) or "some obligations are not verified")
    suite = TestSuite("audit")
    case = TestCase("complete", classname="audit", time=0)
    case.result = [Error(said, "audit-incomplete")]
    suite.add_testcase(case)
    return suite


def render_junit(report: Report) -> str:
    """The report as JUnit XML, ending with a newline."""
    xml = JUnitXml(one_line(report.tool))
    for _, group in groupby(report.entries, key=lambda e: e.obligation.declaration):
        xml.add_testsuite(_suite(report, list(group)))
    for suite in () if report.model is None else layer_suites(report.model):
        xml.add_testsuite(suite)
    extra = _incomplete(report)
    if extra is not None:
        xml.add_testsuite(extra)
    xml.update_statistics()
    root = ElementTree.fromstring(xml.tostring())
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, "unicode") + "\n"
