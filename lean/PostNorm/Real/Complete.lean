import PostNorm.Field.Basic
import PostNorm.Real.Archimedean

/-! # The real numbers are complete

## Main statements

* `Real.exists_isLUB`: every non-empty set of reals that is bounded above has a least upper
  bound. -/

namespace PostNorm
universe u

theorem IsUpperBound.mono {α : Type u} [LE α] [Std.IsPreorder α] {S : α → Prop} {x y : α}
    (hx : IsUpperBound S x) (hxy : x ≤ y) : IsUpperBound S y :=
  fun z hz => Std.le_trans (hx z hz) hxy

namespace Real

variable {S : Real → Prop}

/-- Some rational upper bound of `S` is the best one up to `2⁻ⁿ`. -/
theorem exists_ofRat_isUpperBound (hne : ∃ x, S x) (hbdd : ∃ b, IsUpperBound S b) (n : Nat) :
    ∃ c, IsUpperBound S (ofRat c) ∧ ¬ IsUpperBound S (ofRat (c - Rat.halfPow n)) := by
  obtain ⟨b, hb⟩ := hbdd
  obtain ⟨c₀, -, -, hbc⟩ := exists_ofRat_le_and_le b
  obtain ⟨x, hx⟩ := hne
  obtain ⟨c₁, -, hcx, -⟩ := exists_ofRat_le_and_le x
  refine Rat.exists_last_step (c₁ := -c₁ - 1) (Rat.halfPow_pos n) (hb.mono hbc) fun c hc h => ?_
  have h1 := h x hx
  have h2 : ofRat c < ofRat (-c₁) := ofRat_lt_ofRat.mpr (by grind)
  grind

/-- The real numbers are complete: every non-empty set of real numbers that is bounded above has a
least upper bound. -/
theorem exists_isLUB (S : Real → Prop) (hne : ∃ x, S x) (hbdd : ∃ b, IsUpperBound S b) :
    ∃ s, IsLUB S s := by
  obtain ⟨u, hu⟩ := Classical.skolem.mp (exists_ofRat_isUpperBound hne hbdd)
  have hclose : ∀ m n, u n - Rat.halfPow n < u m := fun m n => Classical.byContradiction fun h =>
    (hu n).2 ((hu m).1.mono (ofRat_le_ofRat.mpr (Rat.not_lt.mp h)))
  have hcau : IsCauSeq u := fun e he => (Rat.eventually_halfPow_le he).both.mono fun m n h => by
    have h1 := hclose m n
    have h2 := hclose n m
    clear hclose
    grind
  refine ⟨mk u hcau, fun x hx => le_mk_of_forall fun n => (hu n).1 x hx, fun b hb => ?_⟩
  -- The numbers `u n - 2⁻ⁿ` are not upper bounds, so they are below `b`; their limit is that of `u`.
  have hlim : mk _ (hcau.add isCauSeq_halfPow.neg) ≤ b := mk_le_of_forall fun n => by
    refine Classical.byContradiction fun h => (hu n).2 (hb.mono ?_)
    rw [Rat.sub_eq_add_neg]
    grind
  have heq : mk _ (hcau.add isCauSeq_halfPow.neg) = mk u hcau :=
    mk_eq_mk.mpr fun e he => (Rat.eventually_halfPow_le he).mono fun n h => by
      have := Rat.halfPow_pos n
      grind
  rwa [heq] at hlim

open Classical in
/-- The real numbers are a complete ordered field. -/
noncomputable instance instCompleteOrderedField : CompleteOrderedField Real where
  sup S := if h : ∃ s, IsLUB S s then h.choose else 0
  isLUB_sup {S} hne hbdd := by
    have h := exists_isLUB S hne hbdd
    rw [dif_pos h]
    exact h.choose_spec
  decidableLE := inferInstance
  decidableLT := inferInstance

end Real
end PostNorm
