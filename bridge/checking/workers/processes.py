"""Processes on one machine."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from bridge.checking import CheckRun, Found, Here, Unit
from bridge.checking.workers.task import Packed, Place, Refused, SpreadError, measure, pack, taken

__all__ = ["Processes"]

AHEAD = 3
"""Units that wait for each process, so that none is idle while the first of them is long."""
RESTARTS = 3
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

_XLA = "XLA_FLAGS"
_ONE_THREAD = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"


class Processes:
    """Measures units in several processes, started when there is work; one job is this process.

    Args:
        jobs: how many processes.
        place: the project and its checks.
    """

    def __init__(self, jobs: int, place: Place) -> None:
        self.jobs = jobs
        self._place = place
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def map(self, run: CheckRun, units: Iterable[Unit]) -> Iterator[Found]:
        """What each unit finds, in the order of the units.

        Raises:
            SpreadError: processes keep dying, such as for lack of memory.
        """
        if self.jobs == 1:
            return Here().map(run, units)
        return self._map(pack(run, self._place), units)

    def _map(self, packed: Packed, units: Iterable[Unit]) -> Iterator[Found]:
        waiting: deque[tuple[Unit, Future[Found | Refused]]] = deque()
        left = RESTARTS
        rest = iter(units)
        try:
            while True:
                try:
                    while len(waiting) < AHEAD * self.jobs and (unit := next(rest, None)):
                        waiting.append((unit, self._submit(packed, unit)))
                    if not waiting:
                        return
                    found = waiting[0][1].result()
                except BrokenProcessPool as error:
                    if not left:
                        raise SpreadError(
                            f"processes that measure died {RESTARTS + 1} times",
                            remedy="they may lack memory: try fewer --jobs",
                        ) from error
                    left -= 1
                    self._stop()
                    waiting = deque((u, self._submit(packed, u)) for u, _ in waiting)
                    continue
                waiting.popleft()
                yield taken(found, "a process")
        finally:
            for _, future in waiting:
                future.cancel()

    def _submit(self, packed: Packed, unit: Unit) -> Future[Found | Refused]:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                self.jobs, multiprocessing.get_context("spawn"), initializer=_ignore_interrupts
            )
            with _single_threaded(), _interrupts_held():
                return self._pool.submit(measure, packed, unit)
        return self._pool.submit(measure, packed, unit)

    def _stop(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None


def _ignore_interrupts() -> None:
    """A terminal's Ctrl-C reaches every process; this one's parent decides what follows."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextlib.contextmanager
def _single_threaded() -> Iterator[None]:
    """Processes started meanwhile do linear algebra on one thread each: there are enough of
    them."""
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
    """Processes started meanwhile do not see an interrupt before they have learned to ignore it."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
