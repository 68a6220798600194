"""The checks of theorems about special instances: constant rows, and one channel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bridge.auditing.graph_file import StandIn, about
from bridge.auditing.graph_fit import Fitted
from bridge.checking import Check, CheckRun, graph_requests, run_check
from bridge.checking.mutation import mutation_matrix
from bridge.lean.obligation import fidelity_of
from bridge.verdict import Role, Verdict
from numeric.instances.case import Case
from numeric.instances.draw import draw
from numeric.instances.families import FAMILIES
from numeric.interpret.interpreter import Interpreter
from numeric.judge.measurement import Outcome
from numeric.mutants.edits import DerivativeMutant
from tests.checks.graphs import graphs_for, hypotheses_of
from tests.checks.pairs import pairs
from tests.numeric.graphs import layer_norm

CHECKS: dict[str, Check] = {k: c for k, c in pairs().items() if c.within}
GRAPHS = graphs_for(CHECKS.values())
CONSTANT = "layerNorm_eval_of_constant_row"


def test_every_obligation_has_a_check() -> None:
    rows = ("layerNorm_eval_of_constant_row", "layerNorm_std_of_constant_row")
    one = ("hasFDerivAt_zero", "derivHead_eq_zero", "backprop_head_eq_zero")
    expected = {f"{t}:{b}" for t in rows for b in ("hConstantRow", "conclusion")}
    expected |= {f"layerNorm_{t}:{b}" for t in one for b in ("hOneChannel", "conclusion")}
    assert set(CHECKS) == expected


@pytest.mark.parametrize("key", CHECKS)
def test_the_check_holds_and_rejects(key: str) -> None:
    """A verdict of holds also means that every refuting family and every mutant was rejected."""
    check = CHECKS[key]
    result = run_check(CheckRun(check, hypotheses_of(key, CHECKS), GRAPHS, key, 0), instances=120)
    assert result.verdict is Verdict.HOLDS, result
    drawn = {f.family for f in result.families if f.role != "refuting"}
    assert drawn <= set(check.within)
    if check.role is Role.CONCLUSION:
        assert len(check.rejects) >= 3
        assert result.accepted >= 80
        (need,) = result.needs
        assert need.failed > 0, "the conclusion holds elsewhere too, so that it needs nothing"
    else:
        refuting = {f.family for f in result.families if f.role == "refuting"}
        assert refuting == set(check.refuted_by)


def test_a_row_that_is_nearly_constant_is_not_constant() -> None:
    graph = layer_norm(4, 8)
    batch = draw(FAMILIES["constant rows"], graph, seed=0, key="nearly", indices=range(6))
    check = CHECKS[f"{CONSTANT}:hConstantRow"]
    assert check.measure(Case(Interpreter(graph), batch)).count(Outcome.HOLDS) == 6
    x = batch.inputs["x"].copy()
    x[:, 0, -1] = np.nextafter(x[:, 0, -1], np.inf)
    moved = replace(batch, inputs={**batch.inputs, "x": x})
    assert check.measure(Case(Interpreter(graph), moved)).count(Outcome.FAILS) == 6


def test_zero_times_a_wrong_factor_is_not_an_error() -> None:
    """With one channel `centered` is 0, so that an error in what multiplies it changes nothing."""
    graph = layer_norm(4, 1)
    batch = draw(FAMILIES["d_model 1"], graph, seed=0, key="unseen", indices=range(6))
    unseen = Case(DerivativeMutant("jvp", "invStd", 0, "negate").apply(graph), batch)
    found = CHECKS["layerNorm_derivHead_eq_zero:conclusion"].measure(unseen)
    assert found.count(Outcome.HOLDS) == 6


def test_a_graph_of_other_sizes_decides_nothing() -> None:
    key = "layerNorm_derivHead_eq_zero:conclusion"
    given = dict.fromkeys(graph_requests(CHECKS.values()), layer_norm(4, 8))
    for one in (key, key.replace("conclusion", "hOneChannel")):
        result = run_check(CheckRun(CHECKS[one], [], given, one, 0), instances=20)
        assert result.verdict is Verdict.INCONCLUSIVE
        assert result.reason == "no instance of 'd_model 1' has the sizes of this graph"


def test_an_audit_of_another_graph_leaves_out_what_does_not_apply() -> None:
    keys = (*CHECKS, "layerNorm_eval:conclusion", "softmax_eval:conclusion", "no_check:conclusion")
    every = tuple(replace(fidelity_of("g", ""), key=key) for key in keys)
    requests = graph_requests(CHECKS.values())

    def stand_in(d_model: int) -> StandIn:
        given = layer_norm(4, d_model)
        return StandIn(Fitted(given), {}, dict.fromkeys(requests, given))

    def left(d_model: int) -> set[str]:
        return set(keys) - {o.key for o in about(every, CHECKS, stand_in(d_model))}

    one_channel = {k for k, c in CHECKS.items() if c.within == ("d_model 1",)}
    assert len(one_channel) == 6
    assert left(8) == one_channel
    assert left(1) == set()
    alone = every[: len(CHECKS)]
    chosen = tuple(o for o in alone if o.key in one_channel)
    assert about(chosen, CHECKS, stand_in(8)) == chosen  # asked for by name


def test_their_errors_are_planted_where_they_apply() -> None:
    """Not among those of checks of the same graph that cover all families."""
    general = pairs()["layerNorm_eval:conclusion"]
    chosen = [*CHECKS.values(), general]
    report = mutation_matrix(chosen, graphs_for(chosen), 0, 2, families=("generic",))
    found: dict[tuple[str, ...], set[str]] = {}
    for row in report.rows:
        if row.mutant == "x is normalized instead of x - mean":
            found[tuple(c.family for c in row.cells)] = set(row.killed_by)
    assert found[("generic",)] == {general.name}
    assert "a_constant_row_becomes_beta" in found[("constant rows", "d_model 1")]
    assert "one_channel_gets_no_gradient" in found[("d_model 1",)]
    assert all(general.name not in names for where, names in found.items() if len(where) > 1)
    assert not {c.name for c in report.idle} & {c.name for c in CHECKS.values()}
