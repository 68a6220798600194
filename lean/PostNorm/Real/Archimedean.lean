import PostNorm.Real.Inv

/-! # The rational numbers are dense in the real numbers

## Main statements

* `Real.ofRat_add`, `Real.ofRat_mul`, `Real.ofRat_le_ofRat`, `Real.ofRat_lt_ofRat`: the embedding of
  the rational numbers respects the operations and the order.
* `Real.exists_nat_gt`: the Archimedean property.
* `Real.exists_ofRat_between`: between any two real numbers lies a rational one.
* `Real.le_mk_of_forall`, `Real.mk_le_of_forall`: a bound of all terms bounds the limit. -/

namespace PostNorm.Real

variable {c d : Rat} {x : Real}

/-! ### The embedding -/

theorem ofRat_zero : ofRat 0 = 0 := rfl

theorem ofRat_one : ofRat 1 = 1 := rfl

theorem ofRat_add (c d : Rat) : ofRat (c + d) = ofRat c + ofRat d := rfl

theorem ofRat_mul (c d : Rat) : ofRat (c * d) = ofRat c * ofRat d := rfl

theorem ofRat_sub (c d : Rat) : ofRat (c - d) = ofRat c - ofRat d :=
  mk_congr fun _ => Rat.sub_eq_add_neg c d

theorem ofRat_lt_ofRat : ofRat c < ofRat d ↔ c < d := by
  refine mk_lt_mk.trans ⟨fun ⟨e, he, h⟩ => ?_, fun h => ⟨d - c, by grind, .of_forall fun _ => ?_⟩⟩
  · obtain ⟨_, hn⟩ := h.exists
    grind
  · grind

theorem ofRat_le_ofRat : ofRat c ≤ ofRat d ↔ c ≤ d := by
  have := ofRat_lt_ofRat (c := d) (d := c)
  grind

theorem natCast_le_natCast {m n : Nat} : (m : Real) ≤ (n : Real) ↔ m ≤ n :=
  ofRat_le_ofRat.trans Rat.natCast_le_natCast

/-! ### The Archimedean property and density -/

/-- Every real number lies between two rational numbers. -/
theorem exists_ofRat_le_and_le : ∀ x : Real, ∃ c : Rat, 0 < c ∧ ofRat (-c) ≤ x ∧ x ≤ ofRat c := by
  refine ind fun a ha => ?_
  obtain ⟨B, hB, haB⟩ := ha.bounded
  exact ⟨B, hB, mk_le_mk.mpr fun e he => haB.mono fun n h => by grind,
    mk_le_mk.mpr fun e he => haB.mono fun n h => by grind⟩

/-- The real numbers are Archimedean: every one of them is below some natural number. -/
theorem exists_nat_gt (x : Real) : ∃ n : Nat, x < (n : Real) := by
  obtain ⟨c, -, -, hxc⟩ := exists_ofRat_le_and_le x
  obtain ⟨n, hn⟩ := Rat.exists_nat_gt c
  have : ofRat c < (n : Real) := ofRat_lt_ofRat.mpr hn
  exact ⟨n, by grind⟩

/-- The rational numbers are dense in the reals: one of them is strictly between any two reals. -/
theorem exists_ofRat_between : ∀ x y : Real, x < y → ∃ c : Rat, x < ofRat c ∧ ofRat c < y := by
  refine ind fun a ha => ind fun b hb hxy => ?_
  obtain ⟨d, hd, hab⟩ := mk_lt_mk.mp hxy
  obtain ⟨N, hN⟩ := (ha (d / 4) (by grind)).and hab.both
  have hNN := hN N N (Nat.le_refl N) (Nat.le_refl N)
  refine ⟨a N + d / 2, mk_lt_mk.mpr ⟨d / 4, by grind, N, fun n hn => ?_⟩,
    mk_lt_mk.mpr ⟨d / 4, by grind, N, fun n hn => ?_⟩⟩
  · have := hN n N hn (Nat.le_refl N)
    clear hN
    grind
  · have := hN n N hn (Nat.le_refl N)
    clear hN
    grind

/-- A lower bound of all terms of a Cauchy sequence is at most its limit. -/
theorem le_mk_of_forall {a : Nat → Rat} {ha : IsCauSeq a} (h : ∀ n, x ≤ ofRat (a n)) :
    x ≤ mk a ha := by
  refine Classical.byContradiction fun hlt => ?_
  obtain ⟨c, hac, hcx⟩ := exists_ofRat_between (mk a ha) x (by grind)
  obtain ⟨d, hd, hev⟩ := mk_lt_mk.mp hac
  obtain ⟨n, hn⟩ := hev.exists
  have h1 : ofRat (a n) ≤ ofRat c := ofRat_le_ofRat.mpr (by grind)
  have h2 := h n
  grind

/-- An upper bound of all terms of a Cauchy sequence is at least its limit. -/
theorem mk_le_of_forall {a : Nat → Rat} {ha : IsCauSeq a} (h : ∀ n, ofRat (a n) ≤ x) :
    mk a ha ≤ x := by
  have h1 : -x ≤ -mk a ha := le_mk_of_forall (ha := ha.neg) fun n => show -x ≤ -ofRat (a n) by
    have := h n
    grind
  grind

end PostNorm.Real
