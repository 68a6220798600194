import PostNorm.Calculus.OneVariable

/-! # The sign of the derivative

## Main statements

* `monotone_of_deriv_nonneg`: a function whose derivative is nowhere negative is monotone.
* `sub_eq_sub_of_deriv_eq`: an antiderivative is determined up to a constant. -/

namespace PostNorm
universe u

variable {R : Type u} [RealField R] {f g f' g' : R → R} {a b d x : R}

/-- A function with derivative `d ≥ 0` hardly decreases nearby. -/
theorem HasDerivAt.almost_monotone {ε : R} (h : HasDerivAt f d x) (hd : 0 ≤ d) (hε : 0 < ε) :
    ∃ δ : R, 0 < δ ∧ ∀ t, 0 ≤ t → t ≤ δ → f x ≤ f (x + t) + ε * t ∧ f (x - t) ≤ f x + ε * t := by
  obtain ⟨δ, hδ, h1⟩ := h ε hε
  refine ⟨δ, hδ, fun t h0 ht => ?_⟩
  have e1 := h1 t h0 ht t (by clear h1; grind)
  have e2 := h1 t h0 ht (-t) (by clear h1; grind)
  have e3 := mul_nonneg hd h0
  rw [show x + -t = x - t by grind] at e2
  clear h1
  grind

/-- A function whose derivative is nowhere negative is monotone. -/
theorem monotone_of_deriv_nonneg (hf : ∀ x, a ≤ x → x ≤ b → HasDerivAt f (f' x) x)
    (h0 : ∀ x, a ≤ x → x ≤ b → 0 ≤ f' x) (hab : a ≤ b) : f a ≤ f b := by
  refine Classical.byContradiction fun hlt => ?_
  have hne : a ≠ b := fun e => hlt (by rw [e]; exact Std.le_refl _)
  have hpos : 0 < 2 * (b - a) := by clear hf h0; grind
  have hε : 0 < (f a - f b) / (2 * (b - a)) := div_pos (by clear hf h0; grind) hpos
  have hεb : (f a - f b) / (2 * (b - a)) * (b - a) = (f a - f b) / 2 := by clear hf h0; grind
  generalize (f a - f b) / (2 * (b - a)) = ε at hε hεb
  -- The last point at which `f x + ε (x - a)` is at least its value at `a`.
  obtain ⟨s, hs, hleast⟩ := CompleteOrderedField.exists_isLUB
    (fun x => a ≤ x ∧ x ≤ b ∧ f a ≤ f x + ε * (x - a)) ⟨a, by clear hf h0; grind⟩ ⟨b, fun x hx => hx.2.1⟩
  have has : a ≤ s := hs a (by clear hf h0 hs hleast; grind)
  have hsb : s ≤ b := hleast b fun x hx => hx.2.1
  obtain ⟨δ, hδ, hnear⟩ := (hf s has hsb).almost_monotone (h0 s has hsb) hε
  clear hf h0
  have hS : f a ≤ f s + ε * (s - a) := by
    refine Classical.byContradiction fun hc => ?_
    have := hleast (s - δ) fun x hx => by
      have h1 := hs x hx
      refine Classical.byContradiction fun hx1 => ?_
      have e := (hnear (s - x) (by clear hnear hs hleast; grind) (by clear hnear hs hleast; grind)).2
      rw [show s - (s - x) = x by grind] at e
      clear hnear hs hleast
      grind
    clear hnear hs hleast
    grind
  have hsb' : s < b := by
    by_cases e : s = b
    · subst e; clear hnear hs hleast; grind
    · clear hnear hs hleast; grind
  obtain ⟨t, ht, ht1, ht2⟩ := exists_pos_le_both hδ (show 0 < b - s by clear hnear hs hleast; grind)
  have e := (hnear t (by clear hnear hs hleast; grind) ht1).1
  have := hs (s + t) ⟨by clear hnear hs hleast; grind, by clear hnear hs hleast; grind, by
    clear hnear hs hleast; grind⟩
  clear hnear hs hleast
  grind

/-- Of two functions with equal values at `a`, the one with the larger derivative is larger afterwards. -/
theorem sub_le_sub_of_deriv_le (hf : ∀ x, HasDerivAt f (f' x) x) (hg : ∀ x, HasDerivAt g (g' x) x)
    (h : ∀ x, a ≤ x → x ≤ b → f' x ≤ g' x) (hab : a ≤ b) : f b - f a ≤ g b - g a := by
  have e := monotone_of_deriv_nonneg (f := fun x => g x + -1 * f x) (f' := fun x => g' x + -1 * f' x) (a := a) (b := b)
    (fun x _ _ => (hg x).add ((hf x).const_mul (-1)))
    (fun x h1 h2 => by have := h x h1 h2; clear h hf hg; grind) hab
  clear h hf hg
  grind

/-- An antiderivative is determined up to a constant. -/
theorem sub_eq_sub_of_deriv_eq (hf : ∀ x, HasDerivAt f (f' x) x) (hg : ∀ x, HasDerivAt g (f' x) x) (a b : R) :
    f b - f a = g b - g a := by
  have key : ∀ a b, a ≤ b → f b - f a = g b - g a := fun a b hab => by
    have e1 := sub_le_sub_of_deriv_le hf hg (fun _ _ _ => Std.le_refl _) hab
    have e2 := sub_le_sub_of_deriv_le hg hf (fun _ _ _ => Std.le_refl _) hab
    clear hf hg
    grind
  by_cases hab : a ≤ b
  · exact key a b hab
  · have := key b a (by clear key hf hg; grind)
    clear key hf hg
    grind

end PostNorm
