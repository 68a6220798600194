"""Hugging Face's BERT and RoBERTa with random weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bridge.models import read_model
from bridge.verdict import Verdict
from tests.models.library import judged, only_layer, section, unmet

torch: Any = pytest.importorskip("torch", reason="torch is not installed: `pip install torch`")
transformers: Any = pytest.importorskip(
    "transformers", reason="transformers is not installed: `pip install transformers`"
)

SIZES = {
    "hidden_size": 8,
    "num_attention_heads": 2,
    "intermediate_size": 12,
    "vocab_size": 11,
    "max_position_embeddings": 16,
}


def model(kind: str = "Bert", layers: int = 2, **more: Any) -> Any:
    torch.manual_seed(0)
    options = {**SIZES, "num_hidden_layers": layers, "hidden_act": "gelu_new", **more}
    config = getattr(transformers, f"{kind}Config")(**options)
    made = getattr(transformers, f"{kind}Model")(config).eval()
    with torch.no_grad():
        for p in made.parameters():
            p.add_(0.2 * torch.randn_like(p))
    return made


@pytest.mark.parametrize("kind", ["Bert", "Roberta", "Electra"])
def test_its_layers_are_covered(tmp_path: Path, kind: str) -> None:
    report = judged(tmp_path, model(kind))
    found = section(report)
    assert [la.name for la in found.layers] == ["encoder.layer.0", "encoder.layer.1"]
    assert found.layers[0].type == f"{kind}Layer"
    assert report.exit_code == 0
    for layer in found.layers:
        assert "torch autograd" in layer.compared_with
        assert layer.output_difference is not None
        assert layer.output_difference < 1e-12
    assert any(name.startswith("embeddings.") for name in found.outside)


def test_its_usual_activation_has_a_theorem(tmp_path: Path) -> None:
    report = judged(tmp_path, model(hidden_act="gelu"))
    for layer in section(report).layers:
        assert layer.theorem == "geluEncoderBlock_backprop_eq_adjoint_fderiv"
        assert {o.verdict for o in layer.obligations} == {Verdict.HOLDS}
    assert report.exit_code == 0


def test_dropout_in_training_mode(tmp_path: Path) -> None:
    report = judged(tmp_path, model(layers=1).train())
    assert set(unmet(only_layer(report))) == {"dropout"}
    assert report.exit_code == 4


@pytest.mark.parametrize("implementation", ["eager", "sdpa"])
def test_padding_hides_tokens_as_transformers_does(tmp_path: Path, implementation: str) -> None:
    x = np.random.default_rng(0).normal(size=(2, 4, 8))
    kept = np.array([[1, 1, 1, 0], [1, 1, 1, 1]])
    module = model(layers=1, attn_implementation=implementation)
    report = judged(tmp_path, module, inputs={"x": x, "attention_mask": kept})
    layer = only_layer(report)
    assert set(unmet(layer)) == {"mask"}
    assert layer.output_difference == pytest.approx(0.0, abs=1e-12)
    assert {o.verdict for o in layer.obligations} == {Verdict.HOLDS}


def test_a_decoder_is_causal(tmp_path: Path) -> None:
    report = judged(tmp_path, model(layers=1, is_decoder=True))
    assert "causal" in unmet(only_layer(report))["attention"]
    assert report.exit_code != 0


def test_cross_attention_is_not_the_theorem_s(tmp_path: Path) -> None:
    module = model(layers=1, is_decoder=True, add_cross_attention=True)
    layer = only_layer(judged(tmp_path, module))
    assert "cross-attention" in unmet(layer)["attention"]
    assert "crossattention" in unmet(layer)["tensors"]
    assert layer.theorem is None


def test_pre_norm(tmp_path: Path) -> None:
    report = judged(tmp_path, model("RobertaPreLayerNorm"))
    for layer in section(report).layers:
        assert "pre-norm" in unmet(layer)["order of the norms"]
        assert layer.theorem is None
    assert report.exit_code == 4


def test_swapped_weights_of_a_layer_are_found_by_the_other_s_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = model(layers=1)
    inner = module.encoder.layer[0].attention.self
    forward = type(inner).forward

    def swapped(self: Any, *arguments: Any, **more: Any) -> Any:
        self.query, self.key = self.key, self.query
        try:
            return forward(self, *arguments, **more)
        finally:
            self.query, self.key = self.key, self.query

    assert judged(tmp_path, module).exit_code == 0
    monkeypatch.setattr(type(inner), "forward", swapped)
    assert judged(tmp_path, module).exit_code == 1


def distilbert(layers: int = 2, **more: Any) -> Any:
    torch.manual_seed(0)
    sizes = {"dim": 8, "n_heads": 2, "hidden_dim": 12, "vocab_size": 11}
    options = {"max_position_embeddings": 16, "activation": "gelu_new", **sizes, **more}
    made = transformers.DistilBertModel(
        transformers.DistilBertConfig(n_layers=layers, **options)
    ).eval()
    with torch.no_grad():
        for p in made.parameters():
            p.add_(0.2 * torch.randn_like(p))
    return made


def test_distilbert_is_covered_as_an_object_and_as_what_it_saves(tmp_path: Path) -> None:
    module = distilbert()
    report = judged(tmp_path, module)
    assert report.exit_code == 0
    for layer in section(report).layers:
        assert layer.type == "TransformerBlock"
        assert "torch autograd" in layer.compared_with
        assert layer.output_difference is not None
        assert layer.output_difference < 1e-12
    module.save_pretrained(tmp_path / "saved", max_shard_size="2KB")
    assert (tmp_path / "saved" / "model.safetensors.index.json").is_file()
    file, loaded = read_model(tmp_path / "saved"), read_model(module)
    for one, other in zip(file.layers, loaded.layers, strict=True):
        assert (one.num_heads, one.eps, one.activation) == (
            (other.num_heads, other.eps, other.activation)
        )
        for name, value in other.load().items():
            np.testing.assert_array_equal(one.load()[name], value)
    assert judged(tmp_path, file).exit_code == 0


def test_distilbert_with_a_mask_and_its_usual_activation(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(2, 4, 8))
    kept = np.array([[1, 1, 1, 0], [1, 1, 1, 1]])
    inputs = {"x": x, "attention_mask": kept}
    report = judged(tmp_path, distilbert(layers=1, activation="gelu"), inputs=inputs)
    layer = only_layer(report)
    assert set(unmet(layer)) == {"mask"}
    assert {o.verdict for o in layer.obligations} == {Verdict.HOLDS}
    assert layer.output_difference is not None
    assert layer.output_difference == pytest.approx(0.0, abs=1e-13)


def test_a_saved_model_is_audited_like_the_object(tmp_path: Path) -> None:
    """The folder that ``save_pretrained`` writes: names, config.json and all."""
    module = model()
    module.save_pretrained(tmp_path / "saved")
    file = read_model(tmp_path / "saved" / "model.safetensors")
    loaded = read_model(module)
    assert [(la.num_heads, la.eps, la.activation) for la in file.layers] == [
        (la.num_heads, la.eps, la.activation) for la in loaded.layers
    ]
    for one, other in zip(file.layers, loaded.layers, strict=True):
        first, second = one.load(), other.load()
        assert set(first) == set(second)
        for name, value in first.items():
            np.testing.assert_array_equal(value, second[name])
    assert judged(tmp_path, file).exit_code == 0
