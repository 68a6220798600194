"""Checkpoints as files: names, layouts, settings, and what the audit says of each layer."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bridge.models import Options, read_model
from bridge.verdict import Verdict
from numeric.closed_forms import encoder_block
from tests.models.checkpoints import (
    CONFIG,
    HEADS,
    D,
    bert_tensors,
    plain_tensors,
    pytorch_tensors,
    write,
)
from tests.models.library import judged, only_layer, section, unmet


def without(*names: str) -> dict[str, Any]:
    return {k: v for k, v in CONFIG.items() if k not in names}


def test_a_bert_checkpoint_is_covered(tmp_path: Path) -> None:
    report = judged(tmp_path, write(tmp_path / "m", bert_tensors(3)), sequences=2)
    model = section(report)
    assert [la.name for la in model.layers] == [f"encoder.layer.{k}" for k in range(3)]
    assert model.covered == 3
    assert not report.shortfalls
    assert report.exit_code == 0
    assert model.outside == ("embeddings.word_embeddings.weight",)
    assert {e.verdict for e in report.entries} == {Verdict.HOLDS}
    assert len(report.entries) == 9
    for layer in model.layers:
        assert layer.coverage == (
            "theorem applies: biasedEncoderBlock_backpropVec_eq_adjoint_fderiv_at"
        )
        assert {o.key.split(":")[1] for o in layer.obligations} == {
            *("hNorm1VarEpsPos", "hNorm1StdNe0", "hNorm2VarEpsPos", "hNorm2StdNe0"),
            *("hEps1Pos", "hEps2Pos", "conclusion"),
        }
        assert layer.computed_by == "the graph that Lean exports at this size"
        assert layer.compared_with == ("the complex step", "the closed form")


def test_a_discharged_hypothesis_is_reported_with_the_model_s_eps(tmp_path: Path) -> None:
    layer = only_layer(judged(tmp_path, write(tmp_path / "m", bert_tensors())))
    lean = {o.key.partition(":")[2]: o.lean for o in layer.obligations}
    assert lean["hNorm1VarEpsPos"] == "discharged: 0 < ε₁ holds, ε₁ = 1e-12"
    assert lean["hNorm2StdNe0"] == "discharged: 0 < ε₂ holds, ε₂ = 1e-12"
    assert lean["hEps1Pos"] == "assumed"
    assert lean["conclusion"] == "proved"
    zero = write(tmp_path / "zero", bert_tensors(), {**CONFIG, "layer_norm_eps": 0})
    lean = {o.key.partition(":")[2]: o.lean for o in only_layer(judged(tmp_path, zero)).obligations}
    assert lean["hNorm1VarEpsPos"] == "assumed: not 0 < ε₁, for ε₁ = 0"


def test_an_interrupted_audit_keeps_what_it_found(tmp_path: Path) -> None:
    model = read_model(write(tmp_path / "m", bert_tensors(3)))

    def stopped() -> Any:
        raise KeyboardInterrupt

    layers = (*model.layers[:2], replace(model.layers[2], load=stopped))
    report = judged(tmp_path, replace(model, layers=layers))
    assert report.interrupted
    assert [la.name for la in section(report).layers] == ["encoder.layer.0", "encoder.layer.1"]
    assert report.exit_code == 4


def test_each_entry_counts_the_layers(tmp_path: Path) -> None:
    report = judged(tmp_path, write(tmp_path / "m", bert_tensors(3)))
    for entry in report.entries:
        assert entry.result is not None
        assert (entry.result.instances, entry.result.accepted) == (3, 3)
        assert [f.family for f in entry.result.families] == [f"encoder.layer.{k}" for k in range(3)]
    margins = {e.obligation.binder: e.result.worst for e in report.entries if e.result}
    layers = section(report).layers
    least = min(la.norms[0].least_var_eps for la in layers)
    worst = margins["hNorm1VarEpsPos"]
    assert worst is not None
    assert worst.margin == least


@pytest.mark.parametrize(
    ("name", "order"), [("layer.2", 0), ("layer.10", 1)], ids=["layer 2", "layer 10"]
)
def test_layers_run_in_the_order_of_their_numbers(tmp_path: Path, name: str, order: int) -> None:
    tensors = {
        n.replace("layer.0.", "layer.2.").replace("layer.1.", "layer.10."): v
        for n, v in bert_tensors(2).items()
    }
    model = read_model(write(tmp_path, tensors))
    assert model.layers[order].name.endswith(name)


def test_the_margins_are_those_of_the_closed_form(tmp_path: Path) -> None:
    """Layer k's input is what layer k − 1 returns."""
    path = write(tmp_path / "m", bert_tensors(2))
    x = np.random.default_rng(5).normal(size=(3, D))
    report = judged(tmp_path, path, inputs={"x": x})
    eps = np.full(1, CONFIG["layer_norm_eps"], dtype=np.float64)
    stream = x[None]
    for layer, found in zip(read_model(path).layers, section(report).layers, strict=True):
        weights = {n: v[None] for n, v in layer.load().items()}
        saved = encoder_block.run({"x": stream, **weights}, HEADS, eps, eps)
        for norm, rows in zip(
            found.norms, (saved.first.residual, saved.second.residual), strict=True
        ):
            expected = rows.var(axis=-1) + eps
            np.testing.assert_allclose(norm.var_eps, expected, rtol=1e-9)
            assert norm.least_var_eps <= expected.min() * (1 + 1e-12)
            assert norm.row == int(np.argmin(expected))
            assert norm.least_std == pytest.approx(np.sqrt(norm.least_var_eps))
        stream = saved.output


