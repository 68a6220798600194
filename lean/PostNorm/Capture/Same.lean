import PostNorm.Capture.Rules

/-! # Two graphs, value by value

Each value of two graphs is given by one equation: an operation on others.  The rules here say when an entry of one is
an entry of the other.  A layout only moves entries; sums and products may have either operand first; a sum with zero
is dropped; a factor of the scores may be applied to the queries.

## Main definitions

* `plus`, `minus`, `times`, `inverse`, `applied`, `averaged`: the functions in the equations.
* `shifted`: an entry further along an axis.
* `same_place`: the tactic that decides whether two coordinates are equal, by linear arithmetic.

## Main statements

* `Same.map`, `Same.two`, `Same.sum`, `Same.product`, …: the rules.
* `transpose_map`, `reshape_map`, `place_map`: a placing as a map of coordinates.
* `Graph.Differentiated.of_formula`: theorems about a graph hold for the formula that it computes. -/

namespace PostNorm.Capture
universe u
open RealField Lean.Grind

section functions
variable {R : Type u} [RealField R]

/-- A sum. -/
def plus (x y : R) : R := x + y

/-- A difference. -/
def minus (x y : R) : R := x - y

/-- A product. -/
def times (x y : R) : R := x * y

/-- A sum with a constant, which comes second. -/
def plusConst (k x : R) : R := x + k

/-- One over a number. -/
def inverse (x : R) : R := x⁻¹

/-- A function of one number. -/
def applied (f : ScalarFunction.{u}) (x : R) : R := f x

/-- The positive part. -/
def positivePart (x : R) : R := Scalar.relu x

/-- The identity on numbers. -/
def itself (x : R) : R := x

/-- A sum of `n` numbers, as their mean. -/
def averaged (n : Nat) (x : R) : R := (Scalar.ofNat n)⁻¹ * x

end functions

/-! ## Coordinates -/

/-- The entry `offset` further along a longer axis. -/
def shifted {m n : Nat} (offset : Nat) (fits : Nat.ble (offset + m) n = true) (k : Fin m) : Fin n :=
  ⟨offset + k, Nat.lt_of_lt_of_le (Nat.add_lt_add_left k.2 offset) (Nat.le_of_ble_eq_true fits)⟩

theorem shifted_val {m n : Nat} (offset : Nat) (fits : Nat.ble (offset + m) n = true) (k : Fin m) :
    (shifted offset fits k).val = offset + k.val := rfl

theorem flat_val {h d : Nat} (i : Fin h) (j : Fin d) : (flat i j).val = i.val * d + j.val := rfl

theorem unflat_fst_val {h d : Nat} (k : Fin (h * d)) : (unflat k).1.val = k.val / d := rfl

theorem unflat_snd_val {h d : Nat} (k : Fin (h * d)) : (unflat k).2.val = k.val % d := rfl

theorem pair_eq {α β : Type} {a a' : α} {b b' : β} (ha : a = a') (hb : b = b') : (a, b) = (a', b') := by
  rw [ha, hb]

