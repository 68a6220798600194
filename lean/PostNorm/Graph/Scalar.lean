import PostNorm.Field

/-! # Numbers that a graph can be run over

## Main definitions

* `ScalarFunction`: a function of one number, twice: over every real field, for proofs, and over floats, for runs.
* `Scalar`: the operations that evaluation needs, without laws.
* Instances for every `RealField` and for `Float`. -/

namespace PostNorm
universe u
open Lean.Grind
attribute [local instance] Semiring.natCast

/-- A function of one number that a graph may apply.  To add one, define it: nothing else lists them. -/
structure ScalarFunction where
  /-- The version for proofs. -/
  onReal : {R : Type u} → [RealField R] → R → R
  /-- The version for runs. -/
  onFloat : Float → Float

/-- The operations that running a graph needs; no laws. -/
class Scalar (α : Type u) extends Add α, Mul α, Sub α, Neg α, Inv α, Zero α where
  /-- A natural number as a scalar. -/
  ofNat : Nat → α
  /-- Whether one number is less than another. -/
  lt : α → α → Bool
  /-- Apply a function. -/
  apply : ScalarFunction.{u} → α → α

-- Over a real field, `a + b` is the field's own addition: the one from `Scalar` has the lowest priority.
attribute [instance 10] Scalar.toAdd Scalar.toMul Scalar.toSub Scalar.toNeg Scalar.toInv Scalar.toZero

instance instScalarOfRealField {R : Type u} [RealField R] : Scalar R where
  toZero := inferInstance
  ofNat n := (n : R)
  lt a b := decide (a < b)
  apply f := f.onReal

instance : Scalar Float where
  zero := 0
  inv x := 1 / x
  ofNat n := n.toFloat
  lt a b := decide (a < b)
  apply f := f.onFloat

instance : CoeFun ScalarFunction.{u} fun _ => {α : Type u} → [Scalar α] → α → α := ⟨fun f => Scalar.apply f⟩

@[simp, grind =] theorem Scalar.lt_eq_true {R : Type u} [RealField R] {a b : R} : Scalar.lt a b = true ↔ a < b := by
  exact decide_eq_true_iff

@[simp, grind =] theorem Scalar.lt_eq_false {R : Type u} [RealField R] {a b : R} : Scalar.lt a b = false ↔ ¬ a < b := by
  exact decide_eq_false_iff_not

end PostNorm
