"""Torch modules: facts read from the objects, and their own gradients against the theorem's."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bridge.errors import InvalidInputError
from bridge.models import Options, naming, read_model
from bridge.models.activations import ACTIVATIONS, recognized
from bridge.models.theorems import BIASED, PLAIN
from bridge.verdict import Verdict
from tests.models.library import judged, only_layer, section, unmet

torch: Any = pytest.importorskip(
    "torch", reason="torch is not installed: `pip install torch` to audit torch modules"
)

D, HEADS, FF = 8, 2, 12


def layer(kind: Any = None, **more: Any) -> Any:
    torch.manual_seed(0)
    options = {"dropout": 0.0, "activation": torch.nn.GELU(approximate="tanh"), **more}
    made = (kind or torch.nn.TransformerEncoderLayer)(D, HEADS, FF, **options)
    return shaken(made).eval()


def shaken(module: Any) -> Any:
    """Every parameter random: the fresh ones are 0 or 1 in many places."""
    with torch.no_grad():
        for p in module.parameters():
            p.add_(0.2 * torch.randn_like(p))
    return module


def encoder(**more: Any) -> Any:
    norm = more.pop("norm", None)
    inner = layer(**more)
    made = torch.nn.TransformerEncoder(inner, 2, norm=norm, enable_nested_tensor=False)
    return shaken(made).eval()


@pytest.mark.parametrize("batch_first", [False, True])
def test_a_covered_layer_agrees_with_autograd(tmp_path: Path, batch_first: bool) -> None:
    module = layer(batch_first=batch_first)
    module.activation_relu_or_gelu = 0  # otherwise the fused path uses erf-GELU for tanh-GELU
    report = judged(tmp_path, module, sequences=2)
    found = only_layer(report)
    assert found.theorem == BIASED.backprop
    assert found.compared_with == (
        "the complex step",
        "the closed form",
        "torch autograd",
        "the model in float32",
    )
    assert found.output_difference is not None
    assert found.output_difference < 1e-13
    assert report.exit_code == 0


def test_a_whole_encoder(tmp_path: Path) -> None:
    module = encoder()
    report = judged(tmp_path, module)
    assert [la.name for la in section(report).layers] == ["layers.0", "layers.1"]
    assert section(report).covered == 2
    assert section(report).dtype == "float32"
    assert "heads: 2, by the object" in section(report).settings
    assert report.exit_code == 0


def test_the_module_stays_as_it_is(tmp_path: Path) -> None:
    module = layer(dropout=0.5).train()
    before = {n: p.clone() for n, p in module.named_parameters()}
    judged(tmp_path, module)
    assert module.training
    for name, p in module.named_parameters():
        assert torch.equal(p, before[name])
        assert p.grad is None
        assert p.dtype == torch.float32


def test_without_biases_it_is_the_plain_theorem(tmp_path: Path) -> None:
    report = judged(tmp_path, layer(bias=False))
    assert only_layer(report).theorem == PLAIN.backprop
    assert report.exit_code == 0


def test_a_finite_mask_is_the_theorem_s(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    inputs = {"x": rng.normal(size=(3, D)), "mask": rng.normal(size=(3, 3))}
    report = judged(tmp_path, layer(), inputs=inputs)
    assert report.exit_code == 0


def test_a_padding_mask_is_not(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    inputs = {"x": rng.normal(size=(1, 3, D)), "attention_mask": np.array([[1, 1, 0]])}
    report = judged(tmp_path, layer(), inputs=inputs)
    assert set(unmet(only_layer(report))) == {"mask"}
    assert only_layer(report).output_difference == pytest.approx(0.0, abs=1e-13)
    assert report.exit_code == 4


@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_torch_s_own_activations_have_theorems(tmp_path: Path, activation: str) -> None:
    """The layer's own activation is not replaced; the fused path agrees too."""
    report = judged(tmp_path, layer(activation=activation), sequences=2)
    found = only_layer(report)
    assert found.theorem == f"{activation}EncoderBlock_backprop_eq_adjoint_fderiv"
    assert "torch autograd" in found.compared_with
    assert found.output_difference is not None
    assert found.output_difference < 1e-13
    assert report.exit_code == 0


@pytest.mark.parametrize(
    ("activation", "shown"),
    [
        (torch.nn.functional.silu, "SiLU"),
        (torch.nn.functional.mish, "mish, which differs from tanh-GELU by up to"),
    ],
)
def test_another_activation(tmp_path: Path, activation: Any, shown: str) -> None:
    """The compared gradients are those of the layer with tanh-GELU instead."""
    report = judged(tmp_path, layer(activation=activation))
    found = only_layer(report)
    assert set(unmet(found)) == {"activation"}
    assert shown in unmet(found)["activation"]
    assert found.output_difference is not None
    assert found.output_difference > 1e-7
    assert {o.verdict for o in found.obligations} == {Verdict.HOLDS}
    assert report.exit_code == 4


def test_tanh_gelu_is_recognized_by_its_values() -> None:
    for name, function in ACTIVATIONS.items():
        assert recognized(function)[0] == name
    assert recognized(lambda x: ACTIVATIONS["ReLU"](x) + 1e-12)[0] is None


