import PostNorm.Real.Exp

/-! # The exponential function is determined by its laws

The library asks two things of an exponential function: the functional equation, and that its graph
lies above its tangent at zero.  On the real numbers only one function has both properties.

The proof: if `f` and `g` have them, then so much as `1 - x² ≤ f x * g (-x)`.  The right side is
multiplicative in `x`, so halving `x` and squaring `n` times gives `1 - x² / 2ⁿ ≤ f x * g (-x)`, and
therefore `1 ≤ f x * g (-x)`, that is `g x ≤ f x`.

## Main statements

* `Real.exp_unique`: whatever function obeys the two laws is `Real.exp`. -/

namespace PostNorm.Real
open Lean.Grind

/-- The two laws of the exponential function. -/
structure IsExp (f : Real → Real) : Prop where
  map_add : ∀ x y, f (x + y) = f x * f y
  one_add_le : ∀ x, 1 + x ≤ f x

theorem isExp_exp : IsExp exp := ⟨exp_add, one_add_le_exp⟩

namespace IsExp
variable {f g : Real → Real}

theorem eq_half_mul_half (hf : IsExp f) (x : Real) : f x = f (x / 2) * f (x / 2) := by
  rw [← hf.map_add]
  congr 1
  grind

theorem nonneg (hf : IsExp f) (x : Real) : 0 ≤ f x := by
  have h : 0 ≤ f (x / 2) ^ 2 := OrderedRing.sq_nonneg
  rw [hf.eq_half_mul_half]
  grind

theorem map_mul_map_neg (hf : IsExp f) (x : Real) : f x * f (-x) = 1 := by
  have h1 := hf.map_add 0 0
  have h2 := hf.one_add_le 0
  have h3 := hf.map_add x (-x)
  rw [show (0 : Real) + 0 = 0 by grind] at h1
  rw [show x + -x = 0 by grind] at h3
  grind

theorem one_sub_mul_self_le (hf : IsExp f) (hg : IsExp g) (x : Real) :
    1 - x * x ≤ f x * g (-x) := by
  have h1 := hf.one_add_le x
  have h2 := hg.one_add_le (-x)
  have h3 := OrderedRing.mul_nonneg (hf.nonneg x) (hg.nonneg (-x))
  by_cases hx : 0 ≤ 1 + x ∧ 0 ≤ 1 - x
  · have h4 := OrderedRing.mul_nonneg hx.1 (show 0 ≤ g (-x) - (1 - x) by grind)
    have h5 := OrderedRing.mul_nonneg (hg.nonneg (-x)) (show 0 ≤ f x - (1 + x) by grind)
    grind
  · -- Outside `[-1, 1]` the left side is negative.
    have h4 : 0 ≤ (x - 1) * (x + 1) := by
      by_cases hpos : 0 ≤ 1 + x
      · exact OrderedRing.mul_nonneg (by grind) (by grind)
      · exact OrderedRing.mul_nonneg_of_nonpos_of_nonpos (by grind) (by grind)
    grind

theorem two_pow_mul_one_sub_le (hf : IsExp f) (hg : IsExp g) :
    ∀ (n : Nat) (x : Real), (2 ^ n : Nat) * (1 - f x * g (-x)) ≤ x * x
  | 0, x => by
    have := hf.one_sub_mul_self_le hg x
    grind
  | n + 1, x => by
    have h1 := two_pow_mul_one_sub_le hf hg n (x / 2)
    have h2 : f x * g (-x) = (f (x / 2) * g (-(x / 2))) ^ 2 := by
      rw [hf.eq_half_mul_half, hg.eq_half_mul_half, show -x / 2 = -(x / 2) by grind]
      grind
    have h3 : ((2 ^ (n + 1) : Nat) : Real) = 2 * (2 ^ n : Nat) := by
      rw [Nat.pow_succ]
      grind
    rw [h2, h3]
    generalize f (x / 2) * g (-(x / 2)) = u at h1
    have h4 : 0 ≤ ((2 ^ n : Nat) : Real) := natCast_le_natCast.mpr (Nat.zero_le _)
    have h5 : 0 ≤ ((2 ^ n : Nat) : Real) * (1 - u) ^ 2 :=
      OrderedRing.mul_nonneg h4 OrderedRing.sq_nonneg
    generalize ((2 ^ n : Nat) : Real) = N at h1 h5
    grind

theorem one_le_mul (hf : IsExp f) (hg : IsExp g) (x : Real) : 1 ≤ f x * g (-x) := by
  refine Classical.byContradiction fun hlt => ?_
  have hpos : 0 < 1 - f x * g (-x) := by grind
  obtain ⟨n, hn⟩ := exists_nat_gt (x * x * (1 - f x * g (-x))⁻¹)
  have h1 := (Field.IsOrdered.mul_inv_lt_iff_lt_mul _ _ hpos).mp hn
  have h2 := two_pow_mul_one_sub_le hf hg n x
  have h3 : (n : Real) ≤ (2 ^ n : Nat) :=
    natCast_le_natCast.mpr (Nat.le_of_lt Nat.lt_two_pow_self)
  have h4 := OrderedRing.mul_le_mul_of_nonneg_right h3 (show 0 ≤ 1 - f x * g (-x) by grind)
  grind

/-- Of two functions with the laws of the exponential function, neither is above the other. -/
theorem le (hf : IsExp f) (hg : IsExp g) (x : Real) : g x ≤ f x := by
  have h1 := hf.one_le_mul hg x
  have h2 := hg.map_mul_map_neg x
  have h3 := OrderedRing.mul_nonneg (hg.nonneg x) (show 0 ≤ f x * g (-x) - 1 by grind)
  have h4 : g x * (f x * g (-x) - 1) = f x * (g x * g (-x)) - g x := by grind
  rw [h4, h2] at h3
  grind

end IsExp

/-- The exponential function is unique: a function that turns sums into products and whose graph
lies above the line `1 + x` is `exp`. -/
theorem exp_unique {f : Real → Real} (hadd : ∀ x y, f (x + y) = f x * f y)
    (htangent : ∀ x, 1 + x ≤ f x) : f = exp := by
  have hf : IsExp f := ⟨hadd, htangent⟩
  funext x
  have h1 := hf.le isExp_exp x
  have h2 := isExp_exp.le hf x
  grind

end PostNorm.Real
