import PostNorm.Block.Activated.Graph
import PostNorm.Graph.LayerTheorems

/-! # The pre-norm block with ReLU

PyTorch's `nn.TransformerEncoderLayer(norm_first=True)`.

## Main definitions

* `preNormReluBlockGraph`.

## Main statements

* `preNormReluBlock_eval`: it computes `F (LN₂ y) + y` with `y = A (LN₁ x) + x`.
* `preNormReluBlock_hasFDerivAt`, `preNormReluBlock_backprop_eq_adjoint_fderiv`: the derivative of the formula, and
  backprop as its adjoint, under side conditions; `…_of_pos` from `0 < ε₁` and `0 < ε₂`; `…_real`
  at the real numbers. -/

namespace PostNorm
universe u
variable {seqLen dModel numHeads headDim dFF : Nat}

/-- The pre-norm block with ReLU. -/
def preNormReluBlockGraph {K : Type u} (scale ε₁ ε₂ : K) :
    Graph K (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF) ⟦seqLen, dModel⟧ :=
  preNormBlockGraph reluGraph scale ε₁ ε₂

layer_theorems preNormReluBlock (scale ε₁ ε₂ : R) ρ where
  is "the pre-norm block with ReLU"
  smooth "every row that a LayerNorm normalizes has `variance + ε` positive and no number that ReLU gets is zero"
  layer preNormLayer .relu scale ε₁ ε₂
  graph preNormReluBlockGraph scale ε₁ ε₂
  formula Tensor.ofMat (Spec.preNormBlock (fun x => max x 0) scale ε₁ ε₂ ρ)
  inputs ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF
  output ⟦seqLen, dModel⟧
  condition hNorm1VarEpsPos : ∀ i, 0 < Spec.variance ((ρ.get idxBiasedEncoderX).mat i) + ε₁
    if hEps1Pos : 0 < ε₁ then fun _ => Spec.variance_add_pos hEps1Pos _
  condition hNorm2VarEpsPos : ∀ i, 0 < Spec.variance (preNormRows2 scale ε₁ ρ i) + ε₂
    if hEps2Pos : 0 < ε₂ then fun _ => Spec.variance_add_pos hEps2Pos _
  condition hPreActivationNe0 "no number that ReLU gets is zero" : ∀ i j, preNormHidden scale ε₁ ε₂ ρ i j ≠ 0
  proof ⟨hNorm1VarEpsPos, hNorm2VarEpsPos, fun e => hPreActivationNe0 e.1.2 e.2⟩

end PostNorm
