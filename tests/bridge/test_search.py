"""A search reports its progress, and an interrupt does not lose its results."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from bridge.auditing.search import SearchInterrupted, counterexample
from bridge.checking import CheckRun, GraphRequest, check
from bridge.checking.registry import Check
from bridge.errors import InvalidInputError
from numeric.instances.case import Case
from numeric.judge.measurement import Measurement, Outcome
from numeric.mutants.edits import DerivativeMutant
from tests.numeric.graphs import layer_norm

KEY = "layerNorm_t:conclusion"
GRAPHS = {GraphRequest("layerNormGraph", ()): layer_norm(2, 3)}


class Watcher:
    def __init__(self) -> None:
        self.said: list[tuple[str, float, float | None]] = []

    def update(self, task: str, done: float, total: float | None, *, unit: str = "") -> None:
        assert unit == KEY
        self.said.append((task, done, total))

    def note(self, message: str) -> None:
        raise AssertionError(message)


def checked(fails: Callable[[Case], bool], *, beside: str = "") -> Check:
    registry: dict[str, Check] = {}

    def measure(case: Case) -> Measurement:
        """Fails where requested."""
        outcome = Outcome.FAILS if fails(case) else Outcome.HOLDS
        one, zero = np.ones(1), np.zeros(1, dtype=np.int64)
        return Measurement(one, one, np.full(1, outcome, dtype=np.int8), zero, ("x",))

    rejects = [DerivativeMutant("vjp", "y")]
    made = check(
        KEY,
        graph="layerNormGraph",
        sizes=["seqLen", "dModel"],
        rejects=rejects,
        beside=beside,
        registry=registry,
    )
    made(measure)
    return registry[KEY]


def large(case: Case) -> bool:
    return bool(np.count_nonzero(case.batch.inputs["x"]) >= 2)


def found(one: Check, watcher: Watcher, examples: int = 200) -> Case | None:
    return counterexample(CheckRun(one, [], GRAPHS, KEY, 0), examples=examples, progress=watcher)


def test_it_reports_its_progress() -> None:
    watcher = Watcher()
    assert found(checked(lambda case: False), watcher, examples=20) is None
    assert {task for task, _, _ in watcher.said} == {"searching"}
    assert [done for _, done, _ in watcher.said] == sorted(done for _, done, _ in watcher.said)
    assert all(total == 20 and done <= 20 for _, done, total in watcher.said)


def test_it_reports_that_it_shrinks_the_counterexample() -> None:
    watcher = Watcher()
    case = found(checked(large), watcher)
    assert case is not None
    assert large(case)
    assert watcher.said[-1][0] == "shrinking it"


def test_an_interrupt_gives_the_smallest_until_then() -> None:
    seen: list[int] = []

    def stopped(case: Case) -> bool:
        if len(seen) == 3:
            raise KeyboardInterrupt
        if large(case):
            seen.append(int(np.count_nonzero(case.batch.inputs["x"])))
            return True
        return False

    with pytest.raises(SearchInterrupted) as stop:
        found(checked(stopped), Watcher())
    assert isinstance(stop.value, KeyboardInterrupt)
    assert large(stop.value.case)
    assert len(seen) == 3


def test_an_interrupt_before_anything_was_found_goes_through() -> None:
    def stopped(case: Case) -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as stop:
        found(checked(stopped), Watcher())
    assert not isinstance(stop.value, SearchInterrupted)


def test_a_check_that_compares_two_graphs_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="compares two graphs") as refused:
        found(checked(large, beside="geluGraph"), Watcher())
    assert f"--only {KEY}" in refused.value.remedy
