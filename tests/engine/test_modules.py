"""The order of modules, and mistakes that are found without Lean."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.engine.lakefile import read_package
from bridge.engine.modules import Module, read_modules
from tests.engine.fakes import write_project


def modules(folder: Path, sources: dict[str, str]) -> dict[str, Module]:
    found = read_modules(read_package(write_project(folder, sources)))
    return {m.name: m for m in found}


def problems(found: dict[str, Module]) -> list[str]:
    return [str(p) for m in found.values() for p in m.problems]


def test_imports_come_first(tmp_path: Path) -> None:
    found = modules(
        tmp_path,
        {
            "lean/Demo.lean": "import Demo.C\nimport Demo.A\nimport Lean",
            "lean/Demo/A.lean": "import Demo.B",
            "lean/Demo/B.lean": "",
            "lean/Demo/C.lean": "import Demo.A import Demo.B",
            "lean/Demo/Unused.lean": "",
        },
    )
    assert list(found) == ["Demo.B", "Demo.A", "Demo.C", "Demo"]
    assert [i.module for i in found["Demo"].imports] == ["Demo.C", "Demo.A"]
    assert found["Demo.A"].file == "lean/Demo/A.lean"
    assert not problems(found)


def test_a_missing_module_is_reported_where_it_is_imported(tmp_path: Path) -> None:
    found = modules(tmp_path, {"lean/Demo.lean": "\n import Demo.Gone\nimport Demo.Gone"})
    assert list(found) == ["Demo"]
    assert problems(found) == [
        "error: lean/Demo.lean:2:8: unknown module Demo.Gone: lean/Demo/Gone.lean is missing",
        "error: lean/Demo.lean:3:7: unknown module Demo.Gone: lean/Demo/Gone.lean is missing",
    ]


@pytest.mark.parametrize("root", ["Std", "Init", "Lean"])
def test_a_module_with_a_name_of_leans_own_is_named(tmp_path: Path, root: str) -> None:
    (tmp_path / "lakefile.lean").write_text(
        f"package p\nlean_lib Mine where\n  roots := #[`{root}.Extra, `{root}Extra]\n"
    )
    (tmp_path / root).mkdir()
    (tmp_path / root / "Extra.lean").write_text("")
    (tmp_path / f"{root}Extra.lean").write_text("import Std.Data.HashMap")
    found = {m.name: m for m in read_modules(read_package(tmp_path))}
    (said,) = problems(found)
    assert said.startswith(f"error: {root}/Extra.lean: module {root}.Extra cannot be found")
    assert f"rename it, to My.{root}.Extra say" in said


def test_a_missing_root(tmp_path: Path) -> None:
    assert problems(modules(tmp_path, {})) == [
        "error: lean/Demo.lean: module Demo has no source: lean/Demo.lean is missing"
    ]


def test_a_cycle_is_shown_at_each_of_its_members(tmp_path: Path) -> None:
    found = modules(
        tmp_path,
        {
            "lean/Demo.lean": "import Demo.A",
            "lean/Demo/A.lean": "import Demo.B",
            "lean/Demo/B.lean": "import Lean\nimport Demo.C",
            "lean/Demo/C.lean": "import Demo.A",
        },
    )
    cycle = "import cycle: Demo.A imports Demo.B imports Demo.C imports Demo.A"
    assert sorted(problems(found)) == [
        f"error: lean/Demo/A.lean:1:7: {cycle}",
        f"error: lean/Demo/B.lean:2:7: {cycle}",
        f"error: lean/Demo/C.lean:1:7: {cycle}",
    ]
    assert not found["Demo"].problems


def test_a_module_that_imports_itself(tmp_path: Path) -> None:
    found = modules(tmp_path, {"lean/Demo.lean": "import Demo"})
    assert problems(found) == ["error: lean/Demo.lean:1:7: import cycle: Demo imports Demo"]


def test_a_source_that_is_not_utf8_and_one_that_cannot_be_read(tmp_path: Path) -> None:
    write_project(tmp_path, {"lean/Demo.lean": "import Demo.A", "lean/Demo/A.lean": "/- open"})
    (tmp_path / "lean/Demo.lean").write_bytes(b"import Demo.A\n-- \xff")
    found = {m.name: m for m in read_modules(read_package(tmp_path))}
    assert problems(found) == ["error: lean/Demo.lean:2:0: the source is not UTF-8"]


def test_a_module_file_is_refused_with_its_reason(tmp_path: Path) -> None:
    found = modules(tmp_path, {"lean/Demo.lean": "module\n\nimport Lean\n"})
    assert problems(found) == [
        "error: lean/Demo.lean:1:0: a file that begins with `module` needs the official toolchain "
        "(--engine lake)"
    ]


def test_a_source_that_is_a_link_out_of_the_project_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    modules(folder, {"lean/Demo.lean": "import Demo.A", "lean/Demo/B.lean": ""})
    (tmp_path / "elsewhere.lean").write_text("")
    (folder / "lean/Demo/A.lean").symlink_to(tmp_path / "elsewhere.lean")
    (said,) = problems({m.name: m for m in read_modules(read_package(folder))})
    assert "lean/Demo/A.lean is a link that leads out of the project" in said
    (folder / "lean/Demo/A.lean").unlink()
    (folder / "lean/Demo/A.lean").symlink_to("B.lean")  # inside, a link is a file like others
    assert not problems({m.name: m for m in read_modules(read_package(folder))})
