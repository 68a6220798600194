"""Each assumption of the theorem, broken in a file: it is named, and the layer is not covered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bridge.models import read_model
from bridge.models.theorems import BIASED
from bridge.report import Report
from bridge.verdict import Verdict
from tests.models.checkpoints import CONFIG, D, Tensors, bert_tensors, pytorch_tensors, write
from tests.models.library import judged, only_layer, section, unmet, with_layers

POST = {**CONFIG, "norm_first": False}


def refused(report: Report, name: str, *words: str) -> None:
    """The layer is not covered, for exactly this reason, and nothing about it counts as a pass."""
    layer = only_layer(report)
    assert set(unmet(layer)) == {name}
    for word in words:
        assert word in unmet(layer)[name]
    assert not layer.applies
    assert "does not apply" in layer.coverage
    assert name in layer.coverage
    assert report.exit_code == 4
    for entry in report.entries:
        assert entry.verdict is Verdict.INCONCLUSIVE
        assert entry.reason.startswith("not covered: 1 of 1 layers")
        assert name in entry.reason
        assert entry.result is not None
        assert entry.result.accepted == 0


@pytest.mark.parametrize(("name", "block"), [("gelu", "gelu"), ("relu", "relu")])
def test_erf_gelu_and_relu_have_theorems_of_their_own(
    tmp_path: Path, name: str, block: str
) -> None:
    path = write(tmp_path / "m", bert_tensors(), {**CONFIG, "hidden_act": name})
    report = judged(tmp_path, path)
    layer = only_layer(report)
    assert layer.theorem == f"{block}EncoderBlock_backprop_eq_adjoint_fderiv"
    assert layer.applies
    assert {o.verdict for o in layer.obligations} == {Verdict.HOLDS}
    assert any("hPreActivationNe0" in o.key for o in layer.obligations) == (name == "relu")
    assert report.exit_code == 0


def test_relu_has_no_derivative_where_it_gets_zero(tmp_path: Path) -> None:
    tensors = bert_tensors()
    dense = "encoder.layer.0.intermediate.dense"
    for part in ("weight", "bias"):
        tensors[f"{dense}.{part}"] = np.zeros_like(tensors[f"{dense}.{part}"])
    report = judged(tmp_path, write(tmp_path / "m", tensors, {**CONFIG, "hidden_act": "relu"}))
    found = {o.key.rpartition(":")[2]: o for o in only_layer(report).obligations}
    assert found["hPreActivationNe0"].verdict is Verdict.FAILS
    assert "hidden unit 0" in found["hPreActivationNe0"].reason
    assert report.exit_code == 1


def test_another_activation(tmp_path: Path) -> None:
    path = write(tmp_path / "m", bert_tensors(), {**CONFIG, "hidden_act": "swish"})
    report = judged(tmp_path, path)
    refused(report, "activation", "SiLU", "hidden_act in config.json")
    layer = only_layer(report)
    assert layer.output_difference is not None
    assert 1e-9 < layer.output_difference < 10
    assert layer.theorem == BIASED.backprop
    assert f"differ by at most {layer.output_difference:.3g}" in layer.coverage


def test_an_unknown_activation(tmp_path: Path) -> None:
    path = write(tmp_path / "m", bert_tensors(), {**CONFIG, "hidden_act": "mish"})
    report = judged(tmp_path, path)
    refused(report, "activation", "mish")
    assert only_layer(report).output_difference is None
    assert "is not known" in only_layer(report).coverage


def test_the_next_layer_gets_the_model_s_own_output(tmp_path: Path) -> None:
    """With SiLU, not what the theorem's block would return."""
    silu = write(tmp_path / "silu", bert_tensors(2), {**CONFIG, "hidden_act": "silu"})
    tanh = write(tmp_path / "tanh", bert_tensors(2))
    first, second = (section(judged(tmp_path, p)).layers for p in (silu, tanh))
    np.testing.assert_array_equal(first[0].norms[1].var_eps, second[0].norms[1].var_eps)
    assert not np.allclose(first[1].norms[0].var_eps, second[1].norms[0].var_eps, rtol=1e-4)


