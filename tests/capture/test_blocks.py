"""Which block a captured graph is proposed to be, and which of Lean's answers are accepted."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from bridge.capture.blocks import BLOCKS, headline, proposed
from bridge.capture.proofs import IsBlock, NoBlock, Proved, parse_proofs
from bridge.capture.theorem import ProofRequest
from bridge.errors import AnswerError
from bridge.verdict import LeanStatus
from numeric.graph import Graph
from tests.capture.encoder_layers import EncoderLayer
from tests.capture.graphs import masked_softmax
from tests.capture.test_theorem import said, whole

ROOT = Path(__file__).parents[2]
LAYER = EncoderLayer().graph()
SIZES = {"seqLen": 5, "dModel": 16, "numHeads": 2, "headDim": 8, "dFF": 24}
BLOCK: dict[str, Any] = {
    "theorem": "reluEncoderBlock_eval",
    "inputs": [12, *[0, 1] * 3, 2, 3, None, 8, 9, 10, 11, 4, 5, 6, 7],
    "constants": {"scale": "c_scaled", "ε₁": "c_eps1", "ε₂": "c_eps2"},
    "masks": [],
    "negative": [],
    "theorems": [
        {"name": "PostNorm.Captured.1.differentiates", "statement": "∀ ρ, …", "axioms": []},
        {"name": "PostNorm.Captured.1.differentiates_real", "statement": "∀ ρ, …", "axioms": []},
    ],
}
REFUSED: list[dict[str, Any]] = [
    {"theorem": "reluEncoderBlock_eval", "reason": "its values are not found"}
]


@pytest.mark.parametrize(
    ("layer", "block"),
    [
        (EncoderLayer(), "reluEncoderBlock"),
        (EncoderLayer(activation="gelu", packed=False), "geluEncoderBlock"),
        (EncoderLayer(pre_norm=True), "preNormReluBlock"),
        (EncoderLayer(activation="gelu", pre_norm=True), "preNormGeluBlock"),
        (EncoderLayer(activation="silu", pre_norm=True), "preNormQuickGeluBlock"),
    ],
)
def test_the_structure_says_which_block(layer: EncoderLayer, block: str) -> None:
    (candidate,) = proposed(layer.graph())
    assert candidate.block == block
    assert dict(candidate.sizes) == SIZES


@pytest.mark.parametrize("block", BLOCKS)
def test_the_library_has_the_theorems_of_every_block(block: str) -> None:
    known = json.loads((ROOT / "statements.lock.json").read_text(encoding="utf-8"))
    for name in (f"{block}_eval", headline(block)):
        assert f"{name}:conclusion" in known["obligations"]


@pytest.mark.parametrize(
    "graph",
    [
        masked_softmax().graph("out"),
        EncoderLayer(activation="silu").graph(),
    ],
)
def test_a_graph_unlike_any_block_is_not_proposed(graph: Graph) -> None:
    assert proposed(graph) == ()
    assert "blocks" not in ProofRequest((graph,)).document("nonce")


def answer(**more: Any) -> list[Any]:
    return whole({**said(0, LAYER), **copy.deepcopy(more)})


def test_the_block_that_it_is() -> None:
    assert "reluEncoderBlock_eval" in ProofRequest((LAYER,)).document("nonce")
    (proof,) = parse_proofs(answer(block=BLOCK), (LAYER,))
    assert isinstance(proof, Proved)
    assert isinstance(proof.block, IsBlock)
    assert proof.block.named == "reluEncoderBlock_backprop_eq_adjoint_fderiv"
    assert dict(proof.block.constants) == {"scale": 8**-0.5, "ε₁": 1e-5, "ε₂": 1e-5}
    assert proof.block.inputs[9] is None, "there is no mask"


def test_the_constants_are_those_of_the_layer() -> None:
    layer = EncoderLayer(eps=1e-3).graph()
    (proof,) = parse_proofs(whole({**said(0, layer), "block": BLOCK}), (layer,))
    assert isinstance(proof, Proved)
    assert isinstance(proof.block, IsBlock)
    assert dict(proof.block.constants)["ε₁"] == 1e-3


def test_a_block_that_depends_on_sorry_is_not_proved() -> None:
    messages = answer(block=BLOCK)
    messages[0]["block"]["theorems"][1]["axioms"] = ["sorryAx"]
    messages[-1]["axiom_modules"]["sorryAx"] = "Init.Prelude"
    (proof,) = parse_proofs(messages, (LAYER,))
    assert isinstance(proof, Proved)
    assert proof.status is LeanStatus.SORRY


def test_a_block_that_is_not_shown_has_a_reason_and_keeps_its_theorem() -> None:
    (proof,) = parse_proofs(answer(no_block=REFUSED), (LAYER,))
    assert isinstance(proof, Proved)
    assert proof.status is LeanStatus.PROVED
    assert proof.block == NoBlock("reluEncoderBlock", "its values are not found")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("m[0]['block']['theorem'] = 'llamaBlock_eval'", "answer about blocks"),
        ("m[0]['block']['theorems'] = []", "answer about blocks"),
        ("m[0]['block']['inputs'][0] = 13", "no input 13"),
        ("m[0]['block']['constants']['ε₁'] = 'c_other'", "no constant 'c_other'"),
        ("m[0]['block']['masks'] = [{'input': 13, 'mask': 'causal'}]", "this mask is not"),
        ("m[0]['block']['masks'] = [{'input': 0, 'mask': 'any'}]", "this mask is not"),
        ("del m[0]['block']['masks']", "answer about blocks"),
        ("m[0]['block']['negative'] = ['c_eps1']", "supposes c_eps1 = -1"),
        ("m[0]['block']['more'] = 1", "answer about blocks"),
        ("m[0]['no_block'] = []", "answer about blocks"),
        ("del m[0]['block']", "answer about blocks"),
    ],
)
def test_anything_less_is_an_error(change: str, message: str) -> None:
    messages = answer(block=BLOCK)
    exec(change, {"m": messages})
    with pytest.raises(AnswerError, match=message):
        parse_proofs(messages, (LAYER,))


def test_a_block_that_no_one_asked_about_is_an_error() -> None:
    graph = masked_softmax().graph("out")
    with pytest.raises(AnswerError, match="answer about blocks"):
        parse_proofs(whole({**said(0, graph), "block": BLOCK}), (graph,))
