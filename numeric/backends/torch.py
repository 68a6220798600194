"""Graphs run by torch, in float64, on any device.

On the CPU tensors share memory with numpy's arrays.  Operations run one by one, as numpy's do.
torch is imported when this backend is created, not before.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from numeric.backends.backend import Backend, mapped
from numeric.ops.arrays import Array, Arrays, Index, Shape

__all__ = ["TorchBackend"]


class TorchBackend(Backend):
    """torch on a device.

    Args:
        device: as torch names it, such as ``cuda:1``; if empty, the first CUDA device, else the
            CPU.

    Raises:
        ImportError: torch is not installed.
        ValueError: there is no such device, or it has no float64.
    """

    def __init__(self, device: str = "") -> None:
        super().__init__()
        self._torch: Any = importlib.import_module("torch")
        chosen = device or ("cuda" if self._torch.cuda.is_available() else "cpu")
        try:
            self._torch.zeros(1, dtype=self._torch.float64, device=chosen)
        except (RuntimeError, AssertionError, TypeError, NotImplementedError) as error:
            raise ValueError(str(error).partition("\n")[0]) from error
        self._device = chosen
        self.spec = f"torch:{chosen}"
        self.arrays = _TorchArrays(self._torch, chosen)

    def describe(self) -> str:
        """Such as ``torch 2.13.0 on cpu``."""
        return f"torch {self._torch.__version__} on {self._device}"

    def compiled(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Nothing is compiled; no graph of torch's own is recorded."""

        def run(*arrays: Any) -> Any:
            with self._torch.inference_mode():
                found = function(*mapped(self.arrays.asarray, arrays))
                return mapped(self.arrays.numpy, found)

        return run


class _TorchArrays(Arrays):
    """Tensors, which the rules treat as arrays."""

    def __init__(self, torch: Any, device: str) -> None:
        self._torch = torch
        self._device = device
        self._like = {"dtype": torch.float64, "device": device}

    def asarray(self, x: Any) -> Any:
        found: Any = self._torch.as_tensor(
            np.require(x, np.float64, ["C", "W"]), device=self._device
        )
        return found

    def numpy(self, x: Array) -> Any:
        tensor: Any = x
        found: Any = tensor.cpu().numpy()
        return found

    def empty(self, shape: Shape) -> Any:
        return self._torch.empty(shape, **self._like)

    def zeros(self, shape: Shape) -> Any:
        return self._torch.zeros(shape, **self._like)

    def zeros_like(self, x: Array) -> Any:
        return self._torch.zeros_like(x)

    def absolute(self, x: Array) -> Any:
        return self._torch.abs(x)

    def exp(self, x: Array) -> Any:
        return self._torch.exp(x)

    def log(self, x: Array) -> Any:
        return self._torch.log(x)

    def sqrt(self, x: Array) -> Any:
        return self._torch.sqrt(x)

    def tanh(self, x: Array) -> Any:
        return self._torch.tanh(x)

    def cosh(self, x: Array) -> Any:
        return self._torch.cosh(x)

    def erfc(self, x: Array) -> Any:
        return self._torch.erfc(x)

    def minimum(self, x: Array, bound: float) -> Any:
        return self._torch.clamp(x, max=bound)

    def where(self, condition: Array, yes: Array | float, no: Array | float) -> Any:
        return self._torch.where(condition, yes, no)

    def sum(self, x: Array, axis: int) -> Any:
        return self._torch.sum(x, axis)

    def repeat(self, x: Array, axis: int, shape: Shape) -> Any:
        return self._torch.unsqueeze(x, axis).expand(shape)

    def full(self, x: Array) -> Any:
        tensor: Any = x
        return tensor.contiguous()

    def permute(self, x: Array, perm: tuple[int, ...]) -> Any:
        return self._torch.permute(x, perm)

    def placed(self, x: Array, axis: int, index: Index) -> Any:
        where = self._torch.as_tensor(np.maximum(index, 0), device=self._device)
        taken = self._torch.index_select(x, axis, where)
        if (index < 0).any():
            there = self._torch.as_tensor(index >= 0, device=self._device)
            shape = [-1 if i == axis else 1 for i in range(len(x.shape))]
            taken = self._torch.where(there.reshape(shape), taken, 0.0)
        return taken

    def gathered(self, s: Array, axis: int, index: Index, shape: Shape) -> Any:
        there = np.flatnonzero(index >= 0)
        read = self._torch.as_tensor(there, device=self._device)
        into = self._torch.as_tensor(index[there], device=self._device)
        entries = self._torch.index_select(s, axis, read)
        found: Any = self.zeros(shape)
        return found.index_add_(axis, into, entries)

    def times(self, tangents: Array, matrix: Array) -> Any:
        """As one product for all directions: broadcasting would copy the matrix for each."""
        t: Any = tangents
        k, m = t.shape[0], t.shape[-2]
        if k == 1:
            return (t[0] @ matrix)[None]
        rows = t.movedim(0, -3)  # (B, …, k, m, n)
        flat = rows.reshape(*rows.shape[:-3], k * m, t.shape[-1])
        product: Any = flat @ matrix
        return product.reshape(*rows.shape[:-1], matrix.shape[-1]).movedim(-3, 0)

    def stack(self, parts: Sequence[Array]) -> Any:
        return self._torch.stack(tuple(parts))

    def concatenate(self, parts: Sequence[Array]) -> Any:
        return self._torch.cat(tuple(parts))

    def owned(self, x: Array, before: Array) -> bool:
        new: Any = x
        old: Any = before
        return bool(new.untyped_storage().data_ptr() != old.untyped_storage().data_ptr())

    def dot(self, a: Array, b: Array) -> Any:
        return self._torch.einsum("bi,bi->b", a.reshape(len(a), -1), b.reshape(len(b), -1))

    def total(self, x: Array) -> Any:
        return self._torch.sum(x.reshape(len(x), -1), 1)

    def all_finite(self, x: Array) -> Any:
        return self._torch.isfinite(x).reshape(len(x), -1).all(1)

    def least(self, x: Array) -> Any:
        return self._torch.amin(x.reshape(len(x), -1), 1)
