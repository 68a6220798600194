"""A lower bound of a saved tensor in a box around each instance, by ball arithmetic."""

from __future__ import annotations

import numpy as np

from numeric.instances.case import Case
from numeric.interpret.balls import FloatArray, enclose

__all__ = ["least"]


def least(case: Case, radius: float, *, tensor: str) -> FloatArray:
    """A lower bound for every entry of the saved tensor ``tensor``, in the box around each
    instance, ``(B,)``; above 0 exactly where all entries are shown to be.  −∞ where nothing is
    known."""
    graph = case.program.graph
    found = np.empty(len(case))
    for row in range(len(case)):
        ball = enclose(
            graph,
            {name: value[row] for name, value in case.batch.inputs.items()},
            {name: float(value[row]) for name, value in case.constants.items()},
            radius,
            tensor,
        )
        low = ball.least()
        # A positive bound below the smallest float is still positive.
        found[row] = max(low, np.nextafter(0.0, 1.0)) if ball.positive else min(low, 0.0)
    return found
