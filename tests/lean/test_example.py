"""The example project, audited as its README says, by the real engine."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "descent"

MAIN = "from bridge.cli import main; main()"

pytestmark = [pytest.mark.lean, pytest.mark.slow]


def obligations(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", MAIN, *words, "--project", str(project)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)


@pytest.fixture
def example(tmp_path: Path) -> Path:
    project = tmp_path / "descent"
    shutil.copytree(EXAMPLE, project, ignore=shutil.ignore_patterns("Obligations*", "*.gz"))
    made = obligations(project, "init")
    assert made.returncode == 0, made.stderr
    return project


def test_it_holds_and_is_what_was_locked(example: Path) -> None:
    found = obligations(example, "audit", "--instances", "100")
    assert found.returncode == 0, found.stdout + found.stderr
    assert "Lean: 1 of 1 theorems proved.  Numbers: 3 holds." in found.stdout
    assert "not tagged" not in found.stdout
    assert obligations(example, "lock", "--check").stdout == "nothing changed\n"
    killed = obligations(example, "mutate", "--instances", "20")
    assert "5 of 5 planted errors are found" in killed.stdout


MISTAKES = {
    "another statement": (
        "Step",
        "0 ≤ decrease η w x y := by",
        "0 ≤ 1 * decrease η w x y := by",
    ),
    "another definition": ("Loss", "x * residual w x y + x", "x * residual w x y - x"),
    "no proof": ("Step", "residual\n    grind", "residual\n    sorry"),
}


@pytest.mark.parametrize(
    ("mistake", "code", "said"),
    [
        ("another statement", 4, "stale"),
        ("another definition", 3, "Step.lean"),
        ("no proof", 1, "sorry"),
    ],
)
def test_a_planted_mistake_is_found(example: Path, mistake: str, code: int, said: str) -> None:
    file, old, new = MISTAKES[mistake]
    source = example / "lean" / "Descent" / f"{file}.lean"
    text = source.read_text(encoding="utf-8")
    assert text.count(old) == 1
    source.write_text(text.replace(old, new), encoding="utf-8")
    found = obligations(example, "audit", "--instances", "100", "--no-trust")
    assert found.returncode == code, found.stdout + found.stderr
    assert said in found.stdout + found.stderr
