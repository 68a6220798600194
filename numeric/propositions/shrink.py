"""Shrinking a counterexample: fewer and simpler numbers on which the statement still fails."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from numeric.propositions.constants import TermError
from numeric.propositions.draw import Batch
from numeric.propositions.layout import Impossible, Layout, laid_out
from numeric.propositions.problem import Problem
from numeric.propositions.trial import judged_batch

__all__ = ["described", "smallest"]

FloatArray = npt.NDArray[np.float64]
TRIES = 400
"""The number of simpler instances that are tried."""


def described(layout: Layout, arrays: Sequence[FloatArray]) -> str:
    """An instance in words: ``n = 2, x = [1, -0.5]``."""
    sizes = [
        f"{place} = {layout.words[place][value] if place in layout.words else value}"
        for place, value in layout.choices
    ]
    return ", ".join(
        [*sizes, *(f"{s.name} = {_text(a[0])}" for s, a in zip(layout.slots, arrays, strict=True))]
    )


def _text(x: FloatArray) -> str:
    if x.ndim:
        return "[" + ", ".join(_text(y) for y in x) + "]"
    value = float(x)
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def smallest(problem: Problem, batch: Batch) -> Batch:
    """The simplest instance found below the first one of ``batch``, which fails.

    Sizes are made smaller, entries replaced by 0, 1, −1 and by rounder numbers, as long as every
    hypothesis holds and the conclusion is false.
    """
    best = batch.take(np.array([0]))
    left = TRIES
    changed = True
    while changed and left > 0:
        changed = False
        for simpler in _simpler(problem, best):
            left -= 1
            if left <= 0:
                break
            if _fails(problem, simpler):
                best, changed = simpler, True
                break
    return best


def _fails(problem: Problem, batch: Batch) -> bool:
    try:
        return bool(judged_batch(problem, batch).failing.any())
    except TermError:
        return False


def _simpler(problem: Problem, batch: Batch) -> Iterator[Batch]:
    layout = batch.layout
    assert layout is not None
    yield from _smaller(problem, batch, layout)
    for position, array in enumerate(batch.arrays):
        whole = (array * 0, array * 0 + 1)
        if array[0].ndim:
            for x in whole:
                if not np.array_equal(x, array):
                    yield _with(batch, position, x)
        for place in np.ndindex(array.shape[1:]):
            at = (0, *place)
            for value in _rounder(float(array[at])):
                x = array.copy()
                x[at] = value
                yield _with(batch, position, x)


def _with(batch: Batch, position: int, array: FloatArray) -> Batch:
    arrays = (*batch.arrays[:position], array, *batch.arrays[position + 1 :])
    return replace(batch, arrays=arrays)


def _weight(x: float) -> tuple[int, float]:
    """The complexity of a number: its digits, then its size."""
    return (len(_text(np.asarray(x)).lstrip("-")), abs(x) + (0.5 if x < 0 else 0.0))


def _rounder(x: float) -> Iterator[float]:
    """Simpler numbers than ``x``, the simplest first."""
    options = [0.0, 1.0, -1.0, 2.0, -2.0, float(round(x)), float(np.trunc(x)), round(2 * x) / 2]
    options += [round(x, 1), round(x, 2), float(f"{x:.2g}")]
    for value in dict.fromkeys(sorted(options, key=_weight)):
        if _weight(value) < _weight(x):
            yield value


def _smaller(problem: Problem, batch: Batch, layout: Layout) -> Iterator[Batch]:
    """The instance at smaller sizes: entries that do not fit are cut off."""
    known = dict(zip((s.name for s in layout.slots), batch.arrays, strict=True))
    for place, value in layout.choices:
        # One less may hold where two less fail: for example, for an odd number.
        for less in sorted({0, 1, value // 2, value - 2, value - 1}):
            if not 0 <= less < value:
                continue
            wanted = {**dict(layout.choices), place: less}

            def choose(name: str, among: Sequence[int], wanted: dict[str, int] = wanted) -> int:
                value = wanted.get(name, 0)
                return value if value in among else min(among)

            try:
                other = laid_out(problem.evaluator, problem.theorem, choose)
            except (Impossible, TermError):
                continue
            arrays = tuple(_cut(known.get(s.name), s.shape) for s in other.slots)
            yield replace(batch, layout=other, arrays=arrays)


def _cut(old: FloatArray | None, shape: tuple[int, ...]) -> FloatArray:
    """As much of an array as fits, padded with zeros."""
    new = np.zeros((1, *shape))
    if old is not None and old.ndim == new.ndim:
        part = tuple(slice(0, min(a, b)) for a, b in zip(old.shape, new.shape, strict=True))
        new[part] = old[part]
    return new
