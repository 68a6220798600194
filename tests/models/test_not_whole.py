"""Files that are not the whole of what they say, or say what is not understood."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bridge.errors import InvalidInputError
from bridge.models import read_model
from tests.models.checkpoints import CONFIG, bert_tensors, write
from tests.models.library import judged, section


@pytest.mark.parametrize(
    "more",
    [{"pruned_heads": {"0": [1]}}, {"num_hidden_layers": 3}],
)
def test_a_file_that_is_not_whole(tmp_path: Path, more: dict[str, Any]) -> None:
    assert (
        judged(tmp_path, write(tmp_path / "m", bert_tensors(2), {**CONFIG, **more})).exit_code == 4
    )


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"model_type": "roformer"}, "model_type = roformer"),
        ({"attention_window": [4]}, "attention_window = [4]"),
        ({"rope_theta": 1e4}, "rope_theta = 10000.0"),
        ({"num_hidden_groups": 2}, "num_hidden_groups = 2"),
        ({"quantization_config": {"bits": 8}}, "quantization_config ="),
    ],
)
def test_entries_of_a_configuration_that_nobody_understands(
    tmp_path: Path, more: dict[str, Any], said: str
) -> None:
    report = judged(tmp_path, write(tmp_path / "m", bert_tensors(), {**CONFIG, **more}))
    assert [said in a.found for a in section(report).unmet] == [True]
    assert report.exit_code == 4


def test_entries_that_change_no_layer(tmp_path: Path) -> None:
    more = {"model_type": "roberta", "add_cross_attention": False, "attention_dropout": 0.1}
    path = write(tmp_path / "m", bert_tensors(), {**CONFIG, **more, "vocab_size": 5})
    assert judged(tmp_path, path).exit_code == 0


def test_an_adapter_beside_its_base(tmp_path: Path) -> None:
    path = write(tmp_path / "m", bert_tensors(), CONFIG)
    path.with_name("adapter_config.json").write_text("{}")
    report = judged(tmp_path, path)
    assert [a.name for a in section(report).unmet] == ["adapters"]
    assert report.exit_code == 4


def test_keys_that_disagree(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="num_heads in config.json says"):
        read_model(write(tmp_path / "m", bert_tensors(), {**CONFIG, "num_heads": 1}))