def test_weights_come_in_the_layout_of_the_theorem(tmp_path: Path) -> None:
    stored = pytorch_tensors(1)
    path = write(tmp_path, stored, {**CONFIG, "norm_first": False})
    (layer,) = read_model(path).layers
    tensors = layer.load()
    fused = stored["layers.0.self_attn.in_proj_weight"].astype(np.float64)
    for k, name in enumerate(("Wq", "Wk", "Wv")):
        np.testing.assert_array_equal(tensors[name], fused[k * D : (k + 1) * D].T)
    np.testing.assert_array_equal(tensors["W1"], stored["layers.0.linear1.weight"].T)
    np.testing.assert_array_equal(
        tensors["bk"], stored["layers.0.self_attn.in_proj_bias"][D : 2 * D]
    )
    assert {v.dtype for v in tensors.values()} == {np.dtype(np.float64)}


@pytest.mark.parametrize("prefix", ["roberta.encoder.layer.", "bert.encoder.layer.", "layer."])
def test_prefixes_do_not_matter(tmp_path: Path, prefix: str) -> None:
    model = read_model(write(tmp_path, bert_tensors(2, prefix)))
    assert [la.name for la in model.layers] == [f"{prefix}{k}" for k in range(2)]


def test_old_names_of_the_norms_are_known(tmp_path: Path) -> None:
    tensors = bert_tensors()
    renamed = {
        n.replace("LayerNorm.weight", "LayerNorm.gamma").replace(
            "LayerNorm.bias", "LayerNorm.beta"
        ): v
        for n, v in tensors.items()
    }
    assert "encoder.layer.0.output.LayerNorm.gamma" in renamed
    layer = only_layer(judged(tmp_path, write(tmp_path / "m", renamed)))
    assert layer.applies


def test_a_layer_without_biases_is_the_plain_theorem_s(tmp_path: Path) -> None:
    path = write(tmp_path / "m", plain_tensors())
    report = judged(tmp_path, path)
    assert only_layer(report).theorem == "encoderBlock_backpropVec_eq_adjoint_fderiv_at"
    assert report.exit_code == 0


def test_with_a_mask_it_is_the_biased_theorem_s(tmp_path: Path) -> None:
    x, mask = np.random.default_rng(0).normal(size=(3, D)), np.triu(np.full((3, 3), -9.0), 1)
    report = judged(tmp_path, write(tmp_path / "m", plain_tensors()), inputs={"x": x, "mask": mask})
    assert only_layer(report).theorem == "biasedEncoderBlock_backpropVec_eq_adjoint_fderiv_at"
    assert report.exit_code == 0
    assert "mask: real numbers" in {str(a) for a in only_layer(report).assumptions}


@pytest.mark.parametrize("dtype", ["F16", "F64", "BF16"])
def test_other_types_are_read_exactly(tmp_path: Path, dtype: str) -> None:
    tensors = bert_tensors()
    if dtype == "BF16":  # numpy has no such type, so the file is written by hand
        path = write(tmp_path, tensors)
        expected = _rewritten_as_bf16(path)
    else:
        kind = np.float16 if dtype == "F16" else np.float64
        expected = {n: v.astype(kind) for n, v in tensors.items()}
        path = write(tmp_path, expected)
    model = read_model(path)
    assert model.dtype == dtype
    got = model.layers[0].load()["W1"]
    np.testing.assert_array_equal(got, expected["encoder.layer.0.intermediate.dense.weight"].T)


