"""The array functions that the rules of operations use, and numpy's implementation.

A rule is written once, over the `Arrays` that its binding carries: it then runs on numpy, and on
every backend that provides these functions (`numeric.backends`).  Operators and methods of arrays,
``+ − * / @``, comparisons, ``reshape``, ``shape`` and indexing by slices, are not among them.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from math import prod
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["NUMPY", "Array", "Arrays", "Index", "Shape", "placed"]

Array: TypeAlias = npt.NDArray[Any]
"""float64, or complex128 under the complex step; of another library if its `Arrays` made it."""
Index: TypeAlias = npt.NDArray[np.intp]
Shape: TypeAlias = tuple[int, ...]


class Arrays(ABC):
    """The functions of arrays that a rule may use; every axis counts the batch axis."""

    writes = True
    """Whether arrays may be overwritten in place."""
    decides = True
    """Whether numbers can be inspected during a run; not if runs are compiled."""

    @abstractmethod
    def asarray(self, x: Any) -> Array:
        """From a numpy array or a number, in the same precision."""

    @abstractmethod
    def numpy(self, x: Array) -> Array:
        """The same numbers as a numpy array."""

    @abstractmethod
    def empty(self, shape: Shape) -> Array:
        """An array of float64 whose entries may be anything."""

    @abstractmethod
    def zeros(self, shape: Shape) -> Array:
        """An array of float64."""

    @abstractmethod
    def zeros_like(self, x: Array) -> Array:
        """Of the same shape and precision."""

    @abstractmethod
    def absolute(self, x: Array) -> Array:
        """|x|."""

    @abstractmethod
    def exp(self, x: Array) -> Array:
        """eˣ."""

    @abstractmethod
    def log(self, x: Array) -> Array:
        """The natural logarithm."""

    @abstractmethod
    def sqrt(self, x: Array) -> Array:
        """The square root."""

    @abstractmethod
    def tanh(self, x: Array) -> Array:
        """The hyperbolic tangent."""

    @abstractmethod
    def cosh(self, x: Array) -> Array:
        """The hyperbolic cosine."""

    @abstractmethod
    def erfc(self, x: Array) -> Array:
        """1 − erf(x) of real numbers, without the cancellation."""

    @abstractmethod
    def minimum(self, x: Array, bound: float) -> Array:
        """The lesser of each entry and a number; NaN where it is."""

    @abstractmethod
    def where(self, condition: Array, yes: Array | float, no: Array | float) -> Array:
        """One or the other, entry by entry."""

    def is_complex(self, x: Array) -> bool:
        """Whether it is complex128, as numpy's alone may be."""
        return False

    def quotient(self, numerator: float, x: Array) -> Array:
        """numerator / x, and 0 where x = 0."""
        there = x != 0
        return self.where(there, numerator / self.where(there, x, 1.0), 0.0)

    @abstractmethod
    def sum(self, x: Array, axis: int) -> Array:
        """The sum along an axis, in an order that does not depend on other axes; real numbers."""

    @abstractmethod
    def repeat(self, x: Array, axis: int, shape: Shape) -> Array:
        """With a new axis, along which it repeats to ``shape``; may share memory with itself."""

    @abstractmethod
    def full(self, x: Array) -> Array:
        """The same with memory of its own for every entry."""

    @abstractmethod
    def permute(self, x: Array, perm: tuple[int, ...]) -> Array:
        """Axis i of the result is axis perm[i]."""

    def swapped(self, x: Array) -> Array:
        """With the last two axes swapped; no conjugate."""
        return self.permute(x, (*range(len(x.shape) - 2), len(x.shape) - 1, len(x.shape) - 2))

    @abstractmethod
    def placed(self, x: Array, axis: int, index: Index) -> Array:
        """Entry index[k] of ``axis`` at place k, and 0 where index[k] = −1."""

    @abstractmethod
    def gathered(self, s: Array, axis: int, index: Index, shape: Shape) -> Array:
        """The transpose of `placed`, of ``shape``: entries read from several places are summed."""

    @abstractmethod
    def times(self, tangents: Array, matrix: Array) -> Array:
        """Stacked tangents ``(k, B, …, m, n)`` times matrices ``(B, …, n, p)``."""

    @abstractmethod
    def stack(self, parts: Sequence[Array]) -> Array:
        """In front, along a new axis."""

    @abstractmethod
    def concatenate(self, parts: Sequence[Array]) -> Array:
        """Along the first axis."""

    @abstractmethod
    def owned(self, x: Array, before: Array) -> bool:
        """Whether ``x``, made from ``before``, may be overwritten: its memory is not shared."""

    @abstractmethod
    def dot(self, a: Array, b: Array) -> Array:
        """The inner product of two arrays ``(B, *shape)`` of each instance, ``(B,)``."""

    @abstractmethod
    def total(self, x: Array) -> Array:
        """The sum of all entries of each instance, ``(B,)``."""

    @abstractmethod
    def all_finite(self, x: Array) -> Array:
        """Whether all entries of each instance are finite, ``(B,)``."""

    @abstractmethod
    def least(self, x: Array) -> Array:
        """The least entry of each instance, ``(B,)``."""


