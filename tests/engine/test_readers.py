"""Modules that may read files while they are compiled."""

from __future__ import annotations

from pathlib import Path

from bridge.engine.readers import forget_readers, readers
from tests.engine.fakes import write_project

SOURCES = {
    "Demo": "import Demo.Use\nimport Demo.Plain\n",
    "Demo.Use": "import Demo.Text\nexample : text = text := rfl\n",
    "Demo.Text": 'def text := include_str "a.txt"\n',
    "Demo.Plain": "import Obligations\ntheorem t : 1 = 1 := rfl\n",
    "Obligations": "def open := IO.FS.Handle.mk\n",
}


def test_importers_of_a_reader_may_read_too() -> None:
    assert readers(SOURCES) == ("Demo", "Demo.Text", "Demo.Use")


def test_ways_to_read() -> None:
    for text in (
        'include_bytes "x"',
        'run_cmd IO.FS.readFile "x"',
        "open IO FS in #eval (readBinFile x)",
        "#eval path.readDir",
        "#eval path.pathExists",
        "#eval IO.Process.output {}",
    ):
        assert readers({"A": text}) == ("A",)
    assert readers({"A": "theorem t : 1 = 1 := rfl -- it reads nothing"}) == ()


def test_their_compiled_forms_are_removed_and_no_others(tmp_path: Path) -> None:
    files = {f"lean/{name.replace('.', '/')}.lean": text for name, text in SOURCES.items()}
    project = write_project(tmp_path / "project", files)
    compiled = project / ".lake" / "build" / "lib" / "lean"
    for name in SOURCES:
        for suffix in (".olean", ".olean.hash", ".trace"):
            path = compiled / (name.replace(".", "/") + suffix)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    assert forget_readers(project) == ("Demo", "Demo.Text", "Demo.Use")
    left = {p.relative_to(compiled).as_posix() for p in compiled.rglob("*.*")}
    assert left == {
        f"{name}{suffix}"
        for name in ("Demo/Plain",)
        for suffix in (".olean", ".olean.hash", ".trace")
    } | {f"Obligations{suffix}" for suffix in (".olean", ".olean.hash", ".trace")}
    assert (project / "lean" / "Demo" / "Text.lean").is_file()
