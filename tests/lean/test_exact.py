"""Theorems of a small project, judged by Lean itself, without any Python."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import pytest

from bridge.checking import CheckResult
from bridge.engine import Engine
from bridge.lean.library import Library, read_library
from bridge.lean.project import find_project
from bridge.statements.choose import Obstacle, Question, Taken
from bridge.statements.exact import ExactJudge, replay_exactly
from bridge.statements.instances import Instances
from bridge.statements.values import Made
from bridge.verdict import Verdict
from tests.lean.conftest import Once

pytestmark = [pytest.mark.lean, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
INSTANCES = 60


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory, lean: Engine, once: Once) -> Library:
    root = tmp_path_factory.mktemp("drawn")
    shutil.copytree(ROOT / "lean" / "Obligations", root / "Obligations")
    for name in ("lean/Obligations.lean", "lean-toolchain", "tests/lean/Drawn.lean"):
        shutil.copy(ROOT / name, root)
    (root / "lakefile.lean").write_text(
        "import Lake\nopen Lake DSL\n\npackage drawn\n\nlean_lib Obligations\n\nlean_lib Drawn\n"
    )
    with once("drawn"):
        return read_library(find_project(root), lean)


@pytest.fixture(scope="module")
def answers(drawn: Library, once: Once) -> Mapping[str, Taken | Obstacle]:
    questions = [
        Question(
            s,
            o.declaration,
            tuple(p.key for p in drawn.obligations if p.declaration == o.declaration),
        )
        for o in drawn.obligations
        if o.binder == "conclusion" and (s := drawn.statement_named(o.declaration)) is not None
    ]
    with once("drawn"):
        return ExactJudge().judge(drawn, questions, seed=0, instances=INSTANCES)


@pytest.fixture(scope="module")
def results(answers: Mapping[str, Taken | Obstacle]) -> dict[str, CheckResult]:
    found: dict[str, CheckResult] = {}
    for answer in answers.values():
        if isinstance(answer, Taken):
            found.update(answer.results)
    return found


@pytest.mark.parametrize(
    "name",
    [
        *("long_tail", "twice_short", "pair_long", "far_away"),  # lengths, strict comparisons
        *("unknown_word", "has_root", "has_between", "has_above"),  # texts, witnesses
        *("mask_self", "place_lt"),  # mutants
    ],
)
def test_every_requested_theorem_is_found(results: Mapping[str, CheckResult], name: str) -> None:
    own = {key: r for key, r in results.items() if key.split(":")[0].endswith(name)}
    assert own
    for key, result in own.items():
        assert result.verdict is Verdict.HOLDS, (key, result.reason)


def test_fields_of_structures_and_subtypes_are_hypotheses(drawn: Library) -> None:
    assert [o.key for o in drawn.obligations if o.declaration in ("share_le", "scaled_pos")] == [
        *("scaled_pos:p.property", "scaled_pos:hk", "scaled_pos:conclusion"),
        *("share_le:s.nonneg", "share_le:s.total", "share_le:hn", "share_le:conclusion"),
    ]
    (total,) = drawn.find("share_le:s.total")
    assert total.statement.endswith("= 1")


def test_propositions_in_pairs_lifts_functions_and_constructors_are_hypotheses(
    drawn: Library,
) -> None:
    assert [o.key for o in drawn.obligations if o.declaration in ("carried", "chained")] == [
        *("carried:p.snd.property", "carried:s.snd", "carried:l.down", "carried:f.property"),
        *("carried:m.pos", "carried:conclusion"),
        *("chained:c.head.property", "chained:c.tail.parts", "chained:conclusion"),
    ]


IN_MAPS_AND_ELEMENTS = {
    "scale_pos": ("s.pos", "hx"),
    "above_eps": ("#2.pos", "hx"),
    "tiny_eq": ("#2.all",),
    "number_symm": ("h",),
    "addy_comm": (),
    **dict.fromkeys(("list_total", "array_total", "vector_total"), ("xs.each.property",)),
    "option_total": ("o.each.property",),
    "nested_total": ("xs.each.each.property",),
    "bag_le": ("b.items.each.le", "b.short"),
    "move_size": ("s.fast.h",),
    "either_pos": ("s.inl.val.property",),
    "twig_sum": ("t.parts",),
}


@pytest.mark.parametrize("theorem", IN_MAPS_AND_ELEMENTS)
def test_propositions_in_maps_classes_and_elements_are_hypotheses(
    theorem: str, drawn: Library, answers: Mapping[str, Taken | Obstacle]
) -> None:
    hypotheses = IN_MAPS_AND_ELEMENTS[theorem]
    own = [o.key for o in drawn.obligations if o.declaration == theorem]
    assert own == [f"{theorem}:{b}" for b in (*hypotheses, "conclusion")]
    (answer,) = (a for name, a in answers.items() if name.endswith(theorem))
    if theorem in ("tiny_eq", "number_symm"):
        assert isinstance(answer, Obstacle)
        return
    assert isinstance(answer, Taken)
    for key in own:
        wanted = Verdict.INCONCLUSIVE if key == "twig_sum:t.parts" else Verdict.HOLDS
        result = answer.results[key]
        assert result.verdict is wanted, (key, result.reason)


TRUE = ("scaled_pos", "relu_le", "share_le", "get_mem", "mild_le", "sorted_head", "through_le")


USERS = (
    *("mulVec_nonneg", "stochastic_le", "checked_ok", "checked_total", "mirror_mirror"),
    *("dist_symm", "insert_mem", "square_below", "carried"),
)
HARD = ("mixed_le", "unit_dot_le", "rising", "mixed_props", "per_mode")


@pytest.mark.parametrize("theorem", [*TRUE, "exists_between", "entry_le", *HARD, *USERS])
def test_true_statements_hold_on_instances_that_meet_every_hypothesis(
    theorem: str, results: dict[str, CheckResult]
) -> None:
    own = {k: r for k, r in results.items() if k.startswith(f"{theorem}:")}
    assert {k: r.reason for k, r in own.items() if r.verdict is not Verdict.HOLDS} in (
        {},
        # The number of shares is never 0 if they sum to one.
        {"share_le:hn": own["share_le:hn"].reason} if theorem == "share_le" else {},
    )
    conclusion = own[f"{theorem}:conclusion"]
    assert conclusion.accepted >= 20
    assert "mutants of the statement" in conclusion.reason


def test_a_hypothesis_that_is_needed_is_seen_to_be(results: dict[str, CheckResult]) -> None:
    needs = {n.hypothesis: n for n in results["relu_le:conclusion"].needs}
    assert needs["hx"].failed > 0
    assert needs["hc"].failed > 0


def test_a_statement_that_is_false_at_the_edge_alone_has_a_small_counterexample(
    drawn: Library, results: dict[str, CheckResult]
) -> None:
    found = results["edge:conclusion"]
    assert found.verdict is Verdict.FAILS
    assert found.counterexample is not None
    smallest = found.counterexample.description.split(" (")[0]
    given = re.fullmatch(r"x = (\d+), c = (\d+)", smallest)
    assert given is not None
    assert given[1] == given[2]
    assert 77 <= int(given[1]) < 200  # 77 is the least; the drawn number had six digits
    (obligation,) = drawn.find("edge:conclusion")
    statement = drawn.statement_named("edge")
    assert statement is not None
    again, truth = replay_exactly(
        drawn, statement, obligation, seed=0, index=found.counterexample.index
    )
    assert (truth, again.smallest) == ("no", smallest)
    assert set(again.hypotheses.values()) == {"yes"}


@pytest.mark.parametrize(
    ("theorem", "smallest"), [("dented_nonneg", "δ = "), ("decayAt_le", "t = 5000")]
)
def test_an_error_only_between_two_branches_is_found(
    theorem: str, smallest: str, results: dict[str, CheckResult]
) -> None:
    found = results[f"{theorem}:conclusion"]
    assert found.verdict is Verdict.FAILS
    assert found.counterexample is not None
    assert found.counterexample.description.startswith(smallest)


def test_a_class_that_is_a_proposition_holds_by_its_instance(
    results: dict[str, CheckResult],
) -> None:
    found = results["insert_mem:#3"]
    assert found.verdict is Verdict.HOLDS
    assert found.reason.startswith("Lean finds an instance of it")


def test_a_predicate_by_recursion_is_decided(results: dict[str, CheckResult]) -> None:
    found = results["sorted_reverse:conclusion"]
    assert found.verdict is Verdict.FAILS
    assert found.counterexample is not None
    assert found.counterexample.description.startswith("x = ")


SMALLEST = {
    "prime_odd": "p = 2",
    "word_add": "",
    "word_neg": "x = -128",
}


@pytest.mark.parametrize("theorem", SMALLEST)
def test_an_error_for_only_a_few_values_has_a_smallest_counterexample(
    theorem: str, drawn: Library, results: dict[str, CheckResult]
) -> None:
    found = results[f"{theorem}:conclusion"]
    assert found.verdict is Verdict.FAILS
    assert found.counterexample is not None
    (obligation,) = drawn.find(f"{theorem}:conclusion")
    statement = drawn.statement_named(theorem)
    assert statement is not None
    again, truth = replay_exactly(
        drawn, statement, obligation, seed=0, index=found.counterexample.index
    )
    assert truth == "no"
    assert again.smallest is not None
    if theorem == "word_add":
        assert sum(map(int, re.findall(r"[0-9]+", again.smallest))) == 256
    else:
        assert again.smallest == SMALLEST[theorem]
    assert found.counterexample.description.startswith(str(again.smallest))


def test_the_numbers_follow_the_definition(drawn: Library, results: dict[str, CheckResult]) -> None:
    """The text of the statement is the same all three times; one definition makes it false."""
    texts = {
        o.statement.replace(f"{space}.", "")
        for space in ("Kept", "Steeper", "Broken")
        for o in drawn.find(f"{space}.huber_nonneg:conclusion")
    }
    assert len(texts) == 1
    found = {s: results[f"{s}.huber_nonneg:conclusion"] for s in ("Kept", "Steeper", "Broken")}
    assert found["Kept"].verdict is found["Steeper"].verdict is Verdict.HOLDS
    broken = found["Broken"]
    assert broken.verdict is Verdict.FAILS
    assert broken.counterexample is not None
    # On the left branch alone.
    small = re.match(r"δ = ([0-9/]+), x = (-[0-9/]+)", broken.counterexample.description)
    assert small is not None
    delta, x = map(Fraction, small.groups())
    assert x < -delta < 0


def test_a_sampled_hypothesis_makes_no_counterexample(results: dict[str, CheckResult]) -> None:
    """Steps of 1/1024 are not among the samples: functions that alternate values pass."""
    assert results["far_le:conclusion"].verdict is not Verdict.FAILS


def test_blind_and_vacuous_theorems_do_not_hold(
    results: dict[str, CheckResult],
) -> None:
    blind, never = results["blind:conclusion"], results["never:conclusion"]
    assert (blind.verdict, blind.reason[:6]) == (Verdict.INCONCLUSIVE, "blind:")
    assert (never.verdict, never.accepted) == (Verdict.INCONCLUSIVE, 0)
    assert "vacuous?" in never.reason
    assert results["never:hLow"].verdict is Verdict.INCONCLUSIVE


def test_values_come_by_binder_and_violate_what_they_say(drawn: Library) -> None:
    statement = drawn.statement_named("mild_le")
    assert statement is not None
    question = Question(statement, "mild_le", ("mild_le:conclusion",))
    found = ExactJudge().instances(drawn, question, seed=0, instances=INSTANCES)
    assert isinstance(found, Instances)
    assert len(found.met) >= 20

    def mild(a: Made) -> bool:
        return a.constructor == "relu" or 0 <= cast(Fraction, a.arguments[0]) <= 1

    for one in (*found.met, *found.violating):
        a, x, y = (cast(Any, one.values[name]) for name in ("a", "x", "y"))
        assert mild(a) == ("hMild" not in one.violates)
        assert (x <= y) == ("hLe" not in one.violates)
    assert {one.violates for one in found.violating} == {("hMild",), ("hLe",)}


def test_the_constant_that_prevents_it_is_named(
    answers: Mapping[str, Taken | Obstacle],
) -> None:
    found = answers["Drawn.chosen_eq"]
    assert isinstance(found, Obstacle)
    assert found.constant == "Drawn.chosen"
    assert "no code" in found.reason
