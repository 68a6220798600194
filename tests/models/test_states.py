"""Layers that are not one function of their input: they keep state, draw numbers, or read their
mode."""

from __future__ import annotations

import random
from collections import namedtuple
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.models.library import accepting, judged, section
from tests.models.own_layers import WIDTH, Mine, Small, Speaker, owned
from tests.models.test_cases import HEADS, Unfused, hugging_face, part

torch: Any = pytest.importorskip("torch", reason="torch is not installed: `pip install torch`")
nn, F = torch.nn, torch.nn.functional
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's own, of torch.jit


class KeepsKeys(Mine):
    """Keys and values of the first input of each shape."""

    kept = None

    def mix(self, q: Any, k: Any, v: Any) -> Any:
        if self.kept is None or self.kept[0].shape != k.shape:
            self.kept = (k.detach(), v.detach())
            return super().mix(q, k, v)
        return super().mix(q, *self.kept)


class KeepsWeights(Unfused):
    """A known layer with the attention weights of the previous call, and the gradient of this
    one."""

    last = None

    def _sa_block(self, x: Any, mask: Any, padding: Any, is_causal: bool = False) -> Any:
        inner = self.self_attn
        q, k, v = (
            t.unflatten(-1, (HEADS, -1)).transpose(1, 2)
            for t in F.linear(x, inner.in_proj_weight, inner.in_proj_bias).chunk(3, -1)
        )
        weights = (q @ k.mT / k.shape[-1] ** 0.5).softmax(-1)
        if self.last is not None and self.last.shape == weights.shape:
            weights = weights + (self.last - weights).detach()
        self.last = weights.detach().clone()
        return inner.out_proj((weights @ v).transpose(1, 2).flatten(2))


class KeepsATable(Mine):
    """Values that depend only on the length may be kept."""

    table = None

    def mix(self, q: Any, k: Any, v: Any) -> Any:
        n = q.shape[-2]
        if self.table is None or self.table.shape[0] < n:
            self.table = torch.ones(n, n, dtype=torch.bool).tril()
        return F.scaled_dot_product_attention(q, k, v, self.table[:n, :n])


class Counts(Mine):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("steps", torch.zeros((), dtype=torch.long))

    def forward(self, x: Any) -> Any:
        self.steps += 1
        return super().forward(x)


class RunningMean(Mine):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(WIDTH))

    def forward(self, x: Any) -> Any:
        self.mean.mul_(0.9).add_(0.1 * x.detach().mean((0, 1)))
        return super().forward(x - self.mean)


class Normed(Mine):
    def __init__(self) -> None:
        super().__init__()
        self.batch = nn.BatchNorm1d(WIDTH)

    def inner(self, x: Any) -> Any:
        return super().inner(self.batch(x.mT).mT)


def seldom(draw: Callable[[], float]) -> Any:
    class LeftOut(Mine):
        def forward(self, x: Any) -> Any:
            return x if draw() < 1e-3 else super().forward(x)

    return LeftOut


class KnownLeftOut(Unfused):
    def forward(self, x: Any, *args: Any, **more: Any) -> Any:
        return x if random.random() < 1e-3 else super().forward(x, *args, **more)


class KnownLeftOutByTorch(Unfused):
    def forward(self, x: Any, *args: Any, **more: Any) -> Any:
        return x if float(torch.rand(())) < 1e-3 else super().forward(x, *args, **more)


class AtInference(Mine):
    def inner(self, x: Any) -> Any:
        y = super().inner(x)
        return 1.01 * y if torch.is_inference_mode_enabled() else y


class KnownAtInference(Unfused):
    def _ff_block(self, x: Any) -> Any:
        y = super()._ff_block(x)
        return 1.01 * y if torch.is_inference_mode_enabled() else y


class InFloat32(Unfused):
    """A known layer that is another one in float32."""

    def _ff_block(self, x: Any) -> Any:
        y = super()._ff_block(x)
        return 1.001 * y if x.dtype == torch.float32 else y


class GradientInFloat32(torch.autograd.Function):  # type: ignore[misc]
    @staticmethod
    def forward(context: Any, x: Any) -> Any:
        return x.clone()

    @staticmethod
    def backward(context: Any, cotangent: Any) -> Any:
        return cotangent * (1.01 if cotangent.dtype == torch.float32 else 1.0)


class OtherGradientInFloat32(Unfused):
    def _ff_block(self, x: Any) -> Any:
        return GradientInFloat32.apply(super()._ff_block(x))


class DetachedResidual(Mine):
    def forward(self, x: Any) -> Any:
        x = x.detach() + self.attend(self.first(x))
        return x + self.inner(self.second(x))


class StraightThrough(Mine):
    def inner(self, x: Any) -> Any:
        hidden = self.up(x)
        return self.down(hidden + (hidden.clamp(-0.1, 0.1) - hidden).detach())


def hooked() -> Any:
    model = owned(Mine, layers=1)
    model.blocks[0].up.weight.register_hook(lambda g: 2 * g)
    return model


