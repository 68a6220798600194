from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from bridge.cli.main import group
from bridge.errors import InvalidInputError
from bridge.lean.exporter import add_exporter, exporter_sources, refuse_another_exporter
from bridge.lean.project import find_project

LEAN = 'import Lake\nopen Lake DSL\n\npackage demo\n\nlean_lib Demo where\n  srcDir := "src"\n'
DECLARED = LEAN + '\nlean_lib Obligations where\n  srcDir := "tools"\n'
TOML = 'name = "demo"\n\n[[lean_lib]]\nname = "Demo"\n'


def project(folder: Path, text: str, name: str = "lakefile.lean") -> Path:
    (folder / name).write_text(text)
    return folder


def test_it_is_next_to_the_sources_and_the_lakefile_lists_it(tmp_path: Path) -> None:
    added = add_exporter(project(tmp_path, LEAN))
    assert "src/Obligations/Attribute.lean" in added.written
    assert added.declaration == 'lean_lib Obligations where\n  srcDir := "src"\n'
    for name, text in exporter_sources().items():
        assert (tmp_path / "src" / name).read_text(encoding="utf-8") == text
    assert (tmp_path / "lakefile.lean").read_text() == LEAN


def test_where_the_lakefile_says(tmp_path: Path) -> None:
    added = add_exporter(project(tmp_path, DECLARED))
    assert set(added.written) == {f"tools/{name}" for name in exporter_sources()}
    assert added.declaration == ""


def test_a_lakefile_in_toml(tmp_path: Path) -> None:
    added = add_exporter(project(tmp_path, TOML, "lakefile.toml"))
    assert "Obligations.lean" in added.written
    assert added.declaration.startswith('[[lean_lib]]\nname = "Obligations"')


def test_only_what_changed_is_renewed(tmp_path: Path) -> None:
    add_exporter(project(tmp_path, DECLARED))
    old = tmp_path / "tools" / "Obligations" / "Trust.lean"
    old.write_text("-- an older version\n")
    again = add_exporter(tmp_path)
    assert again.written == ("tools/Obligations/Trust.lean",)
    assert again.current == len(exporter_sources()) - 1
    assert old.read_text(encoding="utf-8") == exporter_sources()["Obligations/Trust.lean"]


def test_no_lakefile_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"neither lakefile\.lean nor lakefile\.toml"):
        add_exporter(tmp_path)


def test_a_project_without_theorems_of_its_own(tmp_path: Path) -> None:
    only = "import Lake\nopen Lake DSL\n\npackage demo\n\nlean_lib Obligations\n"
    with pytest.raises(InvalidInputError, match="no Lean library but Obligations"):
        add_exporter(project(tmp_path, only))


def test_the_command_says_what_it_did(tmp_path: Path) -> None:
    project(tmp_path, LEAN)
    first = CliRunner().invoke(group, ["init", "--project", str(tmp_path)])
    assert first.exit_code == 0
    assert "wrote src/Obligations.lean" in first.stdout
    assert "lean_lib Obligations where" in first.stdout
    second = CliRunner().invoke(group, ["init", "--project", str(tmp_path)])
    count = len(exporter_sources())
    assert f"all {count} files of `Obligations` are current" in second.stdout


def test_a_project_is_begun_in_an_empty_folder(tmp_path: Path) -> None:
    made = CliRunner().invoke(group, ["init", "--new", "Demo", "--project", str(tmp_path)])
    assert made.exit_code == 0, made.output
    assert "wrote lakefile.lean, lean-toolchain, Demo.lean\n" in made.stdout
    count = len(exporter_sources()) - 1
    assert f"wrote Obligations.lean, {count} files in Obligations/\n" in made.stdout
    found = find_project(tmp_path)
    refuse_another_exporter(found)
    assert found.roots == ("Demo",)
    # The toolchain is that of this repository, and the file the one that the page shows.
    root = Path(__file__).parents[2]
    assert (tmp_path / "lean-toolchain").read_text() == (root / "lean-toolchain").read_text()
    page = (root / "docs" / "how-to" / "audit-your-own.md").read_text(encoding="utf-8")
    shown = f'title="Demo.lean"\n{(tmp_path / "Demo.lean").read_text(encoding="utf-8")}```'
    assert shown in page
    assert f"wrote Obligations.lean, {count} files" in page


@pytest.mark.parametrize("name", ["demo", "Obligations", "../Demo", ""])
def test_a_project_needs_the_name_of_a_library(tmp_path: Path, name: str) -> None:
    made = CliRunner().invoke(group, ["init", "--new", name, "--project", str(tmp_path)])
    assert made.exit_code == 2
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("file", ["lakefile.toml", "Demo.lean"])
def test_existing_files_are_not_overwritten(tmp_path: Path, file: str) -> None:
    (tmp_path / file).write_text("-- mine")
    made = CliRunner().invoke(group, ["init", "--new", "Demo", "--project", str(tmp_path)])
    assert made.exit_code == 2
    assert file in made.stderr
    assert [p.name for p in tmp_path.iterdir()] == [file]
    assert (tmp_path / file).read_text() == "-- mine"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Obligations/Export.lean", "-- a filter\n"),  # changed
        ("Obligations/Trust.lean", None),  # gone
        ("Obligations/Filter.lean", "import Lean\n"),  # not the library's
    ],
)
def test_another_exporter_is_refused_by_the_name_of_its_file(
    tmp_path: Path, name: str, text: str | None
) -> None:
    add_exporter(project(tmp_path, DECLARED))
    found = find_project(tmp_path)
    refuse_another_exporter(found)
    path = tmp_path / "tools" / name
    if text is None:
        path.unlink()
    else:
        path.write_text(text + (path.read_text(encoding="utf-8") if path.exists() else ""))
    with pytest.raises(InvalidInputError, match=name) as caught:
        refuse_another_exporter(found)
    assert "obligations init" in caught.value.remedy


def test_a_project_without_the_library_is_left_to_lean(tmp_path: Path) -> None:
    refuse_another_exporter(find_project(project(tmp_path, DECLARED)))


def test_a_library_with_a_root_below_the_exporter_is_refused(tmp_path: Path) -> None:
    decoy = '\nlean_lib Decoy where\n  srcDir := "decoy"\n  roots := #[`Obligations.Export]\n'
    add_exporter(project(tmp_path, DECLARED + decoy))
    with pytest.raises(InvalidInputError, match="Decoy"):
        refuse_another_exporter(find_project(tmp_path))


def test_a_link_to_more_modules_of_the_library_is_refused(tmp_path: Path) -> None:
    add_exporter(project(tmp_path, DECLARED))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "Y.lean").write_text("axiom wrong : False\n")
    (tmp_path / "tools" / "Obligations" / "X").symlink_to("../../elsewhere")
    found = find_project(tmp_path)
    root = found.libraries[0].source(found.libraries[0].roots[0])
    root.parent.mkdir(parents=True, exist_ok=True)
    root.write_text("import Obligations.X.Y\n")
    with pytest.raises(InvalidInputError, match=r"Obligations/X/Y\.lean"):
        refuse_another_exporter(found)
