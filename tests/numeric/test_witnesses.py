"""The samples for a quantifier over the reals, and the errors planted in a statement."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from numeric.propositions.draw import Family
from numeric.propositions.mutate import mutants
from numeric.propositions.problem import problem_of
from numeric.propositions.terms import Binding, Op, Term, Theory, Var
from numeric.propositions.trial import outcomes
from numeric.propositions.truth import CLOSE
from tests.bridge.test_numbers import theory

LE = "Demo.sqrt_lt"
"""Binds x and y, and assumes 0 ≤ x and x < y."""


def stated(conclusion: Term) -> Theory:
    t = theory().theorems[LE]
    return replace(theory(), theorems={LE: replace(t, conclusion=conclusion)})


def real() -> Term:
    return theory().theorems[LE].binders[0].type


def some(body: Term) -> Term:
    return Binding("exists", real(), "z", "value", body)


@pytest.mark.parametrize(
    "body",
    [
        # x < z ∧ z < y; and x + z = y, whose witness is y − x
        lambda z: Op("and", None, (Op("lt", real(), (Var(0), z)), Op("lt", real(), (z, Var(1))))),
        lambda z: Op("le", real(), (Op("add", real(), (Var(0), z)), Var(1))),
    ],
)
def test_a_witness_is_found_among_what_the_instance_suggests(body: Any) -> None:
    known = stated(some(body(Var(4))))
    found = list(outcomes(problem_of(known, known.theorems[LE]), "k", 0, Family.USUAL, range(40)))
    decided = np.concatenate([j.concluded[j.accepted] for j in found])
    assert len(decided) >= 30
    assert np.all(decided >= CLOSE)


def test_a_variable_is_exchanged_for_another_of_its_type() -> None:
    names = [m.name for m in mutants(theory(), theory().theorems[LE])]
    assert "y for x in conclusion" in names
    assert "x for y in conclusion" in names
    matrix = [m.name for m in mutants(theory(), theory().theorems["Demo.mulVec_one"])]
    assert not [n for n in matrix if n.startswith(("m for", "i for", "A for"))]


def test_a_number_is_made_smaller_too() -> None:
    """0 instead of 1 breaks `|x| ≤ 1`; nothing larger does."""
    names = {m.name for m in mutants(theory(), theory().theorems["Demo.young"])}
    assert any(n.startswith("1 for 2") for n in names), names
    assert any(n.startswith("3 for 2") for n in names)
