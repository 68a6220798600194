"""A right graph agrees in every saved tensor; for a wrong one the first wrong tensor is named."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from numeric.errors import GraphError
from numeric.graph import graph_to_json, parse_graph, parse_graph_text
from numeric.instances.case import Case
from numeric.instances.draw import draw
from numeric.instances.families import FAMILIES, Family, Region, sizes_of
from numeric.interpret.interpreter import Interpreter
from numeric.judge import torch_block
from numeric.judge.fidelity import compare, fidelity, torch_remark
from numeric.judge.measurement import Outcome
from numeric.mutants.edits import DerivativeMutant, Edit, edit
from numeric.mutants.planted import PLANTED, Planted
from tests.numeric.block_graphs import WRITTEN, size_names, written
from tests.numeric.decoder_graphs import DECODERS
from tests.numeric.model_graphs import MODELS
from tests.numeric.t5_graphs import T5

BLOCK = "encoderBlockGraph"


def case(name: str = BLOCK, family: Family = FAMILIES["generic"], count: int = 4) -> Case:
    graph = written(name, dict(sizes_of(family, size_names(name))))
    batch = draw(family, graph, seed=0, key="fidelity", indices=range(count))
    return Case(Interpreter(graph), batch)


@pytest.mark.parametrize("name", WRITTEN)
@pytest.mark.parametrize(
    "family", [f for f in FAMILIES.values() if f.region is Region.DOMAIN], ids=lambda f: f.name
)
def test_every_saved_tensor_agrees(name: str, family: Family) -> None:
    found = compare(case(name, family))
    assert found.first_difference is None, found.describe()
    assert found.describe().startswith(f"all {len(found.tensors)} saved tensors agree")


@pytest.mark.parametrize(
    ("mutant", "first"),
    [
        ("queries from Wk", "mha.qHeads.heads"),
        ("scale left out", "mha.scaled"),
        ("softmax over the queries", "mha.softmax.weights"),
        ("heads merged interleaved", "mha.merged"),
        ("no first skip", "attnResidual"),
        ("mean − x", "norm1.centered"),
        ("ε₁ left out", "norm1.y"),
        ("b1 left out", "ffn.hiddenPre"),
        ("GELU's 0.044715 is 0.0447", "ffn.hiddenAct.y"),
        ("second skip from x", "ffnResidual"),
        ("gamma2 added", "norm2.y"),
    ],
)
def test_the_first_wrong_tensor_is_named(mutant: str, first: str) -> None:
    right = case()
    planted = next(p.mutant for p in PLANTED[BLOCK] if p.mutant.name == mutant)
    found = compare(Case(planted.apply(right.program.graph), right.batch))
    assert found.first_difference is not None
    assert found.first_difference.name == first
    assert found.describe().startswith(f"{first} is the first saved tensor that differs: residual")


def test_a_missing_tensor_is_named() -> None:
    right = case()
    graph = edit(right.program.graph, (Edit("mha.merged", shape=lambda g: (2, 16)),
        Edit("mha.again", op="reshape", args=("mha.merged",), shape=lambda g: (4, 8),
             before="mha.projected"),
        Edit("mha.projected", args=("mha.again", "Wo"))))  # fmt: skip
    found = compare(Case(Interpreter(graph), right.batch))
    assert found.describe() == "mha.merged: expected the shape [4, 8] but it is [2, 16]"
    renamed = replace(right.program.graph, name="geluGraph")
    found = compare(Case(Interpreter(renamed), right.batch))
    assert found.describe() == "y: the graph geluGraph has no saved tensor of this name"


def test_a_graph_of_another_name_is_refused() -> None:
    right = case()
    other = replace(right.program.graph, name="other")
    with pytest.raises(GraphError, match="expected a graph with a closed form, one of"):
        compare(Case(Interpreter(other), right.batch))


@pytest.mark.parametrize("name", WRITTEN)
def test_a_right_graph_is_faithful_in_its_derivatives_too(name: str) -> None:
    judged = fidelity(case(name))
    assert judged.count(Outcome.HOLDS) == len(judged)
    assert any(p.startswith("JVP against") for p in judged.parts)
    assert any(p.startswith("backprop to") for p in judged.parts)


@pytest.mark.parametrize("planted", PLANTED[BLOCK], ids=lambda p: p.mutant.name)
def test_every_planted_error_is_identified_by_its_place(planted: Planted) -> None:
    """An error of a value by the first wrong tensor, one of a derivative by its mode."""
    right = case()
    judged = fidelity(Case(planted.mutant.apply(right.program.graph), right.batch))
    failing = judged.outcome == Outcome.FAILS
    assert failing.any()
    named = {judged.parts[p] for p in judged.part[failing]}
    if isinstance(planted.mutant, DerivativeMutant):
        mode = "JVP against" if planted.mutant.direction == "jvp" else "backprop to"
        assert all(part.startswith(mode) for part in named)
    else:
        assert all(part.startswith("saved tensor ") for part in named)


def test_without_torch_the_report_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch_block, "version", lambda: None)
    assert torch_remark(BLOCK) == "PyTorch is not installed and took no part"
    assert not any("PyTorch" in part for part in fidelity(case()).parts)


@pytest.mark.parametrize(
    ("mutant", "first"),
    [
        ("queries from Wk", "mha.q"),
        ("softmax over the queries", "mha.softmax.sum"),
        ("ε₁ left out", "norm1.varEps"),
        ("GELU's 0.044715 is 0.0447", "ffn.hiddenAct.cubic"),
        ("gamma2 added", "norm2.y"),
    ],
)
def test_intermediate_tensors_locate_an_error_more_exactly(mutant: str, first: str) -> None:
    right = case()
    planted = next(p.mutant for p in PLANTED[BLOCK] if p.mutant.name == mutant)
    wrong = Case(planted.apply(right.program.graph), right.batch)
    found = compare(wrong, closely=True)
    assert found.first_difference is not None
    assert found.first_difference.name == first
    judged = fidelity(wrong)
    named = {judged.parts[p] for p in judged.part[judged.outcome == Outcome.FAILS]}
    assert named == {f"saved tensor {first} against the closed form, those before it agree"}


# The closed form of RMSNorm names nothing between its inputs and its value.
@pytest.mark.parametrize(
    "name", [n for n in WRITTEN if n not in (*DECODERS, *MODELS, *T5, "rmsNormGraph")]
)
@pytest.mark.parametrize("family", ["generic", "tall", "near-constant rows"])
def test_intermediate_tensors_agree_on_a_right_graph(name: str, family: str) -> None:
    right = case(name, FAMILIES[family])
    found = compare(right, closely=True)
    assert found.first_difference is None, found.describe()
    assert len(found.tensors) > len(compare(right).tensors)


@pytest.mark.parametrize("torch", [True, False])
def test_another_scale_is_another_block(monkeypatch: pytest.MonkeyPatch, torch: bool) -> None:
    """Although the graph itself states its scale, in a constant of that name."""
    if not torch:
        monkeypatch.setattr(torch_block, "version", lambda: None)
    right = written(BLOCK, dict(sizes_of(FAMILIES["generic"], size_names(BLOCK))))
    text = json.dumps(graph_to_json(right))
    wrong = parse_graph_text(text.replace('"c": 0.5, "symbol"', '"c": 1, "symbol"'))
    assert wrong.symbols["scale"] == 1.0
    batch = draw(FAMILIES["generic"], wrong, seed=0, key="fidelity", indices=range(4))
    judged = fidelity(Case(Interpreter(wrong), batch))
    assert {judged.parts[p] for p in judged.part} == {
        "saved tensor mha.scaled against the closed form, those before it agree"
    }
    assert judged.count(Outcome.FAILS) == 4


@pytest.mark.parametrize(
    ("output", "fails"), [("norm1.y", True), ("mha.scaled", True), ("copy", False)]
)
def test_the_output_is_compared_too(output: str, fails: bool) -> None:
    right = case()
    value = graph_to_json(right.program.graph)
    (last,) = value["outputs"]
    copy = {"op": "scale", "args": [last], "params": {"c": 1}, "shape": [4, 8], "name": "copy"}
    value["nodes"].append(copy)
    copied = parse_graph(value)
    graph = replace(copied, outputs=(copied.index(output),))
    judged = fidelity(Case(Interpreter(graph), right.batch))
    assert judged.count(Outcome.FAILS if fails else Outcome.HOLDS) == len(right)
    if fails:
        assert {judged.parts[p] for p in judged.part} == {
            "output, which is not norm2.y, against the closed form"
        }


def test_mutants_on_the_same_instances_are_measured_as_if_each_were_alone() -> None:
    shared = replace(case(), refuting=True)
    for planted in PLANTED[BLOCK]:
        program = planted.mutant.apply(shared.program.graph)
        alone = replace(case(), refuting=True, program=program)
        found, expected = fidelity(replace(shared, program=program)), fidelity(alone)
        assert np.array_equal(found.residual, expected.residual), planted.mutant.name
        assert np.array_equal(found.tolerance, expected.tolerance), planted.mutant.name
        assert found.count(Outcome.FAILS) == expected.count(Outcome.FAILS) > 0


def test_values_of_the_instances_alone_are_computed_once_for_all_mutants() -> None:
    asked: list[str] = []
    right, other = case(), case()
    for one in (right, replace(right, beside=right.program), other):
        some = replace(one, refuting=True)
        for at in (some, some.take(np.arange(2)), some.take(np.arange(2))):
            at.once("it", lambda: asked.append("shared"))
    assert asked == ["shared"] * 4, "of each batch, and of each part of it"
    for _ in range(2):
        right.once("it", lambda: asked.append("alone"))
    assert asked[4:] == ["alone"] * 2
