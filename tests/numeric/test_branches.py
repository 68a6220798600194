"""Statements that are false only in a thin wedge between two branches are refuted there."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from numeric.propositions.draw import Family, draw
from numeric.propositions.problem import Problem, problem_of
from numeric.propositions.terms import Binder, Const, Num, Op, Term, Theorem, Theory, Var
from numeric.propositions.trial import judged_batch

REAL = Const("Real")
DELTA, X = Var(0), Var(1)


def num(value: float) -> Term:
    return Num(Fraction(value).limit_denominator(), REAL)


def op(name: str, *args: Term) -> Term:
    return Op(name, REAL, args)


def piecewise(width: float, at: Term, height: float) -> Problem:
    """0 ≤ (x²/2 below δ, then −1 on a wedge of this width, then ``height``), for 0 < δ."""
    beyond = op("ite", op("lt", at, op("add", DELTA, num(width))), num(-1), num(height))
    value = op("ite", op("le", at, DELTA), op("mul", X, X), beyond)
    binders = (
        Binder("δ", "value", REAL),
        Binder("x", "value", REAL),
        Binder("hδ", "proof", op("lt", num(0), DELTA)),
    )
    theorem = Theorem("Demo.thin", binders, op("le", num(0), value))
    return problem_of(Theory({theorem.name: theorem}, {}, {}, {}, {}), theorem)


def failing(p: Problem, family: Family, count: int = 40) -> int:
    batches = draw(p, "thin", 0, family, range(count))
    return sum(int(judged_batch(p, b).failing.sum()) for b in batches)


@pytest.mark.parametrize("at", [X, op("mul", X, X)], ids=["linear", "square"])
def test_a_wedge_between_two_branches_is_met(at: Term) -> None:
    p = piecewise(1e-6, at, 1)
    assert failing(p, Family.BRANCH) >= 4
    assert failing(p, Family.USUAL) + failing(p, Family.EDGE) == 0


def test_without_the_wedge_nothing_fails() -> None:
    assert failing(piecewise(0, X, 1), Family.BRANCH) == 0


def test_every_hypothesis_is_still_met() -> None:
    (batch,) = draw(piecewise(1e-6, X, 1), "thin", 0, Family.BRANCH, range(40))
    delta, x = batch.arrays
    assert np.all(delta > 0)
    gap = np.minimum(np.abs(x - delta), np.abs(x - delta - 1e-6))
    assert np.sum(gap <= 1e-6) >= 10


def test_an_instance_does_not_depend_on_other_draws() -> None:
    p = piecewise(1e-6, X, 1)
    (whole,) = draw(p, "thin", 0, Family.BRANCH, range(40))
    (one,) = draw(p, "thin", 0, Family.BRANCH, [17])
    assert [a[17] for a in whole.arrays] == [a[0] for a in one.arrays]
