"""A Dask cluster: the same results, also when a worker dies in the middle."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from bridge.checks import Found
from bridge.errors import InvalidInputError
from bridge.spread import Cluster, spread_over
from bridge.spread import cluster as clusters
from tests.spread.runs import CONCLUSION, HYPOTHESIS, PLACE, result, run_of

distributed = pytest.importorskip("distributed", reason="dask.distributed is not installed")


@pytest.fixture(scope="module")
def local() -> Iterator[Any]:
    """Two worker processes of one thread each."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the cluster, about ports and event loops
        with distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster:
            yield cluster


@pytest.mark.parametrize("key", [CONCLUSION, HYPOTHESIS])
def test_a_cluster_finds_what_one_process_finds(local: Any, key: str) -> None:
    with spread_over(PLACE, scheduler=local.scheduler_address) as cluster:
        assert result(key, cluster) == result(key, None)


def test_a_worker_killed_in_the_middle_changes_nothing(local: Any) -> None:
    run = run_of(CONCLUSION)
    units = list(run.chunks("generic", 20_000))
    expected = [run.measure(u) for u in units]
    found: list[Found] = []
    with Cluster(local.scheduler_address, PLACE) as cluster:
        before = set(local.scheduler_info["workers"])
        for one in cluster.map(run, units):
            found.append(one)
            if len(found) == 3:
                victim = next(iter(local.workers.values())).pid
                psutil.Process(victim).kill()
    assert len(units) > 6
    assert found == expected
    assert set(local.scheduler_info["workers"]) != before


def test_nobody_at_the_address_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "PATIENCE", 1)
    with pytest.raises(InvalidInputError, match="no Dask scheduler answers at 'tcp://127.0.0.1:9'"):
        Cluster("tcp://127.0.0.1:9", PLACE)
    with pytest.raises(InvalidInputError, match="no Dask scheduler answers at 'nonsense://x'"):
        Cluster("nonsense://x", PLACE)
