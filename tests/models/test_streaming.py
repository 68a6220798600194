"""One layer's weights at a time, and BERT-base's sizes."""

from __future__ import annotations

import weakref
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from bridge.models import Options, read_model
from bridge.models.layer import Layer
from bridge.report.layers import LayerReport
from tests.models.checkpoints import bert_tensors, write
from tests.models.library import judged, only_layer


def test_only_one_layer_s_weights_are_in_memory(tmp_path: Path) -> None:
    model = read_model(write(tmp_path / "m", bert_tensors(3)))
    alive: list[weakref.ref[Any]] = []
    held: list[int] = []

    def watched(layer: Layer) -> Layer:
        def load() -> dict[str, Any]:
            held.append(sum(r() is not None for r in alive))
            tensors = layer.load()
            alive.extend(weakref.ref(v) for v in tensors.values())
            return tensors

        return replace(layer, load=load)

    layers = tuple(watched(la) for la in model.layers)
    assert judged(tmp_path, replace(model, layers=layers)).exit_code == 0
    assert held == [0, 0, 0]
    assert len(alive) == 3 * 16


def test_reading_a_model_reads_no_weights(tmp_path: Path) -> None:
    path = write(tmp_path, bert_tensors())
    data = bytearray(path.read_bytes())
    data[-4:] = np.float32(np.nan).tobytes()  # the last entry of some weight
    path.write_bytes(bytes(data))
    assert len(read_model(path).layers) == 1


@pytest.mark.slow
def test_a_layer_of_bert_base(tmp_path: Path) -> None:
    """d_model 768, 12 heads, d_ff 3072, 128 tokens, random weights made on the spot."""
    rng = np.random.default_rng(0)
    d, ff = 768, 3072
    shapes = {
        **{f"attention.self.{p}": (d, d) for p in ("query", "key", "value")},
        "attention.output.dense": (d, d),
        "intermediate.dense": (ff, d),
        "output.dense": (d, ff),
    }
    tensors: dict[str, Any] = {}
    for name, shape in shapes.items():
        tensors[f"{name}.weight"] = rng.normal(scale=0.02, size=shape).astype(np.float32)
        tensors[f"{name}.bias"] = rng.normal(scale=0.02, size=shape[0]).astype(np.float32)
    for name in ("attention.output.LayerNorm", "output.LayerNorm"):
        tensors[f"{name}.weight"] = np.ones(d, np.float32)
        tensors[f"{name}.bias"] = np.zeros(d, np.float32)
    path = tmp_path / "model.safetensors"
    save_file({f"encoder.layer.0.{n}": v for n, v in tensors.items()}, path)
    model = read_model(path, Options(heads=12, eps=1e-12, activation="gelu_new"))
    layer: LayerReport = only_layer(judged(tmp_path, model, seq_len=128))
    assert layer.applies
    assert dict(layer.sizes) == {
        "seqLen": 128,
        "dModel": 768,
        "numHeads": 12,
        "headDim": 64,
        "dFF": 3072,
    }
    assert {o.verdict.value for o in layer.obligations} == {"holds"}
    assert layer.norms[0].rows == 128
    assert 0.5 < layer.norms[0].least_var_eps < 2
