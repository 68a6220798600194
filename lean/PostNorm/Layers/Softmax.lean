import PostNorm.Graph.Compose
import PostNorm.Graph.Notation
import Obligations.Attribute

/-! # Softmax over the last axis

`softmax z = exp z / Σ exp z`.  Proofs need no shift by the largest entry; programs do.

## Main definitions

* `softmaxGraph`: the graph; `Spec.softmax`: the formula.

## Main statements

* `softmax_eval`: the graph computes the formula.
* `softmax_hasFDerivAt`, `softmax_backprop_eq_adjoint_fderiv`: softmax is differentiable everywhere, and backprop
  is the adjoint of its derivative.

## Sources

* PyTorch's `softmax(dim=-1)`. -/

namespace PostNorm
universe u
open RealField Lean.Grind

/-- Softmax over the last axis. -/
def softmaxGraph {K : Type u} {s : Shape} {n : Nat} : Graph K [s ▹ n] (s ▹ n) := graph! x =>
  let exp := .exp x
  let sum := .sum exp
  let inv := .inv sum
  let invBroadcast := .broadcastLast n inv
  let weights := .mul exp invBroadcast
  return weights

variable {R : Type u} [RealField R] {s : Shape} {n : Nat}

/-- Softmax of a vector. -/
noncomputable def Spec.softmax (z : Fin n → R) : Fin n → R := fun j => exp (z j) / finSum n fun i => exp (z i)

/-- The softmax graph computes the softmax formula along the last axis, at every input. -/
@[obligation]
theorem softmax_eval (ρ : Env R [s ▹ n]) :
    softmaxGraph.eval ρ = fun c => Spec.softmax ((ρ.get .here).row c.1) c.2 := by
  funext c
  graph_simp [softmaxGraph, Spec.softmax, Field.div_eq_mul_inv]
  rfl

/-- A sum of exponentials is not zero, unless it is empty: over a non-empty axis softmax has no side condition.
-/
theorem softmaxGraph_sideConditions (ρ : Env R [s ▹ n]) (hLengthPos : s.Coord → 0 < n) :
    softmaxGraph.SideConditions ρ := by
  graph_side_conditions [softmaxGraph]
  exact fun c => pos_ne_zero (finSum_pos (hLengthPos c) _ fun j => exp_pos _)

/-- At every point, every operation of softmax over a non-empty axis has the derivative that its tangent map
claims. -/
theorem softmaxGraphFDerivCorrectAt (ρ : Env R [s ▹ n]) (hLengthPos : 0 < n) :
    GraphFDerivCorrectAt softmaxGraph ρ :=
  (softmaxGraph_sideConditions ρ fun _ => hLengthPos).correct

/-- Softmax is Fréchet differentiable everywhere, and forward mode computes its derivative.  Over an empty axis it
has no entry that could fail to be. -/
@[obligation]
theorem softmax_hasFDerivAt (ρ : Env R [s ▹ n]) :
    HasFDerivAt (fun ρ => softmaxGraph.eval ρ) (softmaxGraph.deriv ρ) ρ := by
  cases n with
  | zero => exact fun ε _ => ⟨1, by grind, fun r _ _ h _ c => c.2.elim0⟩
  | succ n => exact (softmaxGraphFDerivCorrectAt ρ n.succ_pos).hasFDerivAt

/-- Backpropagation through softmax is the adjoint of its Fréchet derivative, applied to the seed `δ`,
everywhere. -/
@[obligation]
theorem softmax_backprop_eq_adjoint_fderiv (ρ : Env R [s ▹ n]) (δ : Tensor R (s ▹ n)) :
    softmaxGraph.backprop ρ δ = (fderiv (fun ρ => softmaxGraph.eval ρ) ρ).adjoint δ := by
  rw [(softmax_hasFDerivAt ρ).fderiv, Graph.backprop_eq_adjoint_deriv]

end PostNorm
