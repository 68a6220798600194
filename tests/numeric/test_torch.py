"""The closed forms against PyTorch's own layers, values and gradients, if torch is installed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from numeric.closed_forms import attention, encoder_block
from numeric.instances.case import Case
from numeric.instances.draw import draw
from numeric.instances.families import FAMILIES
from numeric.interpret.interpreter import Interpreter
from numeric.judge import torch_block
from numeric.judge.fidelity import fidelity, torch_remark
from numeric.judge.measurement import Outcome
from tests.numeric.block_graphs import size_names, written
from tests.numeric.tensors import block_tensors, masks

torch: Any = pytest.importorskip(
    "torch", reason="torch is not installed: `pip install torch` to compare with PyTorch's layers"
)

SHAPES = [(1, 1, 4), (4, 1, 8), (5, 2, 4), (16, 4, 8), (3, 12, 2), (128, 12, 4)]
EPS = 1e-5


def _tensor(value: Any) -> Any:
    return torch.tensor(np.ascontiguousarray(value), dtype=torch.float64)


def _load_attention(module: Any, t: dict[str, Any]) -> None:
    """Put the weights of instance 0 into an ``nn.MultiheadAttention``; torch keeps them
    transposed."""
    with torch.no_grad():
        module.in_proj_weight.copy_(
            _tensor(np.concatenate([t[w][0].T for w in ("Wq", "Wk", "Wv")]))
        )
        module.out_proj.weight.copy_(_tensor(t["Wo"][0].T))
        if module.in_proj_bias is not None:
            module.in_proj_bias.copy_(
                _tensor(np.concatenate([t[b][0] for b in ("bq", "bk", "bv")]))
            )
            module.out_proj.bias.copy_(_tensor(t["bo"][0]))


def _attention_gradients(module: Any, biases: bool) -> dict[str, Any]:
    parts = np.split(module.in_proj_weight.grad.numpy(), 3)
    found = dict(zip(("Wq", "Wk", "Wv"), (p.T for p in parts), strict=True))
    found["Wo"] = module.out_proj.weight.grad.numpy().T
    if biases:
        thirds = np.split(module.in_proj_bias.grad.numpy(), 3)
        found |= dict(zip(("bq", "bk", "bv"), thirds, strict=True))
        found["bo"] = module.out_proj.bias.grad.numpy()
    return found


def _close(found: Any, expected: Any, what: str) -> None:
    size = 1 + np.abs(expected).max()
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-11 * size, err_msg=what)


@pytest.mark.parametrize(("seq_len", "heads", "head_dim"), SHAPES)
@pytest.mark.parametrize("biases", [False, True], ids=["no biases", "biases"])
@pytest.mark.parametrize("masked", [False, True], ids=["no mask", "causal"])
def test_attention(seq_len: int, heads: int, head_dim: int, biases: bool, masked: bool) -> None:
    t = block_tensors(1, seq_len, heads, head_dim, 3, biases=biases)
    tensors = {n: v for n, v in t.items() if n == "x" or n in attention.PARAMETERS}
    mask = masks(1, seq_len) if masked else None
    module = torch.nn.MultiheadAttention(
        heads * head_dim, heads, bias=biases, batch_first=True, dtype=torch.float64
    )
    _load_attention(module, t)
    x = _tensor(t["x"]).requires_grad_()
    given = None if mask is None else _tensor(mask[0])
    y, _ = module(x, x, x, attn_mask=given, need_weights=False)
    saved = attention.run(tensors, heads, mask)
    _close(saved.output, y.detach().numpy(), "value")
    cotangent = np.random.default_rng(1).normal(size=saved.output.shape)
    y.backward(_tensor(cotangent))
    pulled = attention.vjp(tensors, saved, cotangent)
    _close(pulled["x"], x.grad.numpy(), "x")
    for name, expected in _attention_gradients(module, biases).items():
        _close(pulled[name][0], expected, name)


HEADS = [1, 2, 4, 12]
LENGTHS = [1, 2, 5, 32, 128]


@pytest.mark.parametrize("heads", HEADS)
@pytest.mark.parametrize("seq_len", LENGTHS)
@pytest.mark.parametrize("biases", [False, True], ids=["no biases", "biases"])
@pytest.mark.parametrize("masked", [False, True], ids=["no mask", "causal"])
def test_encoder_block(seq_len: int, heads: int, biases: bool, masked: bool) -> None:
    """``nn.TransformerEncoderLayer`` has all biases or none; if none, ours are 0."""
    t = block_tensors(1, seq_len, heads, 4, 7, biases=biases)
    if not biases:
        for name in ("b1", "b2", "beta1", "beta2"):
            t[name] = np.zeros_like(t[name])
    mask = masks(1, seq_len) if masked else None
    one = {name: value[0] for name, value in t.items()}
    layer = torch_block.encoder_layer(one, heads, EPS, EPS, bias=biases)
    y, x, _ = torch_block.run_layer(layer, one["x"], None if mask is None else mask[0])
    eps = np.full(1, EPS)
    saved = encoder_block.run(t, heads, eps, eps, mask)
    _close(saved.output[0], y.detach().numpy(), "value")
    cotangent = np.random.default_rng(1).normal(size=saved.output.shape)
    y.backward(_tensor(cotangent[0]))
    pulled = encoder_block.vjp(t, saved, cotangent)
    found = torch_block.gradients(layer)
    assert set(found) == set(t) - {"x"} - (set() if biases else {"b1", "b2", "beta1", "beta2"})
    for name, expected in {**found, "x": x.grad.numpy()}.items():
        _close(pulled[name][0], expected, name)


@pytest.mark.parametrize("heads", HEADS)
@pytest.mark.parametrize("seq_len", [1, 3, 128])
@pytest.mark.parametrize("graph", torch_block.GRAPHS)
def test_the_graph_is_pytorchs_layer(graph: str, seq_len: int, heads: int) -> None:
    """By rules A and B, with or without biases and a mask that has its own gradient."""
    case = _case(graph, seq_len, heads)
    judged = fidelity(case)
    assert judged.count(Outcome.HOLDS) == len(case), {judged.parts[p] for p in judged.part}
    assert any("PyTorch" in part for part in judged.parts)


def test_only_pytorch_rejects(monkeypatch: pytest.MonkeyPatch) -> None:
    """If graph and closed form share an error, PyTorch's layer does not."""
    case = _case("encoderBlockGraph", 3, 2)
    right = torch_block.encoder_layer

    def other(*args: Any, **how: Any) -> Any:
        layer = right(*args, **how)
        layer.activation = torch.nn.GELU()  # not the tanh form
        return layer

    monkeypatch.setattr(torch_block, "encoder_layer", other)
    judged = fidelity(case)
    assert judged.count(Outcome.FAILS) == len(case)
    assert {judged.parts[p] for p in judged.part} == {
        "value against PyTorch's nn.TransformerEncoderLayer"
    }


def test_the_remark_names_the_version() -> None:
    assert f"PyTorch {torch.__version__} took part" in torch_remark("encoderBlockGraph")
    assert torch_remark("geluGraph") == ""


def _case(name: str, seq_len: int, heads: int) -> Case:
    head_dim = 4 if heads < 12 else 2
    sizes = dict(
        zip(size_names(name), (seq_len, heads * head_dim, heads, head_dim, 7), strict=True)
    )
    graph = written(name, sizes)
    batch = draw(FAMILIES["generic"], graph, seed=0, key="torch", indices=range(2))
    return Case(Interpreter(graph), batch)
