"""Files that are incomplete, or contain something that is not understood."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bridge.errors import InvalidInputError
from bridge.models import read_model
from bridge.models.settings import MODEL_TYPES, SYNONYMS
from tests.models.checkpoints import CONFIG, bert_tensors, write
from tests.models.library import judged, section

pytestmark = pytest.mark.usefixtures("without_transformers")


@pytest.mark.parametrize(
    "more",
    [{"pruned_heads": {"0": [1]}}, {"num_hidden_layers": 3}, {"num_hidden_layers": 1}],
)
def test_an_incomplete_file(tmp_path: Path, more: dict[str, Any]) -> None:
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
        ({"text_config": {"num_attention_heads": 4}}, "text_config.num_attention_heads = 4"),
        ({"auto_map": {"AutoModel": "own.Model"}}, "auto_map ="),
    ],
)
def test_entries_of_a_configuration_that_are_not_understood(
    tmp_path: Path, more: dict[str, Any], said: str
) -> None:
    report = judged(tmp_path, write(tmp_path / "m", bert_tensors(), {**CONFIG, **more}))
    assert [said in a.found for a in section(report).unmet] == [True]
    assert report.exit_code == 4


def test_entries_that_change_no_layer(tmp_path: Path) -> None:
    more = {"model_type": "roberta", "add_cross_attention": False, "attention_dropout": 0.1}
    path = write(tmp_path / "m", bert_tensors(), {**CONFIG, **more, "vocab_size": 5})
    assert judged(tmp_path, path).exit_code == 0


def test_an_adapter_next_to_its_unmerged_base(tmp_path: Path) -> None:
    path = write(tmp_path / "m", bert_tensors(), CONFIG)
    path.with_name("adapter_config.json").write_text("{}")
    report = judged(tmp_path, path)
    assert [a.name for a in section(report).unmet] == ["adapters"]
    assert report.exit_code == 4


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"SCB": np.zeros(8, np.float32)}, r"quantised: .*query.SCB \(F32\)"),
        ({"weight.absmax": np.zeros(4, np.uint8)}, r"quantised: .*query.weight.absmax \(U8\)"),
        ({"qweight": np.zeros((1, 8), np.int32)}, r"quantised: gptq, by quantization_config in"),
    ],
)
def test_codes_of_quantised_weights_are_not_weights(
    tmp_path: Path, more: dict[str, Any], said: str
) -> None:
    tensors = bert_tensors()
    query = "encoder.layer.0.attention.self.query"
    tensors |= {f"{query}.{name}": value for name, value in more.items()}
    config = {**CONFIG, "quantization_config": {"quant_method": "gptq"} if "qweight" in more else 0}
    with pytest.raises(InvalidInputError, match=said):
        read_model(write(tmp_path / "m", tensors, config))


@pytest.mark.parametrize("kind", [np.int8, np.int64])
def test_biases_that_are_not_floats(tmp_path: Path, kind: Any) -> None:
    name = "encoder.layer.0.output.dense.bias"
    tensors = bert_tensors()
    tensors[name] = tensors[name].astype(kind)
    with pytest.raises(InvalidInputError, match=r"output.dense.bias is stored as I"):
        read_model(write(tmp_path / "m", tensors))


def test_a_stack_of_two_has_as_many_layers_as_either(tmp_path: Path) -> None:
    tensors = {**bert_tensors(1, "encoder.layer."), **bert_tensors(2, "decoder.layer.")}
    for layers, code in ((1, 0), (2, 0), (3, 0), (4, 4)):
        path = write(tmp_path / str(layers), tensors, {**CONFIG, "num_hidden_layers": layers})
        assert judged(tmp_path, path).exit_code == code


def test_an_adapter_alone(tmp_path: Path) -> None:
    tensors = {"layer.0.query.lora_A.weight": np.zeros((2, 8), np.float32)}
    with pytest.raises(InvalidInputError, match="all its tensors are an adapter's"):
        read_model(write(tmp_path / "m", tensors))


def test_without_transformers_the_report_says_what_it_would_add(tmp_path: Path) -> None:
    read = read_model(write(tmp_path / "m", bert_tensors(), {**CONFIG, "model_type": "bert"}))
    assert "pip install 'lean-obligations[models]'" in read.settings[-1]


def test_keys_that_disagree(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="num_heads in config.json says"):
        read_model(write(tmp_path / "m", bert_tensors(), {**CONFIG, "num_heads": 1}))


def test_a_duplicate_key(tmp_path: Path) -> None:
    path = write(tmp_path / "m", bert_tensors(), None)
    text = '{"num_attention_heads": 2, "layer_norm_eps": 1e-12, "num_attention_heads": %d}'
    path.with_name("config.json").write_text(text % 4)
    with pytest.raises(
        InvalidInputError, match="it has two values for num_attention_heads: 2 and 4"
    ):
        read_model(path)
    path.with_name("config.json").write_text(text % 2)
    assert read_model(path).layers


PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "real-models.md"


def test_the_page_has_the_keys_that_are_understood() -> None:
    text = PAGE.read_text(encoding="utf-8")
    table = text[text.index("| key | what it is |") :].partition("\n\n")[0]
    said = {k for line in table.splitlines()[2:] for k in re.findall("`(.+?)`", line.split("|")[1])}
    assert said == {k for keys in SYNONYMS for k in keys}
    types = text[text.index("block that their names suggest:") :].partition("\n\n")[0]
    assert set(re.findall("`(.+?)`", types)) == MODEL_TYPES
