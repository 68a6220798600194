"""The same seed gives the same report, and a report can be replayed on its own."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bridge.auditing import configured as setup
from bridge.report.formats import FORMATS
from tests.cli.conftest import Harness
from tests.numeric.graphs import layer_norm_json

FEW = ("--instances", "30")
TIMES = re.compile(r'(time(?:stamp)?)="[^"]*"')
Machine = Callable[[str], Harness]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Makes a machine: a fresh copy of the project in its own folder, and an empty cache."""

    def fresh(name: str) -> Harness:
        root = tmp_path / name / "project"
        root.mkdir(parents=True)
        monkeypatch.setenv("LEAN_OBLIGATIONS_CACHE", str(tmp_path / name / "cache"))
        made = Harness(root)
        monkeypatch.setattr(setup, "select", lambda *_a, **_k: made.engine)
        return made

    return fresh


def reports(harness: Harness, *arguments: str) -> dict[str, str]:
    """Every format of one audit, without the times in it."""
    folder = harness.root.parent / f"reports-{len(list(harness.root.parent.iterdir()))}"
    formats = [word for name in FORMATS for word in ("--format", name)]
    result = harness.run("audit", *FEW, *formats, "--output", str(folder), *arguments)
    assert result.exit_code in (0, 1, 4), result.output
    return {p.name: TIMES.sub(r'\1=""', p.read_text()) for p in sorted(folder.iterdir())}


def wrong_graph() -> Any:
    wrong = layer_norm_json()
    next(n for n in wrong["nodes"] if n["name"] == "y")["op"] = "sub"
    return wrong


def test_the_same_seed_gives_the_same_report_byte_for_byte(machine: Machine) -> None:
    first = machine("first")
    found = reports(first, "--seed", "3")
    assert len(found) == len(FORMATS)
    assert reports(first, "--seed", "3") == found, "from the cache"
    assert reports(first, "--seed", "3", "--no-cache") == found
    second = machine("second")
    assert reports(second, "--seed", "3") == found, "on another machine"
    other = reports(second, "--seed", "4")
    assert other["report.json"] != found["report.json"]
    worst = [json.loads(r["report.json"])["obligations"][0]["worst"] for r in (found, other)]
    assert worst[0] != worst[1], "another seed draws other instances"


def test_a_report_is_replayed_on_another_machine(machine: Machine, tmp_path: Path) -> None:
    here = machine("here")
    graph = tmp_path / "here" / "wrong.json"
    graph.write_text(json.dumps(wrong_graph()))
    options = ("--graph", str(graph), "--only", "layerNorm_eval", "--format", "json")
    found = here.run("audit", *FEW, *options)
    assert found.exit_code == 1
    replayed = here.run("replay", "--report", _sent(tmp_path, found.stdout))
    graph.unlink()
    there = machine("there")
    again = there.run("replay", "--report", _sent(tmp_path, found.stdout))
    assert again.exit_code == 1, again.output
    assert again.stdout == replayed.stdout, "the same numbers, to the last digit shown"
    assert "fails" in again.stdout
    right = tmp_path / "right.json"
    right.write_text(json.dumps(layer_norm_json()))
    corrected = there.run(
        "replay", "--report", _sent(tmp_path, found.stdout), "--graph", str(right)
    )
    assert corrected.exit_code == 0, "--graph wins over the graph in the report"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda r: r["graph_data"]["nodes"][0].update(op="conjure"), "its graph is malformed"),
        (lambda r: r.update(graph_data=[1]), "its graph is malformed"),
        (lambda r: r["obligations"][0]["counterexample"].update(seed="0"), "has no instance"),
        (lambda r: r["obligations"][0]["counterexample"].update(index=-1), "has no instance"),
        (lambda r: r["obligations"][0]["counterexample"].update(family=None), "has no instance"),
        (lambda r: r["obligations"][0]["counterexample"].update(index=True), "has no instance"),
    ],
)
def test_a_spoiled_report_is_refused(
    machine: Machine, tmp_path: Path, spoil: Callable[[Any], None], said: str
) -> None:
    here = machine("here")
    graph = tmp_path / "wrong.json"
    graph.write_text(json.dumps(wrong_graph()))
    options = ("--graph", str(graph), "--only", "layerNorm_eval", "--format", "json")
    value = json.loads(here.run("audit", *FEW, *options).stdout)
    spoil(value)
    refused = here.run("replay", "--report", _sent(tmp_path, json.dumps(value)))
    assert refused.exit_code == 2, refused.output
    assert said in " ".join(refused.stderr.split())
    assert "Traceback" not in refused.output


def _sent(folder: Path, text: str) -> str:
    path = folder / "report.json"
    path.write_text(text)
    return str(path)
