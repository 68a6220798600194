import PostNorm.Capture.Same
import PostNorm.Layers.Rotary

/-! # Halves of an axis: rotary positions

A table puts its input at the front of a longer axis, or at its back, with zeros for the rest.  The library rotates
halves by the readings `firstHalf` and `secondHalf`, a model by joining slices, one of them times minus one.

## Main definitions

* `front`, `back`: numbers at the front of a longer axis, or at its back.
* `isFront`, `isBack`: whether a table does that.
* `IsMinusOne`: the condition on the constant by which a model changes a sign.

## Main statements

* `secondHalf_front`, `firstHalf_back`, `placed_front`, `placed_back`: the readings and the tables that do this.
* `Same.turned`: halves rotated by the library, and by a model. -/

namespace PostNorm.Capture
universe u
open Lean.Grind
variable {R : Type u} [RealField R] {m d : Nat}

/-- Numbers at the front of a longer axis, then zeros. -/
def front (f : Fin m → R) (j : Fin d) : R := if h : j.val < m then f ⟨j.val, h⟩ else 0

/-- The same number of zeros, then numbers, then zeros. -/
def back (f : Fin m → R) (j : Fin d) : R :=
  if j.val < m then 0 else if h : j.val - m < m then f ⟨j.val - m, h⟩ else 0

/-- The second half, moved to the first. -/
theorem secondHalf_front {h n : Nat} (half : d / 2 = m) (fits : Nat.ble (m + m) d = true) (y : Tensor R ⟦h, n, d⟧)
    (c : Shape.Coord ⟦h, n, d⟧) :
    (secondHalf c).elim 0 y = front (fun l : Fin m => y (c.1, shifted m fits l)) c.2 := by
  subst half
  unfold secondHalf front
  by_cases below : c.2.val < d / 2
  · rw [dif_pos below, dif_pos below]
    show y _ = y _
    congr 2
    exact Fin.ext (Nat.add_comm _ _)
  · rw [dif_neg below, dif_neg below]
    rfl

/-- The first half, moved to the second. -/
theorem firstHalf_back {h n : Nat} (half : d / 2 = m) (even : Nat.beq (m + m) d = true)
    (fits : Nat.ble (0 + m) d = true) (y : Tensor R ⟦h, n, d⟧) (c : Shape.Coord ⟦h, n, d⟧) :
    (firstHalf c).elim 0 y = back (fun l : Fin m => y (c.1, shifted 0 fits l)) c.2 := by
  subst half
  have even := Nat.eq_of_beq_eq_true even
  have inside : c.2.val - d / 2 < d / 2 := by have := c.2.isLt; have := c.2.pos; omega
  unfold firstHalf back
  by_cases below : c.2.val < d / 2
  · rw [if_pos below, if_pos below]
    rfl
  · rw [if_neg below, if_neg below, dif_pos inside]
    show y _ = y _
    congr 2
    exact Fin.ext (Nat.zero_add _).symm

/-- Whether a table puts `m` numbers at the front of an axis of length `d`. -/
def isFront (m table d : Nat) : Bool :=
  (List.range d).all fun v => tableEntry m table v == if v < m then some v else none

/-- Whether a table puts `m` numbers after `m` zeros on an axis of length `d`. -/
def isBack (m table d : Nat) : Bool :=
  (List.range d).all fun v =>
    tableEntry m table v == if v < m then none else if v - m < m then some (v - m) else none

section placed
variable {axis table : Nat} {r : Shape} (a : Tensor R (r ▹ m)) (c : Shape.Coord (r ▹ d))
  (bound : (r ▹ m).axes.getD axis 0 = m) (here : (Shape.toRev c).reverse.getD axis 0 = c.2.val)
  (moved : ∀ l : Fin m, ((Shape.toRev c).reverse.set axis l.val).reverse = Shape.toRev (s := r ▹ m) (c.1, l))
include bound here moved

private theorem placed_at (l : Fin m) (entry : tableEntry m table c.2.val = some l.val) :
    ((Placing.place axis table).map (r ▹ m) (r ▹ d) c).elim 0 a = a (c.1, l) := by
  show ((tableEntry ((r ▹ m).axes.getD axis 0) table ((Shape.toRev c).reverse.getD axis 0)).bind fun k =>
    (r ▹ m).ofRev? ((Shape.toRev c).reverse.set axis k).reverse).elim 0 a = _
  rw [bound, here, entry]
  show ((r ▹ m).ofRev? ((Shape.toRev c).reverse.set axis l.val).reverse).elim 0 a = _
  rw [moved l, ofRev_toRev]
  rfl

omit moved in
private theorem placed_nowhere (entry : tableEntry m table c.2.val = none) :
    ((Placing.place axis table).map (r ▹ m) (r ▹ d) c).elim 0 a = 0 := by
  show ((tableEntry ((r ▹ m).axes.getD axis 0) table ((Shape.toRev c).reverse.getD axis 0)).bind fun k =>
    (r ▹ m).ofRev? ((Shape.toRev c).reverse.set axis k).reverse).elim 0 a = _
  rw [bound, here, entry]
  rfl

/-- A table that puts numbers at the front. -/
theorem placed_front (known : isFront m table d = true) :
    ((Placing.place axis table).map (r ▹ m) (r ▹ d) c).elim 0 a = front (fun l => a (c.1, l)) c.2 := by
  have entry := eq_of_beq (List.all_eq_true.1 known _ (List.mem_range.2 c.2.isLt))
  unfold front
  by_cases below : c.2.val < m
  · rw [dif_pos below]
    exact placed_at a c bound here moved ⟨c.2.val, below⟩ (entry.trans (if_pos below))
  · rw [dif_neg below]
    exact placed_nowhere a c bound here (entry.trans (if_neg below))

/-- A table that puts numbers at the back. -/
theorem placed_back (known : isBack m table d = true) :
    ((Placing.place axis table).map (r ▹ m) (r ▹ d) c).elim 0 a = back (fun l => a (c.1, l)) c.2 := by
  have entry := eq_of_beq (List.all_eq_true.1 known _ (List.mem_range.2 c.2.isLt))
  unfold back
  by_cases below : c.2.val < m
  · rw [if_pos below]
    exact placed_nowhere a c bound here (entry.trans (if_pos below))
  · rw [if_neg below]
    have entry := entry.trans (if_neg below)
    by_cases inside : c.2.val - m < m
    · rw [dif_pos inside]
      exact placed_at a c bound here moved ⟨c.2.val - m, inside⟩ (entry.trans (if_pos inside))
    · rw [dif_neg inside]
      exact placed_nowhere a c bound here (entry.trans (if_neg inside))

end placed

/-- The constant by which a model changes a sign. -/
def IsMinusOne (k : R) : Prop := k = -1

/-- Halves rotated by the library, and by a model: `(x₁, x₂)` becomes `(-x₂, x₁)`. -/
theorem Same.turned {u v k l r p q : R} {low up neg given same : Fin m → R} {j : Fin d} (hu : u = minus l r)
    (hl : l = back low j) (hr : r = front up j) (hv : v = plus p q) (hp : p = front neg j) (hq : q = back same j)
    (hn : ∀ i, neg i = times k (given i)) (hk : k = -1) (hup : ∀ i, up i = given i) (hlow : ∀ i, low i = same i) :
    u = v := by
  rw [hu, hl, hr, hv, hp, hq, funext hn, funext hup, funext hlow, hk]
  unfold front back minus plus times
  by_cases below : j.val < m
  · rw [if_pos below, dif_pos below, dif_pos below]
    grind
  · rw [if_neg below, dif_neg below, dif_neg below]
    grind

end PostNorm.Capture
