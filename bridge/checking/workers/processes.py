"""Processes on one machine, each with its own pipe.

Python's pools share a queue, whose lock a process may hold when it is killed: then the others, and
the pool's shutdown, wait for ever.  Here a process that dies closes its own pipe and disturbs no
other.
"""

from __future__ import annotations

import atexit
import contextlib
import itertools
import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

from bridge.checking import CheckRun, Found, Here, Unit
from bridge.checking.workers.task import Packed, Place, Refused, SpreadError, measure, pack, taken

__all__ = ["Processes"]

AHEAD = 3
"""Units of a run that are taken ahead for each process, so that none is idle while the first unit
takes long."""
RESTARTS = 3
_EACH = 2
"""Units that a process holds: one that it measures, and the next one."""
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

_XLA = "XLA_FLAGS"
_ONE_THREAD = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"


@dataclass(frozen=True, slots=True)
class _Task:
    number: int
    packed: Packed
    unit: Unit


@dataclass(slots=True, eq=False)
class _Worker:
    """A process, the last run sent to it, and the tasks that it has not answered."""

    process: SpawnProcess
    pipe: Connection
    run: str = ""
    tasks: deque[_Task] = field(default_factory=deque)
    broken: bool = False

    def takes(self, task: _Task) -> bool:
        """Whether it can be sent a task; another run, which may be large, only when it is idle."""
        return not self.tasks or (self.run == task.packed.digest and len(self.tasks) < _EACH)

    def put(self, task: _Task) -> None:
        packed = None if self.run == task.packed.digest else task.packed
        self.run = task.packed.digest
        self.tasks.append(task)
        try:
            self.pipe.send((packed, task.unit))
        except OSError:
            self.broken = True
        except BaseException:  # an interrupt: how much was written is unknown
            self.broken = True
            raise

    def take(self) -> tuple[_Task, Found | Refused] | None:
        """A task with its result; None if the process is dead."""
        try:
            found = self.pipe.recv()
            return self.tasks.popleft(), found
        except (EOFError, OSError):
            self.broken = True
            return None
        except BaseException:  # an interrupt: how much was read is unknown
            self.broken = True
            raise

    def end(self) -> None:
        """Kill the process: it holds nothing that needs an orderly shutdown."""
        self.pipe.close()
        self.process.kill()
        self.process.join()


class Processes:
    """Measures units in several processes, started when there is work; one job means this process.

    Args:
        jobs: how many processes.
        place: the project and its checks.
    """

    def __init__(self, jobs: int, place: Place) -> None:
        self.jobs = jobs
        self._place = place
        self._workers: list[_Worker] = []
        self._queue: deque[_Task] = deque()
        self._wanted: set[int] = set()
        self._found: dict[int, Found | Refused] = {}
        self._numbers = itertools.count()
        self._deaths = 0
        atexit.register(self._end)  # before Python waits for the processes

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()
        atexit.unregister(self._end)

    def _end(self) -> None:
        for worker in self._workers:
            worker.end()
        self._workers.clear()

    def map(self, run: CheckRun, units: Iterable[Unit]) -> Iterator[Found]:
        """The result of each unit, in the order of the units.

        Raises:
            SpreadError: processes keep dying, for example for lack of memory.
        """
        if self.jobs == 1:
            return Here().map(run, units)
        return self._map(pack(run, self._place), units)

    def _map(self, packed: Packed, units: Iterable[Unit]) -> Iterator[Found]:
        self._deaths = 0
        ahead: deque[int] = deque()
        rest = iter(units)
        try:
            while True:
                while len(ahead) < AHEAD * self.jobs and (unit := next(rest, None)):
                    task = _Task(next(self._numbers), packed, unit)
                    ahead.append(task.number)
                    self._wanted.add(task.number)
                    self._queue.append(task)
                if not ahead:
                    return
                self._hand_out()
                while ahead[0] not in self._found:
                    self._collect()
                    self._hand_out()
                found = self._found.pop(ahead[0])
                self._wanted.discard(ahead.popleft())
                yield taken(found, "a process")
        finally:
            self._wanted.difference_update(ahead)
            for number in ahead:
                self._found.pop(number, None)

    def _hand_out(self) -> None:
        """Give waiting tasks to processes, the idle ones first."""
        self._bury()
        while self._queue:
            task = self._queue[0]
            if task.number in self._wanted:
                willing = [w for w in self._workers if w.takes(task)]
                worker = min(willing, key=lambda w: len(w.tasks), default=None)
                if (worker is None or worker.tasks) and len(self._workers) < self.jobs:
                    worker = self._start()
                if worker is None:
                    return
                worker.put(task)
            self._queue.popleft()

    def _collect(self) -> None:
        """Wait until processes have results, or died, and take the results."""
        busy = {w.pipe: w for w in self._workers if w.tasks}
        for pipe in wait(list(busy)):
            worker = busy[pipe]  # type: ignore[index]
            answer = worker.take()
            if answer is not None and answer[0].number in self._wanted:
                self._found[answer[0].number] = answer[1]

    def _bury(self) -> None:
        """Remove processes that died; others get their tasks.

        Raises:
            SpreadError: too many have died since the run began.
        """
        dead = [w for w in self._workers if w.broken]
        for worker in dead:
            self._workers.remove(worker)
            self._queue.extendleft(reversed(worker.tasks))
            self._deaths += 1
            worker.end()
        if self._deaths > RESTARTS:
            raise SpreadError(
                f"processes that measure died {self._deaths} times",
                remedy="they may lack memory: try fewer --jobs",
            )

    def _start(self) -> _Worker:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_work, args=(theirs,))
        with _single_threaded(), _interrupts_held():
            process.start()
        theirs.close()
        worker = _Worker(process, ours)
        self._workers.append(worker)
        return worker


def _work(pipe: Connection) -> None:
    """Answer units until the other end of the pipe is closed."""
    # A terminal's Ctrl-C reaches every process; the parent decides what happens.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    packed: Packed | None = None
    with contextlib.suppress(EOFError, OSError):
        while True:
            other, unit = pipe.recv()
            packed = other or packed
            assert packed is not None
            pipe.send(measure(packed, unit))


@contextlib.contextmanager
def _single_threaded() -> Iterator[None]:
    """Processes started meanwhile do linear algebra on one thread each: together they use all
    cores."""
    before = {name: os.environ.get(name) for name in (*_THREADS, _XLA)}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    os.environ[_XLA] = " ".join([before[_XLA] or "", _ONE_THREAD]).strip()
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextlib.contextmanager
def _interrupts_held() -> Iterator[None]:
    """Processes started meanwhile receive no interrupt before they ignore it."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
