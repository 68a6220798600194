"""What Lean says of captured graphs is said of the layers that run them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bridge.auditing.configured import Setup
from bridge.lean.locked_answer import KeptAnswer
from bridge.lean.project import Project
from bridge.models.proofs import with_proofs
from bridge.policy.settings import Settings
from bridge.report import EngineInfo, Report
from bridge.report.captured import CapturedForm, CapturedLayer, Comparison
from bridge.report.layers import LayerReport, ModelReport
from bridge.report.layers_json import model_json
from bridge.verdict import Verdict
from numeric.graph import graph_to_json
from tests.capture.test_theorem import (  # noqa: F401
    ASKS,
    RMS,
    SOFTMAX,
    SUPPOSES,
    engine_that_says,
    project,
    said,
    whole,
)

AGREES = Comparison("output", "the layer", 1e-16, 1e-9, Verdict.HOLDS)
FORMS = tuple(
    CapturedForm(f"graph {k}", graph_to_json(g), {}) for k, g in enumerate((SOFTMAX, RMS), 1)
)


def layer(name: str, form: str) -> LayerReport:
    captured = CapturedLayer(form=form, nodes=6, inputs=2, calls=1, comparisons=(AGREES,))
    return LayerReport(name, "Own", (), None, False, (), captured=captured)


MODEL = ModelReport(
    source="own:model",
    kind="torch",
    naming="",
    dtype="float32",
    inputs="",
    sequences=1,
    seq_len=3,
    settings=(),
    layers=(layer("a", "graph 1"), layer("b", "graph 2"), layer("c", "graph 1")),
    forms=FORMS,
)
REPORT = Report(
    tool="lean-obligations",
    engine=EngineInfo("embedded", "4.28.0", False, "a fake"),
    project="demo",
    seed=0,
    entries=(),
    model=MODEL,
)


def judged(project: Project, engine: Any, report: Report = REPORT, **more: Any) -> ModelReport:  # noqa: F811
    found = with_proofs(report, Setup(project, engine, Settings(), 60.0), **more)
    assert found.model is not None
    return found.model


def lean_of(model: ModelReport) -> list[object]:
    layers = model_json(model)["layers"]
    assert isinstance(layers, list)
    return [la["captured"]["lean"] for la in layers]


def test_a_layer_says_what_lean_proved_of_its_graph(project: Project, tmp_path: Path) -> None:  # noqa: F811
    engine = engine_that_says(tmp_path, whole(said(0, SOFTMAX, ASKS), said(1, RMS, SUPPOSES)))
    found = judged(project, engine)
    if_ = "Lean proved it of this graph, if no entry of total is zero"
    assert lean_of(found) == [if_, "Lean proved it of this graph", if_]
    assert if_ in found.layers[0].coverage
    assert found.shortfalls == (), "numbers hold and Lean proved: nothing is left"
    assert engine.asked == ["project"], "layers of one form are asked about once"


def test_what_lean_did_not_prove_leaves_the_audit_incomplete(
    project: Project,  # noqa: F811
    tmp_path: Path,
) -> None:
    refused = {"kind": "graph", "index": 0, "error": "node out: too long"}
    foreign = said(1, RMS, SUPPOSES)
    foreign["theorems"][0]["axioms"] = ["PostNorm.trick"]
    answer = whole(refused, foreign, **{"PostNorm.trick": "PostNorm.Field.Basic"})
    found = judged(project, engine_that_says(tmp_path, answer))
    assert lean_of(found)[:2] == [
        "Lean has no theorem about this graph: node out: too long",
        "what Lean says of this graph rests on PostNorm.trick",
    ]
    assert found.shortfalls == ("Lean proved nothing of the captured graphs of 3 layers",)


def test_without_asking_only_what_is_known_is_said(project: Project, tmp_path: Path) -> None:  # noqa: F811
    engine = engine_that_says(tmp_path, whole(said(0, RMS, SUPPOSES)))
    alone = replace(REPORT, model=replace(MODEL, forms=(FORMS[1],), layers=(MODEL.layers[1],)))
    assert lean_of(judged(project, engine, alone, ask=False)) == ["not asked"]
    judged(project, engine, alone)
    assert lean_of(judged(project, engine, alone, ask=False)) == ["Lean proved it of this graph"]
    both = judged(project, engine, ask=False)
    assert lean_of(both) == ["not asked", "Lean proved it of this graph", "not asked"]
    assert both.shortfalls == ("Lean was not asked about the captured graphs of 2 layers",)
    assert engine.asked == ["project"]


@pytest.mark.parametrize("how", ["lock", "no command", "no graphs", "no model"])
def test_where_nothing_can_be_asked_the_report_stays(
    project: Project,  # noqa: F811
    tmp_path: Path,
    how: str,
) -> None:
    engine: Any = engine_that_says(tmp_path, [])
    report = REPORT
    if how == "lock":
        engine = KeptAnswer("4.28.0", "a Lean", "", (), {}, "")
    elif how == "no command":
        (project.root / "lean" / "PostNorm" / "Capture" / "Command.lean").unlink()
    else:
        model = None if how == "no model" else replace(MODEL, forms=())
        report = replace(REPORT, model=model)
    assert with_proofs(report, Setup(project, engine, Settings(), 60.0)) == report


def test_the_words_are_one_line_of_json(project: Project, tmp_path: Path) -> None:  # noqa: F811
    refused = {"kind": "graph", "index": 0, "error": "the kernel says\x1b[31m no"}
    engine = engine_that_says(tmp_path, whole(refused, said(1, RMS)))
    assert "\x1b" not in json.dumps(lean_of(judged(project, engine)), ensure_ascii=False)
