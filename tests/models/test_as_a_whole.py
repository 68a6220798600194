"""What a model does before, between and after its layers: tested without `--whole`, and without any
graph of it."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bridge.report.layers import Assumption
from tests.models.library import accepting, judged, section
from tests.models.own_layers import WIDTH, Small, Speaker, owned
from tests.models.test_cases import Model, hugging_face, stack

torch: Any = pytest.importorskip("torch", reason="torch is not installed: `pip install torch`")
nn, F = torch.nn, torch.nn.functional
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's own, of torch.jit
TITLE = "before, between and after its layers"
NOT_ITS = "is not that of what it computes"


class Wrong(torch.autograd.Function):  # type: ignore[misc]
    @staticmethod
    def forward(context: Any, x: Any) -> Any:
        return x.clone()

    @staticmethod
    def backward(context: Any, cotangent: Any) -> Any:
        return 0.9 * cotangent


def scaled(blocks: Any, x: Any) -> Any:
    y = blocks[0](x)
    return blocks[1](1.01 * y - 0.01 * y.detach())


def hooked_between(blocks: Any, x: Any) -> Any:
    y = blocks[0](x)
    if y.requires_grad:
        y.register_hook(lambda g: 2 * g)
    return blocks[1](y)


def shorter_without_gradients(blocks: Any, x: Any) -> Any:
    y = blocks[0](x)
    return blocks[1](y) if torch.is_grad_enabled() else y


def shorter_in_inference_mode(blocks: Any, x: Any) -> Any:
    y = blocks[0](x)
    return y if torch.is_inference_mode_enabled() else blocks[1](y)


def seldom_left_out(blocks: Any, x: Any) -> Any:
    for block in blocks:
        if random.random() > 1e-3:
            x = block(x)
    return x


def seldom_left_out_by_torch(blocks: Any, x: Any) -> Any:
    for block in blocks:
        if float(torch.rand(())) > 1e-3:
            x = block(x)
    return x


def drawn_for_nothing(blocks: Any, x: Any) -> Any:
    """Draws in evaluation too, like layers that are dropped only in training."""
    skip = float(torch.rand(())) < 0.5 and blocks.training
    return x if skip else blocks[1](blocks[0](x))


class Kept(nn.Module):
    """Its first answer, for every input of the same shape."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.answer = owned(), None

    def forward(self, x: Any) -> Any:
        if self.answer is None or self.answer.shape != x.shape:
            self.answer = self.inner(x)
        return x + self.answer


class Second(Small):
    """Two tensors; the one that is passed on has no gradient."""

    def forward(self, x: Any) -> Any:
        y = super().forward(x)
        return y, y.detach()


def second(blocks: Any, x: Any) -> Any:
    return blocks[1](x + blocks[0](x)[1])[0]


def embedding_cut() -> Any:
    model = hugging_face("Bert")
    model.embeddings.register_forward_hook(lambda m, a, o: o.detach())
    return model


def head_of_a_stack() -> Any:
    class Headed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.head = stack(), nn.Linear(WIDTH, 3)

        def forward(self, x: Any) -> Any:
            return F.linear(self.body(x), self.head.weight.detach(), self.head.bias)

    torch.manual_seed(0)
    return Headed().eval()


def hooked_head() -> Any:
    model = Speaker()
    model.head.weight.register_hook(lambda g: 0 * g)
    return model


def backward_hook() -> Any:
    model = Speaker()
    model.blocks[1].register_full_backward_hook(lambda m, i, o: tuple(2 * g for g in i))
    return model


WRONG: Mapping[str, tuple[Callable[[], Any], str]] = {
    "a gradient cut between layers": (
        lambda: owned(run=lambda bs, x: bs[1](bs[0](x).detach())),
        f"blocks.0, input [0][0] {NOT_ITS}",
    ),
    "a gradient off by a hundredth between layers": (lambda: owned(run=scaled), NOT_ITS),
    "a hook on what is between layers": (lambda: owned(run=hooked_between), NOT_ITS),
    "a wrong backward after the layers": (
        lambda: owned(run=lambda bs, x: Wrong.apply(bs[1](bs[0](x)))),
        NOT_ITS,
    ),
    "the second result of a layer, cut": (lambda: owned(Second, second), NOT_ITS),
    "an embedding's gradient cut": (lambda: Speaker("words"), f"words.weight {NOT_ITS}"),
    "a norm's gradient cut after the layers": (lambda: Speaker("norm"), f"norm.weight {NOT_ITS}"),
    "a head's gradient cut": (lambda: Speaker("head"), f"head.weight {NOT_ITS}"),
    "an embedding's gradient cut before known layers": (embedding_cut, NOT_ITS),
    "a head's gradient cut after known layers": (head_of_a_stack, f"head.weight {NOT_ITS}"),
    "a layer left out under no_grad": (
        lambda: owned(run=shorter_without_gradients),
        "under no_grad its output differs",
    ),
    "a known layer left out under no_grad": (
        lambda: Model(shorter_without_gradients),
        "under no_grad its output differs",
    ),
    "a layer left out in inference mode": (
        lambda: owned(run=shorter_in_inference_mode),
        "in inference mode its output differs",
    ),
    "a layer seldom left out": (lambda: owned(run=seldom_left_out), "Python's random"),
    "a layer seldom left out, by torch": (
        lambda: owned(run=seldom_left_out_by_torch),
        "it draws random numbers, which change its output",
    ),
    "an answer that is kept": (lambda: Kept().eval(), "after a call on another input"),
    "no tensor returned": (lambda: owned(run=lambda bs, x: None), "returns no tensor of floats"),
}


