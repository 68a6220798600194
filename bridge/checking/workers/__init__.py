"""Spreads the work of checks over processes of one machine, or over a Dask cluster.

A report does not depend on which worker measured what: units are cut by the graphs alone, every
instance's numbers come from its own name, and results of units are added up in their order.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bridge.checking import Spread
from bridge.checking.workers.cluster import Cluster
from bridge.checking.workers.processes import Processes
from bridge.checking.workers.task import Place, SpreadError
from bridge.errors import InvalidInputError

__all__ = ["Cluster", "Place", "Processes", "SpreadError", "spread_over"]


@contextmanager
def spread_over(place: Place, *, jobs: int = 1, scheduler: str | None = None) -> Iterator[Spread]:
    """What measures while the context is open.

    Args:
        place: the project and its checks.
        jobs: processes on this machine; one means this process.
        scheduler: address of a Dask scheduler, such as ``tcp://host:8786``.

    Raises:
        InvalidInputError: both several jobs and a scheduler are given, ``dask.distributed`` is not
            installed, or the scheduler does not answer.
    """
    if scheduler is not None and jobs > 1:
        raise InvalidInputError(
            f"--jobs {jobs} and --scheduler {scheduler} exclude each other",
            remedy="the cluster says itself how many workers it has",
        )
    if scheduler is not None:
        with Cluster(scheduler, place) as cluster:
            yield cluster
    else:
        with Processes(jobs, place) as processes:
            yield processes
