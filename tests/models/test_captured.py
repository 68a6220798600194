"""The audit of layers that are not recognized by names: their own graph is captured and judged."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from bridge.models import judge_model, read_model
from bridge.models.run import source_of
from bridge.report.captured import FormProof
from bridge.report.formats import render
from bridge.report.layers import LayerReport
from bridge.report.schema import report_schema
from bridge.verdict import LeanStatus, Verdict
from numeric.graph import Graph, parse_graph
from tests.capture.test_what_runs import Exact, Fused, encoder, layer
from tests.models.library import judged, library, only_layer, section

torch: Any = pytest.importorskip(
    "torch", reason="torch is not installed: `pip install torch` to audit torch modules"
)
nn, F = torch.nn, torch.nn.functional


class Attention(nn.Module):
    """A pre-norm layer without known names, with RMSNorm and a gate."""

    def __init__(self, factor: float = 1.0) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.qkv, self.out = nn.Linear(8, 24, bias=False), nn.Linear(8, 8, bias=False)
        self.norm, self.gate, self.up = nn.RMSNorm(8, 1e-6), nn.Linear(8, 12), nn.Linear(8, 12)
        self.down = nn.Linear(12, 8)
        self.factor = factor

    def attend(self, x: Any, mask: Any) -> Any:
        q, k, v = self.qkv(self.norm(x)).chunk(3, -1)
        return self.out(F.scaled_dot_product_attention(q, k, v, mask))

    def forward(self, x: Any, mask: Any = None) -> Any:
        x = x + self.attend(x, mask)
        return x + self.down(F.silu(self.gate(x)) * self.up(x))


class Stack(nn.Module):
    def __init__(self, *layers: Any) -> None:
        super().__init__()
        self.layers, self.head = nn.ModuleList(layers), nn.Linear(8, 5)

    def forward(self, x: Any) -> Any:
        mask = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).tril()
        for part in self.layers:
            x = part(x, mask)
        return self.head(x)


class Tripled(torch.autograd.Function):  # type: ignore[misc]
    @staticmethod
    def forward(context: Any, x: Any) -> Any:
        return x.clone()

    @staticmethod
    def backward(context: Any, cotangent: Any) -> Any:
        return 3 * cotangent


class WrongBackward(Attention):
    def attend(self, x: Any, mask: Any) -> Any:
        return Tripled.apply(super().attend(x, mask))


class Detached(Attention):
    def attend(self, x: Any, mask: Any) -> Any:
        with torch.no_grad():
            return super().attend(x, mask)


class Counting(Attention):
    calls = 0

    def attend(self, x: Any, mask: Any) -> Any:
        self.calls += 1
        return super().attend(x, mask) * (1.0 + 0.1 * self.calls)


class AtInference(Attention):
    def attend(self, x: Any, mask: Any) -> Any:
        return super().attend(x, mask) * (1.0 if torch.is_grad_enabled() else 1.01)


class Unknown(Attention):
    def attend(self, x: Any, mask: Any) -> Any:
        return torch.special.bessel_j0(super().attend(x, mask))


def by_name(report: Any) -> Mapping[str, LayerReport]:
    return {la.name: la for la in section(report).layers}


def test_layers_without_known_names_are_covered_by_their_graph(tmp_path: Path) -> None:
    report = judged(tmp_path, Stack(Attention(), Attention()).eval())
    found = by_name(report)
    assert list(found) == ["layers.0", "layers.1"]
    assert {la.verdict for la in found.values()} == {Verdict.HOLDS}
    assert {la.captured.form for la in found.values() if la.captured} == {"graph 1"}
    (form,) = section(report).forms
    graph = parse_graph(form.graph)
    assert any(i.name.endswith("keep") for i in graph.inputs)  # the parent's causal mask
    assert all(form.origins[n.name] for n in graph.nodes)
    # Only numbers: Lean was not asked, so the audit is not complete.
    assert report.exit_code == 4
    assert "Lean has proved nothing of the captured graphs of 2 layers" in report.shortfalls
    assert "Lean was not asked about this graph" in found["layers.0"].coverage


PROVED = FormProof(LeanStatus.PROVED, "captured_correct", "∀ ρ, …", ("a value is not zero",))


@pytest.mark.parametrize(
    ("proof", "code"),
    [
        (PROVED, 0),
        (replace(PROVED, status=LeanStatus.SORRY), 1),
        (replace(PROVED, status=LeanStatus.AXIOM), 1),
        (FormProof(reason="its index is too long"), 4),
    ],
)
def test_lean_s_answer_about_the_graph_counts(tmp_path: Path, proof: FormProof, code: int) -> None:
    asked: list[int] = []

    def prove(graphs: Sequence[Graph]) -> list[FormProof]:
        asked.append(len(graphs))
        return [proof for _ in graphs]

    model = read_model(Stack(Attention(), Attention()).eval())
    source = source_of(None, seq_len=4)
    report = judge_model(library(tmp_path, ()), model, source, prove=prove)
    assert asked == [1]  # layers of one form share a graph
    assert report.exit_code == code
    coverage = by_name(report)["layers.1"].coverage
    assert ("Lean proved it of this very graph, supposing a value" in coverage) == (code == 0)
    assert str(proof) in coverage


def test_a_wrong_layer_stays_wrong_regardless_of_lean(tmp_path: Path) -> None:
    model = read_model(Stack(WrongBackward()).eval())
    source = source_of(None, seq_len=4)
    found = judge_model(library(tmp_path, ()), model, source, prove=lambda gs: [PROVED for _ in gs])
    assert found.exit_code == 1


@pytest.mark.parametrize(
    ("kind", "code", "said"),
    [
        (WrongBackward, 1, "gradient of qkv.weight and torch autograd in float64 differ"),
        (Counting, 1, "output and a second call differ"),
        (AtInference, 4, "under no_grad the layer computes something else"),
        (Unknown, 4, "aten.special_bessel_j0.default"),
        (Detached, 1, "no gradient reaches qkv.weight, out.weight, norm.weight"),
    ],
)
def test_one_wrong_layer_is_named_and_hides_no_other(
    tmp_path: Path, kind: Any, code: int, said: str
) -> None:
    report = judged(tmp_path, Stack(Attention(), kind()).eval())
    found = by_name(report)
    assert found["layers.0"].verdict is Verdict.HOLDS
    assert found["layers.1"].verdict is (Verdict.FAILS if code == 1 else Verdict.INCONCLUSIVE)
    captured = found["layers.1"].captured
    assert captured is not None
    assert said in f"{found['layers.1'].coverage} {' '.join(captured.failing)}"
    assert report.exit_code == code


def test_a_wrong_gradient_is_marked_where_it_begins(tmp_path: Path) -> None:
    """Everything before the wrong backward has a wrong gradient; the node it passes through is
    marked."""
    report = judged(tmp_path, Stack(Attention(), WrongBackward()).eval())
    captured = by_name(report)["layers.1"].captured
    assert captured is not None
    assert "the gradients that differ come through here" in captured.begins
    node, *inputs = (name for name, _ in captured.marks)
    assert captured.begins.startswith(f"{node} (")
    forms = {f.name: f for f in section(report).forms}
    graph = parse_graph(forms[captured.form].graph)
    apart = {n for n in inputs if "qkv" in n}
    assert apart
    place = graph.index(node)
    reads = [i for i in inputs if _reads(graph, place, graph.index(i))]
    assert reads == inputs
    assert any("qkv" not in i.name for i in graph.inputs if i.name not in inputs)
    page = render(report, "html")
    assert page.count('class="box begins"') == 1
    assert f'data-value="{node}"' in page.partition('class="box begins"')[2].partition(">")[0]


def _reads(graph: Any, value: int, source: int) -> bool:
    args = graph.nodes[value - len(graph.inputs)].args if value >= len(graph.inputs) else ()
    return value == source or any(_reads(graph, a, source) for a in args)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_in_its_own_dtype_a_difference_is_rounding(tmp_path: Path, dtype: Any) -> None:
    report = judged(tmp_path, Stack(Attention()).to(dtype).eval())
    captured = by_name(report)["layers.0"].captured
    assert captured is not None
    own = [c for c in captured.comparisons if c.rounding]
    assert {c.verdict for c in own} <= {Verdict.HOLDS, Verdict.INCONCLUSIVE}
    assert max(c.residual for c in own) > 1e-9
    if dtype is torch.float32:
        assert {c.verdict for c in own} == {Verdict.HOLDS}


class Coarse(Attention):
    """In float32 it loses more than float32 does; in float64 nothing."""

    def attend(self, x: Any, mask: Any) -> Any:
        found = super().attend(x, mask)
        return found if found.dtype == torch.float64 else found * 1.001


def test_more_than_rounding_is_wrong(tmp_path: Path) -> None:
    report = judged(tmp_path, Stack(Coarse()).eval())
    captured = by_name(report)["layers.0"].captured
    assert captured is not None
    assert any("the model in float32 differ:" in said for said in captured.failing)
    assert report.exit_code == 1


def test_shared_parameters_add_up(tmp_path: Path) -> None:
    tied = Attention()
    tied.up = tied.gate
    assert by_name(judged(tmp_path, Stack(tied).eval()))["layers.0"].verdict is Verdict.HOLDS


def test_a_layer_that_is_skipped_and_one_that_runs_twice(tmp_path: Path) -> None:
    class Skips(Stack):
        def forward(self, x: Any) -> Any:
            return self.layers[0](self.layers[0](x))

    found = by_name(judged(tmp_path, Skips(Attention(), Attention()).eval()))
    assert "the first of 2 calls" in found["layers.0"].coverage
    assert "does not run it" in found["layers.1"].coverage
    assert found["layers.1"].verdict is Verdict.INCONCLUSIVE


def test_layers_that_run_backwards(tmp_path: Path) -> None:
    class Backwards(Stack):
        def forward(self, x: Any) -> Any:
            return self.layers[0](self.layers[1](x))

    report = judged(tmp_path, Backwards(Attention(), Attention()).eval())
    assert "runs at place 0 of its stack, not 1" in by_name(report)["layers.1"].coverage
    assert report.exit_code == 4


def test_layers_not_covered_by_names_are_captured(tmp_path: Path) -> None:
    """A layer with SiLU is not one of the theorem's blocks, but still a graph."""
    report = judged(tmp_path, layer(Exact, activation=F.silu))
    found = only_layer(report)
    assert not found.applies
    assert found.by_graph
    assert found.verdict is Verdict.HOLDS
    assert any("sqrt" in c.what for c in found.captured.conditions)  # type: ignore[union-attr]
    assert report.exit_code == 4  # the theorem about blocks covers no layer


