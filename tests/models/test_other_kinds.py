"""Further models of the kinds in `test_more_cases`: depth, order and sharing, and parts that are
not what their names suggest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from bridge.models import read_model
from bridge.verdict import Verdict
from tests.models.checkpoints import CONFIG, bert_tensors, write
from tests.models.library import accepting, judged, section
from tests.models.own_layers import WIDTH, Mine, Small, owned
from tests.models.test_cases import Unfused, part, stack
from tests.models.test_more_cases import Attending

torch: Any = pytest.importorskip("torch", reason="torch is not installed: `pip install torch`")
nn, F = torch.nn, torch.nn.functional
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's own, of torch.jit


class UnderNoGrad(Unfused):
    def _ff_block(self, x: Any) -> Any:
        with torch.no_grad():
            inner = self.linear1(x)
        return self.linear2(self.activation(inner))


class CalledWithCopies(Mine):
    def inner(self, x: Any) -> Any:
        copies = {n: p.detach() for n, p in self.up.named_parameters()}
        return self.down(F.gelu(torch.func.functional_call(self.up, copies, (x,))))


class ItsOwnCall(Unfused):
    def __call__(self, *args: Any, **more: Any) -> Any:
        return 1.1 * super().__call__(*args, **more)


class LayerNorm(nn.LayerNorm):
    """ε outside of the root."""

    def forward(self, x: Any) -> Any:
        apart = x - x.mean(-1, keepdim=True)
        return self.weight * apart / (apart.square().mean(-1, keepdim=True).sqrt() + 1e-3)


def another_norm() -> Any:
    layer = part()
    layer.norm1 = LayerNorm(WIDTH)
    return layer


class Weighted(Unfused):
    def forward(self, x: Any, *args: Any, **more: Any) -> Any:
        x = self.norm1(1.2 * x + self._sa_block(x, None, None))
        return self.norm2(x + self._ff_block(x))


class WeightedMine(Mine):
    def forward(self, x: Any) -> Any:
        x = 1.2 * x + self.attend(self.first(x))
        return 0.7 * x + self.inner(self.second(x))


class OverQueries(Attending):
    def changed(self, q: Any, k: Any, v: Any) -> Any:
        return (q @ k.mT / k.shape[-1] ** 0.5).softmax(-2) @ v


class HalfAHead(Attending):
    def changed(self, q: Any, k: Any, v: Any) -> Any:
        return super().changed(q, k, v) * torch.tensor([[[1.0]], [[0.5]]], dtype=q.dtype)


class KeepsCount(Mine):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("place", torch.zeros((), dtype=torch.long))

    def forward(self, x: Any) -> Any:
        self.place += x.shape[1]
        return super().forward(x + torch.sin(self.place.to(x.dtype)))


class Scaled(Small):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("scale", torch.ones(()))

    def forward(self, x: Any) -> Any:
        return self.scale * super().forward(x)


def scaled_by_the_owner(blocks: Any, x: Any) -> Any:
    for place, block in enumerate(blocks):
        block.scale.fill_(1.0 + place)
        x = block(x)
    for block in blocks:
        block.scale.fill_(1.0)
    return x


class Times(torch.autograd.Function):  # type: ignore[misc]
    """A product with its own backward; ``share`` of the weight's gradient is right."""

    @staticmethod
    def forward(context: Any, x: Any, weight: Any, share: float) -> Any:
        context.save_for_backward(x, weight)
        context.share = share
        return x @ weight.T

    @staticmethod
    def backward(context: Any, cotangent: Any) -> Any:
        x, weight = context.saved_tensors
        of_weight = cotangent.flatten(0, -2).T @ x.flatten(0, -2)
        return cotangent @ weight, context.share * of_weight, None


class OwnBackward(Mine):
    share = 1.0

    def inner(self, x: Any) -> Any:
        return self.down(F.gelu(Times.apply(x, self.up.weight, self.share) + self.up.bias))


class WrongBackward(OwnBackward):
    share = 0.999


def other_without_gradients() -> Any:
    model = owned(Mine)
    hook = lambda m, a, o: o if torch.is_grad_enabled() else 2 * o  # noqa: E731
    model.blocks[1].up.register_forward_hook(hook)
    return model


