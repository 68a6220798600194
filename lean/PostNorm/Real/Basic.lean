import PostNorm.Real.Cauchy

/-! # The real numbers: an ordered commutative ring

A real number is a Cauchy sequence of rational numbers, up to equality of limits.  The operations
act term by term, and the order is the order in the limit.

## Main definitions

* `PostNorm.Real`: the type of real numbers.
* `Real.mk a ha`: the limit of the Cauchy sequence `a`.
* `Real.ofRat`: the embedding of the rational numbers.

## Main statements

* The instances `Lean.Grind.CommRing Real`, `Std.IsLinearOrder Real`, `Lean.Grind.OrderedRing Real`.
* `Real.mk_le_mk`, `Real.mk_lt_mk`: the order of two limits. -/

namespace PostNorm
open Lean.Grind

namespace Real

/-- Equality of limits, as an equivalence relation on the Cauchy sequences of rational numbers. -/
instance cauSeqSetoid : Setoid {a : Nat → Rat // IsCauSeq a} where
  r a b := LimEq a.1 b.1
  iseqv := ⟨fun a => .refl a.1, .symm, .trans⟩

end Real

/-- The real numbers: Cauchy sequences of rational numbers, up to equality of limits. -/
def Real : Type := Quotient Real.cauSeqSetoid

namespace Real

variable {a b : Nat → Rat} {ha : IsCauSeq a} {hb : IsCauSeq b}

/-- The limit of a Cauchy sequence. -/
def mk (a : Nat → Rat) (ha : IsCauSeq a) : Real := Quotient.mk cauSeqSetoid ⟨a, ha⟩

/-- Every real number is the limit of a Cauchy sequence of rational numbers. -/
theorem ind {P : Real → Prop} (h : ∀ a ha, P (mk a ha)) (x : Real) : P x :=
  Quotient.ind (fun a => h a.1 a.2) x

/-- Two Cauchy sequences define the same real number when their difference tends to zero. -/
theorem mk_eq_mk : mk a ha = mk b hb ↔ LimEq a b :=
  ⟨fun h => Quotient.exact (s := cauSeqSetoid) h, fun h => Quotient.sound (s := cauSeqSetoid) h⟩

theorem mk_congr (h : ∀ n, a n = b n) : mk a ha = mk b hb := by
  obtain rfl : a = b := funext h
  rfl

/-! ### Operations and order -/

/-- The embedding of the rational numbers. -/
def ofRat (c : Rat) : Real := mk (fun _ => c) (isCauSeq_const c)

/-- Addition, term by term. -/
protected def add (x y : Real) : Real :=
  Quotient.liftOn₂ x y (fun a b => mk _ (a.2.add b.2)) fun _ _ _ _ h h' => mk_eq_mk.mpr (h.add h')

/-- Multiplication, term by term. -/
protected def mul (x y : Real) : Real :=
  Quotient.liftOn₂ x y (fun a b => mk _ (a.2.mul b.2)) fun a _ _ b' h h' =>
    mk_eq_mk.mpr (LimEq.mul a.2 b'.2 h h')

/-- The negative, term by term. -/
protected def neg (x : Real) : Real :=
  Quotient.liftOn x (fun a => mk _ a.2.neg) fun _ _ h => mk_eq_mk.mpr h.neg