def _rewritten_as_bf16(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    body, values = b"", {}
    for name, entry in header.items():
        start, end = entry["data_offsets"]
        single = np.frombuffer(data[8 + length + start : 8 + length + end], "<f4")
        halves = (single.view("<u4") >> 16).astype("<u2")
        values[name] = (halves.astype("<u4") << 16).view("<f4").reshape(entry["shape"])
        entry |= {"dtype": "BF16", "data_offsets": [len(body), len(body) + halves.nbytes]}
        body += halves.tobytes()
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + body)
    return values


def test_settings_come_from_the_metadata_too(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        pytorch_tensors(),
        None,
        num_heads="2",
        layer_norm_eps="1e-5",
        activation="gelu_tanh",
        norm_first="False",
    )
    (layer,) = read_model(path).layers
    assert (layer.num_heads, layer.eps) == (2, (1e-5, 1e-5))
    assert not [a for a in layer.assumptions if not a.met]


def test_options_of_the_caller_are_enough(tmp_path: Path) -> None:
    path = write(tmp_path / "m", pytorch_tensors(2), None)
    report = judged(tmp_path, path, heads=2, eps=1e-5, activation="gelu_tanh", post_norm=True)
    assert report.exit_code == 0
    assert "heads: 2, by --heads" in section(report).settings


def test_unspecified_assumptions_are_not_met(tmp_path: Path) -> None:
    report = judged(tmp_path, write(tmp_path / "m", pytorch_tensors(), None), heads=2, eps=1e-5)
    layer = only_layer(report)
    assert {"order of the norms", "activation"} == set(unmet(layer))
    assert layer.output_difference is None
    assert "is not known" in layer.coverage
    assert report.exit_code == 4


def test_without_lean_s_graph_the_closed_form_is_used_and_reported(tmp_path: Path) -> None:
    report = judged(tmp_path, write(tmp_path / "m", bert_tensors()), refuse=True)
    layer = only_layer(report)
    assert layer.computed_by == "the closed form, since Lean exports no graph at this size"
    value = next(e for e in report.entries if e.obligation.declaration == "biasedEncoderBlock_eval")
    assert value.verdict is Verdict.INCONCLUSIVE
    assert "nothing to compare it with" in value.reason
    assert report.exit_code == 4


def test_the_same_seed_gives_the_same_report(tmp_path: Path) -> None:
    path = write(tmp_path / "m", bert_tensors(2))
    first, again = (judged(tmp_path, path, sequences=2) for _ in range(2))
    assert first == again
    one = section(judged(tmp_path, path, sequences=1)).layers[0].norms[0]
    assert np.array_equal(one.var_eps[0], section(first).layers[0].norms[0].var_eps[0])


def test_options_are_checked_against_the_configuration(tmp_path: Path) -> None:
    path = write(tmp_path, bert_tensors())
    with pytest.raises(Exception, match="--heads says 4, and num_attention_heads in config.json"):
        read_model(path, Options(heads=4))


def test_if_the_graph_overflows_its_largest_score_is_subtracted(tmp_path: Path) -> None:
    """The exported softmax does not take the largest score away: exp overflows at 710."""
    tensors = bert_tensors(2)
    for name in tensors:
        if "query" in name or "key" in name:
            tensors[name] = tensors[name] * 60
    report = judged(tmp_path, write(tmp_path / "m", tensors), seq_len=3)
    for layer in section(report).layers:
        assert "the largest score of each row taken away" in layer.computed_by
        assert layer.norms[0].least_var_eps > 1e-3
        assert {o.verdict for o in layer.obligations} == {Verdict.HOLDS}
    assert report.exit_code == 0


@pytest.mark.parametrize("least", [-1e4, -3.4e38])
def test_a_mask_of_very_small_numbers_is_not_an_obstacle(tmp_path: Path, least: float) -> None:
    x, mask = np.random.default_rng(0).normal(size=(3, D)), np.triu(np.full((3, 3), least), 1)
    report = judged(tmp_path, write(tmp_path / "m", bert_tensors()), inputs={"x": x, "mask": mask})
    assert report.exit_code == 0
    assert only_layer(report).norms[0].least_var_eps > 1e-3


def test_every_stack_begins_with_the_inputs(tmp_path: Path) -> None:
    one = bert_tensors(2)
    two = {f"other.{n}": v for n, v in one.items()}
    path = write(tmp_path / "m", {**one, **two})
    layers = section(judged(tmp_path, path)).layers
    assert [la.name for la in layers] == [
        f"{prefix}encoder.layer.{k}" for prefix in ("", "other.") for k in range(2)
    ]
    for first, second in zip(layers[:2], layers[2:], strict=True):
        for a, b in zip(first.norms, second.norms, strict=True):
            assert np.array_equal(a.var_eps, b.var_eps)
    assert not np.array_equal(layers[0].norms[0].var_eps, layers[1].norms[0].var_eps)
