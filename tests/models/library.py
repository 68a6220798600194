"""A library that needs no Lean: the block's obligations, and graphs written by hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from bridge.lean.graphs import ExportedGraphs
from bridge.lean.library import Library
from bridge.lean.obligation import Obligation
from bridge.lean.project import find_project
from bridge.lean.requests import GraphRequest
from bridge.lean.statement import Discharge, Statements
from bridge.models import Model, Options, graph_requests, judge_model, read_model
from bridge.models.activations import RELU
from bridge.models.run import source_of
from bridge.models.theorems import BIASED, PLAIN, THEOREMS
from bridge.report import Report
from bridge.report.captured import FormProof
from bridge.report.layers import LayerReport, ModelReport
from bridge.verdict import LeanStatus
from numeric.graph import Graph, graph_to_json
from tests.cli.fake import FakeEngine, write_project
from tests.numeric.block_graphs import written
from tests.report.parts import obligation

NORMS = [f"hNorm{n}{what}" for n in "12" for what in ("VarEpsPos", "StdNe0")]


def obligations() -> Iterable[Obligation]:
    for theorems in THEOREMS:
        nonzero = ["hPreActivationNe0"] if theorems.activation == RELU else []
        norms = NORMS if theorems in (BIASED, PLAIN) else NORMS[::2]
        for binder in norms:
            number = "₁₂"[int(binder[5]) - 1]
            discharge = Discharge(binder, "lemma", (f"0 < ε{number}",))
            yield obligation(f"{theorems.backprop}:{binder}", discharge=discharge)
        for binder in nonzero:
            yield obligation(f"{theorems.backprop}:{binder}")
        yield obligation(f"{theorems.backprop}:conclusion")
        for binder in ("hEps1Pos", "hEps2Pos", *nonzero):
            yield obligation(f"{theorems.backprop_of_pos}:{binder}")
        yield obligation(f"{theorems.backprop_of_pos}:conclusion")
        yield obligation(f"{theorems.value}:conclusion")


def library(root: Path, requests: Iterable[GraphRequest], *, refuse: bool = False) -> Library:
    """Lean's answer, with the requested graphs, or without any graph."""
    if not (root / "lakefile.lean").exists():
        write_project(root)
    wanted = tuple(requests)
    members = {r: graph_to_json(written(r.name, dict(r.sizes))) for r in wanted}
    refused = dict.fromkeys(wanted, "too large") if refuse else {}
    return Library(
        project=find_project(root),
        engine=FakeEngine(root / "answers.json"),
        statements=Statements("4.28.0", (), {}, {}),
        obligations=tuple(obligations()),
        graphs=ExportedGraphs((), {} if refuse else members, refused),
        theory=None,
        requested=wanted,
        answer={},
        from_cache=True,
    )


def judged(
    root: Path,
    model: object,
    *,
    inputs: Any = None,
    sequences: int = 1,
    seq_len: int = 4,
    refuse: bool = False,
    prove: Any = None,
    **options: Any,
) -> Report:
    """The audit of a model, without Lean; ``prove`` answers about captured graphs instead."""
    read = model if isinstance(model, Model) else read_model(model, Options(**options))
    source = source_of(inputs, sequences=sequences, seq_len=seq_len)
    found = library(root, graph_requests(read, source), refuse=refuse)
    return judge_model(found, read, source, prove=prove)


def accepting(graphs: Sequence[Graph]) -> list[FormProof]:
    """A Lean that proves every graph: any remaining problem is then the model's."""
    return [FormProof(LeanStatus.PROVED, "captured_correct", "∀ ρ, …") for _ in graphs]


def section(report: Report) -> ModelReport:
    assert report.model is not None
    return report.model


def only_layer(report: Report) -> LayerReport:
    (layer,) = section(report).layers
    return layer


def unmet(layer: LayerReport) -> dict[str, str]:
    return {a.name: a.found for a in layer.unmet}


def with_layers(model: Model, **changes: Any) -> Model:
    """The model with other facts about its layers."""
    return replace(model, layers=tuple(replace(la, **changes) for la in model.layers))


def random(rng: np.random.Generator, *shape: int) -> Any:
    return (rng.normal(size=shape) / np.sqrt(shape[-1])).astype(np.float32)
