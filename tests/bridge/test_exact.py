"""Instances that Lean drew: its answers are parsed, and the verdicts follow."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bridge.checking import CheckResult
from bridge.errors import AnswerError, EngineError
from bridge.lean.statement import Statement, parse_statements
from bridge.statements import exact
from bridge.statements.choose import Obstacle, Taken
from bridge.statements.exact_answer import (
    Drawn,
    DrawnMany,
    ExactObstacle,
    Found,
    parse_instance,
    parse_judged,
    parse_many,
)
from bridge.statements.exact_verdicts import results_of
from bridge.verdict import Verdict

from .answers import answer, binder, statement


def count(held: int = 0, failed: int = 0, undecided: int = 0, sampled: int = 0) -> dict[str, int]:
    return {"held": held, "failed": failed, "undecided": undecided, "sampled": sampled}


def mutant(distinguished: bool = True, upset: bool = True) -> dict[str, Any]:
    return {"what": "a < b for a ≤ b", "distinguished": distinguished, "upset": upset}


UNNEEDED = [
    {"binder": 1, "path": "pos", "found": count(50, 20), "without": count(5)},
    {"binder": 2, "path": "", "found": count(45, 25), "without": count(9)},
]
"""Hypotheses without which the conclusion holds as well."""


END = {"kind": "end", "count": 1}


def judged(**more: Any) -> dict[str, Any]:
    """For a theorem with a structure `c` that has the field `pos`, and a hypothesis `h`."""
    return {
        "kind": "judged",
        "name": "Demo.thm",
        "indices": 40,
        "draws": 70,
        "accepted": 40,
        "edge": 12,
        "out_of_time": False,
        "remarks": [],
        "hypotheses": [
            {"binder": 1, "path": "pos", "found": count(50, 20), "without": count(1, 4)},
            {"binder": 2, "path": "", "found": count(45, 25), "without": count(0, 9)},
        ],
        "conclusion": count(40),
        "mutants": [
            mutant(),
            mutant(distinguished=True, upset=False),
            mutant(distinguished=False, upset=False),
        ],
        "witness": {"index": 0, "text": "c = {eps := 1}"},
        "counterexample": None,
        "doubted": None,
        **more,
    }


def found(**more: Any) -> Found:
    read = parse_judged([judged(**more), END], ["Demo.thm"])["Demo.thm"]
    assert isinstance(read, Found)
    return read


def theorem() -> Statement:
    field = {"path": "pos", "type": "0 < c.eps", "term": "p", "uses": []}
    carrier = binder("c", "Cfg", prop=False, fields=[field])
    return parse_statements(
        answer(statement("Demo.thm", carrier, binder("h", "c.eps ≤ 1")))
    ).theorems[0]


def results(**more: Any) -> dict[str, CheckResult]:
    return results_of(theorem(), "thm", found(**more), seed=7, instances=40)


def verdicts(**more: Any) -> dict[str, tuple[Verdict, str]]:
    return {k.rpartition(":")[2]: (r.verdict, r.reason) for k, r in results(**more).items()}


def test_every_hypothesis_and_the_conclusion_get_a_verdict_fields_too() -> None:
    found = results()
    assert list(found) == ["thm:c.pos", "thm:h", "thm:conclusion"]
    assert {r.verdict for r in found.values()} == {Verdict.HOLDS}
    conclusion = found["thm:conclusion"]
    assert (conclusion.instances, conclusion.accepted) == (40, 40)
    assert [(n.hypothesis, n.failed, n.violated) for n in conclusion.needs] == [
        ("c.pos", 4, 5),
        ("h", 9, 9),
    ]
    assert "4 of 5 mutants" in conclusion.reason  # two dropped hypotheses are mutants, too
    assert conclusion.witness is not None
    assert (conclusion.witness.seed, conclusion.witness.index) == (7, 0)


def test_a_counterexample_makes_the_conclusion_fail_and_can_be_drawn_again() -> None:
    failure = {"index": 17, "drawn": "c = {eps := 77/3}", "smallest": "c = {eps := 1}"}
    result = results(conclusion=count(38, 2), counterexample=failure)["thm:conclusion"]
    assert result.verdict is Verdict.FAILS
    assert result.reason == "fails on 2 of 40 instances"
    assert result.counterexample is not None
    assert (result.counterexample.index, result.counterexample.seed) == (17, 7)
    assert result.counterexample.description.startswith("c = {eps := 1} (shrunk; drawn: ")


@pytest.mark.parametrize(
    ("change", "binder", "said"),
    [
        (
            {"mutants": [mutant(upset=False)], "hypotheses": UNNEEDED},
            "conclusion",
            "blind: it holds on 40 instances, and",
        ),
        ({"mutants": [], "hypotheses": UNNEEDED}, "conclusion", "it has no mutants"),
        ({"accepted": 0, "conclusion": count()}, "conclusion", "vacuous? none of 70 draws"),
        ({"accepted": 0, "conclusion": count()}, "h", "vacuous? none of 70 draws"),
        ({"accepted": 9, "conclusion": count(9)}, "conclusion", "only 9 of 40 instances"),
        ({"conclusion": count(30, 0, 10)}, "conclusion", "10 of 40 instances are undecided"),
        (
            {"accepted": 3, "indices": 5, "conclusion": count(3), "out_of_time": True},
            "conclusion",
            "time ran out after 5 of 40 instances",
        ),
    ],
)
def test_too_little_evidence_does_not_hold(change: dict[str, Any], binder: str, said: str) -> None:
    verdict, reason = verdicts(**change)[binder]
    assert verdict is Verdict.INCONCLUSIVE
    assert said in reason


@pytest.mark.parametrize(
    ("tally", "said"),
    [
        (count(0, 70), "none of 70 draws meets it"),
        (count(0, 60, 10), "10 are undecided"),
        (count(70, 0), "none of 70 draws violates it"),
    ],
)
def test_a_hypothesis_must_be_met_and_violated(tally: dict[str, int], said: str) -> None:
    hypotheses = judged()["hypotheses"]
    hypotheses[0] = {**hypotheses[0], "found": tally}
    verdict, reason = verdicts(hypotheses=hypotheses)["c.pos"]
    assert verdict is Verdict.INCONCLUSIVE
    assert said in reason


def test_samples_of_an_infinite_forall_are_reported() -> None:
    assert (
        "no counterexample among the samples"
        in verdicts(conclusion=count(40, 0, 0, 40))["conclusion"][1]
    )


def test_an_obstacle_is_the_constant_and_why() -> None:
    message = {"kind": "obstacle", "name": "T", "constant": "Real", "why": "no values are drawn"}
    read = parse_judged([message, END], ["T"])
    assert read == {"T": ExactObstacle("T", "Real", "no values are drawn")}


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ([judged()], "has no end"),
        ([judged(), {"kind": "end", "count": 2}], "is partial"),
        ([{**judged(), "name": "Other"}, END], "was asked for"),
        ([judged(conclusion=count(3)), END], "judges the conclusion on 3"),
        ([judged(conclusion=count(39, 1)), END], "counterexample is None"),
        (
            [{**judged(), "kind": "proved"}, END],
            "expected 'judged' or 'obstacle' or 'end' but got kind = 'proved'",
        ),
        (
            [judged(conclusion={"held": 40}), END],
            "the field 'failed' is missing",
        ),
        ([judged(), judged(), {"kind": "end", "count": 2}], "was asked for"),
        (
            [judged(out_of_time=0), END],
            "true or false but got out_of_time = 0",
        ),
    ],
)
def test_an_answer_that_does_not_add_up_is_not_believed(messages: list[Any], said: str) -> None:
    with pytest.raises(AnswerError, match=said):
        parse_judged(messages, ["Demo.thm"])


def instance(**more: Any) -> dict[str, Any]:
    hypotheses = [{"binder": 1, "path": "pos", "truth": "yes"}]
    return {
        "kind": "instance",
        "name": "Demo.thm",
        "index": 3,
        "text": "c = {eps := 3}",
        "values": ["c = {eps := 3ℚ}"],
        "hypotheses": hypotheses,
        "conclusion": "no",
        "remarks": [],
        "smallest": "c = {eps := 1}",
        **more,
    }


VALUED = ("index", "text", "values", "hypotheses", "conclusion")


def test_one_instance_is_read() -> None:
    read = parse_instance([instance(), END])
    assert isinstance(read, Drawn)
    assert read.hypotheses == {(1, "pos"): "yes"}
    assert (read.conclusion, read.smallest) == ("no", "c = {eps := 1}")
    assert read.values == {"c": "{eps := 3ℚ}"}


def test_the_values_of_many_are_read() -> None:
    def valued(**more: Any) -> dict[str, Any]:
        return {k: v for k, v in instance(**more).items() if k in VALUED}

    violating = valued(hypotheses=[{"binder": 1, "path": "pos", "truth": "no"}])
    many = {
        "kind": "instances",
        "name": "Demo.thm",
        "met": [valued(), valued(index=4)],
        "violating": [violating],
        "remarks": ["α is Int"],
    }
    read = parse_many([many, END])
    assert isinstance(read, DrawnMany)
    assert [v.index for v in read.met] == [3, 4]
    assert read.violating[0].hypotheses == {(1, "pos"): "no"}
    with pytest.raises(AnswerError, match="not a binder with its value"):
        parse_many([{**many, "met": [valued(values=["c"])]}, END])


def test_an_unknown_truth_value_is_refused() -> None:
    with pytest.raises(AnswerError, match="maybe"):
        parse_instance([instance(conclusion="maybe"), END])


def test_a_counterexample_that_rests_on_samples_refutes_nothing() -> None:
    """The hypothesis may be false there: it says `∀ x : Rat, …`, and 25 numbers were tested."""
    verdict, reason = verdicts(
        conclusion=count(39, 0, 1), doubted={"index": 6, "text": "f = x ↦ 2 * x + 0"}
    )["conclusion"]
    assert verdict is Verdict.INCONCLUSIVE
    assert reason.startswith("fails on instance 6, where only samples")
    assert reason.endswith("f = x ↦ 2 * x + 0")


def test_a_conclusion_that_fails_without_a_hypothesis_is_not_blind() -> None:
    """It is false somewhere, and leaving a hypothesis out is a mutant of the statement."""
    same = [mutant(distinguished=False, upset=False)]
    assert verdicts(mutants=same)["conclusion"][0] is Verdict.HOLDS
    verdict, reason = verdicts(mutants=same, hypotheses=UNNEEDED)["conclusion"]
    assert (verdict, reason[:6]) == (Verdict.INCONCLUSIVE, "blind:")


def test_there_is_a_witness_where_nothing_can_be_stated_without_the_hypotheses() -> None:
    """`a[i]` needs a proof that i is an index, so no hypothesis can be shown to be needed."""
    alone = [{"binder": 1, "path": "pos", "found": count(50, 20), "without": count()}]
    conclusion = results(hypotheses=alone)["thm:conclusion"]
    assert conclusion.needs == ()
    assert conclusion.witness is not None


@pytest.mark.parametrize("kept", [{}, {"exact": ()}, {"exact": ({"kind": "instances"},)}])
def test_an_unreadable_kept_answer_is_ignored(
    kept: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Cache:
        def load(self, _key: str, _root: object) -> dict[str, object]:
            return kept

    monkeypatch.setattr(exact.AnswerCache, "default", Cache)
    monkeypatch.setattr(exact, "answer_key", lambda *_: "key")
    project = SimpleNamespace(roots=("Demo",), root=Path())
    library: Any = SimpleNamespace(project=project, engine=None)
    question: Any = SimpleNamespace(statement=SimpleNamespace(name="Demo.thm"))
    drawn = exact.ExactJudge(may_ask=False).instances(library, question, seed=0, instances=3)
    assert isinstance(drawn, Obstacle)
    assert drawn.reason == "its values are not drawn yet"


def test_a_theorem_that_never_ends_takes_no_more_than_its_own_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[int, float]] = []

    def ask(*args: Any, **how: Any) -> Any:
        names = [t["name"] for t in args[2].wanted["theorems"]]
        asked.append((len(names), how["timeout"]))
        if "Demo.endless" in names:
            raise EngineError("Lean did not answer")
        obstacle = {"constant": "Demo.c", "why": "it has no code to run"}
        return {name: ExactObstacle(name=name, **obstacle) for name in names}

    monkeypatch.setattr(exact, "ask_lean", ask)
    names = ("Demo.a", "Demo.endless", "Demo.b")
    questions: Any = [
        SimpleNamespace(statement=SimpleNamespace(name=n), keys=(f"{n}:conclusion",)) for n in names
    ]
    library: Any = SimpleNamespace(
        project=SimpleNamespace(roots=("Demo",)), engine=SimpleNamespace(until=lambda _: None)
    )
    found = exact.ExactJudge(timeout=900).judge(library, questions, seed=0, instances=3)
    assert [n for n, _ in asked] == [3, 1, 1, 1]
    assert all(seconds < 300 for _, seconds in asked)
    endless = found["Demo.endless"]
    assert isinstance(endless, Taken)
    assert endless.results["Demo.endless:conclusion"].verdict is Verdict.INCONCLUSIVE
    assert isinstance(found["Demo.a"], Obstacle)
    assert isinstance(found["Demo.b"], Obstacle)
