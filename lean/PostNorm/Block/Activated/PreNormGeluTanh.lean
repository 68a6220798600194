import PostNorm.Block.Activated.Graph
import PostNorm.Graph.LayerTheorems

/-! # The pre-norm block with GELU by its tanh approximation

What GPT-2 runs, with a causal mask.

## Main definitions

* `preNormGeluTanhBlockGraph`.

## Main statements

* `preNormGeluTanhBlock_eval`: it computes `F (LN₂ y) + y` with `y = A (LN₁ x) + x`.
* `preNormGeluTanhBlock_hasFDerivAt`, `preNormGeluTanhBlock_backprop_eq_adjoint_fderiv`: the derivative of the
  formula, and backprop as its adjoint, under side conditions; `…_of_pos` from `0 < ε₁` and `0 <
  ε₂`; `…_real` at the real numbers. -/

namespace PostNorm
universe u
variable {seqLen dModel numHeads headDim dFF : Nat}

/-- The pre-norm block with tanh-GELU. -/
def preNormGeluTanhBlockGraph {K : Type u} (c : GeluConstants K) (scale ε₁ ε₂ : K) :
    Graph K (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF) ⟦seqLen, dModel⟧ :=
  preNormBlockGraph (geluGraph c) scale ε₁ ε₂

layer_theorems preNormGeluTanhBlock (c : GeluConstants R) (scale ε₁ ε₂ : R) ρ where
  is "the pre-norm block with tanh-GELU"
  smooth "every row that a LayerNorm normalizes has `variance + ε` positive"
  layer preNormLayer (.geluTanh c) scale ε₁ ε₂
  graph preNormGeluTanhBlockGraph c scale ε₁ ε₂
  formula Tensor.ofMat (Spec.preNormBlock (Spec.gelu c) scale ε₁ ε₂ ρ)
  inputs ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF
  output ⟦seqLen, dModel⟧
  condition hNorm1VarEpsPos : ∀ i, 0 < Spec.variance ((ρ.get idxBiasedEncoderX).mat i) + ε₁
    if hEps1Pos : 0 < ε₁ then fun _ => Spec.variance_add_pos hEps1Pos _
  condition hNorm2VarEpsPos : ∀ i, 0 < Spec.variance (preNormRows2 scale ε₁ ρ i) + ε₂
    if hEps2Pos : 0 < ε₂ then fun _ => Spec.variance_add_pos hEps2Pos _
  proof ⟨hNorm1VarEpsPos, hNorm2VarEpsPos, fun _ => trivial⟩

end PostNorm
