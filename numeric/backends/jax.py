"""Graphs run by JAX: compiled as a whole, in float64.

Each question about each graph is compiled once, for a whole chunk of instances, which takes
seconds: it pays only for many instances.  JAX is imported when this backend is created, and
switched to 64 bits.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from numeric.backends.backend import Backend, mapped
from numeric.graph import Graph
from numeric.interpret.chunks import chunk_of
from numeric.ops.arrays import Array, Arrays, Index, Shape

__all__ = ["JaxBackend"]


class JaxBackend(Backend):
    """JAX on a device.

    Args:
        device: a platform as JAX names it, such as ``cuda``; JAX's own choice where it is empty.

    Raises:
        ImportError: JAX is not installed.
        ValueError: there is no such platform.
    """

    pads = True

    def __init__(self, device: str = "") -> None:
        super().__init__()
        self._jax: Any = importlib.import_module("jax")
        self._jax.config.update("jax_enable_x64", True)
        try:
            self._device: Any = self._jax.devices(device or None)[0]
        except RuntimeError as error:
            raise ValueError(str(error).partition("\n")[0]) from error
        self.spec = f"jax:{self._device.platform}"
        self.arrays = _JaxArrays()

    def describe(self) -> str:
        """Such as ``jax 0.10.2 on cpu``."""
        return f"jax {self._jax.__version__} on {self._device.platform}"

    def takes(self, graph: Graph, instances: int) -> bool:
        """At least half a chunk: compiling for fewer does not pay."""
        return 2 * instances >= chunk_of(graph)

    def compiled(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Compiled at the first call, for arrays in the same dicts and lists."""
        order: list[Any] = []

        def flat(*leaves: Any) -> Any:
            return function(*mapped(lambda place: leaves[place], order[0]))

        jitted = self._jax.jit(flat)

        def run(*arrays: Any) -> Any:
            # JAX sorts the keys of a dict, which would reorder directions.
            leaves: list[Any] = []

            def place(leaf: Any) -> int:
                leaves.append(leaf)
                return len(leaves) - 1

            order[:] = [mapped(place, arrays)]
            with self._jax.default_device(self._device):
                return self._jax.tree.map(np.asarray, jitted(*leaves))

        return run


class _JaxArrays(Arrays):
    """JAX arrays, or tracers while a program is compiled."""

    writes = False
    decides = False

    def __init__(self) -> None:
        self._jnp: Any = importlib.import_module("jax.numpy")
        self._special: Any = importlib.import_module("jax.scipy.special")

    def asarray(self, x: Any) -> Any:
        """A numpy array: a constant of the program."""
        return np.asarray(x, dtype=np.float64)

    def numpy(self, x: Array) -> Any:
        return np.asarray(x)

    def empty(self, shape: Shape) -> Any:
        return self.zeros(shape)

    def zeros(self, shape: Shape) -> Any:
        return self._jnp.zeros(shape)

    def zeros_like(self, x: Array) -> Any:
        return self._jnp.zeros_like(x)

    def absolute(self, x: Array) -> Any:
        return self._jnp.abs(x)

    def exp(self, x: Array) -> Any:
        return self._jnp.exp(x)

    def log(self, x: Array) -> Any:
        return self._jnp.log(x)

    def sqrt(self, x: Array) -> Any:
        return self._jnp.sqrt(x)

    def tanh(self, x: Array) -> Any:
        return self._jnp.tanh(x)

    def cosh(self, x: Array) -> Any:
        return self._jnp.cosh(x)

    def erfc(self, x: Array) -> Any:
        return self._special.erfc(x)

    def minimum(self, x: Array, bound: float) -> Any:
        return self._jnp.minimum(x, bound)

    def where(self, condition: Array, yes: Array | float, no: Array | float) -> Any:
        return self._jnp.where(condition, yes, no)

    def sum(self, x: Array, axis: int) -> Any:
        return self._jnp.sum(x, axis)

    def repeat(self, x: Array, axis: int, shape: Shape) -> Any:
        return self._jnp.broadcast_to(self._jnp.expand_dims(x, axis), shape)

    def full(self, x: Array) -> Any:
        return x

    def permute(self, x: Array, perm: tuple[int, ...]) -> Any:
        return self._jnp.transpose(x, perm)

    def placed(self, x: Array, axis: int, index: Index) -> Any:
        taken = self._jnp.take(x, np.maximum(index, 0), axis=axis)
        shape = [-1 if i == axis else 1 for i in range(len(x.shape))]
        return self.where((index >= 0).reshape(shape), taken, 0.0)

    def gathered(self, s: Array, axis: int, index: Index, shape: Shape) -> Any:
        there = np.flatnonzero(index >= 0)
        entries = self._jnp.take(s, there, axis=axis)
        into = (*(slice(None) for _ in range(axis)), index[there])
        return self._jnp.zeros(shape).at[into].add(entries)

    def times(self, tangents: Array, matrix: Array) -> Any:
        return self._jnp.matmul(tangents, matrix)

    def stack(self, parts: Sequence[Array]) -> Any:
        return self._jnp.stack(parts)

    def concatenate(self, parts: Sequence[Array]) -> Any:
        return self._jnp.concatenate(parts)

    def owned(self, x: Array, before: Array) -> bool:
        return False

    def dot(self, a: Array, b: Array) -> Any:
        return self._jnp.sum((a * b).reshape(len(a), -1), 1)

    def total(self, x: Array) -> Any:
        return self._jnp.sum(x.reshape(len(x), -1), 1)

    def all_finite(self, x: Array) -> Any:
        return self._jnp.isfinite(x).reshape(len(x), -1).all(1)

    def least(self, x: Array) -> Any:
        return x.reshape(len(x), -1).min(1)
