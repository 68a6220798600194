import PostNorm.Field.Order

/-! # Absolute value and maximum

Estimates are written with `Within r a`, which says `|a| ≤ r` in a form that linear arithmetic understands.

## Main definitions

* `Within r a`: `-r ≤ a ≤ r`.
* `abs`, and an instance of `Max`.

## Main statements

* `within_iff_abs_le`: `Within r a ↔ abs a ≤ r`.
* `abs_mul`, `abs_add_le`. -/

namespace PostNorm
universe u

variable {R : Type u} [RealField R] {a b r s : R}

/-- `|a| ≤ r`, without an absolute value. -/
@[grind =] def Within (r a : R) : Prop := -r ≤ a ∧ a ≤ r

theorem Within.nonneg (h : Within r a) : 0 ≤ r := by grind
theorem Within.zero (h : 0 ≤ r) : Within r (0:R) := by grind
theorem Within.neg (h : Within r a) : Within r (-a) := by grind
theorem Within.mono (h : Within r a) (hrs : r ≤ s) : Within s a := by grind
theorem Within.add (h : Within r a) (h' : Within s b) : Within (r + s) (a + b) := by grind
theorem Within.sub (h : Within r a) (h' : Within s b) : Within (r + s) (a - b) := by grind

theorem Within.mul (h : Within r a) (h' : Within s b) : Within (r * s) (a * b) := by
  have h1 := mul_nonneg (show 0 ≤ r - a by grind) (show 0 ≤ s + b by grind)
  have h2 := mul_nonneg (show 0 ≤ r + a by grind) (show 0 ≤ s - b by grind)
  have h3 := mul_nonneg (show 0 ≤ r - a by grind) (show 0 ≤ s - b by grind)
  have h4 := mul_nonneg (show 0 ≤ r + a by grind) (show 0 ≤ s + b by grind)
  grind

/-- The only number within every positive radius is zero. -/
theorem eq_zero_of_within {a : R} (h : ∀ ε : R, 0 < ε → Within ε a) : a = 0 := by
  by_cases h0 : a = 0
  · exact h0
  · by_cases hp : 0 < a
    · have := h (a / 2) (by grind); grind
    · have := h (-a / 2) (by clear h; grind); grind

/-- Absolute value. -/
def abs (a : R) : R := if 0 ≤ a then a else -a

/-- The two ways to bound a number agree. -/
theorem within_iff_abs_le : Within r a ↔ abs a ≤ r := by grind [abs]

theorem abs_mul : abs (a * b) = abs a * abs b := by
  have key : ∀ a b : R, 0 ≤ a → abs (a * b) = a * abs b := by
    intro a b ha
    by_cases hb : 0 ≤ b
    · have := mul_nonneg ha hb; grind [abs]
    · have h1 := mul_nonneg ha (show 0 ≤ -b by grind)
      have h2 : abs b = -b := by grind [abs]
      by_cases h3 : 0 ≤ a * b
      · have h4 : a * b = 0 := by grind
        rw [h2, h4]; grind [abs]
      · grind [abs]
  by_cases ha : 0 ≤ a
  · rw [key a b ha]; grind [abs]
  · have := key (-a) b (by grind); grind [abs]

theorem abs_add_le : abs (a + b) ≤ abs a + abs b := by grind [abs]

theorem Within.self_abs (a : R) : Within (abs a) a := by grind [abs]

theorem abs_nonneg (a : R) : 0 ≤ abs a := by grind [abs]

/-- The larger of two numbers. -/
instance (priority := low) : Max R := ⟨fun a b => if a ≤ b then b else a⟩

theorem max_eq_left (h : b ≤ a) : max a b = a := by
  show (if a ≤ b then b else a) = a
  split <;> grind

theorem max_eq_right (h : a ≤ b) : max a b = b := by
  show (if a ≤ b then b else a) = b
  rw [if_pos h]

theorem le_max_left (a b : R) : a ≤ max a b := by
  show a ≤ if a ≤ b then b else a
  split <;> grind

theorem le_max_right (a b : R) : b ≤ max a b := by
  show b ≤ if a ≤ b then b else a
  split <;> grind

end PostNorm
