"""Derivatives of a function, computed without its own derivative rules.

The complex step is exact to rounding: f(x + i·h·v) has imaginary part h·Df(x)·v + O(h³), and h =
1e-200 makes the remainder vanish.  The function must consist of operations that are analytic in
complex arithmetic.
Source: W. Squire, G. Trapp, "Using complex variables to estimate derivatives of real functions",
    1998.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from numeric.ops import Array

__all__ = ["STEP", "complex_step", "taylor_remainder", "taylor_remainders"]

FloatArray = npt.NDArray[np.float64]
STEP = 1e-200
_EXPONENTS = range(6, 42, 3)


def complex_step(
    function: Callable[[Mapping[str, Array]], Array],
    inputs: Mapping[str, FloatArray],
    tangents: Mapping[str, FloatArray],
) -> FloatArray:
    """Df(inputs)·tangents, ``(B, *shape)``; inputs without a tangent stay fixed and real: values
    that depend on none of the others are computed as in a plain run."""
    shifted: dict[str, Array] = {
        name: value + 1j * STEP * tangents[name] if name in tangents else value
        for name, value in inputs.items()
    }
    return np.asarray(function(shifted).imag / STEP, dtype=np.float64)


def taylor_remainder(
    function: Callable[[Mapping[str, FloatArray]], FloatArray],
    inputs: Mapping[str, FloatArray],
    tangents: Mapping[str, FloatArray],
    derivative: FloatArray,
    scale: FloatArray,
) -> FloatArray:
    """The smallest ‖f(x + hv) − f(x − hv) − 2h·Dv‖ / 2h relative to ``scale``, over steps 2⁻⁶ to
    2⁻³⁹.

    For the true derivative it decreases as h² until rounding dominates; for a wrong one it stays at
    the error. A sanity check of the complex step on real arithmetic alone.

    Args:
        derivative: the claimed Df(x)·v, ``(B, *shape)``.
        scale: positive sizes of its entries, the same shape.

    Returns:
        ``(B,)``, the largest over the entries; infinite where no step gave a finite value.
    """
    steps = [2.0**-exponent for exponent in _EXPONENTS]
    best = np.full(derivative.shape[0], np.inf)
    for size in taylor_remainders(function, inputs, tangents, derivative, scale, steps):
        best = np.fmin(best, size)
    return best


def taylor_remainders(
    function: Callable[[Mapping[str, FloatArray]], FloatArray],
    inputs: Mapping[str, FloatArray],
    tangents: Mapping[str, FloatArray],
    derivative: FloatArray,
    scale: FloatArray,
    steps: Sequence[float],
) -> Iterator[FloatArray]:
    """For each step h the remainder, of which `taylor_remainder` takes the smallest, ``(B,)``;
    non-finite where the function is."""
    axes = tuple(range(1, derivative.ndim))
    for h in steps:
        with np.errstate(all="ignore"):
            ahead = function({n: x + h * tangents[n] for n, x in inputs.items()})
            behind = function({n: x - h * tangents[n] for n, x in inputs.items()})
            remainder = np.abs((ahead - behind) / (2 * h) - derivative) / scale
        yield np.asarray(remainder.max(axis=axes), dtype=np.float64)
