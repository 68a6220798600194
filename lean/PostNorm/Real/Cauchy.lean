import PostNorm.Real.Rat

/-! # Cauchy sequences of rational numbers

The order of two sequences "in the limit", and the closure of Cauchy sequences under the field
operations.  Everything here is about rational numbers; the reals are built from it in
`PostNorm.Real.Basic`.

## Main definitions

* `IsCauSeq a`: the sequence `a` is Cauchy.
* `LimLE a b`, `LimLT a b`, `LimEq a b`: the limit of `a` is at most, less than, or equal to that
  of `b`.

## Main statements

* `limEq_iff`: `LimEq` is `LimLE` both ways.
* `not_limLE_iff`: on Cauchy sequences, `LimLT` is the negation of the reversed `LimLE`.
* `IsCauSeq.add`, `IsCauSeq.neg`, `IsCauSeq.mul`, `IsCauSeq.inv`: the operations keep sequences
  Cauchy.
* `LimEq.add`, `LimEq.neg`, `LimEq.mul`: the operations respect equality of limits. -/

namespace PostNorm.Real
open Rat (Within)

variable {a b c a' b' : Nat → Rat}

/-- The sequence `a` is Cauchy: for every `e > 0`, all terms far enough out are within `e` of each
other. -/
def IsCauSeq (a : Nat → Rat) : Prop :=
  ∀ e, 0 < e → Eventually₂ fun m n => Within e (a m - a n)

/-- The limit of `a` is at most the limit of `b`: for every `e > 0`, eventually `a n ≤ b n + e`. -/
def LimLE (a b : Nat → Rat) : Prop := ∀ e, 0 < e → Eventually fun n => a n ≤ b n + e

/-- The sequences `a` and `b` have the same limit: their difference tends to zero. -/
def LimEq (a b : Nat → Rat) : Prop := ∀ e, 0 < e → Eventually fun n => Within e (a n - b n)

/-- The limit of `a` is less than that of `b`: a positive gap separates the sequences eventually. -/
def LimLT (a b : Nat → Rat) : Prop := ∃ d, 0 < d ∧ Eventually fun n => a n + d ≤ b n

/-! ### Order in the limit -/

theorem LimLE.refl (a : Nat → Rat) : LimLE a a :=
  fun _ _ => .of_forall fun _ => by grind

theorem LimLE.trans (hab : LimLE a b) (hbc : LimLE b c) : LimLE a c := fun e he =>
  ((hab (e / 2) (by grind)).and (hbc (e / 2) (by grind))).mono fun _ h => by grind

theorem LimLT.le (h : LimLT a b) : LimLE a b := fun _ _ =>
  let ⟨_, _, hab⟩ := h
  hab.mono fun _ h => by grind

/-- Two sequences have the same limit when neither limit is above the other. -/
theorem limEq_iff : LimEq a b ↔ LimLE a b ∧ LimLE b a where
  mp h := ⟨fun e he => (h e he).mono fun _ h => by grind,
    fun e he => (h e he).mono fun _ h => by grind⟩
  mpr h := fun e he => ((h.1 e he).and (h.2 e he)).mono fun _ h => by grind

theorem LimEq.refl (a : Nat → Rat) : LimEq a a := limEq_iff.mpr ⟨.refl a, .refl a⟩

theorem LimEq.symm (h : LimEq a b) : LimEq b a := limEq_iff.mpr (limEq_iff.mp h).symm

