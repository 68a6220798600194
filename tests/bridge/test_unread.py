"""Sources that Lean never reads are counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.lean.project import find_project
from bridge.lean.unread import said_of, unread_sources

TAG = "@[obligation] theorem t (n : Nat) (h : 5 < n) : n = 7 := sorry\n"


def found(tmp_path: Path, files: dict[str, str], *left_out: str, where: str = ".") -> list[object]:
    lakefile = f'package p\nlean_lib Demo where\n  srcDir := "{where}"\n'
    (tmp_path / "lakefile.lean").write_text("import Lake\nopen Lake DSL\n" + lakefile)
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    unread = unread_sources(find_project(tmp_path), left_out)
    return [(u.file, u.line, u.tags) for u in unread]


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        ({"Demo.lean": TAG}, []),
        ({"Demo.lean": "import Demo.A\n", "Demo/A.lean": TAG}, []),
        ({"Demo.lean": "", "Demo/A.lean": TAG}, [("Demo/A.lean", 0, 1)]),
        ({"Demo.lean": "-- import Demo.A\n", "Demo/A.lean": TAG}, [("Demo/A.lean", 0, 1)]),
        ({"Demo.lean": "", "Stray.lean": "/- " + TAG + "-/"}, [("Stray.lean", 0, 0)]),
        ({"Demo.lean": "", "A.lean": "attribute [simp, obligation] t\n"}, [("A.lean", 0, 1)]),
        ({"Demo.lean": "def a := 1\n#exit\n" + TAG}, [("Demo.lean", 2, 1)]),
        ({"Demo.lean": "def a := 1\n#exit\n-- the end\n"}, []),
        ({"Demo.lean": "/- /- #exit -/ #exit -/\n-- #exit\n" + TAG}, []),
        ({"Demo.lean": 'def a := "\\"#exit"\n' + TAG}, []),
        ({"Demo.lean": "def c := '\"'\n#exit\n" + TAG}, [("Demo.lean", 2, 1)]),
        ({"Demo.lean": "def c := '\\\"'\n#exit\n" + TAG}, [("Demo.lean", 2, 1)]),
        ({"Demo.lean": "def c := '\\\\'\n#exit\n" + TAG}, [("Demo.lean", 2, 1)]),
        ({"Demo.lean": 'def c := r"\\"\n#exit\n' + TAG}, [("Demo.lean", 2, 1)]),
        ({"Demo.lean": 'def c := r#""/-"#\n#exit\n' + TAG}, [("Demo.lean", 2, 1)]),
        ({"Demo.lean": 'def «a"b» := 1\n#exit\n' + TAG}, [("Demo.lean", 2, 1)]),
        ({"Demo.lean": 'def c := s!"{f "/-"}{1}"\n#exit\n' + TAG}, [("Demo.lean", 2, 1)]),
        ({"Demo.lean": "def a' := 1\ndef b := a'\"'\"\n#exit\n" + TAG}, [("Demo.lean", 3, 1)]),
        ({"Demo.lean": "@[obligation] private example : P := p\n"}, [("Demo.lean", 1, 1)]),
        ({"Demo.lean": "@[obligation] theorem t : P := p\nexample : P := p\n"}, []),
        ({"Demo.lean": "", "Demo/Obligations.lean": TAG}, [("Demo/Obligations.lean", 0, 1)]),
        ({"Demo.lean": "", "a/Obligations/A.lean": TAG}, [("a/Obligations/A.lean", 0, 1)]),
        ({"Demo.lean": "", "Obligations/A.lean": TAG, "Obligations.lean": TAG}, []),
        ({"Demo.lean": "", "other/lakefile.toml": "", "other/A.lean": TAG}, []),
        ({"Demo.lean": "", ".lake/build/A.lean": TAG}, []),
        ({"Demo.lean": "", "build/lib/A.lean": TAG}, []),
        ({"Demo.lean": "", "Demo/build/A.lean": TAG}, [("Demo/build/A.lean", 0, 1)]),
        ({"Demo.lean": 'def c := panic!"{"\n#exit\n' + TAG}, [("Demo.lean", 2, 1)]),
        ({"Demo.lean": 'def c := xs[0]!"{"\n#exit\n' + TAG}, [("Demo.lean", 2, 1)]),
    ],
)
def test_unread(tmp_path: Path, files: dict[str, str], wanted: list[object]) -> None:
    assert found(tmp_path, files) == wanted


QUIET = "@[command_elab Lean.Parser.Command.import] def quiet : CommandElab := fun _ => pure ()\n"
MACRO = 'macro "thm" n:ident : command => `(@[obligation] theorem $n (n : Nat) : (n = n) := rfl)\n'


@pytest.mark.parametrize(
    ("text", "known", "missing"),
    [
        (TAG, 1, 0),
        (TAG + QUIET + "import Lean\n" + TAG, 1, 1),
        # Tagged twice, or refused as #guard_msgs expects: the theorem is there.
        (TAG + "attribute [obligation] t\n", 1, 0),
        (TAG + "attribute [obligation, simp] t u\n", 1, 1),
        (TAG + "/-- error: declared -/\n#guard_msgs in\n" + TAG, 1, 0),
        (TAG + "#guard_msgs (drop error) in " + TAG, 1, 0),
        ("#guard_msgs in\n" + TAG, 1, 0),
        ("#guard_msgs in\n" + TAG, 0, 1),
        (f"namespace A\n{TAG}end A\nnamespace B\n#guard_msgs in\n{TAG}end B\n", 1, 1),
        (f"namespace A.B\n{TAG}end A.B\n#guard_msgs in\n{TAG}", 1, 1),
        (f"namespace A\nsection\n{TAG}end\nattribute [obligation] t\nend A\n", 1, 0),
        (f"namespace A\n{TAG}end A\nattribute [obligation] t\n", 1, 1),
        (f"namespace A\n{TAG}end A\nattribute [obligation] A.t\n", 1, 0),
        (TAG + "#stop_here\n" + TAG + "attribute [obligation] a b\n", 1, 2),
        (TAG + "#exit\n" + TAG, 1, 0),
        (TAG + "@[obligation] example : 1 = 1 := rfl\n", 1, 0),
        (MACRO + TAG, 1, 0),
        (MACRO + TAG, 0, 1),
        (MACRO + "thm a\nthm b\n", 2, 0),
        ("attribute [obligation] a b\n", 2, 0),
    ],
)
def test_tags_are_compared_with_lean_s_theorems(
    tmp_path: Path, text: str, known: int, missing: int
) -> None:
    found(tmp_path, {"Demo.lean": text})
    unread = unread_sources(find_project(tmp_path), (), {"Demo": known})
    assert sum(u.tags for u in unread if u.missing) == missing
    assert any("of which Lean knows no theorem" in s for s in said_of(unread)) == bool(missing)
    assert not [u for u in unread_sources(find_project(tmp_path)) if u.missing]


def test_a_link_is_a_source_too(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "A.lean").write_text(TAG)
    (tmp_path / "near").mkdir()
    (tmp_path / "near" / "A.lean").symlink_to("../far/A.lean")
    (tmp_path / "near" / "B.lean").symlink_to("nowhere.lean")
    (tmp_path / "near" / "again").symlink_to("../far")
    wanted = [("far/A.lean", 0, 1), ("near/A.lean", 0, 1)]
    assert found(tmp_path, {"Demo.lean": ""}) == wanted


def test_a_source_folder(tmp_path: Path) -> None:
    files = {"src/Demo.lean": "", "Demo.lean": TAG}
    assert found(tmp_path, files, where="src") == [("Demo.lean", 0, 1)]


def test_a_project_leaves_sources_out(tmp_path: Path) -> None:
    assert found(tmp_path, {"Demo.lean": "", "tests/A.lean": TAG}, "tests/*") == []


def test_the_words(tmp_path: Path) -> None:
    found(tmp_path, {"Demo.lean": "", "Demo/Extra.lean": TAG})
    said = said_of(unread_sources(find_project(tmp_path)))
    assert said == ("1 source, 1 tag not read by Lean: Demo/Extra.lean",)
    assert said_of(()) == ()


def test_the_words_for_a_tag_that_lean_forgets(tmp_path: Path) -> None:
    found(tmp_path, {"Demo.lean": "def a := 1\n@[simp, obligation]\nexample : 1 = 1 := rfl\n"})
    (said,) = said_of(unread_sources(find_project(tmp_path)))
    assert said.startswith("1 tag on an `example`, which Lean forgets")
    assert said.endswith("Demo.lean line 2")
