import PostNorm.Calculus.Exp
import PostNorm.Calculus.Integral
import PostNorm.Calculus.Monotone

/-! # The standard normal distribution

Its distribution function is the area under the bell curve `exp (-x² / 2)`, divided by the whole area: its value in
terms of `π` is not needed.

## Main definitions

* `normalPdf`, `normalCdf`: density and distribution function.

## Main statements

* `hasDerivAt_normalCdf`, `normalCdf_zero`, `normalCdf_neg`, `normalCdf_strictMono`.
* `normalCdf_pos`, `normalCdf_lt_one`, `exists_normalCdf_gt`: the limits are zero and one.
* `normalCdf_unique`: this determines it. -/

namespace PostNorm
universe u
open RealField

variable {R : Type u} [RealField R] {x y ε : R}

theorem exp_le_exp (h : x ≤ y) : exp x ≤ exp y := by
  have e : exp y = exp x * exp (y - x) := by rw [← exp_add]; congr 1; grind
  have h1 := one_add_le_exp (y - x)
  have h2 := mul_nonneg (show 0 ≤ exp x by have := exp_pos x; grind) (show 0 ≤ exp (y - x) - 1 by grind)
  grind

/-- The bell curve `exp (-x² / 2)`. -/
def bell (x : R) : R := exp (-(x * x) / 2)

theorem bell_pos (x : R) : 0 < bell x := exp_pos _

theorem bell_le_one (x : R) : bell x ≤ 1 := by
  have h := mul_self_nonneg x
  have := exp_le_exp (show -(x * x) / 2 ≤ 0 by grind)
  rwa [exp_zero] at this

theorem bell_neg (x : R) : bell (-x) = bell x := by
  unfold bell; congr 1; grind

theorem locallyBounded_bell : LocallyBounded (bell : R → R) := fun _ _ => ⟨1, fun t _ _ => by
  have := bell_pos t; have := bell_le_one t; grind⟩

theorem hasDerivAt_bell (x : R) : HasDerivAt bell (-x * bell x) x := by
  have h : HasDerivAt (fun t : R => -1 / 2 * (t * t)) (-1 / 2 * (2 * x)) x := (hasDerivAt_sq x).const_mul (-1 / 2)
  refine (HasDerivAt.comp (hasDerivAt_exp _) h).of_eq (fun t => ?_) ?_
  · rw [bell]; congr 1; grind
  · rw [bell, show -(x * x) / 2 = -1 / 2 * (x * x) by grind]; grind

/-- The area under the bell curve from zero to `x`. -/
def bellArea (x : R) : R := antideriv bell x

theorem hasDerivAt_bellArea (x : R) : HasDerivAt bellArea (bell x) x :=
  hasDerivAt_antideriv locallyBounded_bell (hasDerivAt_bell x).continuousAt

theorem bellArea_zero : bellArea (0 : R) = 0 := antideriv_zero locallyBounded_bell

theorem bellArea_neg (x : R) : bellArea (-x) = -bellArea x := by
  have hneg : ∀ y : R, HasDerivAt (fun t => -1 * bellArea (-1 * t)) (bell y) y := fun y =>
    (((hasDerivAt_bellArea (-1 * y)).comp (hasDerivAt_const_mul (-1) y)).const_mul (-1)).of_eq (fun _ => rfl) (by
      have := bell_neg y
      rw [show -1 * y = -y by grind]
      grind)
  have e := sub_eq_sub_of_deriv_eq hasDerivAt_bellArea hneg 0 x
  have h0 := bellArea_zero (R := R)
  rw [show -1 * (0 : R) = 0 by grind, show -1 * x = -x by grind] at e
  clear hneg
  grind

theorem bellArea_strictMono (h : x < y) : bellArea x < bellArea y := by
  have e := antideriv_sub (locallyBounded_bell (R := R)) (show x ≤ y by grind)
  have hp := exp_pos (-(x * x + y * y) / 2)
  have e1 := le_integral (locallyBounded_bell (R := R)) (show x ≤ y by grind) (m := exp (-(x * x + y * y) / 2))
    fun t h1 h2 => exp_le_exp (by
      have h3 := mul_self_nonneg x
      have h4 := mul_self_nonneg y
      by_cases h0 : 0 ≤ t
      · have := mul_nonneg h0 (show 0 ≤ y - t by grind)
        have := mul_nonneg (show 0 ≤ y by grind) (show 0 ≤ y - t by grind)
        grind
      · have := mul_nonneg (show 0 ≤ -t by grind) (show 0 ≤ t - x by grind)
        have := mul_nonneg (show 0 ≤ -x by grind) (show 0 ≤ t - x by grind)
        grind)
  have e2 := mul_pos hp (show 0 < y - x by grind)
  unfold bellArea
  grind

