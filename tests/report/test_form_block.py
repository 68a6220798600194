"""Every report says whether a captured graph is a block of the library, or not shown to be one."""

from __future__ import annotations

import html
import json
import re
from dataclasses import replace

import pytest

from bridge.report import Report
from bridge.report.captured import CapturedForm, CapturedLayer, Comparison, FormBlock, FormProof
from bridge.report.formats import render
from bridge.report.json import render_json
from bridge.report.table import render_table
from bridge.verdict import LeanStatus, Verdict
from numeric.graph import graph_to_json
from tests.numeric.block_graphs import block
from tests.report.sample_models import PRE_NORM, layer, model
from tests.report.test_json import VALIDATOR

NAMED = "reluEncoderBlock_backprop_eq_adjoint_fderiv"
CONSTANTS = (("scale", 0.25), ("ε₁", 1e-5))
IS_BLOCK = FormBlock("reluEncoderBlock", NAMED, CONSTANTS, "∀ ρ, …")
NOT_SHOWN = FormBlock("reluEncoderBlock", reason="its values are not found")


def report(found: FormBlock | None) -> Report:
    """One layer whose graph Lean proved, and what is known about its block."""
    proof = FormProof(LeanStatus.PROVED, "PostNorm.Captured.1", "∀ ρ, …", block=found)
    agrees = Comparison("output", "torch autograd in float64", 1e-16, 1e-12, Verdict.HOLDS)
    captured = CapturedLayer(form="graph 1", nodes=66, calls=1, comparisons=(agrees,), proof=proof)
    own = replace(layer("block.0", PRE_NORM, measured=False), captured=captured)
    form = CapturedForm("graph 1", graph_to_json(block()), {}, proof)
    whole = model()
    assert whole.model is not None
    return replace(whole, model=replace(whole.model, layers=(own,), forms=(form,)))


def text_of(report: Report, style: str) -> str:
    """The report's words, without marks and line ends."""
    made = render_table(report) if style == "table" else render(report, style)
    if style == "html":
        made = re.sub(r"<[^>]*>", "", made)
    return " ".join(html.unescape(made).replace("\\", "").replace("\u200b", "").split())


@pytest.mark.parametrize("style", ["table", "html", "markdown", "junit"])
def test_every_report_says_that_it_is_the_block(style: str) -> None:
    said = text_of(report(IS_BLOCK), style)
    assert f"reluEncoderBlock (proved): {NAMED} holds of this model's own graph" in said
    assert "scale = 0.25" in said
    other = text_of(report(NOT_SHOWN), style)
    assert "it is not shown to be a library block" in other
    assert "reluEncoderBlock (proved)" not in other
    assert "library block" not in text_of(report(None), style)


def test_a_theorem_that_assumes_a_mask_is_stated_for_layers_with_it() -> None:
    masked = replace(IS_BLOCK, masks=(("keep", "causal"),))
    proof = FormProof(LeanStatus.PROVED, "thm", block=masked)
    assert "graph, where keep is the causal mask, with scale" in str(
        proof.of((("keep", "causal"),))
    )
    other = proof.of((("other", "causal"),))
    assert other.proved
    assert not other.is_block
    assert other.block is not None
    assert other.block.reason == "keep is not the causal mask"
    value = json.loads(render_json(report(masked)))
    assert value["model"]["forms"][0]["block"]["masks"] == [{"input": "keep", "mask": "causal"}]


@pytest.mark.parametrize("found", [IS_BLOCK, NOT_SHOWN, None])
def test_the_json_has_it_and_keeps_to_the_schema(found: FormBlock | None) -> None:
    value = json.loads(render_json(report(found)))
    assert not [f"{e.json_path}: {e.message}" for e in VALIDATOR.iter_errors(value)]
    said = value["model"]["forms"][0]["block"]
    assert (said is None) == (found is None)
    if found is not None:
        assert said["proved"] == found.proved
        assert said["theorem"] == found.theorem
        assert said["constants"] == dict(found.constants)


def test_a_graph_that_is_not_proved_is_not_a_block() -> None:
    assert FormProof(LeanStatus.PROVED, "thm", block=IS_BLOCK).is_block
    sorry = FormProof(LeanStatus.SORRY, "thm", block=IS_BLOCK)
    assert not sorry.is_block
    assert "library" not in str(sorry)
    assert not FormProof(LeanStatus.PROVED, "thm", block=NOT_SHOWN).is_block
