import PostNorm.Field.Abs

/-! # The exponential function

## Main statements

* `exp_zero`, `exp_pos`, `exp_neg`: from the two laws of the class.
* `exp_bound`: `|exp h - 1 - h| ≤ 2 r²` for `|h| ≤ r ≤ 1/2`, the only analytic input about `exp`. -/

namespace PostNorm
universe u
open RealField

variable {R : Type u} [RealField R]

theorem exp_zero : exp (0:R) = 1 := by
  have h1 := exp_add (0:R) 0
  have h2 := one_add_le_exp (0:R)
  have h3 : exp (0:R) * (exp (0:R) - 1) = 0 := by grind
  grind

theorem exp_pos (x : R) : 0 < exp x := by
  have h1 := exp_add (x/2) (x/2)
  have h2 := mul_self_nonneg (exp (x/2))
  have h3 := exp_add x (-x)
  have h4 := exp_zero (R := R)
  have h5 : x/2 + x/2 = x := by grind
  have h6 : x + -x = 0 := by grind
  rw [h5] at h1
  rw [h6, h4] at h3
  have h7 : exp x ≠ 0 := by grind
  grind

theorem exp_neg (x : R) : exp (-x) = (exp x)⁻¹ := by
  have h3 := exp_add x (-x)
  have h4 := exp_zero (R := R)
  have h6 : x + -x = 0 := by grind
  have := exp_pos x
  grind

/-- Second-order bound for `exp` at zero: the only analytic input about `exp`. -/
theorem exp_bound {h r : R} (hr : r ≤ 1/2) (hh : Within r h) :
    Within (2 * r * r) (exp h - 1 - h) := by
  have h1 := one_add_le_exp h
  have h2 := one_add_le_exp (-h)
  have h3 := exp_pos h
  have h4 := exp_neg h
  have h5 : exp h * exp (-h) = 1 := by grind
  -- exp h * (1 - h) ≤ 1
  have h6 := mul_nonneg (show 0 ≤ exp h by grind) (show 0 ≤ exp (-h) - (1 + -h) by grind)
  have h7 : exp h * (1 - h) ≤ 1 := by grind
  have hsq := Within.mul hh hh
  -- exp h - 1 - h ≤ (h*h)/(1-h) ≤ 2 r r
  have h8 : (exp h - 1 - h) * (1 - h) ≤ h * h := by grind
  have h9 := mul_nonneg (show 0 ≤ exp h - 1 - h by grind) (show 0 ≤ (1 - h) - 1/2 by grind)
  have h10 : 0 ≤ r * r := mul_self_nonneg r
  grind

end PostNorm
