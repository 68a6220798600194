"""Modules that one instance of the real embedded engine compiles in sequence.

The instance's memory is reset between them: a module's changes to Lean's own state, to files that
no mount covers, or to its threads must not be visible to another.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bridge.engine.interface import BuildReport, Engine
from tests.engine.fakes import write_project

pytestmark = [pytest.mark.lean, pytest.mark.slow]

# Each imports the one before it, so that they are compiled in this order, without a second
# instance next to the first.
HEADER = "import Lean.Elab.Command\nopen Lean Elab Command\n"


def chain(*texts: str) -> dict[str, str]:
    """A project whose modules `Demo.M0`, `Demo.M1`, ... hold `texts`."""
    files = {"lean/Demo.lean": f"import Demo.M{len(texts) - 1}"}
    for number, text in enumerate(texts):
        before = f"import Demo.M{number - 1}\n" if number else ""
        files[f"lean/Demo/M{number}.lean"] = before + HEADER + text
    return files


def said(report: BuildReport, module: str) -> list[str]:
    """The output of a module while it was compiled."""
    found = next(m for m in report.modules if m.module == module)
    return [message.text.strip() for message in found.messages]


def test_a_reference_of_lean_itself_is_as_new_in_each_module(lean: Engine, tmp_path: Path) -> None:
    look = 'run_cmd logInfo m!"{(← (searchPathRef.get : IO _)).contains ⟨"/left"⟩}"\n'
    leave = 'run_cmd (searchPathRef.modify (⟨"/left"⟩ :: ·) : IO Unit)\n'

    report = lean.build(write_project(tmp_path / "p", chain(*[look + leave + look] * 3)), jobs=1)

    assert report.ok, report.messages
    for number in range(3):
        assert said(report, f"Demo.M{number}") == ["false", "true"]


def test_a_file_from_one_module_is_removed_for_the_next(lean: Engine, tmp_path: Path) -> None:
    leave = (
        'run_cmd (IO.FS.writeFile "/tmp/left" "by M0" : IO Unit)\n'
        'run_cmd logInfo m!"{← (IO.FS.readFile "/tmp/left" : IO String)}"\n'
    )
    look = 'run_cmd logInfo m!"{← (System.FilePath.pathExists "/tmp/left" : IO Bool)}"\n'
    report = lean.build(write_project(tmp_path / "p", chain(leave, look)), jobs=1)

    assert report.ok, report.messages
    assert said(report, "Demo.M0") == ["by M0"]
    assert said(report, "Demo.M1") == ["false"]


@pytest.mark.parametrize("priority", ["default", "dedicated"])
def test_a_thread_that_does_not_end_reaches_no_other_module(
    lean: Engine, tmp_path: Path, priority: str
) -> None:
    endless = (
        "partial def spin (left : IO.Ref Nat) : IO Unit := do left.modify (· + 1); spin left\n"
        "run_cmd do\n"
        "  let left ← (IO.mkRef 0 : IO (IO.Ref Nat))\n"
        f"  discard (IO.asTask (spin left) .{priority} : BaseIO _)\n"
    )
    two = "theorem two : 1 + 1 = 2 := by decide\n"
    report = lean.build(write_project(tmp_path / "p", chain(endless, two)), jobs=1)

    assert report.ok, report.messages
    assert [m.outcome for m in report.modules] == ["built"] * 3


def test_after_a_module_with_errors_the_others_are_compiled_as_ever(
    lean: Engine, tmp_path: Path
) -> None:
    texts = {
        "M0": "theorem wrong : 1 + 1 = 3 := by decide\n",
        "M1": "run_cmd (IO.Process.exit 3 : IO Unit)\n",
        "M2": "theorem two : 1 + 1 = 2 := by decide\n",
    }
    files = {f"lean/Demo/{name}.lean": HEADER + text for name, text in texts.items()}
    files["lean/Demo.lean"] = "\n".join(f"import Demo.{name}" for name in texts)

    report = lean.build(write_project(tmp_path / "p", files), jobs=1)

    outcomes = {m.module.removeprefix("Demo."): m.outcome for m in report.modules}
    assert outcomes == {"M0": "failed", "M1": "failed", "M2": "built", "Demo": "blocked"}


def test_a_module_has_one_compiled_form(lean: Engine, tmp_path: Path) -> None:
    """A comment at its end, and what ran before, do not change it."""
    source = (
        "theorem self (n : Nat) : n = n := by rfl\n"
        "def double (n : Nat) : Nat := n + n\n"
        'def flags : List (String × Bool) := [("a", true), ("b", false)]\n'
    )
    before = 'run_cmd logInfo m!"{(List.range 30000).map fun i => (i, i % 3 == 0)}"\n'
    found = []
    for number, (first, end) in enumerate([("", ""), (before, "-- a comment\n")] * 2):
        project = write_project(tmp_path / f"p{number}", chain(first, ""))
        (project / "lean" / "Demo" / "M1.lean").write_text(source + end, encoding="utf-8")
        assert lean.build(project, jobs=1).ok
        found.append(lean.compiled_digests(project)["Demo.M1"])
        shutil.rmtree(lean.layout.build)
    assert len(set(found)) == 1
