"""Proofs that no kernel would accept, and honest ones, each a theorem in a shared project.

An audit of a small project costs the same regardless of its content, so independent cases share
one: each has its own modules and namespace, and the theorem ``Use.<space>.t``.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.lean.conftest import ROOT

__all__ = ["CASES", "KERNEL_OFF", "PROOFS_OF_FALSE", "Case", "sharing", "write"]

HEAD = "import Lean\nopen Lean Elab Command\n"
USE = "@[obligation] theorem t (n : Nat) (hPos : 0 < n) : n = n + 1 := {}.elim\n"
RIGHT = "@[obligation] theorem t (n : Nat) (hPos : 0 < n) : n ≠ 0 := by omega\n"


@dataclass(frozen=True)
class Case:
    """A theorem, and the module that it depends on.

    Attributes:
        name: the test's identifier.
        below: the module that the theorem's module imports; ``Below`` is this case's namespace.
        use: the theorem; empty if the module below has it.
        code: the exit code of an audit of the theorem.
        status: its status in Lean.
        said: what the audit prints.
        shares: the project that it is in, together with the others of that name.
        module: the name of the module below.
        options: the lakefile's options for a library of this module alone; if empty, it has no
            library of its own.
        decoy: a source next to the lakefile, where no library has its sources.
    """

    name: str
    below: str
    use: str
    code: int
    status: str
    said: str
    shares: str = "refused"
    module: str = "Below"
    options: str = ""
    decoy: str = ""

    @property
    def space(self) -> str:
        """The namespace that it has in its project."""
        return "".join(part.capitalize() for part in self.name.split("-"))

    def moved(self, text: str) -> str:
        """A text of the case, within that namespace."""
        return text.replace("Below", self.space)


NO_KERNEL = "\n  leanOptions := #[⟨`debug.skipKernelTC, true⟩]"
KERNEL_OFF = "kernel-off"
"""The project whose package says so, which recompiles our library."""
WISH = f"""\
import Obligations
{HEAD}elab "wish" : tactic => do
  (← Tactic.getMainGoal).assign (mkConst ``True.intro)
