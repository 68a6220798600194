"""Right models that amplify rounding: a saturated softmax, weights of a million.

If the exported graph overflowed, a closed form replaced it, whose reruns moved only inputs: behind
a saturated softmax they gave the same zeros again, so rounding looked like an error.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bridge.verdict import Verdict
from numeric.graph import parse_graph
from numeric.interpret.interpreter import Interpreter
from numeric.interpret.perturbation import Perturbation
from numeric.interpret.shifted import shifted
from numeric.streams import Streams
from tests.models.library import judged, only_layer
from tests.models.test_cases import HEADS, Unfused, part

torch: Any = pytest.importorskip("torch", reason="torch is not installed: `pip install torch`")
nn, F = torch.nn, torch.nn.functional
PLANTED = 1e-6


class Off(torch.autograd.Function):  # type: ignore[misc]
    """The identity, with a gradient that is off by a millionth."""

    @staticmethod
    def forward(ctx: Any, w: Any) -> Any:
        return w.clone()

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g * (1 + PLANTED)


class Planted(Unfused):
    wrong = ""

    def of(self, name: str, w: Any) -> Any:
        return Off.apply(w) if name == self.wrong else w

    def _ff_block(self, x: Any) -> Any:
        inner = F.linear(x, self.of("W1", self.linear1.weight), self.linear1.bias)
        return self.linear2(self.activation(inner))

    def _sa_block(self, x: Any, mask: Any, padding: Any, is_causal: bool = False) -> Any:
        inner = self.self_attn
        q, k, v = inner.in_proj_weight.chunk(3)
        weight = torch.cat([self.of("Wq", q), k, self.of("Wv", v)])
        q, k, v = (
            t.unflatten(-1, (HEADS, -1)).transpose(1, 2)
            for t in F.linear(x, weight, inner.in_proj_bias).chunk(3, -1)
        )
        y = F.scaled_dot_product_attention(q, k, v)
        return inner.out_proj(y.transpose(1, 2).flatten(2))


def layer(scale: float, wrong: str = "", *, everywhere: bool = False) -> Any:
    module = part(Planted)
    module.wrong = wrong
    with torch.no_grad():
        if everywhere:
            for p in module.parameters():
                if p.ndim == 2:
                    p.mul_(scale)
        else:
            module.self_attn.in_proj_weight[: 2 * 16].mul_(scale)
    return module


@pytest.mark.parametrize("everywhere", [False, True])
@pytest.mark.parametrize("scale", [3e1, 1e2, 1e3, 1e6])
def test_a_right_layer_is_never_wrong(tmp_path: Path, scale: float, everywhere: bool) -> None:
    report = judged(tmp_path, layer(scale, everywhere=everywhere), seq_len=8)
    assert only_layer(report).verdict is not Verdict.FAILS
    assert report.exit_code in ({0} if scale <= 1e3 else {0, 4})


@pytest.mark.parametrize("wrong", ["Wq", "Wv", "W1"])
@pytest.mark.parametrize("scale", [1.0, 1e2, 1e3, 1e6])
def test_a_millionth_is_found_or_said_to_be_unseen(
    tmp_path: Path, scale: float, wrong: str
) -> None:
    report = judged(tmp_path, layer(scale, wrong), seq_len=8)
    found = only_layer(report)
    if report.exit_code == 1:
        assert any(f"gradient of {wrong}" in o.reason for o in found.obligations)
    else:
        assert wrong == "Wq"  # after a softmax of zeros and ones all its gradient is rounding
        assert scale > 1.0
        said = found.coverage.partition("rounding hides, on these inputs, any error in the ")[2]
        assert wrong in said


def softmax(log: bool = False) -> dict[str, Any]:
    last: list[dict[str, Any]] = (
        [{"op": "log", "args": [2], "params": {}, "shape": [2], "name": "log"}]
        if log
        else [
            {"op": "inv", "args": [2], "params": {}, "shape": [2], "name": "inv"},
            {
                "op": "broadcast",
                "args": [3],
                "params": {"axis": 1},
                "shape": [2, 3],
                "name": "spread",
            },
            {"op": "mul", "args": [1, 4], "params": {}, "shape": [2, 3], "name": "weights"},
        ]
    )
    nodes = [
        {"op": "exp", "args": [0], "params": {}, "shape": [2, 3], "name": "e"},
        {"op": "sum", "args": [1], "params": {"axis": 1}, "shape": [2], "name": "sum"},
        *last,
    ]
    return {
        "schema": "obligations-graph/1",
        "name": "softmax",
        "inputs": [{"name": "x", "shape": [2, 3]}],
        "nodes": nodes,
        "outputs": [len(nodes)],
    }


def test_the_largest_score_changes_neither_value_nor_derivative() -> None:
    graph = parse_graph(softmax())
    x = {"x": np.array([[[0.5, -1.25, 2.0], [3.0, 3.5, -0.75]]])}
    cotangent = np.array([[[1.0, -2.0, 0.5], [0.25, 3.0, 1.0]]])
    plain, steady = Interpreter(graph), shifted(graph)
    one, other = plain.evaluate(x), steady.evaluate(x)
    np.testing.assert_allclose(other.output, one.output, rtol=1e-15)
    np.testing.assert_allclose(
        steady.vjp(other, cotangent)["x"], plain.vjp(one, cotangent)["x"], atol=1e-15
    )
    far = {"x": x["x"] * 1e3 + 1e6}
    assert not np.isfinite(plain.evaluate(far).output).all()
    assert np.array_equal(steady.evaluate(far).output[0, 0], [0.0, 0.0, 1.0])


def test_reruns_see_the_rounding_behind_a_saturated_softmax() -> None:
    program = shifted(parse_graph(softmax()))
    x = {"x": np.array([[[0.0, 800.0, 0.0], [900.0, 0.0, 0.0]]])}
    noise = Perturbation(Streams.of(0, "softmax", "noise", [0]))
    moved = program.vjp(program.evaluate(x, None, noise), np.ones((1, 2, 3)), noise)["x"]
    assert np.abs(moved).max() > 2.0**-53


def test_a_sum_that_does_not_cancel_is_left_alone() -> None:
    graph = parse_graph(softmax(log=True))
    x = {"x": np.array([[[0.5, -1.25, 2.0], [3.0, 3.5, -0.75]]])}
    assert np.array_equal(shifted(graph).evaluate(x).output, Interpreter(graph).evaluate(x).output)
