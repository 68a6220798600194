import PostNorm.Graph.LayerTheorems
import PostNorm.Graph.Op.Gather
import PostNorm.Graph.Op.Log
import PostNorm.Layers.LayerNorm.Spec
import PostNorm.Layers.Softmax

/-! # Cross-entropy of logits with given targets

`mean_i (log Σ_j exp z_ij − z_i,target i)`: the mean of `−log (softmax z)` at the targets, which are part of the graph.
Each row has a target, so sums are not empty and there is no side condition.

## Main definitions

* `crossEntropyGraph target`, `Spec.crossEntropy target`, `crossEntropyLayer target`.

## Main statements

* `Spec.crossEntropy_eq_logSoftmax`, `Spec.crossEntropy_eq_log_softmax`: it is the mean of `−log (softmax z)` at the
  targets; `Layers/LogProbabilities.lean` has `Spec.logSoftmax` as a layer.
* `crossEntropy_eval`, `crossEntropy_hasFDerivAt`, `crossEntropy_backprop_eq_adjoint_fderiv`, `…_real`.

## Sources

* PyTorch's `nn.CrossEntropyLoss`. -/

namespace PostNorm
universe u
open RealField Lean.Grind
variable {seqLen classes : Nat}

/-- The mean over the rows of `log Σ exp z − z target`. -/
def crossEntropyGraph {K : Type u} (target : Fin seqLen → Fin classes) : Graph K [⟦seqLen, classes⟧] ⟦⟧ :=
  graph! x =>
  let exp := .exp x
  let sum := .sum exp
  let logSum := .log sum
  let picked := .gather (fun c : Shape.Coord ⟦seqLen⟧ => some (c, target c.2)) x
  let losses := .sub logSum picked
  let loss := .mean losses
  return loss

section
variable {R : Type u} [RealField R]

/-- Cross-entropy: the mean over the rows of `log Σ exp z − z target`. -/
noncomputable def Spec.crossEntropy {n v : Nat} (target : Fin n → Fin v) (z : Fin n → Fin v → R) : R :=
  Spec.mean fun i => log (finSum v fun j => exp (z i j)) - z i (target i)

/-- The logarithm of softmax: `z − log Σ exp z`. -/
noncomputable def Spec.logSoftmax {n : Nat} (z : Fin n → R) : Fin n → R := fun j =>
  z j - log (finSum n fun i => exp (z i))

/-- It is the logarithm of softmax. -/
theorem Spec.logSoftmax_eq_log_softmax {n : Nat} (z : Fin n → R) (j : Fin n) :
    Spec.logSoftmax z j = log (Spec.softmax z j) := by
  have hSum : 0 < finSum n fun i => exp (z i) := finSum_pos j.pos _ fun j => exp_pos _
  have hp : 0 < Spec.softmax z j := by
    unfold Spec.softmax
    rw [Field.div_eq_mul_inv]
    exact mul_pos (exp_pos _) (inv_pos hSum)
  have e : Spec.softmax z j * finSum n (fun i => exp (z i)) = exp (z j) := by
    unfold Spec.softmax
    have hne := pos_ne_zero hSum
    rw [Field.div_eq_mul_inv, Semiring.mul_assoc, CommSemiring.mul_comm _⁻¹, Field.mul_inv_cancel hne,
      Semiring.mul_one]
  have h := log_mul hp hSum
  rw [e, log_exp] at h
  unfold Spec.logSoftmax
  grind

/-- Cross-entropy is the mean of `−logSoftmax z` at the targets. -/
theorem Spec.crossEntropy_eq_logSoftmax {n v : Nat} (target : Fin n → Fin v) (z : Fin n → Fin v → R) :
    Spec.crossEntropy target z = Spec.mean fun i => -Spec.logSoftmax (z i) (target i) := by
  unfold Spec.crossEntropy Spec.logSoftmax
  congr 1
  funext i
  grind

/-- Cross-entropy is the mean of `−log (softmax z)` at the targets. -/
theorem Spec.crossEntropy_eq_log_softmax {n v : Nat} (target : Fin n → Fin v) (z : Fin n → Fin v → R) :
    Spec.crossEntropy target z = Spec.mean fun i => -log (Spec.softmax (z i) (target i)) := by
  rw [Spec.crossEntropy_eq_logSoftmax]
  congr 1
  funext i
  rw [Spec.logSoftmax_eq_log_softmax]

/-- Cross-entropy with its formula.  It is smooth everywhere. -/
noncomputable def crossEntropyLayer (target : Fin seqLen → Fin classes) :
    Layer R [⟦seqLen, classes⟧] ⟦⟧ where
  graph := crossEntropyGraph target
  formula ρ := fun _ => Spec.crossEntropy target (ρ.get .here).mat
  Smooth _ := True
  eval_eq ρ := by
    funext c
    graph_simp [crossEntropyGraph, Spec.mean_eq]
    rfl
  sideConditions_iff ρ := by
    graph_side_conditions [crossEntropyGraph]
    exact ⟨fun _ => trivial, fun _ c => finSum_pos (target c.2).pos _ fun j => exp_pos _⟩

end

layer_theorems crossEntropy (target : Fin seqLen → Fin classes) ρ where
  is "cross-entropy with given targets"
  layer crossEntropyLayer target
  graph crossEntropyGraph target
  formula fun _ : Shape.Coord ⟦⟧ => Spec.crossEntropy target (ρ.get .here).mat
  inputs [⟦seqLen, classes⟧]
  proof trivial

end PostNorm