namespace Use.Below
{RIGHT.replace("n ≠ 0 := by omega", "n = n + 1 := by wish")}end Use.Below
"""
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
  define `Below.Peg (.sort 1) (.sort (.imax 1 .zero))
PEG
run_cmd do
  let card := .forallE `n (mkConst ``Nat) (mkConst `Below.Sleeve) .default
  submit <| .inductDecl [] 0 [
    { name := `Below.Hook, type := .sort .zero
      ctors := [{ name := `Below.Hook.mk, type := mkConst `Below.Hook }] },
    { name := `Below.Sleeve, type := SORT
      ctors := [{ name := `Below.Sleeve.card, type := card }] }] false
  define `Below.Worn (.sort .zero) (mkConst `Below.Sleeve)
  define `Below.Worn.number (.forallE `w (mkConst `Below.Worn) (mkConst ``Nat) .default)
    (.lam `w (mkConst `Below.Sleeve) (.proj `Below.Sleeve 0 (.bvar 0)) .default)
  define `Below.Worn.one (mkConst `Below.Worn) (mkApp (mkConst `Below.Sleeve.card) (mkRawNatLit 1))
  define `Below.Worn.two (mkConst `Below.Worn) (mkApp (mkConst `Below.Sleeve.card) (mkRawNatLit 2))
namespace Below
theorem Worn.same : Worn.number Worn.one = Worn.number Worn.two :=
  congrArg Worn.number (rfl : Worn.one = Worn.two)
end Below
run_cmd do
  let numbers := mkApp2 (mkApp (mkConst ``Eq [1]) (mkConst ``Nat)) (mkRawNatLit 1) (mkRawNatLit 2)
  submit <| .thmDecl
    { name := `Below.Worn.wrong, levelParams := [], type := numbers
      value := mkConst `Below.Worn.same }
theorem Below.wrong : False := by have := Below.Worn.wrong; contradiction
"""
# `Room.{u}` is `Type u`, stored so that the kernel never instantiates `u`: then `Room.{0}`, which
# lives in `Type 1`, contains every `Type u`, and Cantor's argument proves False.
FORGED_FLAGS = """\
namespace Below
unsafe def forgedUnsafe (u : Level) : Expr :=
  FORGED
@[implemented_by forgedUnsafe] opaque forged (u : Level) : Expr
run_cmd do
  let stored := forged (.param `u)
  if stored.hasLevelParam then throwError "it was not forged"
  let room := mkConst `Below.Room [0]
  let type := .sort (.succ (.param `u))
  define `Below.Room (.sort (.succ (.succ (.param `u)))) stored [`u]
  define `Below.up (.forallE `x room type .default) (.lam `x room (.bvar 0) .default) [`u]
  define `Below.down (.forallE `x type room .default) (.lam `x type (.bvar 0) .default) [`u]
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
theorem wrong : False := cantor Room.{0} up.{1} fun y => ⟨down.{1} y, up_down.{1} y⟩
end Below
"""
FORGED_EXPR = "unsafeCast (Lean.Expr.sort._impl (Expr.sort 2).data (.succ u))"
# Bit 33 of the data of a universe says that it contains a parameter; the rest is its hash.
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
        HEAD
        + UNCHECKED.format(
            pairs="[(`Below.a, `Below.b), (`Below.b, `Below.c), (`Below.c, `Below.a)]"
        ),
        USE.format("Below.b"),
        1,
        "refused",
        "Below.b: its proof, or its definition, rests on itself",
    ),
    Case(
        "a-theorem-that-proves-itself",
        HEAD + UNCHECKED.format(pairs="[(`Below.a, `Below.a)]"),
        USE.format("Below.a"),
        1,
        "refused",
        "Below.a: its proof, or its definition, rests on itself",
    ),
    Case(
        "a-sort-that-hides-prop",
        HEAD + SUBMIT + HIDDEN_PROP.replace("PEG", "").replace("SORT", ".sort (.imax 1 .zero)"),
        USE.format("Below.wrong"),
        1,
        "refused",
        "Below.Hook: its sort imax 1 0 is Prop without being written so",
    ),
    Case(
        "a-sort-that-hides-prop-behind-a-name",
        HEAD
        + SUBMIT
        + HIDDEN_PROP.replace("PEG", "attribute [irreducible] Below.Peg").replace(
            "SORT", "mkConst `Below.Peg"
        ),
        USE.format("Below.wrong"),
        1,
        "refused",
        "Below.Hook: its sort imax 1 0 is Prop without being written so",
    ),
    Case(
        "a-term-whose-flags-lie",
        HEAD + SUBMIT + FORGED_FLAGS.replace("FORGED", FORGED_EXPR),
        USE.format("Below.wrong"),
        1,
        "refused",
        "(kernel) declaration type mismatch, 'Below.up' has type",
    ),
    Case(
        "a-universe-whose-flags-lie",
        HEAD + SUBMIT + FORGED_FLAGS.replace("FORGED", FORGED_LEVEL),
        USE.format("Below.wrong"),
        1,
        "refused",
        "(kernel) declaration type mismatch, 'Below.up' has type",
    ),
    Case(
        "a-local-that-nothing-binds",
        HEAD + STRAY_LOCAL,
        USE.format("Below.wrong"),
        1,
        "refused",
        "Below.wrong: it holds a local",
    ),
    Case(
        "an-axiom-in-a-module-called-as-leans",
        "axiom Lake.wrong : False\n",
        USE.format("Lake.wrong"),
        1,
        "axiom",
        "Lake.wrong",
        shares="clean",
        module="Lake.Extra",
    ),
    Case(
        "an-unchecked-proof-in-a-module-called-as-leans",
        HEAD + UNCHECKED.format(pairs="[(`Lake.unchecked, ``True.intro)]"),
        USE.format("Lake.unchecked"),
        1,
        "refused",
        "Lake.unchecked: (kernel)",
        module="Lake.More",
    ),
    Case(
        "an-unchecked-proof-in-a-module-of-the-same-name-as-leans",
        HEAD + UNCHECKED.format(pairs="[(`Lake.wrong, ``True.intro)]"),
        USE.format("Lake.wrong"),
        1,
        "refused",
        "Lake.wrong: (kernel)",
        module="Lake.Util.Name",
    ),
    Case(
        "the-lakefile-switches-the-kernel-off",
        WISH,
        "",
        1,
        "refused",
        "Below.t: (kernel)",
        options=NO_KERNEL,
    ),
    Case(
        "the-lakefile-switches-the-kernel-off-for-our-library-too",
        WISH,
        "",
        1,
        "refused",
        "Below.t: (kernel)",
        shares=KERNEL_OFF,
    ),
    Case(
        "every-proof-by-tactics-is-sorry",
        "",
        "set_option debug.byAsSorry true\nset_option warn.sorry false\n"
        + RIGHT.replace("n ≠ 0 := by omega", "n = n + 1 := by simp_all; omega"),
        1,
        "sorry",
        "sorry",
        shares="clean",
    ),
    Case(
        "a-decoy-next-to-the-lakefile",
        "",
        RIGHT.replace("by omega", "sorry"),
        1,
        "sorry",
        "sorry",
        shares="clean",
        decoy=RIGHT,
    ),
    Case("honest-types", NESTED, RIGHT, 0, "proved", "1 of 1 theorems proved", shares="clean"),
    Case("a-long-chain", CHAIN, RIGHT, 0, "proved", "1 of 1 theorems proved", shares="clean"),
)
PROOFS_OF_FALSE = tuple(
    c for c in CASES if c.name in ("a-sort-that-hides-prop", "a-local-that-nothing-binds")
)


