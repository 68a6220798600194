"""The numeric method: verdicts, obstacles and replays of statements over the reals."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any, cast

import pytest

from bridge.checking.result import CheckResult
from bridge.errors import InvalidInputError
from bridge.lean.propositions import parse_propositions
from bridge.lean.statement import Binder, Conclusion, Statement
from bridge.statements.choose import Obstacle, Question, Taken, Way
from bridge.statements.numbers import FAMILIES, NumbersJudge, replay_in_numbers
from bridge.verdict import Verdict
from numeric.propositions.problem import problem_of
from numeric.propositions.terms import Theory
from tests.recorded import recorded


@cache
def theory() -> Theory:
    return parse_propositions(recorded("reals"))


class Known:
    """A library of which only the terms are known."""

    def __init__(self, theory: Theory | None) -> None:
        self.theory = theory


def statement(name: str) -> Statement:
    binders = tuple(
        Binder(b.name, "", "default", b.role == "proof", "", ())
        for b in theory().theorems[name].binders
    )
    conclusion = Conclusion("", "")
    return Statement(name, "Demo", 1, "", True, binders, conclusion, (), (), ())


def question(name: str) -> Question:
    short = name.split(".", 1)[1]
    hypotheses = problem_of(theory(), theory().theorems[name]).hypotheses
    keys = (*(f"{short}:{h.name}" for h in hypotheses), f"{short}:conclusion")
    return Question(statement(name), short, keys)


@cache
def judged(name: str) -> Taken | Obstacle:
    library = cast(Any, Known(theory()))
    return NumbersJudge().judge(library, [question(name)], seed=0, instances=120)[name]


def results(name: str) -> dict[str, CheckResult]:
    found = judged(name)
    assert isinstance(found, Taken)
    return {key.split(":")[1]: r for key, r in found.results.items()}


@pytest.mark.parametrize(
    "name",
    [
        *("Demo.softmax_sum", "Demo.convex_le", "Demo.sqrt_lt", "Demo.log_mul", "Demo.young"),
        *("Demo.abs_add_le", "Demo.step_le", "Demo.mulVec_one", "Demo.decay_abs_le"),
        *("Demo.odd_add", "PostNorm.average_le", "PostNorm.abs_tanh_le", "PostNorm.exp_log_real"),
    ],
)
def test_every_hypothesis_and_conclusion_of_a_true_theorem_holds(name: str) -> None:
    found = results(name)
    others = {b: (r.verdict, r.reason) for b, r in found.items() if r.verdict != "holds"}
    assert not others
    assert "mutants of the statement apart" in found["conclusion"].reason
    assert found["conclusion"].instances == 120
    assert found["conclusion"].accepted >= 60


def test_a_false_theorem_has_a_small_counterexample_that_is_drawn_again() -> None:
    result = results("Demo.wrong_sqrt")["conclusion"]
    assert result.verdict is Verdict.FAILS
    example = result.counterexample
    assert example is not None
    assert example.description.startswith("x = -1 (shrunk; drawn: x = -")
    shown = replay_in_numbers(
        cast(Any, Known(theory())),
        statement("Demo.wrong_sqrt"),
        "wrong_sqrt:conclusion",
        seed=example.seed,
        family=example.family,
        index=example.index,
    )
    assert shown.holds is False
    assert shown.smallest == example.description
    assert shown.values
    assert shown.values in example.description


def test_a_statement_false_only_on_an_edge_fails() -> None:
    result = results("Demo.wrong_edge")["conclusion"]
    assert result.verdict is Verdict.FAILS
    assert result.counterexample is not None
    assert result.counterexample.description == "x = 1"


def test_a_conclusion_that_no_mutant_changes_is_blind_and_does_not_hold() -> None:
    result = results("Demo.blind")["conclusion"]
    assert result.verdict is Verdict.INCONCLUSIVE
    assert result.reason.startswith("blind: it holds on 120 instances, and it has no mutants")


def test_where_a_function_is_unspecified_the_verdict_says_so() -> None:
    result = results("PostNorm.sqrt_le")["conclusion"]
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "usual instances are undecided" in result.reason


def test_a_term_without_meaning_is_an_obstacle_with_its_name_and_place() -> None:
    found = judged("Demo.secret")
    assert isinstance(found, Obstacle)
    assert (found.way, found.constant) == (Way.NUMBERS, "Demo.Secret")
    assert found.reason.startswith("Demo.Secret (opaque, Demo:")


def test_a_needed_hypothesis_is_counted() -> None:
    needs = {n.hypothesis: n for n in results("Demo.step_le")["conclusion"].needs}
    assert set(needs) == {"hη", "hL", "hSmall"}
    assert needs["hSmall"].failed > needs["hSmall"].violated // 2  # at x = 0 it is not needed


def test_too_few_instances_that_meet_the_hypotheses_are_inconclusive() -> None:
    t = theory().theorems["Demo.wrong_edge"]
    x, h = t.binders
    one = cast(Any, h.type).args[1]
    never = replace(h, type=replace(cast(Any, t.conclusion), args=(one, one)))  # 1 < 1
    other = replace(theory(), theorems={"Demo.wrong_edge": replace(t, binders=(x, never))})
    library = cast(Any, Known(other))
    asked = question("Demo.wrong_edge")
    found = NumbersJudge().judge(library, [asked], seed=0, instances=60)["Demo.wrong_edge"]
    assert isinstance(found, Taken)
    for result in found.results.values():
        assert result.verdict is Verdict.INCONCLUSIVE
    assert "vacuous?" in found.results["wrong_edge:conclusion"].reason


def test_a_structure_that_holds_itself_is_an_obstacle() -> None:
    real, own = {"const": "Real"}, {"const": "Demo.Chain"}
    fields = [
        {"name": "head", "role": "value", "type": real},
        {"name": "tail", "role": "value", "type": {"const": "List", "args": [own]}},
    ]
    head = {"field": "head", "structure": "Demo.Chain", "of": {"var": 0}}
    chained = {
        "kind": "theorem",
        "name": "Demo.chained",
        "binders": [{"name": "c", "role": "value", "type": own}],
        "conclusion": {"op": "le", "at": real, "args": [head, head]},
    }
    chain = {"kind": "structure", "name": "Demo.Chain", "params": [], "fields": fields}
    others = [m for m in recorded("reals") if cast(Any, m).get("name") in ("Real", "List")]
    messages = [chained, {**chain, "constructor": "Demo.Chain.mk"}, *others]
    end = {"kind": "end", "schema": "obligations-proposition/1", "lean": "4.28.0"}
    known = cast(Any, Known(parse_propositions([*messages, {**end, "count": len(messages)}])))
    says = Conclusion("", "")
    stated = Statement("Demo.chained", "Demo", 1, "", True, (), says, (), (), ())
    asked = Question(stated, "chained", ("chained:conclusion",))
    found = NumbersJudge().judge(known, [asked], seed=0, instances=60)["Demo.chained"]
    assert isinstance(found, Obstacle)
    assert "nests too deeply" in found.reason


def test_without_terms_nothing_is_judged() -> None:
    library = cast(Any, Known(None))
    found = NumbersJudge().judge(library, [question("Demo.young")], seed=0, instances=8)
    assert isinstance(found["Demo.young"], Obstacle)
    with pytest.raises(InvalidInputError, match="Lean has no term of it"):
        replay_in_numbers(
            library,
            statement("Demo.young"),
            "young:conclusion",
            seed=0,
            family=sorted(FAMILIES)[0],
            index=0,
        )
