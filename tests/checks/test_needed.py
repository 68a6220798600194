"""Whether a hypothesis is needed: counts on instances that violate it, and a witness that meets all
hypotheses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bridge.checking import Check, CheckResult, CheckRun, Need, Witness, check, replay, run_check
from bridge.verdict import Verdict
from numeric.instances.case import Case
from numeric.judge.measurement import Measurement, Outcome
from numeric.mutants.edits import Edit, GraphMutant
from tests.checks.graphs import graphs_for, hypotheses_of
from tests.checks.pairs import pairs

SIZES = ("seqLen", "dModel")
REFUTED = ("eps 0, constant row", "eps overwhelms variance")
SHIFTED = GraphMutant("mean is a sum", (Edit("mean", op="sum"),))
CHECKS = dict(pairs())


def made(key: str, says: Callable[[Case], Any], **how: Any) -> Check:
    def measure(case: Case) -> Measurement:
        """A scripted check."""
        outcome = np.broadcast_to(np.asarray(says(case), np.int8), (len(case),))
        return Measurement(
            residual=outcome.astype(np.float64),
            tolerance=np.ones(len(case)),
            outcome=outcome,
            part=np.zeros(len(case), np.int64),
            parts=("a part",),
        )

    registry: dict[str, Check] = {}
    check(key, graph="layerNormGraph", sizes=SIZES, registry=registry, **how)(measure)
    return registry[key]


def eps_positive(case: Case) -> Any:
    return np.where(case.batch.constants["eps"] > 0, Outcome.HOLDS, Outcome.FAILS)


def value_right(case: Case) -> Any:
    trace = case.run()
    limit = np.abs(trace["x"]).max(axis=(1, 2)) * (1 + 1e-12)
    return np.where(np.abs(trace["mean"]).max(axis=1) <= limit, 0, 2)


HYPOTHESIS = made("t:hEpsPos", eps_positive, refuted_by=REFUTED)


def judged(says: Callable[[Case], Any], **how: Any) -> CheckResult:
    one = made("t:conclusion", says, rejects=(SHIFTED,), **how)
    graphs = graphs_for([one, HYPOTHESIS])
    return run_check(CheckRun(one, [HYPOTHESIS], graphs, "t:conclusion", 0), instances=150)


def test_a_conclusion_that_holds_everywhere_does_not_need_its_hypothesis() -> None:
    result = judged(value_right)
    (need,) = result.needs
    assert need.hypothesis == "hEpsPos"
    assert need.violated == need.held == 5 * 6  # two families refute it, three are at the edge
    assert need.words == "not needed on 30 of 30 violating instances"
    assert result.verdict is Verdict.HOLDS


def test_a_conclusion_that_fails_without_it_needs_it() -> None:
    result = judged(lambda case: np.maximum(value_right(case), eps_positive(case)))
    assert result.verdict is Verdict.HOLDS
    (need,) = result.needs
    assert need.failed == need.violated == 30
    assert need.words == "needed on all 30 violating instances"


def test_another_measure_can_be_named_for_where_it_is_violated() -> None:
    def dark(case: Case) -> Measurement:
        size = len(case)
        return Measurement(
            np.zeros(size), np.ones(size), np.full(size, 1, np.int8), np.zeros(size, int), ("x",)
        )

    result = judged(value_right, outside=dark)
    assert [n.undecided for n in result.needs] == [30]
    assert result.verdict is Verdict.HOLDS


def test_the_witness_meets_every_hypothesis_and_is_replayed() -> None:
    key = "layerNorm_hasFDerivAt:conclusion"
    hypotheses = hypotheses_of(key, CHECKS)
    graphs = graphs_for([CHECKS[key], *hypotheses])
    result = run_check(CheckRun(CHECKS[key], hypotheses, graphs, key, 3), instances=60)
    assert result.witness is not None
    witness = result.witness
    run = CheckRun(CHECKS[key], hypotheses, graphs, key, witness.seed)
    again = replay(run, family=witness.family, index=witness.index)
    assert all(m.outcome[0] == Outcome.HOLDS for m in again.hypotheses.values())
    assert again.measurement.outcome[0] == Outcome.HOLDS
    assert run_check(CheckRun(CHECKS[key], hypotheses, graphs, key, 3), instances=60) == result


def test_the_witness_is_the_first_that_is_accepted() -> None:
    late = made("t:hEpsPos", lambda c: np.where(c.batch.indices >= 3, 0, 2), refuted_by=REFUTED)
    one = made("t:conclusion", value_right, rejects=(SHIFTED,))
    graphs = graphs_for([one, late])
    result = run_check(CheckRun(one, [late], graphs, "t:conclusion", 0), instances=150)
    assert result.witness == Witness(0, "generic", 3)


def test_without_an_accepted_instance_there_is_no_witness() -> None:
    never = made("t:hEpsPos", lambda c: 2, refuted_by=REFUTED)
    one = made("t:conclusion", value_right, rejects=(SHIFTED,))
    graphs = graphs_for([one, never])
    result = run_check(CheckRun(one, [never], graphs, "t:conclusion", 0), instances=150)
    assert result.witness is None
    assert result.verdict is Verdict.INCONCLUSIVE
    assert result.reason.startswith("vacuous?")


@pytest.mark.parametrize(
    "key",
    ["layerNorm_hasFDerivAt:conclusion", "layerNorm_backpropVec_eq_adjoint_fderiv_at:conclusion"],
)
def test_layer_norms_hypotheses_are_needed_where_there_is_no_derivative(key: str) -> None:
    """At var + ε = 0 there is no derivative, although rule and complex step agree on 0; below, the
    graph is constant, and its derivative is right."""
    hypotheses = hypotheses_of(key, CHECKS)
    graphs = graphs_for([CHECKS[key], *hypotheses])
    result = run_check(CheckRun(CHECKS[key], hypotheses, graphs, key, 0), instances=150)
    assert {n.hypothesis for n in result.needs} == {"hVarEpsPos", "hStdNe0"}
    for need in result.needs:
        assert need.failed > 0
        assert need.held > 0
        assert need.failed + need.held + need.undecided == need.violated


def test_counts_add_up_and_are_words() -> None:
    one, two = Need("h", 4, 1, 2, 1), Need("h", 2, 0, 2, 0)
    assert one + two == Need("h", 6, 1, 4, 1)
    assert (one + two).words == (
        "needed on 4, not needed on 1, undecided on 1 of 6 violating instances"
    )
    assert Need("h", 0, 0, 0, 0).words == "no instance drawn violates it"
    with pytest.raises(ValueError, match="expected 'h' but got 'g'"):
        _ = one + Need("g", 1, 1, 0, 0)


def test_the_binder_is_the_theorems_own() -> None:
    from bridge.checking.needed import binder_of

    shared = CHECKS["layerNorm_hasFDerivAt:hStdNe0"]
    assert binder_of(shared, "layerNorm_hasFDerivAt:conclusion") == "hStdNe0"
    assert binder_of(shared, "other:conclusion") == shared.name


@pytest.mark.parametrize(
    "key", ["layerNorm_hasFDerivAt", "layerNorm_backpropVec_eq_adjoint_fderiv_at"]
)
def test_a_conclusion_without_the_hypotheses_that_it_needs_does_not_hold(key: str) -> None:
    """A theorem that forgot `0 < ε`: there is no derivative where ε is 0 and a row constant."""
    one = CHECKS[f"{key}:conclusion"]
    siblings = hypotheses_of(f"{key}:conclusion", CHECKS)
    graphs = graphs_for([one, *siblings])

    def judged_with(hypotheses: list[Check]) -> CheckResult:
        return run_check(CheckRun(one, hypotheses, graphs, "t:conclusion", 0), instances=60)

    bare = judged_with([])
    assert bare.verdict is Verdict.INCONCLUSIVE
    assert bare.reason.startswith("no hypothesis keeps out instances where it fails: family 'eps")
    assert judged_with(siblings).verdict is Verdict.HOLDS


def test_a_conclusion_that_needs_no_hypothesis_holds_without() -> None:
    one = CHECKS["softmax_hasFDerivAt:conclusion"]
    graphs = graphs_for([one, CHECKS["layerNorm_hasFDerivAt:hVarEpsPos"]])
    result = run_check(CheckRun(one, [], graphs, "t:conclusion", 0), instances=60)
    assert result.verdict is Verdict.HOLDS, result.reason
