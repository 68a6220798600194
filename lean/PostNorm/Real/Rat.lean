import PostNorm.Real.Eventually

/-! # Facts about rational numbers that the construction of the reals needs

Core Lean has the ordered field `Rat`; this file adds what is missing.

## Main definitions

* `PostNorm.Rat.Within r a`: `|a| ≤ r`, in a form that linear arithmetic understands.
* `PostNorm.Rat.halfPow n`: `2⁻ⁿ`.

## Main statements

* `PostNorm.Rat.exists_nat_gt`: the rationals are Archimedean.
* `PostNorm.Rat.eventually_halfPow_le`: `2⁻ⁿ` tends to zero. -/

namespace PostNorm.Rat
open Lean.Grind

variable {a b c d r s x y : Rat}

/-! ### Order -/

theorem mul_self_nonneg (a : Rat) : 0 ≤ a * a := by
  have h : 0 ≤ a ^ 2 := OrderedRing.sq_nonneg
  grind

theorem mul_le_mul (hab : a ≤ b) (hcd : c ≤ d) (ha : 0 ≤ a) (hd : 0 ≤ d) : a * c ≤ b * d :=
  Rat.le_trans (Rat.mul_le_mul_of_nonneg_left hcd ha) (Rat.mul_le_mul_of_nonneg_right hab hd)

/-- The rational numbers are Archimedean: every one of them is below some natural number. -/
theorem exists_nat_gt (a : Rat) : ∃ n : Nat, a < (n : Rat) := by
  refine ⟨(a.floor + 1).toNat, ?_⟩
  have h1 : a < ((a.floor + 1 : Int) : Rat) := Rat.lt_floor_add_one a
  have h2 : ((a.floor + 1 : Int) : Rat) ≤ (((a.floor + 1).toNat : Int) : Rat) :=
    Rat.intCast_le_intCast.mpr (Int.self_le_toNat _)
  rw [Rat.intCast_natCast] at h2
  grind

