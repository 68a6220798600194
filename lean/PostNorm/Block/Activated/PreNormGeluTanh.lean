import PostNorm.Block.Activated.Graph
import PostNorm.Real.Model

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

section general
variable {R : Type u} [RealField R] (c : GeluConstants R) (scale ε₁ ε₂ : R)
  (ρ : Env R (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF))

/-- The graph of the pre-norm block with tanh-GELU computes `F (LN₂ y) + y` with `y = A (LN₁ x) + x`, at every
input. -/
@[obligation]
theorem preNormGeluTanhBlock_eval : (preNormGeluTanhBlockGraph c scale ε₁ ε₂).eval ρ =
    Tensor.ofMat (Spec.preNormBlock (Spec.gelu c) scale ε₁ ε₂ ρ) :=
  (preNormLayer (.geluTanh c) scale ε₁ ε₂).eval_eq ρ

/-- The pre-norm block with tanh-GELU is Fréchet differentiable in all its inputs together, and forward mode
computes its derivative, at every input where every row that a LayerNorm normalizes has `variance + ε` positive. -/
@[obligation]
theorem preNormGeluTanhBlock_hasFDerivAt
    (hNorm1VarEpsPos : ∀ i, 0 < Spec.variance ((ρ.get idxBiasedEncoderX).mat i) + ε₁)
    (hNorm2VarEpsPos : ∀ i, 0 < Spec.variance (preNormRows2 scale ε₁ ρ i) + ε₂) :
    HasFDerivAt (fun ρ : Env R (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF) =>
      Tensor.ofMat (Spec.preNormBlock (Spec.gelu c) scale ε₁ ε₂ ρ))
      ((preNormGeluTanhBlockGraph c scale ε₁ ε₂).deriv ρ) ρ :=
  (preNormLayer (.geluTanh c) scale ε₁ ε₂).hasFDerivAt (ρ := ρ)
    ⟨hNorm1VarEpsPos, hNorm2VarEpsPos, (fun _ => trivial)⟩

/-- Backpropagation through the pre-norm block with tanh-GELU is the adjoint of the Fréchet derivative of its
formula, applied to the seed `δ`, at every input where every row that a LayerNorm normalizes has `variance + ε`
positive. -/
@[obligation]
theorem preNormGeluTanhBlock_backprop_eq_adjoint_fderiv (δ : Tensor R ⟦seqLen, dModel⟧)
    (hNorm1VarEpsPos : ∀ i, 0 < Spec.variance ((ρ.get idxBiasedEncoderX).mat i) + ε₁)
    (hNorm2VarEpsPos : ∀ i, 0 < Spec.variance (preNormRows2 scale ε₁ ρ i) + ε₂) :
    (preNormGeluTanhBlockGraph c scale ε₁ ε₂).backprop ρ δ =
      (fderiv (fun ρ : Env R (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF) =>
        Tensor.ofMat (Spec.preNormBlock (Spec.gelu c) scale ε₁ ε₂ ρ)) ρ).adjoint δ :=
  (preNormLayer (.geluTanh c) scale ε₁ ε₂).backprop_eq_adjoint_fderiv (ρ := ρ)
    ⟨hNorm1VarEpsPos, hNorm2VarEpsPos, (fun _ => trivial)⟩ δ

/-- If `0 < ε`, then `variance + ε` is positive in every row that the pre-norm block with tanh-GELU normalizes. -/
@[discharges preNormGeluTanhBlock_hasFDerivAt hNorm1VarEpsPos, preNormGeluTanhBlock_hasFDerivAt hNorm2VarEpsPos,
  preNormGeluTanhBlock_backprop_eq_adjoint_fderiv hNorm1VarEpsPos, preNormGeluTanhBlock_backprop_eq_adjoint_fderiv
    hNorm2VarEpsPos]
theorem preNormGeluTanhBlock_varEps_pos {n : Nat} {ε : R} (hEpsPos : 0 < ε) (x : Fin n → R) : 0 < Spec.variance x + ε :=
  add_pos_of_nonneg_of_pos (Spec.variance_nonneg x) hEpsPos

