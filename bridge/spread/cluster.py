"""An existing Dask cluster.

The cluster runs on its own: nothing is started or stopped here.  Where a worker dies, the scheduler
gives its units to another one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

from bridge.checks import CheckRun, Found, Unit
from bridge.errors import InvalidInputError
from bridge.spread.brief import Packed, Place, SpreadError, measure, pack, taken

__all__ = ["Cluster"]

AHEAD = 3
"""Units that wait for each thread of the cluster."""
PATIENCE = 20
"""Seconds that the scheduler may take to answer, and to have a worker."""


class Cluster:
    """Measures units on the workers of a Dask cluster.

    Args:
        address: of the scheduler, such as ``tcp://host:8786``.
        place: the project and its checks; workers must have both where they are here.

    Raises:
        InvalidInputError: ``dask.distributed`` is not installed, or nobody answers at the address,
            or there are no workers.
    """

    def __init__(self, address: str, place: Place) -> None:
        try:
            import distributed
        except ImportError as error:
            raise InvalidInputError(
                "--scheduler needs dask.distributed, which is not installed",
                remedy="pip install 'lean-obligations[dask]'",
            ) from error
        self._place = place
        try:
            connect: Any = distributed.Client
            self._client = connect(address, timeout=PATIENCE, set_as_default=False)
        except (OSError, ValueError) as error:
            raise InvalidInputError(
                f"no Dask scheduler answers at {address!r}: {error}",
                remedy="give the address that `dask scheduler` prints, such as tcp://host:8786",
            ) from error
        try:
            self._client.wait_for_workers(1, timeout=PATIENCE)
        except TimeoutError as error:
            self._client.close()
            raise InvalidInputError(
                f"the Dask cluster at {address!r} has no workers",
                remedy=f"start some: `dask worker {address}`",
            ) from error

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def map(self, run: CheckRun, units: Iterable[Unit]) -> Iterator[Found]:
        """What each unit finds, in the order of the units.

        Raises:
            SpreadError: a unit cannot be measured, because workers keep dying of it or differ.
        """
        # Submitted rather than scattered: the scheduler can make it again when a worker is lost.
        packed = pack(run, self._place)
        brief = self._client.submit(_as_it_is, packed, key=f"obligations-{packed.digest}")
        waiting: deque[Any] = deque()
        rest = iter(units)
        try:
            while True:
                ahead = max(8, AHEAD * sum(self._client.nthreads().values()))
                while len(waiting) < ahead and (unit := next(rest, None)):
                    waiting.append(self._client.submit(measure, brief, unit, pure=False))
                for future in tuple(waiting)[: max(1, ahead // 2)]:
                    yield taken(self._result(future), "a worker")
                    waiting.popleft()
                if not waiting:
                    return
        finally:
            self._client.cancel(list(waiting))

    def _result(self, future: Any) -> Any:
        from distributed.client import FutureCancelledError
        from distributed.scheduler import KilledWorker

        try:
            return future.result()
        except (KilledWorker, FutureCancelledError) as error:
            raise SpreadError(
                f"the Dask cluster lost a unit: {error}", remedy="see the logs of its workers"
            ) from error


def _as_it_is(packed: Packed) -> Packed:
    return packed
