"""Losses over known targets."""

from __future__ import annotations

import importlib
import math
from typing import Any

from bridge.capture.aten.rule import Context, Found, rule

__all__: list[str] = []


@rule("aten.cross_entropy_loss.default")
def _cross_entropy(
    t: Context,
    n: Any,
    scores: Any,
    target: Any,
    weight: Any = None,
    reduction: int = 1,
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
) -> Found:
    """Σ target · (log Σ exp z − z), the targets with their share of the mean."""
    torch: Any = importlib.import_module("torch")
    labels, shape = t.known(target), t.shape(scores)
    if weight is not None or label_smoothing or reduction == 0 or len(shape) != 2:
        raise t.refuse("with weights, smoothing, without a sum, or not of a matrix")
    if labels.is_floating_point():
        raise t.refuse("targets are shares")
    counted = labels != ignore_index
    picked = torch.zeros(shape, dtype=torch.float64)
    rows = torch.arange(len(labels))[counted]
    picked[rows, labels[counted]] = 1.0 / float(counted.sum()) if reduction == 1 else 1.0
    tape, name = t.tape, n.name
    z = tape.reshape(f"{name}.scores", t.ref(scores), shape)
    total = tape.reduce(f"{name}.total", "sum", tape.map(f"{name}.exp", "exp", z), 1)
    logs = tape.spread(f"{name}.log", tape.map(f"{name}.log", "log", total), 1, shape[1])
    chosen = tape.reshape(f"{name}.target", t.constant(f"{name}.target", picked), shape)
    each = tape.two(f"{name}.each", "mul", tape.two(f"{name}.gap", "sub", logs, z), chosen)
    return tape.reduce(name, "sum", tape.reduce(f"{name}.rows", "sum", each, 1), 0)


@rule("aten.mse_loss.default")
def _mse(t: Context, n: Any, a: Any, b: Any, reduction: int = 1) -> Found:
    tape = t.tape
    gap = tape.two(f"{n.name}.gap", "sub", t.at(n.name, a, t.shape(a)), t.at(n.name, b, t.shape(a)))
    found = tape.two(f"{n.name}.square", "mul", gap, gap)
    if reduction == 0:
        return found
    line = tape.reshape(f"{n.name}.line", found, (math.prod(found.shape),))
    return tape.reduce(n.name, "mean" if reduction == 1 else "sum", line, 0)
