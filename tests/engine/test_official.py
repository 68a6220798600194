"""The official toolchain, played by a scripted `lake`, including when it misbehaves."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from bridge import engine
from bridge.engine import official
from bridge.engine.errors import BuildBrokenError, EngineNotInstalledError, LakeUnusableError
from bridge.engine.official import parse_build_output
from embedded_lean.layout import Layout
from tests.engine.fakes import executable

LAKE = """
import os, subprocess, sys, time
behaviour = os.environ.get("FAKE_LAKE", "")
command = sys.argv[1:]
if command == ["--version"]:
    if behaviour == "hangs":
        subprocess.Popen(["sleep", "77.25"])
        time.sleep(60)
    if behaviour == "fails":
        print("error: no default toolchain configured", file=sys.stderr)
        sys.exit(1)
    if behaviour == "rubbish":
        sys.stdout.buffer.write(bytes(range(128, 256)) * 10)
        sys.exit(0)
    print("Lake version 5.0.0-src+abc (Lean version 4.28.0)")
elif command == ["env", "lean", "--version"]:
    if behaviour == "no lean":
        print("error: could not download the toolchain", file=sys.stderr)
        sys.exit(1)
    if behaviour == "odd lean":
        print("Coq 8.20")
        sys.exit(0)
    print("Lean (version 4.28.0, x86_64-unknown-linux-gnu, commit 0123abcd, Release)")
elif command == ["env", "lean", "--print-prefix"]:
    print(os.environ["FAKE_PREFIX"])
elif command[0] == "env":
    sys.exit(subprocess.run(command[1:]).returncode)
elif command[0] == "build":
    print(open("build.txt", encoding="utf-8").read(), end="")
    sys.exit(int(os.environ.get("FAKE_LAKE_CODE", "0")))
"""


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Puts a scripted `lake` on PATH; returns the folder of a project."""
    folder = tmp_path / "bin"
    executable(folder, "lake", LAKE)
    monkeypatch.setenv("PATH", os.pathsep.join([str(folder), os.environ["PATH"]]))
    monkeypatch.setattr(official, "_ANSWER_SECONDS", 1.5)
    project = tmp_path / "project"
    project.mkdir()

    def behave(how: str) -> Path:
        monkeypatch.setenv("FAKE_LAKE", how)
        return project

    return behave


def test_a_lake_that_answers_is_taken(lake: Callable[[str], Path]) -> None:
    project = lake("")
    chosen = engine.select("auto", project=project, install=False)
    assert (chosen.kind, chosen.official, chosen.lean_version) == ("lake", True, "4.28.0")
    assert chosen.fingerprint == "lake-4.28.0-0123abcd"
    assert "official" in chosen.describe()
    command = chosen.server_command(project)
    assert command[1:] == ["serve", "--", "-Dserver.reportDelayMs=0"]
    assert engine.why_not_lake(project) == ""


@pytest.mark.parametrize(
    ("behaviour", "finding"),
    [
        ("hangs", "`lake --version` did not answer within"),
        ("fails", "`lake --version` failed (exit code 1): error: no default toolchain"),
        ("rubbish", "`lake --version` printed"),
        ("no lean", "`lake env lean --version` failed (exit code 1): error: could not download"),
        ("odd lean", "`lake env lean --version` printed 'Coq 8.20'"),
    ],
)
def test_a_lake_that_does_not_is_passed_over_with_the_reason(
    lake: Callable[[str], Path], cache: Layout, behaviour: str, finding: str
) -> None:
    project = lake(behaviour)
    assert finding in engine.why_not_lake(project)
    with pytest.raises(LakeUnusableError) as forced:
        engine.select("lake", project=project)
    assert finding in str(forced.value)
    assert "--engine embedded" in forced.value.remedy
    with pytest.raises(EngineNotInstalledError) as neither:
        engine.select("auto", project=project, install=False)
    assert finding in str(neither.value)
    assert "not installed" in str(neither.value)
    time.sleep(0.1)
    assert not [p for p in psutil.process_iter(["cmdline"]) if "77.25" in (p.info["cmdline"] or [])]


def test_no_lake(cache: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert engine.why_not_lake(tmp_path) == "there is no `lake` on PATH"


def test_an_engine_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="got kind='coq'"):
        engine.select("coq", project=tmp_path)


CHECKER = """
import sys, time
if sys.argv[1:] == ["Slow"]:
    time.sleep(60)
for name in sys.argv[1:]:
    if name.endswith("Bad"):
        print("found a problem in", name, file=sys.stderr)
        sys.exit(1)
"""


@pytest.fixture
def checked(
    lake: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., engine.Recheck | None]:
    """Asks the scripted toolchain's checker about modules."""
    project = lake("")
    monkeypatch.setenv("FAKE_PREFIX", str(tmp_path / "toolchain"))

    def ask(*modules: str) -> engine.Recheck | None:
        chosen = engine.select("lake", project=project)
        return chosen.recheck(project, modules, timeout=1.5)

    return ask


def test_a_toolchain_without_a_checker_reports_nothing(checked: Callable[..., object]) -> None:
    assert checked("Demo") is None


