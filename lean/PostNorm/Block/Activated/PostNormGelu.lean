import PostNorm.Block.Activated.Graph
import PostNorm.Real.Model

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

section general
variable {R : Type u} [RealField R] (scale ε₁ ε₂ : R)
  (ρ : Env R (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF))

/-- The graph of the post-norm block with exact GELU computes `LN₂ (F y + y)` with `y = LN₁ (A x + x)`, at every
input. -/
@[obligation]
theorem geluEncoderBlock_eval : (geluEncoderBlockGraph scale ε₁ ε₂).eval ρ =
    Tensor.ofMat (Spec.postNormBlock (fun x => x * normalCdf x) scale ε₁ ε₂ ρ) :=
  (postNormLayer .geluExact scale ε₁ ε₂).eval_eq ρ

/-- The post-norm block with exact GELU is Fréchet differentiable in all its inputs together, and forward mode
computes its derivative, at every input where every row that a LayerNorm normalizes has `variance + ε` positive. -/
@[obligation]
theorem geluEncoderBlock_hasFDerivAt
    (hNorm1VarEpsPos : ∀ i, 0 < Spec.variance (postNormRows1 scale ρ i) + ε₁)
    (hNorm2VarEpsPos : ∀ i, 0 < Spec.variance (postNormRows2 (fun x => x * normalCdf x) scale ε₁ ρ i) + ε₂) :
    HasFDerivAt (fun ρ : Env R (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF) =>
      Tensor.ofMat (Spec.postNormBlock (fun x => x * normalCdf x) scale ε₁ ε₂ ρ))
      ((geluEncoderBlockGraph scale ε₁ ε₂).deriv ρ) ρ :=
  (postNormLayer .geluExact scale ε₁ ε₂).hasFDerivAt (ρ := ρ)
    ⟨hNorm1VarEpsPos, (fun _ => trivial), hNorm2VarEpsPos⟩

/-- Backpropagation through the post-norm block with exact GELU is the adjoint of the Fréchet derivative of its
formula, applied to the seed `δ`, at every input where every row that a LayerNorm normalizes has `variance + ε`
positive. -/
@[obligation]
theorem geluEncoderBlock_backprop_eq_adjoint_fderiv (δ : Tensor R ⟦seqLen, dModel⟧)
    (hNorm1VarEpsPos : ∀ i, 0 < Spec.variance (postNormRows1 scale ρ i) + ε₁)
    (hNorm2VarEpsPos : ∀ i, 0 < Spec.variance (postNormRows2 (fun x => x * normalCdf x) scale ε₁ ρ i) + ε₂) :
    (geluEncoderBlockGraph scale ε₁ ε₂).backprop ρ δ =
      (fderiv (fun ρ : Env R (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF) =>
        Tensor.ofMat (Spec.postNormBlock (fun x => x * normalCdf x) scale ε₁ ε₂ ρ)) ρ).adjoint δ :=
  (postNormLayer .geluExact scale ε₁ ε₂).backprop_eq_adjoint_fderiv (ρ := ρ)
    ⟨hNorm1VarEpsPos, (fun _ => trivial), hNorm2VarEpsPos⟩ δ

/-- If `0 < ε`, then `variance + ε` is positive in every row that the post-norm block with exact
  GELU normalizes. -/
@[discharges geluEncoderBlock_hasFDerivAt hNorm1VarEpsPos, geluEncoderBlock_hasFDerivAt hNorm2VarEpsPos,
  geluEncoderBlock_backprop_eq_adjoint_fderiv hNorm1VarEpsPos, geluEncoderBlock_backprop_eq_adjoint_fderiv
    hNorm2VarEpsPos]
theorem geluEncoderBlock_varEps_pos {n : Nat} {ε : R} (hEpsPos : 0 < ε) (x : Fin n → R) : 0 < Spec.variance x + ε :=
  add_pos_of_nonneg_of_pos (Spec.variance_nonneg x) hEpsPos

