"""A right graph agrees in every saved tensor; of a wrong one the first wrong tensor is named."""

from __future__ import annotations

from dataclasses import replace

import pytest

from numeric import torch_block
from numeric.block_mutants import PLANTED, Planted
from numeric.case import Case
from numeric.errors import GraphError
from numeric.families import FAMILIES, Family, Region, sizes_of
from numeric.fidelity import compare, fidelity, torch_remark
from numeric.instances import draw
from numeric.interpreter import Interpreter
from numeric.measurement import Outcome
from numeric.mutants import DerivativeMutant, Edit, edit
from tests.numeric.block_graphs import WRITTEN, size_names, written

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


def test_a_tensor_that_is_not_there_is_named() -> None:
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
def test_every_planted_error_is_told_by_where_it_is(planted: Planted) -> None:
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