/-- The bell curve lies below `exp (1/2 - x)`, so its area is bounded. -/
theorem bellArea_le (x : R) : bellArea x ≤ exp (1 / 2) := by
  have h0 := bellArea_zero (R := R)
  have hp := exp_pos (1 / 2 : R)
  by_cases hx : 0 ≤ x
  · have hg : ∀ y : R, HasDerivAt (fun t => -1 * exp (-1 * t + 1 / 2)) (exp (1 / 2 - y)) y := fun y => by
      have h : HasDerivAt (fun t : R => -1 * t + 1 / 2) (-1 + 0) y :=
        (hasDerivAt_const_mul (-1) y).add (HasDerivAt.const (1 / 2) y)
      refine ((HasDerivAt.comp (hasDerivAt_exp _) h).const_mul (-1)).of_eq (fun _ => rfl) ?_
      rw [show 1 / 2 - y = -1 * y + 1 / 2 by grind]; grind
    have e := sub_le_sub_of_deriv_le hasDerivAt_bellArea hg (a := 0) (b := x) (fun y _ _ => exp_le_exp (by
      have := mul_self_nonneg (y - 1)
      grind)) hx
    have h1 := exp_pos (-1 * x + 1 / 2)
    rw [show -1 * (0 : R) + 1 / 2 = 1 / 2 by grind] at e
    clear hg
    grind
  · have := bellArea_strictMono (show x < 0 by grind)
    grind

/-- Half the area under the bell curve. -/
def bellHalf : R := CompleteOrderedField.sup fun s => ∃ x, s = bellArea (x : R)

theorem isLUB_bellHalf : IsLUB (fun s => ∃ x, s = bellArea (x : R)) (bellHalf : R) :=
  CompleteOrderedField.isLUB_sup ⟨_, 0, rfl⟩ ⟨_, by rintro _ ⟨x, rfl⟩; exact bellArea_le x⟩

theorem bellArea_lt (x : R) : bellArea x < bellHalf := by
  have h1 := (isLUB_bellHalf (R := R)).1 _ ⟨x + 1, rfl⟩
  have h2 := bellArea_strictMono (show x < x + 1 by grind)
  grind

theorem bellHalf_pos : 0 < (bellHalf : R) := by
  have h1 := bellArea_lt (0 : R)
  rwa [bellArea_zero] at h1

/-- The distribution function of the standard normal distribution. -/
def normalCdf (x : R) : R := 1 / 2 + (2 * bellHalf)⁻¹ * bellArea x

/-- The density of the standard normal distribution. -/
def normalPdf (x : R) : R := (2 * bellHalf)⁻¹ * bell x

theorem hasDerivAt_normalCdf (x : R) : HasDerivAt normalCdf (normalPdf x) x :=
  ((HasDerivAt.const (1 / 2) x).add ((hasDerivAt_bellArea x).const_mul (2 * bellHalf)⁻¹)).of_eq (fun _ => rfl) (by
    rw [normalPdf]; grind)

theorem normalCdf_zero : normalCdf (0 : R) = 1 / 2 := by
  have := bellArea_zero (R := R)
  rw [normalCdf]; grind

theorem normalCdf_neg (x : R) : normalCdf (-x) = 1 - normalCdf x := by
  have := bellArea_neg x
  unfold normalCdf; grind

theorem normalCdf_strictMono (h : x < y) : normalCdf x < normalCdf y := by
  have h1 := inv_pos (show 0 < 2 * (bellHalf : R) by have := bellHalf_pos (R := R); grind)
  have h2 := bellArea_strictMono h
  have h3 := mul_pos h1 (show 0 < bellArea y - bellArea x by grind)
  unfold normalCdf; grind

theorem normalCdf_lt_one (x : R) : normalCdf x < 1 := by
  have h0 := bellHalf_pos (R := R)
  have h1 := inv_pos (show 0 < 2 * (bellHalf : R) by grind)
  have h2 := bellArea_lt x
  have h3 := mul_pos h1 (show 0 < bellHalf - bellArea x by grind)
  have h4 : (2 * bellHalf)⁻¹ * (bellHalf : R) = 1 / 2 := by grind
  unfold normalCdf; grind

theorem normalCdf_pos (x : R) : 0 < normalCdf x := by
  have h1 := normalCdf_lt_one (-x)
  have h2 := normalCdf_neg x
  grind

