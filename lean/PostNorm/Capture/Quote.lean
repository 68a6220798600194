import Lean.Expr
import PostNorm.Capture.Rules

/-! # Shapes, numbers and signs as terms

The parts from which `PostNorm.Capture.Term` builds the terms of a captured graph.

## Main definitions

* `natE`, `natsE`, `shapeE`, `consE`, `signE`, `demandE`. -/

namespace PostNorm.Capture
open Lean

/-- A natural number, as it is written in the library. -/
def natE (n : Nat) : Expr :=
  let digits := mkRawNatLit n
  mkApp3 (mkConst ``OfNat.ofNat [.zero]) (mkConst ``Nat) digits (mkApp (mkConst ``instOfNatNat) digits)

/-- A shape. -/
def shapeE (s : List Nat) : Expr :=
  s.foldl (fun e n => mkApp2 (mkConst ``Shape.snoc) e (natE n)) (mkConst ``Shape.unit)

/-- A context with one more shape in front. -/
def consE (s Γ : Expr) : Expr := mkApp3 (mkConst ``List.cons [.zero]) (mkConst ``Shape) s Γ

/-- A list of natural numbers. -/
def natsE (ns : List Nat) : Expr :=
  ns.foldr (fun n e => mkApp3 (mkConst ``List.cons [.zero]) (mkConst ``Nat) (natE n) e)
    (mkApp (mkConst ``List.nil [.zero]) (mkConst ``Nat))

/-- A sign. -/
def signE : Sign → Expr
  | .any => mkConst ``Sign.any
  | .nonneg => mkConst ``Sign.nonneg
  | .pos => mkConst ``Sign.pos

/-- A demand. -/
def demandE : Demand → Expr
  | .nonzero => mkConst ``Demand.nonzero
  | .positive => mkConst ``Demand.positive

end PostNorm.Capture
