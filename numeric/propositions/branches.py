"""Instances at the boundaries of a conclusion's branches, next to them, and between two.

A statement that is false only in a thin wedge, such as between ``x ≤ δ`` and ``x < δ + 1/1000``, is
refuted only there.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from numeric.propositions.layout import Layout
from numeric.propositions.problem import Problem
from numeric.propositions.secant import secant
from numeric.streams import Streams

__all__ = ["between_branches"]

FloatArray = npt.NDArray[np.float64]
MOST = 4
"""The number of comparisons that are solved for each instance."""
MANY = 64
"""With this many comparisons, they come from the samples of a quantifier, not from branches."""
WAYS = ("entry", "all", "scaled")
"""What changes: one entry of an array, all of them by one number, or all by one factor."""


def between_branches(
    problem: Problem, layout: Layout, arrays: Sequence[FloatArray], streams: Streams
) -> list[FloatArray]:
    """Move each instance along one line, to where comparisons of the conclusion become equalities.

    A quarter of the instances stop there, half of them a little before or after, and a quarter
    between two neighbouring ones.  Where nothing can be solved, an instance does not change.

    Args:
        problem: the theorem.
        layout: of the instances.
        arrays: one ``(B, *shape)`` for each slot.
        streams: of the instances.
    """
    slots = [i for i, s in enumerate(layout.slots) if 0 not in s.shape]
    count = len(streams)
    number = len(problem.comparisons(layout.env(arrays), count))
    found = list(arrays)
    if not slots or not 0 < number <= MANY:
        return found
    ways = [
        (slot, way) for slot in slots for way in WAYS if way == "entry" or arrays[slot].ndim > 1
    ]
    picked = streams.child("way").below(len(ways))
    for position, (slot, way) in enumerate(ways):
        rows = picked == position
        if rows.any():
            base = arrays[slot]
            line = _direction(way, base, streams)
            t = _stop(problem, layout, arrays, slot, line, number, streams)
            shape = (-1, *(1 for _ in base.shape[1:]))
            moved = base + np.where(rows & np.isfinite(t), t, 0.0).reshape(shape) * line
            found[slot] = np.where(rows.reshape(shape), moved, found[slot])
    return found


def _direction(way: str, base: FloatArray, streams: Streams) -> FloatArray:
    if way == "scaled":
        return base
    line = np.ones_like(base)
    if way == "entry" and base.ndim > 1:
        flat = np.zeros((len(base), base[0].size))
        flat[np.arange(len(base)), streams.child("entry").below(base[0].size)] = 1.0
        line = flat.reshape(base.shape)
    return line


def _stop(
    problem: Problem,
    layout: Layout,
    arrays: Sequence[FloatArray],
    slot: int,
    line: FloatArray,
    number: int,
    streams: Streams,
) -> FloatArray:
    """How far each instance goes along its line; NaN where no comparison could be solved."""
    count = len(streams)
    shape = (-1, *(1 for _ in line.shape[1:]))
    first = streams.child("comparison").below(number)
    solved = []
    for more in range(min(MOST, number)):
        which = (first + more) % number

        def slack(t: FloatArray, which: npt.NDArray[np.int64] = which) -> FloatArray:
            here = list(arrays)
            here[slot] = arrays[slot] + t.reshape(shape) * line
            every = problem.comparisons(layout.env(here), count)
            if len(every) != number:
                return np.full(count, np.nan)
            return np.asarray(np.stack(every)[which, np.arange(count)])

        t, slope = secant(slack, count)
        near = np.abs(slack(t)) <= 1e-9 * np.abs(slope) * np.maximum(1.0, np.abs(t))
        solved.append(np.where(near & (slope != 0), t, np.nan))
    # Boundaries in order; those that were not found come last.
    every = np.sort(np.stack(solved), axis=0)
    known = np.sum(np.isfinite(every), axis=0)
    pick = np.floor(streams.child("which").uniform() * np.maximum(known, 1)).astype(np.int64)
    rows = np.arange(count)
    here = every[pick, rows]
    following = every[np.minimum(pick + 1, len(every) - 1), rows]
    off = streams.child("off").log_uniform(-9.0, -1.0) * np.maximum(1.0, np.abs(here))
    half = np.where(np.isfinite(following), (here + following) / 2, here + off)
    how = streams.child("how").below(4)
    return np.asarray(np.choose(how, [here, here - off, here + off, half]))
