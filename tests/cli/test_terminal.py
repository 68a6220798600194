"""On a terminal there is colour, unless ``NO_COLOR`` is set; in a pipe there is none."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = [str(Path(sys.executable).parent / "obligations"), "list"]
RED = re.compile(r"\x1b\[[\d;]*31m")


def on_a_terminal(folder: Path, environment: dict[str, str]) -> str:
    """An error message in a folder that is not a project."""
    ours, theirs = pty.openpty()
    try:
        subprocess.run(COMMAND, cwd=folder, env=environment, stderr=theirs, check=False)
    finally:
        os.close(theirs)
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        return terminal.read(10_000).decode()


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR")}
    return {**kept, "TERM": "xterm-256color", "LEAN_OBLIGATIONS_CACHE": str(tmp_path / "cache")}


def test_colour_on_a_terminal_only(tmp_path: Path, environment: dict[str, str]) -> None:
    shown = on_a_terminal(tmp_path, environment)
    assert "lakefile" in shown
    assert RED.search(shown)
    piped = subprocess.run(
        COMMAND, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert "lakefile" in piped.stderr
    assert "\x1b" not in piped.stderr


def test_no_color_is_obeyed(tmp_path: Path, environment: dict[str, str]) -> None:
    shown = on_a_terminal(tmp_path, {**environment, "NO_COLOR": "1"})
    assert "lakefile" in shown
    assert not RED.search(shown)


def test_a_locale_that_cannot_write_a_statement_gets_it_escaped() -> None:
    locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    project = Path(__file__).parents[2]
    done = subprocess.run(
        [*COMMAND, "--project", str(project), "--engine", "lock"],
        env={**os.environ, **locale},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert b"\\u" in done.stdout
    assert b"Traceback" not in done.stderr
