"""Files that cannot be audited: what is wrong, with names and shapes, and what to do."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bridge.errors import InvalidInputError
from bridge.models import Options, graph_requests, judge_model, read_model
from bridge.models.inputs import given, read_inputs
from bridge.models.run import source_of
from tests.models.checkpoints import CONFIG, D, bert_tensors, plain_tensors, pytorch_tensors, write
from tests.models.library import judged, library

QUERY = "encoder.layer.0.attention.self.query.weight"


def error(path: Path, options: Options | None = None) -> InvalidInputError:
    with pytest.raises(InvalidInputError) as caught:
        read_model(path, options)
    assert caught.value.exit_code == 2
    assert caught.value.remedy
    return caught.value


def without(*names: str) -> dict[str, Any]:
    return {k: v for k, v in CONFIG.items() if k not in names}


@pytest.mark.parametrize("length", [0, 4, 100, -1])
def test_a_truncated_file(tmp_path: Path, length: int) -> None:
    path = write(tmp_path, bert_tensors())
    path.write_bytes(path.read_bytes()[:length])
    found = error(path)
    assert "not an intact safetensors file" in found.message
    assert f"({path.stat().st_size:,} bytes)" in found.message
    assert "download it again" in found.remedy


def test_a_file_of_another_kind(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"PK\x03\x04" + b"\0" * 400)
    assert "not an intact safetensors file" in error(path).message


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "model.onnx"])
def test_pickles_are_not_read(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"")
    found = error(tmp_path / name)
    assert "expected a .safetensors file" in found.message
    assert "save_file" in found.remedy


def test_a_folder_without_a_model(tmp_path: Path) -> None:
    found = error(tmp_path)
    assert "expected a folder with model.safetensors or model.safetensors.index.json" in (
        found.message
    )
    assert "name the .safetensors file itself" in found.remedy


def test_no_such_file(tmp_path: Path) -> None:
    assert "there is no file" in error(tmp_path / "nowhere.safetensors").message


def test_no_layer(tmp_path: Path) -> None:
    path = write(tmp_path, {"conv.weight": np.zeros((2, 3), np.float32)})
    found = error(path)
    assert "no Transformer encoder layer" in found.message
    assert "conv.weight [2, 3]" in found.message
    assert "self_attn.in_proj_weight" in found.remedy


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (QUERY, "lacks encoder.layer.0.attention.self.query.weight"),
        (
            "encoder.layer.0.output.dense.weight",
            f"lacks encoder.layer.0.output.dense.weight [{D}, 12]",
        ),
        ("encoder.layer.0.intermediate.dense.weight", "intermediate.dense.weight"),
    ],
)
def test_a_missing_tensor(tmp_path: Path, name: str, shown: str) -> None:
    tensors = bert_tensors()
    del tensors[name]
    found = error(write(tmp_path, tensors))
    assert shown in found.message
    assert f"encoder.layer.0.attention.output.dense.bias [{D}]" in found.message


@pytest.mark.parametrize(
    ("name", "shape", "expected"),
    [
        ("encoder.layer.0.attention.self.key.weight", (D, D + 1), [D, D]),
        ("encoder.layer.0.output.dense.weight", (12, D), [D, 12]),
        ("encoder.layer.0.output.LayerNorm.weight", (1, D), [D]),
        ("encoder.layer.0.intermediate.dense.bias", (11,), [12]),
    ],
)
def test_a_wrong_shape(
    tmp_path: Path, name: str, shape: tuple[int, ...], expected: list[int]
) -> None:
    tensors = bert_tensors()
    tensors[name] = np.zeros(shape, np.float32)
    found = error(write(tmp_path, tensors))
    assert f"{name} has the shape {list(shape)} but {expected} was expected" in found.message


def test_weights_that_are_not_matrices(tmp_path: Path) -> None:
    tensors = bert_tensors()
    tensors[QUERY] = np.zeros(D * D, np.float32)
    assert "not matrices" in error(write(tmp_path, tensors)).message


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_not_finite(tmp_path: Path, value: float) -> None:
    tensors = bert_tensors(2)
    name = "encoder.layer.1.output.dense.weight"
    tensors[name][3, 5] = value
    tensors[name][4, 0] = value
    with pytest.raises(InvalidInputError) as caught:
        judged(tmp_path, write(tmp_path / "m", tensors))
    assert f"{name} [{D}, 12] has 2 entries that are not finite" in caught.value.message
    assert f"the first at [3, 5]: {value}" in caught.value.message


def test_weights_that_are_whole_numbers(tmp_path: Path) -> None:
    tensors = bert_tensors()
    tensors[QUERY] = np.zeros((D, D), np.int8)
    with pytest.raises(InvalidInputError, match="is stored as I8"):
        judged(tmp_path, write(tmp_path / "m", tensors))


@pytest.mark.parametrize(
    ("missing", "option"), [("num_attention_heads", "--heads"), ("layer_norm_eps", "--eps")]
)
def test_missing_values_are_never_guessed(tmp_path: Path, missing: str, option: str) -> None:
    found = error(write(tmp_path, bert_tensors(), without(missing)))
    assert "is not known" in found.message
    assert option in found.remedy
    assert missing in found.remedy


def test_heads_that_do_not_divide(tmp_path: Path) -> None:
    found = error(write(tmp_path, bert_tensors(), without("num_attention_heads")), Options(heads=3))
    assert f"3 heads do not divide its {D} columns" in found.message
    assert "--heads" in found.remedy


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("num_attention_heads", "many", "a whole number"),
        ("num_attention_heads", 0, "a whole number"),
        ("num_attention_heads", True, "a whole number"),
        ("layer_norm_eps", "small", "a number"),
        ("layer_norm_eps", [1], "a number"),
        ("hidden_act", 3, "a name"),
        ("is_decoder", "perhaps", "true or false"),
    ],
)
def test_a_malformed_setting(tmp_path: Path, key: str, value: object, expected: str) -> None:
    path = write(tmp_path, bert_tensors(), {**CONFIG, key: value})
    with pytest.raises(InvalidInputError) as caught:
        read_model(path)
    assert f"{key} in config.json: expected {expected}" in caught.value.message
    assert repr(value) in caught.value.message


@pytest.mark.parametrize("text", ["{", "[1]", "\ud800"])
def test_a_malformed_configuration(tmp_path: Path, text: str) -> None:
    path = write(tmp_path, bert_tensors())
    (tmp_path / "config.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(InvalidInputError, match="config.json"):
        read_model(path)


def test_two_that_disagree(tmp_path: Path) -> None:
    path = write(tmp_path, pytorch_tensors(), CONFIG, layer_norm_eps="1e-5")
    found = error(path)
    assert "layer_norm_eps in config.json says 1e-12" in found.message
    assert "layer_norm_eps in the file's metadata says 1e-05" in found.message


def test_safetensors_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, plain_tensors())
    monkeypatch.setitem(sys.modules, "safetensors", None)
    found = error(path)
    assert "safetensors is not installed" in found.message
    assert "lean-obligations[models]" in found.remedy


X = np.zeros((2, 3, D))


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({}, "expected x"),
        ({"y": X}, "expected x"),
        ({"x": X, "mask": X, "attention_mask": X}, "expected x"),
        ({"x": np.zeros((3, D + 1))}, f"x has the shape [3, {D + 1}]"),
        ({"x": np.zeros(D)}, "x has the shape"),
        ({"x": np.zeros((0, D))}, "x has the shape"),
        ({"x": np.full((3, D), np.nan)}, "not finite"),
        ({"x": np.zeros((3, D), dtype=np.complex128)}, "its type is complex128"),
        ({"x": X, "mask": np.zeros((2, 2))}, "mask has the shape [2, 2]"),
        ({"x": X, "mask": np.ones((3, 3), np.bool_)}, "numbers to add to the scores"),
        ({"x": X, "mask": np.full((3, 3), np.nan)}, "NaN"),
        ({"x": X, "mask": np.full((3, 3), np.inf)}, "∞"),
        ({"x": X, "attention_mask": np.full((2, 3), 2)}, "other entries than 0 and 1"),
        ({"x": X, "attention_mask": np.ones((2, 4))}, "attention_mask has the shape [2, 4]"),
        (
            {"x": X, "attention_mask": np.array([[1, 1, 1], [0, 0, 0]])},
            "in sequence 1 the mask hides every token from token 0",
        ),
    ],
)
def test_malformed_inputs(arrays: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        given(arrays, D, "inputs", "")
    assert said in caught.value.message


def test_inputs_that_are_not_npz(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    path.write_text(json.dumps([1]))
    with pytest.raises(InvalidInputError, match="is not an npz file") as caught:
        read_inputs(path, D)
    assert "attention_mask [batch, seq_len]" in caught.value.remedy
    np.save(tmp_path / "x.npy", X)
    with pytest.raises(InvalidInputError, match="is not an npz file"):
        read_inputs(tmp_path / "x.npy", D)


def test_inputs_from_a_file_are_used(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=X + 1, attention_mask=np.array([[1, 1, 1], [1, 1, 0]]))
    found = read_inputs(tmp_path / "x.npz", D)
    assert (len(found), found.seq_len) == (2, 3)
    assert found.mask is not None
    assert np.isneginf(found.mask[1, :, 2]).all()
    assert (found.mask[0] == 0).all()


def test_a_library_without_the_theorems(tmp_path: Path) -> None:
    model = read_model(write(tmp_path / "m", bert_tensors()))
    source = source_of(None, seq_len=3)
    found = library(tmp_path, graph_requests(model, source))
    with pytest.raises(InvalidInputError, match="no obligation of biasedEncoderBlock"):
        judge_model(replace(found, obligations=()), model, source)