/-- Whether two places are equal, by linear arithmetic. -/
macro "same_place" : tactic => `(tactic| (
  (try simp only [Shape.index, flat_val, unflat_fst_val, unflat_snd_val, shifted_val])
  (try omega)))

/-! ## Placings as maps of coordinates -/

theorem ofRev_toRev : {s : Shape} → (c : s.Coord) → s.ofRev? (Shape.toRev c) = some c
  | .unit, _ => rfl
  | s ▹ n, (c, i) => by
    show (if h : i.val < n then (s.ofRev? (Shape.toRev c)).map fun c => (c, (⟨i.val, h⟩ : Fin n)) else none) = _
    rw [dif_pos i.2, ofRev_toRev c]
    rfl

/-- A transposition moves the entry `e` to `c` if it maps the places of the one to those of the other. -/
theorem transpose_map {perm : List Nat} {s t : Shape} {c : t.Coord} (e : s.Coord)
    (h : ((List.range perm.length).map fun axis =>
      (Shape.toRev c).reverse.getD (perm.idxOf axis) 0).reverse = Shape.toRev e) :
    (Placing.transpose perm).map s t c = some e := by
  show s.ofRev? _ = some e
  rw [h]
  exact ofRev_toRev e

/-- A reshape moves the entry `e` to `c` if they have the same place in row-major order. -/
theorem reshape_map {s t : Shape} {c : t.Coord} (e : s.Coord) (h : (s.index e).val = (t.index c).val) :
    Placing.reshape.map s t c = some e := by
  have hs : (t.index c).val < s.size := h ▸ (s.index e).2
  show (if h : (t.index c).val < s.size then some (s.coord ⟨_, h⟩) else none) = some e
  rw [dif_pos hs]
  have he : (⟨(t.index c).val, hs⟩ : Fin s.size) = s.index e := Fin.ext h.symm
  rw [he, Shape.coord_index]

/-- The table says `offset + v` at each of the first `length` places. -/
def isSlice (bound table offset length : Nat) : Bool :=
  (List.range length).all fun v => tableEntry bound table v == some (offset + v)

/-- A slice along an axis moves the entry `e` to `c` if it is `offset` further along that axis. -/
theorem place_map {axis table : Nat} {s t : Shape} {c : t.Coord} (e : s.Coord) (offset length : Nat)
    (slice : isSlice (s.axes.getD axis 0) table offset length = true)
    (inside : (Shape.toRev c).reverse.getD axis 0 < length)
    (h : ((Shape.toRev c).reverse.set axis (offset + (Shape.toRev c).reverse.getD axis 0)).reverse =
      Shape.toRev e) :
    (Placing.place axis table).map s t c = some e := by
  have entry : tableEntry (s.axes.getD axis 0) table ((Shape.toRev c).reverse.getD axis 0) =
      some (offset + (Shape.toRev c).reverse.getD axis 0) := by
    have all := List.all_eq_true.1 slice _ (List.mem_range.2 inside)
    exact eq_of_beq all
  show (tableEntry _ _ _).bind _ = _
  rw [entry]
  show s.ofRev? _ = some e
  rw [h]
  exact ofRev_toRev e

/-- A placed tensor, by the placing's map of coordinates. -/
theorem placed {R : Type u} [RealField R] {s t : Shape} {x : Tensor R t} {a : Tensor R s} (p : Placing)
    (f : t.Coord → s.Coord) (hp : ∀ c, p.map s t c = some (f c)) (hx : ∀ c, x c = (p.map s t c).elim 0 a)
    (c : t.Coord) : x c = a (f c) := by
  rw [hx, hp]
  rfl

/-! ## The rules -/

namespace Same

theorem map {R : Type u} {x y p q : R} (f : R → R) (hx : x = f p) (hy : y = f q) (h : p = q) : x = y := by
  rw [hx, hy, h]

theorem two {R : Type u} {x y p q p' q' : R} (f : R → R → R) (hx : x = f p q) (hy : y = f p' q') (hp : p = p')
    (hq : q = q') : x = y := by
  rw [hx, hy, hp, hq]

variable {R : Type u} [RealField R]

theorem plusSwapped {x y p q p' q' : R} (hx : x = plus p q) (hy : y = plus p' q') (hp : p = q') (hq : q = p') :
    x = y := by
  rw [hx, hy, hp, hq]
  show q' + p' = p' + q'
  grind

theorem timesSwapped {x y p q p' q' : R} (hx : x = times p q) (hy : y = times p' q') (hp : p = q') (hq : q = p') :
    x = y := by
  rw [hx, hy, hp, hq]
  show q' * p' = p' * q'
  grind

theorem sum {n : Nat} {x y : R} {p q : Fin n → R} (f : R → R) (hx : x = f (finSum n p)) (hy : y = f (finSum n q))
    (h : ∀ l, p l = q l) : x = y := by
  rw [hx, hy, funext h]

theorem product {n : Nat} {x y : R} {p q p' q' : Fin n → R} (hx : x = finSum n fun l => times (p l) (q l))
    (hy : y = finSum n fun l => times (p' l) (q' l)) (hp : ∀ l, p l = p' l) (hq : ∀ l, q l = q' l) : x = y := by
  rw [hx, hy, funext hp, funext hq]

theorem productSwapped {n : Nat} {x y : R} {p q p' q' : Fin n → R} (hx : x = finSum n fun l => times (p l) (q l))
    (hy : y = finSum n fun l => times (p' l) (q' l)) (hp : ∀ l, p l = q' l) (hq : ∀ l, q l = p' l) : x = y := by
  rw [hx, hy, funext hp, funext hq]
  congr 1; funext l
  show q' l * p' l = p' l * q' l
  grind

theorem plusZero {x y p q : R} (hx : x = plus p q) (hq : q = 0) (h : p = y) : x = y := by
  rw [hx, hq, h]
  show y + 0 = y
  grind

theorem zeroPlus {x y p q : R} (hx : x = plus p q) (hp : p = 0) (h : q = y) : x = y := by
  rw [hx, hp, h]
  show 0 + y = y
  grind

/-- A factor of the sum of products, taken out of the first factors. -/
theorem factorLeft {n : Nat} {k x y : R} {z : R} {p q p' q' r : Fin n → R} (hx : x = times k z)
    (hz : z = finSum n fun l => times (p l) (q l)) (hy : y = finSum n fun l => times (p' l) (q' l))
    (hp' : ∀ l, p' l = times k (r l)) (hp : ∀ l, p l = r l) (hq : ∀ l, q l = q' l) : x = y := by
  rw [hx, hz, hy, funext hp', funext hp, funext hq]
  show k * _ = _
  rw [mul_finSum]
  congr 1; funext l
  show k * (r l * q' l) = k * r l * q' l
  grind

/-- The same, taken out of the second factors. -/
theorem factorRight {n : Nat} {k x y : R} {z : R} {p q p' q' r : Fin n → R} (hx : x = times k z)
    (hz : z = finSum n fun l => times (p l) (q l)) (hy : y = finSum n fun l => times (p' l) (q' l))
    (hq' : ∀ l, q' l = times k (r l)) (hp : ∀ l, p l = p' l) (hq : ∀ l, q l = r l) : x = y := by
  rw [hx, hz, hy, funext hq', funext hp, funext hq]
  show k * _ = _
  rw [mul_finSum]
  congr 1; funext l
  show k * (p' l * r l) = p' l * (k * r l)
  grind

end Same

/-! ## From values to graphs -/

section graphs
variable {R : Type u} [RealField R] {Γ Δ : Context} {s t : Shape}

/-- Two graphs compute the same value if their values are equal. -/
theorem start {g : Graph R Γ s} {h : Graph R Δ s} {ρ : Env R Γ} {σ : Env R Δ}
    (same : ∀ x, x = g.eval ρ → ∀ y, y = h.eval σ → x = y) : g.eval ρ = h.eval σ := same _ rfl _ rfl

/-- The value of a graph that saves one, by the value that it saves. -/
theorem saved {name : String} {a : Graph R Γ t} {b : Graph R (t :: Γ) s} {ρ : Env R Γ} {x : Tensor R s} {goal : Prop}
    (hx : x = (Graph.letIn name a b).eval ρ) (next : ∀ y, y = a.eval ρ → x = b.eval (Env.cons y ρ) → goal) : goal :=
  next _ rfl hx

end graphs
end Capture

universe u

/-- The theorems about a graph at a point, for the formula that it computes: forward mode is the formula's Fréchet
derivative, backprop is the adjoint of that, and there is no other adjoint of any derivative of it. -/
structure Graph.Differentiates {R : Type u} [RealField R] {Γ : Context} {s : Shape} (g : Graph R Γ s)
    (formula : Env R Γ → Tensor R s) (ρ : Env R Γ) : Prop where
  /-- The graph computes the formula, at every input. -/
  eval_eq : ∀ ρ, g.eval ρ = formula ρ
  /-- Forward mode is the Fréchet derivative of the formula. -/
  hasFDerivAt : HasFDerivAt (fun ρ : Γ.Coord → R => formula ρ) (g.deriv ρ) ρ
  /-- Backprop is the adjoint of the Fréchet derivative of the formula. -/
  backprop_eq_adjoint_fderiv : ∀ δ, g.backprop ρ δ = (fderiv (fun ρ : Env R Γ => formula ρ) ρ).adjoint δ
  /-- It is the only adjoint of the only derivative. -/
  backprop_unique : ∀ {L : BoundedLinearMap R Γ.Coord s.Coord},
    HasFDerivAt (fun ρ : Γ.Coord → R => formula ρ) L ρ → ∀ {A : Tensor R s → Env R Γ},
    (∀ v δ, Tensor.dot (L v) δ = Env.dot v (A δ)) → ∀ δ, A δ = g.backprop ρ δ

/-- Theorems about a graph hold for the formula that it computes. -/
theorem Graph.Differentiated.of_formula {R : Type u} [RealField R] {Γ : Context} {s : Shape} {g : Graph R Γ s}
    {formula : Env R Γ → Tensor R s} {ρ : Env R Γ} (d : g.Differentiated ρ) (h : ∀ ρ, g.eval ρ = formula ρ) :
    g.Differentiates formula ρ := by
  have e : (fun ρ : Env R Γ => g.eval ρ) = formula := funext h
  refine ⟨h, ?_, ?_, ?_⟩
  · rw [← e]; exact d.hasFDerivAt
  · rw [← e]; exact d.backprop_eq_adjoint_fderiv
  · rw [← e]; exact d.backprop_unique

end PostNorm