/-- The distribution function comes arbitrarily close to one; with `normalCdf_neg`, to zero at the other end. -/
theorem exists_normalCdf_gt (hε : 0 < ε) : ∃ N : R, ∀ x, N ≤ x → 1 - ε < normalCdf x := by
  have h0 := bellHalf_pos (R := R)
  have h1 := inv_pos (show 0 < 2 * (bellHalf : R) by grind)
  have h2 := mul_pos hε h0
  have hN : ∃ N : R, bellHalf - ε * bellHalf < bellArea N := by
    refine Classical.byContradiction fun hc => ?_
    have := (isLUB_bellHalf (R := R)).2 (bellHalf - ε * bellHalf) (by
      rintro _ ⟨x, rfl⟩
      refine Classical.byContradiction fun h => hc ⟨x, by clear hc; grind⟩)
    clear hc
    grind
  obtain ⟨N, hN⟩ := hN
  refine ⟨N, fun x hx => ?_⟩
  have h3 : bellArea N ≤ bellArea x := by
    by_cases e : N = x
    · subst e; grind
    · have := bellArea_strictMono (show N < x by grind); grind
  have h4 := mul_pos h1 (show 0 < bellArea x - (bellHalf - ε * bellHalf) by grind)
  have h5 : (2 * bellHalf)⁻¹ * (bellHalf : R) = 1 / 2 := by grind
  unfold normalCdf
  generalize bellArea x = A at *
  generalize (bellHalf : R) = H at *
  generalize (2 * H)⁻¹ = k at *
  have h6 : k * (A - (H - ε * H)) = k * A - k * H + ε * (k * H) := by grind
  rw [h6, h5] at h4
  grind

/-- Nothing else is a distribution function with a multiple of the bell curve as its density. -/
theorem normalCdf_unique {G : R → R} {c : R} (hG : ∀ x, HasDerivAt G (c * bell x) x)
    (hOne : ∀ ε, 0 < ε → ∃ N, ∀ x, N ≤ x → Within ε (G x - 1))
    (hZero : ∀ ε, 0 < ε → ∃ N, ∀ x, x ≤ N → Within ε (G x)) (x : R) : G x = normalCdf x := by
  have h0 := bellHalf_pos (R := R)
  obtain ⟨C, hC⟩ : ∃ C : R, c = C * (2 * bellHalf)⁻¹ := ⟨c * (2 * bellHalf), by
    have : 2 * (bellHalf : R) ≠ 0 := by grind
    grind⟩
  have hsub : ∀ a b, G b - G a = C * normalCdf b - C * normalCdf a := sub_eq_sub_of_deriv_eq
    (fun y => (hG y).of_eq (e := C * normalPdf y) (fun _ => rfl) (by rw [normalPdf, hC]; grind))
    fun y => (hasDerivAt_normalCdf y).const_mul C
  -- Far out on both sides all four values are known up to `ε`.
  have hfar : ∀ ε, 0 < ε → ∃ a b, Within ε (G b - 1) ∧ Within ε (G a) ∧ Within ε (normalCdf b - 1) ∧
      Within ε (normalCdf (a : R)) := fun ε hε => by
    obtain ⟨N, hN⟩ := exists_normalCdf_gt hε
    obtain ⟨N1, hN1⟩ := hOne ε hε
    obtain ⟨N0, hN0⟩ := hZero ε hε
    have e1 := hN1 (max N N1) (le_max_right _ _)
    have e2 := hN (max N N1) (le_max_left _ _)
    have e3 := normalCdf_lt_one (max N N1)
    have l1 := le_max_left N (-N0)
    have l2 := le_max_right N (-N0)
    have e4 := hN0 (-max N (-N0)) (by clear hN hN1 hN0 hsub hOne hZero hG; grind)
    have e5 := hN (max N (-N0)) l1
    have e6 := normalCdf_neg (max N (-N0))
    have e7 := normalCdf_pos (-max N (-N0))
    clear hN hN1 hN0 hsub hOne hZero hG
    exact ⟨_, _, e1, e4, by grind, by grind⟩
  clear hOne hZero hG
  have hC1 : 1 - C = 0 := eq_zero_of_within fun ε hε => by
    have hk := abs_nonneg C
    have hp : 0 < 2 * (1 + abs C) := by clear hsub hfar; grind
    have hq := div_pos hε hp
    obtain ⟨a, b, e1, e2, e3, e4⟩ := hfar _ hq
    have e := hsub a b
    have e5 := (Within.self_abs C).mul (e3.sub e4)
    have hr : ε / (2 * (1 + abs C)) * (2 * (1 + abs C)) = ε := by clear hsub hfar e1 e2 e3 e4 e5 e hq; grind
    clear hsub hfar
    generalize ε / (2 * (1 + abs C)) = q at *
    have e6 := (e1.sub e2).sub e5
    have e7 : G b - 1 - G a - C * (normalCdf b - 1 - normalCdf a) = -(1 - C) := by grind
    rw [e7] at e6
    have e8 := e6.neg.mono (show q + q + abs C * (q + q) ≤ ε by clear e1 e2 e3 e4 e5 e6 e7 e; grind)
    clear e1 e2 e3 e4 e5 e6 e7 e
    grind
  have hx : G x - normalCdf x = 0 := eq_zero_of_within fun ε hε => by
    obtain ⟨a, b, e1, e2, e3, e4⟩ := hfar (ε / 2) (by clear hsub hfar; grind)
    have e := hsub a x
    obtain rfl : C = 1 := by clear hsub hfar e; grind
    clear hsub hfar
    grind
  clear hsub hfar
  grind

end PostNorm
