"""Numbers for each instance: arrays ``(B, *shape)`` reduced to ``(B,)``, and broadcast back."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from numeric.ops import Array

__all__ = ["dot", "largest", "largest_everywhere", "spread", "total"]

FloatArray = npt.NDArray[np.float64]


def dot(a: Array, b: Array) -> FloatArray:
    """The inner product of two arrays ``(B, *shape)`` of each instance, ``(B,)``."""
    products: FloatArray = np.einsum("bi,bi->b", a.reshape(len(a), -1), b.reshape(len(b), -1))
    return products


def total(a: Array) -> FloatArray:
    """The sum of all entries of each instance, ``(B,)``."""
    sums: FloatArray = np.einsum("bi->b", a.reshape(len(a), -1))
    return sums


def largest(a: Array) -> FloatArray:
    """The largest entry of each instance, ``(B,)``."""
    return np.asarray(a.reshape(len(a), -1).max(axis=1), dtype=np.float64)


def spread(value: FloatArray, like: Array) -> FloatArray:
    """A number for each instance, ``(B,)``, repeated to the shape of ``like``."""
    return np.broadcast_to(value.reshape(-1, *(1 for _ in like.shape[1:])), like.shape)


def largest_everywhere(a: Array) -> FloatArray:
    """The largest entry of each instance, repeated for every entry, ``(B, *shape)``."""
    return spread(largest(a), a)
