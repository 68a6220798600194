"""The process that stays warm between documents: shared, replaced, and always cleaned up."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import psutil
import pytest

from bridge.engine.errors import BuildBrokenError, TooSlowError
from bridge.engine.interface import Engine
from embedded_lean.warm import end_warm_host
from tests.engine.fakes import write_project

pytestmark = pytest.mark.lean

DEEP = """\
import Lean
open Lean Meta
def deep (m : Expr) (n : Nat) : Expr := Id.run do
  let mut e := m
  for _ in [0:n] do e := mkApp (mkConst ``Nat.succ) e
  return e
theorem t : True := by
  run_tac do
    let m ← mkFreshExprMVar (mkConst ``Nat)
    m.mvarId!.assign (mkNatLit 0)
    logInfo m!"{(← instantiateMVars (deep m LEVELS)).approxDepth}"
  trivial
"""
SPIN = "partial def spin (n : Nat) : IO Unit := spin (n + 1)\n#eval spin 0"


def hosts() -> list[int]:
    found = []
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):  # it has just ended
            if any("host.cjs" in part for part in child.cmdline()):
                found.append(child.pid)
    return found


def texts(lean: Engine, project: Path, text: str) -> list[str]:
    messages = lean.run_document(project, text, timeout=120)
    assert messages is not None
    return [m.text.strip() for m in messages]


def test_builds_and_documents_of_one_project_share_a_process(lean: Engine, tmp_path: Path) -> None:
    project = write_project(tmp_path / "one", {"lean/Demo.lean": "def Demo.two := 2"})
    assert lean.build(project).ok
    assert texts(lean, project, "import Demo\n#eval Demo.two") == ["2"]
    (first,) = hosts()
    # Each run is a fresh Lean: it sees nothing of the previous one.
    assert "Unknown" in texts(lean, project, "def left := 1\n#check lost")[0]
    assert "Unknown" in texts(lean, project, "#check left")[0]
    assert hosts() == [first]
    with pytest.raises(TooSlowError, match="did not answer within 3 s"):
        lean.run_document(project, SPIN, timeout=3)
    assert texts(lean, project, "import Demo\n#eval Demo.two") == ["2"]
    (project / "lean/Demo.lean").write_text("def Demo.two := 3")
    assert lean.build(project).ok
    assert texts(lean, project, "import Demo\n#eval Demo.two") == ["3"]
    assert hosts() == [first]
    other = write_project(tmp_path / "other", {"lean/Demo.lean": "def Demo.two := 4"})
    assert lean.build(other).ok
    assert texts(lean, other, "import Demo\n#eval Demo.two") == ["4"]
    assert hosts() != [first]
    assert len(hosts()) == 1
    end_warm_host()
    assert hosts() == []


def test_it_can_begin_before_it_is_needed(lean: Engine, tmp_path: Path) -> None:
    project = write_project(tmp_path, {"lean/Demo.lean": "def Demo.two := 2"})
    lean.begin(project)
    (first,) = hosts()
    assert lean.build(project).ok
    assert hosts() == [first]


def test_imported_code_cannot_read_the_document(lean: Engine, tmp_path: Path) -> None:
    """It contains the secret that marks the answer, and `initialize` runs while it is imported."""
    look = 'for f in ← (System.FilePath.mk "/engine/output").readDir do IO.println f.fileName'
    source = f"initialize do\n  {look}\ndef Demo.two := 2"
    project = write_project(tmp_path, {"lean/Demo.lean": source})
    assert lean.build(project).ok
    said = texts(lean, project, "import Demo\n#eval Demo.two")
    assert {"setup.json", "2"} <= set(said)
    assert not [name for name in said if name.endswith(".lean")]


def test_one_that_was_killed_is_started_again(lean: Engine, tmp_path: Path) -> None:
    project = write_project(tmp_path, {"lean/Demo.lean": "def Demo.two := 2"})
    assert lean.build(project).ok
    assert texts(lean, project, "import Demo\n#eval Demo.two") == ["2"]
    (first,) = hosts()
    psutil.Process(first).kill()
    deadline = time.monotonic() + 10
    while first in hosts() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert texts(lean, project, "import Demo\n#eval Demo.two") == ["2"]


@pytest.mark.slow
def test_a_deep_recursion_in_a_proof_does_not_overwrite_memory(
    lean: Engine, tmp_path: Path
) -> None:
    """It overflowed the stack of its thread, which WebAssembly does not notice."""
    project = write_project(tmp_path, {"lean/Demo.lean": ""})
    assert texts(lean, project, DEEP.replace("LEVELS", "70000")) == ["255"]
    with pytest.raises(BuildBrokenError, match="its stack overflowed"):
        texts(lean, project, DEEP.replace("LEVELS", "400000"))