def test_pre_norm_by_the_configuration(tmp_path: Path) -> None:
    path = write(tmp_path / "m", pytorch_tensors(), {**CONFIG, "norm_first": True})
    report = judged(tmp_path, path)
    refused(report, "order of the norms", "pre-norm", "norm_first in config.json")
    assert only_layer(report).theorem is None
    assert not only_layer(report).norms
    assert "nothing was measured" in only_layer(report).coverage


def test_pre_norm_by_the_names(tmp_path: Path) -> None:
    tensors = {
        n.replace("attention.output.LayerNorm", "attention.LayerNorm").replace(
            ".0.output.LayerNorm", ".0.intermediate.LayerNorm"
        ): v
        for n, v in bert_tensors().items()
    }
    layer = only_layer(judged(tmp_path, write(tmp_path / "m", tensors)))
    assert "pre-norm" in unmet(layer)["order of the norms"]
    assert layer.theorem is None


def test_an_unspecified_order_of_the_norms(tmp_path: Path) -> None:
    report = judged(tmp_path, write(tmp_path / "m", pytorch_tensors()))
    refused(report, "order of the norms", "--post-norm")
    (found,) = only_layer(report).unmet
    assert found.met is None
    assert only_layer(report).norms  # measured as if it were post-norm


def test_missing_gains(tmp_path: Path) -> None:
    tensors = bert_tensors()
    del tensors["encoder.layer.0.output.LayerNorm.weight"]
    report = judged(tmp_path, write(tmp_path / "m", tensors))
    refused(report, "LayerNorm weights", "gamma2 is missing")


def test_norms_without_bias_may_be_rms_norms(tmp_path: Path) -> None:
    report = judged(tmp_path, write(tmp_path / "m", pytorch_tensors(bias=False), POST))
    refused(report, "kind of the norms", "RMSNorm", "beta1 and beta2")


def test_relative_positions(tmp_path: Path) -> None:
    config = {**CONFIG, "position_embedding_type": "relative_key"}
    report = judged(tmp_path, write(tmp_path / "m", bert_tensors(), config))
    refused(report, "positions", "relative_key")


def test_a_decoder(tmp_path: Path) -> None:
    report = judged(tmp_path, write(tmp_path / "m", bert_tensors(), {**CONFIG, "is_decoder": True}))
    refused(report, "attention", "decoder")


def test_further_tensors(tmp_path: Path) -> None:
    tensors: Tensors = pytorch_tensors()
    tensors["layers.0.multihead_attn.in_proj_weight"] = np.zeros((3 * D, D), np.float32)
    report = judged(tmp_path, write(tmp_path / "m", tensors, POST))
    refused(report, "tensors", "multihead_attn.in_proj_weight")
    assert only_layer(report).theorem is None


def test_a_padding_mask(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(2, 3, D))
    kept = np.array([[1, 1, 1], [1, 1, 0]])
    report = judged(
        tmp_path,
        write(tmp_path / "m", bert_tensors()),
        inputs={"x": x, "attention_mask": kept},
    )
    refused(report, "mask", "−∞")
    assert only_layer(report).output_difference == pytest.approx(0.0, abs=1e-14)


def test_a_causal_mask_with_infinities(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(3, D))
    mask = np.triu(np.full((3, 3), -np.inf), 1)
    path = write(tmp_path / "m", bert_tensors())
    refused(judged(tmp_path, path, inputs={"x": x, "mask": mask}), "mask", "−∞")


def test_a_norm_after_the_stack(tmp_path: Path) -> None:
    tensors = pytorch_tensors(2)
    tensors |= {f"norm.{n}": np.ones(D, np.float32) for n in ("weight", "bias")}
    report = judged(tmp_path, write(tmp_path / "m", tensors, POST))
    model = section(report)
    assert model.covered == 2
    assert [a.name for a in model.unmet] == ["after the stack"]
    assert "norm.weight" in model.unmet[0].found
    assert set(model.outside) == {"norm.weight", "norm.bias"}
    assert report.exit_code == 4
    assert {e.verdict for e in report.entries} == {Verdict.HOLDS}


