"""The position-wise feed-forward layer in closed form, written without the graph.

FFN(x) = act(x·W1 + b1)·W2 + b2, row by row, where act is tanh-GELU unless another one is given.
Tensors are passed by name, each with a batch axis in front: x ``(B, seq_len, d_model)``, W1 ``(B,
d_model, d_ff)``, b1 ``(B, d_ff)``, W2 ``(B, d_ff, d_model)``, b2 ``(B, d_model)``.
Source: A. Vaswani et al., "Attention is all you need", 2017, with GELU instead of ReLU.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from numeric.closed_forms.activations import TANH_GELU, Activation
from numeric.closed_forms.form import ROWS, ClosedForm
from numeric.ops import Array

__all__ = ["FORMS", "PARAMETERS", "Saved", "forward", "jvp", "run", "saved_names", "vjp"]

Tensors = Mapping[str, Array]

PARAMETERS = ("W1", "b1", "W2", "b2")


@dataclass(frozen=True, slots=True)
class Saved:
    """The intermediate values of a run: ``hidden`` and ``active`` ``(B, seq_len, d_ff)``, before
    and after the activation, the ``output``, and the activation itself."""

    hidden: Array
    active: Array
    output: Array
    activation: Activation = TANH_GELU


def run(tensors: Tensors, activation: Activation = TANH_GELU) -> Saved:
    """The value with all saved tensors, from x and the four parameters."""
    hidden = tensors["x"] @ tensors["W1"] + tensors["b1"][:, None, :]
    active = activation.forward(hidden)
    output = active @ tensors["W2"] + tensors["b2"][:, None, :]
    return Saved(hidden, active, output, activation)


def forward(tensors: Tensors) -> Array:
    """The value, ``(B, seq_len, d_model)``."""
    return run(tensors).output


def jvp(tensors: Tensors, saved: Saved, tangents: Tensors) -> Array:
    """The tangent of the output; tangents that are left out are 0."""
    d = {name: tangents.get(name, np.zeros_like(tensors[name])) for name in ("x", *PARAMETERS)}
    dhidden = d["x"] @ tensors["W1"] + tensors["x"] @ d["W1"] + d["b1"][:, None, :]
    dactive = saved.activation.derivative(saved.hidden) * dhidden
    doutput: Array = dactive @ tensors["W2"] + saved.active @ d["W2"] + d["b2"][:, None, :]
    return doutput


def vjp(tensors: Tensors, saved: Saved, cotangent: Array) -> dict[str, Array]:
    """Cotangents of x and the four parameters."""
    active = cotangent @ np.swapaxes(tensors["W2"], -1, -2)
    hidden = saved.activation.derivative(saved.hidden) * active
    return {
        "x": hidden @ np.swapaxes(tensors["W1"], -1, -2),
        "W1": np.swapaxes(tensors["x"], -1, -2) @ hidden,
        "b1": hidden.sum(axis=1),
        "W2": np.swapaxes(saved.active, -1, -2) @ cotangent,
        "b2": cotangent.sum(axis=1),
    }


def saved_names(saved: Saved, prefix: str) -> dict[str, Array]:
    """The saved tensors under the graph's names."""
    return {
        f"{prefix}hiddenPre": saved.hidden,
        f"{prefix}hiddenAct.y": saved.active,
        f"{prefix}projected": saved.output,
    }


FORMS = {
    "ffnGraph": ClosedForm(
        lambda at: saved_names(run(at.inputs), ""),
        lambda at, t: jvp(at.inputs, run(at.inputs), t),
        lambda at, s: vjp(at.inputs, run(at.inputs), s),
        {},
        (*ROWS, "dFF"),
    ),
}
