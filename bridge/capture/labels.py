"""Labels for a whole model that computes its own loss from them."""

from __future__ import annotations

import importlib
import inspect
from dataclasses import replace
from typing import Any

from bridge.capture.copies import duplicate
from bridge.capture.exported import first_tensor
from bridge.capture.forward import Example

__all__ = ["with_labels"]


def with_labels(module: Any, example: Example, seed: int) -> Example:
    """The example with random labels, if the model accepts ``labels`` and has none.

    What the model returns without them decides their form: one of the last axis' entries for each
    token, or for each sequence.  A model that returns something else, or that accepts no labels,
    keeps the example: then its first output is pulled back.

    Args:
        module: the whole model; it is not changed.
        example: the model's input.
        seed: determines the labels.
    """
    torch: Any = importlib.import_module("torch")
    takes = inspect.signature(module.forward).parameters
    if "labels" not in takes or "labels" in example.kwargs:
        return example
    with torch.no_grad():
        scores = first_tensor(duplicate(module)(*example.args, **dict(example.kwargs)))
    given = [*example.args, *example.kwargs.values()]
    tokens = next((t for t in given if isinstance(t, torch.Tensor) and t.ndim == 2), None)
    each = tokens is not None and scores.ndim == 3 and scores.shape[:2] == tokens.shape
    if not each and scores.ndim != 2:
        return example
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(scores.shape[-1], tuple(scores.shape[:-1]), generator=generator)
    return replace(
        example,
        kwargs={**example.kwargs, "labels": labels},
        description=f"{example.description}, with random labels",
    )
