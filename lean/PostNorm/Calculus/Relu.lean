import PostNorm.Calculus.Defs

/-! # The derivative of the positive part -/

namespace PostNorm
universe u
open RealField

variable {R : Type u} [RealField R]

/-- Away from zero the positive part has the derivative one or zero. -/
theorem hasDerivAt_max_zero {x : R} (hx : x ≠ 0) :
    HasDerivAt (fun x => max x 0) (if 0 < x then 1 else 0) x := by
  intro ε hε
  have ha : 0 < abs x := by grind [abs]
  refine ⟨abs x / 2, by grind, fun r h0 hr h hb => ?_⟩
  have hεr := mul_nonneg (show 0 ≤ ε by grind) h0
  show Within (ε * r) (max (x + h) 0 - max x 0 - (if 0 < x then 1 else 0) * h)
  by_cases hp : 0 < x
  · rw [max_eq_left (show 0 ≤ x + h by grind [abs]), max_eq_left (show 0 ≤ x by grind), if_pos hp]
    grind
  · rw [max_eq_right (show x + h ≤ 0 by grind [abs]), max_eq_right (show x ≤ 0 by grind), if_neg hp]
    grind

end PostNorm