def test_the_checker_of_the_toolchain_is_asked_about_every_module(
    checked: Callable[..., engine.Recheck | None], tmp_path: Path
) -> None:
    executable(tmp_path / "toolchain" / "bin", "leanchecker", CHECKER)
    assert checked("Demo", "Demo.A") == engine.Recheck("leanchecker", None)
    refused = checked("Demo", "Demo.Bad")
    assert refused == engine.Recheck("leanchecker", "found a problem in Demo.Bad")
    with pytest.raises(BuildBrokenError, match="`leanchecker` did not end within"):
        checked("Slow")


LEAN = """
import json, os, sys
text = open(sys.argv[2], encoding="utf-8").read()
if text.startswith("die"):
    sys.exit("Lean is out of order")
print("printed by the project")
place = {"line": 1, "column": 0}
if text.startswith("write "):
    open(text.split()[1], "w").write("what was asked for")
    print(json.dumps({"severity": "information", "pos": place, "data": "done"}))
else:
    print(json.dumps({"severity": "error", "pos": place, "data": "not understood"}))
    sys.exit(1)
"""


def test_a_document_without_a_file_may_write_one(
    lake: Callable[[str], Path], tmp_path: Path
) -> None:
    project = lake("")
    chosen = engine.select("lake", project=project, install=False)
    executable(tmp_path / "bin", "lean", LEAN)
    output = tmp_path / "output"
    run = chosen.run_document(project, f"write {engine.OUTPUT_FILE}", timeout=20, output=output)
    assert run is not None
    assert [(m.severity, m.text) for m in run] == [("information", "done")]
    assert output.read_text() == "what was asked for"
    refused = chosen.run_document(project, "rubbish", timeout=20)
    assert refused is not None
    assert [(m.severity, m.text) for m in refused] == [("error", "not understood")]
    with pytest.raises(BuildBrokenError, match="out of order"):
        chosen.run_document(project, "die", timeout=20)


FAILED = """\
✔ [2/6] Built Demo.A (412ms)
⚠ [3/6] Built Demo.B (1.2s)
warning: lean/Demo/B.lean:3:8: declaration uses 'sorry'
warning: lean/Demo/B.lean:5:0: unused variable `x`
Note: this linter can be disabled
ℹ [4/6] Replayed Demo.C
info: ././lean/Demo/C.lean:1:0: 2
✖ [5/6] Building Demo.D (800ms)
trace: .> LEAN_PATH=/x lean -o /y lean/Demo/D.lean
error: lean/Demo/D.lean:2:15: Type mismatch
  "x"
has type
  String
error: Lean exited with code 1
✖ [6/6] Running Demo.E
error: no such file or directory (error code: 2)
  file: lean/Demo/E.lean
Some required targets logged failures:
- Demo.D
- Demo.E
error: build failed
"""


def test_output_of_lake_becomes_a_report(tmp_path: Path) -> None:
    a, b, c, d, e = parse_build_output(FAILED.splitlines(), tmp_path)
    assert [m.module for m in (a, b, c, d, e)] == ["Demo.A", "Demo.B", "Demo.C", "Demo.D", "Demo.E"]
    outcomes = [m.outcome for m in (a, b, c, d, e)]
    assert outcomes == ["built", "built", "current", "failed", "failed"]
    assert str(b.messages[0]) == "warning: lean/Demo/B.lean:3:8: declaration uses 'sorry'"
    assert b.messages[1].text == "unused variable `x`\nNote: this linter can be disabled"
    assert str(c.messages[0]) == "info: lean/Demo/C.lean:1:0: 2"
    (mismatch,) = d.messages
    assert (mismatch.line, mismatch.column) == (2, 15)
    assert mismatch.text == 'Type mismatch\n  "x"\nhas type\n  String'
    assert "no such file" in e.messages[0].text
    assert "lean/Demo/E.lean" in e.messages[0].text


def test_building_with_lake(lake: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    project = lake("")
    chosen = engine.select("lake", project=project)
    (project / "build.txt").write_text(FAILED, encoding="utf-8")
    monkeypatch.setenv("FAKE_LAKE_CODE", "1")
    events: list[engine.BuildEvent] = []
    report = chosen.build(project, progress=events.append)
    assert not report.ok
    assert len(report.errors) == 2
    assert [(e.module, e.done, e.total) for e in events][:1] == [("Demo.A", 2, 6)]
    success = "✔ [2/2] Built Demo (1s)\nBuild completed successfully (2 jobs).\n"
    (project / "build.txt").write_text(success, encoding="utf-8")
    monkeypatch.setenv("FAKE_LAKE_CODE", "0")
    assert chosen.build(project).ok


def test_a_build_that_fails_without_saying_where(
    lake: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    project = lake("")
    (project / "build.txt").write_text("error: unknown package 'x'\n", encoding="utf-8")
    monkeypatch.setenv("FAKE_LAKE_CODE", "1")
    with pytest.raises(BuildBrokenError, match="unknown package 'x'"):
        engine.select("lake", project=project).build(project)
