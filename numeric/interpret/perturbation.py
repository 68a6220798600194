"""Noise added to a run: the result of every operation moved by a unit in the last place."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from numeric.ops import Array, Binding, Op
from numeric.streams import Streams

__all__ = ["Perturbation", "moved"]

FloatArray = npt.NDArray[np.float64]
_SIGNS = np.array([-1.0, 1.0])


@dataclass(frozen=True, slots=True)
class Perturbation:
    """Moves the result of every operation by ± one unit in the last place of its terms.

    The distance between two such runs is the noise of a computation: the possible effect of its
    rounding errors.  ``unit`` is that of float64; with another one the noise is that of a shorter
    float.  ``known`` caches the random signs, since many graphs run on the same instances.
    """

    streams: Streams
    unit: float = 2.0**-52
    known: dict[object, npt.NDArray[np.uint8]] | None = field(
        default=None, repr=False, compare=False
    )

    def shift(self, terms: Array, *label: str | int) -> FloatArray:
        """± ulp · terms, with an independent sign for every entry.  ``terms`` has shape ``(B,
        *s)``."""
        copies = terms.shape[0] // len(self.streams)
        shape = (copies, *terms.shape[1:])
        coins = None if self.known is None else self.known.get((shape, label))
        if coins is None:
            coins = self.streams.coins(shape, *label)
            if self.known is not None:
                self.known[shape, label] = coins
        # Directions are stacked in front of the batch axis: copy k of instance i is row k·B + i.
        ulps = _SIGNS[coins.swapaxes(0, 1).reshape(terms.shape)]
        ulps *= terms * self.unit
        return ulps


def moved(
    op: Op, args: tuple[Array, ...], out: Array, binding: Binding, by: Perturbation, position: int
) -> Array:
    """The result, moved by ± an ulp of its terms; its imaginary part by ± an ulp of the tangent's
    terms."""
    if op.terms is None:
        return out
    real_args = tuple(a.real for a in args)
    shift = by.shift(op.terms(real_args, out.real, binding), "value", position)
    real: Array = out.real + shift
    if not np.iscomplexobj(out):
        return real
    sizes = tuple(np.abs(a) for a in real_args)
    terms = sum(
        np.abs(p.push(sizes, out.real, binding, np.abs(a.imag)))
        for p, a in zip(op.partials, args, strict=True)
    )
    tilt = by.shift(np.asarray(terms), "tangent", position)
    both: Array = real + 1j * (out.imag + tilt)
    return both