def whole(report: Any) -> Assumption:
    return next(a for a in section(report).assumptions if a.name == TITLE)


@pytest.mark.parametrize("name", WRONG)
def test_errors_outside_of_the_layers_are_found(tmp_path: Path, name: str) -> None:
    make, words = WRONG[name]
    report = judged(tmp_path, make(), seq_len=6, prove=accepting)
    assert whole(report).met is not True
    assert words in whole(report).found
    assert report.exit_code != 0


def rows_of_zeros() -> Any:
    """The first token is all zeros, as class tokens begin: its norm bends within √ε."""

    def run(blocks: Any, x: Any) -> Any:
        return blocks[1](blocks[0](torch.cat([0 * x[:, :1], x[:, 1:]], 1)))

    model = owned(run=run)
    for block in model.blocks:
        block.norm.eps = 1e-12
        block.wo.weight.data.mul_(1e-9)
    return model


def frozen() -> Any:
    model = Speaker()
    model.words.requires_grad_(False)
    model.blocks[0].requires_grad_(False)
    return model


RIGHT: Mapping[str, Callable[[], Any]] = {
    "two layers": owned,
    "a tied head": Speaker,
    "weights that are frozen": frozen,
    "drawn for nothing": lambda: owned(run=drawn_for_nothing),
    "a row of zeros": rows_of_zeros,
    "ReLU between the layers": lambda: owned(run=lambda bs, x: bs[1](F.relu(bs[0](x)))),
    "a dict of many things": lambda: owned(
        run=lambda bs, x: {"step": 3, "none": None, "hidden": [bs[1](bs[0](x))]}
    ),
    "known layers": stack,
    "float16": lambda: owned().half(),
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_models_raise_no_alarm(tmp_path: Path, name: str) -> None:
    report = judged(tmp_path, RIGHT[name](), seq_len=6, prove=accepting)
    assert whole(report).met is True, whole(report).found
    assert report.exit_code == 0, section(report).shortfalls


def test_hooks_that_change_gradients(tmp_path: Path) -> None:
    report = judged(tmp_path, hooked_head(), seq_len=6, prove=accepting)
    assert "hooks on words.weight" in " ".join(section(report).shortfalls)
    assert report.exit_code == 4
    assert NOT_ITS in whole(judged(tmp_path, backward_hook(), seq_len=6)).found


@pytest.mark.parametrize("padding", [None, 0])
@pytest.mark.parametrize("cut", ["", "words", "head"])
def test_a_large_embedding_has_a_sparse_gradient(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut: str, padding: int | None
) -> None:
    from bridge.capture import as_a_whole

    monkeypatch.setattr(as_a_whole, "LARGE", 0)
    ids = {"ids": np.array([[3, 0, 5, 3]])}
    report = judged(tmp_path, Speaker(cut, padding), inputs=ids, prove=accepting)
    assert whole(report).met is (not cut)


def test_rows_that_padding_idx_names_have_no_gradient_by_rule(tmp_path: Path) -> None:
    ids = {"ids": np.array([[3, 0, 5, 7]])}
    for padding, row in ((0, True), (None, True)):
        report = judged(tmp_path, Speaker(padding=padding), inputs=ids, prove=accepting)
        assert whole(report).met is row
    cut = judged(tmp_path, Speaker("words", padding=0), inputs=ids, prove=accepting)
    assert whole(cut).met is False


def test_one_layer_is_judged_as_that(tmp_path: Path) -> None:
    torch.manual_seed(0)
    report = judged(tmp_path, Small().eval(), seq_len=6, prove=accepting)
    assert TITLE not in [a.name for a in section(report).assumptions]
    assert report.exit_code == 0


@pytest.mark.parametrize("kind", ["Bert", "GPT2"])
def test_a_model_with_fewer_layers_than_its_configuration_says(tmp_path: Path, kind: str) -> None:
    model = hugging_face(kind, num_hidden_layers=3)
    layers = model.encoder.layer if kind == "Bert" else model.h
    assert judged(tmp_path, model, seq_len=6, prove=accepting).exit_code == 0
    del layers[1]
    report = judged(tmp_path, model, seq_len=6, prove=accepting)
    assert "2 run, and num_hidden_layers is 3" in " ".join(section(report).shortfalls)
    assert report.exit_code == 4


class Thrice(nn.Module):
    """One layer in three places, and if ``idle`` one that is never run."""

    def __init__(self, idle: bool) -> None:
        super().__init__()
        own, other = stack().layers
        self.layers = nn.ModuleList([own, own, own, *([other] if idle else [])])

    def forward(self, x: Any) -> Any:
        for layer in self.layers[:3]:
            x = layer(x)
        return x


@pytest.mark.parametrize("idle", [False, True])
def test_a_layer_in_several_places(tmp_path: Path, idle: bool) -> None:
    report = judged(tmp_path, Thrice(idle).eval(), seq_len=6, prove=accepting)
    first, *others = section(report).layers
    assert first.applies
    assert ["never runs it" in la.coverage for la in others] == [True] * idle
    assert report.exit_code == (4 if idle else 0)
