import PostNorm.Calculus.Exp
import PostNorm.Calculus.Log
import PostNorm.Calculus.OneVariable

/-! # The derivative of the square root

## Main statements

* `hasDerivAt_sqrt`, `hasDerivAt_sqrtClamp`: both are differentiable at positive numbers. -/

namespace PostNorm
universe u
open RealField

variable {R : Type u} [RealField R] {a : R}

theorem sqrt_eq_exp (ha : 0 < a) : sqrt a = exp (1 / 2 * log a) := by
  have h1 := mul_self_sqrt (show 0 ≤ a by grind)
  have h2 : exp (1 / 2 * log a) * exp (1 / 2 * log a) = a := by
    rw [← exp_add, show 1 / 2 * log a + 1 / 2 * log a = log a by grind, exp_log ha]
  have h3 := sqrt_pos ha
  have h4 := exp_pos (1 / 2 * log a)
  generalize exp (1 / 2 * log a) = e at *
  generalize sqrt a = s at *
  have h5 : s + e ≠ 0 := by grind
  grind

/-- The derivative of the square root at `a > 0`. -/
theorem hasDerivAt_sqrt (ha : 0 < a) : HasDerivAt sqrt (2 * sqrt a)⁻¹ a := by
  have h := (hasDerivAt_exp (1 / 2 * log a)).comp (g := fun t => 1 / 2 * log t) ((hasDerivAt_log ha).const_mul (1 / 2))
  refine h.of_near (δ := a / 2) (by grind) (fun t ht => sqrt_eq_exp (by grind)) ?_
  rw [← sqrt_eq_exp ha]
  clear h
  have h1 := sqrt_pos ha
  have h2 := mul_self_sqrt (show 0 ≤ a by grind)
  generalize sqrt a = s at *
  subst h2
  grind

/-- The square root of the positive part has the same derivative at `a > 0`. -/
theorem hasDerivAt_sqrtClamp (ha : 0 < a) : HasDerivAt sqrtClamp (2 * sqrtClamp a)⁻¹ a :=
  (hasDerivAt_sqrt ha).of_near (δ := a / 2) (by grind) (fun t ht => sqrtClamp_eq_sqrt (by grind))
    (by rw [sqrtClamp_eq_sqrt (by grind)])

end PostNorm
