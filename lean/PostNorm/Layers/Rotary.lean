import PostNorm.Graph.Inputs
import PostNorm.Graph.LayerTheorems
import PostNorm.Graph.Op.Gather
import PostNorm.Layers.LayerNorm.Spec

/-! # Rotary positions, with given tables

Each head's vector `x` at a position becomes `x * cos + rotateHalf x * sin`, with the position's rows of the two tables
and `rotateHalf (x₁, x₂) = (-x₂, x₁)` for its two halves.  The tables are inputs: nothing is assumed about them.

## Main definitions

* `ΓRotary`, `rotaryGraph`; `Spec.rotateHalf`, `Spec.rotary`; `rotaryLayer`.

## Main statements

* `rotary_eval`, `rotary_hasFDerivAt`, `rotary_backprop_eq_adjoint_fderiv`: no side condition.

## Sources

* Su et al., *RoFormer*, arXiv:2104.09864; LLaMA's code, with `rotate_half`. -/

namespace PostNorm
universe u

/-- The inputs of rotary positions: vectors for each of `h` heads and `n` positions, and the two tables. -/
declare_inputs ΓRotary (h n d : Nat) where
  /-- The vectors. -/
  x : ⟦h, n, d⟧
  /-- The tables of cosines and of sines. -/
  cos sin : ⟦n, d⟧

section graphs
variable {K : Type u} {h n d : Nat}

/-- The second half moved to the first; nothing in the second. -/
def secondHalf : Reading ⟦h, n, d⟧ ⟦h, n, d⟧ := fun c =>
  if half : c.2.val < d / 2 then some (c.1, ⟨c.2.val + d / 2, by omega⟩) else none

/-- The first half moved to the second; nothing in the first. -/
def firstHalf : Reading ⟦h, n, d⟧ ⟦h, n, d⟧ := fun c =>
  if c.2.val < d / 2 then none else some (c.1, ⟨c.2.val - d / 2, by omega⟩)

/-- Rotary positions: `x * cos + rotateHalf x * sin`. -/
def rotaryGraph : Graph K (ΓRotary h n d) ⟦h, n, d⟧ := graph! x cos sin =>
  let upper : ⟦h, n, d⟧ := .gather secondHalf x
  let lower : ⟦h, n, d⟧ := .gather firstHalf x
  let turned := .sub lower upper
  let cosBroadcast := .view (.under d (.under n (.spread h))) cos
  let sinBroadcast := .view (.under d (.under n (.spread h))) sin
  let straight := .mul x cosBroadcast
  let across := .mul turned sinBroadcast
  let y := .add straight across
  return y

end graphs

section
variable {R : Type u} [RealField R] {h n d : Nat}

/-- The halves exchanged, with a change of sign: `(x₁, x₂)` becomes `(-x₂, x₁)`. -/
def Spec.rotateHalf (x : Fin d → R) : Fin d → R := fun j =>
  if half : j.val < d / 2 then -x ⟨j.val + d / 2, by omega⟩ else x ⟨j.val - d / 2, by omega⟩

/-- Rotary positions of each row: `x * cos + rotateHalf x * sin`. -/
def Spec.rotary (cos sin : Fin n → Fin d → R) (x : Fin n → Fin d → R) : Fin n → Fin d → R := fun i j =>
  x i j * cos i j + Spec.rotateHalf (x i) j * sin i j

/-- Rotary positions with their formula, smooth everywhere. -/
noncomputable def rotaryLayer : Layer R (ΓRotary h n d) ⟦h, n, d⟧ where
  graph := rotaryGraph
  formula ρ := fun c : Shape.Coord ⟦h, n, d⟧ => Spec.rotary (ρ.get ΓRotary.cos).mat (ρ.get ΓRotary.sin).mat
    ((ρ.get ΓRotary.x).page c.1.1) c.1.2 c.2
  Smooth _ := True
  eval_eq ρ := by
    funext c
    graph_simp [rotaryGraph, secondHalf, firstHalf]
    show ρ.get .here c * _ + _ * _ = ρ.get .here c * _ + Spec.rotateHalf _ _ * _
    congr 2
    show _ = if half : c.2.val < d / 2 then -ρ.get .here (c.1, ⟨c.2.val + d / 2, by omega⟩)
      else ρ.get .here (c.1, ⟨c.2.val - d / 2, by omega⟩)
    by_cases half : c.2.val < d / 2
    · rw [dif_pos half, dif_pos half, if_pos half]
      show 0 - ρ.get .here _ = -ρ.get .here _
      grind
    · rw [dif_neg half, dif_neg half, if_neg half]
      show ρ.get .here _ - 0 = ρ.get .here _
      grind
  sideConditions_iff ρ := by graph_side_conditions [rotaryGraph]

/-- Rotary positions have no side condition. -/
theorem rotaryGraph_sideConditions (ρ : Env R (ΓRotary h n d)) : rotaryGraph.SideConditions ρ := by
  graph_side_conditions [rotaryGraph]

end

variable {h n d : Nat}

layer_theorems rotary ρ where
  is "rotary positions"
  layer rotaryLayer
  graph rotaryGraph
  formula fun c : Shape.Coord ⟦h, n, d⟧ => Spec.rotary (ρ.get ΓRotary.cos).mat (ρ.get ΓRotary.sin).mat
    ((ρ.get ΓRotary.x).page c.1.1) c.1.2 c.2
  inputs ΓRotary h n d

end PostNorm
