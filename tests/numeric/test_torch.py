"""The closed forms against PyTorch's own layers, values and gradients, where torch is installed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from numeric import attention, encoder_block
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


@pytest.mark.parametrize(("seq_len", "heads", "head_dim"), SHAPES)
@pytest.mark.parametrize("biases", [False, True], ids=["no biases", "biases"])
@pytest.mark.parametrize("masked", [False, True], ids=["no mask", "causal"])
def test_encoder_block(seq_len: int, heads: int, head_dim: int, biases: bool, masked: bool) -> None:
    """``nn.TransformerEncoderLayer`` has all biases or none: without, ours are 0."""
    d_ff = 7
    t = block_tensors(1, seq_len, heads, head_dim, d_ff, biases=biases)
    if not biases:
        for name in ("b1", "b2", "beta1", "beta2"):
            t[name] = np.zeros_like(t[name])
    mask = masks(1, seq_len) if masked else None
    layer = torch.nn.TransformerEncoderLayer(
        heads * head_dim,
        heads,
        d_ff,
        dropout=0.0,
        activation=torch.nn.GELU(approximate="tanh"),
        layer_norm_eps=EPS,
        batch_first=True,
        norm_first=False,
        bias=biases,
        dtype=torch.float64,
    ).train()  # in evaluation mode torch may take a fused path
    _load_attention(layer.self_attn, t)
    simple = {
        "W1": layer.linear1.weight,
        "W2": layer.linear2.weight,
        "gamma1": layer.norm1.weight,
        "gamma2": layer.norm2.weight,
    }
    if biases:
        simple |= {
            "b1": layer.linear1.bias,
            "b2": layer.linear2.bias,
            "beta1": layer.norm1.bias,
            "beta2": layer.norm2.bias,
        }
    with torch.no_grad():
        for name, parameter in simple.items():
            parameter.copy_(_tensor(t[name][0].T))
    x = _tensor(t["x"]).requires_grad_()
    y = layer(x, src_mask=None if mask is None else _tensor(mask[0]))
    eps = np.full(1, EPS)
    saved = encoder_block.run(t, heads, eps, eps, mask)
    _close(saved.output, y.detach().numpy(), "value")
    cotangent = np.random.default_rng(1).normal(size=saved.output.shape)
    y.backward(_tensor(cotangent))
    pulled = encoder_block.vjp(t, saved, cotangent)
    _close(pulled["x"], x.grad.numpy(), "x")
    gradients = {name: p.grad.numpy().T for name, p in simple.items()}
    for name, expected in (gradients | _attention_gradients(layer.self_attn, biases)).items():
        _close(pulled[name][0], expected, name)
