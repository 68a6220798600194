"""The workflow, the action and the hook: valid, pinned, and in step with the command line.

GitHub runs them; here we check the schemas of GitHub's own formats, and run the action's scripts
with a fake audit.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from bridge.cli.main import group
from bridge.report.formats import FORMATS

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ACTION = ROOT / "action.yml"
HOOKS = ROOT / ".pre-commit-hooks.yaml"


def read(path: Path) -> Any:
    """YAML 1.2, in which ``on`` is a word."""
    return YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))


def schema(name: str) -> dict[str, Any]:
    """A schema as check-jsonschema ships it."""
    vendor = files("check_jsonschema").joinpath("builtin_schemas", "vendor", f"{name}.json")
    found = json.loads(vendor.read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def steps(path: Path) -> list[dict[str, Any]]:
    value = read(path)
    jobs = [value["runs"]] if "runs" in value else list(value["jobs"].values())
    return [step for job in jobs for step in job["steps"]]


ALL = [*WORKFLOWS, ACTION]
NAMES = [p.name for p in ALL]


@pytest.mark.parametrize("path", ALL, ids=NAMES)
def test_github_would_understand_it(path: Path) -> None:
    kind = "github-actions" if path == ACTION else "github-workflows"
    validator = jsonschema.Draft7Validator(schema(kind))
    assert [f"{e.json_path}: {e.message}" for e in validator.iter_errors(read(path))] == []


def test_the_validation_rejects_errors() -> None:
    broken = read(ACTION)
    broken["runs"]["using"] = "bash"
    assert not jsonschema.Draft7Validator(schema("github-actions")).is_valid(broken)


def test_dependabot_would_understand_it() -> None:
    value = read(ROOT / ".github" / "dependabot.yml")
    assert jsonschema.Draft7Validator(schema("dependabot")).is_valid(value)


@pytest.mark.parametrize("path", ALL, ids=NAMES)
def test_actions_are_pinned_to_a_major_version(path: Path) -> None:
    used = [step["uses"] for step in steps(path) if "uses" in step]
    assert used
    for name in used:
        assert name == "./" or re.fullmatch(r"[\w./-]+@v\d+", name), name


@pytest.mark.parametrize("path", ALL, ids=NAMES)
def test_scripts_are_bash_and_take_nothing_by_substitution(path: Path) -> None:
    """Text from a user or a fork reaches a script only through its environment."""
    for step in steps(path):
        script = step.get("run")
        if script is not None:
            assert "${{" not in script
            subprocess.run(["bash", "-n"], input=script, text=True, check=True)


def test_a_workflow_may_read_and_no_more() -> None:
    for path in WORKFLOWS:
        workflow = read(path)
        assert workflow["permissions"] == {"contents": "read"}
        for job in workflow["jobs"].values():
            assert set(job.get("permissions", {})) <= {"contents", "security-events"}
            assert "timeout-minutes" in job


def test_the_workflow_builds_lean_audits_it_and_tests_everywhere() -> None:
    jobs = read(ROOT / ".github" / "workflows" / "ci.yml")["jobs"]
    used = [step.get("uses", "") for step in jobs["lean"]["steps"]]
    build = next(i for i, name in enumerate(used) if name.startswith("leanprover/lean-action@"))
    audit = used.index("./")
    assert build < audit
    assert jobs["lean"]["steps"][audit]["with"] == {"engine": "lake", "strict": "true"}
    matrix = jobs["tests"]["strategy"]["matrix"]
    assert {name.split("-")[0] for name in matrix["os"]} == {"ubuntu", "macos"}
    assert matrix["python"] == ["3.11", "3.12", "3.13", "3.14"]


def test_the_action_knows_its_own_inputs_and_steps() -> None:
    action, text = read(ACTION), ACTION.read_text(encoding="utf-8")
    assert set(re.findall(r"inputs\.([\w-]+)", text)) == set(action["inputs"])
    identifiers = {step["id"] for step in steps(ACTION) if "id" in step}
    assert set(re.findall(r"steps\.([\w-]+)\.", text)) == identifiers


def audit_step(name: str) -> str:
    (script,) = [step["run"] for step in steps(ACTION) if step["name"] == name]
    assert isinstance(script, str)
    return script


STAND_IN = """#!{python}
import pathlib, sys
pathlib.Path({seen!r}).write_text("\\n".join(sys.argv[1:]))
print("::error::a name from Lean")
if {code} not in (2, 3):
    reports = pathlib.Path(sys.argv[sys.argv.index("--output") + 1])
    reports.mkdir()
    (reports / "report.sarif").write_text("{{}}")
    (reports / "report.md").write_text("# summary\\n")
    (reports / "annotations.txt").write_text("::error title=x::ours\\n")