def test_dropout_in_training_mode(tmp_path: Path) -> None:
    report = judged(tmp_path, layer(dropout=0.1).train())
    assert set(unmet(only_layer(report))) == {"dropout"}
    assert "p = 0.1, in training mode" in unmet(only_layer(report))["dropout"]
    assert report.exit_code == 4
    assert judged(tmp_path, layer(dropout=0.1).eval()).exit_code == 0
    assert judged(tmp_path, layer(dropout=0.0).train()).exit_code == 0


def test_dropout_of_attention_alone(tmp_path: Path) -> None:
    module = layer()
    module.self_attn.dropout = 0.3
    module.self_attn.train()
    assert "p = 0.3" in unmet(only_layer(judged(tmp_path, module)))["dropout"]


def test_pre_norm(tmp_path: Path) -> None:
    report = judged(tmp_path, encoder(norm_first=True))
    for found in section(report).layers:
        assert set(unmet(found)) == {"order of the norms"}
        assert found.theorem is None
    assert report.exit_code == 4


def test_a_norm_after_the_stack(tmp_path: Path) -> None:
    report = judged(tmp_path, encoder(norm=torch.nn.LayerNorm(D)))
    assert section(report).covered == 2
    assert [a.name for a in section(report).unmet] == ["after the stack"]
    assert section(report).outside == ("norm.weight", "norm.bias")
    assert report.exit_code == 4


def test_another_kind_of_norm(tmp_path: Path) -> None:
    module = layer(bias=False)
    module.norm2 = torch.nn.RMSNorm(D, eps=1e-5)
    report = judged(tmp_path, module)
    assert unmet(only_layer(report)) == {"kind of the norms": "LayerNorm and RMSNorm"}
    assert report.exit_code == 1  # it is measured as a LayerNorm, but computes something else


def test_norms_without_parameters_have_a_gain_of_1(tmp_path: Path) -> None:
    module = layer()
    module.norm1 = torch.nn.LayerNorm(D, elementwise_affine=False)
    report = judged(tmp_path, module)
    assert report.exit_code == 0
    assert any("gamma1 is missing" in str(a) for a in only_layer(report).assumptions)


def test_two_different_eps(tmp_path: Path) -> None:
    module = layer()
    module.norm2.eps = 1e-2
    norms = only_layer(judged(tmp_path, module)).norms
    assert [n.eps for n in norms] == [1e-5, 1e-2]


@pytest.mark.parametrize("extra", ["add_bias_kv", "add_zero_attn"])
def test_extra_keys(tmp_path: Path, extra: str) -> None:
    module = layer()
    module.self_attn = torch.nn.MultiheadAttention(D, HEADS, **{extra: True})
    found = only_layer(judged(tmp_path, module))
    assert extra in unmet(found)["attention"]
    assert not found.applies


class Swapped(torch.nn.TransformerEncoderLayer):  # type: ignore[misc]
    """Queries and keys are swapped."""

    def _sa_block(self, x: Any, *_: Any, **__: Any) -> Any:
        query, key, value = self._projected(x)
        return self._attended(key, query, value)

    def _projected(self, x: Any) -> Any:
        attention = self.self_attn
        return (x @ attention.in_proj_weight.T + attention.in_proj_bias).chunk(3, dim=-1)

    def _attended(self, query: Any, key: Any, value: Any) -> Any:
        def heads(t: Any) -> Any:  # batch_first is false: (seq_len, 1, d_model)
            return t[:, 0].unflatten(-1, (HEADS, -1)).transpose(0, 1)

        merged = torch.nn.functional.scaled_dot_product_attention(
            heads(query), heads(key), heads(value)
        )
        return self.self_attn.out_proj(merged.transpose(0, 1).flatten(1))[:, None]


class Rotated(Swapped):
    """The heads are merged in another order."""

    def _sa_block(self, x: Any, *_: Any, **__: Any) -> Any:
        query, key, value = self._projected(x)
        return self._attended(query, key, value.unflatten(-1, (HEADS, -1)).flip(-2).flatten(-2))


class Interleaved(Swapped):
    """A head takes every second column, not a block of columns."""

    def _sa_block(self, x: Any, *_: Any, **__: Any) -> Any:
        def cut(t: Any) -> Any:
            return t.unflatten(-1, (-1, HEADS)).transpose(-1, -2).flatten(-2)

        return self._attended(*(cut(t) for t in self._projected(x)))


class Honest(Swapped):
    """The same code with nothing wrong in it."""

    def _sa_block(self, x: Any, *_: Any, **__: Any) -> Any:
        return self._attended(*self._projected(x))


@pytest.mark.parametrize("kind", [Swapped, Rotated, Interleaved])
def test_code_that_computes_something_else_is_found(tmp_path: Path, kind: Any) -> None:
    report = judged(tmp_path, layer(kind))
    found = only_layer(report)
    assert report.exit_code == 1
    assert "theorem applies" not in found.coverage
    failing = {o.key: o.reason for o in found.obligations if o.verdict is Verdict.FAILS}
    assert set(failing) == {f"{declaration}:conclusion" for declaration in BIASED.declarations}
    assert all("against torch autograd" in reason for reason in failing.values())


