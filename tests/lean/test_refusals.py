"""Proofs that no kernel would accept, through the real engine: each is refused by name."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from bridge.cli.main import group
from tests.lean.conftest import ROOT

HEAD = "import Lean\nopen Lean Elab Command\n"
USE = "@[obligation] theorem t (n : Nat) (hPos : 0 < n) : n = n + 1 := {}.elim\n"
RIGHT = "@[obligation] theorem t (n : Nat) (hPos : 0 < n) : n ≠ 0 := by omega\n"
WAIVERS = "".join(
    f'[[waiver]]\nkey = "t:{binder}"\nreason = "the proof is what is audited"\n'
    for binder in ("hPos", "conclusion")
)


@dataclass(frozen=True)
class Case:
    """A project of two modules.

    Attributes:
        name: the test's identifier.
        below: the module that the theorem's module imports.
        use: the theorem's module, below its imports.
        code: the exit code of the audit.
        said: what it prints.
        module: the name of the module below.
        options: what the lakefile says below the package's name.
        source_folder: where the library's sources are.
    """

    name: str
    below: str
    use: str
    code: int
    said: str
    module: str = "Below"
    options: str = ""
    source_folder: str = "."


UNCHECKED = """\
run_cmd do
  for (a, b) in {pairs} do
    let d : Declaration := .thmDecl
      {{ name := a, levelParams := [], type := mkConst ``False, value := mkConst b }}
    match (← getEnv).addDeclCore 0 d none (doCheck := false) with
    | .ok env => setEnv env
    | .error _ => throwError "not added"
"""
HIDDEN_PROP = """\
run_cmd do
  let sort : Level := .imax (.succ .zero) .zero
  let card := .forallE `n (mkConst ``Nat) (mkConst `Sleeve) .default
  let ctors := [{ name := `Sleeve.card, type := card : Constructor }]
  let d : Declaration := .inductDecl [] 0 [{ name := `Sleeve, type := .sort sort, ctors }] false
  match (← getEnv).addDeclCore 0 d none with
  | .ok env => setEnv env
  | .error e => throwError e.toMessageData (← getOptions)
theorem Below.wrong : True := (fun (_ : Sleeve) => trivial) (Sleeve.card 3)
"""
STRAY_LOCAL = """\
run_cmd do
  let no := mkConst ``False
  let type := mkApp (Expr.lam `p (.forallE `x no no .default) no .default)
    (.lam `x no (.bvar 0) .default)
  for i in [0:24] do
    let d : Declaration := .opaqueDecl { name := `Below.wrong, levelParams := [], type
                                         value := .fvar ⟨.num `_kernel_fresh i⟩
                                         isUnsafe := false, all := [`Below.wrong] }
    if let .ok env := (← getEnv).addDeclCore 0 d none then
      setEnv env
      return
  throwError "the kernel no longer accepts it"
"""
NESTED = """\
inductive Rose where | node : Nat → Array Rose → Rose
def Rose.label : Rose → Nat | .node n _ => n
"""
CASES = (
    Case(
        "three-theorems-in-a-circle",
        HEAD + UNCHECKED.format(pairs="[(`A.a, `A.b), (`A.b, `A.c), (`A.c, `A.a)]"),
        USE.format("A.b"),
        1,
        "rests on itself",
    ),
    Case(
        "a-theorem-that-proves-itself",
        HEAD + UNCHECKED.format(pairs="[(`A.a, `A.a)]"),
        USE.format("A.a"),
        1,
        "A.a: its proof, or its definition, rests on itself",
    ),
    Case(
        "a-sort-that-hides-prop",
        HEAD + HIDDEN_PROP,
        "@[obligation] theorem t (n : Nat) (hPos : 0 < n) : 0 < n := have := Below.wrong; hPos\n",
        1,
        "is Prop without being written so",
    ),
    Case("a-local-that-nothing-binds", HEAD + STRAY_LOCAL, USE.format("Below.wrong"), 1, "local"),
    Case(
        "an-axiom-in-a-module-called-as-leans",
        "axiom Lake.wrong : False\n",
        USE.format("Lake.wrong"),
        1,
        "Lake.wrong",
        module="Lake.Extra",
    ),
    Case(
        "an-unchecked-proof-in-a-module-called-as-leans",
        HEAD + UNCHECKED.format(pairs="[(`Lake.wrong, ``True.intro)]"),
        USE.format("Lake.wrong"),
        1,
        "Lake.wrong",
        module="Lake.More",
    ),
    Case(
        "the-lakefile-switches-the-kernel-off",
        HEAD + 'elab "wish" : tactic => do\n'
        "  (← Tactic.getMainGoal).assign (mkConst ``True.intro)\n",
        RIGHT.replace("n ≠ 0 := by omega", "n = n + 1 := by wish"),
        1,
        "t: ",
        options=" where\n  leanOptions := #[⟨`debug.skipKernelTC, true⟩]",
    ),
    Case(
        "every-proof-by-tactics-is-sorry",
        "",
        "set_option debug.byAsSorry true\nset_option warn.sorry false\n"
        + RIGHT.replace("n ≠ 0 := by omega", "n = n + 1 := by simp_all; omega"),
        1,
        "sorry",
    ),
    Case(
        "a-decoy-next-to-the-lakefile",
        "",
        RIGHT.replace("by omega", "sorry"),
        1,
        "sorry",
        source_folder="src",
    ),
    Case("an-honest-nested-type", NESTED, RIGHT, 0, "1 of 1 theorems proved"),
)


def write(root: Path, case: Case) -> None:
    """The project of one case, in an empty folder."""
    folder = root / case.source_folder
    path = folder / (case.module.replace(".", "/") + ".lean")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(case.below, encoding="utf-8")
    use = f"import Obligations\nimport {case.module}\nopen Lean Elab\n{case.use}"
    (folder / "Use.lean").write_text(use, encoding="utf-8")
    if case.source_folder != ".":
        (root / "Use.lean").write_text(f"import Obligations\n{RIGHT}", encoding="utf-8")
    shutil.copytree(ROOT / "lean" / "Obligations", root / "Obligations")
    shutil.copy(ROOT / "lean" / "Obligations.lean", root)
    shutil.copy(ROOT / "lean-toolchain", root)
    (root / "waivers.toml").write_text(WAIVERS, encoding="utf-8")
    (root / "lakefile.lean").write_text(
        f"import Lake\nopen Lake DSL\n\npackage demo{case.options}\n\nlean_lib Obligations\n\n"
        f"lean_lib Demo where\n  roots := #[`{case.module}, `Use]\n"
        f'  srcDir := "{case.source_folder}"\n',
        encoding="utf-8",
    )


@pytest.mark.lean
@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_what_no_kernel_accepts_is_not_proved(case: Case, tmp_path: Path) -> None:
    root = tmp_path / "project"
    root.mkdir()
    write(root, case)
    result = CliRunner().invoke(group, ["audit", "--project", str(root)])
    assert result.exit_code == case.code, result.output
    assert " ".join(case.said.split()) in " ".join(result.output.split())
    assert ("1 of 1 theorems proved" in result.output) == (case.code == 0)