/-- The order in the limit. -/
protected def le (x y : Real) : Prop :=
  Quotient.liftOn₂ x y (fun a b => LimLE a.1 b.1) fun _ _ _ _ h h' => propext
    ⟨fun hab => ((limEq_iff.mp h).2.trans hab).trans (limEq_iff.mp h').1,
      fun hab => ((limEq_iff.mp h).1.trans hab).trans (limEq_iff.mp h').2⟩

/-- Powers, by repeated multiplication. -/
protected def npow (x : Real) : Nat → Real
  | 0 => ofRat 1
  | n + 1 => Real.mul (Real.npow x n) x

instance : Add Real := ⟨Real.add⟩
instance : Mul Real := ⟨Real.mul⟩
instance : Neg Real := ⟨Real.neg⟩
instance : Sub Real := ⟨fun x y => Real.add x (Real.neg y)⟩
instance : LE Real := ⟨Real.le⟩
instance : LT Real := ⟨fun x y => ¬ Real.le y x⟩
instance : NatCast Real := ⟨fun n => ofRat n⟩
instance : IntCast Real := ⟨fun n => ofRat n⟩
instance (n : Nat) : OfNat Real n := ⟨ofRat n⟩
instance : SMul Nat Real := ⟨fun n x => Real.mul (ofRat n) x⟩
instance : SMul Int Real := ⟨fun n x => Real.mul (ofRat n) x⟩
instance : HPow Real Nat Real := ⟨Real.npow⟩

theorem mk_le_mk : mk a ha ≤ mk b hb ↔ LimLE a b := Iff.rfl

theorem mk_lt_mk : mk a ha < mk b hb ↔ LimLT a b := not_limLE_iff ha hb

theorem zero_lt_mk : 0 < mk a ha ↔ LimLT (fun _ => 0) a := not_limLE_iff (isCauSeq_const 0) ha

/-! ### Laws -/

instance : CommRing Real where
  add_zero := ind fun _ _ => mk_congr fun _ => Rat.add_zero _
  add_comm := ind fun _ _ => ind fun _ _ => mk_congr fun _ => Rat.add_comm ..
  add_assoc := ind fun _ _ => ind fun _ _ => ind fun _ _ => mk_congr fun _ => Rat.add_assoc ..
  mul_assoc := ind fun _ _ => ind fun _ _ => ind fun _ _ => mk_congr fun _ => Rat.mul_assoc ..
  mul_comm := ind fun _ _ => ind fun _ _ => mk_congr fun _ => Rat.mul_comm ..
  mul_one := ind fun _ _ => mk_congr fun _ => Rat.mul_one _
  one_mul := ind fun _ _ => mk_congr fun _ => Rat.one_mul _
  mul_zero := ind fun _ _ => mk_congr fun _ => Rat.mul_zero _
  zero_mul := ind fun _ _ => mk_congr fun _ => Rat.zero_mul _
  left_distrib := ind fun _ _ => ind fun _ _ => ind fun _ _ => mk_congr fun _ => Rat.mul_add ..
  right_distrib := ind fun _ _ => ind fun _ _ => ind fun _ _ => mk_congr fun _ => Rat.add_mul ..
  pow_zero _ := rfl
  pow_succ _ _ := rfl
  ofNat_succ n := mk_congr fun _ => Rat.natCast_add n 1
  neg_add_cancel := ind fun _ _ => mk_congr fun _ => Rat.neg_add_cancel _
  sub_eq_add_neg _ _ := rfl
  neg_zsmul i := ind fun a _ => mk_congr fun n => by
    show ((-i : Int) : Rat) * a n = -((i : Rat) * a n)
    rw [Rat.intCast_neg, Rat.neg_mul]
  intCast_neg i := mk_congr fun _ => Rat.intCast_neg i

/-- The order of the reals is linear. -/
instance : Std.IsLinearOrder Real where
  le_refl := ind fun a _ => .refl a
  le_trans := ind fun _ _ => ind fun _ _ => ind fun _ _ h h' => LimLE.trans h h'
  le_antisymm := ind fun _ _ => ind fun _ _ h h' => mk_eq_mk.mpr (limEq_iff.mpr ⟨h, h'⟩)
  le_total := ind fun _ ha => ind fun _ hb =>
    Classical.or_iff_not_imp_left.mpr fun h => ((not_limLE_iff hb ha).mp h).le

instance : Std.LawfulOrderLT Real where
  lt_iff := ind fun _ ha => ind fun _ hb =>
    ⟨fun h => ⟨((not_limLE_iff ha hb).mp h).le, h⟩, fun h => h.2⟩

theorem add_le_add_right : ∀ x y z : Real, x ≤ y → x + z ≤ y + z :=
  ind fun a _ => ind fun b _ => ind fun c _ h e he =>
    (h e he).mono fun n (hn : a n ≤ b n + e) => by
      show a n + c n ≤ b n + c n + e
      grind

instance : OrderedAdd Real where
  add_le_left_iff {x y} z := by
    refine ⟨add_le_add_right x y z, fun h => ?_⟩
    have h1 := add_le_add_right _ _ (-z) h
    have h2 : x + z + -z = x := by grind
    have h3 : y + z + -z = y := by grind
    rwa [h2, h3] at h1

/-- A product of positive real numbers is positive. -/
protected theorem mul_pos : ∀ x y : Real, 0 < x → 0 < y → 0 < x * y := by
  refine ind fun a ha => ind fun b hb hx hy => ?_
  obtain ⟨d, hd, hda⟩ := zero_lt_mk.mp hx
  obtain ⟨d', hd', hdb⟩ := zero_lt_mk.mp hy
  refine zero_lt_mk.mpr ⟨d * d', Rat.mul_pos hd hd', (hda.and hdb).mono fun n h => ?_⟩
  have := Rat.mul_le_mul (show d ≤ a n by grind) (show d' ≤ b n by grind)
    (Rat.le_of_lt hd) (by grind)
  grind

instance : OrderedRing Real where
  zero_lt_one := zero_lt_mk.mpr ⟨1, by grind, .of_forall fun _ => by grind⟩
  mul_lt_mul_of_pos_left {a b c} hab hc := by
    have h1 := Real.mul_pos c (b - a) hc (by grind)
    have h2 : c * (b - a) = c * b - c * a := by grind
    rw [h2] at h1
    grind
  mul_lt_mul_of_pos_right {a b c} hab hc := by
    have h1 := Real.mul_pos c (b - a) hc (by grind)
    have h2 : c * (b - a) = b * c - a * c := by grind
    rw [h2] at h1
    grind

end Real
end PostNorm
