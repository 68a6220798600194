"""Statements over the reals, as Lean exported them, are evaluated on instances: true ones hold,
false ones are refuted, and undecidable ones stay undecided."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import cache

import numpy as np
import pytest

from bridge.lean.propositions import parse_propositions
from numeric.propositions.constants import TermError
from numeric.propositions.draw import Family, draw
from numeric.propositions.mutate import changed, mutants
from numeric.propositions.problem import Problem, problem_of
from numeric.propositions.shrink import described, smallest
from numeric.propositions.terms import (
    Binding,
    Const,
    Num,
    Op,
    Term,
    Theorem,
    Theory,
    Var,
)
from numeric.propositions.trial import Judged, judged_batch, score
from numeric.propositions.truth import CLOSE, FALSE, SAMPLED, TRUE
from tests.recorded import recorded

COUNT = 48
COUNTING = (Family.USUAL, Family.EXTREME, Family.EDGE)


@cache
def theory() -> Theory:
    return parse_propositions(recorded("reals"))


def problem(name: str) -> Problem:
    return problem_of(theory(), theory().theorems[name])


def tried(p: Problem, *families: Family) -> list[Judged]:
    name = p.theorem.name
    return [
        judged_batch(p, batch)
        for family in families
        for batch in draw(p, name, 0, family, range(COUNT))
    ]


@pytest.mark.parametrize(
    "name",
    [
        *("softmax_sum", "convex_le", "sqrt_lt", "log_mul", "young", "abs_add_le", "step_le"),
        *("mulVec_one", "decay_abs_le", "odd_add"),
    ],
)
def test_true_statements_hold_on_most_instances_and_fail_on_none(name: str) -> None:
    found = tried(problem(f"Demo.{name}"), *COUNTING)
    assert not any(j.failing.any() for j in found)
    assert sum(j.held.sum() for j in found) >= 2 * COUNT
    assert sum(j.undecided.sum() for j in found) <= COUNT // 8


@pytest.mark.parametrize("name", ["horner_nonneg", "safeDiv_mul", "clampTo_le", "mild_le"])
def test_by_recursion_and_by_match(name: str) -> None:
    p = problem(f"Demo.{name}")
    found = tried(p, *COUNTING)
    assert not any(j.failing.any() for j in found)
    assert sum(j.held.sum() for j in found) >= COUNT
    assert sum(j.undecided.sum() for j in found) <= COUNT // 8
    found += tried(p, Family.OUTSIDE)
    result = score(p.theory, p.theorem, [j.batch for j in found])
    assert result.distinguished >= max(1, result.total // 4)


@pytest.mark.parametrize(
    ("name", "words"), [("wrong_power", "n = 1, x = -1"), ("wrong_clamp", "top = some, ")]
)
def test_false_statements_by_recursion_or_by_match_are_refuted(name: str, words: str) -> None:
    p = problem(f"Demo.{name}")
    (found, *_) = [j for j in tried(p, *COUNTING) if j.failing.any()]
    small = smallest(p, found.batch.take(np.flatnonzero(found.failing)[:1]))
    assert small.layout is not None
    assert described(small.layout, small.arrays).startswith(words)


@pytest.mark.parametrize("name", ["average_le", "abs_tanh_le", "exp_log_real"])
def test_over_a_field_of_real_numbers_too(name: str) -> None:
    found = tried(problem(f"PostNorm.{name}"), *COUNTING)
    assert not any(j.failing.any() for j in found)
    assert sum(j.held.sum() for j in found) >= 2 * COUNT


def test_false_statements_are_refuted() -> None:
    found = tried(problem("Demo.wrong_sqrt"), Family.USUAL)
    assert sum(j.failing.sum() for j in found) >= COUNT // 5


def test_a_statement_false_only_on_the_edge_of_a_hypothesis_is_refuted_there() -> None:
    p = problem("Demo.wrong_edge")
    edge = tried(p, Family.EDGE)
    assert sum(j.failing.sum() for j in edge) >= COUNT // 2
    for j in edge:
        assert np.all(j.batch.arrays[0][j.failing] == 1.0)


def test_where_a_function_is_unspecified_nothing_is_decided() -> None:
    (found,) = tried(problem("PostNorm.sqrt_le"), Family.USUAL)
    negative = found.batch.arrays[0] < 0
    assert negative.any()
    assert np.array_equal(found.undecided, negative)


def test_a_constant_without_meaning_is_named() -> None:
    p = problem("Demo.secret")
    with pytest.raises(TermError, match=r"Demo.Secret \(opaque, Demo:\d+\)") as e:
        draw(p, "secret", 0, Family.USUAL, range(4))
    assert e.value.constant == "Demo.Secret"


def test_hypotheses_in_a_structure_count() -> None:
    p = problem("Demo.decay_abs_le")
    names = [h.name for h in p.hypotheses]
    assert names == ["s.rate_pos", "s.decay_le", "hDecay", "hRate"]
    outside = tried(p, Family.OUTSIDE)
    violated = sum((j.assumed == FALSE).sum(axis=1) for j in outside)
    assert np.all(violated > 0)


def test_instances_violate_hypotheses_about_sizes_too() -> None:
    p = problem("Demo.softmax_sum")
    assert sum((j.assumed[0] == FALSE).sum() for j in tried(p, Family.OUTSIDE)) > 0
    assert all(np.all(j.assumed[0] == TRUE) for j in tried(p, *COUNTING))


def test_an_equation_is_met_although_it_is_never_drawn() -> None:
    p = problem("Demo.convex_le")
    (number,) = (i for i, h in enumerate(p.hypotheses) if h.name == "hSum")
    found = tried(p, Family.USUAL)
    assert sum((j.assumed[number] >= CLOSE).sum() for j in found) >= COUNT // 2


@pytest.mark.parametrize("name", ["Demo.convex_le", "Demo.decay_abs_le", "Demo.mulVec_one"])
@pytest.mark.parametrize("family", Family)
def test_an_instance_follows_from_its_index_alone(name: str, family: Family) -> None:
    p = problem(name)
    whole = draw(p, name, 0, family, range(40))
    for index in (0, 7, 8, 39):
        (alone,) = draw(p, name, 0, family, [index])
        (among,) = (b for b in whole if index in b.indices)
        row = int(np.flatnonzero(among.indices == index)[0])
        assert (alone.layout is None) == (among.layout is None)
        if alone.layout is not None and among.layout is not None:
            assert alone.layout.choices == among.layout.choices
            for a, b in zip(alone.arrays, among.arrays, strict=True):
                assert np.array_equal(a[0], b[row])


def test_another_seed_gives_other_instances() -> None:
    p = problem("Demo.young")
    (a,), (b,) = (draw(p, "young", seed, Family.USUAL, range(4)) for seed in (0, 1))
    assert not np.array_equal(a.arrays[0], b.arrays[0])


def test_a_counterexample_is_made_small() -> None:
    p = problem("Demo.wrong_sqrt")
    (found,) = tried(p, Family.USUAL)
    small = smallest(p, found.batch.take(np.flatnonzero(found.failing)[:1]))
    assert small.layout is not None
    assert described(small.layout, small.arrays) == "x = -1"


def test_a_counterexample_with_sizes_is_made_small() -> None:
    p = problem("Demo.softmax_sum")
    without = replace(p, hypotheses=())
    failing = [j for j in tried(without, *Family) if j.failing.any()]
    one = failing[0].batch.take(np.flatnonzero(failing[0].failing)[:1])
    small = smallest(without, one)
    assert small.layout is not None
    assert small.layout.choices == (("n", 0),)


def test_the_statements_own_mutants_are_told_apart() -> None:
    t = theory().theorems["Demo.young"]
    p = problem("Demo.young")
    batches = [j.batch for j in tried(p, *COUNTING)]
    found = score(theory(), t, batches)
    assert found.of_conclusion[0] == 17
    assert found.of_conclusion[1] >= 10
    assert "+ for · in conclusion" not in found.survivors
    assert not found.blind


def test_a_conclusion_that_no_mutant_changes_is_blind() -> None:
    p = problem("Demo.blind")
    found = score(theory(), p.theorem, [j.batch for j in tried(p, *COUNTING)])
    assert found.blind


def test_a_dropped_hypothesis_is_told_apart_where_it_is_needed() -> None:
    p = problem("Demo.step_le")
    batches = [j.batch for j in tried(p, *Family)]
    found = score(theory(), p.theorem, batches)
    assert "without hSmall" not in found.survivors
    assert "without hη" not in found.survivors


def test_a_changed_definition_is_a_mutant_of_the_statement() -> None:
    t = theory().theorems["Demo.softmax_sum"]
    places = {m.place for m in mutants(theory(), t)}
    assert places == {"conclusion", "Demo.softmax", "hn"}


def test_numbers_follow_a_changed_definition() -> None:
    softmax = theory().definitions["Demo.softmax"]
    changes = dict(changed(softmax.body))
    broken = replace(softmax, body=changes["no exp"])
    other = replace(theory(), definitions={**theory().definitions, broken.name: broken})
    p = problem_of(other, other.theorems["Demo.softmax_sum"])
    assert any(j.failing.any() for j in tried(p, *COUNTING))


def over_reals(conclusion: Term) -> Problem:
    """A statement about one real number x."""
    t = Theorem("T.t", theory().theorems["Demo.wrong_sqrt"].binders, conclusion)
    return problem_of(theory(), t)


def number(value: int) -> Num:
    return Num(Fraction(value), Const("Real"))


def test_a_hypothesis_met_to_rounding_raises_no_false_alarm() -> None:
    """No double satisfies x·x = 2: x⁴ = 4 is off by a few ulp, which is not a counterexample."""
    reals = Const("Real")
    t = theory().theorems["Demo.wrong_edge"]
    x, h = t.binders

    def square(a: Term) -> Op:
        return Op("mul", reals, (a, a))

    two = Op("eq", reals, (square(Var(0)), number(2)))
    for right, fails in ((4, False), (5, True)):
        four = Op("eq", reals, (square(square(Var(0))), number(right)))
        p = problem_of(theory(), Theorem("T.t", (x, replace(h, type=two)), four))
        found = tried(p, *COUNTING)
        assert sum(j.accepted.sum() for j in found) > COUNT
        assert any(j.failing.any() for j in found) == fails


def test_sampled_truths_differ_from_decided_ones() -> None:
    reals = Const("Real")
    square = Op("mul", reals, (Var(1), Var(1)))
    every = Binding("forall", reals, "y", "value", Op("le", reals, (number(0), square)))
    (found,) = tried(over_reals(every), Family.USUAL)
    assert np.all(found.concluded == SAMPLED)
    wrong = Binding("forall", reals, "y", "value", Op("lt", reals, (number(0), square)))
    (found,) = tried(over_reals(wrong), Family.USUAL)
    assert np.all(found.failing)


def test_a_type_with_laws_that_the_reals_lack_is_not_taken_for_them() -> None:
    t = theory().theorems["PostNorm.abs_tanh_le"]
    kind, field, x = t.binders
    of_two = replace(
        field, type=Const("Lean.Grind.IsCharP", (Var(0), None, Num(Fraction(2), Const("Nat"))))
    )
    p = problem_of(theory(), replace(t, binders=(kind, of_two, x)))
    with pytest.raises(TermError, match=r"a type with a Lean\.Grind\.IsCharP"):
        draw(p, "t", 0, Family.USUAL, range(4))