/-- Going down in steps of `d` from where `P` holds to where it fails, there is a last place where it holds.
-/
theorem exists_last_step {P : Rat → Prop} {c₀ c₁ : Rat} (hd : 0 < d) (h₀ : P c₀)
    (h₁ : ∀ c, c ≤ c₁ → ¬ P c) : ∃ c, P c ∧ ¬ P (c - d) := by
  have walk : ∀ (m : Nat) (c : Rat), P c → ¬ P (c - m * d) → ∃ c', P c' ∧ ¬ P (c' - d) := by
    intro m
    induction m with
    | zero => exact fun c hc hm => absurd hc (by rwa [show c - (0 : Nat) * d = c by grind] at hm)
    | succ m ih =>
      intro c hc hm
      by_cases hstep : P (c - d)
      · refine ih (c - d) hstep ?_
        rwa [show c - d - m * d = c - (m + 1 : Nat) * d by grind]
      · exact ⟨c, hc, hstep⟩
  obtain ⟨m, hm⟩ := exists_nat_gt ((c₀ - c₁) * d⁻¹)
  have hm' := (Field.IsOrdered.mul_inv_lt_iff_lt_mul _ _ hd).mp hm
  exact walk m c₀ h₀ (h₁ _ (by grind))

/-! ### Powers -/

theorem pow_le_pow_left (ha : 0 ≤ a) (hab : a ≤ b) : ∀ n : Nat, a ^ n ≤ b ^ n
  | 0 => by rw [Rat.pow_zero, Rat.pow_zero]; exact Rat.le_refl
  | n + 1 => by
    rw [Rat.pow_succ, Rat.pow_succ]
    exact mul_le_mul (pow_le_pow_left ha hab n) hab (Rat.pow_nonneg ha) (Rat.le_trans ha hab)

theorem pow_two_pow_succ (a : Rat) (k : Nat) : a ^ 2 ^ (k + 1) = (a * a) ^ 2 ^ k := by
  rw [CommSemiring.mul_pow, ← Semiring.pow_add, Nat.pow_succ, Nat.mul_two]

/-! ### Distance -/

/-- `|a| ≤ r`, without an absolute value. -/
@[grind =] def Within (r a : Rat) : Prop := -r ≤ a ∧ a ≤ r

theorem Within.neg (h : Within r a) : Within r (-a) := by grind

theorem Within.mul (h : Within r a) (h' : Within s b) : Within (r * s) (a * b) := by
  have h1 := Rat.mul_nonneg (show 0 ≤ r - a by grind) (show 0 ≤ s + b by grind)
  have h2 := Rat.mul_nonneg (show 0 ≤ r + a by grind) (show 0 ≤ s - b by grind)
  have h3 := Rat.mul_nonneg (show 0 ≤ r - a by grind) (show 0 ≤ s - b by grind)
  have h4 := Rat.mul_nonneg (show 0 ≤ r + a by grind) (show 0 ≤ s + b by grind)
  grind

theorem Within.mono (h : Within r a) (hrs : r ≤ s) : Within s a := by grind

theorem Within.of_mul (hc : 0 < c) (h : Within (r * c) (a * c)) : Within r a :=
  ⟨Rat.le_of_mul_le_mul_right (c := c) (by grind) hc, Rat.le_of_mul_le_mul_right h.2 hc⟩

theorem Within.of_mul_inv_mul (hc : 0 < c) (h : Within (r * c⁻¹ * c) a) : Within r a := by
  rwa [Rat.mul_assoc, Rat.inv_mul_cancel c (Rat.ne_of_gt hc), Rat.mul_one] at h

/-! ### Powers of one half -/

/-- The rational number `2⁻ⁿ`. -/
def halfPow (n : Nat) : Rat := (1 / 2) ^ n

theorem halfPow_zero : halfPow 0 = 1 := Rat.pow_zero _

theorem halfPow_succ (n : Nat) : halfPow (n + 1) = halfPow n * (1 / 2) :=
  Rat.pow_succ _ n

theorem halfPow_eq_two_mul (n : Nat) : halfPow n = 2 * halfPow (n + 1) := by
  rw [halfPow_succ]
  grind

theorem halfPow_pos (n : Nat) : 0 < halfPow n := Rat.pow_pos (by grind)

theorem halfPow_nonneg (n : Nat) : 0 ≤ halfPow n := Rat.le_of_lt (halfPow_pos n)

theorem halfPow_anti {m n : Nat} (h : m ≤ n) : halfPow n ≤ halfPow m := by
  induction h with
  | refl => exact Rat.le_refl
  | @step n _ ih => have := halfPow_pos n; rw [halfPow_succ]; grind

theorem halfPow_mul_le_one : ∀ n : Nat, halfPow n * (n : Rat) ≤ 1
  | 0 => by grind
  | n + 1 => by
    have h1 := halfPow_mul_le_one n
    have h2 : halfPow n ≤ halfPow 0 := halfPow_anti (Nat.zero_le n)
    have h3 := halfPow_pos n
    rw [halfPow_zero] at h2
    rw [halfPow_succ, Rat.natCast_add, Rat.natCast_ofNat]
    grind

/-- The powers `2⁻ⁿ` tend to zero. -/
theorem eventually_halfPow_le {e : Rat} (he : 0 < e) : Eventually fun n => halfPow n ≤ e := by
  obtain ⟨N, hN⟩ := exists_nat_gt e⁻¹
  refine (Eventually.ge N).mono fun n hn => Rat.le_trans (halfPow_anti hn) ?_
  have h1 : halfPow N * e⁻¹ ≤ 1 := Rat.le_trans
    (Rat.mul_le_mul_of_nonneg_left (Rat.le_of_lt hN) (halfPow_nonneg N)) (halfPow_mul_le_one N)
  have h2 := Rat.mul_le_mul_of_nonneg_right h1 (Rat.le_of_lt he)
  rwa [Rat.mul_assoc, Rat.inv_mul_cancel e (Rat.ne_of_gt he), Rat.mul_one, Rat.one_mul] at h2

end PostNorm.Rat
