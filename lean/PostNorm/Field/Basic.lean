import Init.Grind

/-! # Ordered fields with a square root and an exponential

Everything in this library is proved over any `R` with `[RealField R]`: a linearly ordered field with two
functions that obey four first-order laws.  The real numbers are the intended model; no completeness is
assumed, because no theorem here needs it.

## Main definitions

* `PostNorm.RealField`: the class. -/

namespace PostNorm
universe u
open Lean.Grind

/-- A linearly ordered field with a square root and an exponential, characterised by first-order laws only.
`ℝ` is the intended model. -/
class RealField (R : Type u) extends
    Field R, LE R, LT R, Std.IsLinearOrder R, Std.LawfulOrderLT R, OrderedRing R where
  /-- The square root; what it is at negative numbers is left open, except that it is not negative. -/
  sqrt : R → R
  sqrt_nonneg : ∀ a : R, 0 ≤ sqrt a
  mul_self_sqrt : ∀ {a : R}, 0 ≤ a → sqrt a * sqrt a = a
  /-- The exponential function. -/
  exp : R → R
  exp_add : ∀ a b : R, exp (a + b) = exp a * exp b
  one_add_le_exp : ∀ a : R, 1 + a ≤ exp a

end PostNorm
