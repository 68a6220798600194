"""Models that are right, or broken in one place, and once caused a false alarm or a traceback."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bridge.capture import copied
from bridge.errors import InvalidInputError
from bridge.models import read_model
from bridge.verdict import Verdict
from tests.capture.test_what_runs import Exact, Fused, encoder, layer
from tests.models.checkpoints import CONFIG, bert_tensors, write
from tests.models.library import judged, only_layer, section, unmet

torch: Any = pytest.importorskip(
    "torch", reason="torch is not installed: `pip install torch` to audit torch modules"
)


class Keeps(Exact):
    def _ff_block(self, x: Any) -> Any:
        self.last = super()._ff_block(x)
        return self.last


class Short(Exact):
    """Softmax in float32, as in mixed precision; ``wrong`` scales its gradient."""

    wrong = 1.0

    def _sa_block(self, x: Any, mask: Any, padding: Any, is_causal: bool = False) -> Any:
        attention = self.self_attn
        qkv = torch.nn.functional.linear(x, attention.in_proj_weight, attention.in_proj_bias)
        q, k, v = (t.unflatten(-1, (2, -1)).transpose(1, 2) for t in qkv.chunk(3, -1))
        scores = (q @ k.transpose(-1, -2)) / q.shape[-1] ** 0.5
        p = torch.softmax(scores, -1, dtype=torch.float32).to(x.dtype)
        p = self.wrong * p + (1 - self.wrong) * p.detach()
        return attention.out_proj((p @ v).transpose(1, 2).flatten(2))


def test_a_kept_tensor_is_not_an_error(tmp_path: Path) -> None:
    module = layer(Keeps)
    module(torch.randn(1, 8, 16))
    assert judged(tmp_path, module).exit_code == 0


def test_float32_inside_is_rounding(tmp_path: Path) -> None:
    report = judged(tmp_path, layer(Short))
    assert "shorter float inside (softmax)" in unmet(only_layer(report))["what runs"]
    assert report.exit_code == 4


def test_a_wrong_gradient_in_float32_is_still_seen(tmp_path: Path) -> None:
    module = layer(Short)
    module.wrong = 0.9
    assert judged(tmp_path, module).exit_code == 1


def test_an_activation_with_a_weight_is_read(tmp_path: Path) -> None:
    assert judged(tmp_path, layer(Fused, activation=torch.nn.PReLU())).exit_code == 4


def test_one_bad_layer_does_not_hide_the_others(tmp_path: Path) -> None:
    module = encoder()
    module.layers[1].linear1 = torch.nn.Identity()
    report = judged(tmp_path, module)
    good, bad = section(report).layers
    assert (good.name, good.theorem is None) == ("layers.0", False)
    assert (bad.name, bad.verdict) == ("layers.1", Verdict.INCONCLUSIVE)
    # A model that cannot be run shows nothing of how it calls its layers.
    assert [a.name for a in section(report).unmet] == ["how it calls its layers", "layers.1"]
    assert report.exit_code == 4


def test_an_adapter_is_named(tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text("{}")
    with pytest.raises(InvalidInputError, match="adapter_config.json is an adapter"):
        read_model(tmp_path)


@pytest.mark.parametrize("said", [2, 3])
def test_a_layer_that_is_missing_in_the_file_is_seen(tmp_path: Path, said: int) -> None:
    config = {**CONFIG, "num_hidden_layers": said}
    report = judged(tmp_path, write(tmp_path / "m", bert_tensors(2), config))
    assert report.exit_code == (0 if said == 2 else 4)


@pytest.mark.parametrize("pruned", [{}, {"0": [1]}])
def test_pruned_heads_are_not_all_heads(tmp_path: Path, pruned: dict[str, Any]) -> None:
    config = {**CONFIG, "pruned_heads": pruned}
    report = judged(tmp_path, write(tmp_path / "m", bert_tensors(), config))
    assert report.exit_code == (4 if pruned else 0)


def test_two_keys_of_one_configuration_that_disagree(tmp_path: Path) -> None:
    path = write(tmp_path / "m", bert_tensors(), {**CONFIG, "nhead": 1})
    assert json.loads((tmp_path / "m" / "config.json").read_text())["num_attention_heads"] != 1
    with pytest.raises(InvalidInputError, match="nhead in config.json says 1"):
        read_model(path)


def test_a_copy_in_float64_is_made_once() -> None:
    """A copy in float32 first would be as large as the model, and fragment the heap."""
    modes: Any = pytest.importorskip("torch.utils._python_dispatch")
    module = torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.BatchNorm1d(8), torch.nn.Module())
    module[2].tied = module[0].weight
    module[0].bias.requires_grad_(False)
    short: list[Any] = []

    class Watch(modes.TorchDispatchMode):  # type: ignore[misc]
        def __torch_dispatch__(
            self, func: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            found = func(*args, **(kwargs or {}))
            if "copy" in str(func) or "clone" in str(func):
                short.extend(x for x in (found,) if x.dtype is torch.float32)
            return found

    with Watch():
        found = copied(module)
    assert short == []
    assert found[2].tied is found[0].weight is not module[0].weight
    assert not found[0].bias.requires_grad
    assert {x.dtype for x in found.state_dict().values()} == {torch.float64, torch.int64}
    assert {x.dtype for x in module.state_dict().values()} == {torch.float32, torch.int64}
