"""Identities in the first input alone: they hold on the right graph, and each can reject."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from numeric.instances.case import Case
from numeric.instances.draw import draw
from numeric.instances.families import FAMILIES
from numeric.interpret.interpreter import Interpreter
from numeric.judge.first_input import (
    first_backprop_is_adjoint,
    first_backprop_is_zero,
    first_derivative_is_zero,
)
from numeric.judge.measurement import Outcome
from numeric.mutants.edits import DerivativeMutant, Edit, GraphMutant, Mutant
from numeric.ops import OPS, Partial
from tests.numeric.block_graphs import written
from tests.numeric.graphs import layer_norm


def case(d_model: int, mutant: Mutant | None = None, family: str = "generic") -> Case:
    graph = layer_norm(4, d_model)
    batch = draw(FAMILIES[family], graph, seed=3, key="first input", indices=range(12))
    return Case(Interpreter(graph) if mutant is None else mutant.apply(graph), batch)


@pytest.mark.parametrize(
    "family", ["generic", "large offset", "constant rows", "eps 0", "eps slightly negative"]
)
def test_backprop_to_x_is_the_adjoint(family: str) -> None:
    found = first_backprop_is_adjoint(case(8, family=family))
    assert found.count(Outcome.HOLDS) == 12
    assert found.parts == (
        "backprop to x against forward mode",
        "backprop to x against the exact derivative",
    )


@pytest.mark.parametrize("direction", ["jvp", "vjp"])
def test_either_mode_may_be_wrong(direction: str) -> None:
    wrong = DerivativeMutant(direction, "square", 1)  # type: ignore[arg-type]
    assert first_backprop_is_adjoint(case(8, wrong)).count(Outcome.FAILS) >= 11


def test_scores_whose_exponentials_swallow_the_complex_step_are_not_a_failure() -> None:
    """Where ε nearly cancels the mean square, scores are so large that 1/Σ e^score times the step
    is 0: the complex step lost the derivative that dual numbers have, and the check rejected it."""
    sizes = {"seqLen": 4, "dModel": 8, "numGroups": 2, "perGroup": 3, "headDim": 4, "dFF": 16}
    graph = written("llamaBlockGraph", sizes)
    key, family = "form first_adjoint:llamaBlockGraph::", FAMILIES["eps cancels variance"]
    hard = Case(Interpreter(graph), draw(family, graph, seed=0, key=key, indices=[11]))
    tangent = {"x": hard.tangents()["x"]}
    stepped, exact = hard.derivative([tangent]), hard.tangents_of([tangent])
    assert not np.allclose(stepped, exact, rtol=0.1)
    assert first_backprop_is_adjoint(hard).count(Outcome.HOLDS) == 1


def test_a_parameter_s_gradient_is_not_compared() -> None:
    wrong = DerivativeMutant("vjp", "scaled", 1)
    assert first_backprop_is_adjoint(case(8, wrong)).count(Outcome.HOLDS) == 12


def test_two_rules_that_are_wrong_alike_do_not_agree() -> None:
    """Both modes may lack the same term; the exact derivative has it."""
    first, second = OPS["mul"].partials
    lost = Partial(
        push=lambda *given: np.zeros_like(second.push(*given)),
        pull=lambda *given: np.zeros_like(second.pull(*given)),
    )
    square = replace(OPS["mul"], partials=(first, lost))
    program = Interpreter(layer_norm(4, 8), {"square": square})
    found = first_backprop_is_adjoint(Case(program, case(8).batch))
    assert found.count(Outcome.FAILS) >= 11
    parts = {found.parts[k] for k in found.part[found.outcome == Outcome.FAILS]}
    assert parts == {"backprop to x against the exact derivative"}


def test_one_channel_has_derivative_zero_and_two_have_not() -> None:
    for forward in (True, False):
        assert first_derivative_is_zero(case(1), forward=forward).count(Outcome.HOLDS) == 12
        assert first_derivative_is_zero(case(2), forward=forward).count(Outcome.FAILS) == 12
    assert first_backprop_is_zero(case(1)).count(Outcome.HOLDS) == 12
    assert first_backprop_is_zero(case(2)).count(Outcome.FAILS) == 12


def test_zero_is_rejected_where_it_is_off_by_one_in_a_million() -> None:
    for direction, measure in (
        ("jvp", lambda c: first_derivative_is_zero(c, forward=True)),
        ("vjp", first_backprop_is_zero),
    ):
        wrong = DerivativeMutant(direction, "mean", 0, "one in a million")  # type: ignore[arg-type]
        assert measure(case(1, wrong)).count(Outcome.FAILS) == 12


def test_the_value_alone_is_seen_without_forward_mode() -> None:
    x_for_beta = GraphMutant("x for beta", (Edit("y", args=("scaled", "x")),))
    assert first_derivative_is_zero(case(1, x_for_beta), forward=False).count(Outcome.FAILS) == 12
    wrong_rule = DerivativeMutant("jvp", "centered", 1)
    found = first_derivative_is_zero(case(1, wrong_rule), forward=False)
    assert found.count(Outcome.HOLDS) == 12
    assert np.all(found.residual == 0)
