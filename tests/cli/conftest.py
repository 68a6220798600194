from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bridge.auditing import configured as setup
from bridge.auditing import judge as judging
from bridge.checking import CheckResult, CheckRun
from bridge.cli.main import group
from tests.cli.fake import FakeEngine, layer_norm_statements, write_answers, write_project


class Harness:
    """A project in a folder, a scripted engine, and a way to run commands."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.round = 0
        self.answers = root / "answers.json"
        self.engine = FakeEngine(self.answers)
        write_project(root)
        self.says(*layer_norm_statements())

    def says(self, *statements: Any, **more: Any) -> None:
        """Lean's answer from now on; the sources change, so that no cached answer is used."""
        write_answers(self.answers, *statements, **more)
        self.round += 1
        source = self.root / "lean" / "PostNorm" / "Layers.lean"
        source.write_text(f"-- round {self.round}\n")

    def behaves(self, **changes: Any) -> None:
        self.engine = replace(self.engine, **changes)

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(group, [*arguments, "--project", str(self.root)])


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The keys of the obligations whose check runs."""
    keys: list[str] = []
    real = judging.run_check

    def run_check(run: CheckRun, **more: Any) -> CheckResult:
        keys.append(run.key)
        return real(run, **more)

    monkeypatch.setattr(judging, "run_check", run_check)
    return keys


@pytest.fixture
def harness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Harness:
    monkeypatch.setenv("LEAN_OBLIGATIONS_CACHE", str(tmp_path / "cache"))
    (tmp_path / "project").mkdir()
    made = Harness(tmp_path / "project")
    chosen: Callable[..., FakeEngine] = lambda *_a, **_k: made.engine  # noqa: E731
    monkeypatch.setattr(setup, "select", chosen)
    return made
