"""One rule for everything that shows an outcome: the command, the reports, the pytest plugin, the
action, and the pre-commit hook.

Each case is a project in one state.  The command's exit code decides, and everything else is green
exactly if it is 0.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from bridge.auditing import configured as setup
from bridge.auditing import judge as judging
from bridge.checking import CheckInterrupted, CheckResult
from bridge.cli.main import group
from bridge.verdict import Verdict
from tests.bridge.answers import statement
from tests.cli.conftest import Harness, harness
from tests.cli.fake import graph_answers, trust_answers
from tests.report.test_ci import HOOKS, audit_step, read
from tests.report.test_pytest_plugin import run

__all__ = ["harness"]

pytest_plugins = ["pytester"]

EVAL = "PostNorm.layerNorm_eval"
KEY = "layerNorm_eval:conclusion"
SOURCE = "lean/PostNorm/Layers.lean"


def theorem(name: str = EVAL, *binders: Any, **more: Any) -> dict[str, Any]:
    return statement(name, *binders, module="PostNorm.Layers", **more)


def term(text: str) -> dict[str, Any]:
    return theorem(conclusion={"type": "0 < twice n", "term": text})


def waive(harness: Harness, *keys: str) -> None:
    text = "".join(f'[[waiver]]\nkey = "{key}"\nreason = "not a number"\n' for key in keys)
    (harness.root / "waivers.toml").write_text(text)


def wrong_graph(harness: Harness) -> None:
    harness.says(theorem())
    answers = json.loads(harness.answers.read_text())
    answers["graphs"] = graph_answers()
    for message in answers["graphs"]:
        for node in message.get("graph", {}).get("nodes", ()):
            if node["name"] == "y":
                node["op"] = "sub"
    harness.answers.write_text(json.dumps(answers))


def locked(harness: Harness, before: dict[str, Any], *after: dict[str, Any]) -> None:
    harness.says(before)
    assert harness.run("lock").exit_code == 0
    harness.says(*after)


def drift(harness: Harness) -> None:
    def below(meaning: str) -> list[Any]:
        constant = {"kind": "constant", "name": "Own.two", "terms": [meaning], "uses": []}
        return [theorem(uses=["Own.two"]), constant]

    harness.says(*below("2"))
    assert harness.run("lock").exit_code == 0
    harness.says(*below("3"))


def swapped(harness: Harness) -> None:
    swap = {"kind": "outside", "name": "Own.quick", "how": "extern", "module": "PostNorm.Layers"}
    harness.says(theorem(), trust=trust_answers(swap))


def refused(harness: Harness) -> None:
    rests = {"kind": "refused", "name": EVAL, "constant": "Own.fake"}
    harness.says(theorem(), trust=trust_answers(rests, refused={"Own.fake": "type mismatch"}))


def refused_elsewhere(harness: Harness) -> None:
    harness.says(theorem(), trust=trust_answers(refused={"Own.fake": "type mismatch"}))


def says_nothing(harness: Harness) -> None:
    why = {"kind": "vacuous", "name": EVAL, "why": "its conclusion is True"}
    harness.says(theorem(), trust=trust_answers(why))


def sorry(harness: Harness) -> None:
    harness.says(theorem(axioms=["sorryAx"]), sorryAx="Init.Prelude")


def unread(harness: Harness) -> None:
    harness.says(theorem())
    (harness.root / "lean" / "Stray.lean").write_text("@[obligation] theorem t : 1 = 2 := sorry\n")


def waived_only(harness: Harness) -> None:
    harness.says(theorem("PostNorm.new"))
    waive(harness, "new:conclusion")
    answers = json.loads(harness.answers.read_text())
    answers["graphs"] = [m for m in answers["graphs"] if m["kind"] == "graph"]
    answers["graphs"].append({"kind": "end", "count": len(answers["graphs"]), "lean": "4.28.0"})
    harness.answers.write_text(json.dumps(answers))


PYTEST = {"no lean": pytest.ExitCode.INTERRUPTED, "interrupted": pytest.ExitCode.INTERRUPTED}
"""pytest's exit code, if it is neither "all passed" nor "some failed"."""


def no_lean(harness: Harness) -> None:
    harness.behaves(mode="dies-at-start")


@dataclass(frozen=True)
class Case:
    """A project's state, the command's exit code, and the files that cause it."""

    name: str
    code: int
    make: Callable[[Harness], None]
    files: tuple[str, ...] = (SOURCE,)
    patch: Callable[[pytest.MonkeyPatch], None] | None = None


def stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: Any, **__: Any) -> CheckResult:
        raise CheckInterrupted(CheckResult(Verdict.INCONCLUSIVE, "interrupted", 3, 3))

    monkeypatch.setattr(judging, "run_check", stop)


CASES = (
    Case("all holds", 0, lambda h: h.says(theorem())),
    Case("fails", 1, wrong_graph),
    Case("stale", 4, lambda h: locked(h, term("old"), term("new"))),
    Case("drift", 4, drift, (SOURCE, "statements.lock.json")),
    Case("missing", 4, lambda h: locked(h, theorem("PostNorm.gone"), theorem())),
    Case("unpaired", 4, lambda h: h.says(theorem("PostNorm.new")), (SOURCE, "checks.py")),
    Case("inconclusive", 4, swapped),
    Case("refused", 1, refused),
    Case("refused elsewhere", 1, refused_elsewhere),
    Case("says nothing", 1, says_nothing),
    Case("sorry", 1, sorry),
    Case("unread", 4, unread, ("lean/Stray.lean", "obligations.toml")),
    Case("interrupted", 4, lambda h: h.says(theorem()), patch=stopped),
    Case("waived only", 0, waived_only, ("waivers.toml",)),
    Case("error", 4, lambda h: h.says(theorem("PostNorm.softmax_eval"))),
    Case("no lean", 3, no_lean, ("lean-toolchain", "lake-manifest.json")),
)


