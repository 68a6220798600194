"""DistilBERT's names: BERT's layer, an ε that its code fixes, and no other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bridge.errors import InvalidInputError
from bridge.models import read_model
from tests.models.checkpoints import (
    CONFIG,
    HEADS,
    bert_tensors,
    distilbert_tensors,
    write,
    write_shards,
)
from tests.models.library import judged, section

pytestmark = pytest.mark.usefixtures("without_transformers")

OWN = {"model_type": "distilbert", "n_heads": HEADS, "activation": "gelu_new", "dropout": 0.1}


def test_the_same_weights_are_the_same_layers(tmp_path: Path) -> None:
    bert = judged(tmp_path, write(tmp_path / "bert", bert_tensors(2)))
    report = judged(tmp_path, write(tmp_path / "distilbert", distilbert_tensors(2), OWN))
    assert report.exit_code == 0
    assert section(report).naming == "Hugging Face DistilBERT"
    assert [la.name for la in section(report).layers] == [f"transformer.layer.{k}" for k in (0, 1)]
    for one, other in zip(section(bert).layers, section(report).layers, strict=True):
        for norm, same in zip(one.norms, other.norms, strict=True):
            np.testing.assert_array_equal(norm.var_eps, same.var_eps)


def test_its_eps_is_that_of_its_code(tmp_path: Path) -> None:
    model = read_model(write(tmp_path, distilbert_tensors(), OWN))
    assert model.layers[0].eps == (1e-12, 1e-12)
    assert any(s.startswith("ε: 1e-12, by the code of Hugging Face D") for s in model.settings)


def test_a_given_eps_counts(tmp_path: Path) -> None:
    said = {**OWN, "layer_norm_eps": 1e-5}
    assert read_model(write(tmp_path, distilbert_tensors(), said)).layers[0].eps == (1e-5, 1e-5)


def test_bert_s_eps_is_still_asked_for(tmp_path: Path) -> None:
    silent = {k: v for k, v in CONFIG.items() if k != "layer_norm_eps"}
    with pytest.raises(InvalidInputError, match="LayerNorm's ε is not known"):
        read_model(write(tmp_path, bert_tensors(), silent))


def test_its_usual_activation_has_a_theorem(tmp_path: Path) -> None:
    path = write_shards(tmp_path / "m", distilbert_tensors(), {**OWN, "activation": "gelu"})
    report = judged(tmp_path, path)
    (layer,) = section(report).layers
    assert layer.theorem == "geluEncoderBlock_backprop_eq_adjoint_fderiv"
    assert report.exit_code == 0


def test_an_incomplete_layer(tmp_path: Path) -> None:
    tensors = distilbert_tensors()
    del tensors["transformer.layer.0.ffn.lin2.weight"]
    with pytest.raises(InvalidInputError, match=r"lacks transformer.layer.0.ffn.lin2.weight"):
        read_model(write(tmp_path, tensors, OWN))
