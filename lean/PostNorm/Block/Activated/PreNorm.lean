import PostNorm.Block.Activated.Graph
import PostNorm.Graph.LayerTheorems
import PostNorm.Layers.Gated

/-! # Pre-norm encoder blocks: with exact GELU, tanh-GELU, quick-GELU and ReLU

Exact GELU, by the normal distribution function, is what ViT uses, and PyTorch's
`nn.TransformerEncoderLayer(activation="gelu", norm_first=True)`; tanh-GELU is what GPT-2 uses, with a causal mask;
quick-GELU, `x * sigmoid (c * x)` usually with `c = 1.702`, is what CLIP uses; ReLU is PyTorch's
`nn.TransformerEncoderLayer(norm_first=True)`.

## Main definitions

* `preNormGeluBlockGraph`, `preNormGeluTanhBlockGraph`, `preNormQuickGeluBlockGraph`, `preNormReluBlockGraph`.

## Main statements

For each block, such as `preNormGeluBlock`:
* `…_eval`: it computes `F (LN₂ y) + y` with `y = A (LN₁ x) + x`.
* `…_hasFDerivAt`, `…_backprop_eq_adjoint_fderiv`: the derivative of the formula, and backprop as its adjoint, under
  side conditions; `…_of_pos` from `0 < ε₁` and `0 < ε₂`; `…_real` at the real numbers. -/

namespace PostNorm
universe u
variable {seqLen dModel numHeads headDim dFF : Nat}

/-- The pre-norm block with exact GELU. -/
def preNormGeluBlockGraph {K : Type u} (scale ε₁ ε₂ : K) :
    Graph K (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF) ⟦seqLen, dModel⟧ :=
  preNormBlockGraph geluExactGraph scale ε₁ ε₂

layer_theorems preNormGeluBlock (scale ε₁ ε₂ : R) ρ where
  is "the pre-norm block with exact GELU"
  smooth "every row that a LayerNorm normalizes has `variance + ε` positive"
  layer preNormLayer .geluExact scale ε₁ ε₂
  graph preNormGeluBlockGraph scale ε₁ ε₂
  formula Tensor.ofMat (Spec.preNormBlock (fun x => x * normalCdf x) scale ε₁ ε₂ ρ)
  inputs ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF
  condition hNorm1VarEpsPos : ∀ i, 0 < Spec.variance ((ρ.get idxBiasedEncoderX).mat i) + ε₁
    if hEps1Pos : 0 < ε₁ then fun _ => Spec.variance_add_pos hEps1Pos _
  condition hNorm2VarEpsPos : ∀ i, 0 < Spec.variance (preNormRows2 scale ε₁ ρ i) + ε₂
    if hEps2Pos : 0 < ε₂ then fun _ => Spec.variance_add_pos hEps2Pos _
  proof ⟨hNorm1VarEpsPos, hNorm2VarEpsPos, fun _ => trivial⟩

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
  condition hNorm1VarEpsPos : ∀ i, 0 < Spec.variance ((ρ.get idxBiasedEncoderX).mat i) + ε₁
    if hEps1Pos : 0 < ε₁ then fun _ => Spec.variance_add_pos hEps1Pos _
  condition hNorm2VarEpsPos : ∀ i, 0 < Spec.variance (preNormRows2 scale ε₁ ρ i) + ε₂
    if hEps2Pos : 0 < ε₂ then fun _ => Spec.variance_add_pos hEps2Pos _
  proof ⟨hNorm1VarEpsPos, hNorm2VarEpsPos, fun _ => trivial⟩

/-- The pre-norm block with quick-GELU. -/
def preNormQuickGeluBlockGraph {K : Type u} (c scale ε₁ ε₂ : K) :
    Graph K (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF) ⟦seqLen, dModel⟧ :=
  preNormBlockGraph (quickGeluGraph c) scale ε₁ ε₂

layer_theorems preNormQuickGeluBlock (c scale ε₁ ε₂ : R) ρ where
  is "the pre-norm block with quick-GELU"
  smooth "every row that a LayerNorm normalizes has `variance + ε` positive"
  layer preNormLayer (.quickGelu c) scale ε₁ ε₂
  graph preNormQuickGeluBlockGraph c scale ε₁ ε₂
  formula Tensor.ofMat (Spec.preNormBlock (fun x => x * sigmoid (c * x)) scale ε₁ ε₂ ρ)
  inputs ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF
  condition hNorm1VarEpsPos : ∀ i, 0 < Spec.variance ((ρ.get idxBiasedEncoderX).mat i) + ε₁
    if hEps1Pos : 0 < ε₁ then fun _ => Spec.variance_add_pos hEps1Pos _
  condition hNorm2VarEpsPos : ∀ i, 0 < Spec.variance (preNormRows2 scale ε₁ ρ i) + ε₂
    if hEps2Pos : 0 < ε₂ then fun _ => Spec.variance_add_pos hEps2Pos _
  proof ⟨hNorm1VarEpsPos, hNorm2VarEpsPos, fun _ => trivial⟩

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
  condition hNorm1VarEpsPos : ∀ i, 0 < Spec.variance ((ρ.get idxBiasedEncoderX).mat i) + ε₁
    if hEps1Pos : 0 < ε₁ then fun _ => Spec.variance_add_pos hEps1Pos _
  condition hNorm2VarEpsPos : ∀ i, 0 < Spec.variance (preNormRows2 scale ε₁ ρ i) + ε₂
    if hEps2Pos : 0 < ε₂ then fun _ => Spec.variance_add_pos hEps2Pos _
  condition hPreActivationNe0 "no number that ReLU gets is zero" : ∀ i j, preNormHidden scale ε₁ ε₂ ρ i j ≠ 0
  proof ⟨hNorm1VarEpsPos, hNorm2VarEpsPos, fun e => hPreActivationNe0 e.1.2 e.2⟩

end PostNorm
