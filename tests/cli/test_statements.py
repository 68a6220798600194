"""Statements on their own instances: the lines that replay them, and checks by binder names."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from tests.bridge.answers import binder, statement
from tests.bridge.test_by_name import unregistered
from tests.bridge.test_exact import count, judged
from tests.bridge.test_numbers import theory
from tests.cli.conftest import Harness
from tests.recorded import recorded

__all__ = ["unregistered"]

NAME, KEY = "PostNorm.step_lt", "step_lt:conclusion"


def drawn(index: int, eta: int) -> dict[str, Any]:
    """An instance of the theorem: `0 < eta` is its hypothesis."""
    truth = "yes" if eta > 0 else "no"
    return {
        "index": index,
        "text": f"eta = {eta}",
        "values": [f"eta = {eta}ℚ"],
        "hypotheses": [{"binder": 2, "path": "", "truth": truth}],
        "conclusion": "no" if eta == 5 else "yes",
    }


def says(harness: Harness, *, fails: bool) -> None:
    """Lean judges one theorem; instance 4 is a counterexample where it ``fails``."""
    hypotheses = [{"binder": 2, "path": "", "found": count(12, 6), "without": count(1, 5)}]
    known = judged(
        name=NAME,
        indices=12,
        accepted=12,
        draws=18,
        hypotheses=hypotheses,
        conclusion=count(11, 1) if fails else count(12),
        counterexample={"index": 4, "drawn": "eta = 5", "smallest": "eta = 2"} if fails else None,
    )
    one = {
        "kind": "instance",
        "name": NAME,
        "remarks": [],
        "smallest": "eta = 2" if fails else None,
    }
    many = {
        "kind": "instances",
        "name": NAME,
        "met": [drawn(i, i + 1) for i in range(12)],
        "violating": [drawn(0, -1), drawn(3, 0)],
        "remarks": [],
    }
    if not fails:
        for each in many["met"]:
            each["conclusion"] = "yes"
    harness.says(
        statement(NAME, binder("eta", "Rat", prop=False), binder("hEta", "0 < eta")),
        propositions=[
            {"kind": "end", "schema": "obligations-proposition/1", "count": 0, "lean": "4.28.0"}
        ],
        exact={NAME: known, f"replay:{NAME}": {**one, **drawn(4, 5)}, f"draw:{NAME}": many},
    )


def audited(harness: Harness, key: str = KEY) -> dict[str, Any]:
    result = harness.run("audit", "--format", "json", "--instances", "12")
    found = {o["key"]: o for o in json.loads(result.stdout)["obligations"]}
    return dict(found[key])


def rows(text: str) -> dict[str, str]:
    """The table that a replay prints."""
    found = {}
    for line in text.splitlines():
        label, _, value = line.partition("  ")
        found[label.strip()] = value.strip()
    return found


def test_the_line_below_an_exact_counterexample_shows_the_instance(harness: Harness) -> None:
    says(harness, fails=True)
    found = audited(harness)
    assert found["verdict"] == "fails"
    line = found["counterexample"]["replay"]
    assert line == f"obligations replay {KEY} --seed 0 --family exact --index 4"
    again = harness.run(*shlex.split(line)[1:])
    assert again.exit_code == 1
    assert rows(again.stdout) == {
        "obligation": KEY,
        "instance": "exact, index 4, seed 0",
        "values": "eta = 5",
        "smallest": "eta = 2",
        "hypothesis hEta": "holds",
        "conclusion": "fails",
        "outcome": "fails",
    }
    hypothesis = harness.run("replay", "step_lt:hEta", *shlex.split(line)[3:])
    assert hypothesis.exit_code == 0
    assert rows(hypothesis.stdout)["outcome"] == "holds"


@pytest.mark.parametrize(
    ("name", "code", "conclusion"),
    [("Demo.wrong_sqrt", 1, "fails"), ("Demo.young", 0, "holds")],
)
def test_the_line_of_an_instance_in_numbers_shows_what_each_proposition_gave(
    name: str, code: int, conclusion: str, harness: Harness
) -> None:
    binders = [binder(b.name, "ℝ", prop=b.role == "proof") for b in theory().theorems[name].binders]
    messages = recorded("reals")
    harness.says(statement(name, *binders), propositions=messages)
    key = f"{name}:conclusion"
    found = audited(harness, key)
    assert found["way"] == "numbers"
    line = f"obligations replay {key} --seed 0 --family usual --index 3"
    if found["counterexample"] is not None:
        line = found["counterexample"]["replay"]
    again = harness.run(*shlex.split(line)[1:])
    assert again.exit_code == code, again.output
    told = rows(again.stdout)
    assert told["instance"].startswith("usual, index ")
    assert told["values"].startswith(f"{binders[0]['name']} = ")
    assert told["conclusion"].startswith(conclusion)
    assert told["outcome"] == conclusion
    assert ("smallest" in told) == (code == 1)


def checks(harness: Harness, text: str) -> None:
    (harness.root / "checks.py").write_text(text, encoding="utf-8")
    (harness.root / "obligations.toml").write_text('checks = ["checks.py"]\n', encoding="utf-8")


CHECK = """from bridge.checks import check


@check("{key}")
def ours({parameters}):
    \"\"\"Our own code.\"\"\"
    return {answer}
"""


def test_a_check_by_binder_names_judges_and_is_replayed(harness: Harness) -> None:
    says(harness, fails=False)
    checks(harness, CHECK.format(key=KEY, parameters="eta", answer="0 < eta < 9"))
    found = audited(harness)
    assert (found["verdict"], found["check"], found["way"]) == ("fails", "ours", "check")
    assert found["counterexample"]["index"] == 8
    again = harness.run(*shlex.split(found["counterexample"]["replay"])[1:-1], "4")
    assert again.exit_code == 1, "the statement itself fails on this one"
    assert rows(again.stdout)["check ours"] == "holds"
    shown = " ".join(harness.run("show", KEY).stdout.split())
    assert "check ours" in shown
    assert audited(harness, "step_lt:hEta")["way"] == "exact"


def test_a_check_that_holds_holds(harness: Harness) -> None:
    says(harness, fails=False)
    checks(harness, CHECK.format(key=KEY, parameters="eta", answer="eta > 0"))
    found = audited(harness)
    assert (found["verdict"], found["instances"], found["accepted"]) == ("holds", 12, 12)


@pytest.mark.parametrize(
    ("key", "parameters", "words"),
    [
        ("step_lt:conclusio", "eta", "did you mean step_lt:conclusion?"),
        (KEY, "etta", "did you mean eta?"),
        (KEY, "hEta", "did you mean eta?"),
    ],
)
def test_an_unknown_name_ends_the_audit(
    key: str, parameters: str, words: str, harness: Harness
) -> None:
    says(harness, fails=False)
    checks(harness, CHECK.format(key=key, parameters=parameters, answer="True"))
    result = harness.run("audit")
    assert result.exit_code == 2
    assert words in " ".join(result.output.split())


def test_the_lock_knows_such_a_check(harness: Harness, tmp_path: Path) -> None:
    says(harness, fails=False)
    checks(harness, CHECK.format(key=KEY, parameters="eta", answer="eta > 0"))
    assert harness.run("lock").exit_code == 0
    assert harness.run("lock", "--check").exit_code == 0
    locked = json.loads((harness.root / "statements.lock.json").read_text(encoding="utf-8"))
    assert "ours" in json.dumps(locked)
