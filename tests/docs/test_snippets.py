"""The commands, options, inputs and hooks that pages, workflows and the action show exist."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from ruamel.yaml import YAML

from tests.cli.parsing import parse

ROOT = Path(__file__).parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
BLOCK = re.compile(r"^( *)```(\w+).*?\n(.*?)^\1```$", flags=re.M | re.S)
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.M))
YAML_1_2 = YAML(typ="safe", pure=True)


def blocks(page: Path, *languages: str) -> Iterator[str]:
    for indent, language, body in BLOCK.findall(page.read_text(encoding="utf-8")):
        if language in languages:
            yield "\n".join(line.removeprefix(indent) for line in body.splitlines())


def commands(text: str) -> Iterator[str]:
    """Lines that run a command; in a transcript, those after a ``$``."""
    for line in text.replace("\\\n", " ").splitlines():
        line = line.strip().removeprefix("$ ")
        if re.match(r'(eval "\$\()?obligations |make |pytest ', line):
            yield line


def check(line: str, options: set[str]) -> None:
    if line.startswith("make "):
        for word in shlex.split(line, comments=True)[1:]:
            assert "=" in word or word in TARGETS, f"the Makefile has no {word}"
    elif line.startswith("pytest "):
        for word in shlex.split(line, comments=True)[1:]:
            if word.startswith("--obligations"):
                assert word.partition("=")[0] in options, f"the plugin has no {word}"
    else:
        parse(line)


@pytest.fixture
def options(pytestconfig: pytest.Config) -> set[str]:
    """The options that the pytest plugin declares."""
    text = (ROOT / "bridge" / "pytest_plugin.py").read_text(encoding="utf-8")
    return set(re.findall(r'"(--obligations[\w-]*)"', text))


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_commands_in_pages_are_understood(
    page: Path, options: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for block in blocks(page, "sh", "console"):
        for line in commands(block):
            check(line, options)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda p: p.name)
def test_commands_in_workflows_are_understood(
    path: Path, options: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = 0
    for job in YAML_1_2.load(path.read_text(encoding="utf-8"))["jobs"].values():
        for step in job["steps"]:
            for line in commands(step.get("run", "")):
                check(line, options)
                found += 1
    assert found


def test_continuous_integration_audits_and_runs_the_tests_with_pytorch(options: set[str]) -> None:
    first, *lines = commands((ROOT / ".ci" / "run").read_text(encoding="utf-8"))
    check(first, options)
    assert re.fullmatch(r"make audit TORCH=[\d.]+", first)
    for line, target in zip(lines, ("test", "slow-test"), strict=True):
        check(line, options)
        assert re.fullmatch(rf"make {target} TORCH=[\d.]+", line)


def uses(value: Any) -> Iterator[dict[str, Any]]:
    """Every step of a piece of YAML that uses something."""
    if isinstance(value, dict):
        if "uses" in value:
            yield value
        for part in value.values():
            yield from uses(part)
    elif isinstance(value, list):
        for part in value:
            yield from uses(part)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_yaml_in_pages_uses_what_this_repository_publishes(page: Path) -> None:
    action = YAML_1_2.load((ROOT / "action.yml").read_text(encoding="utf-8"))
    hooks = {
        hook["id"]
        for hook in YAML_1_2.load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    }
    for block in blocks(page, "yaml"):
        value = YAML_1_2.load(block)
        for step in uses(value):
            if "lean-obligations" in step["uses"]:
                assert set(step.get("with", {})) <= set(action["inputs"]), block
        if isinstance(value, dict):
            for repository in value.get("repos", ()):
                assert {hook["id"] for hook in repository["hooks"]} <= hooks


def test_missing_commands_and_options_are_noticed(options: set[str]) -> None:
    for line in ("make nothing", "pytest --obligations-fast", "obligations audit --fast"):
        with pytest.raises((AssertionError, click.UsageError)):
            check(line, options)
    assert list(commands("$ obligations list\nsome output\n")) == ["obligations list"]
