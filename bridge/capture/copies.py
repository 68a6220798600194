"""Copies of a user's module that run without changing it, and runs without rounding casts."""

from __future__ import annotations

import copy
import importlib
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

__all__ = ["copied", "duplicate", "eagerly", "lifted"]


def copied(module: Any) -> Any:
    """A `duplicate` in float64.

    Each parameter is copied once: a copy in the module's own dtype, which `double` would then
    replace, leaves holes as large as the model in the heap.
    """
    torch: Any = importlib.import_module("torch")
    longer: dict[int, Any] = {}
    for held in (*module.parameters(), *module.buffers()):
        plain = type(held) in (torch.nn.Parameter, torch.Tensor) and held.layout == torch.strided
        if plain and held.is_floating_point() and held.is_leaf and not vars(held):
            own = held.detach().to("cpu", torch.float64, copy=True)
            if type(held) is torch.nn.Parameter:
                own = torch.nn.Parameter(own, held.requires_grad)
            longer[id(held)] = own
    return duplicate(module, longer).double()


def duplicate(module: Any, copies: Mapping[int, Any] | None = None) -> Any:
    """A deep copy on the CPU, in the module's own mode and dtype.

    A tensor that a forward pass computed and the module kept, for example for a plot, is copied by
    its numbers: ``copy.deepcopy`` refuses it, since it is attached to the graph of that pass.

    Args:
        module: the module; it is not changed.
        copies: existing copies of parameters and buffers, by their identity.
    """
    torch: Any = importlib.import_module("torch")
    memo: dict[int, Any] = dict(copies or {})
    kept: list[Any] = [held for m in module.modules() for held in vars(m).values()]
    while kept:
        held = kept.pop()
        if isinstance(held, torch.Tensor):
            if held.grad_fn is not None:
                memo[id(held)] = held.detach().clone()
        elif type(held) in (list, tuple):
            kept.extend(held)
        elif type(held) is dict:
            kept.extend(held.values())
    return copy.deepcopy(module, memo).cpu()


@contextmanager
def eagerly() -> Iterator[None]:
    """Inside, the code given to `torch.compile` runs as written; nothing is compiled."""
    torch = sys.modules.get("torch")
    stance = getattr(getattr(torch, "compiler", None), "set_stance", None)
    if stance is None:  # older than 2.6, or not imported: there is nothing to run
        yield
        return
    with stance("force_eager"):
        yield


@contextmanager
def lifted() -> Iterator[list[str]]:
    """Inside, a cast to a shorter float becomes a cast to float64.

    Yields:
        The names of the functions that requested a shorter float, as they are called.
    """
    torch: Any = importlib.import_module("torch")
    modes: Any = importlib.import_module("torch.overrides")
    short = {torch.float32, torch.float16, torch.bfloat16}
    casts = {torch.Tensor.float, torch.Tensor.half, torch.Tensor.bfloat16}
    asked: list[str] = []

    class Lift(modes.TorchFunctionMode):  # type: ignore[misc]
        def __torch_function__(
            self, func: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            name = getattr(func, "__name__", str(func))
            if func in casts:
                asked.append(name)
                func, args = torch.Tensor.double, args[:1]
            given = {**dict(enumerate(args)), **(kwargs or {})}
            # Tensors compare entry by entry: only a dtype may be looked up.
            cast = {k for k, v in given.items() if isinstance(v, torch.dtype) and v in short}
            if cast:
                asked.append(name)
                given |= dict.fromkeys(cast, torch.float64)
            return func(
                *(given[k] for k in range(len(args))),
                **{k: v for k, v in given.items() if isinstance(k, str)},
            )

    with Lift():
        yield asked