/-- If `0 < ε₁` and `0 < ε₂`, then the post-norm block with exact GELU is Fréchet differentiable in all its inputs
together, at every input, and forward mode computes its derivative. -/
@[obligation]
theorem geluEncoderBlock_hasFDerivAt_of_pos (hEps1Pos : 0 < ε₁) (hEps2Pos : 0 < ε₂) :
    HasFDerivAt (fun ρ : Env R (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF) =>
      Tensor.ofMat (Spec.postNormBlock (fun x => x * normalCdf x) scale ε₁ ε₂ ρ))
      ((geluEncoderBlockGraph scale ε₁ ε₂).deriv ρ) ρ :=
  geluEncoderBlock_hasFDerivAt scale ε₁ ε₂ ρ (fun _ => geluEncoderBlock_varEps_pos hEps1Pos _)
    (fun _ => geluEncoderBlock_varEps_pos hEps2Pos _)

/-- If `0 < ε₁` and `0 < ε₂`, then backpropagation through the post-norm block with exact GELU is the adjoint of the
Fréchet derivative of its formula, at every input and for every seed. -/
@[obligation]
theorem geluEncoderBlock_backprop_eq_adjoint_fderiv_of_pos (δ : Tensor R ⟦seqLen, dModel⟧) (hEps1Pos : 0 < ε₁)
    (hEps2Pos : 0 < ε₂) :
    (geluEncoderBlockGraph scale ε₁ ε₂).backprop ρ δ =
      (fderiv (fun ρ : Env R (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF) =>
        Tensor.ofMat (Spec.postNormBlock (fun x => x * normalCdf x) scale ε₁ ε₂ ρ)) ρ).adjoint δ :=
  geluEncoderBlock_backprop_eq_adjoint_fderiv scale ε₁ ε₂ ρ δ (fun _ => geluEncoderBlock_varEps_pos hEps1Pos _)
    (fun _ => geluEncoderBlock_varEps_pos hEps2Pos _)

end general

section real
variable (scale ε₁ ε₂ : Real)
  (ρ : Env Real (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF))

/-- Over the real numbers, the post-norm block with exact GELU is Fréchet differentiable in all its inputs together,
at every input, if `0 < ε₁` and `0 < ε₂`. -/
@[obligation]
theorem geluEncoderBlock_hasFDerivAt_real (hEps1Pos : 0 < ε₁) (hEps2Pos : 0 < ε₂) :
    HasFDerivAt (fun ρ : Env Real (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF) =>
      Tensor.ofMat (Spec.postNormBlock (fun x => x * normalCdf x) scale ε₁ ε₂ ρ))
      ((geluEncoderBlockGraph scale ε₁ ε₂).deriv ρ) ρ :=
  geluEncoderBlock_hasFDerivAt_of_pos scale ε₁ ε₂ ρ hEps1Pos hEps2Pos

/-- Over the real numbers, backpropagation through the post-norm block with exact GELU is the adjoint of the Fréchet
derivative of its formula, at every input and for every seed, if `0 < ε₁` and `0 < ε₂`. -/
@[obligation]
theorem geluEncoderBlock_backprop_eq_adjoint_fderiv_real (δ : Tensor Real ⟦seqLen, dModel⟧) (hEps1Pos : 0 < ε₁)
    (hEps2Pos : 0 < ε₂) :
    (geluEncoderBlockGraph scale ε₁ ε₂).backprop ρ δ =
      (fderiv (fun ρ : Env Real (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF) =>
        Tensor.ofMat (Spec.postNormBlock (fun x => x * normalCdf x) scale ε₁ ε₂ ρ)) ρ).adjoint δ :=
  geluEncoderBlock_backprop_eq_adjoint_fderiv_of_pos scale ε₁ ε₂ ρ δ hEps1Pos hEps2Pos

end real
end PostNorm
