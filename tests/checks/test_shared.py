"""Obligations of one form share their check's result; all others have their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bridge.auditing.shared import Shared, named, unnamed
from bridge.checking import Check, CheckResult, CheckRun, check, replay, run_check
from bridge.checks.by_form import checks_of
from bridge.checks.forms import Form, Says
from bridge.verdict import Verdict
from numeric.instances.case import Case
from numeric.instances.families import FAMILIES
from numeric.judge.measurement import Measurement, Outcome
from numeric.mutants.edits import OutputMutant
from tests.checks.graphs import graphs_for

GRAPH = "layerNormGraph"
DERIVATIVE, EPS = Form(Says.DERIVATIVE, GRAPH), Form(Says.EPS, GRAPH, "eps")
POSITIVE = Form(Says.TENSOR_POSITIVE, GRAPH, "eps", "varEps")
CHECKS = checks_of(
    {
        "first:conclusion": DERIVATIVE,
        "first:hEps": EPS,
        "second:conclusion": DERIVATIVE,
        "second:hOther": EPS,
        "third:conclusion": DERIVATIVE,
        "third:hVarEpsPos": POSITIVE,
    }
)
GRAPHS = graphs_for(CHECKS.values())
FIRST, SECOND, THIRD = (f"{name}:conclusion" for name in ("first", "second", "third"))
GENERIC = FAMILIES["generic"]


def run(key: str, hypotheses: Sequence[str], seed: int = 0) -> CheckRun:
    return CheckRun(CHECKS[key], [CHECKS[h] for h in hypotheses], GRAPHS, key, seed)


def first() -> CheckRun:
    return run(FIRST, ["first:hEps"])


def second() -> CheckRun:
    return run(SECOND, ["second:hOther"])


def measured(one: CheckRun) -> CheckResult:
    return run_check(one, instances=60)


def test_one_form_is_measured_once_and_reported_for_each_theorem() -> None:
    shared, found = Shared(), measured(first())
    assert [n.hypothesis for n in found.needs] == ["hEps"]
    assert shared.get(second()) is None
    shared.add(first(), found)
    again = shared.get(second())
    assert again == measured(second())
    assert again is not None
    assert [n.hypothesis for n in again.needs] == ["hOther"]
    assert shared.get(first()) == found


def test_other_hypotheses_graphs_or_radii_are_not_the_same() -> None:
    shared, found = Shared(), measured(first())
    shared.add(first(), found)
    assert shared.get(run(THIRD, ["third:hVarEpsPos"])) is None
    assert shared.get(run(SECOND, [])) is None
    assert shared.get(run("second:hOther", [])) is None
    assert shared.get(second(), 0.25) is None
    one = second()
    assert shared.get(CheckRun(one.check, one.hypotheses, dict(GRAPHS), SECOND, 0)) is None
    other = replace(one.check, doc="of a file")
    assert shared.get(CheckRun(other, one.hypotheses, GRAPHS, SECOND, 0)) is None


def test_a_broken_result_is_not_shared() -> None:
    shared = Shared()
    shared.add(first(), CheckResult(Verdict.ERROR, f"{FIRST} runs on another graph", 0, 0))
    assert shared.get(second()) is None


def test_a_stored_result_has_no_theorems_names() -> None:
    found = measured(first())
    kept = unnamed(found, first())
    assert [n.hypothesis for n in kept.needs] == ["form eps:layerNormGraph:eps:"]
    assert named(kept, first()) == found
    assert unnamed(named(kept, second()), second()) == kept


def test_replaying_either_obligation_draws_the_instance_that_was_reported() -> None:
    wrong = {r: OutputMutant(1.01).apply(g).graph for r, g in GRAPHS.items()}
    evals = checks_of(dict.fromkeys(("a:conclusion", "b:conclusion"), Form(Says.VALUE, GRAPH)))
    a, b = (CheckRun(one, [], wrong, key, 5) for key, one in evals.items())
    shared = Shared()
    shared.add(a, measured(a))
    told = shared.get(b)
    assert told is not None
    example = told.counterexample
    assert example is not None
    assert example.seed == 5
    for one in (a, b):
        again = replay(one, family=example.family, index=example.index)
        assert again.measurement.count(Outcome.FAILS) == 1
        assert f"residual {again.measurement.residual[0]:.3g} >" in example.description
        drawn = {n: float(v[0]) for n, v in again.case.batch.constants.items()}
        assert drawn == dict(example.constants)


def x_of(one: Check, key: str) -> np.ndarray:
    return CheckRun(one, [], GRAPHS, key, 0).case(GENERIC, np.arange(3)).batch.inputs["x"]


def of_a_project(*keys: str) -> dict[str, Check]:
    registry: dict[str, Check] = {}

    @check(*keys, graph=GRAPH, sizes=("seqLen", "dModel"), rejects=["…"], registry=registry)  # type: ignore[list-item]
    def anything(case: Case) -> Measurement:
        """Nothing in particular."""
        raise NotImplementedError

    return registry


def test_a_check_for_one_key_draws_for_that_key() -> None:
    one, other = of_a_project("mine:conclusion"), of_a_project("yours:conclusion")
    mine, yours = one["mine:conclusion"], other["yours:conclusion"]
    assert mine.drawn_for("mine:conclusion") == "mine:conclusion"
    assert not np.array_equal(x_of(mine, "mine:conclusion"), x_of(yours, "yours:conclusion"))
    shared = Shared()
    shared.add(
        CheckRun(mine, [], GRAPHS, "mine:conclusion", 0), replace(measured(first()), needs=())
    )
    assert shared.get(CheckRun(yours, [], GRAPHS, "yours:conclusion", 0)) is None


def test_a_check_for_several_keys_draws_for_the_first() -> None:
    several = of_a_project("one:conclusion", "two:conclusion")
    xs = [x_of(c, key) for key, c in several.items()]
    assert np.array_equal(*xs)
    assert not np.array_equal(xs[0], x_of(several["one:conclusion"], "three:conclusion"))
