import PostNorm.Graph.Context

/-! # Tensors stored in arrays

A tensor is a function of its coordinates; stored, it is an array in row-major order.  Reading a stored tensor returns
the tensor, so storing only changes a program's cost.

## Main definitions

* `Shape.size`, `Shape.index`, `Shape.coord`: the row-major order of coordinates.
* `Buffer α s`: a stored tensor; `Buffer.ofTensor`, `Buffer.get`.

## Main statements

* `Shape.coord_index`, `Buffer.get_ofTensor`. -/

namespace PostNorm
universe u

/-- The number of entries. -/
def Shape.size : Shape → Nat
  | .unit => 1
  | s ▹ n => s.size * n

/-- The row-major place of a coordinate. -/
def Shape.index : (s : Shape) → s.Coord → Fin s.size
  | .unit, _ => ⟨0, Nat.one_pos⟩
  | s ▹ _, (c, i) => flat (s.index c) i

/-- The coordinate at a row-major place. -/
def Shape.coord : (s : Shape) → Fin s.size → s.Coord
  | .unit, _ => ()
  | s ▹ _, k => (s.coord (unflat k).1, (unflat k).2)

theorem Shape.coord_index (s : Shape) (c : s.Coord) : s.coord (s.index c) = c := by
  induction s with
  | unit => rfl
  | snoc s n ih => simp only [Shape.coord, Shape.index, unflat_flat, ih]

/-- A stored tensor: its entries in row-major order. -/
structure Buffer (α : Type u) (s : Shape) where
  /-- The entries. -/
  data : Array α
  size_eq : data.size = s.size

variable {α : Type u} {s : Shape}

/-- Read a stored tensor. -/
def Buffer.get (b : Buffer α s) : Tensor α s := fun c =>
  b.data[s.index c]'(by rw [b.size_eq]; exact (s.index c).2)

/-- Compute every entry of a tensor once, and store it. -/
def Buffer.ofTensor (t : Tensor α s) : Buffer α s := ⟨Array.ofFn fun k => t (s.coord k), by simp⟩

/-- Storing a tensor does not change it. -/
@[simp] theorem Buffer.get_ofTensor (t : Tensor α s) : (Buffer.ofTensor t).get = t := by
  funext c
  show (Array.ofFn fun k => t (s.coord k))[(s.index c : Nat)]'_ = t c
  rw [Array.getElem_ofFn]
  exact congrArg t (s.coord_index c)

/-- An array as a stored tensor, if it has the right number of entries. -/
def Buffer.ofArray? (s : Shape) (data : Array α) : Option (Buffer α s) :=
  if h : data.size = s.size then some ⟨data, h⟩ else none

end PostNorm
