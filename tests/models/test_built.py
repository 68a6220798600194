"""Folders that `transformers` saved: built from config.json, and audited by what they run."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from bridge.errors import InvalidInputError
from bridge.models import Options, read_model
from tests.capture.architectures import make
from tests.models.checkpoints import CONFIG, bert_tensors, write
from tests.models.library import accepting, judged, section

torch: Any = pytest.importorskip("torch", reason="torch is not installed: `pip install torch`")
transformers: Any = pytest.importorskip(
    "transformers", reason="transformers is not installed: `pip install transformers`"
)

Tensors = dict[str, Any]
Change = Callable[[Tensors, dict[str, Any]], None]
SIZES = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 24,
    "vocab_size": 50,
    "max_position_embeddings": 16,
    "hidden_act": "gelu_new",
}


def saved(folder: Path, model: Any, change: Change | None = None, **more: Any) -> Path:
    """A folder as ``save_pretrained`` writes it, and then changed."""
    from safetensors.torch import load_file, save_file

    model.save_pretrained(folder, **more)
    if change is not None:
        file, beside = folder / "model.safetensors", folder / "config.json"
        tensors, config = load_file(file), json.loads(beside.read_text())
        change(tensors, config)
        save_file({n: t.contiguous() for n, t in tensors.items()}, file)
        beside.write_text(json.dumps(config))
    return folder


def bert(kind: str = "BertModel", **more: Any) -> Any:
    torch.manual_seed(0)
    return getattr(transformers, kind)(transformers.BertConfig(**{**SIZES, **more}))


def said(folder: Path, root: Path) -> tuple[int, str]:
    """The exit code, and what is not known about the model as a whole."""
    report = judged(root, folder, seq_len=5, prove=accepting)
    return report.exit_code, "; ".join(str(a) for a in section(report).unmet)


@pytest.mark.parametrize(
    "name",
    [
        "BERT",
        "LLaMA",
        "CLIP",
        *(pytest.param(n, marks=pytest.mark.slow) for n in ("GPT-2", "ViT", "T5", "RoFormer")),
    ],
)
def test_a_known_model_type_is_built_and_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def refused(*args: Any) -> None:
        raise AssertionError("nothing may be fetched")

    model = make(name)
    folder = saved(tmp_path / "m", model)
    monkeypatch.setattr(socket.socket, "connect", refused)
    read = read_model(folder)
    assert any(f"built as {type(model).__name__} of transformers" in s for s in read.settings)
    assert read.assumptions == read_model(model).assumptions
    for key, value in model.state_dict().items():
        assert torch.equal(value, read.module.state_dict()[key])
    ours, theirs = (judged(tmp_path, m, seq_len=5, prove=accepting) for m in (read, model))
    assert ours.exit_code == theirs.exit_code == (4 if name == "RoFormer" else 0)
    assert [la.verdict for la in section(ours).layers] == [
        la.verdict for la in section(theirs).layers
    ]


def test_with_its_loss(tmp_path: Path) -> None:
    folder = saved(tmp_path / "m", bert("BertForMaskedLM"))
    assert type(read_model(folder).module).__name__ == "BertForMaskedLM"


def test_several_files_and_a_shorter_float(tmp_path: Path) -> None:
    folder = saved(tmp_path / "m", bert().to(torch.bfloat16), max_shard_size="2KB")
    read = read_model(folder)
    assert read.dtype == "BF16"
    assert read.module.dtype == torch.bfloat16
    next(folder.glob("model-00002*")).unlink()
    with pytest.raises(InvalidInputError, match="names the file model-00002"):
        read_model(folder)


def without_a_layer(tensors: Tensors, config: dict[str, Any]) -> None:
    for name in [n for n in tensors if "layer.1." in n]:
        del tensors[name]


def with_a_layer_too_many(tensors: Tensors, config: dict[str, Any]) -> None:
    config["num_hidden_layers"] = 1


def with_another_width(tensors: Tensors, config: dict[str, Any]) -> None:
    config["intermediate_size"] = 20


def with_pruned_heads(tensors: Tensors, config: dict[str, Any]) -> None:
    config["pruned_heads"] = {"0": [1]}
    for part in ("query", "key", "value"):
        for kind in ("weight", "bias"):
            name = f"encoder.layer.0.attention.self.{part}.{kind}"
            tensors[name] = tensors[name][:12]
    name = "encoder.layer.0.attention.output.dense.weight"
    tensors[name] = tensors[name][:, :12]


def with_lora(tensors: Tensors, config: dict[str, Any]) -> None:
    name = "encoder.layer.0.attention.self.query"
    tensors[f"{name}.base_layer.weight"] = tensors.pop(f"{name}.weight")
    tensors[f"{name}.lora_A.default.weight"] = torch.zeros(2, 16)
    tensors[f"{name}.lora_B.default.weight"] = torch.zeros(16, 2)


def with_relative_positions(tensors: Tensors, config: dict[str, Any]) -> None:
    config["position_embedding_type"] = "relative_key"


def with_a_window(tensors: Tensors, config: dict[str, Any]) -> None:
    config["attention_window"] = [4]


def with_old_words(tensors: Tensors, config: dict[str, Any]) -> None:
    config |= {"position_embedding_type": "absolute", "gradient_checkpointing": False}
    config |= {"attn_implementation": "someone/else", "id2label": {"0": "layer"}}


CHANGED: Mapping[str, tuple[Change, int, str]] = {
    "a layer too few": (without_a_layer, 4, "random here: encoder.layer.1 (16 tensors)"),
    "a layer too many": (
        with_a_layer_too_many,
        4,
        "in the file, but not in the model: encoder.layer.1 (16 tensors)",
    ),
    "another width": (with_another_width, 4, "and [20] in the model"),
    "an adapter": (with_lora, 4, "of an adapter that was not merged: encoder.layer.0 (3 tensors)"),
    "positions in the scores": (
        with_relative_positions,
        4,
        'not understood: position_embedding_type = "relative_key"',
    ),
    "an entry of another model": (with_a_window, 4, "not understood: attention_window = [4]"),
    "words of older releases": (with_old_words, 0, ""),
}


@pytest.mark.parametrize("name", CHANGED)
def test_a_folder_whose_parts_do_not_fit(tmp_path: Path, name: str) -> None:
    change, code, words = CHANGED[name]
    found, text = said(saved(tmp_path / "m", bert(), change), tmp_path)
    assert found == code, text
    assert words in text


def test_pruned_heads_are_read_by_the_names(tmp_path: Path) -> None:
    folder = saved(tmp_path / "m", bert(), with_pruned_heads)
    report = judged(tmp_path, folder)
    first = section(report).layers[0]
    assert "pruned heads, by pruned_heads in config.json" in first.coverage
    assert report.exit_code == 4


def test_an_adapter_next_to_its_base(tmp_path: Path) -> None:
    folder = saved(tmp_path / "m", bert())
    (folder / "adapter_config.json").write_text('{"peft_type": "LORA"}')
    code, text = said(folder, tmp_path)
    assert code == 4
    assert "adapter_config.json next to the file" in text


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"num_heads": 2}, "num_attention_heads says 4, and num_heads says 2"),
        ({"activation": "relu"}, "hidden_act says 'gelu_new', and activation says 'relu'"),
        ({"num_layers": 12}, "num_hidden_layers says 2, and num_layers says 12"),
    ],
)
def test_two_keys_for_one_thing(tmp_path: Path, more: dict[str, Any], words: str) -> None:
    folder = saved(tmp_path / "m", bert(), lambda tensors, config: config.update(more))
    with pytest.raises(InvalidInputError, match=words):
        read_model(folder)


def test_entries_of_a_nested_configuration(tmp_path: Path) -> None:
    def change(tensors: Tensors, config: dict[str, Any]) -> None:
        config["text_config"]["attention_window"] = 4

    code, text = said(saved(tmp_path / "m", make("CLIP"), change), tmp_path)
    assert code == 4
    assert "text_config.attention_window = 4" in text


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"model_type": "nobody"}, "knows no model_type 'nobody'"),
        ({"model_type": "bert", "auto_map": {"AutoModel": "a.B"}}, "custom code"),
        ({"model_type": "bert", "hidden_size": 9}, "could not build it: ValueError"),
        ({"model_type": "bert", "quantization_config": {"bits": 8}}, "weights are quantised"),
    ],
)
def test_a_model_that_cannot_be_built_is_read_by_its_names(
    tmp_path: Path, more: dict[str, Any], words: str
) -> None:
    read = read_model(write(tmp_path / "m", bert_tensors(), {**CONFIG, **more}))
    assert read.kind == "safetensors"
    assert words in read.settings[-1]


def test_a_model_that_neither_way_supports_names_both(tmp_path: Path) -> None:
    path = write(tmp_path / "m", {"h.0.w": bert_tensors().popitem()[1]}, {"model_type": "nobody"})
    with pytest.raises(InvalidInputError, match=r"no Transformer encoder layer.*'nobody'"):
        read_model(path)


def test_options_of_the_caller_are_about_the_tensors(tmp_path: Path) -> None:
    read = read_model(saved(tmp_path / "m", bert()), Options(heads=4))
    assert read.kind == "safetensors"
    assert "are about the tensors" in read.settings[-1]


def test_without_transformers_the_names_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = saved(tmp_path / "m", bert())
    monkeypatch.setitem(sys.modules, "transformers", None)
    read = read_model(folder)
    assert read.kind == "safetensors"
    assert "pip install 'lean-obligations[models]'" in read.settings[-1]
    assert judged(tmp_path, read).exit_code == 0


@pytest.mark.parametrize(
    ("more", "said_of_it"),
    [
        ({"text_config": {"attention_window": 4}}, "text_config.attention_window = 4"),
        ({"vision_config": {"unused": 1}}, ""),
        ({"activation_function": "gelu_new"}, ""),  # the value of hidden_act
    ],
)
def test_entries_that_its_class_does_not_read(
    tmp_path: Path, more: dict[str, Any], said_of_it: str
) -> None:
    code, text = said(saved(tmp_path / "m", bert(), lambda t, c: c.update(more)), tmp_path)
    assert said_of_it in text
    assert code == (4 if said_of_it else 0)


def test_two_names_that_a_class_reads_as_one(tmp_path: Path) -> None:
    torch.manual_seed(0)
    sizes = {"vocab_size": 50, "dim": 16, "n_layers": 1, "n_heads": 2, "hidden_dim": 24}
    model = transformers.DistilBertModel(transformers.DistilBertConfig(**sizes))
    folder = saved(tmp_path / "m", model, lambda t, c: c.update(num_attention_heads=4))
    with pytest.raises(InvalidInputError, match="n_heads says 2, and num_attention_heads says 4"):
        read_model(folder)
