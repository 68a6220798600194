"""Which parts of a model are its layers."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

__all__ = ["layers_of"]


def layers_of(module: Any) -> tuple[str, ...]:
    """Names of the layers: the elements of a list of parts with parameters, and PyTorch's own.

    The outermost ones; if a list holds lists of layers, as in a model by stages, the inner ones.  A
    model without any is one layer, with the name ``""``.
    """
    return tuple(_within(module, "")) or ("",)


def _within(part: Any, name: str) -> Iterator[str]:
    torch: Any = importlib.import_module("torch")
    nn = torch.nn
    for own, child in part.named_children():
        path = f"{name}.{own}" if name else own
        if isinstance(child, nn.TransformerEncoderLayer | nn.TransformerDecoderLayer):
            yield path
        elif isinstance(child, nn.ModuleList) and _is_stack(child):
            for k, layer in child.named_children():
                yield from tuple(_stages(layer, f"{path}.{k}")) or (f"{path}.{k}",)
        else:
            yield from _within(child, path)


def _is_stack(parts: Any) -> bool:
    """Whether each element of the list computes with more than one part that has weights."""
    found = [sum(1 for m in p.modules() if m._parameters) for p in parts]
    return bool(found) and min(found) > 1


def _stages(layer: Any, name: str) -> Iterator[str]:
    """The layers of a stage: those of its lists that hold attention."""
    torch: Any = importlib.import_module("torch")
    for own, child in layer.named_children():
        if isinstance(child, torch.nn.ModuleList) and len(child) > 0 and _is_stack(child):
            kinds = {type(p) for p in child}
            if len(kinds) == 1 and own in ("blocks", "layers", "block"):
                yield from (f"{name}.{own}.{k}" for k, _ in child.named_children())
