import PostNorm.Block.Activated.Graph
import PostNorm.Graph.LayerTheorems

/-! # The post-norm encoder block with GELU by the normal distribution function

What BERT, RoBERTa and their kin run, and PyTorch's `nn.TransformerEncoderLayer(activation="gelu")`.

## Main definitions

* `geluEncoderBlockGraph`.

## Main statements

* `geluEncoderBlock_eval`: it computes `LN₂ (F y + y)` with `y = LN₁ (A x + x)`.
* `geluEncoderBlock_hasFDerivAt`, `geluEncoderBlock_backprop_eq_adjoint_fderiv`: the derivative of the formula, and
  backprop as its adjoint, under side conditions; `…_of_pos` from `0 < ε₁` and `0 < ε₂`; `…_real`
  at the real numbers. -/

namespace PostNorm
universe u
variable {seqLen dModel numHeads headDim dFF : Nat}

/-- The post-norm block with exact GELU. -/
def geluEncoderBlockGraph {K : Type u} (scale ε₁ ε₂ : K) :
    Graph K (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF) ⟦seqLen, dModel⟧ :=
  postNormBlockGraph geluExactGraph scale ε₁ ε₂

layer_theorems geluEncoderBlock (scale ε₁ ε₂ : R) ρ where
  is "the post-norm block with exact GELU"
  smooth "every row that a LayerNorm normalizes has `variance + ε` positive"
  layer postNormLayer .geluExact scale ε₁ ε₂
  graph geluEncoderBlockGraph scale ε₁ ε₂
  formula Tensor.ofMat (Spec.postNormBlock (fun x => x * normalCdf x) scale ε₁ ε₂ ρ)
  inputs ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF
  output ⟦seqLen, dModel⟧
  condition hNorm1VarEpsPos : ∀ i, 0 < Spec.variance (postNormRows1 scale ρ i) + ε₁
    if hEps1Pos : 0 < ε₁ then fun _ => Spec.variance_add_pos hEps1Pos _
  condition hNorm2VarEpsPos : ∀ i, 0 < Spec.variance (postNormRows2 (fun x => x * normalCdf x) scale ε₁ ρ i) + ε₂
    if hEps2Pos : 0 < ε₂ then fun _ => Spec.variance_add_pos hEps2Pos _
  proof ⟨hNorm1VarEpsPos, fun _ => trivial, hNorm2VarEpsPos⟩

end PostNorm
