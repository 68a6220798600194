import PostNorm.Real.Rat

/-! # Rational approximations of the exponential function

The exponential of `x` is the limit of `(1 + x / 2ᵏ) ^ 2ᵏ`.  This file is about these rational
numbers: they multiply almost like exponentials, grow with `k`, stay bounded, and converge uniformly on bounded
sets.

## Main definitions

* `Rat.expApprox k x`: the number `(1 + x / 2ᵏ) ^ 2ᵏ`.

## Main statements

* `Rat.expApprox_mul`: an exact product formula.
* `Rat.one_add_le_expApprox`: Bernoulli's inequality.
* `Rat.exists_expApprox_le`: for each `x ≥ 0` the approximations are bounded.
* `Rat.within_expApprox_sub`: they are Lipschitz in `x`, uniformly in `k`.
* `Rat.within_expApprox_sub_of_le`: they differ by a multiple of `2⁻ᵏ` from all later ones. -/

namespace PostNorm.Rat
open Lean.Grind

variable {B C M d u v x y : Rat} {k l : Nat}

/-- The rational number `(1 + x / 2ᵏ) ^ 2ᵏ`, which tends to the exponential of `x`. -/
def expApprox (k : Nat) (x : Rat) : Rat := (1 + x * halfPow k) ^ 2 ^ k

theorem expApprox_zero (x : Rat) : expApprox 0 x = 1 + x := by
  rw [expApprox, halfPow_zero, Nat.pow_zero, Rat.pow_one, Rat.mul_one]

theorem expApprox_succ (k : Nat) (x : Rat) : expApprox (k + 1) x =
    ((1 + x * halfPow (k + 1)) * (1 + x * halfPow (k + 1))) ^ 2 ^ k :=
  pow_two_pow_succ _ k

/-- The product formula of the exponential function, with an error term that tends to zero. -/
theorem expApprox_mul (k : Nat) (x y : Rat) :
    expApprox k x * expApprox k y = expApprox k (x + y + x * y * halfPow k) := by
  unfold expApprox
  rw [← CommSemiring.mul_pow]
  congr 1
  grind

theorem expApprox_succ_nonneg (k : Nat) (x : Rat) : 0 ≤ expApprox (k + 1) x := by
  rw [expApprox_succ]
  exact Rat.pow_nonneg (mul_self_nonneg _)

/-! ### Growth in `k` -/

theorem one_add_mul_halfPow_nonneg (hkl : k ≤ l) (hx : 0 ≤ 1 + x * halfPow k) :
    0 ≤ 1 + x * halfPow l := by
  by_cases h : 0 ≤ x
  · have := Rat.mul_nonneg h (halfPow_nonneg l)
    grind
  · have := Rat.mul_nonneg (show 0 ≤ -x by grind)
      (show 0 ≤ halfPow k - halfPow l by have := halfPow_anti hkl; grind)
    grind

theorem expApprox_le_succ (hx : 0 ≤ 1 + x * halfPow k) : expApprox k x ≤ expApprox (k + 1) x := by
  rw [expApprox_succ]
  refine pow_le_pow_left hx ?_ _
  have h1 := mul_self_nonneg (x * halfPow (k + 1))
  rw [halfPow_eq_two_mul k]
  grind

/-- The approximations grow with `k`, as soon as their base is not negative. -/
theorem expApprox_le_of_le (hkl : k ≤ l) (hx : 0 ≤ 1 + x * halfPow k) :
    expApprox k x ≤ expApprox l x := by
  induction hkl with
  | refl => exact Rat.le_refl
  | step hkl ih => exact Rat.le_trans ih (expApprox_le_succ (one_add_mul_halfPow_nonneg hkl hx))

/-- Bernoulli's inequality. -/
theorem one_add_le_expApprox (k : Nat) (x : Rat) : 1 + x ≤ expApprox (k + 1) x := by
  by_cases h : 0 ≤ 1 + x
  · rw [← expApprox_zero]
    exact expApprox_le_of_le (Nat.zero_le _) (by rw [halfPow_zero]; grind)
  · have := expApprox_succ_nonneg k x
    grind

