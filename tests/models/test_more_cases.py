"""More models of the kinds that people were misled about: wrong ones that once passed, right ones
that once raised an alarm, and ones that once ended in a traceback or took a minute."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.models.library import accepting, judged, section
from tests.models.test_cases import HEADS, Model, Unfused, each, part, stack

torch: Any = pytest.importorskip("torch", reason="torch is not installed: `pip install torch`")
nn, F = torch.nn, torch.nn.functional
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's own, of torch.jit


class OtherWithoutGradients(Unfused):
    def _ff_block(self, x: Any) -> Any:
        if torch.is_grad_enabled():
            return super()._ff_block(x)
        return self.linear2(F.relu(self.linear1(x)))


class Attending(Unfused):
    """Attention written out; derived classes change one thing."""

    def changed(self, q: Any, k: Any, v: Any) -> Any:
        return F.scaled_dot_product_attention(q, k, v)

    def _sa_block(self, x: Any, mask: Any, padding: Any, is_causal: bool = False) -> Any:
        inner = self.self_attn
        q, k, v = (
            t.unflatten(-1, (HEADS, -1)).transpose(1, 2)
            for t in F.linear(x, inner.in_proj_weight, inner.in_proj_bias).chunk(3, -1)
        )
        return inner.out_proj(self.changed(q, k, v).transpose(1, 2).flatten(2))


class KeysDetached(Attending):
    def changed(self, q: Any, k: Any, v: Any) -> Any:
        return F.scaled_dot_product_attention(q, k.detach(), v)


class OneHead(Attending):
    def changed(self, q: Any, k: Any, v: Any) -> Any:
        y = super().changed(q, k, v)
        return torch.cat([y[:, :1], 0 * y[:, 1:]], 1)


class DropsAlways(Attending):
    def changed(self, q: Any, k: Any, v: Any) -> Any:
        return F.scaled_dot_product_attention(q, k, v, dropout_p=0.1)


class WithoutBiases(Unfused):
    def _ff_block(self, x: Any) -> Any:
        return F.linear(self.activation(F.linear(x, self.linear1.weight)), self.linear2.weight)


def without_biases() -> Any:
    layer = part(WithoutBiases)
    with torch.no_grad():
        layer.linear1.bias.normal_()
        layer.linear2.bias.normal_()
    return layer


class Clipped(Unfused):
    def _ff_block(self, x: Any) -> Any:
        y = super()._ff_block(x)
        if y.requires_grad:
            y.register_hook(lambda g: g.clamp(-0.01, 0.01))
        return y


class EpsLater(Unfused):
    """Another ε from its fourth call on."""

    calls = 0

    def forward(self, *args: Any, **more: Any) -> Any:
        type(self).calls += 1
        if type(self).calls > 3:
            self.norm1.eps = 0.1
        return super().forward(*args, **more)


class ChangesItsWeights(Unfused):
    def forward(self, *args: Any, **more: Any) -> Any:
        with torch.no_grad():
            self.linear1.bias.add_(0.1)
        return super().forward(*args, **more)


class ShortInside(Unfused):
    def _ff_block(self, x: Any) -> Any:
        return self.linear2(self.activation(self.linear1(x)).to(torch.bfloat16).to(x.dtype))


class Autocast(Unfused):
    def forward(self, *args: Any, **more: Any) -> Any:
        with torch.autocast("cpu", torch.bfloat16):
            return super().forward(*args, **more).float()


class ShortAndWrong(ShortInside):
    """bfloat16 inside, where rounding hides a gradient that is off by a thousandth: float64 shows
    it."""

    def _ff_block(self, x: Any) -> Any:
        y = super()._ff_block(x)
        return 1.001 * y - 0.001 * y.detach()


class Checkpointed(Unfused):
    def _ff_block(self, x: Any) -> Any:
        from torch.utils.checkpoint import checkpoint

        return checkpoint(super()._ff_block, x, use_reentrant=False)


class OtherInTraining(Unfused):
    def _ff_block(self, x: Any) -> Any:
        return super()._ff_block(x) * (2.0 if self.training else 1.0)


SHIFT: contextvars.ContextVar[float] = contextvars.ContextVar("shift", default=0.0)


class ByContext(Unfused):
    def forward(self, x: Any, *args: Any, **more: Any) -> Any:
        return super().forward(x + SHIFT.get(), *args, **more)


def shifting(layers: Any, x: Any) -> Any:
    SHIFT.set(1.0)
    found = layers[1](layers[0](x))
    SHIFT.set(0.0)
    return found


class SkipsInTraining(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([part(), part()])

    def forward(self, x: Any) -> Any:
        x = self.layers[0](x)
        return x if self.training else self.layers[1](x)


def scaling(layers: Any, x: Any) -> Any:
    y = layers[0](x)
    return layers[1](2 * y - y.detach())


def changed(change: Callable[[Any], Any]) -> Any:
    model = stack()
    change(model.layers[0])
    return model


def doubled(part: Any, *gradients: Any) -> Any:
    return tuple(None if g is None else 2 * g for g in gradients[0])


def masked(layer: Any) -> None:
    from torch.nn.utils import prune

    prune.l1_unstructured(layer.linear1, "weight", amount=0.5)


def normed(layer: Any) -> None:
    layer.linear1 = nn.utils.parametrizations.weight_norm(layer.linear1)


def in_a_buffer(layer: Any) -> None:
    weight = layer.linear1.weight.detach().clone()
    del layer.linear1.weight
    layer.linear1.register_buffer("weight", weight)


def patched(layer: Any) -> None:
    own = layer.forward
    layer.forward = lambda x, *args, **more: own(x, *args, **more) * 1.1


def compiled() -> Any:
    model = stack()
    model.layers[0] = torch.compile(model.layers[0])
    return model


CASES: Mapping[str, tuple[Callable[[], Any], set[int], str]] = {
    # wrong, or misleading
    "another activation without gradients": (
        lambda: part(OtherWithoutGradients),
        {4},
        "under no_grad its output differs",
    ),
    "keys detached": (lambda: part(KeysDetached), {1}, ""),
    "a head that is zeroed as it runs": (lambda: part(OneHead), {1}, ""),
    "biases that are left out as it runs": (without_biases, {1}, "no gradient reaches"),
    "a gradient that is clipped inside": (lambda: part(Clipped), {1}, ""),
    "ε that changes": (lambda: part(EpsLater), {1, 4}, ""),
    "weights that change": (lambda: part(ChangesItsWeights), {1, 4}, "two calls on one input"),
    "dropout in attention alone": (lambda: part(DropsAlways), {1, 4}, "two calls on one input"),
    "a backward hook on a layer": (
        lambda: changed(lambda la: la.register_full_backward_hook(doubled)),
        {1},
        "",
    ),
    "a backward hook on a map": (
        lambda: changed(lambda la: la.linear1.register_full_backward_hook(doubled)),
        {1},
        "",
    ),
    "a hook before a layer": (
        lambda: changed(lambda la: la.register_forward_pre_hook(lambda m, a: (1.01 * a[0],))),
        {1},
        "",
    ),
    "a forward that was put in place of its own": (lambda: changed(patched), {1, 4}, ""),
    "a gradient cut between layers": (
        lambda: Model(lambda las, x: las[1](las[0](x).detach())),
        {4},
        "passes back another gradient",
    ),
    "a gradient scaled between layers": (
        lambda: Model(scaling),
        {4},
        "passes back another gradient",
    ),
    "what a context says": (
        lambda: Model(shifting, ByContext),
        {4},
        "gets another output from it than it returns by itself",
    ),
    "a layer skipped in training": (lambda: SkipsInTraining().train(), {4}, "never runs it"),
    "bfloat16 inside, and wrong": (lambda: part(ShortAndWrong), {1}, ""),
    # right, or covered by what it runs
    "another function in training": (
        lambda: part(OtherInTraining).train(),
        {0},
        "in training mode, where its output differs",
    ),
    "training mode that changes nothing": (lambda: stack().train(), {0}, ""),
    "bfloat16 inside": (lambda: part(ShortInside), {0}, "computes in a shorter float inside"),
    "autocast inside": (lambda: part(Autocast), {0}, "computes in a shorter float inside"),
    "checkpoints": (lambda: part(Checkpointed), {0}, ""),
    "a copy between layers": (
        lambda: Model(lambda las, x: las[1](las[0](x).clone().contiguous())),
        {0},
        "",
    ),
    "a hook that looks on": (
        lambda: changed(lambda la: la.register_forward_pre_hook(lambda m, a: None)),
        {0},
        "",
    ),
    "a weight in a buffer": (lambda: changed(in_a_buffer), {0, 4}, ""),
    "a weight of magnitude and direction": (lambda: changed(normed), {0, 4}, ""),
    "a weight under a mask": (lambda: changed(masked), {0, 4}, ""),
    "a compiled layer": (compiled, {0}, ""),
    "bfloat16": (lambda: stack().to(torch.bfloat16), {0}, ""),
    "each by itself": (lambda: Model(each(lambda la, x: la(x))), {0}, ""),
}


@pytest.mark.parametrize("name", CASES)
def test_a_case(tmp_path: Path, name: str) -> None:
    make, codes, words = CASES[name]
    EpsLater.calls = 0
    report = judged(tmp_path, make(), seq_len=6, prove=accepting)
    said = " ".join(la.coverage for la in section(report).layers)
    assert report.exit_code in codes, said
    assert words in said
