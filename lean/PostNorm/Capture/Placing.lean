import PostNorm.Graph.Op.Place
import PostNorm.Run.Buffer

/-! # Ways to place entries, as exported graphs write them

A captured graph says `transpose`, `reshape` or `place`, with numbers.  Here each is the index map of `Op.place`, so
that export and proof use the same data.

## Main definitions

* `Placing`: the data; `Placing.map`: the index map; `Op.placed`. -/

namespace PostNorm
universe u w

/-- The coordinate as a list, last axis first. -/
def Shape.toRev : {s : Shape} → s.Coord → List Nat
  | .unit, _ => []
  | _ ▹ _, (c, i) => i.val :: toRev c

/-- The coordinate that a list denotes, last axis first, if it is one. -/
def Shape.ofRev? : (s : Shape) → List Nat → Option s.Coord
  | .unit, [] => some ()
  | s ▹ n, i :: is => if h : i < n then (s.ofRev? is).map fun c => (c, ⟨i, h⟩) else none
  | _, _ => none

/-- Entry `k` of a table of numbers below `bound`, each optional: the table is one number, whose digits in base
`bound + 1` are 0 for nothing and `k + 1` for `k`.  One number is one node of a term, however long the table is. -/
def tableEntry (bound table k : Nat) : Option Nat :=
  match table / (bound + 1) ^ k % (bound + 1) with
  | 0 => none
  | k + 1 => some k

/-- A way to place the entries of a tensor. -/
inductive Placing where
  /-- Axis `i` of the result is axis `perm[i]` of the argument. -/
  | transpose (perm : List Nat)
  /-- The same entries in row-major order. -/
  | reshape
  /-- Along this axis, the result has the entries that the table lists. -/
  | place (axis table : Nat)

namespace Placing

/-- The entry of the argument at a coordinate of the result. -/
def map : Placing → (s t : Shape) → t.Coord → Option s.Coord
  | .transpose perm, s, _, c =>
    let here := (Shape.toRev c).reverse
    s.ofRev? ((List.range perm.length).map fun axis => here.getD (perm.idxOf axis) 0).reverse
  | .reshape, s, t, c =>
    let k := (t.index c).val
    if h : k < s.size then some (s.coord ⟨k, h⟩) else none
  | .place axis table, s, _, c =>
    let here := (Shape.toRev c).reverse
    (tableEntry (s.axes.getD axis 0) table (here.getD axis 0)).bind fun k => s.ofRev? (here.set axis k).reverse

/-- The name in exported graphs. -/
def name : Placing → String
  | .transpose _ => "transpose"
  | .reshape => "reshape"
  | .place _ _ => "place"

/-- The parameters in exported graphs. -/
def params : Placing → (s t : Shape) → List (String × Param)
  | .transpose perm, _, _ => [("perm", .nats perm)]
  | .reshape, _, _ => []
  | .place axis table, s, t =>
    [("axis", .nat axis), ("index", .ints <| (List.range (t.axes.getD axis 0)).map fun k =>
      (tableEntry (s.axes.getD axis 0) table k).elim (-1) Int.ofNat)]

end Placing

/-- Transpose, reshape, or place along an axis. -/
def Op.placed {K : Type u} {Γ : Context} {s t : Shape} (p : Placing) (i : Idx Γ s) : Op.{u, w} K Γ t :=
  .place p.name (p.params s t) (p.map s t) i

end PostNorm
