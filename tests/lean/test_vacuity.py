"""Vacuous theorems are distinguished from others, by the real engine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bridge.cli.main import group
from bridge.lean.project import Project
from tests.lean.conftest import write_project

SOURCE = Path(__file__).parent / "Vacuity.lean"

NO_VALUES = "its binder {} has a type without values"
FALSE = "nothing meets its hypothesis {}"
REPEATS = "its conclusion only repeats its hypotheses"
TRUE = "its conclusion is true whatever the hypotheses say"

WANTED = {
    "finZero": NO_VALUES.format("i"),
    "empty": NO_VALUES.format("x"),
    "record": NO_VALUES.format("x"),
    "nested": NO_VALUES.format("x"),
    "subtype": NO_VALUES.format("x"),
    "cases": NO_VALUES.format("x"),
    "alias": NO_VALUES.format("i"),
    "function": NO_VALUES.format("f"),
    "chained": FALSE.format("h"),
    "default": NO_VALUES.format("h"),
    "lawless": FALSE.format("h"),
    "unfolded": FALSE.format("h"),
    "twice": FALSE.format("h"),
    "everywhere": FALSE.format("h"),
    "somewhere": FALSE.format("h"),
    "guarded": FALSE.format("in place 2"),
    "together": "its hypotheses contradict each other",
    "apart": FALSE.format("h"),
    "obvious": TRUE,
    "hidden": TRUE,
    "orTrue": TRUE,
    "trueOr": TRUE,
    "toTrue": "its conclusion is True",
    "refl": TRUE,
    "claim": TRUE,
    "both": TRUE,
    "always": TRUE,
    "exists_": TRUE,
    "notFalse": TRUE,
    "excluded": TRUE,
    **dict.fromkeys(("sameBool", "sameOf", "notUnlike", "decides"), TRUE),
    **dict.fromkeys(("bothBool", "turned", "unfoldedBool"), TRUE),
    "unlike": FALSE.format("h"),
    "part": REPEATS,
    "again": REPEATS,
    "itself": "its conclusion is its own hypothesis h",
    "field": "its conclusion is its own hypothesis x.property",
    "afterwards": "its conclusion is its own hypothesis in place 2",
}


@pytest.fixture(scope="module")
def conclusions(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """One audit of all of them: the conclusions by theorem."""
    project: Project = write_project(tmp_path_factory.mktemp("vacuity"), SOURCE.read_text("utf-8"))
    arguments = ["audit", "--format", "json", "--project", str(project.root)]
    result = CliRunner().invoke(group, arguments)
    assert result.exit_code == 1, result.output
    found = json.loads(result.stdout)["obligations"]
    return {o["declaration"]: o for o in found if o["role"] == "conclusion"}


@pytest.mark.lean
@pytest.mark.parametrize("name", WANTED)
def test_it_is_vacuous(conclusions: Mapping[str, Any], name: str) -> None:
    found = conclusions[f"Empty.{name}"]
    assert found["lean"]["says_nothing"] == WANTED[name]
    assert found["verdict"] == "fails"
    assert found["witness"] is None


@pytest.mark.lean
def test_no_theorem_of_the_file_is_forgotten(conclusions: Mapping[str, Any]) -> None:
    empty = {name.removeprefix("Empty.") for name in conclusions if name.startswith("Empty.")}
    assert empty == set(WANTED)


@pytest.mark.lean
def test_theorems_that_say_something_are_left_alone(conclusions: Mapping[str, Any]) -> None:
    honest = {k: o for k, o in conclusions.items() if k.startswith("Honest.")}
    assert len(honest) >= 15
    assert {k: o["lean"]["says_nothing"] for k, o in honest.items()} == dict.fromkeys(honest, "")
    assert {o["lean"]["status"] for o in honest.values()} == {"proved"}
