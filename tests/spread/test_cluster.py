"""A Dask cluster: the same results, even if a worker dies midway."""

from __future__ import annotations

import socket
import warnings
from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from bridge.checking import Found
from bridge.checking.workers import Cluster, SpreadError, spread_over
from bridge.checking.workers import cluster as clusters
from bridge.errors import InvalidInputError
from tests.spread.runs import CONCLUSION, HYPOTHESIS, PLACE, result, run_of

distributed = pytest.importorskip("distributed", reason="dask.distributed is not installed")


@pytest.fixture(scope="module")
def local() -> Iterator[Any]:
    """Two worker processes of one thread each."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # from the cluster, about ports and event loops
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


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("nonsense", "expected a host and a port but got 'nonsense'"),
        ("", "expected a host and a port but got ''"),
        ("tcp://127.0.0.1", "expected a host and a port"),
        ("tcp://:8786", "expected a host and a port"),
        ("http://x:1", "no Dask scheduler speaks http://"),
        ("tcp://h:port", "'port'"),
        ("tcp://h:99999", "out of range"),
    ],
)
def test_an_invalid_address_is_reported_without_a_connection(
    monkeypatch: pytest.MonkeyPatch, address: str, why: str
) -> None:
    monkeypatch.setattr(distributed, "Client", None)
    monkeypatch.setattr(clusters, "_refuse_another", None)
    with pytest.raises(InvalidInputError, match=why) as refused:
        Cluster(address, PLACE)
    assert refused.value.message.startswith(f"--scheduler {address}:")
    assert "tcp://host:8786" in refused.value.remedy


def test_an_address_without_a_server_is_reported_before_there_is_a_client(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(distributed, "Client", None)
    with pytest.raises(InvalidInputError, match="no Dask scheduler answers at 'tcp://127.0.0.1:9'"):
        Cluster("tcp://127.0.0.1:9", PLACE)


def test_another_server_at_the_address_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distributed, "Client", None)
    monkeypatch.setattr(clusters, "KNOCK", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(InvalidInputError, match="did not say what it is within 0.5 seconds"):
            Cluster(address, PLACE)


def test_a_worker_is_not_a_scheduler(local: Any) -> None:
    address = next(iter(local.scheduler_info["workers"]))
    with pytest.raises(InvalidInputError, match="answers at '.*': there is a Worker"):
        Cluster(address, PLACE)


def test_a_scheduler_that_disappears_is_reported(
    local: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = run_of(CONCLUSION)

    def gone(*_: Any, **__: Any) -> Any:
        raise distributed.comm.CommClosedError("ConnectionPool closing.")

    with Cluster(local.scheduler_address, PLACE) as cluster:
        found = cluster.map(run, run.chunks("generic", 20_000))
        next(found)
        monkeypatch.setattr(cluster._client, "nthreads", gone)
        monkeypatch.setattr(cluster._client, "cancel", gone)
        with pytest.raises(
            SpreadError, match=r"scheduler at tcp://.* cannot be reached: ConnectionPool"
        ):
            list(found)