def sharing(name: str) -> tuple[Case, ...]:
    """The cases of one project."""
    return tuple(c for c in CASES if c.shares == name)


def write(root: Path, cases: Sequence[Case]) -> None:
    """The project of these cases, in an empty folder; its sources are in ``src``."""
    source = root / "src"
    imports = uses = decoys = waivers = ""
    libraries: dict[str, list[str]] = {"": ["Use"]}
    for case in cases:
        module = case.moved(case.module)
        path = source / (module.replace(".", "/") + ".lean")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(case.moved(case.below), encoding="utf-8")
        libraries.setdefault(case.options, []).append(module)
        imports += f"import {module}\n"
        theorem = "namespace Use.{0}\n{1}end Use.{0}\n"
        uses += theorem.format(case.space, case.moved(case.use))
        decoys += theorem.format(case.space, case.decoy or case.moved(case.use))
        waivers += "".join(
            f'[[waiver]]\nkey = "{case.space}.t:{binder}"\nreason = "its proof is audited"\n'
            for binder in ("hPos", "conclusion")
        )
    head = f"import Obligations\n{imports}open Lean Elab\n"
    (source / "Use.lean").write_text(head + uses, encoding="utf-8")
    if decoys != uses:
        (root / "Use.lean").write_text(head + decoys, encoding="utf-8")
    shutil.copytree(ROOT / "lean" / "Obligations", source / "Obligations")
    shutil.copy(ROOT / "lean" / "Obligations.lean", source)
    shutil.copy(ROOT / "lean-toolchain", root)
    (root / "waivers.toml").write_text(waivers, encoding="utf-8")
    package = f"demo where{NO_KERNEL}" if cases[0].shares == KERNEL_OFF else "demo"
    lakefile = f"import Lake\nopen Lake DSL\n\npackage {package}\n\n"
    lakefile += 'lean_lib Obligations where\n  srcDir := "src"\n'
    for number, (options, modules) in enumerate(libraries.items()):
        roots = ", ".join(f"`{m}" for m in modules)
        lakefile += f"\nlean_lib Demo{number} where\n  roots := #[{roots}]\n"
        lakefile += f'  srcDir := "src"{options}\n'
    (root / "lakefile.lean").write_text(lakefile, encoding="utf-8")
