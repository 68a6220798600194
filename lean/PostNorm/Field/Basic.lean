import Init.Grind

/-! # The real numbers, by their laws

Everything in this library is proved over any `R` with `[RealField R]`: a complete ordered field, with its square
root and its exponential function.  There is only one, up to isomorphism (`PostNorm.Real.Unique`), and anything
defined by a limit, such as a logarithm or an integral, can be defined over all of them.

## Main definitions

* `IsUpperBound S b`, `IsLUB S s`: bounds of a set of numbers, written as the predicate of being in it.
* `CompleteOrderedField`: ordered fields in which non-empty bounded sets have least upper bounds.
* `RealField`: complete ordered fields, with a square root and an exponential function. -/

namespace PostNorm
universe u
open Lean.Grind

/-- The number `b` is an upper bound of the set `S`. -/
def IsUpperBound {α : Type u} [LE α] (S : α → Prop) (b : α) : Prop := ∀ x, S x → x ≤ b

/-- The number `s` is the least upper bound of the set `S`. -/
def IsLUB {α : Type u} [LE α] (S : α → Prop) (s : α) : Prop :=
  IsUpperBound S s ∧ ∀ b, IsUpperBound S b → s ≤ b

/-- An ordered field is complete when every non-empty set that is bounded above has a least upper
bound. -/
class CompleteOrderedField (K : Type u) extends
    Field K, LE K, LT K, Std.IsLinearOrder K, Std.LawfulOrderLT K, OrderedRing K where
  /-- The least upper bound; unspecified where there is none. -/
  sup : (K → Prop) → K
  isLUB_sup : ∀ {S : K → Prop}, (∃ x, S x) → (∃ b, IsUpperBound S b) → IsLUB S (sup S)
  decidableLE : DecidableLE K
  decidableLT : DecidableLT K

attribute [instance] CompleteOrderedField.decidableLE CompleteOrderedField.decidableLT

/-- The law of completeness, in its usual form. -/
theorem CompleteOrderedField.exists_isLUB {K : Type u} [CompleteOrderedField K] (S : K → Prop)
    (hne : ∃ x, S x) (hbdd : ∃ b, IsUpperBound S b) : ∃ s, IsLUB S s := ⟨sup S, isLUB_sup hne hbdd⟩

/-- The real numbers: a complete ordered field, with its square root and its exponential function. -/
class RealField (R : Type u) extends CompleteOrderedField R where
  /-- The square root; at negative numbers it is unspecified, except that it is not negative. -/
  sqrt : R → R
  sqrt_nonneg : ∀ a : R, 0 ≤ sqrt a
  mul_self_sqrt : ∀ {a : R}, 0 ≤ a → sqrt a * sqrt a = a
  /-- The exponential function. -/
  exp : R → R
  exp_add : ∀ a b : R, exp (a + b) = exp a * exp b
  one_add_le_exp : ∀ a : R, 1 + a ≤ exp a

end PostNorm
