import PostNorm.Calculus.Quadratic

/-! # The derivative of the inverse -/

namespace PostNorm
universe u v w
open RealField
open Lean.Grind (Semiring Field CommSemiring)

variable {R : Type u} [RealField R]

private theorem hasDerivAt_inv_pos {a : R} (ha : 0 < a) : HasDerivAt (fun t => t⁻¹) (-(a⁻¹ * a⁻¹)) a := by
  have hi := inv_pos ha
  have hii := mul_pos hi (mul_pos hi hi)
  refine HasDerivAt.of_quadratic (C := 2 * (a⁻¹ * (a⁻¹ * a⁻¹))) (δ := a/2) (by grind) (by grind) ?_
  intro r h h0 hr hb
  have hah : 0 < a + h := by grind
  have hb0 := inv_pos hah
  have hne : a ≠ 0 := by grind
  have hne' : a + h ≠ 0 := by grind
  have key : (a + h)⁻¹ - a⁻¹ - -(a⁻¹ * a⁻¹) * h = (h * h) * ((a⁻¹ * a⁻¹) * (a + h)⁻¹) := by grind
  -- (a+h)⁻¹ ≤ 2 a⁻¹
  have k1 : (a + h)⁻¹ ≤ 2 * a⁻¹ := by
    have t1 := mul_nonneg (show 0 ≤ a⁻¹ * (a + h)⁻¹ from mul_nonneg (by grind) (by grind))
      (show 0 ≤ 2 * (a + h) - a by grind)
    have t2 : a⁻¹ * (a + h)⁻¹ * (2 * (a + h) - a) = 2 * a⁻¹ - (a + h)⁻¹ := by grind
    grind
  have k2 := Within.mul hb hb
  have k3 : Within (2 * (a⁻¹ * (a⁻¹ * a⁻¹))) ((a⁻¹ * a⁻¹) * (a + h)⁻¹) := by
    have t1 := mul_nonneg (mul_nonneg (show 0 ≤ a⁻¹ by grind) (show 0 ≤ a⁻¹ by grind))
      (show 0 ≤ (a + h)⁻¹ by grind)
    have t2 := mul_le_mul_left (mul_nonneg (show 0 ≤ a⁻¹ by grind) (show 0 ≤ a⁻¹ by grind)) k1
    grind
  have k4 := k2.mul k3
  show Within _ ((a + h)⁻¹ - a⁻¹ - -(a⁻¹ * a⁻¹) * h)
  rw [key]
  have e : (r * r) * (2 * (a⁻¹ * (a⁻¹ * a⁻¹))) = 2 * (a⁻¹ * (a⁻¹ * a⁻¹)) * (r * r) := by grind
  rw [← e]; exact k4

/-- The derivative of `t⁻¹` at `a ≠ 0` is `-a⁻²`. -/
theorem hasDerivAt_inv {a : R} (ha : a ≠ 0) : HasDerivAt (fun t => t⁻¹) (-(a⁻¹ * a⁻¹)) a := by
  by_cases h : 0 < a
  · exact hasDerivAt_inv_pos h
  · have hn : 0 < -a := by grind
    intro ε hε
    obtain ⟨δ, h1, h2⟩ := hasDerivAt_inv_pos hn ε hε
    refine ⟨δ, h1, fun r h0 hr h hb => ?_⟩
    have e := (h2 r h0 hr (-h) hb.neg).neg
    clear h2
    have i0 : -a + -h = -(a + h) := by grind
    have i1 : (-a + -h)⁻¹ = -(a + h)⁻¹ := by rw [i0, inv_neg]
    simp only [i1, inv_neg] at e
    grind

end PostNorm
