"""Lean proves that captured layers are the library's blocks, if they are."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from typing import Any

import pytest

from bridge.capture.proofs import IsBlock, NoBlock, Proved, Unproved
from bridge.capture.theorem import known_proofs, prove_graphs
from bridge.engine import Engine
from bridge.lean.project import Project
from bridge.verdict import LeanStatus
from numeric.graph import Graph
from tests.capture.encoder_layers import EncoderLayer
from tests.lean.conftest import Once

pytestmark = [pytest.mark.lean, pytest.mark.slow]

ROOT = Path(__file__).parent.parent.parent
TORCH = ("torch", "transformers")
RIGHT = {
    "packed": (EncoderLayer(), "reluEncoderBlock"),
    "apart": (
        EncoderLayer(activation="gelu", packed=False, branch_first=True),
        "geluEncoderBlock",
    ),
    "pre-norm": (
        EncoderLayer(activation="gelu", pre_norm=True, scaled_queries=True),
        "preNormGeluBlock",
    ),
    "pre-norm relu": (EncoderLayer(pre_norm=True), "preNormReluBlock"),
}
WRONG = {
    "the residual is another": EncoderLayer(skips=True),
    "ε is outside the root": EncoderLayer(outside=True),
    "the activation is another": EncoderLayer(activation="silu", pre_norm=True),
}


@pytest.fixture(scope="module")
def proofs(compiled: Project, lean: Engine, once: Once) -> dict[str, Proved | Unproved]:
    """The answers about the layers above, from one request."""
    graphs = {n: la.graph() for n, (la, _) in RIGHT.items()}
    graphs |= {n: la.graph() for n, la in WRONG.items()}
    with once("blocks"):
        found = prove_graphs(compiled, lean, list(graphs.values()))
    return dict(zip(graphs, found, strict=True))


def is_block(proof: Proved | Unproved, block: str) -> IsBlock:
    assert isinstance(proof, Proved), proof
    assert proof.status is LeanStatus.PROVED
    assert isinstance(proof.block, IsBlock), proof.block
    assert proof.block.block == block
    real = proof.block.theorems[-1]
    assert "Differentiates" in real.statement
    assert "RealField" not in real.statement
    return proof.block


@pytest.mark.parametrize("name", RIGHT)
def test_a_layer_that_is_a_block(proofs: dict[str, Proved | Unproved], name: str) -> None:
    layer, block = RIGHT[name]
    found = is_block(proofs[name], block)
    names = [i.name for i in layer.graph().inputs]
    read = [None if k is None else names[k] for k in found.inputs]
    maps = [f"{k}_{p}" for p in "qkv" for k in "wb"] if not layer.packed else ["w_in", "b_in"] * 3
    rows = ["gain1", "shift1", "gain2", "shift2"]
    inner = ["w_up", "b_up", "w_down", "b_down"]
    assert read == ["x", *maps, "w_out", "b_out", None, *rows, *inner]
    assert dict(found.constants) == {"scale": 8**-0.5, "ε₁": 1e-5, "ε₂": 1e-5}


@pytest.mark.parametrize("name", WRONG)
def test_a_layer_that_is_not_a_block(proofs: dict[str, Proved | Unproved], name: str) -> None:
    proof = proofs[name]
    assert isinstance(proof, Proved), "the general theorem stays"
    assert isinstance(proof.block, NoBlock)
    assert "not found" in proof.block.reason


@pytest.fixture(scope="module")
def torch_layers() -> dict[str, tuple[Graph, str]]:
    """PyTorch's layer and BERT's, captured, and the block that each is; none without torch."""
    if not all(map(importlib.util.find_spec, TORCH)):
        return {}
    torch: Any
    transformers: Any
    torch, transformers = map(importlib.import_module, TORCH)
    capture = importlib.import_module("bridge.capture")
    torch.manual_seed(0)

    def captured(layer: Any) -> Graph:
        x = torch.randn(1, 5, 16, dtype=torch.float64)
        exported = capture.export(layer.double().eval(), (x,), {})
        found: Graph = capture.translate(exported, "captured").graph
        return found

    def encoder(activation: str, *, norm_first: bool = False) -> Any:
        return torch.nn.TransformerEncoderLayer(
            16,
            2,
            24,
            batch_first=True,
            dropout=0.0,
            activation=activation,
            norm_first=norm_first,
        )

    config = transformers.BertConfig(
        hidden_size=16, num_attention_heads=2, intermediate_size=24, num_hidden_layers=1
    )
    bert = transformers.BertModel(config).encoder.layer[0]
    return {
        "torch relu": (captured(encoder("relu")), "reluEncoderBlock"),
        "torch norm first": (captured(encoder("relu", norm_first=True)), "preNormReluBlock"),
        "torch gelu": (captured(encoder("gelu")), "geluEncoderBlock"),
        "bert": (captured(bert), "geluEncoderBlock"),
    }


def test_the_layers_that_people_run(
    compiled: Project, lean: Engine, torch_layers: dict[str, tuple[Graph, str]]
) -> None:
    for name in TORCH:
        pytest.importorskip(name, reason=f"{name} is not installed")
    assert len(torch_layers) == 4
    graphs = [graph for graph, _ in torch_layers.values()]
    found = prove_graphs(compiled, lean, graphs)
    for proof, (_, block) in zip(found, torch_layers.values(), strict=True):
        is_block(proof, block)
    kept = known_proofs(compiled, lean, graphs)
    assert [p.block for p in kept if isinstance(p, Proved)] == [
        p.block for p in found if isinstance(p, Proved)
    ], "a second audit needs no Lean"
