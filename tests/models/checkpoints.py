"""Small checkpoints with random weights, as files of their kinds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from tests.models.library import random

D, HEADS, FF = 8, 2, 12
CONFIG = {
    "num_attention_heads": HEADS,
    "layer_norm_eps": 1e-12,
    "hidden_act": "gelu_new",
    "hidden_dropout_prob": 0.1,
    "position_embedding_type": "absolute",
}
Tensors = dict[str, Any]


def bert_tensors(layers: int = 1, prefix: str = "encoder.layer.") -> Tensors:
    rng = np.random.default_rng(0)
    t: Tensors = {"embeddings.word_embeddings.weight": random(rng, 5, D)}
    for k in range(layers):
        p = f"{prefix}{k}."
        shapes = {
            "attention.self.query": (D, D),
            "attention.self.key": (D, D),
            "attention.self.value": (D, D),
            "attention.output.dense": (D, D),
            "intermediate.dense": (FF, D),
            "output.dense": (D, FF),
        }
        for name, shape in shapes.items():
            t[f"{p}{name}.weight"] = random(rng, *shape)
            t[f"{p}{name}.bias"] = random(rng, shape[0])
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            t[f"{p}{name}.weight"] = 1 + random(rng, D)
            t[f"{p}{name}.bias"] = random(rng, D)
    return t


def distilbert_tensors(layers: int = 1) -> Tensors:
    """The same weights as BERT's, under DistilBERT's names."""
    names = {
        "encoder.layer.": "transformer.layer.",
        "attention.self.query": "attention.q_lin",
        "attention.self.key": "attention.k_lin",
        "attention.self.value": "attention.v_lin",
        "attention.output.dense": "attention.out_lin",
        "attention.output.LayerNorm": "sa_layer_norm",
        "intermediate.dense": "ffn.lin1",
        "output.dense": "ffn.lin2",
        "output.LayerNorm": "output_layer_norm",
    }
    found: Tensors = {}
    for name, value in bert_tensors(layers).items():
        for old, new in names.items():
            name = name.replace(old, new)
        found[name] = value
    return found


def pytorch_tensors(layers: int = 1, prefix: str = "layers.", *, bias: bool = True) -> Tensors:
    rng = np.random.default_rng(1)
    t: Tensors = {}
    for k in range(layers):
        p = f"{prefix}{k}."
        shapes = {
            "self_attn.in_proj_": (3 * D, D),
            "self_attn.out_proj.": (D, D),
            "linear1.": (FF, D),
            "linear2.": (D, FF),
        }
        for name, shape in shapes.items():
            t[f"{p}{name}weight"] = random(rng, *shape)
            if bias:
                t[f"{p}{name}bias"] = random(rng, shape[0])
        for name in ("norm1", "norm2"):
            t[f"{p}{name}.weight"] = 1 + random(rng, D)
            if bias:
                t[f"{p}{name}.bias"] = random(rng, D)
    return t


def plain_tensors(layers: int = 1) -> Tensors:
    rng = np.random.default_rng(2)
    t: Tensors = {}
    for k in range(layers):
        p = f"blocks.{k}."
        for name in ("Wq", "Wk", "Wv", "Wo"):
            t[p + name] = random(rng, D, D)
        t |= {p + "W1": random(rng, D, FF), p + "W2": random(rng, FF, D)}
        t |= {f"{p}{n}": 1 + random(rng, D) for n in ("gamma1", "gamma2")}
        t |= {f"{p}{n}": random(rng, D) for n in ("beta1", "beta2", "b2")}
        t[p + "b1"] = random(rng, FF)
    return t


def write(folder: Path, tensors: Tensors, config: Any = CONFIG, **metadata: str) -> Path:
    """A file with a configuration next to it; ``None`` for none."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "model.safetensors"
    save_file({n: np.ascontiguousarray(v) for n, v in tensors.items()}, path, metadata or None)
    if config is not None:
        (folder / "config.json").write_text(json.dumps(config))
    return path


def write_shards(folder: Path, tensors: Tensors, config: Any = CONFIG, shards: int = 2) -> Path:
    """Files with an index next to them, as large checkpoints are saved; tensors alternate between
    them."""
    folder.mkdir(parents=True, exist_ok=True)
    places = {
        name: f"model-{k % shards + 1:05d}-of-{shards:05d}.safetensors"
        for k, name in enumerate(tensors)
    }
    for file in set(places.values()):
        part = {n: np.ascontiguousarray(v) for n, v in tensors.items() if places[n] == file}
        save_file(part, folder / file, {"format": "pt"})
    path = folder / "model.safetensors.index.json"
    path.write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": places}))
    (folder / "config.json").write_text(json.dumps(config))
    return path
