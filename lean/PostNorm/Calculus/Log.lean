import PostNorm.Calculus.Quadratic
import PostNorm.Field.Log

/-! # The derivative of the logarithm -/

namespace PostNorm
universe u
open Lean.Grind (Field)

variable {R : Type u} [RealField R] {x : R}

/-- The derivative of the logarithm at `x > 0` is `1 / x`. -/
theorem hasDerivAt_log (hx : 0 < x) : HasDerivAt log x⁻¹ x := by
  have hi := inv_pos hx
  refine HasDerivAt.of_quadratic (C := 2 * (x⁻¹ * x⁻¹)) (δ := x / 2) (by
    have := mul_pos hi hi; grind) (by grind) fun r h h0 hr hb => ?_
  -- With `u = h / x`, the error lies between `1 - 1 / (1 + u) - u` and zero.
  have hu := hb.mul (show Within x⁻¹ x⁻¹ by grind)
  have hxr := mul_nonneg (show 0 ≤ x⁻¹ by grind) (show 0 ≤ x / 2 - r by grind)
  have hxi : x⁻¹ * x = 1 := by grind
  have e : x + h = x * (1 + h * x⁻¹) := by grind
  have hr' : r * x⁻¹ ≤ 1 / 2 := by grind
  generalize hu' : h * x⁻¹ = u at *
  have h1 : 0 < 1 + u := by grind
  have h2 := log_le_sub_one h1
  have h3 := one_sub_inv_le_log h1
  have h4 := inv_pos h1
  have h5 : (1 + u) * (1 + u)⁻¹ = 1 := Field.mul_inv_cancel (by grind)
  have hsq := hu.mul hu
  have h6 : 1 - (1 + u)⁻¹ - u = -(u * u * (1 + u)⁻¹) := by grind
  have h7 : (1 + u)⁻¹ ≤ 2 := by
    have := mul_nonneg (show 0 ≤ (1 + u)⁻¹ by grind) (show 0 ≤ 1 + u - 1 / 2 by grind)
    grind
  have h8 := mul_nonneg (mul_self_nonneg u) (show 0 ≤ 2 - (1 + u)⁻¹ by grind)
  have h9 : r * x⁻¹ * (r * x⁻¹) = x⁻¹ * x⁻¹ * (r * r) := by grind
  have h10 : x⁻¹ * h = u := by grind
  have h11 := mul_self_nonneg (r * x⁻¹)
  rw [e, log_mul hx h1, h10]
  rw [h9] at hsq h11
  generalize x⁻¹ * x⁻¹ * (r * r) = q at *
  have goal : Within (2 * q) (log x + log (1 + u) - log x - u) := by
    clear e hu hb hr hxr hxi hr' h9 h10 hi hx h5
    grind
  rw [show 2 * (x⁻¹ * x⁻¹) * (r * r) = 2 * q by grind]
  exact goal

end PostNorm
