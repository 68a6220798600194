import PostNorm.Graph.Compose
import PostNorm.Layers.LayerNorm.Graph
import Obligations.Attribute

/-! # LayerNorm: its derivative, and backpropagation through it

The side conditions are stated on the values that the prefix graphs compute.

## Main statements

* `layerNorm_hasFDerivAt`: LayerNorm is differentiable in `x`, `gamma` and `beta` together.
* `layerNorm_backpropVec_eq_adjoint_fderiv_at`: backprop is the adjoint of its derivative. -/

namespace PostNorm
universe u

variable {R : Type u} [RealField R] {seqLen dModel : Nat} (ε : R) (ρ : Env R (ΓLayerNorm seqLen dModel))
  (δ : Tensor R ⟦seqLen, dModel⟧)

/-- The side conditions of the fourteen operations: `var + ε` is positive, and the standard deviation is not zero. -/
theorem layerNormGraph_sideConditions_iff : (layerNormGraph ε).SideConditions ρ ↔
    (∀ row, 0 < (layerNormPrefix6 ε).eval ρ row) ∧ ∀ row, (layerNormPrefix7 ε).eval ρ row ≠ 0 := by
  graph_side_conditions [layerNormGraph, layerNormPrefix6, layerNormPrefix7]

variable (hVarEpsPos : ∀ row, 0 < (layerNormPrefix6 ε).eval ρ row)
  (hStdNe0 : ∀ row, (layerNormPrefix7 ε).eval ρ row ≠ 0)
include hVarEpsPos hStdNe0

/-- At a point, every operation of LayerNorm has the derivative that its tangent map claims. -/
theorem layerNormGraphFDerivCorrectAt : GraphFDerivCorrectAt (layerNormGraph ε) ρ :=
  ((layerNormGraph_sideConditions_iff ε ρ).2 ⟨hVarEpsPos, hStdNe0⟩).correct

/-- LayerNorm is Fréchet differentiable in `x`, `gamma` and `beta` together, and forward mode computes its
derivative, at every input whose rows all have `var + ε` positive and a standard deviation that is not zero. -/
@[obligation]
theorem layerNorm_hasFDerivAt :
    HasFDerivAt (fun ρ => (layerNormGraph ε).eval ρ) ((layerNormGraph ε).deriv ρ) ρ :=
  (layerNormGraphFDerivCorrectAt ε ρ hVarEpsPos hStdNe0).hasFDerivAt

/-- Backpropagation through LayerNorm is the adjoint of its Fréchet derivative, applied to the seed `δ`, at every
input whose rows all have `var + ε` positive and a standard deviation that is not zero. -/
@[obligation]
theorem layerNorm_backpropVec_eq_adjoint_fderiv_at :
    (layerNormGraph ε).backprop ρ δ = (fderiv (fun ρ => (layerNormGraph ε).eval ρ) ρ).adjoint δ :=
  (layerNormGraph ε).backprop_eq_adjoint_fderiv ρ (layerNormGraphFDerivCorrectAt ε ρ hVarEpsPos hStdNe0) δ

end PostNorm
