"""The workflows and the action, checked by zizmor, which knows how workflows are attacked."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROGRAM = Path(sys.executable).with_name("zizmor")


def zizmor(*paths: Path) -> subprocess.CompletedProcess[str]:
    assert PROGRAM.is_file(), "zizmor is among the dependencies of the extra `dev`"
    config = ["--config", str(ROOT / ".github" / "zizmor.yml")]
    return subprocess.run(
        [str(PROGRAM), "--offline", "--no-progress", *config, *map(str, paths)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_zizmor_finds_nothing() -> None:
    # Named one by one, so that a file that is missing is an error.
    github = ROOT / ".github"
    paths = (ROOT / "action.yml", github / "dependabot.yml", *(github / "workflows").glob("*.yml"))
    found = zizmor(*paths)
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize(
    "step",
    [
        "run: echo ${{ github.event.issue.title }}",
        "uses: someone/else@main",
        "uses: actions/checkout@v6",
    ],
)
def test_zizmor_rejects_errors(tmp_path: Path, step: str) -> None:
    path = tmp_path / ".github" / "workflows" / "bad.yml"
    path.parent.mkdir(parents=True)
    path.write_text(
        "name: bad\non: issues\npermissions: {}\njobs:\n  a:\n    name: a\n"
        f"    runs-on: ubuntu-latest\n    steps:\n      - {step}\n"
    )
    found = zizmor(path)
    assert found.returncode > 10, found.stdout + found.stderr


def test_ci_runs_both_lanes() -> None:
    """Tests that `make test` leaves out still run, on every path to CI."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"^test:.*\n\t\$\(PYTEST\) -m 'not slow'$", makefile, re.M)
    assert re.search(r"^slow-test:.*\n\t\$\(PYTEST\) -m slow$", makefile, re.M)
    for path in (ROOT / ".ci" / "run", ROOT / ".github" / "workflows" / "ci.yml"):
        commands = path.read_text(encoding="utf-8")
        assert re.search(r"\bmake test\b", commands), path
        assert re.search(r"\bmake slow-test\b", commands), path