SMALL = 1 << 15
"""The number of entries that are copied in less time than numpy takes to make a view."""
_ERFC = np.frompyfunc(math.erfc, 1, 1)


def placed(x: Array, axis: int, index: Index) -> Array:
    """Entry index[k] of ``axis`` at place k, and 0 where index[k] = −1; ``x`` may hold objects."""
    taken: Array = np.take(x, np.maximum(index, 0), axis=axis)
    taken[(*_before(axis), index < 0)] = 0
    return taken


def _before(axis: int) -> tuple[Any, ...]:
    """All of the axes in front of one."""
    return (slice(None),) * axis


class _Numpy(Arrays):
    """Numpy arrays, real or complex."""

    def asarray(self, x: Any) -> Array:
        return np.asarray(x)

    def numpy(self, x: Array) -> Array:
        return x

    def empty(self, shape: Shape) -> Array:
        return np.empty(shape)

    def zeros(self, shape: Shape) -> Array:
        return np.zeros(shape)

    def zeros_like(self, x: Array) -> Array:
        return np.zeros_like(x)

    def absolute(self, x: Array) -> Array:
        return np.abs(x)

    def exp(self, x: Array) -> Array:
        found: Array = np.exp(x)
        return found

    def log(self, x: Array) -> Array:
        found: Array = np.log(x)
        return found

    def sqrt(self, x: Array) -> Array:
        found: Array = np.sqrt(x)
        return found

    def tanh(self, x: Array) -> Array:
        found: Array = np.tanh(x)
        return found

    def cosh(self, x: Array) -> Array:
        found: Array = np.cosh(x)
        return found

    def erfc(self, x: Array) -> Array:
        return np.asarray(_ERFC(x), dtype=np.float64)

    def minimum(self, x: Array, bound: float) -> Array:
        found: Array = np.minimum(x, bound)
        return found

    def where(self, condition: Array, yes: Array | float, no: Array | float) -> Array:
        return np.where(condition, yes, no)

    def is_complex(self, x: Array) -> bool:
        return np.iscomplexobj(x)

    def quotient(self, numerator: float, x: Array) -> Array:
        found: Array = np.divide(numerator, x, out=np.zeros_like(x), where=x != 0)
        return found

    def sum(self, x: Array, axis: int) -> Array:
        """einsum adds along a short axis several times as fast as ``sum``."""
        axes = list(range(x.ndim))
        found: Array = np.einsum(x, axes, axes[:axis] + axes[axis + 1 :])
        return found

    def repeat(self, x: Array, axis: int, shape: Shape) -> Array:
        one: Array = x[(*_before(axis), None)]
        if prod(shape) > SMALL:
            return np.broadcast_to(one, shape)
        copied: Array = np.empty(shape, x.dtype)  # for few entries, faster than a view
        copied[...] = one
        return copied

    def full(self, x: Array) -> Array:
        return np.ascontiguousarray(x)

    def permute(self, x: Array, perm: tuple[int, ...]) -> Array:
        return np.transpose(x, perm)

    def swapped(self, x: Array) -> Array:
        return np.swapaxes(x, -1, -2)

    def placed(self, x: Array, axis: int, index: Index) -> Array:
        return placed(x, axis, index)

    def gathered(self, s: Array, axis: int, index: Index, shape: Shape) -> Array:
        found: Array = np.zeros(shape, dtype=s.dtype)
        before, there = _before(axis), index >= 0
        entries, index = s[(*before, there)], index[there]
        if len(np.unique(index)) == len(index):
            found[(*before, index)] = entries
        else:
            np.add.at(found, (*before, index), entries)
        return found

    def times(self, tangents: Array, matrix: Array) -> Array:
        product: Array = tangents @ matrix
        return product

    def stack(self, parts: Sequence[Array]) -> Array:
        return np.stack(parts)

    def concatenate(self, parts: Sequence[Array]) -> Array:
        return np.concatenate(parts)

    def owned(self, x: Array, before: Array) -> bool:
        return x is not before and x.base is None

    def dot(self, a: Array, b: Array) -> Array:
        found: Array = np.einsum("bi,bi->b", a.reshape(len(a), -1), b.reshape(len(b), -1))
        return found

    def total(self, x: Array) -> Array:
        found: Array = np.einsum("bi->b", x.reshape(len(x), -1))
        return found

    def all_finite(self, x: Array) -> Array:
        return np.asarray(np.isfinite(x).reshape(len(x), -1).all(axis=1))

    def least(self, x: Array) -> Array:
        found: Array = x.reshape(len(x), -1).min(axis=1)
        return found


NUMPY: Arrays = _Numpy()
"""The default."""
