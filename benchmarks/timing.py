"""Interleaved timing: every round runs every task once, so that a slow minute slows all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

__all__ = ["dgemm_rate", "interleaved", "median_ratio"]

Task = Callable[[], object]


def interleaved(tasks: Mapping[str, Task], rounds: int, budget: float) -> dict[str, list[float]]:
    """Processor seconds of each task in each round; other processes do not count.

    Args:
        tasks: by name; each is run once before, untimed.
        rounds: how many, at least three.
        budget: seconds after which no new round is begun.
    """
    for task in tasks.values():
        task()
    seconds: dict[str, list[float]] = {name: [] for name in tasks}
    begun = time.perf_counter()
    for done in range(rounds):
        if done >= 3 and time.perf_counter() - begun > budget:
            break
        for name, task in tasks.items():
            start = time.process_time()
            task()
            seconds[name].append(time.process_time() - start)
    return seconds


def median_ratio(slow: npt.ArrayLike, fast: npt.ArrayLike) -> float:
    """The median over the rounds of how many times as long ``slow`` took in the same round."""
    return float(np.median(np.array(slow) / np.array(fast)))


def dgemm_rate(size: int = 1024) -> tuple[Task, float]:
    """A product of square matrices in numpy, and its floating-point operations."""
    generator = np.random.default_rng(0)
    a, b = generator.normal(size=(2, size, size))
    return lambda: a @ b, 2.0 * size**3
