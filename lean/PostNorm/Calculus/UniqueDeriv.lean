import PostNorm.Calculus.Defs

/-! # The derivative of a function of one number is unique

## Main statements

* `HasDerivAt.unique`. -/

namespace PostNorm
universe u
open RealField
variable {R : Type u} [RealField R]

/-- The derivative of a function of one number is unique. -/
theorem HasDerivAt.unique {f : R → R} {d e x : R} (hd : HasDerivAt f d x) (he : HasDerivAt f e x) : d = e := by
  have key : ∀ ε : R, 0 < ε → Within ε (d - e) := by
    intro ε hε
    obtain ⟨δ1, hδ1, h1⟩ := hd (ε / 2) (by grind)
    obtain ⟨δ2, hδ2, h2⟩ := he (ε / 2) (by grind)
    obtain ⟨r, hr, hr1, hr2⟩ := exists_pos_le_both hδ1 hδ2
    have hw : Within r r := by clear h1 h2; grind
    have e1 := h1 r (by clear h1 h2; grind) hr1 r hw
    have e2 := h2 r (by clear h1 h2; grind) hr2 r hw
    have s := e2.sub e1
    clear h1 h2 hd he e1 e2
    have hi := inv_pos hr
    have k1 : ε / 2 * r + ε / 2 * r = ε * r := by grind
    have k2 : f (x + r) - f x - e * r - (f (x + r) - f x - d * r) = (d - e) * r := by grind
    rw [k1, k2] at s
    have k3 := s.mul (show Within r⁻¹ r⁻¹ by grind)
    have k4 : ε * r * r⁻¹ = ε := by grind
    have k5 : (d - e) * r * r⁻¹ = d - e := by grind
    rwa [k4, k5] at k3
  have := eq_zero_of_within key
  clear key
  grind

end PostNorm