sys.exit({code})
"""


def runaudit_step(folder: Path, code: int, **environment: str) -> subprocess.CompletedProcess[str]:
    """The action's audit step, as GitHub's runner would run it, with a fake command."""
    command = folder / "lean-obligations" / "bin" / "obligations"
    command.parent.mkdir(parents=True)
    seen = str(folder / "seen")
    command.write_text(STAND_IN.format(python=sys.executable, code=code, seen=seen))
    command.chmod(0o755)
    # The step asks for `python`, which the runner has.
    (command.parent / "python").symlink_to(sys.executable)
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", audit_step("Audit")],
        env={
            "PATH": f"{command.parent}{os.pathsep}{os.environ['PATH']}",
            "RUNNER_TEMP": str(folder),
            "GITHUB_OUTPUT": str(folder / "output"),
            "GITHUB_STEP_SUMMARY": str(folder / "summary"),
            "PROJECT": "my project",
            "ENGINE": "lake",
            "SEED": "",
            "INSTANCES": "",
            "STRICT": "",
            **environment,
        },
        capture_output=True,
        text=True,
        check=True,
        cwd=folder,
    )


@pytest.mark.parametrize("code", [0, 1, 4])
def test_the_audit_step_passes_reports_on(tmp_path: Path, code: int) -> None:
    done = runaudit_step(tmp_path, code)
    output = (tmp_path / "output").read_text()
    assert f"exit-code={code}\n" in output
    assert f"reports={tmp_path / 'obligations-reports'}\n" in output
    assert (tmp_path / "summary").read_text() == "# summary\n"
    assert done.stdout.splitlines()[-1] == "::error title=x::ours"


def test_commands_from_lean_are_not_obeyed(tmp_path: Path) -> None:
    lines = runaudit_step(tmp_path, 1).stdout.splitlines()
    token = lines[0].removeprefix("::stop-commands::")
    assert len(token) == 32
    assert lines.index("::error::a name from Lean") < lines.index(f"::{token}::")
    assert lines.index(f"::{token}::") < lines.index("::error title=x::ours")


def test_an_audit_without_reports_says_only_its_exit_code(tmp_path: Path) -> None:
    runaudit_step(tmp_path, 3)
    assert (tmp_path / "output").read_text() == "exit-code=3\n"
    assert not (tmp_path / "summary").exists()


def test_the_action_asks_for_what_the_command_line_offers(tmp_path: Path) -> None:
    runaudit_step(tmp_path, 0, SEED="7", INSTANCES="30", STRICT="true")
    name, *words = (tmp_path / "seen").read_text().split("\n")
    assert (name, words[:2]) == ("audit", ["--project", "my project"])
    context = group.commands[name].make_context(name, words)
    assert context.params["seed"] == 7
    assert context.params["instances"] == 30
    assert context.params["engine_kind"] == "lake"
    assert context.params["strict"] is True
    assert set(context.params["formats"]) == set(FORMATS) - {"table"}


def test_the_file_names_that_the_action_reads_are_the_formats_own() -> None:
    text = ACTION.read_text(encoding="utf-8")
    named = set(re.findall(r"[\w.]+\.(?:html|json|sarif|xml|md|txt)\b", text))
    assert named == {f.file_name for n, f in FORMATS.items() if n != "table"}


@pytest.mark.parametrize(
    ("code", "incomplete", "expected"),
    [(0, "fail", 0), (1, "pass", 1), (3, "pass", 3), (4, "fail", 4), (4, "pass", 0)],
)
def test_the_verdict_step(code: int, incomplete: str, expected: int) -> None:
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", audit_step("Verdict")],
        env={"CODE": str(code), "INCOMPLETE": incomplete},
        check=False,
    )
    assert done.returncode == expected


def test_hooks_run_commands_that_exist() -> None:
    hooks = read(HOOKS)
    assert [h["id"] for h in hooks] == ["obligations-audit", "obligations-lock"]
    for hook in hooks:
        program, name, *words = shlex.split(hook["entry"])
        assert program == "obligations"
        group.commands[name].make_context(name, words)
        assert hook["language"] == "python"
        assert not hook["pass_filenames"]


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("lean/PostNorm.lean", True),
        ("lakefile.lean", True),
        ("sub/lakefile.toml", True),
        ("lean-toolchain", True),
        ("README.md", False),
        ("data/weights.json", True),
        ("lean/included.txt", True),
    ],
)
def test_hooks_wake_up_for_all_that_lean_and_checks_may_read(path: str, wanted: bool) -> None:
    for hook in read(HOOKS):
        asked = re.search(hook.get("files", ""), path)
        assert (bool(asked) and not re.search(hook["exclude"], path)) is wanted
