import PostNorm.Calculus.Exp
import PostNorm.Calculus.Log
import PostNorm.Calculus.OneVariable

/-! # The derivative of the inverse -/

namespace PostNorm
universe u
open RealField

variable {R : Type u} [RealField R] {a : R}

theorem inv_eq_exp (ha : 0 < a) : a⁻¹ = exp (-1 * log a) := by
  rw [show -1 * log a = -log a by grind, exp_neg, exp_log ha]

private theorem hasDerivAt_inv_pos (ha : 0 < a) : HasDerivAt (fun t => t⁻¹) (-(a⁻¹ * a⁻¹)) a :=
  ((hasDerivAt_exp (-1 * log a)).comp (g := fun t => -1 * log t) ((hasDerivAt_log ha).const_mul (-1))).of_near
    (δ := a / 2) (by grind) (fun t ht => inv_eq_exp (by grind)) (by rw [← inv_eq_exp ha]; grind)

/-- The derivative of `t⁻¹` at `a ≠ 0` is `-a⁻²`. -/
theorem hasDerivAt_inv (ha : a ≠ 0) : HasDerivAt (fun t => t⁻¹) (-(a⁻¹ * a⁻¹)) a := by
  by_cases h : 0 < a
  · exact hasDerivAt_inv_pos h
  · have e (t : R) : (-1 * t)⁻¹ = -t⁻¹ := by rw [show -1 * t = -t by grind, inv_neg]
    have hn : HasDerivAt (fun t => t⁻¹) (-((-1 * a)⁻¹ * (-1 * a)⁻¹)) (-1 * a) := hasDerivAt_inv_pos (by grind)
    exact ((hn.comp (hasDerivAt_const_mul (-1) a)).const_mul (-1)).of_eq (fun t => by rw [e]; grind) (by rw [e]; grind)

end PostNorm
