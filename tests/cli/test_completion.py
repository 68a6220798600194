"""Completion in a real bash, and the other shells' requests; Lean is never started."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from bridge.cli.main import group
from bridge.lean.known_names import Names, remember, remembered
from tests.cli.conftest import Harness

COMMAND = Path(sys.executable).parent / "obligations"


@pytest.fixture
def read(harness: Harness) -> Harness:
    """A project that a command has read, and an engine that would die."""
    assert harness.run("list").exit_code == 0
    harness.behaves(mode="dies-at-start")
    return harness


def bash_is_old() -> bool:
    asked = ["bash", "--norc", "-c", "((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] < 404))"]
    return subprocess.run(asked, check=False).returncode == 0


needs_bash = pytest.mark.skipif(bash_is_old(), reason="completion needs bash 4.4")


def in_bash(line: str, folder: Path, word: str) -> list[str]:
    """Bash's completions at the end of ``line``, with ``word`` as the current word."""
    script = CliRunner().invoke(group, ["completion", "bash"]).stdout
    asked = f"""{script}
COMP_LINE={shlex.quote(line)} COMP_POINT={len(line)}
_obligations_completion {shlex.quote(str(COMMAND))} {shlex.quote(word)}
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    done = subprocess.run(
        ["bash", "--norc", "-c", asked], cwd=folder, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return [line for line in done.stdout.splitlines() if line]


@needs_bash
@pytest.mark.parametrize(
    ("line", "word", "expected"),
    [
        ("obligations au", "au", ["audit"]),
        ("obligations audit --ins", "--ins", ["--instances"]),
        (
            "obligations show layerNorm_e",
            "layerNorm_e",
            ["layerNorm_eval", "layerNorm_eval:conclusion"],
        ),
        ("obligations show layerNorm_eval:", ":", ["conclusion"]),
        ("obligations show layerNorm_hasFDerivAt:hV", "hV", ["hVarEpsPos"]),
        (
            "obligations show 'layerNorm_hasFDerivAt:hV",
            "'layerNorm_hasFDerivAt:hV",
            ["layerNorm_hasFDerivAt:hVarEpsPos"],
        ),
        ("obligations graph ", "", ["layerNormGraph"]),
        ("obligations replay --family larg", "larg", ["large offset"]),
        ("obligations engine in", "in", ["install"]),
    ],
)
def test_bash_completes(read: Harness, line: str, word: str, expected: list[str]) -> None:
    assert in_bash(line, read.root, word) == expected


@needs_bash
def test_a_project_elsewhere_is_completed_too(read: Harness, tmp_path: Path) -> None:
    line = f"obligations lock --project {read.root} --accept layerNorm_e"
    assert in_bash(line, tmp_path, "layerNorm_e") == ["layerNorm_eval:conclusion"]
    assert in_bash("obligations lock --accept layerNorm_e", tmp_path, "layerNorm_e") == []


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_other_shells_get_keys_whole(read: Harness, shell: str) -> None:
    typed = "layerNorm_eval:c"
    environment = {
        **os.environ,
        "_OBLIGATIONS_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": f"obligations show {typed}",
        "COMP_CWORD": typed if shell == "fish" else "2",
    }
    done = subprocess.run(
        [str(COMMAND)], cwd=read.root, env=environment, capture_output=True, text=True, check=False
    )
    assert "layerNorm_eval:conclusion" in done.stdout, done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_scripts_are_understood_by_their_shells(shell: str) -> None:
    script = CliRunner().invoke(group, ["completion", shell]).stdout
    assert "_OBLIGATIONS_COMPLETE" in script
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell} here")
    subprocess.run([shell, "-n"], input=script, text=True, check=True)


def test_damaged_names_are_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAN_OBLIGATIONS_CACHE", str(tmp_path / "cache"))
    remember(tmp_path, ["t:h", "t:conclusion"], ["g"])
    assert remembered(tmp_path) == Names(("t:h", "t:conclusion"), ("g",))
    assert remembered(tmp_path).declarations == ("t",)
    (file,) = (tmp_path / "cache" / "names").iterdir()
    for text in ("", "{", "[]", '{"keys": 3, "graphs": []}'):
        file.write_text(text)
        assert remembered(tmp_path) == Names()
