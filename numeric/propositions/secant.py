"""Zeros of functions of one number, a batch of them at a time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

__all__ = ["secant"]

FloatArray = npt.NDArray[np.float64]
STEPS = 14


def secant(slack: Callable[[FloatArray], FloatArray], count: int) -> tuple[FloatArray, FloatArray]:
    """The secant method from 0 and ½, for ``count`` functions at once.

    Args:
        slack: the functions' values at one argument each, shape ``(count,)``.
        count: the number of functions.

    Returns:
        The last argument of each, and its slope there.  Whether it is a zero is not checked.
    """
    before, after = np.zeros(count), np.full(count, 0.5)
    low, high = slack(before), slack(after)
    slope = (high - low) / (after - before)
    for _ in range(STEPS):
        change = high - low
        step = np.where(change != 0, high * (after - before) / change, 0.0)
        # An instance that has converged stays, regardless of the rest of the batch.
        away = np.isfinite(step) & (np.abs(step) > 1e-15 * np.abs(after))
        step = np.where(away, step, 0.0)
        if not away.any():
            break
        new = after - step
        slope = np.where(step != 0, change / (after - before), slope)
        low, before, after = high, after, new
        high = np.where(step != 0, slack(after), high)
    return after, slope
