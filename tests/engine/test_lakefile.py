"""Reading lakefiles: supported syntax is parsed, and everything else is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.engine.errors import LakefileError
from bridge.engine.lakefile import Package, read_package

LEAN = """\
import Lake
open Lake DSL

/- A comment
   /- nested -/ in several lines. -/
package «lean-obligations» where
  version := v!"0.1.0"
  description := "Obligations -- with dashes"
  keywords := #["a", "b"]
  leanOptions := #[⟨`autoImplicit, false⟩, ⟨`maxRecDepth, 1000⟩]

/-- Documented. -/
@[default_target]
lean_lib First where
  srcDir := "lean"
  roots := #[`First, `First.Extra]
  leanOptions := #[⟨`autoImplicit, true⟩] -- overrides

lean_lib «Second Lib» where
  srcDir := "lean/second"

lean_lib Third

lean_exe tool where
  root := `Main
"""

TOML = """\
name = "demo"
defaultTargets = ["Demo"]

[leanOptions]
autoImplicit = false
pp.unicode.fun = true

[[lean_lib]]
name = "Demo"
srcDir = "lean"
"""


def package(folder: Path, text: str, name: str = "lakefile.lean") -> Package:
    (folder / name).write_text(text, encoding="utf-8")
    return read_package(folder)


def test_lean_syntax(tmp_path: Path) -> None:
    first, second, third = package(tmp_path, LEAN).libraries
    assert first.name == "First"
    assert first.roots == ("First", "First.Extra")
    assert first.options == (("autoImplicit", True), ("maxRecDepth", 1000))
    assert first.source("First.Extra.A") == tmp_path / "lean/First/Extra/A.lean"
    assert second.name == "Second Lib"
    assert second.source_folder == tmp_path / "lean/second"
    assert second.options == (("autoImplicit", False), ("maxRecDepth", 1000))
    assert third.source("Third") == tmp_path / "Third.lean"


def test_toml_syntax(tmp_path: Path) -> None:
    found = package(tmp_path, TOML, "lakefile.toml")
    (demo,) = found.libraries
    assert demo.roots == ("Demo",)
    assert demo.source_folder == tmp_path / "lean"
    assert demo.options == (("autoImplicit", False), ("pp.unicode.fun", True)) == found.options


def test_ownership_follows_name_parts(tmp_path: Path) -> None:
    found = package(tmp_path, "package p\nlean_lib Std2\nlean_lib Demo")
    owner = found.library_of("Demo.A.B")
    assert owner is not None
    assert owner.name == "Demo"
    assert found.library_of("Demonstration") is None
    assert found.library_of("Std") is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("package p", "declares no `lean_lib`"),
        ('package p\nlean_lib A\nrequire mathlib from git "x"', r"lean:3: .*`require`"),
        ("package p\nlean_lib A where\n  globs := #[.submodules `A]", "lean:3: |`globs`"),
        (
            'package p\nlean_lib A where\n  moreLeanArgs := #["-x"]',
            r"lean:3: arguments for Lean \(`moreLeanArgs`\)",
        ),
        ("package p where\n  undreamtOf := #[]\nlean_lib A", "`undreamtOf` of the package"),
        ("package p\nlean_lib A where\n  srcDir := if x then y else z", r"lean:3: .*'if'"),
        ('package p\nlean_lib A where\n  srcDir := "../other"', "outside the project"),
        ('package p\nlean_lib A where\n  srcDir := "/etc"', "outside the project"),
        ("package p\nlean_lib A where\n  srcDir := 3", "`srcDir := 3`"),
        ("package p\nlean_lib A where\n  roots := #[]", "the roots"),
        ("package p\nlean_lib A where\n  leanOptions := #[`x]", "leanOptions"),
        ("package p\n/- open", "lean:2: this comment is not closed"),
        ("package p\nlean_lib A where\n  srcDir", r"lean:3: .*'srcDir'"),
        ("package p\nscript hello do\n  return 0\nlean_lib A", r"lean:2: .*`script`"),
        ("open System Foo\npackage p\nlean_lib A", r"lean:1: .*'Foo'"),
        ("package p\nlean_lib A where\n  srcDir :=", r"lean:3: .*end of the file"),
        ("package p\nlean_lib A\n#eval 1", r"lean:3: .*'#'"),
    ],
)
def test_the_rest_is_refused_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(LakefileError, match=message) as caught:
        package(tmp_path, text)
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = ", "not valid TOML"),
        ('name = "p"', "declares no `lean_lib`"),
        ('name = "p"\n[[require]]\nname = "x"\n[[lean_lib]]\nname = "A"', "`require`"),
        ('[[lean_lib]]\nname = "A"\nglobs = ["A.*"]', "`globs`"),
        ("lean_lib = 3", "lean_lib"),
    ],
)
def test_toml_that_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(LakefileError, match=message):
        package(tmp_path, text, "lakefile.toml")


def test_no_lakefile(tmp_path: Path) -> None:
    with pytest.raises(LakefileError, match="neither") as caught:
        read_package(tmp_path)
    assert "--project" in caught.value.remedy


