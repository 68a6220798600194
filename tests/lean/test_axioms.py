"""The axioms of many theorems at once are those that Lean finds for each."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bridge.engine import Engine
from bridge.lean.library import build
from bridge.lean.project import Project

pytestmark = pytest.mark.lean

SOURCE = """import Obligations.Axioms
open Lean

namespace Demo
axiom one : 1 = 1
axiom two (_ : one = one) : 2 = 2
axiom lonely : 3 = 3
inductive Holds : Nat → Prop where
  | intro (_ : two (Eq.refl _) = two (Eq.refl _)) : Holds 0
opaque hidden : { n : Nat // n = n } := ⟨1, one⟩
theorem byProof : 1 = 1 := one
theorem byType (_ : Holds 0) : True := True.intro
theorem byBoth : hidden.1 = hidden.1 ∧ 2 = 2 := ⟨Eq.refl _, two (Eq.refl _)⟩
theorem byChoice (p : Prop) : p ∨ ¬p := Classical.em p
theorem byNone : True := True.intro
end Demo

-- Each proof is the next one, the last is the first again; one of them rests on an axiom, too.
run_meta
  for (name, next) in [(`Demo.a, `Demo.b), (`Demo.b, `Demo.c), (`Demo.c, `Demo.a)] do
    let proof := mkConst next
    let value := if name == `Demo.c then mkApp2 (mkConst ``absurd) proof (mkConst ``Demo.one)
      else proof
    let decl := .thmDecl { name, levelParams := [], type := mkConst ``False, value }
    modifyEnv fun env => match env.addDeclCore 0 decl none (doCheck := false) with
      | .ok env => env
      | .error _ => env

run_meta
  let env ← getEnv
  let names := #[`Demo.byProof, `Demo.byType, `Demo.byBoth, `Demo.byChoice, `Demo.byNone,
    `Demo.a, `Demo.b, `Demo.c, ``Nat.add_comm, ``List.map_map, ``Demo.one]
  let atOnce := Obligations.axiomsOf env names
  for n in names do
    let own := (← collectAxioms n).qsort Name.lt
    unless atOnce.getD n #[] == own do throwError "{n}: {atOnce.getD n #[]}, not {own}"
  let circle := atOnce.getD `Demo.a #[]
  unless circle.contains `Demo.one && atOnce.getD `Demo.byNone #[] == #[] do
    throwError "the circle rests on {circle}"
  unless atOnce.getD `Demo.byBoth #[] == #[`Demo.one, `Demo.two] do
    throwError "both: {atOnce.getD `Demo.byBoth #[]}"
"""


def test_all_at_once_they_are_the_same(lean: Engine, project_of: Callable[[str], Project]) -> None:
    built = build(project_of(SOURCE), lean)
    assert built.ok, [str(m) for m in built.errors]


def test_a_difference_is_noticed(lean: Engine, project_of: Callable[[str], Project]) -> None:
    wrong = SOURCE.replace("(← collectAxioms n)", "((← collectAxioms n).push `Demo.lonely)")
    built = build(project_of(wrong), lean)
    assert "Demo.byProof" in built.errors[0].text
