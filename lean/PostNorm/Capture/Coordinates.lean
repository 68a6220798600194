import PostNorm.Capture.Quote
import PostNorm.Capture.Same

/-! # Places in a tensor, as data and as terms

A layout maps each place of its result to a place of its argument.  Here such places are data: the place along an axis
is a variable, a number, a cut or a join of others, or a shift.

## Main definitions

* `Ix`: the place along one axis; `Place`: along all, last axis first.
* `Ix.normal`: an axis that was cut and joined again is simplified.
* `Place.term`: a place as a term; `placeOf`: the place that a coordinate is.
* `Place.replace`: substitution of places; `Place.value`: the value at numbers. -/

namespace PostNorm.Capture
open Lean

/-- The place along one axis. -/
inductive Ix where
  /-- A term. -/
  | atom (term : Expr) (length : Nat)
  /-- A number. -/
  | lit (length value : Nat)
  /-- Entry `j` of piece `i` of an axis that was cut into `h` pieces of length `d`. -/
  | flat (h d : Nat) (i j : Ix)
  /-- Which piece. -/
  | piece (h d : Nat) (k : Ix)
  /-- Which entry of it. -/
  | entry (h d : Nat) (k : Ix)
  /-- This many entries further along a longer axis. -/
  | shift (length offset : Nat) (k : Ix)
  deriving BEq, Inhabited

/-- The places along all axes, last axis first. -/
abbrev Place := List Ix

namespace Ix

/-- The length of the axis. -/
def length : Ix → Nat
  | .atom _ n | .lit n _ | .shift n _ _ => n
  | .flat h d _ _ => h * d
  | .piece h _ _ => h
  | .entry _ d _ => d

/-- Simplify an axis that was cut and joined again, or joined and cut again. -/
def normal : Ix → Ix
  | .atom e n => .atom e n
  | .lit n v => .lit n v
  | .flat h d i j => match i.normal, j.normal with
    | .lit _ v, .lit _ w => .lit (h * d) (v * d + w)
    | .piece h' d' k, .entry h'' d'' k' =>
      if h == h' && h == h'' && d == d' && d == d'' && k == k' then k
      else .flat h d (.piece h' d' k) (.entry h'' d'' k')
    | i, j => .flat h d i j
  | .piece h d k => match k.normal with
    | .lit _ v => .lit h (v / d)
    | .flat h' d' i j => if h == h' && d == d' then i else .piece h d (.flat h' d' i j)
    | k => .piece h d k
  | .entry h d k => match k.normal with
    | .lit _ v => .lit d (v % d)
    | .flat h' d' i j => if h == h' && d == d' then j else .entry h d (.flat h' d' i j)
    | k => .entry h d k
  | .shift n offset k => match k.normal with
    | .lit _ v => .lit n (offset + v)
    | k => .shift n offset k

/-- Other places for some. -/
def replace (f : Ix → Option Ix) (k : Ix) : Ix :=
  match f k with
  | some new => new
  | none => match k with
    | .flat h d i j => .flat h d (i.replace f) (j.replace f)
    | .piece h d k => .piece h d (k.replace f)
    | .entry h d k => .entry h d (k.replace f)
    | .shift n offset k => .shift n offset (k.replace f)
    | k => k

/-- The terms that it contains. -/
def atoms : Ix → List Expr
  | .atom e _ => [e]
  | .lit _ _ => []
  | .flat _ _ i j => i.atoms ++ j.atoms
  | .piece _ _ k | .entry _ _ k | .shift _ _ k => k.atoms

/-- Its number, where terms have the numbers that `at_` gives. -/
def value (at_ : Expr → Nat → Nat) : Ix → Nat
  | .atom e n => at_ e n
  | .lit _ v => v
  | .flat _ d i j => i.value at_ * d + j.value at_
  | .piece _ d k => k.value at_ / d
  | .entry _ d k => k.value at_ % d
  | .shift _ offset k => offset + k.value at_

/-- A proposition such as `a < n`, decided by the kernel. -/
private def yes : Expr := mkApp2 (mkConst ``Eq.refl [1]) (mkConst ``Bool) (mkConst ``Bool.true)

/-- The place as a term. -/
def term : Ix → Expr
  | .atom e _ => e
  | .lit n v => mkApp3 (mkConst ``Fin.mk) (natE n) (natE v)
      (mkApp3 (mkConst ``Nat.le_of_ble_eq_true) (natE (v + 1)) (natE n) yes)
  | .flat h d i j => mkApp4 (mkConst ``PostNorm.flat) (natE h) (natE d) i.term j.term
  | .piece h d k => mkApp3 (mkConst ``Prod.fst [0, 0]) (fin h) (fin d) (cut h d k)
  | .entry h d k => mkApp3 (mkConst ``Prod.snd [0, 0]) (fin h) (fin d) (cut h d k)
  | .shift n offset k => mkAppN (mkConst ``shifted) #[natE k.length, natE n, natE offset, yes, k.term]
where
  fin (n : Nat) : Expr := mkApp (mkConst ``Fin) (natE n)
  cut (h d : Nat) (k : Ix) : Expr := mkApp3 (mkConst ``unflat) (natE h) (natE d) k.term

end Ix

/-- The numbers below `n`, as a type. -/
def finE (n : Nat) : Expr := mkApp (mkConst ``Fin) (natE n)

/-- The coordinates of a shape, last axis first, as a type. -/
def coordE : List Nat → Expr
  | [] => mkConst ``Unit
  | n :: s => mkApp2 (mkConst ``Prod [0, 0]) (coordE s) (finE n)

namespace Place

/-- The lengths of the axes, last axis first. -/
def lengths (p : Place) : List Nat := p.map (·.length)

/-- A place as a coordinate. -/
def term : Place → Expr
  | [] => mkConst ``Unit.unit
  | k :: p => mkApp4 (mkConst ``Prod.mk [0, 0]) (coordE (lengths p)) (finE k.length) (term p) k.term

/-- Other places for some. -/
def replace (f : Ix → Option Ix) (p : Place) : Place := p.map (·.replace f)

/-- See `Ix.normal`. -/
def normal (p : Place) : Place := p.map (·.normal)

end Place

/-- The place that a coordinate is; `s` are its lengths, last axis first. -/
def placeOf (c : Expr) : List Nat → Place
  | [] => []
  | n :: s =>
    let part (f : Name) := mkApp3 (mkConst f [0, 0]) (coordE s) (finE n) c
    .atom (part ``Prod.snd) n :: placeOf (part ``Prod.fst) s

/-- The places of the argument of a reshape that go to those of its result.  Axes are joined from the end until both
sides have the same number of entries, and cut again; `none` if the shapes differ in that number. -/
partial def reshaped (source : List Nat) (place : Place) : Option Place :=
  match source, place with
  | [], [] => some []
  | [], p => if p.all (·.length == 1) then some [] else none
  | n :: s, p =>
    if n == 1 && (p.head?.map (·.length)).getD 0 != 1 then (.lit 1 0 :: ·) <$> reshaped s p else
    match p with
    | [] => if n == 1 then (.lit 1 0 :: ·) <$> reshaped s [] else none
    | k :: p =>
      if k.length == n then (k :: ·) <$> reshaped s p
      else if k.length < n then match p with
        | i :: p => reshaped (n :: s) (.flat i.length k.length i k :: p)
        | [] => none
      else if k.length % n == 0 then
        (.entry (k.length / n) n k :: ·) <$> reshaped s (.piece (k.length / n) n k :: p)
      else none

end PostNorm.Capture
