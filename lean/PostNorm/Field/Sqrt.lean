import PostNorm.Field.Abs

/-! # The square root, and the square root of the positive part

A saved standard deviation is the square root of `max (var + ε) 0`: defined at every input, and equal to the square
root wherever that is defined.

## Main definitions

* `sqrtClamp x`: `sqrt (max x 0)`.

## Main statements

* `sqrtClamp_pos`, `sqrtClamp_ne_zero_iff`: it is zero exactly where its argument is not positive. -/

namespace PostNorm
universe u
open RealField

variable {R : Type u} [RealField R] {a : R}

theorem sqrt_pos (ha : 0 < a) : 0 < sqrt a := by
  have h1 := sqrt_nonneg a
  have h2 := mul_self_sqrt (show 0 ≤ a by grind)
  have h3 : sqrt a ≠ 0 := by grind
  grind

theorem sqrt_zero : sqrt (0 : R) = 0 := by
  have := mul_self_sqrt (show (0 : R) ≤ 0 by grind)
  grind

/-- The square root of the positive part. -/
def sqrtClamp (x : R) : R := sqrt (max x 0)

theorem sqrtClamp_eq_sqrt (h : 0 ≤ a) : sqrtClamp a = sqrt a := by
  rw [sqrtClamp, max_eq_left h]

theorem sqrtClamp_of_nonpos (h : a ≤ 0) : sqrtClamp a = 0 := by
  rw [sqrtClamp, max_eq_right h, sqrt_zero]

theorem sqrtClamp_pos (h : 0 < a) : 0 < sqrtClamp a := by
  rw [sqrtClamp_eq_sqrt (by grind)]; exact sqrt_pos h

/-- The square root of the positive part is not zero exactly where its argument is positive. -/
theorem sqrtClamp_ne_zero_iff : sqrtClamp a ≠ 0 ↔ 0 < a := by
  constructor
  · intro h
    by_cases ha : 0 < a
    · exact ha
    · exact absurd (sqrtClamp_of_nonpos (by grind)) h
  · exact fun h => pos_ne_zero (sqrtClamp_pos h)

end PostNorm