def test_dropout_of_a_file_is_off_and_reported(tmp_path: Path) -> None:
    layer = only_layer(judged(tmp_path, write(tmp_path / "m", bert_tensors())))
    assert "dropout: off (p = 0.1 in training)" in {str(a) for a in layer.assumptions}


@pytest.mark.parametrize("eps", [0.0, -1e-3])
def test_an_eps_that_is_not_positive_fails_its_hypothesis(tmp_path: Path, eps: float) -> None:
    path = write(tmp_path / "m", bert_tensors(), {**CONFIG, "layer_norm_eps": eps})
    report = judged(tmp_path, path)
    verdicts = {e.obligation.key: e.verdict for e in report.entries}
    assert verdicts[f"{BIASED.backprop_of_pos}:hEps1Pos"] is Verdict.FAILS
    assert verdicts[f"{BIASED.backprop_of_pos}:hEps2Pos"] is Verdict.FAILS
    assert verdicts[f"{BIASED.backprop_of_pos}:conclusion"] is Verdict.INCONCLUSIVE
    assert verdicts[f"{BIASED.backprop}:hNorm1VarEpsPos"] is Verdict.HOLDS  # the rows vary
    assert verdicts[f"{BIASED.backprop}:conclusion"] is Verdict.HOLDS
    assert report.exit_code == 1


def _constant_rows() -> Tensors:
    """Wo, bo = 0 and x of constant rows: the first residual's rows have variance 0."""
    tensors = bert_tensors()
    for name in ("weight", "bias"):
        tensors[f"encoder.layer.0.attention.output.dense.{name}"] *= 0
    return tensors


@pytest.mark.parametrize(
    ("eps", "verdict"), [(1e-5, Verdict.HOLDS), (0.0, Verdict.FAILS), (-1e-5, Verdict.FAILS)]
)
def test_constant_rows(tmp_path: Path, eps: float, verdict: Verdict) -> None:
    path = write(tmp_path / "m", _constant_rows(), {**CONFIG, "layer_norm_eps": eps})
    x = np.random.default_rng(0).normal(size=(4, D))
    x[2] = 0.1
    report = judged(tmp_path, path, inputs={"x": x})
    rows = only_layer(report).norms[0]
    assert rows.zero_variance == 1
    assert rows.row == 2
    found = {o.key: o for o in only_layer(report).obligations}
    h = found[f"{BIASED.backprop}:hNorm1VarEpsPos"]
    assert h.verdict is verdict
    assert h.worst is not None
    assert h.worst.margin == pytest.approx(eps, rel=1e-12, abs=1e-30)
    if verdict is Verdict.FAILS:
        assert "row 2" in h.reason
        assert report.exit_code == 1
        assert found[f"{BIASED.backprop}:conclusion"].verdict is not Verdict.HOLDS


def test_a_failing_layer_counts_more_than_an_uncovered_one(tmp_path: Path) -> None:
    config: dict[str, Any] = {**CONFIG, "layer_norm_eps": 0.0, "hidden_act": "silu"}
    report = judged(tmp_path, write(tmp_path / "m", bert_tensors(), config))
    assert only_layer(report).verdict is Verdict.FAILS
    assert report.exit_code == 1


def test_after_a_missing_layer_the_next_has_no_input(tmp_path: Path) -> None:
    model = read_model(write(tmp_path / "m", bert_tensors(2)))
    broken = with_layers(model, measurable=False)
    mixed = type(model)(
        **{
            **{f: getattr(model, f) for f in model.__dataclass_fields__},
            "layers": (broken.layers[0], model.layers[1]),
        }
    )
    first, second = section(judged(tmp_path, mixed)).layers
    assert first.theorem is None
    assert unmet(second) == {"input": "the output of encoder.layer.0 is not known"}
    assert second.theorem is None
