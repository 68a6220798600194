"""What a layer computes when it runs: errors that its names, types and weights do not show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.models.library import judged, only_layer, section, unmet

torch: Any = pytest.importorskip(
    "torch", reason="torch is not installed: `pip install torch` to audit torch modules"
)
F = torch.nn.functional
D, HEADS, FF = 16, 2, 24


def layer(kind: Any = None, **more: Any) -> Any:
    torch.manual_seed(0)
    options = {"batch_first": True, "dropout": 0.0, **more}
    options.setdefault("activation", torch.nn.GELU(approximate="tanh"))
    return (kind or torch.nn.TransformerEncoderLayer)(D, HEADS, FF, **options).eval()


def encoder() -> Any:
    return torch.nn.TransformerEncoder(layer(), 2, enable_nested_tensor=False).eval()


class Exact(torch.nn.TransformerEncoderLayer):
    """The correct case: the fused path, which has no tanh-GELU, is never taken."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.activation_relu_or_gelu = 0


class Fused(torch.nn.TransformerEncoderLayer):
    """The fused path claims to support the activation, but uses erf-GELU.  The weights are
    large enough for 1e-4 of the output's size."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.activation_relu_or_gelu = 2
        with torch.no_grad():
            self.linear1.weight.mul_(3)


class Detached(Exact):
    def _ff_block(self, x: Any) -> Any:
        inner = self.activation(F.linear(x, self.linear1.weight.detach(), self.linear1.bias))
        return self.linear2(inner)


class Noisy(Exact):
    def _ff_block(self, x: Any) -> Any:
        return F.dropout(super()._ff_block(x), 0.5, self.training)


class Causal(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.enc = encoder()

    def forward(self, x: Any) -> Any:
        size = x.shape[1]
        mask = torch.nn.Transformer.generate_square_subsequent_mask(size, dtype=x.dtype)
        return self.enc(x, mask=mask, is_causal=True)


class Skips(Causal):
    def forward(self, x: Any) -> Any:
        return self.enc.layers[0](x)


class Backwards(Causal):
    def forward(self, x: Any) -> Any:
        return self.enc.layers[0](self.enc.layers[1](x))


def test_a_right_layer_is_one_function(tmp_path: Path) -> None:
    report = judged(tmp_path, layer(Exact))
    assert unmet(only_layer(report)) == {}
    assert report.exit_code == 0


def test_another_activation_under_no_grad_is_seen(tmp_path: Path) -> None:
    report = judged(tmp_path, layer(Fused))
    assert "under no_grad its output differs by" in unmet(only_layer(report))["what runs"]
    assert report.exit_code != 0


def test_a_detached_weight_is_wrong_and_named(tmp_path: Path) -> None:
    report = judged(tmp_path, layer(Detached))
    assert unmet(only_layer(report))["what runs"].startswith("no gradient reaches linear1.weight")
    assert report.exit_code == 1


def test_dropout_by_function_is_seen(tmp_path: Path) -> None:
    report = judged(tmp_path, layer(Noisy).train())
    assert "two calls on one input differ" in unmet(only_layer(report))["what runs"]
    assert judged(tmp_path, layer(Noisy)).exit_code == 0


def test_a_norm_used_twice_is_not_an_error(tmp_path: Path) -> None:
    shared = layer(Exact)
    shared.norm2 = shared.norm1
    with torch.no_grad():
        shared.norm1.weight.uniform_(0.5, 1.5)
    assert judged(tmp_path, shared).exit_code == 0


def test_one_token_shows_nothing_of_queries_and_keys(tmp_path: Path) -> None:
    report = judged(tmp_path, layer(Exact), seq_len=1)
    assert set(unmet(only_layer(report))) == {"tokens"}
    assert report.exit_code == 4


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (Causal, "passes src_mask [8, 8]"),
        (Skips, "never runs it"),
        (Backwards, "runs it at place 0, not 1"),
    ],
)
def test_changes_by_the_parent_are_found(tmp_path: Path, kind: Any, said: str) -> None:
    report = judged(tmp_path, kind().eval())
    assert said in unmet(section(report).layers[1])["its parent"]
    assert report.exit_code != 0
