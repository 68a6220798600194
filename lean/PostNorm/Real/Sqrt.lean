import PostNorm.Real.Complete

/-! # Square roots of real numbers

The square root of `x ≥ 0` is the least upper bound of the numbers whose square is at most `x`.

## Main definitions

* `Real.sqrt x`: the square root of `x`, and zero where `x` is negative.

## Main statements

* `Real.sqrt_nonneg`, `Real.mul_self_sqrt`: the laws of a square root.
* `Real.eq_sqrt`: there is only one. -/

namespace PostNorm.Real
open Lean.Grind

variable {x y s : Real}

/-- A number whose square is too small can be enlarged. -/
theorem exists_gt_mul_self_le (hs : 0 ≤ s) (h : s * s < x) : ∃ t, s < t ∧ t * t ≤ x := by
  obtain ⟨D, rfl⟩ : ∃ D, x = s * s + D := ⟨x - s * s, by grind⟩
  have hpos : 0 < 2 * s + 1 + D := by grind
  -- The step `d = D / (2 s + 1 + D)` is at most one, and `d (2 s + 1)` is at most `D`.
  obtain ⟨d, hd⟩ : ∃ d, d * (2 * s + 1 + D) = D :=
    ⟨D * (2 * s + 1 + D)⁻¹, by grind [Field.mul_inv_cancel (α := Real)]⟩
  have hd0 : 0 < d := by
    have := OrderedRing.mul_pos_iff (a := d) (b := 2 * s + 1 + D)
    grind
  have h1 : d ≤ 1 := Classical.byContradiction fun hlt => by
    have := OrderedRing.mul_pos (show 0 < d - 1 by grind) hpos
    grind
  have h2 := OrderedRing.mul_nonneg (show 0 ≤ d by grind) (show 0 ≤ 1 - d by grind)
  have h3 := OrderedRing.mul_pos hd0 (show 0 < D by grind)
  exact ⟨s + d, by grind, by grind⟩

/-- A number whose square is too large can be made smaller. -/
theorem exists_lt_le_mul_self (hx : 0 ≤ x) (hs : 0 ≤ s) (h : x < s * s) :
    ∃ t, 0 ≤ t ∧ t < s ∧ x ≤ t * t := by
  have hs0 : 0 < s := by
    have : s ≠ 0 := fun h0 => by rw [h0] at h; grind
    grind
  -- The step `d = (s² - x) / (2 s)` is at most `s / 2`.
  obtain ⟨d, hd⟩ : ∃ d, d * (2 * s) = s * s - x :=
    ⟨(s * s - x) * (2 * s)⁻¹, by grind [Field.mul_inv_cancel (α := Real)]⟩
  have hd0 : 0 < d := by
    have := OrderedRing.mul_pos_iff (a := d) (b := 2 * s)
    grind
  have h1 : 2 * d ≤ s := Classical.byContradiction fun hlt => by
    have := OrderedRing.mul_pos (show 0 < 2 * d - s by grind) hs0
    grind
  have h2 := OrderedRing.mul_pos hd0 hd0
  exact ⟨s - d, by grind, by grind, by grind⟩

theorem le_of_mul_self_le (hy : 0 ≤ y) (h : x * x ≤ y * y) : x ≤ y := by
  refine Classical.byContradiction fun hlt => ?_
  have := OrderedRing.mul_pos (show 0 < x - y by grind) (show 0 < x + y by grind)
  grind

/-- Every non-negative real number has a square root. -/
theorem exists_sqrt (hx : 0 ≤ x) : ∃ s : Real, 0 ≤ s ∧ s * s = x := by
  have h0 : (0 : Real) * 0 ≤ x := by grind
  have hbdd : IsUpperBound (fun t => t * t ≤ x) (x + 1) := fun t (ht : t * t ≤ x) =>
    le_of_mul_self_le (by grind) (by
      have := OrderedRing.mul_nonneg hx hx
      grind)
  obtain ⟨s, hub, hleast⟩ := exists_isLUB (fun t => t * t ≤ x) ⟨0, h0⟩ ⟨_, hbdd⟩
  have hs : 0 ≤ s := hub 0 h0
  refine ⟨s, hs, Classical.byContradiction fun hne => ?_⟩
  by_cases hlt : s * s < x
  · obtain ⟨t, hst, ht⟩ := exists_gt_mul_self_le hs hlt
    have := hub t ht
    grind
  · obtain ⟨t, ht0, hts, hxt⟩ := exists_lt_le_mul_self hx hs (by grind)
    have := hleast t fun u (hu : u * u ≤ x) => le_of_mul_self_le ht0 (by grind)
    grind

open Classical in
/-- The square root of a real number; zero where the number is negative. -/
noncomputable def sqrt (x : Real) : Real := if hx : 0 ≤ x then (exists_sqrt hx).choose else 0

/-- A square root is not negative. -/
theorem sqrt_nonneg (x : Real) : 0 ≤ sqrt x := by
  unfold sqrt
  split
  · next hx => exact (exists_sqrt hx).choose_spec.1
  · grind

/-- The square of the square root of a non-negative number is that number. -/
theorem mul_self_sqrt (hx : 0 ≤ x) : sqrt x * sqrt x = x := by
  have h : sqrt x = (exists_sqrt hx).choose := dif_pos hx
  rw [h]
  exact (exists_sqrt hx).choose_spec.2

/-- A non-negative number is the square root of its square: there is only one square root. -/
theorem eq_sqrt (hy : 0 ≤ y) (h : y * y = x) : y = sqrt x := by
  have hx : 0 ≤ x := h ▸ OrderedRing.mul_nonneg hy hy
  have h1 := le_of_mul_self_le (sqrt_nonneg x) (x := y) (by rw [mul_self_sqrt hx, h]; grind)
  have h2 := le_of_mul_self_le hy (x := sqrt x) (by rw [mul_self_sqrt hx, h]; grind)
  grind

end PostNorm.Real