theorem LimEq.trans (h : LimEq a b) (h' : LimEq b c) : LimEq a c :=
  limEq_iff.mpr ⟨(limEq_iff.mp h).1.trans (limEq_iff.mp h').1,
    (limEq_iff.mp h').2.trans (limEq_iff.mp h).2⟩

/-- The order in the limit is linear: if `b ≤ a` fails, then `a < b`. -/
theorem not_limLE_iff (ha : IsCauSeq a) (hb : IsCauSeq b) : ¬ LimLE b a ↔ LimLT a b := by
  constructor
  · intro h
    obtain ⟨e, he, hfar⟩ : ∃ e, 0 < e ∧ ∀ N, ∃ n, N ≤ n ∧ a n + e < b n := by
      simpa only [LimLE, Eventually, Classical.not_forall, not_exists, exists_prop, Rat.not_le]
        using h
    obtain ⟨N, hN⟩ := (ha (e / 4) (by grind)).and (hb (e / 4) (by grind))
    obtain ⟨k, hk, hgap⟩ := hfar N
    refine ⟨e / 2, by grind, N, fun n hn => ?_⟩
    have h1 := hN n k hn hk
    clear hN hfar
    grind
  · intro ⟨d, hd, hgap⟩ h
    obtain ⟨n, hn⟩ := (hgap.and (h (d / 2) (by grind))).exists
    grind

/-! ### Cauchy sequences -/

/-- The constant sequence. -/
theorem isCauSeq_const (c : Rat) : IsCauSeq fun _ => c :=
  fun _ _ => .of_forall fun _ _ => by grind

theorem isCauSeq_halfPow : IsCauSeq Rat.halfPow := fun _ he =>
  (Rat.eventually_halfPow_le he).both.mono fun m n _ => by
    have := Rat.halfPow_pos m
    have := Rat.halfPow_pos n
    grind

/-- A Cauchy sequence is bounded, from some index on. -/
theorem IsCauSeq.bounded (ha : IsCauSeq a) : ∃ B, 0 < B ∧ Eventually fun n => Within B (a n) := by
  obtain ⟨N, hN⟩ := ha 1 (by grind)
  refine ⟨max (a N) (-a N) + 1, by grind, N, fun n hn => ?_⟩
  have := hN n N hn (Nat.le_refl N)
  clear hN
  grind

theorem IsCauSeq.add (ha : IsCauSeq a) (hb : IsCauSeq b) : IsCauSeq fun n => a n + b n :=
  fun e he => ((ha (e / 2) (by grind)).and (hb (e / 2) (by grind))).mono fun _ _ h => by grind

theorem LimEq.add (h : LimEq a a') (h' : LimEq b b') :
    LimEq (fun n => a n + b n) fun n => a' n + b' n :=
  fun e he => ((h (e / 2) (by grind)).and (h' (e / 2) (by grind))).mono fun _ h => by grind

theorem IsCauSeq.neg (ha : IsCauSeq a) : IsCauSeq fun n => -a n :=
  fun e he => (ha e he).mono fun _ _ h => by grind

theorem LimEq.neg (h : LimEq a a') : LimEq (fun n => -a n) fun n => -a' n :=
  fun e he => (h e he).mono fun _ h => by grind

/-- The estimate behind the continuity of multiplication. -/
theorem within_mul_sub_mul {A B e x y x' y' : Rat} (hAB : 0 < A + B)
    (hx : Within A x) (hy' : Within B y') (hxx' : Within (e * (A + B)⁻¹) (x - x'))
    (hyy' : Within (e * (A + B)⁻¹) (y - y')) : Within e (x * y - x' * y') := by
  have h1 := hx.mul hyy'
  have h2 := hy'.mul hxx'
  have h3 : A * (e * (A + B)⁻¹) + B * (e * (A + B)⁻¹) = e := by
    have := Rat.mul_inv_cancel (A + B) (Rat.ne_of_gt hAB)
    grind
  have h4 : x * y - x' * y' = x * (y - y') + y' * (x - x') := by grind
  rw [h4, ← h3]
  clear h3 h4
  grind

theorem IsCauSeq.mul (ha : IsCauSeq a) (hb : IsCauSeq b) : IsCauSeq fun n => a n * b n := by
  intro e he
  obtain ⟨A, hA, haA⟩ := ha.bounded
  obtain ⟨B, hB, hbB⟩ := hb.bounded
  have hAB : 0 < A + B := by grind
  have hp := Rat.mul_pos he (Rat.inv_pos.mpr hAB)
  exact (((ha _ hp).and (hb _ hp)).and (haA.both.and hbB.both)).mono fun m n h =>
    within_mul_sub_mul hAB h.2.1.1 h.2.2.2 h.1.1 h.1.2

theorem LimEq.mul (ha : IsCauSeq a) (hb' : IsCauSeq b') (h : LimEq a a') (h' : LimEq b b') :
    LimEq (fun n => a n * b n) fun n => a' n * b' n := by
  intro e he
  obtain ⟨A, hA, haA⟩ := ha.bounded
  obtain ⟨B, hB, hbB⟩ := hb'.bounded
  have hAB : 0 < A + B := by grind
  have hp := Rat.mul_pos he (Rat.inv_pos.mpr hAB)
  exact (((h _ hp).and (h' _ hp)).and (haA.and hbB)).mono fun n h =>
    within_mul_sub_mul hAB h.2.1 h.2.2 h.1.1 h.1.2

/-- The estimate behind the continuity of the inverse. -/
theorem within_inv_sub_inv {d e x y : Rat} (hd : 0 < d) (hx : d ≤ x) (hy : d ≤ y)
    (h : Within (e * (d * d)) (x - y)) : Within e (x⁻¹ - y⁻¹) := by
  have hxy : 0 < x * y := Rat.mul_pos (by grind) (by grind)
  have h1 : (x⁻¹ - y⁻¹) * (x * y) = y - x := by
    have := Rat.mul_inv_cancel x (by grind)
    have := Rat.mul_inv_cancel y (by grind)
    grind
  have he : 0 ≤ e :=
    Rat.le_of_mul_le_mul_right (c := d * d) (by grind) (Rat.mul_pos hd hd)
  have h2 : e * (d * d) ≤ e * (x * y) :=
    Rat.mul_le_mul_of_nonneg_left (Rat.mul_le_mul hx hy (Rat.le_of_lt hd) (by grind)) he
  refine Within.of_mul hxy ?_
  rw [h1]
  grind

/-- The inverse of a Cauchy sequence that is eventually at least a positive number. -/
theorem IsCauSeq.inv (ha : IsCauSeq a) {d : Rat} (hd : 0 < d) (h : Eventually fun n => d ≤ a n) :
    IsCauSeq fun n => (a n)⁻¹ :=
  fun e he => ((ha (e * (d * d)) (Rat.mul_pos he (Rat.mul_pos hd hd))).and h.both).mono
    fun _ _ h => within_inv_sub_inv hd h.2.1 h.2.2 h.1

end PostNorm.Real
