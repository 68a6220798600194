import PostNorm.Calculus.Integral

/-! # Continuous functions are bounded on intervals, and have antiderivatives

## Main statements

* `locallyBounded_of_continuousAt`, `exists_hasDerivAt`. -/

namespace PostNorm
universe u
open RealField CompleteOrderedField

variable {R : Type u} [RealField R] {f : R → R}

/-- A continuous function is bounded on every interval. -/
theorem locallyBounded_of_continuousAt (hf : ∀ x, ContinuousAt f x) : LocallyBounded f := by
  intro a b
  by_cases hab : a ≤ b
  · -- The last point up to which `f` is bounded.
    obtain ⟨s, hs, hleast⟩ := exists_isLUB
      (fun x => a ≤ x ∧ x ≤ b ∧ ∃ C, ∀ t, a ≤ t → t ≤ x → Within C (f t))
      ⟨a, Std.le_refl _, hab, abs (f a), fun t h h' => by
        obtain rfl : t = a := Std.le_antisymm h' h
        exact Within.self_abs _⟩ ⟨b, fun x hx => hx.2.1⟩
    have hsb : s ≤ b := hleast b fun x hx => hx.2.1
    obtain ⟨δ, hδ, hc⟩ := hf s 1 (by clear hf hs hleast; grind)
    clear hf
    obtain ⟨x, hx, hxs⟩ : ∃ x, (a ≤ x ∧ x ≤ b ∧ ∃ C, ∀ t, a ≤ t → t ≤ x → Within C (f t)) ∧ s - δ < x := by
      refine Classical.byContradiction fun hno => ?_
      have := hleast (s - δ) fun x hx => Classical.byContradiction fun h => hno ⟨x, hx, by
        clear hno hs hleast hc hx; grind⟩
      clear hno hs hleast hc
      grind
    have hxs' := hs x hx
    obtain ⟨hax, -, C, hC⟩ := hx
    have hC0 := (hC a (Std.le_refl _) hax).nonneg
    have hfs := abs_nonneg (f s)
    have key : ∀ t, a ≤ t → t ≤ s + δ → Within (C + (abs (f s) + 1)) (f t) := fun t h h' => by
      by_cases htx : t ≤ x
      · exact (hC t h htx).mono (by clear hs hleast hC hc; grind)
      · have e := (hc (t - s) (by clear hs hleast hC hc; grind)).add (Within.self_abs (f s))
        rw [show s + (t - s) = t by grind] at e
        clear hs hleast hC hc
        grind
    clear hc hC hleast
    by_cases hbs : b ≤ s + δ
    · exact ⟨_, fun t h h' => key t h (Std.le_trans h' hbs)⟩
    · have := hs (s + δ) ⟨by clear key hs; grind, by clear key hs; grind, _, key⟩
      clear key hs
      grind
  · exact ⟨0, fun t h h' => absurd (Std.le_trans h h') hab⟩

/-- Every continuous function has an antiderivative. -/
theorem exists_hasDerivAt (hf : ∀ x, ContinuousAt f x) : ∃ F, ∀ x, HasDerivAt F (f x) x :=
  ⟨antideriv f, fun x => hasDerivAt_antideriv (locallyBounded_of_continuousAt hf) (hf x)⟩

end PostNorm
