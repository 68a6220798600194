"""Every rule from ATen alone: value and gradients against torch, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bridge.capture import Call, copied, export, run_eager, translate
from bridge.capture.aten import RULES
from bridge.capture.aten.rule import Untranslated
from numeric.interpret.interpreter import Interpreter

torch: Any = pytest.importorskip(
    "torch", reason="torch is not installed: `pip install torch` to capture torch modules"
)
F = torch.nn.functional
IDS = torch.tensor([[1, 3, 0, 2], [2, 2, 1, 0]])
KEEP = torch.tensor([[True, True, False, True], [True, False, True, True]])
CAUSAL = torch.full((4, 4), -torch.inf).triu(1)


class Of(torch.nn.Module):
    """A function of the weight ``w``, ``(2, 3, 4)`` and of an input of that shape."""

    def __init__(self, function: Callable[..., Any], *shapes: tuple[int, ...]) -> None:
        super().__init__()
        torch.manual_seed(0)
        for k, shape in enumerate(shapes or ((2, 3, 4),)):
            self.register_parameter(f"w{k}", torch.nn.Parameter(torch.randn(shape)))
        self.function = function

    def forward(self, x: Any) -> Any:
        return self.function(x, *self.parameters())


def heads(x: Any) -> Any:
    return x.unflatten(-1, (2, 2)).transpose(-2, -3)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "add": lambda x, w: x + w + 2.0,
    "sub": lambda x, w: 1.0 - x - w,
    "mul": lambda x, w: x * w * 3.0,
    "div": lambda x, w: x / (w * w + 1.0) / 2.0 + 1.0 / (x * x + 1.0),
    "spread": lambda x, w: x * w[:, :1] + w[0],
    "pow": lambda x, w: x**2 + w**3 + (x * x + 1) ** 0.5 + (w * w + 1) ** -0.5 + (x * x + 1) ** -2,
    "functions": lambda x, w: torch.tanh(x) + torch.exp(w) + torch.sigmoid(x) + torch.erf(w),
    "log": lambda x, w: torch.log(x * x + 1.0) + torch.sqrt(w * w + 1.0) + torch.rsqrt(x * x + 1),
    "relu": lambda x, w: F.relu(x) + F.leaky_relu(w, 0.1) - torch.reciprocal(x * x + 1),
    "gelu": lambda x, w: F.gelu(x) + F.gelu(w, approximate="tanh") + F.silu(x) + F.mish(w),
    "linear units": lambda x, w: F.elu(x, 0.7) + F.selu(w) + F.celu(x * w, 0.5) + F.softsign(x),
    "soft": lambda x, w: F.softplus(x, 2.0) + F.logsigmoid(w) + F.softplus(x * w),
    "clamped": lambda x, w: x.clamp(-0.5, 0.7) + w.clamp(min=0.1) + x.clamp(max=0) + (x * w).abs(),
    "hard": lambda x, w: F.hardswish(3 * x) + F.relu6(9 * x) + F.hardtanh(w),
    "normalized": lambda x, w: F.normalize(x, dim=-1) + w.norm(dim=1, keepdim=True),
    "weight norm": lambda x, w: torch._weight_norm(w, x[:, :1, :1], 0) * x,
    "batch norm": lambda x, w: F.batch_norm(
        x, torch.arange(3.0).double(), torch.ones(3).double(), w[0, :, 0], w[1, :, 1]
    ),
    "detached value": lambda x, w: x * w + KEEP[0].double().detach() * x,
    "nothing left": lambda x, w: torch.cat([x * w, x[..., 4:]], -1),
    "prelu": lambda x, w: F.prelu(x, w[0, 0, 0].reshape(1)),
    "reductions": lambda x, w: x.mean(-1) + w.sum((0, 2)) + x.var(-1) + w.mean(),
    "deviation": lambda x, w: (
        x.std(-1, keepdim=True) * w / (x.std() + w.std(-1, correction=0).sum())
    ),
    "products of vectors": lambda x, w: x * torch.vdot(w[0, 0], w[0, 0]),
    "variance": lambda x, w: x.var(-1, correction=0, keepdim=True) * w,
    "transposed": lambda x, w: x.permute(2, 0, 1) + w.transpose(0, 2).transpose(1, 2),
    "viewed": lambda x, w: x.reshape(3, 8) + w.flatten().view(3, 8),
    "sliced": lambda x, w: x[:, 1:, ::2] * w[:, :2, 1::2],
    "selected": lambda x, w: x[1] + w[:, 2].sum(0) + x.unbind(1)[0][0],
    "split": lambda x, w: x.chunk(2, -1)[1] * w.split([1, 2, 1], -1)[1],
    "joined": lambda x, w: torch.cat([x[:, :1], w, x], 1) + torch.stack([w[0, 0], x[1, 2]]).sum(0),
    "flipped": lambda x, w: x.flip(0) + w.roll(1, -1) + torch.tril(x),
    "padded": lambda x, w: F.pad(x, (1, 2)) * F.pad(w, (2, 1, 0, 0)),
    "repeated": lambda x, w: x.repeat(1, 2, 1) + w.repeat_interleave(2, 1),
    "looked up": lambda x, w: F.embedding(IDS % 3, w[0])[..., :3] * x[0, 0, :3],
    "gathered": lambda x, w: x[0][IDS[0, :3] % 3] + w.gather(2, IDS[:, None, :3] % 4)[1, :, :1],
    "wheres": lambda x, w: torch.where(KEEP[:, None], x, w) + torch.where(KEEP[:, None], x, 2.0),
    "filled": lambda x, w: x.masked_fill(KEEP[:, None], 0.5) * w,
    "softmax": lambda x, w: torch.softmax(x * w, -1) + torch.softmax(x, 1),
    "log softmax": lambda x, w: torch.log_softmax(x * w, -1),
    "masked softmax": lambda x, w: torch.softmax(x.masked_fill(~KEEP[:, None], -torch.inf), -1) * w,
    "bias softmax": lambda x, w: torch.softmax(x @ w.mT @ x + CAUSAL[:3] * 1.0, -1),
    "matmul": lambda x, w: x @ w.mT @ x,
    "bmm": lambda x, w: torch.bmm(x, w.mT) + torch.baddbmm(x[:, :, :3], x, w.mT, alpha=2, beta=0.5),
    "linear": lambda x, w: F.linear(x, w[0], w[1, 0, :3]) + torch.addmm(w[0, :, :3], x[0], w[1].T),
    "einsum": lambda x, w: (
        torch.einsum("bid,bjd->bij", x, w) @ torch.einsum("bid,jd->bji", x, w[0])
    ),
    "layer norm": lambda x, w: (
        F.layer_norm(x, (4,), w[0, 0], w[1, 1], 1e-5) + F.layer_norm(w, (4,))
    ),
    "rms norm": lambda x, w: F.rms_norm(x, (4,), w[0, 0], 1e-5),
    "group norm": lambda x, w: F.group_norm((x * w).reshape(1, 4, 6), 2, w[0, 0], w[1, 1]),
    "attention": lambda x, w: F.scaled_dot_product_attention(heads(x), heads(w), heads(x + w)),
    "causal": lambda x, w: F.scaled_dot_product_attention(x, w, w, is_causal=True, scale=0.3),
    "bool mask": lambda x, w: F.scaled_dot_product_attention(x, w, w, torch.eye(3).bool().flip(0)),
    "float mask": lambda x, w: F.scaled_dot_product_attention(x, w, w, CAUSAL[:3, :3].double()),
    "live mask": lambda x, w: F.scaled_dot_product_attention(x, w, w, (x @ w.mT)),
    "shared heads": lambda x, w: F.scaled_dot_product_attention(
        heads(x), heads(w)[:, :1], heads(w)[:, 1:], enable_gqa=True
    ),
    "convolution": lambda x, w: F.conv1d(x, w[:, :, :2], w[0, 0, :2], stride=2, padding=1),
    "grouped convolution": lambda x, w: F.conv1d(
        x.mT, w.reshape(4, 2, 3)[:, :1], groups=4, padding=1
    ),
    "convolution 2": lambda x, w: F.conv2d(x[:, None], w[:, :2, :2].unsqueeze(1), dilation=1),
    "cross entropy": lambda x, w: F.cross_entropy(
        (x * w).flatten(0, 1), torch.tensor([0, 3, 1, -100, 2, 2])
    ),
    "mse": lambda x, w: F.mse_loss(x, w),
    "written": lambda x, w: torch.slice_scatter(x, w[:, :1], 1, 2, 3),
    "cast": lambda x, w: (x.float() * w).double().contiguous().clone(),
}


def held(module: Any, *args: Any, lift: bool = True) -> dict[str, tuple[Any, Any]]:
    """Value and gradients, ours and torch's."""
    part, args = copied(module), tuple(a.double() for a in args)
    captured = translate(export(part, args, {}), "captured")
    program = Interpreter(captured.graph)
    trace = program.evaluate({n: v[None] for n, v in captured.feeds.items()})
    for index, value in captured.values.items():
        np.testing.assert_allclose(trace.values[index][0], value, rtol=1e-12, atol=1e-12)
    cotangent = np.random.default_rng(0).normal(size=trace.output.shape)
    pulled = program.vjp(trace, cotangent)
    eager = run_eager(part, Call(args, {}), cotangent.reshape(captured.shape), lift=lift)
    found = {"output": (trace.output[0], eager.output.reshape(trace.output.shape[1:]))}
    for name, source in captured.sources.items():
        if source.kind in ("parameter", "input"):
            theirs = (eager.parameters if source.kind == "parameter" else eager.inputs)[source.name]
            assert theirs is not None
            found[name] = (pulled[name][0], theirs.reshape(pulled[name][0].shape))
    return found


