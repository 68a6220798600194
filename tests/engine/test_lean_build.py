"""Building with the real embedded engine."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge.engine.errors import BuildBrokenError, CacheUnusableError, TooSlowError
from bridge.engine.interface import BuildEvent, BuildReport, Engine, ModuleReport
from embedded_lean.warm import end_warm_host
from tests.engine.fakes import write_project

pytestmark = pytest.mark.lean

ROOT = Path(__file__).parents[2]
GOOD = {
    "lean/Demo.lean": "import Demo.Top\nimport Demo.Side",
    "lean/Demo/Top.lean": "import Demo.Leaf\ntheorem Demo.two_eq : Demo.two = 2 := rfl",
    "lean/Demo/Leaf.lean": "def Demo.two : Nat := 1 + 1\nprivate def hidden := 1",
    "lean/Demo/Side.lean": "import Demo.Leaf\ntheorem Demo.unfinished : 1 = 1 := by sorry\n"
    "private def hidden := 2",
}
# Runs a build, and reports when a module has started.
BUILD = """
import sys
from pathlib import Path
from bridge import engine
project = Path(sys.argv[1])
lean = engine.select("embedded", project=project, install=False)
report = lean.build(project, progress=lambda e: print(e.module, e.outcome, e.note, flush=True))
print("ok" if report.ok else "failed", report.count("built"), flush=True)
"""


def outcomes(report: BuildReport) -> dict[str, str]:
    return {m.module: m.outcome for m in report.modules}


def state(folder: Path) -> dict[str, tuple[int, int, int]]:
    """Everything about the files below a folder that a build could change."""
    return {
        str(p): (p.stat().st_mtime_ns, p.stat().st_size, p.stat().st_mode)
        for p in [folder, *folder.rglob("*")]
    }


def start_build(project: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", BUILD, str(project)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
    )


def test_only_what_changed_is_compiled_and_the_project_stays_untouched(
    lean: Engine, tmp_path: Path
) -> None:
    project = write_project(tmp_path / "Mein Projekt ∀ 𝔸", GOOD)
    for path in (project / "lean", project):
        path.chmod(0o555)
    before = state(project)

    first = lean.build(project)
    assert first.ok, first.messages
    assert outcomes(first) == dict.fromkeys(("Demo.Leaf", "Demo.Top", "Demo.Side", "Demo"), "built")
    (warning,) = first.messages
    assert str(warning).startswith("warning: lean/Demo/Side.lean:2:8: declaration uses")

    started = time.monotonic()
    events: list[BuildEvent] = []
    second = lean.build(project, progress=events.append)
    assert time.monotonic() - started < 2
    assert set(outcomes(second).values()) == {"current"}
    assert second.messages == first.messages  # warnings are not forgotten
    assert state(project) == before

    for path in (project, project / "lean"):
        path.chmod(0o755)
    (project / "lean/Demo/Top.lean").write_text("import Demo.Leaf\n#check Demo.two")
    third = lean.build(project)
    assert outcomes(third) == {
        "Demo.Leaf": "current",
        "Demo.Side": "current",
        "Demo.Top": "built",
        "Demo": "built",
    }

    with (project / "lean/Demo/Leaf.lean").open("a") as leaf:
        leaf.write("\n-- a comment\n")
    fourth = lean.build(project)  # its compiled form is the same, so nothing above it changes
    assert outcomes(fourth) == dict.fromkeys(outcomes(third), "current") | {"Demo.Leaf": "built"}


def report_of(lean: Engine, project: Path, source: str) -> ModuleReport:
    write_project(project, {"lean/Demo.lean": source})
    (module,) = lean.build(project).modules
    return module


def test_mistakes_in_sources_are_reported_with_their_place(lean: Engine, tmp_path: Path) -> None:
    project = write_project(
        tmp_path,
        {
            "lean/Demo.lean": "import Demo.Syntax\nimport Demo.Fine\nimport Demo.Gone",
            "lean/Demo/Syntax.lean": "import Demo.Fine\n\ntheorem α : 1 + 1 = := rfl",
            "lean/Demo/Fine.lean": "def fine := 1",
        },
    )
    report = lean.build(project)
    assert outcomes(report) == {"Demo.Fine": "built", "Demo.Syntax": "failed", "Demo": "failed"}
    assert [str(m).splitlines()[0] for m in report.errors] == [
        "error: lean/Demo/Syntax.lean:3:19: unexpected token ':='; expected term",
        "error: lean/Demo.lean:3:7: unknown module Demo.Gone: lean/Demo/Gone.lean is missing",
    ]


def test_options_of_the_lakefile_count(lean: Engine, tmp_path: Path) -> None:
    lakefile = "package p where\n  leanOptions := #[⟨`autoImplicit, false⟩]\n"
    lakefile += 'lean_lib Demo where\n  srcDir := "lean"'
    write_project(tmp_path, {"lean/Demo.lean": "theorem x : a = a := rfl"}, lakefile)
    report = lean.build(tmp_path)
    assert not report.ok
    assert "autoImplicit" in report.errors[0].text


def test_a_source_that_loops_is_stopped(
    lean: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEAN_OBLIGATIONS_FILE_SECONDS", "6")
    loop = "partial def spin (n : Nat) : IO Unit := spin (n + 1)\n#eval spin 0"
    module = report_of(lean, tmp_path, loop)
    assert module.outcome == "failed"
    assert "stopped after 6 s" in module.messages[-1].text
    assert module.seconds < 20


@pytest.mark.parametrize(
    ("source", "finding"),
    [
        ("#eval (2 : Nat) ^ (2 ^ 40)", "exit code"),
        ("#eval (IO.Process.exit 0 : IO Unit)\ntheorem x : 1 = 2 := rfl", "leaves the process"),
    ],
)
def test_a_source_that_ends_lean_is_not_a_success(
    lean: Engine, tmp_path: Path, source: str, finding: str
) -> None:
    module = report_of(lean, tmp_path, source)
    assert module.outcome == "failed"
    assert finding in module.messages[-1].text


@pytest.mark.slow
def test_a_source_that_exhausts_memory(lean: Engine, tmp_path: Path) -> None:
    grow = (
        "partial def grow (a : Array (Array Nat)) : Nat := "
        "grow (a.push (Array.replicate 3000000 a.size))\n#eval grow #[]"
    )
    module = report_of(lean, tmp_path, grow)
    assert module.outcome == "failed"
    assert "out of memory" in module.messages[-1].text


def test_lean_is_shut_in(lean: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "sesame")
    (tmp_path / "outside.txt").write_text("sesame")
    attempts = [
        f'IO.FS.readFile "{tmp_path}/outside.txt"',
        'IO.FS.readFile "/engine/library/../../../../etc/passwd"',
        'IO.FS.readFile "../outside.txt"',
        'IO.FS.readFile "link.txt"',
        "secret",
        '(·.stdout) <$> IO.Process.output {cmd := "/bin/cat", args := #["/etc/passwd"]}',
        'IO.FS.writeFile "lean/Evil.lean" "x"',
        'IO.FS.writeFile "/engine/library/Evil.olean" "x"',
        'IO.FS.removeFile "lean/Demo.lean"',
        'IO.FS.rename "lean/Demo.lean" "lean/Gone.lean"',
        'IO.FS.createDirAll "evil"',
        'discard <| Lean.loadDynlib "lean/Demo.lean"',
    ]
    tell = 'try let x ← act; return s!"got {repr x}" catch e => return s!"no: {e}"'
    lines = [
        "import Lean",
        "def secret : IO String := do",
        '  match ← IO.getEnv "SECRET_TOKEN" with',
        '  | none => throw (.userError "no secret")',
        "  | some value => return value",
    ]
    for attempt in attempts:
        kind = "String" if attempt in attempts[:6] else "Unit"
        lines.append(f"#eval show IO String from do let act : IO {kind} := {attempt}; {tell}")
    project = write_project(tmp_path / "project", {"lean/Demo.lean": "\n".join(lines)})
    (project / "link.txt").symlink_to("../outside.txt")
    before = state(project)
    report = lean.build(project)
    answers = [m.text for m in report.messages]
    assert len(answers) == len(attempts), answers
    for attempt, answer in zip(attempts, answers, strict=True):
        assert answer.startswith('"no: '), (attempt, answer)
    assert "sesame" not in "".join(answers)
    assert state(project) == before


@pytest.mark.slow
def test_two_builds_at_once_compile_each_module_once(lean: Engine, tmp_path: Path) -> None:
    project = write_project(tmp_path / "project", GOOD)
    with start_build(project) as first, start_build(project) as second:
        ends = [process.communicate(timeout=120)[0].splitlines()[-1] for process in (first, second)]
    assert sorted(ends) == ["ok 0", "ok 4"]


@pytest.mark.slow
def test_a_killed_build_leaves_nothing_behind(
    lean: Engine, tmp_path: Path, no_orphans: Callable[[], list[str]]
) -> None:
    project = write_project(tmp_path / "project", GOOD)
    with start_build(project) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("Demo.Leaf None")
        deadline = time.monotonic() + 20
        while not any("host.cjs" in p for p in no_orphans()) and time.monotonic() < deadline:
            time.sleep(0.02)
        process.kill()
    assert lean.build(project).count("built") == 4


@pytest.mark.slow
def test_an_interrupted_build_stops_its_processes(
    lean: Engine, tmp_path: Path, no_orphans: Callable[[], list[str]]
) -> None:
    project = write_project(tmp_path / "project", GOOD)

    def interrupt(event: BuildEvent) -> None:
        if event.outcome == "built":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        lean.build(project, progress=interrupt)
    assert no_orphans() == []
    assert lean.build(project).count("built") < 4  # what was compiled was kept


def test_a_source_that_changes_meanwhile_is_not_taken(lean: Engine, tmp_path: Path) -> None:
    project = write_project(tmp_path, {"lean/Demo.lean": "def x := 1"})

    def change(event: BuildEvent) -> None:
        if event.outcome is None and event.module:
            (project / "lean/Demo.lean").write_text("def x := 2")

    report = lean.build(project, progress=change)
    assert "changed while it was being compiled" in report.errors[0].text
    assert lean.build(project).ok


def test_a_node_that_cannot_be_started_breaks_the_build(
    lean: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = write_project(tmp_path, {"lean/Demo.lean": ""})

    def refuse(*_arguments: object, **_settings: object) -> None:
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    with pytest.raises(BuildBrokenError, match="cannot be started"):
        lean.build(project)


def test_the_disk_is_full_while_building(
    lean: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = write_project(tmp_path, {"lean/Demo.lean": "def x := 1"})
    real = Path.replace

    def replace(path: Path, target: Path) -> Path:
        if path.suffix == ".olean":
            raise OSError(28, "No space left on device")
        return real(path, target)

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(CacheUnusableError, match="No space left") as caught:
        lean.build(project)
    assert "LEAN_OBLIGATIONS_CACHE" in caught.value.remedy


@pytest.mark.parametrize("value", ["no", "-1", "0", "inf", "nan"])
def test_an_invalid_time_limit(
    lean: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("LEAN_OBLIGATIONS_FILE_SECONDS", value)
    with pytest.raises(BuildBrokenError, match="not a positive number"):
        lean.build(write_project(tmp_path, {"lean/Demo.lean": ""}))


@pytest.mark.slow
def test_threads_do_not_leak(lean: Engine, tmp_path: Path) -> None:
    before = threading.active_count()
    lean.build(write_project(tmp_path, {"lean/Demo.lean": "def y := 1"}))
    end_warm_host()
    deadline = time.monotonic() + 5  # its timer was cancelled, and ends soon
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() <= before


def test_a_document_is_run_without_a_server(lean: Engine, tmp_path: Path) -> None:
    project = write_project(tmp_path / "Projekt mit ü", {"lean/Demo.lean": "def Demo.two := 2"})
    assert lean.build(project).ok
    before = state(project)
    text = "import Demo\n#eval Demo.two + 40\n#check Demo.three\n"
    said = lean.run_document(project, text, timeout=120)
    assert said is not None
    assert [(m.severity, m.line) for m in said] == [("information", 2), ("error", 3)]
    assert said[0].text.strip() == "42"
    assert state(project) == before
    with pytest.raises(TooSlowError, match="Lean did not answer within 3 s"):
        lean.run_document(
            project, "partial def spin (n : Nat) : IO Unit := spin (n + 1)\n#eval spin 0", timeout=3
        )
