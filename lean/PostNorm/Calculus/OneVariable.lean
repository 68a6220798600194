import PostNorm.Calculus.Mul

/-! # Rules for functions of one number

## Main statements

* `HasDerivAt.const`, `HasDerivAt.add`, `HasDerivAt.const_mul`, `HasDerivAt.mul`, `HasDerivAt.comp`: from the rules
  for functions on coordinate spaces.
* `HasDerivAt.continuousAt`: a function with a derivative is continuous. -/

namespace PostNorm
universe u

variable {R : Type u} [RealField R] {f g : R → R} {d x : R}

theorem HasDerivAt.const (c x : R) : HasDerivAt (fun _ => c) 0 x :=
  HasScalarFDerivAt.hasDerivAt ((HasScalarFDerivAt.const c).congr fun v => by grind)

theorem HasDerivAt.comp {e : R} (hf : HasDerivAt f d (g x)) (hg : HasDerivAt g e x) :
    HasDerivAt (fun t => f (g t)) (d * e) x :=
  ((HasScalarFDerivAt.comp hf hg.hasScalarFDerivAt).congr fun v => by grind).hasDerivAt

theorem HasDerivAt.add {e : R} (hf : HasDerivAt f d x) (hg : HasDerivAt g e x) :
    HasDerivAt (fun t => f t + g t) (d + e) x :=
  ((hf.hasScalarFDerivAt.add hg.hasScalarFDerivAt).congr fun v => by grind).hasDerivAt

theorem HasDerivAt.const_mul (c : R) (hf : HasDerivAt f d x) : HasDerivAt (fun t => c * f t) (c * d) x :=
  (hasDerivAt_const_mul c (f x)).comp hf

theorem HasDerivAt.mul {e : R} (hf : HasDerivAt f d x) (hg : HasDerivAt g e x) :
    HasDerivAt (fun t => f t * g t) (d * g x + f x * e) x :=
  ((hf.hasScalarFDerivAt.mul hg.hasScalarFDerivAt).congr fun v => by grind).hasDerivAt

theorem HasDerivAt.of_eq {e : R} (hf : HasDerivAt f d x) (h : ∀ t, g t = f t) (hde : e = d) :
    HasDerivAt g e x := by
  obtain rfl : g = f := funext h
  exact hde ▸ hf

/-- A function that agrees with a differentiable one near a point has the same derivative there. -/
theorem HasDerivAt.of_near {δ e : R} (hf : HasDerivAt f d x) (hδ : 0 < δ) (h : ∀ t, Within δ t → g (x + t) = f (x + t))
    (hde : e = d) : HasDerivAt g e x := by
  intro ε hε
  obtain ⟨δ', hδ', h1⟩ := hf ε hε
  obtain ⟨r, hr, hr1, hr2⟩ := exists_pos_le_both hδ' hδ
  refine ⟨r, hr, fun s h0 hs t ht => ?_⟩
  have e0 := h 0 (Within.zero (Std.le_of_lt hδ))
  rw [show x + 0 = x by grind] at e0
  rw [h t (ht.mono (Std.le_trans hs hr2)), e0, hde]
  exact h1 s h0 (Std.le_trans hs hr1) t ht

/-- The function `f` is continuous at `x`. -/
def ContinuousAt (f : R → R) (x : R) : Prop :=
  ∀ ε : R, 0 < ε → ∃ δ : R, 0 < δ ∧ ∀ h, Within δ h → Within ε (f (x + h) - f x)

theorem HasDerivAt.continuousAt {d : R} (h : HasDerivAt f d x) : ContinuousAt f x := by
  intro ε hε
  obtain ⟨δ, hδ, h1⟩ := h 1 (by grind)
  have hd := abs_nonneg d
  have hp : 0 < 1 + abs d := by grind
  obtain ⟨r, hr, hr1, hr2⟩ := exists_pos_le_both hδ (div_pos hε hp)
  refine ⟨r, hr, fun t ht => ?_⟩
  have e1 := h1 r (by clear h1; grind) hr1 t ht
  have e2 := (Within.self_abs d).mul ht
  have e3 := (le_div_iff hp).1 hr2
  have e4 := e1.add e2
  clear h1
  have e5 := e4.mono (show 1 * r + abs d * r ≤ ε by grind)
  grind

end PostNorm
