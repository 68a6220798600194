"""The runner: its verdicts on checks that are right, wrong, blind, broken or starved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bridge.checking import Check, CheckInterrupted, CheckResult, CheckRun, check, replay, run_check
from bridge.checking.check_run import MUTANT_INSTANCES
from bridge.checking.runner import MAX_UNDECIDED_SHARE, minimum_accepted
from bridge.checking.units import Probe
from bridge.errors import InvalidInputError
from bridge.verdict import Verdict
from numeric.instances.case import Case
from numeric.instances.families import FAMILIES
from numeric.judge.measurement import Measurement, Outcome
from numeric.mutants.edits import DerivativeMutant, Edit, GraphMutant
from tests.checks.graphs import graphs_for

SIZES = ("seqLen", "dModel")
REFUTED = ("eps 0, constant row", "eps overwhelms variance")
SHIFTED = GraphMutant("mean is a sum", (Edit("mean", op="sum"),))
Says = Callable[[Case], Any]


def made(key: str, says: Says, **how: Any) -> Check:
    """A check with the outcomes of ``says``."""

    def measure(case: Case) -> Measurement:
        """A scripted check."""
        outcome = np.broadcast_to(np.asarray(says(case), np.int8), (len(case),))
        return Measurement(
            residual=outcome.astype(np.float64),
            tolerance=np.ones(len(case)),
            outcome=outcome,
            part=np.zeros(len(case), np.int64),
            parts=("a part",),
            undecided_because="it is dark" if np.any(outcome == Outcome.UNDECIDED) else "",
        )

    registry: dict[str, Check] = {}
    check(key, graph="layerNormGraph", sizes=SIZES, registry=registry, **how)(measure)
    return registry[key]


def eps_positive(case: Case) -> Any:
    return np.where(case.batch.constants["eps"] > 0, Outcome.HOLDS, Outcome.FAILS)


def value_right(case: Case) -> Any:
    """Rejects the mutant whose mean is a sum."""
    trace = case.run()
    return np.where(
        np.abs(trace["mean"]).max(axis=1) <= np.abs(trace["x"]).max(axis=(1, 2)) * (1 + 1e-12), 0, 2
    )


HYPOTHESIS = made("t:h", eps_positive, refuted_by=REFUTED)


def conclusion(says: Says = value_right, rejects: Any = (SHIFTED,)) -> Check:
    return made("t:conclusion", says, rejects=rejects)


def run(one: Check, *hypotheses: Check, **how: Any) -> CheckResult:
    graphs = graphs_for([one, *hypotheses])
    key, seed = how.pop("key", one.keys[0]), how.pop("seed", 0)
    return run_check(CheckRun(one, hypotheses, graphs, key, seed), **{"instances": 140, **how})


def test_a_true_hypothesis_holds() -> None:
    result = run(HYPOTHESIS)
    assert (result.verdict, result.instances, result.accepted) == (Verdict.HOLDS, 140, 140)
    roles = {f.family: f.role for f in result.families}
    assert {r for f, r in roles.items() if f not in REFUTED} == {"domain"}
    assert all(f.failed == f.drawn > 0 for f in result.families if f.role == "refuting")
    assert [f.margins.count for f in result.families] == [f.held for f in result.families]
    assert [f.beyond.count for f in result.families] == [f.failed for f in result.families]
    assert any(f.failed for f in result.families)


def test_a_false_hypothesis_fails_with_a_counterexample() -> None:
    bad = made(
        "t:h", lambda c: np.where(c.batch.constants["eps"] > 1e-20, 0, 2), refuted_by=REFUTED
    )
    result = run(bad)
    assert result.verdict is Verdict.FAILS
    assert result.counterexample is not None
    assert result.counterexample.family == "tiny eps"
    assert dict(result.counterexample.constants)["eps"] <= 1e-20
    assert dict(result.counterexample.shape) == {"seqLen": 4, "dModel": 8}
    assert "a part: residual 2 > tolerance 1" in result.counterexample.description
    again = replay(
        CheckRun(bad, [], graphs_for([bad]), "t:h", 0),
        family="tiny eps",
        index=result.counterexample.index,
    )
    assert again.case.batch.constants["eps"][0] == dict(result.counterexample.constants)["eps"]
    assert again.measurement.count(Outcome.FAILS) == len(again.measurement) == 1


def test_values_shared_by_all_mutants_are_measured_once() -> None:
    asked: list[int] = []

    def counted(case: Case) -> Any:
        asked.append(len(case))
        return eps_positive(case)

    hypothesis = made("t:h", counted, refuted_by=REFUTED)
    shrunk = GraphMutant("ε is lost", (Edit("varEps", op="scale", constant=1.0),))
    one = conclusion(rejects=(shrunk, SHIFTED, shrunk))
    tried = CheckRun(one, [hypothesis], graphs_for([one]), "t:conclusion", 0)
    found = [tried.measure(Probe(i)) for i in range(3)]
    assert found == [False, True, False]
    assert asked == [MUTANT_INSTANCES] * 2, "once for each family"


def test_a_hypothesis_check_that_never_rejects_is_inconclusive() -> None:
    result = run(made("t:h", lambda c: 0, refuted_by=REFUTED))
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "did not reject the family 'eps 0, constant row'" in result.reason


def test_undecided_is_not_rejected() -> None:
    shy = made("t:h", lambda c: np.where(c.batch.constants["eps"] > 0, 0, 1), refuted_by=REFUTED)
    assert run(shy).verdict is Verdict.INCONCLUSIVE


def test_a_conclusion_is_judged_where_hypotheses_hold() -> None:
    seen: list[float] = []

    def says(case: Case) -> Any:
        seen.extend(case.batch.constants["eps"])
        return value_right(case)

    def elsewhere(case: Case) -> Measurement:
        return HYPOTHESIS.measure(case)

    judged = made("t:conclusion", says, rejects=(SHIFTED,), outside=elsewhere)
    result = run(judged, HYPOTHESIS)
    assert result.verdict is Verdict.HOLDS
    assert min(seen) > 0
    assert result.accepted == sum(f.drawn for f in result.families if f.role == "domain") < 140
    assert {f.accepted for f in result.families if f.role == "edge"} == {0}


def test_a_conclusion_that_fails_only_outside_its_hypotheses_holds() -> None:
    picky = conclusion(lambda c: np.maximum(value_right(c), eps_positive(c)))
    assert run(picky, HYPOTHESIS).verdict is Verdict.HOLDS
    result = run(picky)
    assert result.verdict is Verdict.FAILS
    assert result.counterexample is not None
    assert FAMILIES[result.counterexample.family].region == "edge"


def test_a_hypothesis_that_no_instance_of_a_users_graph_violates_is_inconclusive() -> None:
    one = made("t:h", eps_positive, refuted_by=("eps 0, d_model 1",))
    graphs = graphs_for([one])
    given = graphs[one.request(FAMILIES["generic"])]
    result = run_check(CheckRun(one, (), dict.fromkeys(graphs, given), "t:h", 0), instances=140)
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "no family that violates the hypothesis, of ['eps 0, d_model 1']" in result.reason


def test_a_conclusion_check_that_cannot_say_no_is_inconclusive() -> None:
    result = run(conclusion(lambda c: 0), HYPOTHESIS)
    assert result.verdict is Verdict.INCONCLUSIVE
    assert result.reason == "the check did not reject the mutant 'mean is a sum'"


def test_every_mutant_must_be_rejected() -> None:
    unseen = DerivativeMutant("vjp", "square", 1)
    result = run(conclusion(rejects=(SHIFTED, unseen)), HYPOTHESIS)
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "'vjp of square, argument 1: drop'" in result.reason


def test_no_accepted_instance_is_vacuous() -> None:
    never = made("t:h", lambda c: 2, refuted_by=REFUTED)
    result = run(conclusion(), never)
    assert (result.verdict, result.accepted) == (Verdict.INCONCLUSIVE, 0)
    assert result.reason.startswith("vacuous? every hypothesis holds on only 0 of 140 instances")
    assert result.worst is None


def test_too_few_accepted_instances_are_vacuous() -> None:
    rarely = made("t:h", lambda c: np.where(c.batch.indices == 0, 0, 2), refuted_by=REFUTED)
    result = run(conclusion(), rarely, instances=1400)
    assert 0 < result.accepted < minimum_accepted(1400)
    assert result.verdict is Verdict.INCONCLUSIVE
    assert minimum_accepted(4) == minimum_accepted(1) == 1


def test_undecided_instances_are_reported_or_inconclusive() -> None:
    def dark(every: int) -> Check:
        return conclusion(
            lambda c: np.maximum(value_right(c), c.batch.indices % every == every - 1)
        )

    few = run(dark(100), HYPOTHESIS, instances=1400)
    assert few.verdict is Verdict.HOLDS
    assert few.reason == "11 of 1100 instances are undecided: it is dark"
    many = run(dark(10), HYPOTHESIS, instances=1400)
    assert many.verdict is Verdict.INCONCLUSIVE
    assert "it is dark" in many.reason
    assert 1 / 100 < MAX_UNDECIDED_SHARE < 1 / 10


def test_an_undecided_hypothesis_is_not_accepted() -> None:
    shy = made(
        "t:h", lambda c: np.maximum(eps_positive(c), c.batch.indices % 2), refuted_by=REFUTED
    )
    result = run(conclusion(), shy)
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "a hypothesis is undecided" in result.reason
    assert result.accepted < 80


def test_a_broken_check_is_an_error_not_a_crash() -> None:
    def broken(case: Case) -> Any:
        raise ZeroDivisionError("no such luck")

    result = run(conclusion(broken), HYPOTHESIS)
    assert (result.verdict, result.reason) == (Verdict.ERROR, "ZeroDivisionError: no such luck")
    lost = run(conclusion(rejects=(DerivativeMutant("vjp", "nowhere"),)), HYPOTHESIS)
    assert lost.verdict is Verdict.ERROR
    assert "nowhere" in lost.reason


def stopped_after(instances: int, says: Says) -> CheckResult:
    seen: list[int] = []

    def stopped(case: Case) -> Any:
        seen.append(len(case))
        if sum(seen) > instances:
            raise KeyboardInterrupt
        return says(case)

    with pytest.raises(CheckInterrupted) as stop:
        run(conclusion(stopped), HYPOTHESIS)
    assert isinstance(stop.value, KeyboardInterrupt)
    return stop.value.result


def test_an_interrupt_goes_through_with_what_was_found() -> None:
    found = stopped_after(30, lambda c: 0)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.reason == "interrupted after 30 of 140 instances; none failed"
    assert (found.instances, found.accepted) == (30, 30)
    assert sum(f.held for f in found.families) == 30


def test_an_interrupt_does_not_lose_a_counterexample() -> None:
    found = stopped_after(30, lambda c: np.where(c.batch.indices == 7, 2, 0))
    assert found.verdict is Verdict.FAILS
    assert found.reason == "fails on 3 of 30 instances; interrupted after 30 of 140 instances"
    assert found.counterexample is not None
    assert found.counterexample.index == 7


def test_an_interrupt_at_once_finds_nothing() -> None:
    found = stopped_after(0, lambda c: 0)
    assert (found.verdict, found.instances, found.families) == (Verdict.INCONCLUSIVE, 0, ())


def test_a_missing_graph_is_an_error() -> None:
    result = run_check(CheckRun(HYPOTHESIS, [], {}, "t:h", 0), instances=20)
    assert result.verdict is Verdict.ERROR
    assert "layerNormGraph with {'seqLen': 4, 'dModel': 8} was not exported" in result.reason


def test_hypotheses_on_another_graph_are_an_error() -> None:
    registry: dict[str, Check] = {}
    check("t:h", graph="other", sizes=SIZES, refuted_by=REFUTED, registry=registry)(
        HYPOTHESIS.measure
    )
    result = run_check(
        CheckRun(conclusion(), [registry["t:h"]], graphs_for([conclusion()]), "t:conclusion", 0),
        instances=20,
    )
    assert result.verdict is Verdict.ERROR
    assert "on other" in result.reason


def test_progress_is_reported() -> None:
    told: list[tuple[int, int]] = []
    run(HYPOTHESIS, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (140, 140)
    assert [d for d, _ in told] == sorted(d for d, _ in told)


def test_the_seed_and_the_key_choose_the_instances() -> None:
    noted: list[float] = []

    def says(case: Case) -> Any:
        noted.append(float(case.batch.inputs["x"].sum()))
        return eps_positive(case)

    def first(**how: Any) -> float:
        noted.clear()
        run(made("t:h", says, refuted_by=REFUTED), **how)
        return noted[0]

    assert first() == first()
    assert first(seed=1) != first()
    assert first(key="other:h") != first()


def test_few_instances_reach_every_family() -> None:
    result = run(HYPOTHESIS, instances=1)
    assert result.verdict is Verdict.HOLDS
    assert all(f.drawn >= 1 for f in result.families)


def test_an_unknown_family_cannot_be_replayed() -> None:
    with pytest.raises(InvalidInputError, match="expected a family of instances but got 'nice'"):
        replay(CheckRun(HYPOTHESIS, [], {}, "t:h", 0), family="nice", index=0)
