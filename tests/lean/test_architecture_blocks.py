"""Lean proves that layers of common architectures are the library's blocks: of exactly those that
the table in the docs lists."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from bridge.capture.blocks import proposed
from bridge.capture.masks import masks_of
from bridge.capture.proofs import IsBlock, Proved
from bridge.capture.theorem import prove_graphs
from bridge.engine import Engine
from bridge.lean.project import Project
from tests.capture.architectures import ARCHITECTURES, BLOCKS_OF, make

pytestmark = [pytest.mark.lean, pytest.mark.slow]

for _name in ("torch", "transformers"):
    pytest.importorskip(_name, reason=f"{_name} is not installed")


def built_like_blocks() -> list[tuple[str, Any]]:
    """The layers of all architectures that are built like a block of the library."""
    capture: Any = importlib.import_module("bridge.capture")
    rule: Any = importlib.import_module("bridge.capture.aten.rule")
    found = []
    for name in ARCHITECTURES:
        model = make(name)
        parts = capture.layers_of(model)
        calls = capture.run_once(model, parts, capture.examples(model, 8, 0)).calls
        for part in parts:
            call, layer = calls[part], capture.copied(model.get_submodule(part))
            try:
                exported = capture.export(layer, call.args, call.kwargs)
                captured = capture.translate(exported, "captured")
            except rule.Untranslated:
                continue
            if proposed(captured.graph):
                found.append((name, captured))
    return found


def test_the_table_names_the_theorems_that_lean_proves(compiled: Project, lean: Engine) -> None:
    layers = built_like_blocks()
    proofs = prove_graphs(compiled, lean, [captured.graph for _, captured in layers])
    found: dict[str, str] = {}
    for (name, captured), proof in zip(layers, proofs, strict=True):
        assert isinstance(proof, Proved), name
        if isinstance(proof.block, IsBlock):
            known = masks_of(captured)
            names = [i.name for i in captured.graph.inputs]
            if all((names[k], mask) in known for k, mask in proof.block.masks):
                assert found.setdefault(name, proof.block.block) == proof.block.block
    assert found == BLOCKS_OF
