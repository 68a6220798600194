import PostNorm.Calculus.OneVariable

/-! # The integral, and the fundamental theorem

The integral of `f` from `a` to `b` is the largest increment `Φ b - Φ a` of a minorant: of a function `Φ` that on no
part of the interval grows faster than the upper bounds of `f` there allow.  No sums are needed: cutting and gluing
minorants shows that integrals over neighbouring intervals add up.

## Main definitions

* `IsMinorant`, `integral f a b`, for `a ≤ b`; `antideriv f`: the integral from zero.

## Main statements

* `le_integral`, `integral_le`, `integral_add`: the integral of a function that is bounded on every interval.
* `hasDerivAt_antideriv`: where `f` is continuous, it is the derivative of `antideriv f`. -/

namespace PostNorm
universe u

variable {R : Type u} [RealField R] {f Φ Ψ : R → R} {a b c x y m M : R}

/-- On `[a, b]` the function `Φ` grows no faster than the bounds of `f` allow. -/
def IsMinorant (f : R → R) (a b : R) (Φ : R → R) : Prop :=
  ∀ x y M, a ≤ x → x ≤ y → y ≤ b → (∀ t, x ≤ t → t ≤ y → f t ≤ M) → Φ y - Φ x ≤ M * (y - x)

/-- Minorants of neighbouring intervals can be glued. -/
theorem IsMinorant.glue (hΦ : IsMinorant f a b Φ) (hΨ : IsMinorant f b c Ψ) :
    IsMinorant f a c fun x => if x ≤ b then Φ x - Φ b else Ψ x - Ψ b := by
  intro x y M hx hxy hy hM
  by_cases hyb : y ≤ b
  · have := hΦ x y M hx hxy hyb hM
    simp only [if_pos hyb, if_pos (Std.le_trans hxy hyb)]
    grind
  · by_cases hxb : x ≤ b
    · have h1 := hΦ x b M hx hxb (by grind) fun t h h' => hM t h (by clear hM; grind)
      have h2 := hΨ b y M (by grind) (by grind) hy fun t h h' => hM t (by clear hM; grind) h'
      simp only [if_neg hyb, if_pos hxb]
      clear hΦ hΨ hM
      grind
    · have := hΨ x y M (by grind) hxy hy hM
      simp only [if_neg hyb, if_neg hxb]
      clear hΦ hΨ hM
      grind

/-- The integral of `f` from `a` to `b`, for `a ≤ b`: the largest increment of a minorant. -/
def integral (f : R → R) (a b : R) : R := CompleteOrderedField.sup fun s => ∃ Φ, IsMinorant f a b Φ ∧ s = Φ b - Φ a

/-- The function `f` is bounded on every interval. -/
def LocallyBounded (f : R → R) : Prop := ∀ a b, ∃ C, ∀ t, a ≤ t → t ≤ b → Within C (f t)

theorem isMinorant_const_mul (h : ∀ t, a ≤ t → t ≤ b → m ≤ f t) : IsMinorant f a b fun x => m * x := by
  intro x y M hx hxy hy hM
  have h1 := h x hx (by clear h hM; grind)
  have h2 := hM x (by clear h hM; grind) hxy
  clear h hM
  have := mul_nonneg (show 0 ≤ M - m by grind) (show 0 ≤ y - x by grind)
  grind

theorem isLUB_integral (hf : LocallyBounded f) (hab : a ≤ b) :
    IsLUB (fun s => ∃ Φ, IsMinorant f a b Φ ∧ s = Φ b - Φ a) (integral f a b) := by
  obtain ⟨C, hC⟩ := hf a b
  refine CompleteOrderedField.isLUB_sup ⟨_, _, isMinorant_const_mul fun t h h' => (hC t h h').1, rfl⟩ ⟨C * (b - a), ?_⟩
  rintro _ ⟨Φ, hΦ, rfl⟩
  exact hΦ a b C (by grind) hab (by grind) fun t h h' => (hC t h h').2

/-- The integral is at most what the bound of `f` allows. -/
theorem integral_le (hf : LocallyBounded f) (hab : a ≤ b) (h : ∀ t, a ≤ t → t ≤ b → f t ≤ M) :
    integral f a b ≤ M * (b - a) := by
  refine (isLUB_integral hf hab).2 _ ?_
  rintro _ ⟨Φ, hΦ, rfl⟩
  exact hΦ a b M (by grind) hab (by grind) h

theorem le_integral (hf : LocallyBounded f) (hab : a ≤ b) (h : ∀ t, a ≤ t → t ≤ b → m ≤ f t) :
    m * (b - a) ≤ integral f a b := by
  have := (isLUB_integral hf hab).1 _ ⟨_, isMinorant_const_mul h, rfl⟩
  clear h
  grind