/-- For each `x ≥ 0` the approximations of the exponential are bounded. -/
theorem exists_expApprox_le (hx : 0 ≤ x) : ∃ M, 0 < M ∧ ∀ k, expApprox k x ≤ M := by
  have hbase : ∀ k, 0 ≤ 1 + x * halfPow k := fun k => by
    have := Rat.mul_nonneg hx (halfPow_nonneg k)
    grind
  -- Far enough out, `1 - x / 2ᵏ` is positive, and `(1 + x / 2ᵏ) (1 - x / 2ᵏ) ≤ 1`.
  obtain ⟨K, hK⟩ := (eventually_halfPow_le (Rat.inv_pos.mpr (show 0 < x + 1 by grind))).exists
  have hsmall : 0 < 1 + -x * halfPow K := by
    have h1 := Rat.mul_le_mul_of_nonneg_left hK hx
    have h2 := Rat.mul_inv_cancel (x + 1) (by grind)
    have h3 := Rat.inv_pos.mpr (show 0 < x + 1 by grind)
    grind
  have hc : 0 < expApprox K (-x) := Rat.pow_pos hsmall
  refine ⟨(expApprox K (-x))⁻¹, Rat.inv_pos.mpr hc, fun k => ?_⟩
  have hle : K ≤ max k K := Nat.le_max_right k K
  refine Rat.le_trans (expApprox_le_of_le (Nat.le_max_left k K) (hbase k)) ?_
  generalize max k K = l at hle
  have hprod : expApprox l x * expApprox l (-x) ≤ 1 := by
    unfold expApprox
    rw [← CommSemiring.mul_pow]
    refine Rat.le_trans (pow_le_pow_left (Rat.mul_nonneg (hbase l) ?_) (b := 1) ?_ _) ?_
    · exact one_add_mul_halfPow_nonneg hle (Rat.le_of_lt hsmall)
    · have := mul_self_nonneg (x * halfPow l)
      grind
    · rw [Semiring.one_pow]
      exact Rat.le_refl
  have hmono := Rat.mul_le_mul_of_nonneg_left
    (expApprox_le_of_le hle (Rat.le_of_lt hsmall)) (Rat.pow_nonneg (n := 2 ^ l) (hbase l))
  have h := (Field.IsOrdered.le_mul_inv_iff_mul_le _ 1 hc).mpr (Rat.le_trans hmono hprod)
  rwa [Rat.one_mul] at h

/-! ### Uniform estimates -/

theorem within_pow (h : Within C u) : ∀ n : Nat, Within (C ^ n) (u ^ n)
  | 0 => by rw [Rat.pow_zero, Rat.pow_zero]; grind
  | n + 1 => by
    rw [Rat.pow_succ, Rat.pow_succ]
    exact (within_pow h n).mul h

/-- Powers are Lipschitz on bounded sets: if `|u|, |v| ≤ C` and `1 ≤ C`, then
`|uⁿ - vⁿ| ≤ n Cⁿ |u - v|`. -/
theorem within_pow_sub_pow (hC : 1 ≤ C) (hu : Within C u) (hv : Within C v)
    (h : Within d (u - v)) : ∀ n : Nat, Within (n * C ^ n * d) (u ^ n - v ^ n)
  | 0 => by
    rw [Rat.pow_zero, Rat.pow_zero]
    grind
  | n + 1 => by
    have h1 := (within_pow_sub_pow hC hu hv h n).mul hu
    have h2 := (within_pow hv n).mul h
    have h3 := Rat.mul_nonneg (Rat.mul_nonneg (Rat.pow_nonneg (n := n) (show 0 ≤ C by grind))
      (show 0 ≤ C - 1 by grind)) (show 0 ≤ d by grind)
    rw [Rat.pow_succ, Rat.pow_succ, Rat.pow_succ, Rat.natCast_add, Rat.natCast_ofNat]
    generalize C ^ n = Cn at *
    generalize u ^ n = un at *
    generalize v ^ n = vn at *
    grind

theorem two_pow_mul_halfPow (k : Nat) : ((2 ^ k : Nat) : Rat) * halfPow k = 1 := by
  rw [Rat.natCast_pow, halfPow, ← CommSemiring.mul_pow,
    show ((2 : Nat) : Rat) * (1 / 2) = 1 by grind, Semiring.one_pow]

