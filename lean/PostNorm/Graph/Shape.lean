import PostNorm.Calculus

/-! # Shapes of any rank, and tensors

A shape is a list of axes that grows at its end, so that "the last axis, whatever leads" is a pattern.
Axes have lengths, and a tensor is a function of coordinates.

## Main definitions

* `Shape`, with notation `⟦n, d⟧` and `s ▹ n`.
* `Shape.Coord s`: coordinates, one `Fin` for each axis.
* `Tensor α s`, and its readings as vector, matrix, row.

## Notation

`⟦seqLen, dModel⟧`, `⟦⟧`, `s ▹ n`: see `lean/NOTATION.md`. -/

namespace PostNorm
universe u

/-- A shape: the lengths of its axes. -/
inductive Shape where
  /-- The shape of a scalar: no axes. -/
  | unit
  /-- `s ▹ n` has the axes of `s`, followed by one last axis of length `n`. -/
  | snoc (s : Shape) (n : Nat)
  deriving DecidableEq

@[inherit_doc Shape.snoc] syntax:65 term:65 " ▹ " term:66 : term
macro_rules | `($s ▹ $n) => `(Shape.snoc $s $n)

/-- `⟦n, d⟧` is the shape with axes `n`, `d`; `⟦⟧` is the shape of a scalar. -/
syntax "⟦" term,* "⟧" : term
macro_rules
  | `(⟦ $ts,* ⟧) => do
    let mut e ← `(Shape.unit)
    for t in ts.getElems do e ← `(Shape.snoc $e $t)
    return e

/-- Print the empty shape as `⟦⟧`. -/
@[app_unexpander Shape.unit] def unexpandUnit : Lean.PrettyPrinter.Unexpander
  | `($_) => `(⟦⟧)

/-- Print shapes by their axes. -/
@[app_unexpander Shape.snoc] def unexpandSnoc : Lean.PrettyPrinter.Unexpander
  | `($_ ⟦⟧ $n) => `(⟦$n⟧)
  | `($_ ⟦$ts,*⟧ $n) => `(⟦$ts,*, $n⟧)
  | `($_ $s $n) => `($s ▹ $n)
  | _ => throw ()

/-- Coordinates of a shape: one `Fin` for each axis. -/
@[reducible] def Shape.Coord : Shape → Type
  | .unit => Unit
  | s ▹ n => s.Coord × Fin n

/-- The number of axes. -/
def Shape.rank : Shape → Nat
  | .unit => 0
  | s ▹ _ => s.rank + 1

/-- The lengths of the axes, first axis first. -/
def Shape.axes : Shape → List Nat
  | .unit => []
  | s ▹ n => s.axes ++ [n]

/-- A tensor: a number at every coordinate. -/
abbrev Tensor (α : Type u) (s : Shape) : Type u := s.Coord → α

/-- Coordinates can be compared. -/
def Shape.decEqCoord : (s : Shape) → DecidableEq s.Coord
  | .unit => inferInstanceAs (DecidableEq Unit)
  | s ▹ _ => @instDecidableEqProd _ _ s.decEqCoord _

instance (s : Shape) : DecidableEq s.Coord := s.decEqCoord

instance (s : Shape) : FiniteIndex s.Coord := by
  induction s with
  | unit => exact (inferInstance : FiniteIndex Unit)
  | snoc s n ih => exact (inferInstance : FiniteIndex (s.Coord × Fin n))

section readings
variable {α : Type u} {s : Shape} {n m : Nat}

/-- A tensor with two axes, read as a matrix. -/
def Tensor.mat (t : Tensor α ⟦n, m⟧) : Fin n → Fin m → α := fun i j => t (((), i), j)

/-- A matrix as a tensor with two axes. -/
def Tensor.ofMat (M : Fin n → Fin m → α) : Tensor α ⟦n, m⟧ := fun c => M c.1.2 c.2

/-- A tensor with one axis, read as a vector. -/
def Tensor.vec (t : Tensor α ⟦n⟧) : Fin n → α := fun j => t ((), j)

/-- A vector as a tensor with one axis. -/
def Tensor.ofVec (v : Fin n → α) : Tensor α ⟦n⟧ := fun c => v c.2

/-- The vector along the last axis, at a coordinate of the leading axes. -/
def Tensor.row (t : Tensor α (s ▹ n)) (c : s.Coord) : Fin n → α := fun j => t (c, j)

/-- The matrix along the last two axes, at a coordinate of the leading axes. -/
def Tensor.page (t : Tensor α (s ▹ n ▹ m)) (c : s.Coord) : Fin n → Fin m → α := fun i j => t ((c, i), j)

end readings
end PostNorm
