import PostNorm.Calculus.Defs

/-! # Derivatives from quadratic error bounds

## Main statements

* `HasDerivAt.of_quadratic`: an error of at most `C r²` near the point.
* `hasDerivAt_sq`, `hasDerivAt_const_mul`: the square; multiples. -/

namespace PostNorm
universe u v w

variable {R : Type u} [RealField R]

/-- A quadratic error bound near the point gives a derivative. -/
theorem HasDerivAt.of_quadratic {φ : R → R} {d a C δ : R} (hC : 0 < C) (hδ : 0 < δ)
    (H : ∀ r h, 0 ≤ r → r ≤ δ → Within r h → Within (C * (r * r)) (φ (a + h) - φ a - d * h)) :
    HasDerivAt φ d a := by
  intro ε hε
  obtain ⟨δ', h1, h2, h3⟩ := exists_pos_le_both hδ (div_pos hε hC)
  refine ⟨δ', h1, fun r h0 hr h hb => (H r h h0 (by grind) hb).mono ?_⟩
  have k := (le_div_iff hC).1 (show r ≤ ε / C by grind)
  have k2 := mul_nonneg h0 (show 0 ≤ ε - r * C by grind)
  grind

theorem hasDerivAt_sq (a : R) : HasDerivAt (fun t => t * t) (2 * a) a := by
  refine HasDerivAt.of_quadratic (C := 1) (δ := 1) (by grind) (by grind) fun r h h0 _ hb => ?_
  have := hb.mul hb
  grind

theorem hasDerivAt_const_mul (c a : R) : HasDerivAt (fun t => c * t) c a := by
  refine HasDerivAt.of_quadratic (C := 1) (δ := 1) (by grind) (by grind) fun r h h0 _ hb => ?_
  have := mul_nonneg h0 h0
  grind

end PostNorm
