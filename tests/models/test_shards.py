"""Checkpoints in several files with an index, and folders that hold a model."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bridge.errors import InvalidInputError
from bridge.models import read_model
from tests.models.checkpoints import bert_tensors, write, write_shards
from tests.models.library import judged, section


def test_several_files_are_audited_like_one(tmp_path: Path) -> None:
    index = write_shards(tmp_path / "many", bert_tensors(2), shards=3)
    assert len(list(index.parent.glob("*.safetensors"))) == 3
    one = judged(tmp_path, write(tmp_path / "one", bert_tensors(2)))
    many = judged(tmp_path, index)
    assert many.exit_code == one.exit_code == 0
    assert section(many).source == str(index)
    assert section(many).outside == section(one).outside
    for first, second in zip(section(one).layers, section(many).layers, strict=True):
        assert first.name == second.name
        for norm, same in zip(first.norms, second.norms, strict=True):
            np.testing.assert_array_equal(norm.var_eps, same.var_eps)


@pytest.mark.parametrize("make", [write, write_shards], ids=["one file", "several"])
def test_a_folder_is_the_model_in_it(tmp_path: Path, make: Callable[..., Path]) -> None:
    path = make(tmp_path / "saved", bert_tensors(1))
    assert read_model(str(path.parent)).source == str(path)


def changed(index: Path, change: Callable[[dict[str, Any]], object]) -> InvalidInputError:
    """The error from reading the checkpoint after its index was changed."""
    value = json.loads(index.read_text())
    change(value)
    index.write_text(json.dumps(value))
    with pytest.raises(InvalidInputError) as found:
        read_model(index)
    assert found.value.remedy
    return found.value


QUERY = "encoder.layer.0.attention.self.query.weight"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda v: v.pop("weight_map"), "the field 'weight_map' is missing in {'metadata': "),
        (
            lambda v: v.update(weight_map={}),
            "an object of length at least 1 but got weight_map = {}",
        ),
        (lambda v: v.update(weight_map=[1]), "expected an object but got weight_map = [1]"),
        (lambda v: v["weight_map"].update({QUERY: 3}), f"text but got weight_map[{QUERY!r}] = 3"),
        (
            lambda v: v["weight_map"].update({QUERY: "../model.safetensors"}),
            "the name of a file next to it for encoder.layer.0",
        ),
        (
            lambda v: v["weight_map"].update({QUERY: "model-3.safetensors"}),
            "names the file model-3.safetensors, which is not next to it",
        ),
        (
            lambda v: v["weight_map"].update({"nobody.weight": v["weight_map"][QUERY]}),
            "says that nobody.weight is in model-0000",
        ),
        (lambda v: v["weight_map"].pop(QUERY), f"lacks {QUERY}"),
    ],
)
def test_an_index_that_does_not_fit_its_files(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], said: str
) -> None:
    assert said in changed(write_shards(tmp_path, bert_tensors(1)), change).message


def test_an_index_that_is_not_json(tmp_path: Path) -> None:
    index = write_shards(tmp_path, bert_tensors(1))
    index.write_text("{")
    with pytest.raises(InvalidInputError, match="cannot be read"):
        read_model(index)


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    index = write_shards(tmp_path, bert_tensors(1))
    broken = tmp_path / "model-00002-of-00002.safetensors"
    broken.write_bytes(broken.read_bytes()[:50])
    with pytest.raises(
        InvalidInputError, match="model-00002-of-00002.safetensors is not an intact"
    ):
        read_model(index)


def test_entries_that_are_not_finite_name_their_file(tmp_path: Path) -> None:
    tensors = bert_tensors(1)
    tensors[QUERY][0, 0] = np.nan
    layer = read_model(write_shards(tmp_path, tensors)).layers[0]
    with pytest.raises(InvalidInputError, match=r"model-0000.-of-00002.safetensors: encoder"):
        layer.load()