def spectral() -> Any:
    model = owned(Mine, layers=1)
    model.blocks[0].up = nn.utils.parametrizations.spectral_norm(model.blocks[0].up)
    return model.eval()


class EqualizedRate(Mine):
    def inner(self, x: Any) -> Any:
        inner = F.gelu(F.linear(x, 0.25 * self.up.weight, self.up.bias))
        return F.linear(inner, 2**0.5 * self.down.weight, self.down.bias)


class OneMatrix(Mine):
    def inner(self, x: Any) -> Any:
        return F.gelu(self.up(x)) @ self.up.weight + self.down.bias


class KeysAreQueries(Mine):
    def __init__(self) -> None:
        super().__init__()
        self.wk = self.wq


def shared_in_a_known_layer() -> Any:
    """Two parts with one parameter: each place has its own gradient, and autograd adds them up."""
    model = stack()
    model.layers[0].linear2.bias = model.layers[0].norm1.bias
    model.layers[1].linear1.weight = model.layers[0].linear1.weight
    return model


class InPlace(Mine):
    """Its own input is changed in place, which a leaf of autograd forbids."""

    def forward(self, x: Any) -> Any:
        return super().forward(x.mul_(2.0))


def in_place(blocks: Any, x: Any) -> Any:
    return blocks[1](blocks[0](1.0 * x))


class Standardized(Mine):
    def inner(self, x: Any) -> Any:
        weight = self.up.weight
        apart = weight - weight.mean(1, keepdim=True)
        inner = F.linear(x, apart / (weight.std(1, keepdim=True) + 1e-5), self.up.bias)
        return self.down(F.gelu(inner))


class ShortMean(Mine):
    class Norm(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(WIDTH))

        def forward(self, x: Any) -> Any:
            long = x.float()
            long = long * torch.rsqrt(long.square().mean(-1, keepdim=True) + 1e-6)
            return self.weight * long.to(x.dtype)

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = self.Norm(), self.Norm()


class LeastNumber(Mine):
    def mix(self, q: Any, k: Any, v: Any) -> Any:
        hidden = torch.ones(q.shape[-2], q.shape[-2], dtype=torch.bool).triu(1)
        scores = (q @ k.mT / 8**0.5).masked_fill(hidden, torch.finfo(q.dtype).min)
        return scores.softmax(-1) @ v


