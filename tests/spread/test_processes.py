"""Processes: the same results, even if they die or the user stops them."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from dataclasses import replace

import psutil
import pytest

from bridge.checking import CheckInterrupted, Chunk, Found, Unit
from bridge.checking.workers import Place, Processes, SpreadError, spread_over
from bridge.checking.workers import task as tasks
from bridge.checking.workers.task import Refused, measure, pack
from bridge.errors import InvalidInputError
from tests.spread.runs import CONCLUSION, HYPOTHESIS, PLACE, result, run_of


@pytest.fixture
def two() -> Iterator[Processes]:
    with Processes(2, PLACE) as processes:
        yield processes


def children() -> list[psutil.Process]:
    """The living processes of pools, without Python's resource tracker."""
    found = []
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.NoSuchProcess):  # or a zombie that has just died
            if any("spawn_main" in a for a in child.cmdline()):
                found.append(child)
    return found


@pytest.mark.parametrize("key", [CONCLUSION, HYPOTHESIS])
def test_two_processes_find_what_one_finds(two: Processes, key: str) -> None:
    assert result(key, two) == result(key, None)


def test_one_job_starts_no_process() -> None:
    with spread_over(PLACE, jobs=1) as here:
        assert result(HYPOTHESIS, here, 40) == result(HYPOTHESIS, None, 40)
        assert isinstance(here, Processes)
        assert here.jobs == 1
    assert not children()


def test_processes_that_die_are_replaced() -> None:
    run = run_of(CONCLUSION)
    units = list(run.chunks("generic", 12_000))
    expected = [run.measure(u) for u in units]
    found: list[Found] = []
    with Processes(2, PLACE) as processes:
        for one in processes.map(run, units):
            found.append(one)
            if len(found) == 2:
                children()[0].kill()
    assert found == expected
    assert not children()


def test_idle_processes_that_die_are_replaced(two: Processes) -> None:
    """A killed process holds nothing that another one needs."""
    expected = result(HYPOTHESIS, None, 400)
    assert result(HYPOTHESIS, two, 400) == expected
    for victims in (slice(0, 1), slice(1, 2), slice(0, 2)):
        assert len(children()) == 2
        for victim in children()[victims]:
            victim.kill()
            victim.wait(10)
        assert result(HYPOTHESIS, two, 400) == expected


def test_a_run_that_is_given_up_leaves_nothing_to_the_next(two: Processes) -> None:
    run = run_of(CONCLUSION)
    units = list(run.chunks("generic", 12_000))
    expected = [run.measure(u) for u in units]
    outer = two.map(run, units)
    assert next(outer) == expected[0]
    given_up = two.map(run_of(HYPOTHESIS), run_of(HYPOTHESIS).chunks("generic", 12_000))
    next(given_up)
    given_up.close()  # type: ignore[attr-defined]
    assert list(two.map(run, units[:3])) == expected[:3]
    assert list(outer) == expected[1:]


def test_every_process_computes_on_one_thread(two: Processes) -> None:
    assert result(CONCLUSION, two, 20_000)
    processes = children()
    assert len(processes) == 2
    for process in processes:
        assert process.environ()["OMP_NUM_THREADS"] == "1"
        assert "multi_thread_eigen=false" in process.environ()["XLA_FLAGS"]


def test_processes_that_keep_dying_are_an_error() -> None:
    run = run_of(CONCLUSION)

    def kill_all() -> None:
        for _ in processes.map(run, run.chunks("generic", 100_000)):
            for child in children():
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.kill()

    with Processes(2, PLACE) as processes, pytest.raises(SpreadError, match=r"died \d times"):
        kill_all()


def test_an_interrupt_keeps_what_was_found(two: Processes) -> None:
    class Stopping:
        """A user who presses Ctrl-C while the third unit is counted; all processes get it."""

        def map(self, run: object, units: object) -> Iterator[Found]:
            for count, found in enumerate(two.map(run, units)):  # type: ignore[arg-type]
                if count == 2:
                    for child in children():
                        child.send_signal(signal.SIGINT)
                    os.kill(os.getpid(), signal.SIGINT)
                yield found

    with pytest.raises(CheckInterrupted) as stop:
        result(CONCLUSION, Stopping(), 20_000)  # type: ignore[arg-type]
    assert 0 < stop.value.result.instances < 20_000
    assert "interrupted after" in stop.value.result.reason
    assert result(HYPOTHESIS, two) == result(HYPOTHESIS, None)  # the processes live on


def test_a_worker_with_other_code_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_of(CONCLUSION)
    unit: Unit = Chunk("generic", 0, 2)
    assert measure(pack(run, PLACE), unit) == run.measure(unit)
    monkeypatch.setattr(tasks, "code_hash", lambda checks: "another")
    other = pack(run, PLACE)
    monkeypatch.undo()
    found = measure(other, unit)
    assert isinstance(found, Refused)
    assert "another version" in found.reason
    with pytest.raises(SpreadError, match="a worker cannot measure: it has another version"):
        tasks.taken(found, "a worker")


def test_a_worker_without_the_check_refuses() -> None:
    run = run_of(CONCLUSION)
    stranger = replace(run.check, keys=("stranger:conclusion",), form=None)
    run.hypotheses = (stranger,)
    found = measure(pack(run, PLACE), Chunk("generic", 0, 2))
    assert found == Refused("no check is registered there for stranger:conclusion")
    lost = measure(
        pack(run_of(CONCLUSION), Place(PLACE.project, ("nowhere.py",))), Chunk("x", 0, 1)
    )
    assert isinstance(lost, Refused)
    assert "nowhere.py" in lost.reason


def test_jobs_and_a_scheduler_exclude_each_other() -> None:
    with (
        pytest.raises(InvalidInputError, match="--jobs 2 and --scheduler tcp://h:1 exclude"),
        spread_over(PLACE, jobs=2, scheduler="tcp://h:1"),
    ):
        pass
