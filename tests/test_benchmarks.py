"""The benchmarks' arithmetic and tables; only `make bench` runs the measurements."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from benchmarks import ours
from benchmarks.sizes import SIZES, Size, cases
from benchmarks.table import LARGEST, SMALLEST, TARGETS, table
from benchmarks.timing import interleaved, median_ratio
from tests.numeric.block_graphs import block

TINY = Size(4, 8, 2, 16, chunks=2)


def test_every_target_is_of_a_size_that_is_measured() -> None:
    assert {size for size, _ in TARGETS} == {s.name for s in SIZES}
    assert (SIZES[0].name, SIZES[-1].name) == (SMALLEST, LARGEST)


def test_products_are_counted() -> None:
    """Four projections, scores and context, two maps: multiplications and additions."""
    projections = 4 * 2 * 4 * 8 * 8
    attention = 2 * 2 * (2 * 4 * 4 * 4)
    feed_forward = 2 * 2 * 4 * 8 * 16
    assert TINY.products == projections + attention + feed_forward


def test_tasks_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(1000))
    monkeypatch.setattr(time, "process_time", lambda: float(next(clock)))
    turns: list[str] = []
    tasks = {name: lambda name=name: turns.append(name) for name in ("a", "b")}
    found = interleaved(tasks, rounds=4, budget=1e9)
    assert turns == ["a", "b"] * 5  # one round to warm up
    assert found == {"a": [1.0] * 4, "b": [1.0] * 4}
    assert len(interleaved(tasks, rounds=100, budget=0.0)["a"]) == 3


def test_a_slow_round_does_not_count() -> None:
    assert median_ratio([6.0, 60.0, 6.2], [2.0, 20.0, 0.1]) == 3.0


def test_the_planted_error_is_found_and_the_right_block_accepted() -> None:
    some = cases(TINY, block(), first=1, instances=3)
    assert [len(c) for c in some] == [3, 3]
    right, wrong = ours.full(some), ours.full(ours.with_wrong_gelu(some))
    assert not ours.finds(right)
    assert ours.finds(wrong)
    assert max(*ours.screening(some), *ours.along_each(some)) < 1e-12
    assert min(ours.along_each(ours.with_wrong_gelu(some))) > 1e-7
    ours.runs(some, ours.directions(some))
    for found in ours.audited(some):
        np.testing.assert_array_equal(found.outcome, 0)


def result(ratio: float, share: float) -> dict[str, Any]:
    backends = {"numpy": "numpy 2", "jax": "jax on a loom"}
    tools = ("gradcheck", "check_grads")
    tasks = ("full", "audited", "screening", "along_each")
    named = (*tools, *(f"{t}, {b}" for t in (*tasks, "runs") for b in backends))
    seconds = dict.fromkeys(named, 2e-5)
    yes = {"gradcheck": False, "check_grads": True, "numpy": True, "jax": True}
    return {
        "size": SMALLEST,
        "seconds": seconds,
        "dgemm_gflops": 50.0,
        "backends": backends,
        "ratios": {
            f"{task}, {backend} vs {tool}": ratio / (2 if backend == "numpy" else 1)
            for task in tasks
            for tool in tools
            for backend in backends
        },
        "share_of_dgemm": {"numpy": share / 2, "jax": share},
        "accepts_the_right_one": yes,
        "finds_the_wrong_gelu": yes,
    }


def test_a_missed_target_is_reported() -> None:
    missed = table({"processor": "a loom"}, [result(299.0, 0.039)])
    assert "processor: a loom" in missed
    assert "299× (target 300×, **missed**)" in missed
    assert "| 150× |" in missed  # the slower backend's has no target
    assert "Backends: numpy 2, jax on a loom." in missed
    assert "0.039 (target 0.04, **missed**)" in missed
    assert "20 µs" in missed
    assert "**no**" in missed
    assert "missed" not in table({}, [result(301.0, 0.041)])
