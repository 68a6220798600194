"""The screen: it agrees with the full measurement, and cannot hide an error for long."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from numeric.instances.case import Case
from numeric.instances.draw import draw
from numeric.instances.families import FAMILIES, Region, sizes_of
from numeric.interpret.interpreter import Interpreter
from numeric.judge import identities, tolerance
from numeric.judge.measurement import Measurement, Outcome
from numeric.judge.tolerance import ARBITRATED, Sides, identity, screened
from tests.numeric.block_graphs import size_names, written
from tests.numeric.graphs import layer_norm

BLOCK = "encoderBlockGraph"


def block_case(family: str, count: int) -> Case:
    chosen = FAMILIES[family]
    graph = written(BLOCK, dict(sizes_of(chosen, size_names(BLOCK))))
    return Case(Interpreter(graph), draw(chosen, graph, seed=0, key="s", indices=range(count)))


@pytest.mark.parametrize("family", [f.name for f in FAMILIES.values() if f.region is Region.DOMAIN])
def test_outcomes_are_those_of_the_complex_step(
    family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = block_case(family, 40)
    quick = [identities.backprop_is_adjoint(case), identities.jvp_is_derivative(case)]
    monkeypatch.setattr(tolerance, "ARBITRATED", 1)
    slow = [identities.backprop_is_adjoint(case), identities.jvp_is_derivative(case)]
    for one, other in zip(quick, slow, strict=True):
        np.testing.assert_array_equal(one.outcome, other.outcome)
        assert np.all((one.residual <= tolerance.RULE_A) == (other.residual <= tolerance.RULE_A))


def found_by(left: float, quickly: float, first: int = 1, count: int = 6) -> Measurement:
    """An identity left = 1 on instances ``first`` …, whose quick side says ``quickly``."""
    graph = layer_norm(4, 8)
    batch = draw(FAMILIES["generic"], graph, seed=0, key="s", indices=range(first, first + count))

    def sides(value: float, at: Case) -> Sequence[Sides]:
        ones = np.ones((len(at), 1))
        return [Sides(value * ones, ones, ones, ones)]

    return screened(
        ["a part"],
        Case(Interpreter(graph), batch),
        lambda at: sides(quickly, at),
        lambda at, perturbation: sides(left, at),
    )


def test_a_screen_never_rejects() -> None:
    assert found_by(left=1.0, quickly=2.0).count(Outcome.HOLDS) == 6
    assert found_by(left=1.0, quickly=np.nan).count(Outcome.HOLDS) == 6
    assert found_by(left=2.0, quickly=2.0).count(Outcome.FAILS) == 6


def test_a_wrong_screen_is_seen_on_one_instance_in_many() -> None:
    assert found_by(left=2.0, quickly=1.0).count(Outcome.FAILS) == 0
    assert found_by(left=2.0, quickly=1.0, first=0).count(Outcome.FAILS) == 1
    later = found_by(left=2.0, quickly=1.0, first=ARBITRATED - 2)
    assert later.outcome.tolist() == [0, 0, 2, 0, 0, 0]


def test_a_screen_does_not_settle_errors_below_rule_a() -> None:
    """A term so large that even 1e-13 of it hides the quantity."""
    graph = layer_norm(4, 8)
    batch = draw(FAMILIES["generic"], graph, seed=0, key="s", indices=range(1, 4))
    case = Case(Interpreter(graph), batch)

    def vague(at: Case, perturbation: object = None) -> Sequence[Sides]:
        ones = np.ones((len(at), 1))
        return [Sides(1.01 * ones, ones, 1e12 * ones, ones)]

    assert screened(["a part"], case, vague, vague).count(Outcome.UNDECIDED) == 3
    assert identity(["a part"], case, vague).count(Outcome.UNDECIDED) == 3