theorem within_one_add_mul_halfPow (hx : Within B x) (k : Nat) :
    Within (1 + B * halfPow k) (1 + x * halfPow k) := by
  have h1 := Rat.mul_nonneg (show 0 ≤ B - x by grind) (halfPow_nonneg k)
  have h2 := Rat.mul_nonneg (show 0 ≤ B + x by grind) (halfPow_nonneg k)
  grind

/-- The approximations are Lipschitz on bounded sets, uniformly in `k`. -/
theorem within_expApprox_sub (hM : expApprox k B ≤ M) (hx : Within B x) (hy : Within B y)
    (hxy : Within d (x - y)) : Within (d * M) (expApprox k x - expApprox k y) := by
  have hB := Rat.mul_nonneg (show 0 ≤ B by grind) (halfPow_nonneg k)
  have hd : Within (d * halfPow k) (1 + x * halfPow k - (1 + y * halfPow k)) := by
    have := hxy.mul (show Within (halfPow k) (halfPow k) by have := halfPow_nonneg k; grind)
    grind
  have h1 := within_pow_sub_pow (by grind) (within_one_add_mul_halfPow hx k)
    (within_one_add_mul_halfPow hy k) hd (2 ^ k)
  refine h1.mono ?_
  have h2 := Rat.mul_le_mul_of_nonneg_left hM (show 0 ≤ d by grind)
  have h3 : ∀ C : Rat, (2 ^ k : Nat) * C * (d * halfPow k) = d * C := fun C => by
    have := two_pow_mul_halfPow k
    grind
  rw [h3]
  exact h2

/-- Two successive approximations differ by a multiple of `2⁻ᵏ`. -/
theorem within_expApprox_succ_sub (hM : expApprox (k + 1) B ≤ M) (hx : Within B x) :
    Within (B * B * M * halfPow (k + 1)) (expApprox (k + 1) x - expApprox k x) := by
  have hh := halfPow_nonneg (k + 1)
  have hB := Rat.mul_nonneg (show 0 ≤ B by grind) hh
  have hBB := mul_self_nonneg (B * halfPow (k + 1))
  have hbase := within_one_add_mul_halfPow hx (k + 1)
  have hv := within_one_add_mul_halfPow hx k
  have hd := hx.mul (show Within (halfPow (k + 1)) (halfPow (k + 1)) by grind)
  rw [halfPow_eq_two_mul k] at hv
  have h1 := within_pow_sub_pow (by grind) (hbase.mul hbase) (hv.mono (by grind))
    (d := B * halfPow (k + 1) * (B * halfPow (k + 1))) (by
      have := hd.mul hd
      grind) (2 ^ k)
  rw [← expApprox_succ, ← expApprox_succ, ← halfPow_eq_two_mul k] at h1
  have h2 : ∀ C : Rat, (2 ^ k : Nat) * C * (B * halfPow (k + 1) * (B * halfPow (k + 1))) =
      C * (B * B * halfPow (k + 1)) * (1 / 2) := fun C => by
    have := two_pow_mul_halfPow k
    rw [halfPow_eq_two_mul k] at this
    grind
  rw [h2] at h1
  refine h1.mono ?_
  have h3 := Rat.mul_nonneg (mul_self_nonneg B) hh
  have h4 := Rat.mul_le_mul_of_nonneg_right hM h3
  have h5 := Rat.mul_nonneg (expApprox_succ_nonneg k B) h3
  grind

/-- An approximation differs by a multiple of `2⁻ᵏ` from all later ones. -/
theorem within_expApprox_sub_of_le (hM : ∀ k, expApprox k B ≤ M) (hx : Within B x) (hkl : k ≤ l) :
    Within (B * B * M * (halfPow k - halfPow l)) (expApprox l x - expApprox k x) := by
  induction hkl with
  | refl => grind
  | @step l _ ih =>
    have h1 := within_expApprox_succ_sub (hM (l + 1)) hx
    rw [halfPow_eq_two_mul l] at ih
    clear hM
    grind

end PostNorm.Rat
