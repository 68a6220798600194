"""LayerNorm's checks hold on the right graph, and each rejects every error planted in it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bridge.checking import Check, CheckRun, Chunk, replay, run_check
from bridge.checking.tally import Tally
from bridge.verdict import Role, Verdict
from numeric.graph import Graph
from numeric.instances.case import Case
from numeric.instances.draw import draw
from numeric.instances.families import FAMILIES, Region, sizes_of
from numeric.interpret.interpreter import Interpreter
from numeric.judge.measurement import Outcome
from numeric.mutants.edits import Edit, GraphMutant, Mutant
from tests.checks.graphs import graphs_for, hypotheses_of
from tests.checks.pairs import pairs
from tests.numeric.graphs import layer_norm

CHECKS: dict[str, Check] = {
    k: c for k, c in pairs().items() if k.startswith("layerNorm_") and not c.within
}
CONCLUSIONS = [k for k, c in CHECKS.items() if c.role is Role.CONCLUSION]
GRAPHS = graphs_for(CHECKS.values())


def test_every_obligation_of_the_layer_has_a_check() -> None:
    theorems = ("layerNorm_hasFDerivAt", "layerNorm_backpropVec_eq_adjoint_fderiv_at")
    expected = {f"{t}:{b}" for t in theorems for b in ("hVarEpsPos", "hStdNe0", "conclusion")}
    from_eps = ("layerNorm_hasFDerivAt_of_pos", "layerNorm_backprop_eq_adjoint_fderiv_of_pos")
    expected |= {f"{t}:{b}" for t in from_eps for b in ("hEpsPos", "conclusion")}
    others = {"layerNorm_eval:conclusion", "layerNorm_std_ne_zero_iff:conclusion"}
    assert set(CHECKS) == expected | others


@pytest.mark.parametrize("key", CHECKS)
def test_the_check_holds(key: str) -> None:
    result = run_check(
        CheckRun(CHECKS[key], hypotheses_of(key, CHECKS), GRAPHS, key, 0), instances=200
    )
    assert result.verdict is Verdict.HOLDS, result
    assert result.reason == ""
    assert result.worst is not None
    assert result.worst.margin > 0


@pytest.mark.parametrize(
    ("key", "mutant"),
    [(k, m) for k in CONCLUSIONS for m in CHECKS[k].rejects],
    ids=lambda v: v if isinstance(v, str) else v.name,
)
def test_every_mutant_is_rejected_at_the_generic_family(key: str, mutant: Mutant) -> None:
    batch = draw(FAMILIES["generic"], layer_norm(4, 8), seed=1, key=key, indices=range(8))
    found = CHECKS[key].measure(Case(mutant.apply(layer_norm(4, 8)), batch))
    assert found.count(Outcome.FAILS) >= 7


@pytest.mark.parametrize("key", [k for k in CHECKS if not k.endswith(":hEpsPos")])
def test_where_the_variance_overflows_nothing_holds(key: str) -> None:
    """1/∞ is 0, so every derivative is 0, and anything lies within an infinite bound."""
    batch = draw(FAMILIES["generic"], layer_norm(4, 8), seed=1, key=key, indices=range(4))
    huge = replace(batch, inputs={**batch.inputs, "x": 1e160 * batch.inputs["x"]})
    found = CHECKS[key].measure(Case(Interpreter(layer_norm(4, 8)), huge))
    assert found.count(Outcome.UNDECIDED) == 4
    assert found.undecided_because


def replaced(mutant: Mutant) -> dict[object, Graph]:
    return {request: mutant.apply(graph).graph for request, graph in GRAPHS.items()}


@pytest.mark.parametrize(  # 0 < ε needs no graph
    "key", [k for k in CHECKS if k not in CONCLUSIONS and not k.endswith(":hEpsPos")]
)
@pytest.mark.parametrize(
    "mutant",
    [
        GraphMutant("variance is not divided by d", (Edit("var", op="sum"),)),
        GraphMutant("x squared instead of centered", (Edit("square", args=("x", "x")),)),
    ],
    ids=lambda m: m.name,
)
def test_a_hypothesis_fails_on_a_graph_that_computes_something_else(
    key: str, mutant: Mutant
) -> None:
    found = run_check(CheckRun(CHECKS[key], [], replaced(mutant), key, 0), instances=60)  # type: ignore[arg-type]
    assert found.verdict is Verdict.FAILS
    assert found.counterexample is not None
    assert "against the closed form" in found.counterexample.description


def test_a_wrong_graph_fails_with_a_counterexample_that_replays() -> None:
    key = "layerNorm_eval:conclusion"
    graphs = replaced(GraphMutant("divided by the variance", (Edit("invStd", args=("varEps",)),)))
    result = run_check(CheckRun(CHECKS[key], [], graphs, key, 5), instances=60)  # type: ignore[arg-type]
    assert result.verdict is Verdict.FAILS
    c = result.counterexample
    assert c is not None
    again = replay(CheckRun(CHECKS[key], [], graphs, key, c.seed), family=c.family, index=c.index)  # type: ignore[arg-type]
    assert result.worst is not None
    assert again.measurement.residual[0] == result.worst.residual
    assert again.measurement.count(Outcome.FAILS) == 1


@pytest.mark.parametrize(
    "family",
    [f for f in FAMILIES.values() if f.region is not Region.REFUTING],
    ids=lambda f: f.name,
)
def test_no_false_alarm_on_hard_instances(family: object) -> None:
    """200 instances of each family, 2,800 in all, through every conclusion: none fails."""
    assert family in FAMILIES.values()
    chosen = FAMILIES[family.name]  # type: ignore[attr-defined]
    sizes = dict(sizes_of(chosen, ("seqLen", "dModel")))
    graph = layer_norm(sizes["seqLen"], sizes["dModel"])
    batch = draw(chosen, graph, seed=11, key="false alarms", indices=range(200))
    case = Case(Interpreter(graph), batch)
    for key in CONCLUSIONS:
        said = [h.measure(case).outcome for h in hypotheses_of(key, CHECKS)]
        keep = np.all([o == Outcome.HOLDS for o in said] or [np.ones(len(case), bool)], axis=0)
        if not keep.any():
            continue
        found = CHECKS[key].measure(case.take(np.flatnonzero(keep)))
        assert found.count(Outcome.FAILS) == 0
        if chosen.region is Region.DOMAIN:
            assert found.count(Outcome.UNDECIDED) <= 2


def test_std_is_zero_where_var_plus_eps_is_not_positive() -> None:
    """Where ε overwhelms the variance, or is 0 in a constant row, both sides are false."""
    check = CHECKS["layerNorm_std_ne_zero_iff:conclusion"]
    for name in ("eps overwhelms variance", "eps 0, constant row", "eps 0, d_model 1"):
        sizes = dict(sizes_of(FAMILIES[name], ("seqLen", "dModel")))
        graph = layer_norm(sizes["seqLen"], sizes["dModel"])
        batch = draw(FAMILIES[name], graph, seed=2, key="iff", indices=range(50))
        assert check.measure(Case(Interpreter(graph), batch)).count(Outcome.FAILS) == 0
    assert check.measure(Case(Interpreter(graph), batch)).count(Outcome.HOLDS) == 50


def test_a_cancelled_variance_is_not_a_counterexample() -> None:
    """Where −ε is the variance as computed, graph and closed form may be on different sides of
    0."""
    key = "layerNorm_eval:conclusion"
    run = CheckRun(CHECKS[key], [], graphs_for([CHECKS[key]]), key, 0)
    found = run.measure(Chunk("eps cancels variance", 28_000, 29_000))
    assert isinstance(found, Tally)
    assert found.failed == 0
    assert found.undecided > 100
