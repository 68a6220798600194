"""The checks of the block and its parts hold on the right graphs, and reject planted errors."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.checking import Check, CheckRun, replay, run_check
from bridge.verdict import Role, Verdict
from numeric.instances.families import FAMILIES
from numeric.judge.measurement import Outcome
from tests.checks.graphs import graphs_for, hypotheses_of, slow_if_large
from tests.checks.pairs import pairs
from tests.numeric.block_graphs import WRITTEN

CHECKS: dict[str, Check] = {k: c for k, c in pairs().items() if c.graph in WRITTEN}
GRAPHS = graphs_for(CHECKS.values())


def distinct() -> dict[str, tuple[str, ...]]:
    """One key for every check with its hypotheses, and the keys that share it: theorems from other
    assumptions, or at `Real`, state the same about a graph."""
    found: list[tuple[object, list[str]]] = []
    for key, check in CHECKS.items():
        whole = [check, *hypotheses_of(key, CHECKS)]
        what = [replace(c, name="", doc="", keys=()) for c in whole]
        for known, keys in found:
            if known == what:
                keys.append(key)
                break
        else:
            found.append((what, [key]))
    return {keys[0]: tuple(keys) for _, keys in found}


DISTINCT = distinct()


def test_every_check_is_among_the_distinct_ones() -> None:
    assert sorted(k for keys in DISTINCT.values() for k in keys) == sorted(CHECKS)
    assert 100 < len(DISTINCT) < len(CHECKS)


@pytest.mark.parametrize(
    "key", [pytest.param(k, marks=slow_if_large(GRAPHS, CHECKS[k].graph)) for k in DISTINCT]
)
def test_the_check_holds_and_rejects(key: str) -> None:
    """A verdict of holds also means that every refuting family and every mutant was rejected.

    Whole blocks are marked slow: `tests/lean/test_library.py` audits them, too, on Lean's own
    graphs, which it compares with these.
    """
    check = CHECKS[key]
    result = run_check(
        CheckRun(check, hypotheses_of(key, CHECKS), GRAPHS, key, 0), instances=5 * len(FAMILIES)
    )
    assert result.verdict is Verdict.HOLDS, result
    assert result.worst is not None
    assert result.accepted >= 50
    if check.role is Role.CONCLUSION:
        assert len(check.rejects) >= 3


def test_a_step_that_underflows_where_tanh_is_saturated_is_not_a_failure() -> None:
    """The derivative there is 1e-116, and its complex step the multiple of 5e-124 next to it."""
    key = "encoderBlockGraphFDerivCorrectAt:conclusion"
    found = replay(
        CheckRun(CHECKS[key], hypotheses_of(key, CHECKS), GRAPHS, key, 0),
        family="eps slightly negative",
        index=31,
    )
    assert found.measurement.count(Outcome.FAILS) == 0


def test_a_step_does_not_underflow_at_a_huge_sum_of_exponentials() -> None:
    """Saturated scores give sums near 1e60, whose inverse has a derivative near 1e-120."""
    key = "encoderBlockGraphFDerivCorrectAt:conclusion"
    found = replay(
        CheckRun(CHECKS[key], hypotheses_of(key, CHECKS), GRAPHS, key, 0),
        family="saturated softmax",
        index=9,
    )
    assert found.measurement.count(Outcome.HOLDS) == 1
