"""Ways to prove falsehoods, or to seem to, each in a namespace of a shared project.

One audit covers all of them, since they are independent.  ``docs/tricks.md`` shows this table.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["MANY", "OneOfMany", "bodies_of"]

USE = "@[obligation] theorem t (n : Nat) : n + 2 + 2 = n + 5 := by have := bad; omega\n"
FOUR = """\
    {{ name := `Demo.{space}.bad, levelParams := [], value := {value}
      type := mkApp3 (mkConst ``Eq [1]) (mkConst ``Nat) (mkNatLit 4) (mkNatLit 5) }}
"""
UNCHECKED = """\
open Lean Elab Command in
run_cmd do
  let d : Declaration := .thmDecl
{four}  match (← getEnv).addDeclCore 0 d none (doCheck := false) with
  | .ok env => setEnv env
  | .error _ => throwError "not added"
@[obligation] theorem t (n : Nat) : n + 4 = n + 5 := by have : (4 : Nat) = 5 := bad; omega
"""


def unchecked(space: str, value: str) -> str:
    return UNCHECKED.format(four=FOUR.format(space=space, value=value))


@dataclass(frozen=True)
class OneOfMany:
    """A trick: its namespace, what is tried, its source, its theorem's status in Lean."""

    space: str
    what: str
    source: str
    status: str


MANY = (
    OneOfMany(
        "Core",
        "`addDeclCore` with checking off",
        unchecked("Core", "mkConst ``True.intro"),
        "refused",
    ),
    OneOfMany(
        "Hole",
        "a proof that is a metavariable",
        unchecked("Hole", ".mvar ⟨`x⟩"),
        "refused",
    ),
    OneOfMany(
        "Reduce",
        "`Lean.ofReduceBool` by hand",
        "def yes : Bool := true\n"
        "theorem bad : yes = true := Lean.ofReduceBool yes true rfl\n"
        "@[obligation] theorem t (n : Nat) : yes = true ∨ n = 0 := Or.inl bad\n",
        "refused",
    ),
    OneOfMany(
        "Native",
        "`native_decide` about a definition that runs as another",
        "def slow (n : Nat) : Bool := n == 5\ndef fast (_ : Nat) : Bool := true\n"
        "attribute [implemented_by fast] slow\n"
        "theorem ran : slow 4 = true := by native_decide\n"
        "theorem bad : 2 + 2 = 5 := by\n  have h := ran\n  simp [slow] at h\n" + USE,
        "refused",
    ),
    OneOfMany(
        "Option",
        "`debug.byAsSorry` for one proof",
        "set_option debug.byAsSorry true in\ntheorem bad : 2 + 2 = 5 := by rfl\n" + USE,
        "sorry",
    ),
    OneOfMany(
        "Made",
        "`sorry` made by an elaborator, marked as a reported error",
        "open Lean Elab Term in\n"
        'elab "believe%" : term <= type => Lean.Meta.mkSorry type true\n'
        "theorem bad : 2 + 2 = 5 := believe%\n" + USE,
        "sorry",
    ),
    OneOfMany(
        "Lawful",
        "an instance of a library law whose proof is unfinished",
        "structure Q where n : Nat\ninstance : BEq Q := ⟨fun _ _ => true⟩\n"
        "instance : LawfulBEq Q where\n  eq_of_beq := sorry\n  rfl := rfl\n"
        "theorem bad : 2 + 2 = 5 := by\n"
        "  have h : (Q.mk 4 == Q.mk 5) = true := rfl\n"
        "  have := eq_of_beq h\n  simpa using congrArg Q.n this\n" + USE,
        "sorry",
    ),
    OneOfMany(
        "Default",
        "a hypothesis with `sorry` as its default",
        "@[obligation] theorem t (n : Nat) (h : 2 + 2 = 5 := sorry) : n + 2 + 2 = n + 5 := by\n"
        "  omega\n",
        "sorry",
    ),
    OneOfMany(
        "Private",
        "a private theorem, unfinished, tagged afterwards",
        "private theorem t (n : Nat) : n + 2 + 2 = n + 5 := sorry\nattribute [obligation] t\n",
        "sorry",
    ),
    OneOfMany(
        "Loop",
        "a partial definition that may not terminate, of a type that `sorry` makes inhabited",
        "instance : Inhabited (PLift (2 + 2 = 5)) := ⟨⟨sorry⟩⟩\n"
        "partial def loop (n : Nat) : PLift (2 + 2 = 5) := loop (n + 1)\n"
        "theorem bad : 2 + 2 = 5 := (loop 0).down\n" + USE,
        "sorry",
    ),
    OneOfMany(
        "Cast",
        "`unsafeCast` behind an opaque value",
        "unsafe def lie : Option (PLift (2 + 2 = 5)) := some (unsafeCast ())\n"
        "@[implemented_by lie] opaque truth : Option (PLift (2 + 2 = 5))\n"
        "theorem bad : 2 + 2 = 5 := match truth with | some p => p.down | none => sorry\n" + USE,
        "sorry",
    ),
    OneOfMany(
        "Unsafe",
        "an axiom that runs as an unsafe proof of itself",
        "unsafe def loop : 2 + 2 = 5 := loop\n@[implemented_by loop] axiom bad : 2 + 2 = 5\n" + USE,
        "axiom",
    ),
    OneOfMany(
        "Data",
        "an axiom that gives data, not a proof",
        "axiom fact : { n : Nat // n + 4 = 0 }\n"
        "theorem bad : 2 + 2 = 5 := by have := fact.2; omega\n" + USE,
        "axiom",
    ),
    OneOfMany(
        "Opaque",
        "an axiom that makes the type of an opaque value inhabited",
        # Another false equation: for the same one, Lean would use the proof from `Loop`.
        "axiom inst : Nonempty (3 = 4)\nopaque it : PLift (3 = 4) := ⟨inst.elim id⟩\n"
        "theorem bad : 2 + 2 = 5 := by have := it.down; omega\n" + USE,
        "axiom",
    ),
    OneOfMany(
        "Instance",
        "an axiom that is an instance",
        "class Law where law : 2 + 2 = 5\naxiom ax : Law\nattribute [instance] ax\n"
        "theorem bad : 2 + 2 = 5 := Law.law\n" + USE,
        "axiom",
    ),
    OneOfMany(
        "Added",
        "an axiom that a metaprogram adds",
        "open Lean Elab Command in\nrun_cmd liftCoreM do\n"
        "  addDecl <| .axiomDecl { name := `Demo.Added.bad, levelParams := [], isUnsafe := false, "
        "type := mkApp3 (mkConst ``Eq [1]) (mkConst ``Nat) (mkNatLit 4) (mkNatLit 5) }\n"
        "@[obligation] theorem t (n : Nat) : n + 4 = n + 5 := by\n"
        "  have : (4 : Nat) = 5 := bad\n  omega\n",
        "axiom",
    ),
    OneOfMany(
        "Tagged",
        "an axiom that is itself tagged",
        "axiom t (n : Nat) : n = n + 1\nattribute [obligation] t\n",
        "axiom",
    ),
    OneOfMany(
        "Rooted",
        "axioms with the names of Lean's own",
        "axiom _root_.Classical.choose_well : 2 + 2 = 5\n"
        "theorem bad : 2 + 2 = 5 := Classical.choose_well\n" + USE,
        "axiom",
    ),
    OneOfMany(
        "Honest",
        "nothing: `decide` by the kernel",
        "theorem fine : 2 + 2 = 4 := by decide +kernel\n"
        "@[obligation] theorem t (n : Nat) : n + 2 + 2 = n + 4 := by have := fine; omega\n",
        "proved",
    ),
)


def bodies_of(tricks: tuple[OneOfMany, ...]) -> str:
    """Their text in the project's file."""
    return "".join(f"namespace {t.space}\n{t.source}end {t.space}\n" for t in tricks)
