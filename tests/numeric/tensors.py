"""Random tensors of an encoder block, by name, for tests of the closed forms."""

from __future__ import annotations

from math import sqrt

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
EPS1, EPS2 = 1e-5, 1e-3


def block_tensors(
    batch: int,
    seq_len: int,
    heads: int,
    head_dim: int,
    d_ff: int,
    *,
    d_model: int | None = None,
    biases: bool = False,
    seed: int = 0,
) -> dict[str, FloatArray]:
    """All inputs of the block, weights on the scale of 1/√(rows); with the attention's biases if
    asked for."""
    rng = np.random.default_rng(seed)
    width = heads * head_dim
    d = width if d_model is None else d_model
    shapes: dict[str, tuple[int, ...]] = {
        "x": (seq_len, d),
        **dict.fromkeys(("Wq", "Wk", "Wv"), (d, width)),
        "Wo": (width, d),
        **dict.fromkeys(("gamma1", "beta1", "gamma2", "beta2"), (d,)),
        "W1": (d, d_ff),
        "b1": (d_ff,),
        "W2": (d_ff, d),
        "b2": (d,),
    }
    if biases:
        shapes |= {"bq": (width,), "bk": (width,), "bv": (width,), "bo": (d,)}
    return {
        name: rng.normal(size=(batch, *shape)) / (sqrt(shape[0]) if name[0] == "W" else 1.0)
        for name, shape in shapes.items()
    }


def masks(batch: int, seq_len: int) -> FloatArray:
    """A causal mask: no token attends to a later one."""
    allowed = np.tril(np.ones((seq_len, seq_len)))
    return np.broadcast_to(np.where(allowed > 0, 0.0, -np.inf), (batch, seq_len, seq_len))