def junit_is_red(folder: Path) -> bool:
    xml = ElementTree.parse(folder / "report.junit.xml").getroot()
    return bool(xml.findall(".//failure") + xml.findall(".//error"))


def sarif_is_red(folder: Path) -> bool:
    (run,) = json.loads((folder / "report.sarif").read_text())["runs"]
    (invocation,) = run["invocations"]
    return bool([*run["results"], *invocation["toolExecutionNotifications"]])


def annotations_are_red(folder: Path) -> bool:
    lines = (folder / "annotations.txt").read_text().splitlines()
    return any(re.match("::(error|warning) ", line) for line in lines)


def json_is_red(folder: Path) -> bool:
    return bool(json.loads((folder / "report.json").read_text())["exit_code"])


def says_that_all_is_well(folder: Path, name: str) -> bool:
    said = (folder / name).read_text(encoding="utf-8").partition("How to read this")[0]
    return re.search("obligations? that (was|were) checked holds?", said) is not None


RED = (json_is_red, junit_is_red, sarif_is_red, annotations_are_red)


def verdict_step(code: int, incomplete: str) -> int:
    """The exit code of the action's last step."""
    script = audit_step("Verdict")
    environment = {"CODE": str(code), "INCOMPLETE": incomplete}
    words = ["bash", "-eo", "pipefail", "-c", script]
    return subprocess.run(words, env=environment, check=False).returncode


def hook(index: int, root: Path) -> int:
    """The exit code of a pre-commit hook."""
    program, *words = shlex.split(read(HOOKS)[index]["entry"])
    assert program == "obligations"
    return CliRunner().invoke(group, [*words, "--project", str(root)]).exit_code


def lock_code(case: Case) -> int:
    """The exit code of the hook that only compares with the lock: 2 if there is none."""
    return 4 if case.name in ("stale", "drift", "missing") else 3 if case.code == 3 else 2


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_every_face_has_one_outcome(
    case: Case,
    harness: Harness,
    tmp_path: Path,
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (harness.root / "obligations.toml").write_text("instances = 10\n")
    case.make(harness)
    if case.patch is not None:
        case.patch(monkeypatch)

    folder = tmp_path / "reports"
    folder.mkdir()
    for name in ("report.junit.xml", "report.sarif"):
        (folder / name).write_text("of yesterday, and green")
    formats = ("json", "junit", "sarif", "github", "markdown", "html")
    options = [word for name in formats for word in ("--format", name)]
    result = harness.run("audit", *options, "--output", str(folder))
    assert result.exit_code == case.code, result.output
    assert "Traceback" not in result.output

    if case.code == 3:
        assert list(folder.iterdir()) == []
    else:
        assert {f.__name__: f(folder) for f in RED} == {f.__name__: case.code != 0 for f in RED}
        for name in ("report.html", "report.md"):
            assert says_that_all_is_well(folder, name) == (case.name == "all holds")

    assert verdict_step(case.code, "fail") == case.code
    assert verdict_step(case.code, "pass") == (0 if case.code == 4 else case.code)

    assert hook(0, harness.root) == case.code
    assert hook(1, harness.root) == lock_code(case)
    for hook_of in read(HOOKS):
        for file in case.files:
            for path in (file, f"sub/project/{file}"):
                assert re.search(hook_of.get("files", ""), path), (hook_of["id"], path)
                assert not re.search(hook_of["exclude"], path), (hook_of["id"], path)

    monkeypatch.setattr(setup, "select", lambda *_a, **_k: harness.engine)
    pytester.makeini("[pytest]\naddopts = -p no:cacheprovider --strict-markers\n")
    project = f"--obligations-project={harness.root}"
    outcome = run(pytester, "--obligations", project, no_reraise_ctrlc=True)
    assert outcome.ret == PYTEST.get(case.name, pytest.ExitCode(bool(case.code)))


@pytest.mark.parametrize(
    ("options", "code"),
    [((), 4), (("--only", KEY), 0), (("--graph", "graph.json"), 4), (("--strict",), 4)],
    ids=["whole", "only", "graph", "strict"],
)
def test_unread_sources_count_where_all_is_audited(
    harness: Harness, options: tuple[str, ...], code: int, tmp_path: Path
) -> None:
    """Selecting one key selects nothing else; replacing the library's graph does not change which
    sources Lean has not read."""
    unread(harness)
    graph = tmp_path / "graph.json"
    answers = json.loads(harness.answers.read_text())["graphs"]
    graph.write_text(json.dumps(next(m["graph"] for m in answers if "graph" in m)))
    words = [str(graph) if o == "graph.json" else o for o in options]
    result = harness.run("audit", "--instances", "10", *words)
    assert result.exit_code == code, result.output
    assert ("Stray.lean" in result.output) == (code == 4)
