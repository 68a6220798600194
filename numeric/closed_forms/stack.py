"""An encoder in closed form: a sequence of encoder blocks, each with its own weights.

Tensors are passed by name with a batch axis in front: x, and the parameters of block k, those of
`closed_forms.encoder_block`, as ``layer<k>.Wq`` and so on.  All blocks have the same ε₁ and ε₂.
The derivatives need var + ε > 0 in every row of every residual; not checked.
Source: `PostNorm.encoderGraph`, `PostNorm.biasedEncoderGraph`; PyTorch's ``nn.TransformerEncoder``.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from numeric.closed_forms import encoder_block
from numeric.closed_forms.form import EVERY, Arguments, ClosedForm
from numeric.ops import Array

__all__ = ["FORMS", "jvp", "layer_tensors", "prefix", "run", "vjp"]

FloatArray = npt.NDArray[np.float64]
Tensors = Mapping[str, Array]


def prefix(layer: int) -> str:
    """The prefix of the names in block ``layer``."""
    return f"layer{layer}."


def layer_tensors(tensors: Tensors, layer: int, x: Array | None = None) -> dict[str, Array]:
    """The tensors of one block under their own names, with its input as ``x`` if that is given."""
    start = prefix(layer)
    own = {n.removeprefix(start): t for n, t in tensors.items() if n.startswith(start)}
    return own if x is None else {"x": x, **own}


def run(
    tensors: Tensors,
    depth: int,
    num_heads: int,
    eps1: FloatArray,
    eps2: FloatArray,
    scale: Array | None = None,
) -> tuple[encoder_block.Saved, ...]:
    """The values of every block; the last one's output is the value, ``(B, seq_len, d_model)``."""
    x, found = tensors["x"], []
    for layer in range(depth):
        saved = encoder_block.run(
            layer_tensors(tensors, layer, x), num_heads, eps1, eps2, scale=scale
        )
        found.append(saved)
        x = saved.output
    return tuple(found)


def jvp(tensors: Tensors, saved: tuple[encoder_block.Saved, ...], tangents: Tensors) -> Array:
    """The tangent of the output; tangents that are left out are 0."""
    x = tensors["x"]
    dx: Array = tangents.get("x", np.zeros_like(x))
    for layer, one in enumerate(saved):
        own = layer_tensors(tensors, layer, x)
        dx = encoder_block.jvp(own, one, layer_tensors(tangents, layer, dx))
        x = one.output
    return dx


def vjp(
    tensors: Tensors, saved: tuple[encoder_block.Saved, ...], cotangent: Array
) -> dict[str, Array]:
    """Cotangents of x and of every parameter of every block."""
    found: dict[str, Array] = {}
    for layer in reversed(range(len(saved))):
        x = tensors["x"] if layer == 0 else saved[layer - 1].output
        pulled = encoder_block.vjp(layer_tensors(tensors, layer, x), saved[layer], cotangent)
        cotangent = pulled.pop("x")
        found |= {prefix(layer) + name: value for name, value in pulled.items()}
    return {"x": cotangent, **found}


def _blocks(at: Arguments) -> tuple[encoder_block.Saved, ...]:
    eps = at.eps("eps1"), at.eps("eps2")
    return run(at.inputs, at.sizes["depth"], at.heads, *eps, scale=at.scale)


def _names(at: Arguments) -> dict[str, Array]:
    """Every block's saved tensors; those of a block with a mask under their names there."""
    found: dict[str, Array] = {}
    for layer, saved in enumerate(_blocks(at)):
        start = prefix(layer)
        names = encoder_block.saved_names(saved, masked=f"{start}mask" in at.inputs)
        found |= {start + name: value for name, value in names.items()}
    return found


_FORM = ClosedForm(
    _names,
    lambda at, t: jvp(at.inputs, _blocks(at), t),
    lambda at, s: vjp(at.inputs, _blocks(at), s),
    {"eps1": "layer0.attnResidual", "eps2": "layer0.ffnResidual"},
    (*EVERY, "depth"),
)
FORMS = {"encoderGraph": _FORM, "biasedEncoderGraph": _FORM}