def test_honest_code_of_one_s_own_passes(tmp_path: Path) -> None:
    report = judged(tmp_path, layer(Honest))
    assert report.exit_code == 0
    assert only_layer(report).type == "Honest"


@pytest.mark.parametrize(
    ("first", "second"), [("Wq", "Wk"), ("Wk", "Wv"), ("bq", "bv"), ("gamma1", "gamma2")]
)
def test_an_error_in_our_own_mapping_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: str, second: str
) -> None:
    """Weights and gradients go through the same mapping; the results computed with them differ."""
    right = naming.Naming.tensors
    names = {first: second, second: first}

    def swapped(self: Any, *arguments: Any) -> Any:
        return {names.get(n, n): v for n, v in right(self, *arguments).items()}

    monkeypatch.setattr(naming.Naming, "tensors", swapped)
    assert judged(tmp_path, layer()).exit_code == 1


class Wrapped(torch.autograd.Function):  # type: ignore[misc]
    """The identity with a wrong backward."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return grad * 1.0001


class WrongBackward(torch.nn.TransformerEncoderLayer):  # type: ignore[misc]
    """Its value is right; its gradient is off by 1e-4 in one branch."""

    def _ff_block(self, x: Any) -> Any:
        return Wrapped.apply(super()._ff_block(x))


def test_a_wrong_backward_with_a_right_value_is_found(tmp_path: Path) -> None:
    report = judged(tmp_path, layer(WrongBackward))
    found = {o.key: o.verdict for o in only_layer(report).obligations}
    assert found[f"{BIASED.value}:conclusion"] is Verdict.HOLDS
    assert found[f"{BIASED.backprop}:conclusion"] is Verdict.FAILS
    assert report.exit_code == 1


class Breaking(torch.nn.TransformerEncoderLayer):  # type: ignore[misc]
    def _ff_block(self, x: Any) -> Any:
        raise RuntimeError("no such kernel in float64")


def test_code_that_breaks_is_named_with_its_line(tmp_path: Path) -> None:
    report = judged(tmp_path, layer(Breaking))
    said = unmet(only_layer(report))["its code"]
    assert "running layer on [4, 8] in float64 raised RuntimeError: no such kernel" in said
    assert "at test_torch.py:" in said
    assert report.exit_code == 4


def test_code_that_breaks_hides_no_other_layer(tmp_path: Path) -> None:
    module = encoder(activation="gelu")
    module.layers[0] = layer(Breaking, activation="gelu")
    bad, good = section(judged(tmp_path, module)).layers
    assert bad.verdict is Verdict.INCONCLUSIVE
    assert good.applies
    assert good.verdict is Verdict.HOLDS


def test_without_lean_s_graph_the_closed_form_is_compared_with_autograd(
    tmp_path: Path,
) -> None:
    report = judged(tmp_path, layer(), refuse=True)
    found = only_layer(report)
    assert found.compared_with == ("the complex step", "torch autograd", "the model in float32")
    assert found.computed_by.startswith("the closed form, since Lean exports no graph")
    assert report.exit_code == 0
    assert judged(tmp_path, layer(Swapped), refuse=True).exit_code == 1


def test_nan_in_a_module(tmp_path: Path) -> None:
    module = layer()
    with torch.no_grad():
        module.linear1.weight[2, 3] = float("nan")
    with pytest.raises(InvalidInputError, match=r"linear1.weight \[12, 8\] has 1 entries"):
        judged(tmp_path, module)


def test_a_reference_names_a_module_or_what_makes_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "audited_module.py").write_text(
        "import torch\n"
        "def make():\n"
        "    return torch.nn.TransformerEncoderLayer(8, 2, 12)\n"
        "class Holder:\n"
        "    module = make()\n"
        "number = 3\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    assert read_model("audited_module:make").source == "audited_module:make"
    assert len(read_model("audited_module:Holder.module").layers) == 1
    for reference, said in (
        ("audited_module:nothing", "has no attribute 'nothing'"),
        ("no_such_module:x", "No module named 'no_such_module'"),
        ("audited_module:number", "expected a torch.nn.Module but got int"),
    ):
        with pytest.raises(InvalidInputError) as caught:
            read_model(reference)
        assert said in caught.value.message
        assert reference in caught.value.message
    with pytest.raises(InvalidInputError, match="itself has"):
        read_model("audited_module:make", Options(heads=2))


def test_a_module_without_encoder_layers() -> None:
    with pytest.raises(InvalidInputError, match="no parameters; its parts: Sequential, ReLU"):
        read_model(torch.nn.Sequential(torch.nn.ReLU()))
    assert read_model(torch.nn.Sequential(torch.nn.Linear(2, 2))).layers == ()


def test_torch_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    module = layer()
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(InvalidInputError, match="torch is not installed"):
        read_model(module)
