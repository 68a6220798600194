"""The table of which check finds which error: every error dies, every check finds one."""

from __future__ import annotations

import pytest

from bridge.checks import registered
from bridge.checks.mutation import FAMILIES_OF_MUTANTS, MutationReport, mutation_matrix
from bridge.errors import InvalidInputError
from numeric.block_mutants import PLANTED
from tests.checks.graphs import graphs_for

CHECKS = list(dict.fromkeys(registered().values()))


@pytest.fixture(scope="module", params=dict.fromkeys(c.graph for c in CHECKS))
def report(request: pytest.FixtureRequest) -> MutationReport:
    chosen = [c for c in CHECKS if c.graph == request.param]
    return mutation_matrix(chosen, graphs_for(chosen), 0, 2, families=("generic", "seq_len 1"))


def test_every_error_is_found_at_a_generic_instance(report: MutationReport) -> None:
    for row in report.rows:
        generic = next(c for c in row.cells if c.family == "generic")
        assert generic.killed_by, f"no check finds {row.mutant!r} in {row.graph}"
    assert report.survivors == ()
    assert report.killed == len(report.rows)


def test_where_an_error_is_hidden_the_reason_is_known(report: MutationReport) -> None:
    for row in report.unexplained:
        pytest.fail(f"{row.mutant!r} in {row.graph} survives in {row.unexplained}")


def test_a_conclusion_finds_something(report: MutationReport) -> None:
    conclusions = {c.name for c in CHECKS if c.rejects}
    assert not conclusions & set(report.idle)


def test_there_are_many_errors() -> None:
    assert len(PLANTED["encoderBlockGraph"]) >= 40
    names = [p.mutant.name for p in PLANTED["encoderBlockGraph"]]
    assert len(set(names)) == len(names)
    known = {f for planted in PLANTED.values() for p in planted for f in p.hidden}
    assert known <= set(FAMILIES_OF_MUTANTS)


def test_progress_is_told_and_a_missing_graph_is_an_error() -> None:
    chosen = [c for c in CHECKS if c.graph == "softmaxGraph"]
    told: list[tuple[int, int]] = []
    mutation_matrix(
        chosen, graphs_for(chosen), 0, 1, lambda done, total: told.append((done, total))
    )
    assert told[-1] == (len(told), len(told))
    with pytest.raises(InvalidInputError, match="softmaxGraph with .* was not exported"):
        mutation_matrix(chosen, {}, 0, 1)
