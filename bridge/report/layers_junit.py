"""A model's layers in JUnit XML: a suite for each layer, a case for each obligation."""

from __future__ import annotations

from junitparser import Failure, Skipped, TestCase, TestSuite

from bridge.report.captured import Comparison
from bridge.report.escaping import one_line
from bridge.report.layers import LayerObligation, LayerReport, ModelReport
from bridge.report.layers_table import certificate_notes
from bridge.verdict import Verdict

__all__ = ["layer_suites"]


def layer_suites(model: ModelReport) -> list[TestSuite]:
    """A suite for each layer.  If the theorem does not apply, nothing passes: what holds for the
    measured block is skipped with the reason."""
    return [_suite(model, layer) for layer in model.layers]


def _suite(model: ModelReport, layer: LayerReport) -> TestSuite:
    name = one_line(f"layer {layer.name}")
    suite = TestSuite(name)
    suite.add_property("model", one_line(model.source))
    suite.add_property("coverage", one_line(layer.coverage))
    captured = layer.captured
    if captured is not None and captured.proof.proved and captured.proof.block is not None:
        suite.add_property("block", one_line(str(captured.proof.block)))
    for said in certificate_notes(layer):
        suite.add_property("certificate", one_line(said))
    for obligation in layer.obligations:
        suite.add_testcase(_case(name, layer, obligation))
    if layer.captured is not None and layer.captured.form:
        for compared in layer.captured.comparisons:
            suite.add_testcase(_compared(name, layer.captured.reason, compared))
    elif not layer.obligations:
        case = TestCase("theorem", classname=name, time=0)
        case.result = [Skipped(one_line(layer.coverage), "layer-not-covered")]
        suite.add_testcase(case)
    return suite


def _compared(suite: str, reason: str, compared: Comparison) -> TestCase:
    """A comparison of the captured graph; Lean was not asked about it, which the suite says."""
    title = one_line(f"{compared.what} against {compared.against}")
    case = TestCase(title, classname=suite, time=0)
    if compared.verdict is Verdict.FAILS:
        case.result = [Failure(one_line(str(compared)), "captured-graph-differs")]
    elif compared.verdict is not Verdict.HOLDS or reason:
        case.result = [Skipped(one_line(reason or str(compared)), "captured-graph-undecided")]
    return case


def _case(suite: str, layer: LayerReport, obligation: LayerObligation) -> TestCase:
    case = TestCase(one_line(obligation.key), classname=suite, time=0)
    if obligation.verdict is Verdict.FAILS:
        case.result = [Failure(one_line(obligation.reason), "obligation-fails")]
    elif not layer.applies:
        case.result = [Skipped(one_line(layer.coverage), "layer-not-covered")]
    elif obligation.verdict is not Verdict.HOLDS:
        kind = f"obligation-{obligation.verdict.value}"
        case.result = [Skipped(one_line(obligation.reason), kind)]
    return case
