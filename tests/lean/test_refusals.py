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
SUBMIT = """\
private def submit (d : Declaration) : CommandElabM Unit := do
  match (← getEnv).addDeclCore 0 d none with
  | .ok env => setEnv env
  | .error e => throwError e.toMessageData (← getOptions)
private def define (name : Name) (type value : Expr) (us : List Name := []) : CommandElabM Unit :=
  submit <| .defnDecl
    { name, levelParams := us, type, value, hints := .abbrev, safety := .safe, all := [name] }
"""
HIDDEN_PROP = """\
run_cmd do
  define `Peg (.sort 1) (.sort (.imax 1 .zero))
PEG
run_cmd do
  let card := .forallE `n (mkConst ``Nat) (mkConst `Sleeve) .default
  submit <| .inductDecl [] 0 [
    { name := `Hook, type := .sort .zero, ctors := [{ name := `Hook.mk, type := mkConst `Hook }] },
    { name := `Sleeve, type := SORT, ctors := [{ name := `Sleeve.card, type := card }] }] false
  define `Worn (.sort .zero) (mkConst `Sleeve)
  define `Worn.number (.forallE `w (mkConst `Worn) (mkConst ``Nat) .default)
    (.lam `w (mkConst `Sleeve) (.proj `Sleeve 0 (.bvar 0)) .default)
  define `Worn.one (mkConst `Worn) (mkApp (mkConst `Sleeve.card) (mkRawNatLit 1))
  define `Worn.two (mkConst `Worn) (mkApp (mkConst `Sleeve.card) (mkRawNatLit 2))
theorem Worn.same : Worn.number Worn.one = Worn.number Worn.two :=
  congrArg Worn.number (rfl : Worn.one = Worn.two)
run_cmd do
  let numbers := mkApp2 (mkApp (mkConst ``Eq [1]) (mkConst ``Nat)) (mkRawNatLit 1) (mkRawNatLit 2)
  submit <| .thmDecl
    { name := `Worn.wrong, levelParams := [], type := numbers, value := mkConst `Worn.same }
theorem Below.wrong : False := by have := Worn.wrong; contradiction
"""
# `Room.{u}` is `Type u`, stored so that the kernel puts no universe for `u`: then `Room.{0}`, which
# lives in `Type 1`, holds every `Type u`, and Cantor's argument proves False.
FORGED_FLAGS = """\
unsafe def forgedUnsafe (u : Level) : Expr :=
  FORGED
@[implemented_by forgedUnsafe] opaque forged (u : Level) : Expr
run_cmd do
  let stored := forged (.param `u)
  if stored.hasLevelParam then throwError "it was not forged"
  let room := mkConst `Room [0]
  let type := .sort (.succ (.param `u))
  define `Room (.sort (.succ (.succ (.param `u)))) stored [`u]
  define `up (.forallE `x room type .default) (.lam `x room (.bvar 0) .default) [`u]
  define `down (.forallE `x type room .default) (.lam `x type (.bvar 0) .default) [`u]
theorem up_down.{u} (x : Type u) : up.{u} (down.{u} x) = x := rfl
theorem cantor (α : Type 1) (f : α → Type 1) (hf : ∀ y, ∃ x, f x = y) : False := by
  obtain ⟨U, hU⟩ := hf (Sigma f → Prop)
  let g : (Sigma f → Prop) → Sigma f := fun s => ⟨U, cast hU.symm s⟩
  have hg : ∀ a b, g a = g b → a = b := by
    intro a b h
    have := congrArg (cast hU) (eq_of_heq (Sigma.mk.inj h).2)
    simpa using this
  let D : Sigma f → Prop := fun t => ∃ s, g s = t ∧ ¬ s t
  by_cases h : D (g D)
  · obtain ⟨s, hs, hn⟩ := h
    have : s = D := hg _ _ hs
    subst this
    exact hn ⟨_, hs, hn⟩
  · exact h ⟨D, rfl, h⟩
theorem Below.wrong : False := cantor Room.{0} up.{1} fun y => ⟨down.{1} y, up_down.{1} y⟩
"""
FORGED_EXPR = "unsafeCast (Lean.Expr.sort._impl (Expr.sort 2).data (.succ u))"
# Bit 33 of what is stored with a universe says that it holds a parameter; the rest is its hash.
FORGED_LEVEL = """let flags : UInt64 := (Level.succ u).data
  .sort (unsafeCast (Lean.Level.succ._impl (flags &&& 0xFFFFFFFDFFFFFFFF) u))"""
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
inductive Bush (α : Type u) where | node : α → List (Bush α) → Array (Bush α) → Bush α
mutual
inductive Even' where | zero | next (o : Odd') (l : List Even')
inductive Odd' where | next (e : Option Even')
end
mutual
def Even'.size : Even' → Nat | .zero => 0 | .next o l => o.size + sizes l
def Odd'.size : Odd' → Nat | .next none => 1 | .next (some e) => e.size + 1
def sizes : List Even' → Nat | [] => 0 | e :: l => e.size + sizes l
end
inductive All (p : α → Prop) : List α → Prop
  | nil : All p [] | cons : p a → All p l → All p (a :: l)