@pytest.mark.parametrize(
    ("name", "text", "said", "remedy"),
    [
        (
            "lakefile.lean",
            'package a\nrequire mathlib from git "https://example.org/m"\nlean_lib A\n',
            r"lakefile.lean:2: dependencies \(`require`\) need the official toolchain",
            "lake update",
        ),
        (
            "lakefile.lean",
            'package a\nrequire "scope" / "mathlib" @ git "v4"\nlean_lib A\n',
            r"lakefile.lean:2: dependencies \(`require`\) need the official toolchain",
            "lake update",
        ),
        (
            "lakefile.lean",
            "package a\nlean_lib A where\n  globs := #[.submodules `A]\n",
            r"lakefile.lean:3: globs \(`globs`\) need the official toolchain",
            "roots",
        ),
        (
            "lakefile.toml",
            'name = "a"\n[[require]]\nname = "mathlib"\n[[lean_lib]]\nname = "A"\n',
            r"lakefile.toml: dependencies \(`require`\) need the official toolchain",
            "lake update",
        ),
        (
            "lakefile.toml",
            'name = "a"\n[[lean_lib]]\nname = "A"\nglobs = ["A.+"]\n',
            r"`lean_lib A`: globs \(`globs`\) need the official toolchain",
            "--engine lake",
        ),
    ],
)
def test_projects_that_need_the_official_toolchain_say_so(
    tmp_path: Path, name: str, text: str, said: str, remedy: str
) -> None:
    with pytest.raises(LakefileError, match=said) as raised:
        package(tmp_path, text, name)
    assert remedy in raised.value.remedy
    assert "plainly" not in raised.value.remedy


@pytest.mark.parametrize(("name", "text"), [("lakefile.lean", LEAN), ("lakefile.toml", TOML)])
def test_a_byte_order_mark_does_not_matter(tmp_path: Path, name: str, text: str) -> None:
    assert package(tmp_path, "\ufeff" + text, name).libraries


@pytest.mark.parametrize("place", ["package", "library", "toml"])
@pytest.mark.parametrize(
    ("field", "what", "remedy"),
    [
        (
            "moreServerOptions",
            "settings of the editor's server",
            "changes nothing that is compiled",
        ),
        ("moreServerArgs", "settings of the editor's server", "Remove it"),
        ("needs", "targets of its own", "Remove it where no proof needs it"),
        ("extraDepTargets", "targets of its own", "--engine lake"),
        ("moreLeanArgs", "arguments for Lean", "leanOptions"),
        ("weakLeanArgs", "arguments for Lean", "leanOptions"),
        ("plugins", "plugins", "Install Lean with elan"),
        ("dynlibs", "foreign libraries", "Install Lean with elan"),
        ("moreLinkArgs", "the linker", "nothing is linked here"),
        ("nativeFacets", "the linker", "nothing is linked here"),
        ("buildDir", "folders of the official build", "its cache"),
        ("allowImportAll", "settings of the module system", "--engine lake"),
    ],
)
def test_an_unread_field_is_named_with_a_remedy(
    tmp_path: Path, place: str, field: str, what: str, remedy: str
) -> None:
    head = "import Lake\nopen Lake DSL\n"
    text, name = {
        "package": (f"{head}package p where\n  {field} := f!{{x}}\nlean_lib A\n", "lakefile.lean"),
        "library": (
            f"{head}package p\nlean_lib A where\n  {field} := #[`@B:c]\n",
            "lakefile.lean",
        ),
        "toml": (f'name = "p"\n[[lean_lib]]\nname = "A"\n{field} = []\n', "lakefile.toml"),
    }[place]
    with pytest.raises(LakefileError) as raised:
        package(tmp_path, text, name)
    assert f"{what} (`{field}`) need the official toolchain" in " ".join(str(raised.value).split())
    assert remedy in raised.value.remedy
    assert "plainly" not in raised.value.remedy


@pytest.mark.parametrize(
    ("line", "said", "remedy"),
    [
        ("meta import Lake.Util", r"lean:3: .*\(`meta import`\)", "`import Lake` alone"),
        ("meta if true then\n  lean_lib B", r"lean:3: .*\(`meta if`\)", "without `meta if`"),
        ('abbrev flags := #["-x"]', r"lean:3: .*\(`abbrev`\)", "without a name"),
        ("@[default_script] script x do pure 0", r"lean:3: scripts", "Remove it"),
        ("module_facet f m := pure 0", r"lean:3: .*\(`module_facet`\)", "--engine lake"),
        (
            "lean_lib B where\n  srcDir := dir",
            r"lean:4: .*'dir' as the value of `srcDir`",
            "as it is",
        ),
        ("lean_lib B where\n  roots := flags", r"lean:4: .*the value of `roots`", "as it is"),
    ],
)
def test_other_fields_of_a_lakefile_are_named(
    tmp_path: Path, line: str, said: str, remedy: str
) -> None:
    with pytest.raises(LakefileError, match=said) as raised:
        package(tmp_path, f"import Lake\nopen Lake DSL\n{line}\nlean_lib A\n")
    assert remedy in raised.value.remedy


@pytest.mark.parametrize("field", ["precompileModules", "libPrefixOnWindows"])
def test_fields_that_change_no_module_are_passed_over(tmp_path: Path, field: str) -> None:
    assert package(tmp_path, f"package p\nlean_lib A where\n  {field} := true\n").libraries
