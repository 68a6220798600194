"""A model's layers in every report: nothing that is not covered reads as a pass."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from markdown_it import MarkdownIt

from bridge.report.formats import FORMATS, render
from bridge.report.layers import ModelReport
from bridge.report.layers_table import model_lines
from bridge.verdict import Verdict
from tests.report.sample_models import ERF, PRE_NORM, layer, model
from tests.report.samples import hostile_model


def section() -> ModelReport:
    found = model().model
    assert found is not None
    return found


@pytest.mark.parametrize("name", ["table", "html", "json", "markdown", "junit"])
def test_each_layer_is_shown_with_its_reason(name: str) -> None:
    text = " ".join(render(model(), name).replace("<wbr>", "").split())
    for k in range(4):
        assert f"encoder.layer.{k}" in text.replace("\\", "")
    for said in ("erf-GELU, by its values", "pre-norm, by norm", "residual 0.4"):
        assert said in text.replace("\\", ""), said


def test_a_layer_that_is_not_covered_never_holds() -> None:
    assert layer("a").verdict is Verdict.HOLDS
    assert layer("a", ERF).verdict is Verdict.INCONCLUSIVE
    assert layer("a", PRE_NORM, measured=False).verdict is Verdict.INCONCLUSIVE
    assert layer("a", ERF, failed="x").verdict is Verdict.FAILS


def test_an_uncovered_layer_is_reported_with_the_theorem_s_assumption() -> None:
    said = layer("a", ERF, difference=5.5e-8).coverage
    assert said.startswith("theorem does not apply: activation: erf-GELU, by its values (theorem:")
    assert "measured is the block of biasedEncoderBlock_" in said
    assert said.endswith("differ by at most 5.5e-08")
    assert layer("a", PRE_NORM, measured=False).coverage.endswith("nothing was measured")
    assert layer("a", ERF).coverage.endswith("is not known")
    failing = layer("a", failed="x").coverage
    assert "theorem applies" not in failing


def test_a_covered_layer_with_a_failure_does_not_read_as_covered() -> None:
    assert "theorem applies" in layer("a").coverage
    assert "theorem applies" not in layer("a", failed="x").coverage


def test_a_file_has_no_code_and_the_report_says_so() -> None:
    assert any("weights and no code" in line for line in model_lines(section()))


def test_junit_passes_only_what_is_covered_and_holds() -> None:
    root = ElementTree.fromstring(render(model(), "junit"))
    suites = {s.get("name"): s for s in root.iter("testsuite")}
    results = {
        name: [[c.tag for c in case if c.tag != "properties"] for case in suite.iter("testcase")]
        for name, suite in suites.items()
        if name is not None and name.startswith("layer ")
    }
    assert results == {
        "layer encoder.layer.0": [[], []],
        "layer encoder.layer.1": [[], ["failure"]],
        "layer encoder.layer.2": [["skipped"], ["skipped"]],
        "layer encoder.layer.3": [["skipped"]],
    }


def test_json_keeps_every_number() -> None:
    found = json.loads(render(model(), "json"))["model"]
    first = found["layers"][0]
    assert first["norms"][0]["least_var_eps"] == 0.48
    assert first["norms"][0]["row"] == 2
    assert first["sizes"]["numHeads"] == 4
    assert [la["applies"] for la in found["layers"]] == [True, True, False, False]
    assert [a["met"] for a in found["layers"][2]["assumptions"]] == [True, False]


def test_the_stack_as_a_whole_makes_an_audit_incomplete() -> None:
    assert section().shortfalls == (
        "the stack as a whole: after the stack: a norm of its own: norm (theorem: nothing)",
        "2 of 4 layers are not covered",
    )
    assert model().exit_code == 1


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.scripts = 0
        self.images = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        self.images += tag == "img"


def test_hostile_names_make_no_markup() -> None:
    page = _Tags()
    page.feed(render(hostile_model(), "html"))
    assert (page.scripts, page.images) == (1, 0)
    for name in FORMATS:
        text = render(hostile_model(), name)
        assert "\x1b" not in text
        assert "\u202e" not in text
    html = MarkdownIt("commonmark").enable("table").render(render(hostile_model(), "markdown"))
    for element in ("<script", "<img", "<a "):
        assert element not in html
