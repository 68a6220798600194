"""PyTorch's own encoder layer with a graph's weights, if torch is installed.

It is a third, independent implementation besides the graph and the closed form.  One
``nn.TransformerEncoderLayer`` in float64 without dropout, with the activation and the order that
`GRAPHS` names, is made for each instance; torch keeps weights transposed and d_model is
num_heads · head_dim there.  torch is imported when it is first used, not before.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from numeric.graph import Graph
from numeric.instances.case import Case
from numeric.ops import Array

__all__ = ["GRAPHS", "encoder_layer", "fits", "forward", "gradients", "run_layer", "version", "vjp"]

FloatArray = npt.NDArray[np.float64]
GRAPHS: Mapping[str, tuple[str, bool]] = MappingProxyType(
    {
        "encoderBlockGraph": ("tanh-GELU", False),
        "biasedEncoderBlockGraph": ("tanh-GELU", False),
        "geluEncoderBlockGraph": ("GELU", False),
        "reluEncoderBlockGraph": ("ReLU", False),
        "preNormReluBlockGraph": ("ReLU", True),
        "preNormGeluBlockGraph": ("GELU", True),
        "preNormGeluTanhBlockGraph": ("tanh-GELU", True),
    }
)
"""The graphs that torch has a layer for: the activation, and whether it normalizes first."""
_ATTENTION_BIASES = ("bq", "bk", "bv")
_OTHERS = {
    "W1": "linear1.weight",
    "W2": "linear2.weight",
    "gamma1": "norm1.weight",
    "gamma2": "norm2.weight",
    "b1": "linear1.bias",
    "b2": "linear2.bias",
    "beta1": "norm1.bias",
    "beta2": "norm2.bias",
}


def version() -> str | None:
    """The installed version of torch; None if there is none.  Nothing is imported."""
    if importlib.util.find_spec("torch") is None:
        return None
    return importlib.metadata.version("torch")


def fits(graph: Graph) -> bool:
    """Whether torch has a layer of this graph's kind and sizes."""
    if graph.name not in GRAPHS:
        return False
    sizes = graph.sizes
    return sizes["dModel"] == sizes["numHeads"] * sizes["headDim"]


def encoder_layer(
    tensors: Mapping[str, FloatArray],
    num_heads: int,
    eps1: float,
    eps2: float,
    *,
    bias: bool,
    activation: str = "tanh-GELU",
    norm_first: bool = False,
) -> Any:
    """The layer with the weights of one instance.

    Args:
        tensors: parameters of `encoder_block` without a batch axis; biases of the attention
            that are left out are 0.
        bias: whether the layer has biases at all; without, torch has none in its LayerNorms
            either.
        activation: by the name of a `numeric.closed_forms.activations.Activation`.
        norm_first: whether the LayerNorms come before the branches.
    """
    torch = importlib.import_module("torch")
    d_model, d_ff = tensors["W1"].shape
    layer = torch.nn.TransformerEncoderLayer(
        d_model,
        num_heads,
        d_ff,
        dropout=0.0,
        activation={
            "tanh-GELU": torch.nn.GELU(approximate="tanh"),
            # Not nn.GELU(): it computes 1 + erf, which cancels where its argument is negative.
            "GELU": lambda x: 0.5 * x * torch.erfc(-x / math.sqrt(2.0)),
            "ReLU": torch.nn.ReLU(),
        }[activation],
        batch_first=True,
        norm_first=norm_first,
        bias=bias,
        dtype=torch.float64,
    ).train()  # in evaluation mode torch may take a fused path
    layer.norm1.eps, layer.norm2.eps = float(eps1), float(eps2)
    attention = layer.self_attn
    with torch.no_grad():
        stacked = np.concatenate([tensors[w].T for w in ("Wq", "Wk", "Wv")])
        attention.in_proj_weight.copy_(_tensor(stacked))
        attention.out_proj.weight.copy_(_tensor(tensors["Wo"].T))
        if bias:
            zero = np.zeros(d_model)
            stacked = np.concatenate([tensors.get(b, zero) for b in _ATTENTION_BIASES])
            attention.in_proj_bias.copy_(_tensor(stacked))
            attention.out_proj.bias.copy_(_tensor(tensors.get("bo", zero)))
        parameters = dict(layer.named_parameters())
        for name, own in _OTHERS.items():
            if own in parameters:
                parameters[own].copy_(_tensor(tensors[name].T))
    return layer


def run_layer(layer: Any, x: FloatArray, mask: FloatArray | None) -> tuple[Any, Any, Any]:
    """The output of the layer, and x and the mask as torch tensors that require gradients."""
    leaf = _tensor(x).requires_grad_()
    hidden = None if mask is None else _tensor(mask).requires_grad_()
    return layer(leaf[None], src_mask=hidden)[0], leaf, hidden


def gradients(layer: Any) -> dict[str, FloatArray]:
    """The gradients of the last ``backward`` in the layer's parameters, under our names and
    shapes."""
    attention = layer.self_attn
    parts = np.split(attention.in_proj_weight.grad.numpy(), 3)
    found = dict(zip(("Wq", "Wk", "Wv"), (p.T for p in parts), strict=True))
    found["Wo"] = attention.out_proj.weight.grad.numpy().T
    if attention.in_proj_bias is not None:
        thirds = np.split(attention.in_proj_bias.grad.numpy(), 3)
        found |= dict(zip(_ATTENTION_BIASES, thirds, strict=True))
        found["bo"] = attention.out_proj.bias.grad.numpy()
    parameters = dict(layer.named_parameters())
    found |= {
        name: parameters[own].grad.numpy().T for name, own in _OTHERS.items() if own in parameters
    }
    return found


def forward(case: Case) -> Array:
    """torch's value on every instance, ``(B, seq_len, d_model)``."""
    return np.stack([run_layer(*_instance(case, row))[0].detach().numpy() for row in _rows(case)])


def vjp(case: Case, cotangent: FloatArray) -> dict[str, Array]:
    """torch's gradients of ⟨cotangent, value⟩ in all of the graph's inputs, ``(B, *shape)``
    each."""
    found: dict[str, list[FloatArray]] = {name: [] for name in case.batch.inputs}
    for row in _rows(case):
        layer, x, mask = _instance(case, row)
        y, leaf, hidden = run_layer(layer, x, mask)
        y.backward(_tensor(cotangent[row]))
        own = {**gradients(layer), "x": leaf.grad.numpy()}
        if hidden is not None:
            own["mask"] = hidden.grad.numpy()
        for name, values in found.items():
            values.append(own[name])
    return {name: np.stack(values) for name, values in found.items()}


def _rows(case: Case) -> range:
    return range(len(case))


def _instance(case: Case, row: int) -> tuple[Any, FloatArray, FloatArray | None]:
    tensors = {name: value[row] for name, value in case.batch.inputs.items()}
    eps = [float(case.batch.constants.get(s, np.zeros(len(case)))[row]) for s in ("eps1", "eps2")]
    heads = case.program.graph.sizes["numHeads"]
    activation, norm_first = GRAPHS[case.program.graph.name]
    layer = encoder_layer(
        tensors, heads, *eps, bias=True, activation=activation, norm_first=norm_first
    )
    return layer, tensors["x"], tensors.get("mask")


def _tensor(value: npt.ArrayLike) -> Any:
    torch = importlib.import_module("torch")
    return torch.tensor(np.ascontiguousarray(value), dtype=torch.float64)
