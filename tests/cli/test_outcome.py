"""The output of an unchanged audit is printed again; any change is noticed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bridge.auditing import configured
from bridge.auditing import judge as judging
from bridge.checking import CheckResult, CheckRun
from bridge.cli import audit_command
from bridge.cli.entry import known_outcome
from bridge.cli.main import group
from bridge.cli.progress_bar import Watch
from bridge.report import Report
from bridge.storage import outcome
from bridge.verdict import Verdict
from tests.cli.conftest import Harness
from tests.numeric.graphs import layer_norm_json


def running(harness: Harness, *arguments: str) -> str:
    return outcome.command_key(["audit", *arguments, "--project", str(harness.root)])


def audit(harness: Harness, *arguments: str) -> str:
    """An audit from the command line."""
    begun = running(harness, *arguments)
    words = ["audit", *arguments, "--project", str(harness.root)]
    found = CliRunner().invoke(group, words, obj=begun)
    assert found.exit_code in (0, 1, 4, 130), found.output
    return found.stdout


def test_an_unchanged_audit_prints_the_same(
    harness: Harness, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = audit(harness, "--instances", "20")
    assert known_outcome(running(harness, "--instances", "20")) == 0
    again = capsys.readouterr()
    assert again.out == printed
    assert "Nothing has changed since" in again.err
    assert known_outcome(running(harness, "--instances", "21")) is None


def test_files_are_written_again(harness: Harness, tmp_path: Path) -> None:
    arguments = ("--instances", "20", "--format", "json", "--output", str(tmp_path / "reports"))
    audit(harness, *arguments)
    report = tmp_path / "reports" / "report.json"
    before = report.read_bytes()
    report.unlink()
    assert known_outcome(running(harness, *arguments)) == 0
    assert report.read_bytes() == before


def _source(root: Path) -> None:
    (root / "lean" / "PostNorm" / "Layers.lean").write_text("-- another\n")


def _new_source(root: Path) -> None:
    (root / "lean" / "PostNorm" / "New.lean").write_text("-- new\n")


def _settings(root: Path) -> None:
    (root / "obligations.toml").write_text("seed = 1\n")


def _waivers(root: Path) -> None:
    (root / "waivers.toml").write_text("")


def _lock(root: Path) -> None:
    (root / "statements.lock.json").write_text("{}")


@pytest.mark.parametrize("change", [_source, _new_source, _settings, _waivers, _lock])
def test_a_change_of_the_project_is_seen(harness: Harness, change: Callable[[Path], None]) -> None:
    audit(harness, "--instances", "20")
    change(harness.root)
    assert known_outcome(running(harness, "--instances", "20")) is None


def test_a_commit_is_seen(harness: Harness) -> None:
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(harness.root)]
    commit = [*git, "commit", "-q", "--allow-empty", "-m", "one"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run(commit, check=True)
    audit(harness, "--instances", "20")
    assert known_outcome(running(harness, "--instances", "20")) == 0
    subprocess.run(commit, check=True)
    assert known_outcome(running(harness, "--instances", "20")) is None


@pytest.mark.parametrize(
    ("what", "other"),
    [
        ("_own_code", lambda: "other"),
        ("_installed", lambda: ["numpy-0.0.dist-info"]),
        ("__version__", "0.0"),
    ],
)
def test_other_code_is_another_command(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, what: str, other: object
) -> None:
    audit(harness, "--instances", "20")
    monkeypatch.setattr(outcome, what, other)
    assert known_outcome(running(harness, "--instances", "20")) is None


def test_a_command_is_another_in_another_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [outcome.command_key(["audit"])]
    monkeypatch.chdir(tmp_path)
    found.append(outcome.command_key(["audit"]))
    monkeypatch.setenv("COLUMNS", "61")
    found.append(outcome.command_key(["audit"]))
    monkeypatch.syspath_prepend(str(tmp_path / "empty"))
    found.append(outcome.command_key(["audit"]))
    assert len(set(found)) == 4


def test_a_changed_file_of_ours_is_other_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outcome, "__file__", str(tmp_path / "bridge" / "storage" / "outcome.py"))
    (tmp_path / "numeric" / "ops").mkdir(parents=True)
    found = []
    for text in ("a = 1", "a = 2"):
        (tmp_path / "numeric" / "ops" / "add.py").write_text(text)
        found.append(outcome._own_code.__wrapped__())
    assert len(set(found)) == 2


def test_an_environment_variable_that_was_read_is_seen(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    audit(harness, "--instances", "20")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    assert known_outcome(running(harness, "--instances", "20")) is None


def test_results_of_another_machine_or_device_are_not_kept(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = ("--instances", "20", "--scheduler", "tcp://host:8786")
    monkeypatch.setattr(configured, "spread_over", lambda *_a, **_k: nullcontext())
    audit(harness, *elsewhere)
    assert known_outcome(running(harness, *elsewhere)) is None
    real = audit_command.keep_outcome

    def keep(key: str, report: Report, *rest: Any, **more: Any) -> None:
        real(key, replace(report, backend="torch:cuda"), *rest, **more)

    monkeypatch.setattr(audit_command, "keep_outcome", keep)
    audit(harness, "--instances", "20")
    assert known_outcome(running(harness, "--instances", "20")) is None


@pytest.mark.parametrize("arguments", [("--no-cache",), ("--only", "*:hVarEpsPos", "--dry-run")])
def test_audits_without_the_cache_are_not_kept(
    harness: Harness, arguments: tuple[str, ...]
) -> None:
    audit(harness, "--instances", "20", *arguments)
    assert known_outcome(running(harness, "--instances", "20", *arguments)) is None


def test_an_audit_of_a_graph_from_a_file_is_not_kept(harness: Harness, tmp_path: Path) -> None:
    (tmp_path / "graph.json").write_text(json.dumps(layer_norm_json()))
    arguments = ("--instances", "20", "--graph", str(tmp_path / "graph.json"))
    assert "seed 0   graph" in audit(harness, *arguments)
    assert known_outcome(running(harness, *arguments)) is None


def test_messages_next_to_the_report_are_not_lost(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Watch.__exit__

    def leave(watch: Watch, *error: Any) -> None:
        watch.note("something else")
        real(watch, *error)

    monkeypatch.setattr(Watch, "__exit__", leave)
    audit(harness, "--instances", "20")
    assert known_outcome(running(harness, "--instances", "20")) is None


def test_an_interrupted_audit_is_not_kept(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any, **__: Any) -> CheckResult:
        raise KeyboardInterrupt

    monkeypatch.setattr(judging, "run_check", interrupted)
    assert "nterrupted" in audit(harness, "--instances", "20")
    assert known_outcome(running(harness, "--instances", "20")) is None


def test_the_official_toolchain_is_asked_each_time(harness: Harness) -> None:
    harness.behaves(kind="lake")
    audit(harness, "--instances", "20")
    assert known_outcome(running(harness, "--instances", "20")) is None


def test_an_audit_that_cannot_tell_may_be_able_to_next_time(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = judging.run_check

    def run_check(run: CheckRun, **more: Any) -> CheckResult:
        return replace(real(run, **more), verdict=Verdict.INCONCLUSIVE, reason="out of time")

    monkeypatch.setattr(judging, "run_check", run_check)
    assert "out of time" in audit(harness, "--instances", "20")
    assert known_outcome(running(harness, "--instances", "20")) is None


def test_a_project_with_checks_of_its_own_is_audited_each_time(harness: Harness) -> None:
    (harness.root / "own.py").write_text("")
    (harness.root / "obligations.toml").write_text('checks = ["own.py"]\n')
    audit(harness, "--instances", "20")
    assert known_outcome(running(harness, "--instances", "20")) is None


def _gone(root: Path) -> None:
    (root / "lean" / "PostNorm" / "Layers.lean").unlink()


def _compiled(root: Path) -> None:
    (root / "lean" / "__pycache__").mkdir()


@pytest.mark.parametrize(
    ("change", "kept"),
    [(_source, False), (_new_source, False), (_waivers, False), (_gone, False), (_compiled, True)],
)
def test_a_change_during_an_audit_gives_another_outcome(
    harness: Harness,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Path], None],
    kept: bool,
) -> None:
    real = audit_command.publish

    def publish(*arguments: Any) -> int:
        change(harness.root)
        return real(*arguments)

    monkeypatch.setattr(audit_command, "publish", publish)
    audit(harness, "--instances", "20")
    assert (known_outcome(running(harness, "--instances", "20")) == 0) is kept


@pytest.mark.parametrize("damage", [lambda b: b[:-20], lambda b: b.replace(b"holds", b"fails")])
def test_a_damaged_outcome_is_ignored(
    harness: Harness, tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    audit(harness, "--instances", "20")
    (kept,) = (tmp_path / "cache" / "outcomes").glob("*.json")
    before = kept.read_bytes()
    kept.write_bytes(damage(before))
    assert kept.read_bytes() != before
    assert known_outcome(running(harness, "--instances", "20")) is None


def test_looking_for_an_outcome_imports_next_to_nothing() -> None:
    code = "import sys, bridge.cli; print({'numpy', 'click', 'rich'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "set()\n"


def test_a_closed_pipe_is_not_a_mistake_of_ours(harness: Harness) -> None:
    audit(harness, "--instances", "20")
    begun = running(harness, "--instances", "20")
    code = f"from bridge.cli.entry import known_outcome; raise SystemExit(known_outcome({begun!r}))"
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as gone:
        found = subprocess.run(
            [sys.executable, "-c", code],
            stdout=gone,
            stderr=subprocess.PIPE,
            check=False,
            env=dict(os.environ),  # readline passes the terminal's size to children
        )
    assert found.returncode == 1
    assert b"Traceback" not in found.stderr
