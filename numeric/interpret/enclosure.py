"""How far the values of a run can be from those of exact arithmetic: rigorous radii.

The instance's inputs and constants are assumed exact.  Each value then is a ball: the computed
number, and a radius that the exact number lies within.  Exact values stay exact: adding 0, or
multiplying by it, has radius 0.  The rule of each operation is with the operation (`numeric.ops`).
For the assumptions about the platform see `numeric.arithmetic.rounding`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from numeric.arithmetic.rounding import UP, standard_arithmetic
from numeric.errors import EvaluationError
from numeric.interpret.interpreter import Trace
from numeric.ops import OPS

__all__ = ["radii"]

FloatArray = npt.NDArray[np.float64]


def radii(trace: Trace, upto: int | None = None) -> tuple[FloatArray, ...]:
    """The radius of every value of a run, ``(B, *shape)`` each, in the graph's order.

    Args:
        trace: a run in float64, without perturbation.
        upto: the index of the last value to enclose; all of them if None.

    Returns:
        Infinite where nothing is known: after a division by a value that may be 0, or an overflow.

    Raises:
        EvaluationError: the run is complex.
    """
    graph = trace.graph
    count = len(graph.inputs)
    last = len(trace.values) - 1 if upto is None else upto
    values: list[FloatArray] = []
    for value in trace.values[: last + 1]:
        if np.iscomplexobj(value):
            raise EvaluationError("expected a run in real numbers but got complex128")
        values.append(np.asarray(value, dtype=np.float64))
    standard_arithmetic()
    found = [np.zeros(v.shape) for v in values[:count]]
    with np.errstate(all="ignore"):
        for position, node in enumerate(graph.nodes[: max(last + 1 - count, 0)]):
            balls = tuple((values[a], found[a]) for a in node.args)
            value = values[count + position]
            radius = OPS[node.op].radius(balls, value, trace.bindings[position]) * UP
            found.append(np.where(np.isfinite(value) & ~np.isnan(radius), radius, np.inf))
    return tuple(found)
