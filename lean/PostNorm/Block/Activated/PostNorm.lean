import PostNorm.Block.Activated.Graph
import PostNorm.Graph.LayerTheorems

/-! # Post-norm encoder blocks: with exact GELU, and with ReLU

Exact GELU, by the normal distribution function, is what BERT, RoBERTa and related models use, and PyTorch's
`nn.TransformerEncoderLayer(activation="gelu")`; ReLU is what Vaswani et al. describe, and that layer's default.

## Main definitions

* `geluEncoderBlockGraph`, `reluEncoderBlockGraph`.

## Main statements

For each block, such as `geluEncoderBlock`:
* `…_eval`: it computes `LN₂ (F y + y)` with `y = LN₁ (A x + x)`.
* `…_hasFDerivAt`, `…_backprop_eq_adjoint_fderiv`: the derivative of the formula, and backprop as its adjoint, under
  side conditions; `…_of_pos` from `0 < ε₁` and `0 < ε₂`; `…_real` at the real numbers. -/

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
  condition hNorm1VarEpsPos : ∀ i, 0 < Spec.variance (postNormRows1 scale ρ i) + ε₁
    if hEps1Pos : 0 < ε₁ then fun _ => Spec.variance_add_pos hEps1Pos _
  condition hNorm2VarEpsPos : ∀ i, 0 < Spec.variance (postNormRows2 (fun x => x * normalCdf x) scale ε₁ ρ i) + ε₂
    if hEps2Pos : 0 < ε₂ then fun _ => Spec.variance_add_pos hEps2Pos _
  proof ⟨hNorm1VarEpsPos, fun _ => trivial, hNorm2VarEpsPos⟩

/-- The post-norm block with ReLU. -/
def reluEncoderBlockGraph {K : Type u} (scale ε₁ ε₂ : K) :
    Graph K (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF) ⟦seqLen, dModel⟧ :=
  postNormBlockGraph reluGraph scale ε₁ ε₂

layer_theorems reluEncoderBlock (scale ε₁ ε₂ : R) ρ where
  is "the post-norm block with ReLU"
  smooth "every row that a LayerNorm normalizes has `variance + ε` positive and no number that ReLU gets is zero"
  layer postNormLayer .relu scale ε₁ ε₂
  graph reluEncoderBlockGraph scale ε₁ ε₂
  formula Tensor.ofMat (Spec.postNormBlock (fun x => max x 0) scale ε₁ ε₂ ρ)
  inputs ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF
  condition hNorm1VarEpsPos : ∀ i, 0 < Spec.variance (postNormRows1 scale ρ i) + ε₁
    if hEps1Pos : 0 < ε₁ then fun _ => Spec.variance_add_pos hEps1Pos _
  condition hNorm2VarEpsPos : ∀ i, 0 < Spec.variance (postNormRows2 (fun x => max x 0) scale ε₁ ρ i) + ε₂
    if hEps2Pos : 0 < ε₂ then fun _ => Spec.variance_add_pos hEps2Pos _
  condition hPreActivationNe0 "no number that ReLU gets is zero" : ∀ i j, postNormHidden scale ε₁ ρ i j ≠ 0
  proof ⟨hNorm1VarEpsPos, fun e => hPreActivationNe0 e.1.2 e.2, hNorm2VarEpsPos⟩

end PostNorm