def test_a_parameter_that_is_one_number(tmp_path: Path) -> None:
    found = only_layer(judged(tmp_path, layer(Exact, activation=nn.PReLU())))
    assert found.captured is not None
    assert found.captured.reason == ""
    assert found.verdict is Verdict.HOLDS


def test_another_function_under_no_grad_is_not_covered_by_the_graph(tmp_path: Path) -> None:
    found = only_layer(judged(tmp_path, layer(Fused)))
    assert found.captured is not None
    assert "under no_grad" in found.captured.reason
    assert found.verdict is Verdict.INCONCLUSIVE


def test_layers_covered_by_names_are_not_captured(tmp_path: Path) -> None:
    report = judged(tmp_path, layer(Exact))
    assert only_layer(report).captured is None
    assert report.exit_code == 0


def test_given_inputs_go_into_the_model(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(1, 5, 8)).astype(np.float32)
    report = judged(tmp_path, Stack(Attention()).eval(), inputs={"x": x})
    assert section(report).example == "given arrays"
    graph = parse_graph(section(report).forms[0].graph)
    assert (5, 8) in graph.input_shapes.values()


def test_a_model_that_cannot_be_run_says_why(tmp_path: Path) -> None:
    class Breaks(Stack):
        def forward(self, x: Any) -> Any:
            raise RuntimeError("no such kernel")

    report = judged(tmp_path, Breaks(Attention()).eval())
    assert "no such kernel" in by_name(report)["layers.0"].coverage
    assert report.exit_code == 4


