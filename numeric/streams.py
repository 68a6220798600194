"""Random numbers that depend only on their name.

A `Streams` holds one 64-bit key per instance.  Every draw is a hash of key, label and position (the
SplitMix64 generator, indexed by a counter), so a whole batch is drawn at once and instance i gets
the same numbers whatever else is in the batch, in which order, and on which machine the work runs.

Source: G. L. Steele, D. Lea, C. H. Flood, "Fast splittable pseudorandom number generators", OOPSLA
    2014.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import prod

import numpy as np
import numpy.typing as npt

from numeric.ops import Shape

__all__ = ["Streams"]

FloatArray = npt.NDArray[np.float64]
_Keys = npt.NDArray[np.uint64]
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def _mix(z: _Keys) -> _Keys:
    """SplitMix64's finalizer: a bijection in which every input bit moves every output bit."""
    z = z ^ (z >> np.uint64(30))
    z *= np.uint64(0xBF58476D1CE4E5B9)
    z ^= z >> np.uint64(27)
    z *= np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    return z


@cache
def _hash(*labels: str | int) -> np.uint64:
    text = "\0".join(f"{type(label).__name__}:{label}" for label in labels)
    return np.uint64(
        int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")
    )


@dataclass(frozen=True, slots=True)
class Streams:
    """One stream of random numbers per instance.

    Two draws from one `Streams` are equal; draw from `child` streams with different labels for
    different numbers.
    """

    keys: _Keys

    @classmethod
    def of(
        cls, seed: int, key: str, family: str, indices: Sequence[int] | npt.NDArray[np.int64]
    ) -> Streams:
        """The streams of the instances ``indices`` of one family, for the purpose ``key``."""
        root = _hash(seed, key, family)
        counters = np.asarray(indices, dtype=np.uint64) + np.uint64(1)
        return cls(_mix(_mix(root + counters * _GOLDEN)))

    def __len__(self) -> int:
        return len(self.keys)

    def child(self, *labels: str | int) -> Streams:
        """Independent streams under a label."""
        return Streams(_mix(self.keys ^ _hash(*labels)))

    def take(self, indices: npt.NDArray[np.int64]) -> Streams:
        """The streams of some of the instances."""
        return Streams(self.keys[indices])

    def _bits(self, count: int) -> _Keys:
        counters = np.arange(1, count + 1, dtype=np.uint64) * _GOLDEN
        return _mix(self.keys[:, None] + counters)

    def uniform(self, shape: Shape = (), low: float = 0.0, high: float = 1.0) -> FloatArray:
        """Uniform on [low, high), shape ``(B, *shape)``."""
        bits = self._bits(prod(shape))
        bits >>= np.uint64(11)
        unit = bits.astype(np.float64)
        unit *= 2.0**-53
        unit *= high - low
        unit += low
        return unit.reshape(len(self), *shape)

    def log_uniform(self, low: float, high: float, shape: Shape = ()) -> FloatArray:
        """Ten to the power of a uniform between the decimal exponents ``low`` and ``high``."""
        return np.asarray(10.0 ** self.uniform(shape, low, high), dtype=np.float64)

    def normal(self, shape: Shape = ()) -> FloatArray:
        """Standard normal by Box and Muller, shape ``(B, *shape)``."""
        count = prod(shape)
        half = (count + 1) // 2
        unit = self.uniform((2 * half,))
        radius = np.sqrt(-2.0 * np.log1p(-unit[:, :half]))
        angle = 2.0 * np.pi * unit[:, half:]
        both = np.concatenate([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
        return np.ascontiguousarray(both[:, :count]).reshape(len(self), *shape)

    def directions(self, shape: Shape = ()) -> FloatArray:
        """Directions to differentiate along: uniform on [−1, 1), two from each hash, at a tenth of
        the cost of a normal."""
        count = prod(shape)
        halves = self._bits((count + 1) // 2).view(np.int32)[:, :count]
        unit = halves.astype(np.float64)
        unit *= 2.0**-31
        return unit.reshape(len(self), *shape)

    def signs(self, shape: Shape = ()) -> FloatArray:
        """−1 or 1 with equal probability, shape ``(B, *shape)``."""
        bits = self._bits(prod(shape)) >> np.uint64(63)
        return (1.0 - 2.0 * bits.astype(np.float64)).reshape(len(self), *shape)

    def coins(self, shape: Shape, *labels: str | int) -> npt.NDArray[np.uint8]:
        """0 or 1 with equal probability under a label, shape ``(B, *shape)``: 64 from each hash,
        for when many are needed for many labels."""
        count = prod(shape)
        hashes = Streams(self.keys ^ _hash(*labels))._bits((count + 63) // 64)
        bits = np.unpackbits(hashes.view(np.uint8), axis=1)
        return bits[:, :count].reshape(len(self), *shape)

    def below(self, bound: int) -> npt.NDArray[np.int64]:
        """An integer from 0 to ``bound`` − 1 for each instance, shape ``(B,)``."""
        return np.floor(self.uniform() * bound).astype(np.int64)
