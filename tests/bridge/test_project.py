"""Projects on disk: found from within, read as far as an audit needs, hashed as a whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.errors import EngineError, InvalidInputError
from bridge.lean.project import find_project

PLAIN = 'import Lake\nopen Lake DSL\npackage demo\nlean_lib Demo where\n  srcDir := "lean"\n'
MATHLIB = """\
import Lake
open Lake DSL

package demo where
  version := v!"1.0.0"

-- lean_lib Commented
require mathlib from git "https://example.org/mathlib4" @ "v4.28.0"

@[default_target]
lean_lib «My Lib» where
  srcDir := "src"
  roots := #[`MyLib, `Extra.Part]
  globs := #[.submodules `MyLib]

lean_exe tool where
  root := `Main
"""


def project(root: Path, text: str = PLAIN, name: str = "lakefile.lean") -> Path:
    (root / name).write_text(text, encoding="utf-8")
    (root / "lean" / "Demo").mkdir(parents=True)
    (root / "lean" / "Demo.lean").write_text("import Demo.A\n")
    (root / "lean" / "Demo" / "A.lean").write_text("-- a\n")
    return root


def test_it_is_found_from_a_folder_within(tmp_path: Path) -> None:
    root = project(tmp_path)
    found = find_project(root / "lean" / "Demo")
    assert found.root == root
    assert found.roots == ("Demo",)
    assert found.file_of("Demo.A") == "lean/Demo/A.lean"
    assert found.file_of("Demo.B") is None


def test_every_source_counts(tmp_path: Path) -> None:
    root = project(tmp_path)
    seen = {find_project(root).fingerprint()}
    for name in ("lean/Demo.lean", "lean/Demo/A.lean", "lakefile.lean", "lean-toolchain"):
        path = root / name
        path.write_text((path.read_text() if path.exists() else "") + "\n-- more\n")
        seen.add(find_project(root).fingerprint())
    (root / "lean" / "Demo" / "New.lean").write_text("")
    seen.add(find_project(root).fingerprint())
    assert len(seen) == 6
    (root / "notes.txt").write_text("nothing of Lean")
    assert find_project(root).fingerprint() in seen


@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["plain", "byte-order mark"])
def test_a_lakefile_that_only_lake_understands_still_says_what_to_audit(
    tmp_path: Path, mark: str
) -> None:
    root = project(tmp_path, mark + MATHLIB)
    (library,) = find_project(root).libraries
    assert (library.name, library.roots) == ("My Lib", ("MyLib", "Extra.Part"))
    assert library.source_folder == root / "src"


def test_the_same_in_toml(tmp_path: Path) -> None:
    text = (
        'name = "demo"\n[[require]]\nname = "mathlib"\n'
        '[[lean_lib]]\nname = "Demo"\nsrcDir = "lean"\nglobs = ["Demo.+"]\n'
    )
    assert find_project(project(tmp_path, text, "lakefile.toml")).roots == ("Demo",)


@pytest.mark.parametrize("text", ["", 'package demo\nrequire x from git "y"\n'])
def test_a_lakefile_without_a_library(tmp_path: Path, text: str) -> None:
    with pytest.raises(EngineError):
        find_project(project(tmp_path, text))


def test_only_the_exporter_is_nothing_to_audit(tmp_path: Path) -> None:
    text = PLAIN.replace("lean_lib Demo", "lean_lib Obligations")
    with pytest.raises(InvalidInputError, match="no Lean library to audit"):
        find_project(project(tmp_path, text))


def test_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="no such folder"):
        find_project(tmp_path / "gone")


def test_a_lakefile_in_toml_with_dependencies_and_a_byte_order_mark(tmp_path: Path) -> None:
    text = '\ufeffname = "demo"\n[[require]]\nname = "mathlib"\n[[lean_lib]]\nname = "Demo"\n'
    (library,) = find_project(project(tmp_path, text, "lakefile.toml")).libraries
    assert library.name == "Demo"
