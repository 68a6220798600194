import PostNorm.Field.Exp

/-! # The natural logarithm

## Main definitions

* `log x`: the least upper bound of the numbers whose exponential is at most `x`.

## Main statements

* `exp_log`, `log_exp`, `log_mul`; `one_sub_inv_le_log`, `log_le_sub_one`: bounds. -/

namespace PostNorm
universe u
open RealField

variable {R : Type u} [RealField R] {x y : R}

theorem exp_lt_exp (h : x < y) : exp x < exp y := by
  have e : exp y = exp x * exp (y - x) := by rw [← exp_add]; congr 1; grind
  have h1 := one_add_le_exp (y - x)
  have h2 := mul_pos (exp_pos x) (show 0 < exp (y - x) - 1 by grind)
  grind

theorem le_of_exp_le (h : exp x ≤ exp y) : x ≤ y := Classical.byContradiction fun hlt => by
  have := exp_lt_exp (show y < x by grind)
  grind

/-- The natural logarithm: the least upper bound of the numbers whose exponential is at most `x`. -/
def log (x : R) : R := CompleteOrderedField.sup fun y => exp y ≤ x

theorem isLUB_log (hx : 0 < x) : IsLUB (fun y => exp y ≤ x) (log x) := by
  refine CompleteOrderedField.isLUB_sup ⟨1 - x⁻¹, ?_⟩ ⟨x - 1, fun y (hy : exp y ≤ x) => by
    have := one_add_le_exp y; grind⟩
  have hi := inv_pos hx
  have h1 := one_add_le_exp (x⁻¹ - 1)
  have h2 : exp (1 - x⁻¹) * exp (x⁻¹ - 1) = 1 := by rw [← exp_add, ← exp_zero]; congr 1; grind
  have h3 := mul_nonneg (show 0 ≤ exp (1 - x⁻¹) by have := exp_pos (1 - x⁻¹); grind)
    (show 0 ≤ exp (x⁻¹ - 1) - x⁻¹ by grind)
  have h4 : exp (1 - x⁻¹) * x⁻¹ ≤ 1 := by grind
  show exp (1 - x⁻¹) ≤ x
  have h5 := mul_nonneg (show 0 ≤ x by grind) (show 0 ≤ 1 - exp (1 - x⁻¹) * x⁻¹ by grind)
  have h6 : x * (1 - exp (1 - x⁻¹) * x⁻¹) = x - exp (1 - x⁻¹) := by grind
  grind

/-- The exponential function undoes the logarithm of a positive number. -/
theorem exp_log (hx : 0 < x) : exp (log x) = x := by
  obtain ⟨hub, hleast⟩ := isLUB_log hx
  have hl := exp_pos (log x)
  have step : ∀ d, 0 < d → exp (log x) * (1 - d) ≤ x ∧ x * (1 - d) ≤ exp (log x) := fun d hd => by
    have hd' := one_add_le_exp (-d)
    have down : exp (log x - d) ≤ x := Classical.byContradiction fun h => by
      have := hleast (log x - d) fun y (hy : exp y ≤ x) => le_of_exp_le (by clear hub hleast; grind)
      clear hub hleast; grind
    have up : x < exp (log x + d) := Classical.byContradiction fun h => by
      have := hub (log x + d) (show exp (log x + d) ≤ x by clear hub hleast; grind)
      clear hub hleast; grind
    clear hub hleast
    rw [show log x - d = log x + -d by grind, exp_add] at down
    have e : exp (log x + d) * exp (-d) = exp (log x) := by rw [← exp_add]; congr 1; grind
    have h1 := mul_nonneg (show 0 ≤ exp (log x) by grind) (show 0 ≤ exp (-d) - (1 - d) by grind)
    have h2 := mul_nonneg (show 0 ≤ x by grind) (show 0 ≤ exp (-d) - (1 - d) by grind)
    have h3 := mul_pos (exp_pos (-d)) (show 0 < exp (log x + d) - x by grind)
    exact ⟨by grind, by grind⟩
  have h : exp (log x) - x = 0 := eq_zero_of_within fun ε hε => by
    have hp : 0 < exp (log x) + x := by grind
    have e : ε / (exp (log x) + x) * (exp (log x) + x) = ε := by grind
    have hd := div_pos hε hp
    have hs := step _ hd
    clear hub hleast step
    generalize ε / (exp (log x) + x) = d at *
    have h1 := mul_pos hd hl
    have h2 := mul_pos hd hx
    grind
  grind

theorem log_exp (y : R) : log (exp y) = y := by
  have h := exp_log (exp_pos y)
  have h1 := le_of_exp_le (show exp (log (exp y)) ≤ exp y by grind)
  have h2 := le_of_exp_le (show exp y ≤ exp (log (exp y)) by grind)
  grind

theorem log_mul (hx : 0 < x) (hy : 0 < y) : log (x * y) = log x + log y := by
  rw [← log_exp (log x + log y), exp_add, exp_log hx, exp_log hy]

theorem log_le_sub_one (hx : 0 < x) : log x ≤ x - 1 := by
  have := one_add_le_exp (log x)
  rw [exp_log hx] at this
  grind

theorem one_sub_inv_le_log (hx : 0 < x) : 1 - x⁻¹ ≤ log x := by
  have h := one_add_le_exp (-log x)
  rw [exp_neg, exp_log hx] at h
  grind

end PostNorm
