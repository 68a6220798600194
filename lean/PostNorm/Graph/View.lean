import PostNorm.Graph.Reshape

/-! # Views: transpose, reshape, broadcast

A view reads a tensor of one shape as a tensor of another.  It is pure data, and each one is a single exported
`transpose`, `reshape` or `broadcast`.

## Main definitions

* `View s t`: a way to read a tensor of shape `s` as one of shape `t`.
* `View.map`: which source coordinate is read; `View.push`: its adjoint, which sums over the reads.

## Main statements

* `View.adjoint`. -/

namespace PostNorm
universe u

/-- A way to read a tensor of shape `s` as one of shape `t`; pure data. -/
inductive View : Shape → Shape → Type where
  /-- Swap the last two axes. -/
  | swap {s : Shape} {m n : Nat} : View (s ▹ m ▹ n) (s ▹ n ▹ m)
  /-- Cut the last axis into `h` pieces of length `d`. -/
  | split {s : Shape} (h d : Nat) : View (s ▹ (h * d)) (s ▹ h ▹ d)
  /-- Join the last two axes. -/
  | merge {s : Shape} {h d : Nat} : View (s ▹ h ▹ d) (s ▹ (h * d))
  /-- Repeat along a new last axis of length `n`. -/
  | spread {s : Shape} (n : Nat) : View s (s ▹ n)
  /-- Act on all axes except the last. -/
  | under {s t : Shape} (n : Nat) (v : View s t) : View (s ▹ n) (t ▹ n)

/-- The coordinate of the source that is read at a coordinate of the target. -/
def View.map : {s t : Shape} → View s t → t.Coord → s.Coord
  | _, _, .swap, ((c, i), j) => ((c, j), i)
  | _, _, .split _ _, ((c, i), j) => (c, flat i j)
  | _, _, .merge, (c, k) => ((c, (unflat k).1), (unflat k).2)
  | _, _, .spread _, (c, _) => c
  | _, _, .under _ v, (c, i) => (v.map c, i)

/-- Add up the entries of `d` that a view reads at each source coordinate: its adjoint. -/
def View.push {α : Type u} [Add α] [Zero α] : {s t : Shape} → View s t → Tensor α t → Tensor α s
  | _, _, .swap, d => fun ((c, i), j) => d ((c, j), i)
  | _, _, .split _ _, d => fun (c, k) => d ((c, (unflat k).1), (unflat k).2)
  | _, _, .merge, d => fun ((c, i), j) => d (c, flat i j)
  | _, _, .spread n, d => fun c => finSum n fun i => d (c, i)
  | _, _, .under _ v, d => fun (c, i) => v.push (fun e => d (e, i)) c

/-- Adding up is the adjoint of reading. -/
theorem View.adjoint {R : Type u} [RealField R] {s t : Shape} (v : View s t) (x : Tensor R s)
    (d : Tensor R t) : Tensor.dot (fun e => x (v.map e)) d = Tensor.dot x (v.push d) := by
  induction v with
  | swap =>
    simp only [Tensor.dot, coordSum, View.map, View.push]
    congr 1; funext c; exact finSum_comm _ _ _
  | split h k => simp only [Tensor.dot, coordSum, View.map, View.push, finSum_flat, unflat_flat]
  | merge => simp only [Tensor.dot, coordSum, View.map, View.push, finSum_flat, unflat_flat]
  | spread n => simp only [Tensor.dot, coordSum, View.map, View.push, mul_finSum]
  | under n v ih =>
    simp only [Tensor.dot, coordSum, View.map, View.push]
    rw [coordSum_finSum, coordSum_finSum]
    congr 1; funext i
    exact ih (fun c => x (c, i)) fun e => d (e, i)

end PostNorm
