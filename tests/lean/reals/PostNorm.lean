import Init.Grind

/-! Stands in for the library `PostNorm`, which takes minutes to compile: the names and signatures of its fields, and
nothing of its proofs.  `tests/lean/test_propositions.py` holds them against the library itself. -/

namespace PostNorm
universe u
open Lean.Grind

class CompleteOrderedField (K : Type u) extends
    Field K, LE K, LT K, Std.IsLinearOrder K, Std.LawfulOrderLT K, OrderedRing K where
  decidableLE : DecidableLE K
  decidableLT : DecidableLT K

attribute [instance] CompleteOrderedField.decidableLE CompleteOrderedField.decidableLT

class RealField (R : Type u) extends CompleteOrderedField R where
  sqrt : R → R
  exp : R → R

def finSum {α : Type u} [Add α] [Zero α] (n : Nat) (f : Fin n → α) : α :=
  (List.finRange n).foldr (fun i s => f i + s) 0

variable {R : Type u} [RealField R]

def abs (a : R) : R := if 0 ≤ a then a else -a
def tanh (x : R) : R :=
  (RealField.exp x - RealField.exp (-x)) / (RealField.exp x + RealField.exp (-x))
noncomputable def log (x : R) : R := RealField.exp x

structure Real where
  seq : Nat → Rat
noncomputable instance Real.instRealField : RealField Real := sorry
end PostNorm