/-- The integral over neighbouring intervals. -/
theorem integral_add (hf : LocallyBounded f) (hab : a ≤ b) (hbc : b ≤ c) :
    integral f a b + integral f b c = integral f a c := by
  have h1 := isLUB_integral hf hab
  have h2 := isLUB_integral hf hbc
  have h3 := isLUB_integral hf (Std.le_trans hab hbc)
  have hle : integral f a c ≤ integral f a b + integral f b c := by
    refine h3.2 _ ?_
    rintro _ ⟨Φ, hΦ, rfl⟩
    have e1 := h1.1 _ ⟨Φ, fun x y M hx hxy hy => hΦ x y M hx hxy (by grind), rfl⟩
    have e2 := h2.1 _ ⟨Φ, fun x y M hx hxy hy => hΦ x y M (by grind) hxy hy, rfl⟩
    clear h1 h2 h3 hΦ
    grind
  have hge : integral f b c ≤ integral f a c - integral f a b := by
    refine h2.2 _ ?_
    rintro _ ⟨Ψ, hΨ, rfl⟩
    have : integral f a b ≤ integral f a c - (Ψ c - Ψ b) := by
      refine h1.2 _ ?_
      rintro _ ⟨Φ, hΦ, rfl⟩
      have e := h3.1 _ ⟨_, hΦ.glue hΨ, rfl⟩
      simp only [if_pos hab] at e
      clear h1 h2 h3 hΦ hΨ
      by_cases hcb : c ≤ b
      · have : c = b := by grind
        subst this
        simp only [if_pos hcb] at e
        grind
      · simp only [if_neg hcb] at e
        grind
    clear h1 h2 h3 hΨ
    grind
  clear h1 h2 h3
  grind

/-- The antiderivative of `f` that is zero at zero. -/
def antideriv (f : R → R) (x : R) : R := if 0 ≤ x then integral f 0 x else -integral f x 0

theorem antideriv_sub (hf : LocallyBounded f) (hxy : x ≤ y) : antideriv f y - antideriv f x = integral f x y := by
  unfold antideriv
  by_cases hx : 0 ≤ x
  · have := integral_add hf hx hxy
    rw [if_pos hx, if_pos (Std.le_trans hx hxy)]
    grind
  · by_cases hy : 0 ≤ y
    · have := integral_add hf (show x ≤ 0 by grind) hy
      rw [if_neg hx, if_pos hy]
      grind
    · have := integral_add hf hxy (show y ≤ 0 by grind)
      rw [if_neg hx, if_neg hy]
      grind

theorem antideriv_zero (hf : LocallyBounded f) : antideriv f 0 = 0 := by
  have h : (0:R) ≤ 0 := by grind
  have := integral_add hf h h
  rw [antideriv, if_pos h]
  grind

/-- **The fundamental theorem**: where `f` is continuous, it is the derivative of its antiderivative. -/
theorem hasDerivAt_antideriv (hf : LocallyBounded f) (hx : ContinuousAt f x) :
    HasDerivAt (antideriv f) (f x) x := by
  intro ε hε
  obtain ⟨δ, hδ, hc⟩ := hx ε hε
  refine ⟨δ, hδ, fun r h0 hr h hb => ?_⟩
  have key : ∀ t, Within δ (t - x) → f x - ε ≤ f t ∧ f t ≤ f x + ε := fun t ht => by
    have e := hc _ ht
    rw [show x + (t - x) = t by grind] at e
    clear hc
    grind
  clear hc
  by_cases hh : 0 ≤ h
  · have hxy : x ≤ x + h := by clear key; grind
    have e := antideriv_sub hf hxy
    have e1 := integral_le hf hxy fun t h1 h2 => (key t (by clear key; grind)).2
    have e2 := le_integral hf hxy fun t h1 h2 => (key t (by clear key; grind)).1
    clear key
    have e3 := mul_nonneg (show 0 ≤ ε by grind) (show 0 ≤ r - h by grind)
    grind
  · have hxy : x + h ≤ x := by clear key; grind
    have e := antideriv_sub hf hxy
    have e1 := integral_le hf hxy fun t h1 h2 => (key t (by clear key; grind)).2
    have e2 := le_integral hf hxy fun t h1 h2 => (key t (by clear key; grind)).1
    clear key
    have e3 := mul_nonneg (show 0 ≤ ε by grind) (show 0 ≤ r + h by grind)
    grind

end PostNorm