inductive Fine : Even' → Prop | mk : All Fine l → Fine (.next o l)
inductive Term : Nat → Type
  | var : Fin n → Term n | lam : Term (n + 1) → Term n | pair : (Fin 2 → Term n) → Term n
abbrev Ty := Type
inductive Box : Ty → Ty | mk : α → Box α
structure Point (α : Type u) extends Inhabited α where x : α
def ack : Nat → Nat → Nat
  | 0, n => n + 1 | m + 1, 0 => ack m 1 | m + 1, n + 1 => ack m (ack (m + 1) n)
termination_by m n => (m, n)
partial def forever (n : Nat) : Nat := forever (n + 1)
inductive Colour | red | green deriving DecidableEq, Repr, Hashable, Ord, Inhabited
"""
CHAIN = "theorem c0 (n : Nat) : n + 0 = n := rfl\n" + "".join(
    f"theorem c{i} (n : Nat) : n + 0 = n := c{i - 1} n\n" for i in range(1, 1000)
)
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
        HEAD + SUBMIT + HIDDEN_PROP.replace("PEG", "").replace("SORT", ".sort (.imax 1 .zero)"),
        USE.format("Below.wrong"),
        1,
        "Hook: its sort imax 1 0 is Prop without being written so",
    ),
    Case(
        "a-sort-that-hides-prop-behind-a-name",
        HEAD
        + SUBMIT
        + HIDDEN_PROP.replace("PEG", "attribute [irreducible] Peg").replace("SORT", "mkConst `Peg"),
        USE.format("Below.wrong"),
        1,
        "Hook: its sort imax 1 0 is Prop without being written so",
    ),
    Case(
        "a-term-whose-flags-lie",
        HEAD + SUBMIT + FORGED_FLAGS.replace("FORGED", FORGED_EXPR),
        USE.format("Below.wrong"),
        1,
        "t rests on it",
    ),
    Case(
        "a-universe-whose-flags-lie",
        HEAD + SUBMIT + FORGED_FLAGS.replace("FORGED", FORGED_LEVEL),
        USE.format("Below.wrong"),
        1,
        "t rests on it",
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
        "an-unchecked-proof-in-a-module-of-the-same-name-as-leans",
        HEAD + UNCHECKED.format(pairs="[(`Lake.wrong, ``True.intro)]"),
        USE.format("Lake.wrong"),
        1,
        "Lake.wrong",
        module="Lake.Util.Name",
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
    Case("honest-types", NESTED, RIGHT, 0, "1 of 1 theorems proved"),
    Case("a-long-chain", CHAIN, RIGHT, 0, "1 of 1 theorems proved"),
)


PROOFS_OF_FALSE = tuple(
    c for c in CASES if c.name in ("a-sort-that-hides-prop", "a-local-that-nothing-binds")
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
    if case in PROOFS_OF_FALSE:
        assert "refused" in result.output