CASES: Mapping[str, tuple[Callable[[], Any], set[int], str]] = {
    # wrong, or misleading
    "a map under no_grad": (lambda: part(UnderNoGrad), {1}, "no gradient reaches"),
    "a map called with detached copies": (
        lambda: owned(CalledWithCopies, layers=1),
        {1},
        "no gradient of up.weight",
    ),
    "a call of its own": (lambda: part(ItsOwnCall), {1}, ""),
    "a LayerNorm by name alone": (another_norm, {1}, ""),
    "a residual with a factor in a known layer": (lambda: part(Weighted), {1}, ""),
    "a softmax over queries": (lambda: part(OverQueries), {1}, ""),
    "half of a head": (lambda: part(HalfAHead), {1}, ""),
    "a count that is kept": (lambda: owned(KeepsCount, layers=1), {1, 4}, ""),
    "a buffer that the owner sets": (
        lambda: owned(Scaled, scaled_by_the_owner),
        {4},
        "in the model its output differs from its output by itself",
    ),
    "a wrong backward of its own": (
        lambda: owned(WrongBackward, layers=1),
        {1},
        "gradient of up.weight",
    ),
    "a hook that asks for gradients": (
        other_without_gradients,
        {4},
        "under no_grad the layer computes something else",
    ),
    "a layer run twice": (
        lambda: owned(run=lambda bs, x: bs[1](bs[0](bs[0](x)))),
        {4},
        "it runs 2 times, more often than others of its stack",
    ),
    "layers in another order": (
        lambda: owned(run=lambda bs, x: bs[0](bs[1](x))),
        {4},
        "at place 1 of its stack",
    ),
    "an input that is needed and changed in place": (
        lambda: owned(
            type("Needed", (Small,), {"forward": lambda s, x: x.add_(torch.tanh(s.wo(x)))})
        ),
        {4},
        "modified by an inplace operation",
    ),
    # right
    "a residual with a factor": (lambda: owned(WeightedMine), {0}, ""),
    "a right backward of its own": (lambda: owned(OwnBackward, layers=1), {0}, ""),
    "weights over their spectral norm": (spectral, {0}, ""),
    "weights scaled as they are used": (lambda: owned(EqualizedRate, layers=1), {0}, ""),
    "weights over their deviation": (lambda: owned(Standardized, layers=1), {0}, ""),
    "an owner that changes its input in place": (
        lambda: owned(run=lambda bs, x: bs[1](bs[0](x.mul_(2.0)))),
        {0},
        "",
    ),
    "one matrix there and back": (lambda: owned(OneMatrix, layers=1), {0}, ""),
    "one matrix for queries and keys": (lambda: owned(KeysAreQueries, layers=1), {0}, ""),
    "one parameter in several places": (shared_in_a_known_layer, {0}, ""),
    "an input that is changed in place": (lambda: owned(InPlace, in_place), {0}, ""),
    "a norm in float32": (lambda: owned(ShortMean, layers=1).half(), {0}, ""),
    "the least number as a mask": (lambda: owned(LeastNumber, layers=1), {0}, ""),
    "all layers twice": (
        lambda: owned(run=lambda bs, x: bs[1](bs[0](x)) - bs[1](bs[0](x.flip(-1)))),
        {0},
        "the first of 2 calls",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_model(tmp_path: Path, name: str) -> None:
    make, codes, words = CASES[name]
    report = judged(tmp_path, make(), seq_len=6, prove=accepting)
    layers = section(report).layers
    graphs = [la.captured for la in layers if la.captured is not None]
    apart = [c.what for g in graphs for c in g.comparisons if c.verdict is Verdict.FAILS]
    none = [f"no gradient of {n}" for g in graphs for n in g.no_gradient]
    said = " ".join((*(la.coverage for la in layers), *apart, *none))
    assert report.exit_code in codes, said
    assert words in said


def test_a_layer_in_two_places_runs_in_each(tmp_path: Path) -> None:
    model = owned(layers=1)
    model.blocks = nn.ModuleList([model.blocks[0], model.blocks[0], Small()])
    assert judged(tmp_path, model.eval(), seq_len=6, prove=accepting).exit_code == 0


SIZES = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
TWO = {"encoder_layers": 2, "decoder_layers": 2, "d_model": 16, "max_position_embeddings": 32}
HEADS = {"encoder_attention_heads": 2, "decoder_attention_heads": 2}
INNER = {"encoder_ffn_dim": 24, "decoder_ffn_dim": 24, "vocab_size": 50}


@pytest.mark.parametrize(
    ("kind", "options", "layers", "said"),
    [
        ("Bart", {**TWO, **HEADS, **INNER}, "decoder.layers", "1 run, and decoder_layers is 2"),
        (
            "CLIP",
            {
                "text_config": {**SIZES, "vocab_size": 50, "intermediate_size": 24},
                "vision_config": {**SIZES, "image_size": 8, "patch_size": 4},
            },
            "text_model.encoder.layers",
            "1 run, and num_hidden_layers is 2",
        ),
    ],
)
def test_one_of_two_stacks_lacks_a_layer(
    tmp_path: Path, kind: str, options: Any, layers: str, said: str
) -> None:
    transformers: Any = pytest.importorskip("transformers", reason="transformers is not installed")
    torch.manual_seed(0)
    config = getattr(transformers, f"{kind}Config")(**options)
    model = getattr(transformers, f"{kind}Model")(config).eval()
    assert judged(tmp_path, model, seq_len=5, prove=accepting).exit_code == 0
    del model.get_submodule(layers)[1]
    report = judged(tmp_path, model, seq_len=5, prove=accepting)
    assert said in " ".join(section(report).shortfalls)
    assert report.exit_code == 4


def test_a_function_may_say_where_a_model_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "m", bert_tensors(2), CONFIG)
    code = f"def file():\n    return {str(path)!r}\n"
    (tmp_path / "says_where.py").write_text(code)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert len(read_model("says_where:file").layers) == 2