CASES: Mapping[str, tuple[Callable[[], Any], set[int], str]] = {
    "keys that are kept": (
        lambda: owned(KeepsKeys, layers=1),
        {1, 4},
        "after a call on another input",
    ),
    "weights that are kept": (lambda: part(KeepsWeights), {4}, "after a call on another input"),
    "a running mean": (lambda: owned(RunningMean, layers=1), {1, 4}, ""),
    "left out seldom, by Python": (
        lambda: owned(seldom(random.random), layers=1),
        {1, 4},
        "it draws from Python's random",
    ),
    "left out seldom, by numpy": (
        lambda: owned(seldom(np.random.rand), layers=1),
        {1, 4},
        "it draws from numpy.random",
    ),
    "left out seldom, by torch": (
        lambda: owned(seldom(lambda: float(torch.rand(()))), layers=1),
        {4},
        "",
    ),
    "a known layer left out seldom": (
        lambda: part(KnownLeftOut),
        {1, 4},
        "it draws from Python's random",
    ),
    "a known layer left out seldom, by torch": (
        lambda: part(KnownLeftOutByTorch),
        {4},
        "it draws random numbers, which change its output",
    ),
    "another function in inference mode": (
        lambda: owned(AtInference, layers=1),
        {4},
        "in inference mode the layer computes something else",
    ),
    "a known layer, another one in inference mode": (
        lambda: part(KnownAtInference),
        {4},
        "in inference mode its output differs",
    ),
    "a known layer, another one in float32": (
        lambda: part(InFloat32),
        {1},
        "not every obligation",
    ),
    "a known layer with another gradient in float32": (
        lambda: part(OtherGradientInFloat32),
        {1},
        "not every obligation",
    ),
    "a residual that is detached": (lambda: owned(DetachedResidual, layers=1), {1}, "gradient of"),
    "a gradient that is passed straight through": (
        lambda: owned(StraightThrough, layers=1),
        {1},
        "",
    ),
    "a hook on a gradient": (hooked, {4}, "hooks on up.weight may change their gradients"),
    # right
    "a table that is kept": (lambda: owned(KeepsATable, layers=1), {0}, ""),
    "a counter that nothing reads": (lambda: owned(Counts, layers=1), {0}, ""),
    "a batch norm in evaluation": (lambda: owned(Normed, layers=1), {0}, ""),
    "a known layer in bfloat16": (lambda: part().to(torch.bfloat16), {0}, ""),
    "a known layer in float16": (lambda: part().half(), {0}, ""),
    "a known layer in float64": (lambda: part().double(), {0}, ""),
    "a decoder with its cache": (
        lambda: hugging_face("Bert", is_decoder=True, hidden_act="gelu"),
        {0},
        "",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_layer(tmp_path: Path, name: str) -> None:
    make, codes, words = CASES[name]
    report = judged(tmp_path, make(), seq_len=6, prove=accepting)
    said = " ".join(la.coverage for la in section(report).layers)
    assert report.exit_code in codes, said
    assert words in said


Pair = namedtuple("Pair", "nothing hidden")


@dataclass
class Result:
    loss: Any = None
    hidden: Any = None


RETURNED: Mapping[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "a dict whose first is None": (lambda y: {"map": None, "x": y}, lambda r: r["x"]),
    "a named tuple": (lambda y: Pair(None, y), lambda r: r.hidden),
    "an object": (lambda y: Result(hidden=y), lambda r: r.hidden),
    "a tuple": (lambda y: (y, "more"), lambda r: r[0]),
}


@pytest.mark.parametrize("name", RETURNED)
def test_any_return_value_of_a_layer(tmp_path: Path, name: str) -> None:
    wrap, unwrap = RETURNED[name]

    class Wrapped(Small):
        def forward(self, x: Any) -> Any:
            return wrap(super().forward(x))

    model = owned(Wrapped, lambda bs, x: unwrap(bs[1](unwrap(bs[0](x)))))
    report = judged(tmp_path, model, seq_len=6, prove=accepting)
    assert report.exit_code == 0, [la.coverage for la in section(report).layers]


class Named(Speaker):
    def forward(self, *, token_ids: Any, attention_mask: Any) -> Any:  # type: ignore[override]
        assert bool((attention_mask == 1).all())
        return super().forward(token_ids)


class Both(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.frames, self.words = owned(), Speaker()

    def forward(self, x: Any, ids: Any) -> Any:
        return self.frames(x).mean() + self.words(ids).mean()


@pytest.mark.parametrize("kind", [Named, Both])
def test_inputs_that_follow_from_the_names_of_arguments(tmp_path: Path, kind: Any) -> None:
    report = judged(tmp_path, kind().eval(), seq_len=6, prove=accepting)
    assert report.exit_code == 0, section(report).shortfalls
    assert "by name" in section(report).example


def test_given_ids_fill_no_cache(tmp_path: Path) -> None:
    ids = {"input_ids": np.array([[3, 4, 5, 6]])}
    report = judged(tmp_path, hugging_face("GPT2"), inputs=ids, prove=accepting)
    assert report.exit_code == 0, [la.coverage for la in section(report).layers]


def test_a_fault_of_ours_in_one_layer_hides_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bridge.models import captured

    translate, seen = captured.translate, []

    def breaks_once(*args: Any) -> Any:
        seen.append(args)
        if len(seen) == 1:
            raise ZeroDivisionError("no such thing")
        return translate(*args)

    monkeypatch.setattr(captured, "translate", breaks_once)
    report = judged(tmp_path, owned(), seq_len=6, prove=accepting)
    first, second = section(report).layers
    assert "a bug in lean-obligations: ZeroDivisionError" in first.coverage
    assert second.by_graph
    assert report.exit_code == 4
