import PostNorm.Calculus.Defs

/-! # The derivative of the exponential function -/

namespace PostNorm
universe u v w
open RealField

variable {R : Type u} [RealField R]

/-- The exponential function is its own derivative. -/
theorem hasDerivAt_exp (a : R) : HasDerivAt exp (exp a) a := by
  intro ε hε
  have hp := exp_pos a
  have hq : 0 < ε / (2 * exp a) := div_pos hε (by grind)
  obtain ⟨d, hd, hd1, hd2⟩ := exists_pos_le_both (show (0:R) < 1/2 by grind) hq
  refine ⟨d, hd, fun r h0 hr h hb => ?_⟩
  have e := exp_bound (show r ≤ 1/2 by grind) hb
  have e1 := (Within.self_abs (exp a)).mul e
  have hpa : abs (exp a) = exp a := by grind [abs]
  have k := (le_div_iff (show 0 < 2 * exp a by grind)).1 (show r ≤ ε / (2 * exp a) by grind)
  have k2 := mul_nonneg h0 (show 0 ≤ ε - r * (2 * exp a) by grind)
  rw [exp_add]
  rw [hpa] at e1
  have e2 := e1.mono (show exp a * (2 * r * r) ≤ ε * r by grind)
  grind

end PostNorm