def test_a_decoder_of_pytorchs_is_captured(tmp_path: Path) -> None:
    torch.manual_seed(0)
    decoder = nn.TransformerDecoder(nn.TransformerDecoderLayer(16, 2, 24, batch_first=True), 2)
    found = by_name(judged(tmp_path, decoder.eval()))
    assert {la.verdict for la in found.values()} == {Verdict.HOLDS}


def test_every_face_shows_what_was_captured(tmp_path: Path) -> None:
    report = judged(tmp_path, Stack(Attention(), WrongBackward()).eval())
    value = json.loads(render(report, "json"))
    jsonschema.validate(value, json.loads(report_schema()))
    one, two = value["model"]["layers"]
    assert one["captured"]["lean"] == "unchecked"
    assert one["captured"]["verdict"] == "holds"
    assert two["captured"]["verdict"] == "fails"
    assert parse_graph(value["model"]["forms"][0]["graph"]).nodes
    for kind in ("table", "markdown", "html", "junit"):
        text = " ".join(render(report, kind).replace("\\", "").replace("<wbr>", "").split())
        assert "Graph.backprop_eq_adjoint_fderiv" in text, kind
        assert "gradient of qkv.weight" in text, kind
    assert "1 of 2 layers hold by the graphs that they run" in " ".join(
        render(report, "table").split()
    )


def test_encoders_keep_their_theorem(tmp_path: Path) -> None:
    """Layers that the names cover next to one that they do not."""
    module = encoder()
    module.layers[1] = layer(Exact, activation=F.silu)
    module.layers[0] = layer(Exact)
    found = by_name(judged(tmp_path, module))
    assert found["layers.0"].applies
    assert found["layers.1"].by_graph