/-- If `0 < ε₁` and `0 < ε₂`, then the pre-norm block with tanh-GELU is Fréchet differentiable in all its inputs
together, at every input, and forward mode computes its derivative. -/
@[obligation]
theorem preNormGeluTanhBlock_hasFDerivAt_of_pos (hEps1Pos : 0 < ε₁) (hEps2Pos : 0 < ε₂) :
    HasFDerivAt (fun ρ : Env R (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF) =>
      Tensor.ofMat (Spec.preNormBlock (Spec.gelu c) scale ε₁ ε₂ ρ))
      ((preNormGeluTanhBlockGraph c scale ε₁ ε₂).deriv ρ) ρ :=
  preNormGeluTanhBlock_hasFDerivAt c scale ε₁ ε₂ ρ (fun _ => preNormGeluTanhBlock_varEps_pos hEps1Pos _)
    (fun _ => preNormGeluTanhBlock_varEps_pos hEps2Pos _)

/-- If `0 < ε₁` and `0 < ε₂`, then backpropagation through the pre-norm block with tanh-GELU is the adjoint of the
Fréchet derivative of its formula, at every input and for every seed. -/
@[obligation]
theorem preNormGeluTanhBlock_backprop_eq_adjoint_fderiv_of_pos (δ : Tensor R ⟦seqLen, dModel⟧) (hEps1Pos : 0 < ε₁)
    (hEps2Pos : 0 < ε₂) :
    (preNormGeluTanhBlockGraph c scale ε₁ ε₂).backprop ρ δ =
      (fderiv (fun ρ : Env R (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF) =>
        Tensor.ofMat (Spec.preNormBlock (Spec.gelu c) scale ε₁ ε₂ ρ)) ρ).adjoint δ :=
  preNormGeluTanhBlock_backprop_eq_adjoint_fderiv c scale ε₁ ε₂ ρ δ (fun _ => preNormGeluTanhBlock_varEps_pos
    hEps1Pos _)
    (fun _ => preNormGeluTanhBlock_varEps_pos hEps2Pos _)

end general

section real
variable (c : GeluConstants Real) (scale ε₁ ε₂ : Real)
  (ρ : Env Real (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF))

/-- Over the real numbers, the pre-norm block with tanh-GELU is Fréchet differentiable in all its inputs together,
at every input, if `0 < ε₁` and `0 < ε₂`. -/
@[obligation]
theorem preNormGeluTanhBlock_hasFDerivAt_real (hEps1Pos : 0 < ε₁) (hEps2Pos : 0 < ε₂) :
    HasFDerivAt (fun ρ : Env Real (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF) =>
      Tensor.ofMat (Spec.preNormBlock (Spec.gelu c) scale ε₁ ε₂ ρ))
      ((preNormGeluTanhBlockGraph c scale ε₁ ε₂).deriv ρ) ρ :=
  preNormGeluTanhBlock_hasFDerivAt_of_pos c scale ε₁ ε₂ ρ hEps1Pos hEps2Pos

/-- Over the real numbers, backpropagation through the pre-norm block with tanh-GELU is the adjoint of the Fréchet
derivative of its formula, at every input and for every seed, if `0 < ε₁` and `0 < ε₂`. -/
@[obligation]
theorem preNormGeluTanhBlock_backprop_eq_adjoint_fderiv_real (δ : Tensor Real ⟦seqLen, dModel⟧) (hEps1Pos : 0 < ε₁)
    (hEps2Pos : 0 < ε₂) :
    (preNormGeluTanhBlockGraph c scale ε₁ ε₂).backprop ρ δ =
      (fderiv (fun ρ : Env Real (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF) =>
        Tensor.ofMat (Spec.preNormBlock (Spec.gelu c) scale ε₁ ε₂ ρ)) ρ).adjoint δ :=
  preNormGeluTanhBlock_backprop_eq_adjoint_fderiv_of_pos c scale ε₁ ε₂ ρ δ hEps1Pos hEps2Pos

end real
end PostNorm
