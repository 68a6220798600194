import PostNorm.Real.Archimedean
import PostNorm.Real.ExpApprox

/-! # The exponential function on the real numbers

Where `x` is the limit of the rational numbers `a n`, its exponential is the limit of
`(1 + a n / 2ⁿ) ^ 2ⁿ`.

## Main definitions

* `Real.exp x`: the exponential of `x`.

## Main statements

* `Real.exp_add`: the functional equation.
* `Real.one_add_le_exp`: the graph lies above its tangent at zero.

`PostNorm.Real.ExpUnique` shows that no other function has these two properties. -/

namespace PostNorm.Real
open Lean.Grind

variable {a b : Nat → Rat}

theorem IsCauSeq.expApprox (ha : IsCauSeq a) : IsCauSeq fun n => Rat.expApprox n (a n) := by
  intro e he
  obtain ⟨B, hB, haB⟩ := ha.bounded
  obtain ⟨M, hM0, hM⟩ := Rat.exists_expApprox_le (Rat.le_of_lt hB)
  have hC : 0 < B * B * M := Rat.mul_pos (Rat.mul_pos hB hB) hM0
  have hnear := ha (e / 2 * M⁻¹) (Rat.mul_pos (by grind) (Rat.inv_pos.mpr hM0))
  have hlate := (Rat.eventually_halfPow_le
    (Rat.mul_pos (show 0 < e / 2 by grind) (Rat.inv_pos.mpr hC))).both
  refine .of_le (fun m n h => by grind) ((hnear.and (haB.both.and hlate)).mono ?_)
  intro m n ⟨hmn, ⟨hm, hn⟩, _, hsmall⟩ hle
  -- First move the argument from `a m` to `a n`, then the index from `m` to `n`.
  have h1 := Rat.Within.of_mul_inv_mul hM0 (Rat.within_expApprox_sub (hM m) hm hn hmn)
  have h2 := Rat.within_expApprox_sub_of_le hM hn hle
  have h3 := (Field.IsOrdered.le_mul_inv_iff_mul_le _ _ hC).mp hsmall
  have h4 := Rat.mul_nonneg (Rat.le_of_lt hC) (Rat.halfPow_nonneg m)
  clear hM
  grind

theorem LimEq.expApprox (ha : IsCauSeq a) (hb : IsCauSeq b) (h : LimEq a b) :
    LimEq (fun n => Rat.expApprox n (a n)) fun n => Rat.expApprox n (b n) := by
  intro e he
  obtain ⟨A, hA, haA⟩ := ha.bounded
  obtain ⟨B, hB, hbB⟩ := hb.bounded
  obtain ⟨M, hM0, hM⟩ := Rat.exists_expApprox_le (show 0 ≤ A + B by grind)
  have hnear := h (e * M⁻¹) (Rat.mul_pos he (Rat.inv_pos.mpr hM0))
  refine ((haA.and hbB).and hnear).mono fun n ⟨⟨hx, hy⟩, hxy⟩ => ?_
  exact Rat.Within.of_mul_inv_mul hM0 (Rat.within_expApprox_sub (hM n) (hx.mono (by grind))
    (hy.mono (by grind)) hxy)

/-- The exponential function: the limit of `(1 + a n / 2ⁿ) ^ 2ⁿ` at the limit of `a`. -/
def exp (x : Real) : Real :=
  Quotient.liftOn x (fun a => mk _ a.2.expApprox) fun a b h =>
    mk_eq_mk.mpr (LimEq.expApprox a.2 b.2 h)

theorem mk_halfPow : mk Rat.halfPow isCauSeq_halfPow = 0 :=
  mk_eq_mk.mpr fun _ he => (Rat.eventually_halfPow_le he).mono fun n hn => by
    have h := Rat.halfPow_pos n
    show Rat.Within _ (Rat.halfPow n - 0)
    grind

/-- The functional equation of the exponential function. -/
theorem exp_add : ∀ x y : Real, exp (x + y) = exp x * exp y := by
  refine ind fun a ha => ind fun b hb => ?_
  have h : exp (mk a ha) * exp (mk b hb) =
      exp (mk a ha + mk b hb + mk a ha * mk b hb * mk Rat.halfPow isCauSeq_halfPow) :=
    mk_congr fun n => Rat.expApprox_mul n (a n) (b n)
  rw [h, mk_halfPow, Semiring.mul_zero, Semiring.add_zero]

/-- The graph of the exponential function lies above its tangent at zero. -/
theorem one_add_le_exp : ∀ x : Real, 1 + x ≤ exp x := by
  refine ind fun a ha e he => (Eventually.ge 1).mono fun n hn => ?_
  obtain ⟨k, rfl⟩ : ∃ k, n = k + 1 := ⟨n - 1, by omega⟩
  have h := Rat.one_add_le_expApprox k (a (k + 1))
  show 1 + a (k + 1) ≤ Rat.expApprox (k + 1) (a (k + 1)) + e
  grind

end PostNorm.Real
