"""Lean proves that captured layers with a causal mask are the library's blocks."""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bridge.capture.proofs import IsBlock, NoBlock, Proved, Unproved
from bridge.capture.theorem import prove_graphs
from bridge.engine import Engine
from bridge.lean.project import Project
from bridge.verdict import LeanStatus
from numeric.graph import Graph
from tests.lean.conftest import Once

pytestmark = [pytest.mark.lean, pytest.mark.slow]

for _name in ("torch", "transformers"):
    pytest.importorskip(_name, reason=f"{_name} is not installed")

GPT2 = {"vocab_size": 50, "n_positions": 32, "n_embd": 16, "n_layer": 1, "n_head": 2}
GPT2_INPUTS = [  # of the block, in its order
    "input 0",
    *["attn.c_attn.weight", "attn.c_attn.bias"] * 3,
    "attn.c_proj.weight",
    "attn.c_proj.bias",
    "ln_1.weight",
    "ln_1.bias",
    "ln_2.weight",
    "ln_2.bias",
    "mlp.c_fc.weight",
    "mlp.c_fc.bias",
    "mlp.c_proj.weight",
    "mlp.c_proj.bias",
]
LLAMA = {
    "vocab_size": 50,
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 24,
    "max_position_embeddings": 32,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
}
LLAMA_INPUTS = [
    "input 0",
    *(f"self_attn.{k}_proj.weight" for k in "qkvo"),
    "input 2",
    "input 3",
    "input_layernorm.weight",
    "post_attention_layernorm.weight",
    *(f"mlp.{k}_proj.weight" for k in ("gate", "up", "down")),
]
RIGHT: dict[str, tuple[str, dict[str, Any], str, list[str]]] = {
    "GPT-2": ("GPT2", GPT2, "gpt2Block", GPT2_INPUTS),
    "LLaMA": ("Llama", LLAMA, "llamaBlock", LLAMA_INPUTS),
}
OTHERS: dict[str, tuple[str, dict[str, Any]]] = {
    "another activation": ("GPT2", {**GPT2, "activation_function": "tanh"}),
    "no product with the gate's argument": ("Llama", {**LLAMA, "hidden_act": "sigmoid"}),
}
PLANTED = {
    "no factor of the scores": ("GPT-2", "softmax.exp", "attention.scaled", "attention.scores"),
    "another residual": ("GPT-2", "add_3", "add", "addmm_1.sum"),
    "the keys are not turned": ("LLaMA", "add_2", "mul_5", "mul_4"),
    "a half keeps its sign": ("LLaMA", "cat_1.0", "neg_1", "slice_4"),
    "the sum has what is masked": ("GPT-2", "softmax.sum", "softmax.kept", "softmax.exp"),
}
"""For a layer that is a block, a node that reads a wrong value, by the suffixes of their names."""
WRONG = (*OTHERS, *PLANTED)


def captured(kind: str, config: dict[str, Any]) -> Any:
    """The first layer of a model of `transformers` with small random weights, as it runs."""
    torch: Any
    transformers: Any
    torch, transformers = map(importlib.import_module, ("torch", "transformers"))
    capture = importlib.import_module("bridge.capture")
    torch.manual_seed(0)
    made = getattr(transformers, f"{kind}Config")(**config)
    model = getattr(transformers, f"{kind}Model")(made).double().eval()
    (name, *_) = capture.layers_of(model)
    call = capture.run_once(model, (name,), capture.examples(model, 6, 0)).calls[name]
    layer = capture.copied(model.get_submodule(name))
    return capture.translate(capture.export(layer, call.args, call.kwargs), "captured")


def planted(graph: Graph, reader: str, read: str, instead: str) -> Graph:
    """The graph with one node that reads a wrong value."""
    places = range(len(graph.inputs), len(graph.inputs) + len(graph.nodes))
    named = dict(zip((n.name for n in graph.nodes), places, strict=True))

    def at(end: str) -> int:
        return named.get(end) or next(k for n, k in named.items() if n.endswith(end))

    node = graph.nodes[at(reader) - len(graph.inputs)]
    assert at(read) in node.args
    other = replace(node, args=tuple(at(instead) if k == at(read) else k for k in node.args))
    return replace(graph, nodes=tuple(other if n is node else n for n in graph.nodes))


@pytest.fixture(scope="module")
def layers() -> dict[str, Any]:
    right = {n: captured(kind, config) for n, (kind, config, *_) in RIGHT.items()}
    return right | {n: captured(kind, config) for n, (kind, config) in OTHERS.items()}


@pytest.fixture(scope="module")
def proofs(
    compiled: Project, lean: Engine, layers: dict[str, Any], once: Once
) -> dict[str, Proved | Unproved]:
    """The answers about all layers of this file, from one request."""
    graphs = {n: la.graph for n, la in layers.items()}
    graphs |= {n: planted(graphs[of], *ends) for n, (of, *ends) in PLANTED.items()}
    with once("masked-blocks"):
        found = prove_graphs(compiled, lean, list(graphs.values()))
    return dict(zip(graphs, found, strict=True))


@pytest.mark.parametrize("name", RIGHT)
def test_a_layer_that_is_a_block_where_its_mask_is_causal(
    proofs: dict[str, Proved | Unproved], layers: dict[str, Any], name: str
) -> None:
    *_, block, expected = RIGHT[name]
    proof, layer = proofs[name], layers[name]
    assert isinstance(proof, Proved), proof
    assert proof.status is LeanStatus.PROVED
    assert isinstance(proof.block, IsBlock), proof.block
    assert proof.block.block == block
    assert [t.foreign_axioms for t in proof.block.theorems] == [(), ()]
    names = [i.name for i in layer.graph.inputs]
    sources = [layer.sources[names[k]] for k in proof.block.inputs if k is not None]
    read = [s.name if s.kind == "parameter" else f"{s.kind} {s.name}" for s in sources]
    assert read == expected
    ((place, mask),) = proof.block.masks
    assert mask == "causal"
    assert layer.sources[names[place]].kind == "constant"
    assert np.array_equal(layer.feeds[names[place]], np.tri(6))
    assert place not in proof.block.inputs, "the formula does not read it"
    real = proof.block.theorems[-1].statement
    assert f"DifferentiatesHolding [{place}]" in real
    assert "Mask.causal.entries" in real, "the theorem supposes it"


@pytest.mark.parametrize("name", WRONG)
def test_a_layer_that_is_not_a_block(proofs: dict[str, Proved | Unproved], name: str) -> None:
    proof = proofs[name]
    assert isinstance(proof, Proved), "the general theorem stays"
    assert isinstance(proof.block, NoBlock), proof.block
    assert "not found" in proof.block.reason
