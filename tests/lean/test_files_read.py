"""Files that Lean reads while it compiles: a change is noticed, through the real engine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from bridge.cli.main import group
from bridge.engine import Engine
from bridge.lean.project import Project

pytestmark = [pytest.mark.lean, pytest.mark.slow]
Make = Callable[[str], Project]

SOURCE = """\
import Obligations
namespace Demo
open Lean Elab Term in
elab "the_number" : term => do
  let text ← IO.FS.readFile "number.txt"
  let more ← try IO.FS.readFile "more.txt" catch _ => pure ""
  return mkNatLit (text.trimAscii.toString.toNat! + more.length)
def greeting : String := include_str "greeting.txt"
def number : Nat := the_number
@[obligation] theorem t (hGreeting : greeting ≠ "") : number = 5 := by rfl
end Demo
"""


def run(project: Project, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(group, [*arguments, "--project", str(project.root)])
    return result.exit_code, " ".join(result.output.split())


@pytest.fixture
def project(project_of: Make, lean: Engine) -> Project:
    made = project_of(SOURCE.replace("import Obligations", "import Lean\nimport Obligations"))
    (made.root / "number.txt").write_text("5")
    (made.root / "lean" / "Demo" / "greeting.txt").write_text("Hello")
    return made


def change(path: Path, text: str, project: Project) -> tuple[tuple[int, str], tuple[int, str]]:
    """The results of `audit` and `lock --check` after a file was written."""
    path.write_text(text)
    return run(project, "audit"), run(project, "lock", "--check")


def test_a_file_that_lean_read_belongs_to_the_answer(project: Project) -> None:
    assert run(project, "lock")[0] == 0
    code, said = run(project, "audit")
    assert (code, "1 of 1 theorems proved" in said) == (4, True)  # the hypothesis has no check
    number = project.root / "number.txt"
    for code, said in change(number, "6", project):
        assert (code, "do not compile" in said) == (3, True)
    assert change(number, "5", project)[1] == (0, "nothing changed")
    for code, said in change(project.root / "more.txt", "!", project):  # requested, but missing
        assert (code, "do not compile" in said) == (3, True)
    (project.root / "more.txt").unlink()
    (code, said), (locked, drift) = change(
        project.root / "lean" / "Demo" / "greeting.txt", "Bye", project
    )
    assert (code, locked) == (4, 4)
    assert "Demo.greeting" in said
    assert "definition changed" in drift
