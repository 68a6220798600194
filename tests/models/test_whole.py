"""`--whole`: the whole model with its loss, captured, and compared with autograd."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bridge.errors import InvalidInputError
from bridge.models import graph_requests, judge_model, read_model
from bridge.models.run import run_audit, source_of
from bridge.report import Report
from bridge.report.captured import FormProof
from bridge.report.layers import LayerReport
from bridge.verdict import LeanStatus, Verdict
from numeric.graph import Graph
from tests.models.library import library, section
from tests.models.test_captured import Attention, Stack, Unknown, WrongBackward

torch: Any = pytest.importorskip(
    "torch", reason="torch is not installed: `pip install torch` to audit torch modules"
)
nn = torch.nn


class Speaker(nn.Module):
    """Token ids in, the cross-entropy of the next token out, with tied embeddings."""

    def __init__(self, layer: Any = None, factor: float = 1.0) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.embed = nn.Embedding(11, 8)
        self.layers = nn.ModuleList([Attention() if layer is None else layer])
        self.head = nn.Linear(8, 11, bias=False)
        self.head.weight = self.embed.weight
        self.factor = factor

    def forward(self, input_ids: Any, labels: Any = None) -> Any:
        x = self.embed(input_ids)
        for part in self.layers:
            x = part(x)
        scores = self.head(x)
        if labels is None:
            return {"logits": scores}
        shifted, wanted = scores[:, :-1].flatten(0, 1), labels[:, 1:].flatten()
        loss = nn.functional.cross_entropy(shifted, wanted)
        return {"loss": loss, "logits": scores}


class Adrift(Speaker):
    """Its head's gradient does not reach the embedding."""

    def forward(self, input_ids: Any, labels: Any = None) -> Any:
        found = super().forward(input_ids, labels)
        if labels is not None:
            found["loss"] = found["loss"] + Doubled.apply(self.embed.weight).sum()
        return found


class Doubled(torch.autograd.Function):  # type: ignore[misc]
    @staticmethod
    def forward(context: Any, x: Any) -> Any:
        return x.clone()

    @staticmethod
    def backward(context: Any, cotangent: Any) -> Any:
        return 2 * cotangent


def whole(tmp_path: Path, model: Any, inputs: Any = None) -> tuple[LayerReport, Report]:
    read = read_model(model.eval())
    source = source_of(inputs, seq_len=5)
    found = library(tmp_path, graph_requests(read, source))
    report = judge_model(found, read, source, whole=True)
    return section(report).layers[-1], report


def test_the_loss_and_all_gradients_agree_with_autograd(tmp_path: Path) -> None:
    layer, report = whole(tmp_path, Speaker())
    assert layer.name == "the whole model"
    assert layer.type == "Speaker, its loss"
    assert layer.verdict is Verdict.HOLDS
    captured = layer.captured
    assert captured is not None
    compared = {c.what for c in captured.comparisons if c.against.startswith("torch")}
    names = {n for n, _ in Speaker().named_parameters()}
    assert compared == {"output", *(f"gradient of {n}" for n in names)}
    assert "with random labels" in section(report).example
    assert [la.name for la in section(report).layers] == ["layers.0", "the whole model"]


def test_given_labels_are_taken(tmp_path: Path) -> None:
    ids = np.array([[1, 4, 2, 7]])
    layer, report = whole(tmp_path, Speaker(), {"input_ids": ids, "labels": ids})
    assert layer.verdict is Verdict.HOLDS
    assert layer.type == "Speaker, its loss"
    assert section(report).example == "given arrays"


def test_a_model_without_a_loss_is_compared_by_its_output(tmp_path: Path) -> None:
    layer, _ = whole(tmp_path, Stack(Attention(), Attention()))
    assert layer.type == "Stack, its first output: it has no loss"
    assert layer.verdict is Verdict.HOLDS
    compared = {c.what for c in layer.captured.comparisons}  # type: ignore[union-attr]
    assert "gradient of head.weight" in compared


@pytest.mark.parametrize("model", [Speaker(WrongBackward()), Adrift()])
def test_a_wrong_gradient_of_the_whole_is_found(tmp_path: Path, model: Any) -> None:
    layer, report = whole(tmp_path, model)
    assert layer.verdict is Verdict.FAILS
    assert "gradient of embed.weight" in " ".join(layer.captured.failing)  # type: ignore[union-attr]
    assert report.exit_code == 1


def test_errors_outside_the_layers_are_found_only_here(tmp_path: Path) -> None:
    _, report = whole(tmp_path, Adrift())
    first, last = section(report).layers
    assert first.verdict is Verdict.HOLDS
    assert last.verdict is Verdict.FAILS


def test_an_operation_without_a_translation_is_named(tmp_path: Path) -> None:
    layer, report = whole(tmp_path, Speaker(Unknown()))
    assert layer.verdict is Verdict.INCONCLUSIVE
    assert "aten.special_bessel_j0.default" in layer.coverage
    assert report.exit_code == 4


def test_every_operation_without_a_translation_is_named(tmp_path: Path) -> None:
    class Two(Unknown):
        def forward(self, x: Any, mask: Any = None) -> Any:
            return torch.special.i1(super().forward(x, mask))

    layer, _ = whole(tmp_path, Speaker(Two()))
    assert "aten.special_bessel_j0.default" in layer.coverage
    assert "aten.special_i1.default" in layer.coverage


def test_a_file_runs_nothing(tmp_path: Path) -> None:
    model = replace(read_model(Stack(Attention()).eval()), module=None)
    setup: Any = None
    with pytest.raises(InvalidInputError, match="--whole captures what a model runs"):
        run_audit(setup, model, source_of(None), whole=True)


def test_lean_is_asked_about_layers_not_about_the_whole(tmp_path: Path) -> None:
    asked: list[int] = []

    def prove(graphs: Sequence[Graph]) -> list[FormProof]:
        asked.extend(len(g.nodes) for g in graphs)
        return [FormProof(LeanStatus.PROVED, "captured_correct", "∀ ρ, …") for _ in graphs]

    read = read_model(Speaker().eval())
    source = source_of(None, seq_len=5)
    report = judge_model(library(tmp_path, ()), read, source, prove=prove, whole=True)
    layer, last = section(report).layers
    assert layer.captured is not None
    assert last.captured is not None
    assert asked == [layer.captured.nodes]
    assert layer.proved
    assert "Lean was not asked about the graph of the whole model" in last.coverage
    assert report.exit_code == 4
