"""Whether random numbers change what a module computes, however rarely."""

from __future__ import annotations

import importlib
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

__all__ = ["chance"]

_HIGHEST = 1.0 - 2.0**-53
SAME = 1e-9
"""Relative, for float64: two right computations of one value differ by about 1e-14."""


def chance(call: Callable[[], Any]) -> str:
    """That random numbers take part in what is computed, as a clause; empty if none do.

    Two equal outputs do not show it: a layer that is left out with probability 0.01 runs 99 times
    in 100.  So the states of the generators are compared before and after the call.  Numbers that
    torch draws may have no effect, as in a layer that draws in evaluation what it uses only in
    training: the call is repeated with all of them at their least, and at their greatest.  Numbers
    from Python's and numpy's generators cannot be replaced, so drawing from these is enough.

    Args:
        call: computes the output, the same tensor each time.

    Raises:
        Exception: whatever the call raises.
    """
    torch: Any = importlib.import_module("torch")
    before = random.getstate(), _numpy_state(), torch.get_rng_state()
    first = call()
    after = random.getstate(), _numpy_state(), torch.get_rng_state()
    if before[0] != after[0]:
        return "it draws from Python's random, which may change what it computes"
    if before[1] != after[1]:
        return "it draws from numpy.random, which may change what it computes"
    if bool((before[2] == after[2]).all()):
        return ""
    for value in (0.0, _HIGHEST):
        with _drawing(torch, value):
            other = call()
        if other.shape != first.shape or not _alike(first, other):
            return "it draws random numbers, which change its output"
    return ""


def _alike(first: Any, other: Any) -> bool:
    size = max(float(first.abs().max()), 1e-280)
    return float((first - other).abs().max()) <= SAME * size


def _numpy_state() -> tuple[Any, ...]:
    if "numpy.random" not in sys.modules:
        return ()
    kind, keys, *rest = np.random.get_state()
    return (kind, bytes(np.asarray(keys)), *rest)


@contextmanager
def _drawing(torch: Any, value: float) -> Iterator[None]:
    """Inside, every uniform number that torch draws is ``value``."""
    modes: Any = importlib.import_module("torch.utils._python_dispatch")
    drawing = {"aten::rand", "aten::rand_like", "aten::uniform", "aten::uniform_"}

    class Drawn(modes.TorchDispatchMode):  # type: ignore[misc]
        def __torch_dispatch__(
            self, func: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            found = func(*args, **(kwargs or {}))
            return found.fill_(value) if func._schema.name in drawing else found

    with Drawn():
        yield
