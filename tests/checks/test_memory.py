"""Memory: a chunk takes less than four times its saved tensors, for any check, and a run takes no
more than a chunk."""

from __future__ import annotations

import tracemalloc

import pytest

from bridge.checking import Check, CheckRun, Chunk, run_check
from bridge.checking.tally import Tally
from numeric.instances.families import FAMILIES
from numeric.interpret.chunks import CHUNK_BYTES, MOST_INSTANCES, chunk_of, saved_bytes
from numeric.mutants.planted import PLANTED
from tests.checks.graphs import graphs_for, hypotheses_of
from tests.checks.pairs import pairs
from tests.numeric.block_graphs import block
from tests.numeric.graphs import layer_norm

CHECKS = dict(pairs())
KEYS = {CHECKS[k].name: k for k in CHECKS if CHECKS[k].graph == "encoderBlockGraph"}


def parts_of(key: str) -> tuple[Check, list[Check]]:
    return CHECKS[key], hypotheses_of(key, CHECKS) if key.endswith(":conclusion") else []


def peak_of(run: CheckRun, unit: Chunk) -> int:
    """The peak of bytes allocated by numpy and Python."""
    tracemalloc.start()
    try:
        run.measure(unit)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.slow
@pytest.mark.parametrize("family", ["generic", "large offset"])  # rule B judges the latter
@pytest.mark.parametrize("name", KEYS)
def test_a_chunk_takes_less_than_four_times_its_saved_tensors(name: str, family: str) -> None:
    check, hypotheses = parts_of(KEYS[name])
    run = CheckRun(check, hypotheses, graphs_for([check, *hypotheses]), KEYS[name], 0)
    graph = run.graph(FAMILIES[family])
    run.measure(Chunk(family, 0, 1))  # caches that persist from the first run on
    unit = next(run.chunks(family, 10**6))
    assert unit.stop > 100
    saved = unit.stop * saved_bytes(graph)
    assert 0.1 * saved < peak_of(run, unit) < 4 * saved


@pytest.mark.slow
def test_a_chunk_that_fails_takes_no_more() -> None:
    """Where a tensor is wrong, those around it are compared too."""
    key = "encoderBlockGraph:fidelity"
    check = CHECKS[key]
    right = graphs_for([check])
    planted = next(p.mutant for p in PLANTED["encoderBlockGraph"])
    graphs = {r: planted.apply(g).graph for r, g in right.items()}
    run = CheckRun(check, [], graphs, key, 0)
    run.measure(Chunk("generic", 0, 1))
    unit = next(run.chunks("generic", 10**6))
    saved = unit.stop * saved_bytes(run.graph(FAMILIES["generic"]))
    assert peak_of(run, unit) < 4 * saved
    found = run.measure(unit)
    assert isinstance(found, Tally)
    assert found.failed == unit.stop


@pytest.mark.slow
def test_ten_times_the_instances_take_no_more_memory() -> None:
    key = "layerNorm_eval:conclusion"
    check = CHECKS[key]
    graphs = graphs_for([check])

    def peak(instances: int) -> int:
        tracemalloc.start()
        try:
            run_check(CheckRun(check, [], graphs, key, 0), instances=instances)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    chunks_of_every_family = 20_000
    peak(100)
    assert peak(10 * chunks_of_every_family) < 1.1 * peak(chunks_of_every_family)


def test_chunks_fit_a_cache_and_follow_from_the_graph() -> None:
    small, large = layer_norm(4, 8), block(seq_len=64, heads=8, head_dim=64, d_ff=2048)
    assert chunk_of(small) == MOST_INSTANCES
    assert chunk_of(block()) * saved_bytes(block()) <= CHUNK_BYTES
    assert (chunk_of(block()) + 1) * saved_bytes(block()) > CHUNK_BYTES
    assert chunk_of(large) == 1
