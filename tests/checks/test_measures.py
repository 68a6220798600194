"""Several measures make one: each must hold, and a search for a failure ends at the first."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bridge.checking.registry import Measure
from bridge.checks import measures
from numeric.instances.case import Case
from numeric.instances.draw import draw
from numeric.instances.families import FAMILIES
from numeric.interpret.interpreter import Interpreter
from numeric.judge.measurement import Measurement, Outcome
from numeric.mutants.edits import DerivativeMutant, Edit, GraphMutant
from tests.numeric.graphs import layer_norm

GRAPH = layer_norm(4, 8)


def case(program: Interpreter | None = None) -> Case:
    batch = draw(FAMILIES["generic"], GRAPH, seed=0, key="t", indices=range(3))
    return Case(program or Interpreter(GRAPH), batch)


WRONG = DerivativeMutant("vjp", "normalized", argument=1)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the measures that were made."""
    names: list[str] = []
    for name in ("_backprop_is_right", "backprop_is_adjoint"):
        right = getattr(measures, name)

        def measure(at: Case, name: str = name, right: Measure = right) -> Measurement:
            names.append(name)
            return right(at)

        monkeypatch.setattr(measures, name, measure)
    return names


def test_every_measure_is_made_regardless_of_the_first(asked: list[str]) -> None:
    found = measures.backprop_is_right(case(WRONG.apply(GRAPH)))
    assert len(asked) == 2
    assert found.count(Outcome.FAILS) == len(found)


def test_a_search_for_a_failure_ends_at_the_first(asked: list[str]) -> None:
    wrong = replace(case(WRONG.apply(GRAPH)), refuting=True)
    assert measures.backprop_is_right(wrong).count(Outcome.FAILS) == len(wrong)
    assert len(asked) == 1


def test_a_search_for_a_failure_makes_every_measure_if_there_is_none(asked: list[str]) -> None:
    right = replace(case(), refuting=True)
    np.testing.assert_array_equal(measures.backprop_is_right(right).outcome, Outcome.HOLDS)
    assert len(asked) == 2


def test_some_instances_are_searched_as_all_are() -> None:
    right = replace(case(), refuting=True)
    assert right.take(np.array([1])).refuting
    assert right.piece("normalized").refuting
    assert right.reruns([0])[0].refuting


def numbered(first: int, count: int, program: Interpreter | None = None) -> Case:
    indices = range(first, first + count)
    batch = draw(FAMILIES["generic"], GRAPH, seed=0, key="t", indices=indices)
    return Case(program or Interpreter(GRAPH), batch)


ANOTHER = GraphMutant("x not centered", (Edit("normalized", args=("x", "invStdBroadcast")),))
"""Its derivatives match its values: only the closed form can find the error."""


@pytest.mark.parametrize("measure", [measures.backprop_is_right, measures.derivative_is_right])
def test_a_small_graph_is_compared_with_the_closed_form_everywhere(measure: Measure) -> None:
    found = measure(numbered(1, 20, ANOTHER.apply(GRAPH)))
    assert found.count(Outcome.FAILS) == 20


@pytest.mark.parametrize("measure", [measures.backprop_is_right, measures.derivative_is_right])
def test_a_large_graph_is_compared_with_the_closed_form_on_one_instance_in_sixteen(
    measure: Measure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measures, "LARGE_BYTES", 0)
    wrong = numbered(0, 20, ANOTHER.apply(GRAPH))
    assert np.flatnonzero(measure(wrong).outcome == Outcome.FAILS).tolist() == [0, 16]
    assert "the closed form" in measure(wrong).parts[int(measure(wrong).part[16])]
    assert measure(numbered(0, 20)).count(Outcome.HOLDS) == 20
    # A chunk may have no such instance, and then holds by the rest; a search looks at all.
    assert measure(numbered(1, 7, ANOTHER.apply(GRAPH))).count(Outcome.FAILS) == 0
    searched = replace(numbered(1, 7, ANOTHER.apply(GRAPH)), refuting=True)
    assert measure(searched).count(Outcome.FAILS) == 7


def test_every_instance_of_a_large_graph_has_the_rest_of_its_measure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(measures, "LARGE_BYTES", 0)
    found = measures.backprop_is_right(numbered(1, 7, WRONG.apply(GRAPH)))
    assert found.count(Outcome.FAILS) == 7
