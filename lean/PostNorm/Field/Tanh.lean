import PostNorm.Field.Exp

/-! # The hyperbolic tangent

## Main definitions

* `tanh x`: `(exp x - exp (-x)) / (exp x + exp (-x))`.

## Main statements

* `tanh_eq`: `tanh x = 1 - 2 / (exp (2x) + 1)`. -/

namespace PostNorm
universe u
open RealField

variable {R : Type u} [RealField R]

/-- The hyperbolic tangent. -/
def tanh (x : R) : R := (exp x - exp (-x)) / (exp x + exp (-x))

/-- The hyperbolic tangent by one exponential. -/
theorem tanh_eq (x : R) : tanh x = 1 - 2 * (exp (2 * x) + 1)⁻¹ := by
  have h1 := exp_pos x
  have h2 := exp_pos (-x)
  have h3 : exp x * exp (-x) = 1 := by rw [← exp_add, ← exp_zero]; congr 1; grind
  have h4 : exp (2 * x) = exp x * exp x := by rw [← exp_add]; congr 1; grind
  have h5 := mul_pos h1 h1
  have h6 : exp x + exp (-x) ≠ 0 := by grind
  have h7 : exp x * exp x + 1 ≠ 0 := by grind
  rw [tanh, h4, Lean.Grind.Field.div_eq_mul_inv]
  generalize exp x = e at *
  generalize exp (-x) = f at *
  clear h1 h2 h4 h5
  grind

end PostNorm
