import PostNorm.Calculus.Quadratic

/-! # The derivative of the square root

## Main statements

* `hasDerivAt_sqrt`, `hasDerivAt_sqrtClamp`: both are differentiable at positive numbers. -/

namespace PostNorm
universe u v w
open RealField
open Lean.Grind (Semiring Field CommSemiring)

variable {R : Type u} [RealField R]

/-- The derivative of the square root at `a > 0`. -/
theorem hasDerivAt_sqrt {a : R} (ha : 0 < a) : HasDerivAt sqrt (2 * sqrt a)⁻¹ a := by
  have hs := sqrt_pos ha
  have hs2 := mul_self_sqrt (show 0 ≤ a by grind)
  generalize hsa : sqrt a = s at hs hs2
  have hi := inv_pos hs
  have hiii := mul_pos hi (mul_pos hi hi)
  refine HasDerivAt.of_quadratic (C := s⁻¹ * (s⁻¹ * s⁻¹)) (δ := a) hiii ha ?_
  intro r h h0 hr hb
  have ht := sqrt_nonneg (a + h)
  have ht2 := mul_self_sqrt (show 0 ≤ a + h by grind)
  rw [hsa]
  generalize sqrt (a + h) = t at ht ht2
  have hne : s ≠ 0 := by grind
  have hh : h = (t - s) * (t + s) := by grind
  have key : t - s - (2 * s)⁻¹ * h = -((t - s) * (t - s)) * (s⁻¹ / 2) := by
    rw [hh]; grind
  -- (t-s)² ≤ h² s⁻²
  have hts : 0 < t + s := by grind
  have hj := inv_pos hts
  have q1 : t - s = h * (t + s)⁻¹ := by grind
  have q2 : (t + s)⁻¹ ≤ s⁻¹ := by
    have t1 := mul_nonneg (show 0 ≤ s⁻¹ * (t + s)⁻¹ from mul_nonneg (by grind) (by grind)) ht
    have t2 : s⁻¹ * (t + s)⁻¹ * t = s⁻¹ - (t + s)⁻¹ := by grind
    grind
  have q3 : Within (r * s⁻¹) (t - s) := by
    rw [q1]; exact hb.mul (by grind)
  have q4 := (q3.mul q3).neg
  have q5 := q4.mul (show Within s⁻¹ (s⁻¹ / 2) by grind)
  rw [key]
  have e : r * s⁻¹ * (r * s⁻¹) * s⁻¹ = s⁻¹ * (s⁻¹ * s⁻¹) * (r * r) := by grind
  rw [← e]; exact q5

/-- The square root of the positive part has the same derivative at `a > 0`. -/
theorem hasDerivAt_sqrtClamp {a : R} (ha : 0 < a) : HasDerivAt sqrtClamp (2 * sqrtClamp a)⁻¹ a := by
  intro ε hε
  obtain ⟨d, hd, h⟩ := hasDerivAt_sqrt ha ε hε
  obtain ⟨δ, hδ, h1, h2⟩ := exists_pos_le_both hd ha
  refine ⟨δ, hδ, fun r h0 hr t ht => ?_⟩
  have e := h r h0 (by clear h; grind) t ht
  rw [sqrtClamp_eq_sqrt (show 0 ≤ a by grind), sqrtClamp_eq_sqrt (show 0 ≤ a + t by clear h e; grind)]
  exact e

end PostNorm
