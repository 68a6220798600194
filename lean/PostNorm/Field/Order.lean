import PostNorm.Field.Basic

/-! # Order in an ordered field

## Main statements

* `mul_pos`, `mul_nonneg`, `mul_le_mul`, `inv_pos`, `div_pos`, `le_div_iff`: signs of products and quotients.
* `natCast_nonneg`: natural numbers are not negative. -/

namespace PostNorm
universe u
open Lean.Grind
attribute [local instance] Semiring.natCast

variable {R : Type u} [RealField R] {a b c d : R}

theorem mul_pos (ha : 0 < a) (hb : 0 < b) : 0 < a * b := OrderedRing.mul_pos ha hb

theorem mul_nonneg (ha : 0 ≤ a) (hb : 0 ≤ b) : 0 ≤ a * b := OrderedRing.mul_nonneg ha hb

theorem mul_le_mul_left (hc : 0 ≤ c) (h : a ≤ b) : c * a ≤ c * b := by
  have := mul_nonneg hc (show 0 ≤ b - a by grind)
  grind

theorem mul_le_mul (hab : a ≤ b) (hcd : c ≤ d) (ha : 0 ≤ a) (hd : 0 ≤ d) : a * c ≤ b * d := by
  have h1 := mul_nonneg ha (show 0 ≤ d - c by grind)
  have h2 := mul_nonneg hd (show 0 ≤ b - a by grind)
  grind

theorem mul_self_nonneg (a : R) : 0 ≤ a * a := by
  by_cases h : 0 ≤ a
  · exact mul_nonneg h h
  · have := mul_nonneg (show 0 ≤ -a by grind) (show 0 ≤ -a by grind)
    grind

theorem inv_pos (ha : 0 < a) : 0 < a⁻¹ := by
  have h0 : a ≠ 0 := by grind
  have h1 : a * a⁻¹ = 1 := Field.mul_inv_cancel h0
  by_cases h : 0 < a⁻¹
  · exact h
  · have := mul_nonneg (show 0 ≤ a by grind) (show 0 ≤ -a⁻¹ by grind)
    grind

theorem inv_neg (a : R) : (-a)⁻¹ = -a⁻¹ := by
  by_cases h : a = 0
  · subst h; have := Field.inv_zero (α := R); have h0 : -(0:R) = 0 := by grind
    rw [h0, this]; grind
  · have : -a ≠ 0 := by grind
    grind

theorem inv_nonneg {a : R} (h : 0 ≤ a) : 0 ≤ a⁻¹ := by
  by_cases h0 : a = 0
  · subst h0; have := Field.inv_zero (α := R); grind
  · have := inv_pos (show 0 < a by grind); grind

theorem div_pos (ha : 0 < a) (hb : 0 < b) : 0 < a / b := by
  rw [Field.div_eq_mul_inv]; exact mul_pos ha (inv_pos hb)

theorem le_div_iff (hb : 0 < b) : a ≤ c / b ↔ a * b ≤ c := by
  have hi := inv_pos hb
  have h1 : b * b⁻¹ = 1 := Field.mul_inv_cancel (by grind)
  rw [Field.div_eq_mul_inv]
  constructor
  · intro h
    have h2 := mul_nonneg (show 0 ≤ b by grind) (show 0 ≤ c * b⁻¹ - a by grind)
    have h3 : b * (c * b⁻¹ - a) = c - a * b := by grind
    grind
  · intro h
    have h2 := mul_nonneg (show 0 ≤ b⁻¹ by grind) (show 0 ≤ c - a * b by grind)
    have h3 : b⁻¹ * (c - a * b) = c * b⁻¹ - a := by grind
    grind

/-- Two positive bounds have a common positive lower bound. -/
theorem exists_pos_le_both (ha : 0 < a) (hb : 0 < b) : ∃ c : R, 0 < c ∧ c ≤ a ∧ c ≤ b := by
  by_cases h : a ≤ b
  · exact ⟨a, by grind⟩
  · exact ⟨b, by grind⟩

theorem pos_ne_zero (h : 0 < a) : a ≠ 0 := by grind

theorem add_pos_of_nonneg_of_pos (ha : 0 ≤ a) (hb : 0 < b) : 0 < a + b := by grind

theorem natCast_nonneg (n : Nat) : (0 : R) ≤ (n : R) := by
  induction n with
  | zero => have := Semiring.natCast_zero (α := R); grind
  | succ n ih => have := Semiring.natCast_succ (α := R) n; grind

end PostNorm