@pytest.mark.parametrize("name", FUNCTIONS)
def test_value_and_gradients_are_torchs(name: str) -> None:
    torch.manual_seed(1)
    found = held(Of(FUNCTIONS[name]), torch.randn(2, 3, 4))
    assert len(found) >= 2
    for ours, theirs in found.values():
        np.testing.assert_allclose(ours, theirs, rtol=1e-11, atol=1e-12)


def test_a_wrong_rule_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison above rejects it."""
    monkeypatch.setitem(RULES, "aten.tanh.default", RULES["aten.sigmoid.default"])
    with pytest.raises(AssertionError):
        held(Of(lambda x, w: torch.tanh(x) * w), torch.randn(2, 3, 4))


class Wrong(torch.autograd.Function):  # type: ignore[misc]
    @staticmethod
    def forward(context: Any, x: Any) -> Any:
        return x * 2

    @staticmethod
    def backward(context: Any, cotangent: Any) -> Any:
        return cotangent * 3


def test_a_detached_value_has_our_gradient() -> None:
    found = held(Of(lambda x, w: x * w.detach() + 0.5 * w), torch.randn(2, 3, 4))
    np.testing.assert_allclose(*found["output"], rtol=1e-12)
    ours, theirs = found["p_layer_w0"]
    assert float(np.abs(ours - theirs).max()) > 0.1


def test_a_buffer_that_a_call_changes_is_not_its_result() -> None:
    class Counting(Of):
        def __init__(self) -> None:
            super().__init__(lambda x, w: x * w)
            self.register_buffer("steps", torch.zeros(()))

        def forward(self, x: Any) -> Any:
            self.steps += 1
            return super().forward(x)

    found = held(Counting(), torch.randn(2, 3, 4))
    assert found["output"][0].shape == (2, 3, 4)


def test_a_wrong_backward_is_seen() -> None:
    found = held(Of(lambda x, w: Wrong.apply(x) * w), torch.randn(2, 3, 4))
    ours, theirs = found["args_0"]
    np.testing.assert_allclose(1.5 * ours, theirs, rtol=1e-12)


REFUSED: dict[str, tuple[Callable[..., Any], str]] = {
    "dropout": (lambda x, w: F.dropout(x * w, 0.5, training=True), "dropout is on"),
    "by the data": (lambda x, w: w[0, 0][(x[0, 0] > 0).long()], "depends on the data"),
    "nothing kept": (
        lambda x, w: torch.softmax((x * w).masked_fill(torch.ones(4).bool(), -torch.inf), -1),
        "keeps nothing",
    ),
    "one number": (lambda x, w: torch.softmax((x * w)[..., :1], -1), "softmax of one number"),
    "a constant of torch in float32": (lambda x, w: F.celu(x * w, 1.3), "its gradient is off"),
    "another of them": (lambda x, w: F.hardsigmoid(x * w), "its gradient is off"),
    "unknown": (lambda x, w: torch.special.bessel_j0(x) * w, "no translation"),
    "power": (lambda x, w: (x * x + w * w) ** 0.3, "the power 0.3"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_operation_without_a_translation_is_named_with_its_line(name: str) -> None:
    function, said = REFUSED[name]
    part = copied(Of(function))
    with pytest.raises(Untranslated, match=said) as caught:
        translate(export(part, (torch.randn(2, 3, 4).double(),), {}), "captured")
    assert "test_translate.py:" in str(caught.value)


def test_tokens_are_folded_and_masks_become_what_is_kept() -> None:
    part = copied(Of(FUNCTIONS["masked softmax"]))
    captured = translate(export(part, (torch.randn(2, 3, 4).double(),), {}), "captured")
    kept = [n for n, s in captured.sources.items() if s.kind == "constant"]
    assert [n.endswith("keep") for n in kept] == [True]
    assert set(np.unique(captured.feeds[kept[0]])) == {0.0, 1.0}
    assert "where" not in {n.op for n in captured.graph.nodes}


def test_the_line_is_never_one_of_this_project() -> None:
    """An operation of torch's own module: no line of the model made it."""
    part = copied(torch.nn.LayerNorm(4))
    captured = translate(export(part, (torch.randn(2, 4).double(),), {}), "captured")
    assert captured.origins
    assert not [o for o in captured.origins.values() if "exported.py" in o]
