import PostNorm.Real.Complete

/-! # There is only one complete ordered field

Two complete ordered fields are isomorphic: a number of one and a number of the other correspond
when the same rational numbers lie below them.  So `PostNorm.Real` is isomorphic to any other definition of the real
numbers.

## Main definitions

* `PostNorm.IsOrderIso φ`: `φ` is an isomorphism of ordered fields.

## Main statements

* `Real.instCompleteOrderedField`: the real numbers are a complete ordered field.
* `Real.exists_isOrderIso`: every complete ordered field is isomorphic to the real numbers. -/

namespace PostNorm
open Lean.Grind
universe u v

/-- The map `φ` is an isomorphism of ordered fields. -/
structure IsOrderIso {K : Type u} {L : Type v} [CompleteOrderedField K] [CompleteOrderedField L]
    (φ : K → L) : Prop where
  map_add : ∀ x y, φ (x + y) = φ x + φ y
  map_mul : ∀ x y, φ (x * y) = φ x * φ y
  map_lt : ∀ x y, φ x < φ y ↔ x < y
  surjective : ∀ z, ∃ x, φ x = z

namespace CompleteOrderedField

variable {K : Type u} [CompleteOrderedField K] {c d : Rat} {x x' : K}

/-! ### The rational numbers in a complete ordered field -/

/-- The rational number `c` as an element of the field. -/
def ofRat (c : Rat) : K := Field.NormNum.ofRat c

theorem ofRat_add (c d : Rat) : (ofRat (c + d) : K) = ofRat c + ofRat d :=
  Field.NormNum.ofRat_add c d

theorem ofRat_mul (c d : Rat) : (ofRat (c * d) : K) = ofRat c * ofRat d :=
  Field.NormNum.ofRat_mul c d

theorem ofRat_inv (c : Rat) : (ofRat c⁻¹ : K) = (ofRat c)⁻¹ := Field.NormNum.ofRat_inv c

theorem ofRat_zero : (ofRat 0 : K) = 0 := by
  have := ofRat_add (K := K) 0 0
  grind

theorem ofRat_sub (c d : Rat) : (ofRat (c - d) : K) = ofRat c - ofRat d := by
  have := ofRat_add (K := K) (c - d) d
  rw [show c - d + d = c by grind] at this
  grind

theorem ofRat_pos (hc : 0 < c) : 0 < (ofRat c : K) := by
  have h1 := OrderedRing.pos_intCast_of_pos (R := K) c.num (by
    have := Rat.num_nonneg (q := c)
    have := Rat.num_eq_zero (q := c)
    grind)
  have h2 := OrderedRing.pos_natCast_of_pos (R := K) c.den c.den_pos
  have h3 := OrderedRing.mul_pos h1 (Field.IsOrdered.inv_pos_iff.mpr h2)
  rwa [← Field.div_eq_mul_inv] at h3

theorem ofRat_lt_ofRat : (ofRat c : K) < ofRat d ↔ c < d := by
  have key : ∀ {c d}, c < d → (ofRat c : K) < ofRat d := fun {c d} h => by
    have := ofRat_pos (K := K) (show 0 < d - c by grind)
    rw [ofRat_sub] at this
    grind
  refine ⟨fun h => Classical.byContradiction fun hn => ?_, key⟩
  by_cases heq : c = d
  · rw [heq] at h
    grind
  · have := key (show d < c by grind)
    grind

theorem ofRat_one : (ofRat 1 : K) = 1 := by
  have h1 := ofRat_mul (K := K) 1 1
  have h2 := ofRat_pos (K := K) (show 0 < 1 by grind)
  have h3 : (ofRat 1 : K) ≠ 0 := by grind
  rw [show (1 : Rat) * 1 = 1 by grind] at h1
  grind

/-- A complete ordered field is Archimedean. -/
theorem exists_lt_ofRat (x : K) : ∃ c : Rat, x < ofRat c := by
  refine Classical.byContradiction fun h => ?_
  have hbdd : IsUpperBound (fun y => ∃ c, y = (ofRat c : K)) x := fun y ⟨c, hc⟩ =>
    Classical.byContradiction fun hlt => h ⟨c, by grind⟩
  obtain ⟨s, hub, hleast⟩ := exists_isLUB _ ⟨ofRat 0, 0, rfl⟩ ⟨x, hbdd⟩
  have := hleast (s - 1) fun y ⟨c, hc⟩ => by
    have := hub _ ⟨c + 1, rfl⟩
    rw [ofRat_add, ofRat_one] at this
    grind
  grind

theorem exists_ofRat_lt (x : K) : ∃ c : Rat, ofRat c < x := by
  obtain ⟨c, hc⟩ := exists_lt_ofRat (-x)
  refine ⟨0 - c, ?_⟩
  rw [ofRat_sub, ofRat_zero]
  grind

/-- The rational numbers are dense in a complete ordered field. -/
theorem exists_ofRat_between (h : x < x') : ∃ c : Rat, x < ofRat c ∧ ofRat c < x' := by
  obtain ⟨n, hn⟩ := exists_lt_ofRat (x' - x)⁻¹
  have hpos : 0 < (x' - x)⁻¹ := Field.IsOrdered.inv_pos_iff.mpr (by grind)
  have hn0 : 0 < n := ofRat_lt_ofRat (K := K).mp (by rw [ofRat_zero]; grind)
  obtain ⟨c₀, h₀⟩ := exists_lt_ofRat x
  obtain ⟨c₁, h₁⟩ := exists_ofRat_lt x
  obtain ⟨c, hc, hc'⟩ := Rat.exists_last_step (P := fun c => x < ofRat c) (c₁ := c₁)
    (Rat.inv_pos.mpr hn0) h₀ fun c hc hxc => by
      have := ofRat_lt_ofRat.mp (Std.lt_trans h₁ hxc)
      grind
  refine ⟨c, hc, ?_⟩
  have h2 : 1 * (ofRat n : K)⁻¹ < x' - x := by
    have := (Field.IsOrdered.mul_inv_lt_iff_lt_mul 1 (ofRat n) (show 0 < x' - x by grind)).mp
    exact (Field.IsOrdered.mul_inv_lt_iff_lt_mul _ _ (ofRat_pos hn0)).mpr (by grind)
  rw [ofRat_sub, ofRat_inv] at hc'
  grind

theorem ofRat_lt_add_iff : ofRat c < x + x' ↔
    ∃ a b, a + b = c ∧ ofRat a < x ∧ ofRat b < x' := by
  constructor
  · intro h
    obtain ⟨b, hb, hb'⟩ := exists_ofRat_between (show ofRat c - x < x' by grind)
    refine ⟨c - b, b, by grind, ?_, hb'⟩
    rw [ofRat_sub]
    grind
  · rintro ⟨a, b, rfl, ha, hb⟩
    rw [ofRat_add]
    grind

theorem ofRat_lt_mul_iff (hx : 0 < x) (hx' : 0 < x') : ofRat c < x * x' ↔
    c ≤ 0 ∨ ∃ a b, 0 < a ∧ 0 < b ∧ a * b = c ∧ ofRat a < x ∧ ofRat b < x' := by
  constructor
  · intro h
    refine Classical.or_iff_not_imp_left.mpr fun hc => ?_
    have hc0 : 0 < (ofRat c : K) := ofRat_pos (by grind)
    have hpos := OrderedRing.mul_pos hc0 (Field.IsOrdered.inv_pos_iff.mpr hx)
    have hlt : ofRat c * x⁻¹ < x' := (Field.IsOrdered.mul_inv_lt_iff_lt_mul _ _ hx).mpr (by grind)
    obtain ⟨b, hb, hb'⟩ := exists_ofRat_between hlt
    have hb0 : 0 < b := ofRat_lt_ofRat (K := K).mp (by rw [ofRat_zero]; grind)
    refine ⟨c * b⁻¹, b, Rat.mul_pos (by grind) (Rat.inv_pos.mpr hb0), hb0, ?_, ?_, hb'⟩
    · rw [Rat.mul_assoc, Rat.inv_mul_cancel b (by grind), Rat.mul_one]
    · rw [ofRat_mul, ofRat_inv]
      have h1 := (Field.IsOrdered.mul_inv_lt_iff_lt_mul _ _ hx).mp hb
      exact (Field.IsOrdered.mul_inv_lt_iff_lt_mul _ _ (ofRat_pos hb0)).mpr (by grind)
  · rintro (hc | ⟨a, b, ha0, hb0, rfl, ha, hb⟩)
    · have h1 := OrderedRing.mul_pos hx hx'
      have h2 := ofRat_lt_ofRat (K := K) (c := 0) (d := c)
      rw [ofRat_zero] at h2
      grind
    · rw [ofRat_mul]
      have h1 := OrderedRing.mul_lt_mul_of_pos_right ha (ofRat_pos (K := K) hb0)
      have h2 := OrderedRing.mul_lt_mul_of_pos_left hb hx
      grind

/-! ### Corresponding numbers -/

variable {L : Type v} [CompleteOrderedField L] {y y' : L}

/-- The same rational numbers lie below `x` and `y`. -/
def SameCut (x : K) (y : L) : Prop := ∀ c : Rat, ofRat c < x ↔ ofRat c < y

namespace SameCut

theorem symm (h : SameCut x y) : SameCut y x := fun c => (h c).symm

theorem lt_of_lt (h : SameCut x y) (h' : SameCut x' y') (hlt : x < x') : y < y' := by
  obtain ⟨c, hc, hc'⟩ := exists_ofRat_between hlt
  have h1 := (h' c).mp hc'
  have h2 := h c
  grind

theorem eq (h : SameCut x y) (h' : SameCut x y') : y = y' := by
  have key : ∀ {y y' : L}, SameCut x y → SameCut x y' → ¬ y < y' := fun h h' hlt => by
    obtain ⟨c, hc, hc'⟩ := exists_ofRat_between hlt
    have h1 := (h c).mp ((h' c).mpr hc')
    grind
  have h1 := key h h'
  have h2 := key h' h
  grind

theorem ofRat (c : Rat) : SameCut (ofRat c : K) (ofRat c : L) := fun _ =>
  ofRat_lt_ofRat.trans ofRat_lt_ofRat.symm

theorem add (h : SameCut x y) (h' : SameCut x' y') : SameCut (x + x') (y + y') := fun c => by
  simp only [ofRat_lt_add_iff, h _, h' _]

theorem pos (h : SameCut x y) (hx : 0 < x) : 0 < y := by
  have := (SameCut.ofRat 0).lt_of_lt h (by rwa [ofRat_zero])
  rwa [ofRat_zero] at this

theorem mul (h : SameCut x y) (h' : SameCut x' y') (hx : 0 < x) (hx' : 0 < x') :
    SameCut (x * x') (y * y') := fun c => by
  simp only [ofRat_lt_mul_iff hx hx', ofRat_lt_mul_iff (h.pos hx) (h'.pos hx'), h _, h' _]

end SameCut

/-- Every element of one complete ordered field corresponds to some element of any other. -/
theorem exists_sameCut (x : K) : ∃ y : L, SameCut x y := by
  obtain ⟨a, ha⟩ := exists_ofRat_lt x
  obtain ⟨b, hb⟩ := exists_lt_ofRat x
  obtain ⟨s, hub, hleast⟩ := exists_isLUB (fun y => ∃ c, y = (ofRat c : L) ∧ ofRat c < x)
    ⟨ofRat a, a, rfl, ha⟩ ⟨ofRat b, fun y ⟨c, hc, hcx⟩ => by
      have := ofRat_lt_ofRat (K := L).mpr (ofRat_lt_ofRat.mp (Std.lt_trans hcx hb))
      grind⟩
  refine ⟨s, fun c => ⟨fun hc => ?_, fun hc => Classical.byContradiction fun hcx => ?_⟩⟩
  · obtain ⟨d, hcd, hdx⟩ := exists_ofRat_between hc
    have h1 := hub (ofRat d) ⟨d, rfl, hdx⟩
    have h2 := ofRat_lt_ofRat (K := L).mpr (ofRat_lt_ofRat.mp hcd)
    grind
  · have := hleast (ofRat c) fun y ⟨d, hd, hdx⟩ => by
      have hdc : (ofRat d : K) < ofRat c := by grind
      have := ofRat_lt_ofRat (K := L).mpr (ofRat_lt_ofRat.mp hdc)
      grind
    grind

variable (K L) in
/-- Any two complete ordered fields are isomorphic. -/
theorem exists_isOrderIso : ∃ φ : K → L, IsOrderIso φ := by
  obtain ⟨φ, hφ⟩ := Classical.skolem.mp (exists_sameCut (K := K) (L := L))
  have map_add : ∀ x y, φ (x + y) = φ x + φ y := fun x y =>
    (hφ (x + y)).eq ((hφ x).add (hφ y))
  have map_mul_of_pos : ∀ x y, 0 < x → 0 < y → φ (x * y) = φ x * φ y := fun x y hx hy =>
    (hφ (x * y)).eq ((hφ x).mul (hφ y) hx hy)
  have exists_pos : ∀ x : K, ∃ p, 0 < p ∧ 0 < x + p := fun x => by
    by_cases hx : 0 < x
    · exact ⟨1, OrderedRing.zero_lt_one, by grind⟩
    · exact ⟨1 - x, by grind, by grind⟩
  -- A number is the difference of two positive ones; so the product rule extends to all numbers.
  have map_mul_of_pos_right : ∀ x y, 0 < y → φ (x * y) = φ x * φ y := fun x y hy => by
    obtain ⟨p, hp, hxp⟩ := exists_pos x
    have h1 := map_mul_of_pos (x + p) y hxp hy
    have h2 := map_mul_of_pos p y hp hy
    rw [Semiring.right_distrib, map_add, map_add, h2] at h1
    grind
  have map_lt : ∀ x y, φ x < φ y ↔ x < y := fun x y =>
    ⟨(hφ x).symm.lt_of_lt (hφ y).symm, (hφ x).lt_of_lt (hφ y)⟩
  refine ⟨φ, map_add, fun x y => ?_, map_lt, fun z => ?_⟩
  · obtain ⟨q, hq, hyq⟩ := exists_pos y
    have h1 := map_mul_of_pos_right x (y + q) hyq
    have h2 := map_mul_of_pos_right x q hq
    rw [Semiring.left_distrib, map_add, map_add, h2] at h1
    grind
  · obtain ⟨x, hx⟩ := exists_sameCut (K := L) (L := K) z
    exact ⟨x, (hφ x).eq hx.symm⟩

end CompleteOrderedField

/-- The real numbers are the only complete ordered field: every other one is isomorphic to them. -/
theorem Real.exists_isOrderIso (K : Type u) [CompleteOrderedField K] :
    ∃ φ : Real → K, IsOrderIso φ :=
  CompleteOrderedField.exists_isOrderIso Real K

end PostNorm
