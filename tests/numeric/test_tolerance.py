"""Rules A and B accept, reject or stay undecided, each where they should."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from numeric.instances.case import Case
from numeric.instances.draw import draw
from numeric.instances.families import FAMILIES
from numeric.interpret.interpreter import Interpreter
from numeric.interpret.perturbation import Perturbation
from numeric.judge.measurement import Measurement, Outcome, combine
from numeric.judge.tolerance import RULE_A, Sides, identity
from tests.numeric.graphs import layer_norm

FloatArray = npt.NDArray[np.float64]
GRAPH = layer_norm(4, 8)
SIZE = 5


def case() -> Case:
    batch = draw(FAMILIES["generic"], GRAPH, seed=0, key="t", indices=range(SIZE))
    return Case(Interpreter(GRAPH), batch)


def measure(
    error: float, noise: float, terms: float = 1.0, natural: float | None = None
) -> Measurement:
    """Two sides that differ by ``error`` and move by ``noise`` when they are perturbed."""

    def sides(at: Case, perturbation: Perturbation | None) -> list[Sides]:
        left = np.full((len(at), 3), 1.0)
        right = left + error
        if perturbation is not None:
            left = left + noise * at.batch.streams.child("n").signs((3,))
        full = np.full_like(left, terms)
        return [
            Sides.of(left, right, full, None if natural is None else np.full_like(left, natural))
        ]

    return identity(["part"], case(), sides)


@pytest.mark.parametrize(
    ("error", "noise", "outcome"),
    [
        (0.0, 0.0, Outcome.HOLDS),
        (0.9e-13, 0.0, Outcome.HOLDS),  # rule A
        (1.1e-13, 0.0, Outcome.FAILS),  # rule B without noise: 32·4u = 1.4e-14
        (1e-6, 0.0, Outcome.FAILS),
        (1e-6, 1e-7, Outcome.HOLDS),  # within 32 · noise
        (1e-6, 1e-8, Outcome.FAILS),
        (1e-3, 1e-4, Outcome.UNDECIDED),  # too much noise
        (np.nan, 0.0, Outcome.UNDECIDED),
        (np.inf, 0.0, Outcome.UNDECIDED),
        (1e-6, np.nan, Outcome.UNDECIDED),
    ],
)
def test_the_two_rules(error: float, noise: float, outcome: Outcome) -> None:
    found = measure(error, noise)
    assert found.count(outcome) == SIZE
    assert bool(found.undecided_because) == (outcome is Outcome.UNDECIDED)


def test_the_residual_is_relative_to_the_terms() -> None:
    found = measure(1e-10, 0.0, terms=1e4)
    np.testing.assert_allclose(found.residual, 1e-14, rtol=1e-4)
    np.testing.assert_array_equal(found.margin, RULE_A - found.residual)
    assert found.count(Outcome.HOLDS) == SIZE


def test_a_tolerance_wider_than_the_quantity_decides_nothing() -> None:
    assert measure(1e-6, 0.0, terms=1e12, natural=1.0).count(Outcome.UNDECIDED) == SIZE
    assert measure(0.0, 0.0, terms=1e8, natural=1.0).count(Outcome.HOLDS) == SIZE


@pytest.mark.parametrize("error", [0.0, 1e-6, 2.0])
@pytest.mark.parametrize("size", [np.inf, np.nan])
def test_nothing_holds_relative_to_non_finite_terms(error: float, size: float) -> None:
    """Everything is small relative to infinity, such as an overflowing sum of absolute terms."""
    for natural in (None, 1.0):
        assert measure(error, 0.0, size, natural).count(Outcome.HOLDS) == 0
    assert measure(error, 0.0, 1.0, size).count(Outcome.HOLDS) == 0


@pytest.mark.parametrize(
    ("size", "outcome"),
    [(1e-290, Outcome.FAILS), (1e-300, Outcome.UNDECIDED), (5e-324, Outcome.UNDECIDED)],
)
def test_values_all_below_the_floor_hold_only_where_they_agree(
    size: float, outcome: Outcome
) -> None:
    def measured(factor: float) -> Measurement:
        def sides(at: Case, perturbation: Perturbation | None) -> list[Sides]:
            full = np.full((len(at), 3), size)
            return [Sides.of(full, factor * full, full)]

        return identity(["part"], case(), sides)

    assert measured(1.0).count(Outcome.HOLDS) == SIZE
    assert measured(2.0).count(outcome) == SIZE


def test_values_that_agree_relative_to_their_size_hold_for_any_terms() -> None:
    assert measure(0.0, 0.0, terms=1e12, natural=1.0).count(Outcome.HOLDS) == SIZE
    assert measure(2e-13, 0.0, terms=1e12, natural=1.0).count(Outcome.UNDECIDED) == SIZE


def test_noise_of_a_degenerate_quantity_does_not_hide_it() -> None:
    assert measure(1e-3, 1e-3, terms=1e-3, natural=1e3).count(Outcome.HOLDS) == SIZE


def test_an_instance_is_judged_alone() -> None:
    def sides(at: Case, perturbation: Perturbation | None) -> list[Sides]:
        left = np.ones((len(at), 2))
        bad = (at.batch.indices == 3)[:, None] * np.array([0.0, 1e-3])
        return [Sides.of(left, left + bad, left)]

    found = identity(["part"], case(), sides)
    np.testing.assert_array_equal(found.outcome, [0, 0, 0, Outcome.FAILS, 0])


@pytest.mark.parametrize("most", [1, 2, 3, 7, 100])
def test_reruns_give_the_same_together_and_one_by_one(most: int) -> None:
    def sides(at: Case, perturbation: Perturbation | None) -> list[Sides]:
        trace = at.run(perturbation)
        left = trace.output * (1.0 + 1e-12)  # rule A fires, and the noise decides
        return [Sides.of(left, trace.output, np.abs(trace.output))]

    found = identity(["part"], case(), sides, most)
    whole = identity(["part"], case(), sides)
    assert np.all(found.tolerance > RULE_A)
    np.testing.assert_array_equal(found.tolerance, whole.tolerance)
    np.testing.assert_array_equal(found.outcome, whole.outcome)


def test_each_rerun_moves_by_itself() -> None:
    """As many runs as instances: the moves differ between runs."""
    again, moves = case().reruns(range(4))
    outputs = again.run(moves).output.reshape(4, SIZE, -1)
    assert len(np.unique(outputs.reshape(4, -1), axis=0)) == 4
    for run in range(4):
        alone, move = case().reruns([run])
        np.testing.assert_array_equal(alone.run(move).output.reshape(SIZE, -1), outputs[run])
    up, down = (again.batch.constants["eps"].reshape(4, SIZE)[k] for k in (1, 0))
    assert np.all(up > down)


def measurement(outcome: list[int], residual: list[float], part: str) -> Measurement:
    size = len(outcome)
    return Measurement(
        residual=np.array(residual),
        tolerance=np.ones(size),
        outcome=np.array(outcome, np.int8),
        part=np.zeros(size, np.int64),
        parts=(part,),
        undecided_because="because" if 1 in outcome else "",
    )


def test_parts_are_combined_by_the_worst() -> None:
    a = measurement([0, 0, 1, 2], [0.1, 0.9, 0.5, 3.0], "a")
    b = measurement([0, 2, 0, 2], [0.3, 5.0, 0.99, 2.0], "b")
    both = combine([a, b])
    np.testing.assert_array_equal(both.outcome, [0, 2, 1, 2])
    np.testing.assert_array_equal(both.residual, [0.3, 5.0, 0.5, 3.0])
    assert [both.parts[p] for p in both.part] == ["b", "b", "a", "a"]
    assert both.undecided_because == "because"
    assert combine([a]) is a
