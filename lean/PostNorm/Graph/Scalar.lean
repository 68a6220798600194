import PostNorm.Field

/-! # Numbers that a graph can be run over

## Main definitions

* `Scalar`: the operations that evaluation needs, without laws.
* Instances for every `RealField` (to prove) and for `Float` (to run). -/

namespace PostNorm
universe u
open Lean.Grind
attribute [local instance] Semiring.natCast

/-- The operations that running a graph needs; no laws. -/
class Scalar (α : Type u) extends Add α, Mul α, Sub α, Neg α, Inv α, Zero α where
  /-- A natural number as a scalar. -/
  ofNat : Nat → α
  /-- The square root of the positive part. -/
  sqrtClamp : α → α
  /-- The exponential function. -/
  exp : α → α
  /-- The hyperbolic tangent. -/
  tanh : α → α

noncomputable instance instScalarOfRealField {R : Type u} [RealField R] : Scalar R where
  toZero := inferInstance
  ofNat n := (n : R)
  sqrtClamp := PostNorm.sqrtClamp
  exp := RealField.exp
  tanh := PostNorm.tanh

instance : Scalar Float where
  zero := 0
  inv x := 1 / x
  ofNat n := n.toFloat
  sqrtClamp x := if x ≤ 0 then 0 else x.sqrt
  exp := Float.exp
  tanh := Float.tanh

end PostNorm
