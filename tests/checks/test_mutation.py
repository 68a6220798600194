"""The table of which check finds which error: every error is found, every check finds one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest

from bridge.checking import Check
from bridge.checking.mutation import FAMILIES_OF_MUTANTS, mutation_matrix
from bridge.checking.mutation_report import MutationReport
from bridge.errors import InvalidInputError
from numeric.graph import Graph
from numeric.instances.case import Case
from numeric.instances.draw import draw
from numeric.instances.families import FAMILIES
from numeric.interpret.interpreter import Interpreter
from numeric.judge.measurement import Measurement
from numeric.judge.tolerance import RULE_A
from numeric.mutants.edits import DerivativeMutant, GraphMutant, plant
from numeric.mutants.kinds import INSTANCE, KINDS, OTHER, kind_of
from numeric.mutants.planted import PLANTED, Planted
from tests.checks.graphs import graphs_for, slow_if_large
from tests.checks.pairs import pairs

CHECKS = list(dict.fromkeys(pairs().values()))
GRAPHS = list(dict.fromkeys(c.graph for c in CHECKS))
ALL_GRAPHS = graphs_for(CHECKS)
TOWARDS_VARIANCE = {"mean", "centered", "square", "var", "varEps"}
SPECIAL = {"seq_len 1", "d_model 2"}


def on(graph: str) -> list[Check]:
    return [c for c in CHECKS if c.graph == graph]


def blind(check: Check) -> Check:
    """The same check, but accepting everything."""

    def measure(case: Case) -> Measurement:
        size = len(case)
        zeros = np.zeros(size)
        return Measurement(zeros, zeros, zeros.astype(np.int8), zeros.astype(np.int64), ("",))

    return replace(check, measure=measure)


@pytest.fixture(
    scope="module",
    params=[pytest.param(g, marks=slow_if_large(ALL_GRAPHS, g)) for g in GRAPHS],
)
def report(request: pytest.FixtureRequest) -> MutationReport:
    chosen = on(request.param)
    return mutation_matrix(chosen, graphs_for(chosen), 0, 4)


def test_every_error_is_found_at_a_generic_instance(report: MutationReport) -> None:
    for row in report.rows:
        cells = [c for c in row.cells if c.family not in SPECIAL or row.kind == INSTANCE]
        assert any(c.killed_by for c in cells), f"no check finds {row.mutant!r} in {row.graph}"
    assert report.survivors == ()
    assert report.killed == len(report.rows) == report.planned


def test_hidden_errors_have_a_known_reason(report: MutationReport) -> None:
    for row in report.unexplained:
        pytest.fail(f"{row.mutant!r} in {row.graph} survives in {row.unexplained}")


def test_every_check_finds_what_it_says_that_it_rejects(report: MutationReport) -> None:
    found: dict[str, set[str]] = {}
    for row in report.rows:  # an error may be planted only for checks of some families
        names = {n for c in row.cells if c.family not in SPECIAL for n in c.killed_by}
        found.setdefault(row.mutant, set()).update(names)
    for check in on(report.graphs[0]):
        for name in (
            *(m.name for m in check.rejects),
            *(f"instances: {f}" for f in check.refuted_by),
        ):
            assert check.name in found[name], f"{check.name} does not find {name!r}"
    assert report.idle == ()
    assert report.complete


def test_a_side_condition_sees_a_graph_that_computes_another_variance(
    report: MutationReport,
) -> None:
    """Both side conditions of a LayerNorm find any error before var + ε."""
    found = {row.mutant: row.killed_by for row in report.rows}
    graph = report.graphs[0]
    for one in PLANTED[graph]:
        for edit in one.mutant.edits if isinstance(one.mutant, GraphMutant) else ():
            norm, _, name = edit.node.rpartition(".")
            for check in on(graph) if name in TOWARDS_VARIANCE else ():
                speaks_of = encloses(check)
                if speaks_of and speaks_of.rpartition(".")[0] == norm:
                    assert check.name in found[one.mutant.name], (check.name, one.mutant.name)


def encloses(check: Check) -> str:
    """The saved tensor that must be positive; empty for other checks."""
    return str(getattr(check.encloses, "keywords", {}).get("tensor", ""))


def each(positions: Iterable[int]) -> pytest.MarkDecorator:
    """The check at each of these positions; all but the first one are in the slow lane."""
    first, *rest = positions
    slow = [pytest.param(i, marks=pytest.mark.slow) for i in rest]
    return pytest.mark.parametrize("position", [first, *slow])


@each(range(len(on("layerNormGraph"))))
def test_a_check_that_finds_nothing_any_more_is_named(position: int) -> None:
    chosen = on("layerNormGraph")
    chosen[position] = blind(chosen[position])
    found = mutation_matrix(chosen, graphs_for(chosen), 0, 1, families=("generic",))
    assert [c.name for c in found.idle] == [chosen[position].name]
    assert not found.complete


def test_an_error_that_no_check_finds_is_named() -> None:
    chosen = [blind(c) for c in on("layerNormGraph")]
    found = mutation_matrix(chosen, graphs_for(chosen), 0, 1, families=("generic",))
    assert found.killed == 0
    assert found.survivors == found.unexplained == found.rows
    assert not found.complete


def broken(check: Check) -> Check:
    """The same check, but raising an exception on every graph except the right one."""

    def measure(case: Case) -> Measurement:
        if case.program.graph != right or case.batch.constants["eps"][0] < 0:
            raise ValueError("expected the right graph")
        return check.measure(case)

    right = next(iter(graphs_for([check]).values()))
    return replace(check, measure=measure)


@each(i for i, c in enumerate(on("layerNormGraph")) if not c.within)
def test_a_check_that_raises_is_named_and_the_others_are_asked(position: int) -> None:
    chosen = on("layerNormGraph")
    good = mutation_matrix(chosen, graphs_for(chosen), 0, 1, families=("generic",))
    chosen[position] = broken(chosen[position])
    found = mutation_matrix(chosen, graphs_for(chosen), 0, 1, families=("generic",))
    name = chosen[position].name
    ((graph, raised),) = found.raised
    assert (graph, raised.check) == ("layerNormGraph", name)
    assert raised.error == "ValueError: expected the right graph"
    assert not found.complete
    for one, other in zip(good.rows, found.rows, strict=True):
        assert set(other.killed_by) - {name} == set(one.killed_by) - {name}


def test_a_hypothesis_that_raises_on_the_right_graph_leaves_nothing_found() -> None:
    def measure(case: Case) -> Measurement:
        raise ZeroDivisionError("by 0")

    chosen = [c for c in on("layerNormGraph") if not c.within]
    hypothesis = next(i for i, c in enumerate(chosen) if c.refuted_by)
    chosen[hypothesis] = replace(chosen[hypothesis], measure=measure)
    found = mutation_matrix(chosen, graphs_for(chosen), 0, 1, families=("generic",))
    assert {r.check for _, r in found.raised} == {chosen[hypothesis].name}
    assert all(not r.killed_by for r in found.rows if r.kind != INSTANCE)
    assert not found.complete


def test_an_interrupted_table_says_that_it_is_incomplete() -> None:
    def stop(done: int, total: int, graph: str) -> None:
        if done == 3:
            raise KeyboardInterrupt

    chosen = on("geluGraph")
    found = mutation_matrix(chosen, graphs_for(chosen), 0, 1, stop, families=("generic",))
    assert len(found.rows) == 3 < found.planned
    assert found.interrupted
    assert not found.complete


HIDDEN = [
    pytest.param(graph, one, family, id=f"{graph}, {family}: {one.mutant.name}")
    for graph, planted in PLANTED.items()
    for one in planted
    for family in one.hidden
]


@pytest.mark.parametrize(("name", "one", "family"), HIDDEN)
def test_what_a_hidden_error_changes_is_below_rounding(
    name: str, one: Planted, family: str
) -> None:
    graph: Graph = ALL_GRAPHS[on(name)[0].request(FAMILIES[family])]
    batch = draw(FAMILIES[family], graph, seed=0, key="hidden", indices=range(3))
    right = Case(Interpreter(graph), batch)
    wrong = Case(*plant(one.mutant, graph, batch))
    for found, expected, terms in zip(results(wrong), results(right), sizes(right), strict=True):
        assert np.all(np.abs(found - expected) <= RULE_A * terms)


def alone(case: Case) -> list[dict[str, np.ndarray]]:
    return [{name: tangent} for name, tangent in case.tangents().items()]


def results(case: Case) -> list[np.ndarray]:
    """The value, the derivative along each input, and backprop to each."""
    trace = case.run()
    pushed = [case.program.jvp(trace, tangent) for tangent in alone(case)]
    return [trace.output, *pushed, *case.program.vjp(trace, case.cotangent()).values()]


def sizes(case: Case) -> list[np.ndarray]:
    """Σ|terms| of each of these."""
    trace = case.run()
    value = case.program.value_magnitudes(trace)[case.program.graph.outputs[0]]
    pushed = [case.program.jvp_magnitude(trace, tangent) for tangent in alone(case)]
    return [value, *pushed, *case.program.vjp_magnitude(trace, case.cotangent()).values()]


def test_there_are_many_errors_of_every_kind() -> None:
    assert len(PLANTED["encoderBlockGraph"]) >= 40
    for planted in PLANTED.values():
        names = [p.mutant.name for p in planted]
        assert len(set(names)) == len(names)
    known = {f for planted in PLANTED.values() for p in planted for f in p.hidden}
    assert known <= set(FAMILIES_OF_MUTANTS)
    counts = Counter(kind_of(p.mutant) for p in PLANTED["encoderBlockGraph"])
    not_linear = kind_of(DerivativeMutant("jvp", "ffnResidual", 0, "offset"))  # of two checks alone
    assert set(counts) == set(KINDS) - {OTHER, INSTANCE, not_linear}


def test_progress_is_reported_and_a_missing_graph_is_an_error() -> None:
    chosen = on("softmaxGraph")
    told: list[tuple[int, int, str]] = []
    found = mutation_matrix(chosen, graphs_for(chosen), 0, 1, lambda *now: told.append(now))
    assert told[-1] == (len(told), found.planned, "softmaxGraph")
    assert sum(kind.planted for kind in found.kinds) == sum(k.found for k in found.kinds)
    with pytest.raises(InvalidInputError, match="softmaxGraph with .* was not exported"):
        mutation_matrix(chosen, {}, 0, 1)
