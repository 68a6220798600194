"""An existing Dask cluster.

The cluster runs independently: nothing is started or stopped here.  If a worker dies, the scheduler
gives its units to another one.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

from bridge.checking import CheckRun, Found, Unit
from bridge.checking.workers.task import Packed, Place, SpreadError, measure, pack, taken
from bridge.errors import InvalidInputError

__all__ = ["Cluster"]

AHEAD = 3
"""Units that are queued for each thread of the cluster."""
KNOCK = 5
"""Seconds that the scheduler may take to identify itself."""
PATIENCE = 20
"""Seconds that the scheduler may take to answer, and to have a worker."""
SCHEMES = ("tcp", "tls", "ws", "wss", "ucx")
REMEDY = "give the address that `dask scheduler` prints, such as tcp://host:8786"


class Cluster:
    """Measures units on the workers of a Dask cluster.

    Args:
        address: the scheduler's address, such as ``tcp://host:8786``.
        place: the project and its checks; workers must have both at the same paths.

    Raises:
        InvalidInputError: the address is malformed, ``dask.distributed`` is not installed, no
            scheduler answers at the address, or there are no workers.
    """

    def __init__(self, address: str, place: Place) -> None:
        endpoint = _endpoint(address)
        try:
            import distributed
        except ImportError as error:
            raise InvalidInputError(
                "--scheduler needs dask.distributed, which is not installed",
                remedy="pip install 'lean-obligations[dask]'",
            ) from error
        self._address = address
        self._place = place
        _refuse_another(address, *endpoint)
        try:
            connect: Any = distributed.Client
            self._client = connect(address, timeout=PATIENCE, set_as_default=False)
        except (OSError, ValueError) as error:
            raise _nobody(address, error) from error
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
        """The result of each unit, in the order of the units.

        Raises:
            SpreadError: a unit cannot be measured, because workers keep dying of it or have
                other code; or the connection to the scheduler is lost.
        """
        try:
            yield from self._map(run, units)
        except OSError as error:  # of Dask's connections; errors while measuring are returned
            raise SpreadError(
                f"the Dask scheduler at {self._address} cannot be reached: {error}",
                remedy="start it again; the cache keeps what was measured to its end",
            ) from error

    def _map(self, run: CheckRun, units: Iterable[Unit]) -> Iterator[Found]:
        # Submitted, not scattered: the scheduler can recreate it when a worker is lost.
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
            with contextlib.suppress(OSError):
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


def _endpoint(address: str) -> tuple[str, int]:
    """The host and the port that an address names."""
    scheme, _, place = address.rpartition("://")
    if scheme and scheme not in SCHEMES:
        raise InvalidInputError(
            f"--scheduler {address}: no Dask scheduler speaks {scheme}://, only "
            + ", ".join(f"{s}://" for s in SCHEMES),
            remedy=REMEDY,
        )
    try:
        parts = urlsplit(f"//{place}")
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise InvalidInputError(f"--scheduler {address}: {error}", remedy=REMEDY) from error
    if not host or port is None:
        raise InvalidInputError(
            f"--scheduler {address}: expected a host and a port but got {place!r}", remedy=REMEDY
        )
    return host, port


def _refuse_another(address: str, host: str, port: int) -> None:
    """Raise unless a Dask scheduler is at the address.

    Called before a client is made: a client waits for an answer for ever, and is slow to close
    after it has failed.
    """
    with ThreadPoolExecutor(1) as pool:  # a notebook has its own event loop
        try:
            kind = pool.submit(asyncio.run, _identity(address, host, port)).result()
        except Exception as error:  # whatever Dask makes of another protocol
            raise _nobody(address, error) from error
    if kind != "Scheduler":
        raise _nobody(address, f"there is a {kind}")


async def _identity(address: str, host: str, port: int) -> str:
    """The kind of Dask process, as it says itself."""
    from distributed import comm as comms
    from distributed.security import Security

    dask: Any = comms
    security: Any = Security

    async def ask() -> str:
        if not address.startswith("ucx://"):
            # Without this, Dask would retry endlessly if nothing listens.
            _, writer = await asyncio.open_connection(host, port)
            writer.close()
        comm = await dask.connect(address, **security().get_connection_args("client"))
        try:
            await comm.write({"op": "identity", "reply": True})
            return str((await comm.read())["type"])
        finally:
            comm.abort()

    try:
        return await asyncio.wait_for(ask(), KNOCK)
    except TimeoutError:
        raise TimeoutError(f"it did not say what it is within {KNOCK} seconds") from None


def _nobody(address: str, why: object) -> InvalidInputError:
    return InvalidInputError(f"no Dask scheduler answers at {address!r}: {why}", remedy=REMEDY)


def _as_it_is(packed: Packed) -> Packed:
    return packed
