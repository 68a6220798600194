import PostNorm.Block.Activated.Graph
import PostNorm.Real.Model

/-! # The post-norm encoder block with ReLU

What Vaswani et al. describe, and PyTorch's `nn.TransformerEncoderLayer` by default.

## Main definitions

* `reluEncoderBlockGraph`.

## Main statements

* `reluEncoderBlock_eval`: it computes `LN₂ (F y + y)` with `y = LN₁ (A x + x)`.
* `reluEncoderBlock_hasFDerivAt`, `reluEncoderBlock_backprop_eq_adjoint_fderiv`: the derivative of the formula, and
  backprop as its adjoint, under side conditions; `…_of_pos` from `0 < ε₁` and `0 < ε₂`; `…_real`
  at the real numbers. -/

namespace PostNorm
universe u
variable {seqLen dModel numHeads headDim dFF : Nat}

/-- The post-norm block with ReLU. -/
def reluEncoderBlockGraph {K : Type u} (scale ε₁ ε₂ : K) :
    Graph K (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF) ⟦seqLen, dModel⟧ :=
  postNormBlockGraph reluGraph scale ε₁ ε₂

section general
variable {R : Type u} [RealField R] (scale ε₁ ε₂ : R)
  (ρ : Env R (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF))

/-- The graph of the post-norm block with ReLU computes `LN₂ (F y + y)` with `y = LN₁ (A x + x)`,
  at every input. -/
@[obligation]
theorem reluEncoderBlock_eval : (reluEncoderBlockGraph scale ε₁ ε₂).eval ρ =
    Tensor.ofMat (Spec.postNormBlock (fun x => max x 0) scale ε₁ ε₂ ρ) :=
  (postNormLayer .relu scale ε₁ ε₂).eval_eq ρ

/-- The post-norm block with ReLU is Fréchet differentiable in all its inputs together, and forward mode computes
its derivative, at every input where every row that a LayerNorm normalizes has `variance + ε` positive and no number
that ReLU gets is zero. -/
@[obligation]
theorem reluEncoderBlock_hasFDerivAt
    (hNorm1VarEpsPos : ∀ i, 0 < Spec.variance (postNormRows1 scale ρ i) + ε₁)
    (hNorm2VarEpsPos : ∀ i, 0 < Spec.variance (postNormRows2 (fun x => max x 0) scale ε₁ ρ i) + ε₂)
    (hPreActivationNe0 : ∀ i j, postNormHidden scale ε₁ ρ i j ≠ 0) :
    HasFDerivAt (fun ρ : Env R (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF) =>
      Tensor.ofMat (Spec.postNormBlock (fun x => max x 0) scale ε₁ ε₂ ρ))
      ((reluEncoderBlockGraph scale ε₁ ε₂).deriv ρ) ρ :=
  (postNormLayer .relu scale ε₁ ε₂).hasFDerivAt (ρ := ρ)
    ⟨hNorm1VarEpsPos, (fun e => hPreActivationNe0 e.1.2 e.2), hNorm2VarEpsPos⟩

/-- Backpropagation through the post-norm block with ReLU is the adjoint of the Fréchet derivative of its formula,
applied to the seed `δ`, at every input where every row that a LayerNorm normalizes has `variance + ε` positive and
no number that ReLU gets is zero. -/
@[obligation]
theorem reluEncoderBlock_backprop_eq_adjoint_fderiv (δ : Tensor R ⟦seqLen, dModel⟧)
    (hNorm1VarEpsPos : ∀ i, 0 < Spec.variance (postNormRows1 scale ρ i) + ε₁)
    (hNorm2VarEpsPos : ∀ i, 0 < Spec.variance (postNormRows2 (fun x => max x 0) scale ε₁ ρ i) + ε₂)
    (hPreActivationNe0 : ∀ i j, postNormHidden scale ε₁ ρ i j ≠ 0) :
    (reluEncoderBlockGraph scale ε₁ ε₂).backprop ρ δ =
      (fderiv (fun ρ : Env R (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF) =>
        Tensor.ofMat (Spec.postNormBlock (fun x => max x 0) scale ε₁ ε₂ ρ)) ρ).adjoint δ :=
  (postNormLayer .relu scale ε₁ ε₂).backprop_eq_adjoint_fderiv (ρ := ρ)
    ⟨hNorm1VarEpsPos, (fun e => hPreActivationNe0 e.1.2 e.2), hNorm2VarEpsPos⟩ δ

/-- If `0 < ε`, then `variance + ε` is positive in every row that the post-norm block with ReLU normalizes. -/
@[discharges reluEncoderBlock_hasFDerivAt hNorm1VarEpsPos, reluEncoderBlock_hasFDerivAt hNorm2VarEpsPos,
  reluEncoderBlock_backprop_eq_adjoint_fderiv hNorm1VarEpsPos, reluEncoderBlock_backprop_eq_adjoint_fderiv
    hNorm2VarEpsPos]
theorem reluEncoderBlock_varEps_pos {n : Nat} {ε : R} (hEpsPos : 0 < ε) (x : Fin n → R) : 0 < Spec.variance x + ε :=
  add_pos_of_nonneg_of_pos (Spec.variance_nonneg x) hEpsPos

/-- If `0 < ε₁` and `0 < ε₂`, then the post-norm block with ReLU is Fréchet differentiable in all its inputs
together, at every input where no number that ReLU gets is zero, and forward mode computes its derivative. -/
@[obligation]
theorem reluEncoderBlock_hasFDerivAt_of_pos (hEps1Pos : 0 < ε₁) (hEps2Pos : 0 < ε₂)
    (hPreActivationNe0 : ∀ i j, postNormHidden scale ε₁ ρ i j ≠ 0) :
    HasFDerivAt (fun ρ : Env R (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF) =>
      Tensor.ofMat (Spec.postNormBlock (fun x => max x 0) scale ε₁ ε₂ ρ))
      ((reluEncoderBlockGraph scale ε₁ ε₂).deriv ρ) ρ :=
  reluEncoderBlock_hasFDerivAt scale ε₁ ε₂ ρ (fun _ => reluEncoderBlock_varEps_pos hEps1Pos _)
    (fun _ => reluEncoderBlock_varEps_pos hEps2Pos _) hPreActivationNe0

/-- If `0 < ε₁` and `0 < ε₂`, then backpropagation through the post-norm block with ReLU is the adjoint of the
Fréchet derivative of its formula, at every input where no number that ReLU gets is zero and for every seed. -/
@[obligation]
theorem reluEncoderBlock_backprop_eq_adjoint_fderiv_of_pos (δ : Tensor R ⟦seqLen, dModel⟧) (hEps1Pos : 0 < ε₁)
    (hEps2Pos : 0 < ε₂)
    (hPreActivationNe0 : ∀ i j, postNormHidden scale ε₁ ρ i j ≠ 0) :
    (reluEncoderBlockGraph scale ε₁ ε₂).backprop ρ δ =
      (fderiv (fun ρ : Env R (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF) =>
        Tensor.ofMat (Spec.postNormBlock (fun x => max x 0) scale ε₁ ε₂ ρ)) ρ).adjoint δ :=
  reluEncoderBlock_backprop_eq_adjoint_fderiv scale ε₁ ε₂ ρ δ (fun _ => reluEncoderBlock_varEps_pos hEps1Pos _)
    (fun _ => reluEncoderBlock_varEps_pos hEps2Pos _) hPreActivationNe0

end general

section real
variable (scale ε₁ ε₂ : Real)
  (ρ : Env Real (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF))

/-- Over the real numbers, the post-norm block with ReLU is Fréchet differentiable in all its inputs together, at
every input where no number that ReLU gets is zero, if `0 < ε₁` and `0 < ε₂`. -/
@[obligation]
theorem reluEncoderBlock_hasFDerivAt_real (hEps1Pos : 0 < ε₁) (hEps2Pos : 0 < ε₂)
    (hPreActivationNe0 : ∀ i j, postNormHidden scale ε₁ ρ i j ≠ 0) :
    HasFDerivAt (fun ρ : Env Real (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF) =>
      Tensor.ofMat (Spec.postNormBlock (fun x => max x 0) scale ε₁ ε₂ ρ))
      ((reluEncoderBlockGraph scale ε₁ ε₂).deriv ρ) ρ :=
  reluEncoderBlock_hasFDerivAt_of_pos scale ε₁ ε₂ ρ hEps1Pos hEps2Pos hPreActivationNe0

/-- Over the real numbers, backpropagation through the post-norm block with ReLU is the adjoint of the Fréchet
derivative of its formula, at every input where no number that ReLU gets is zero and for every seed, if `0 < ε₁` and
`0 < ε₂`. -/
@[obligation]
theorem reluEncoderBlock_backprop_eq_adjoint_fderiv_real (δ : Tensor Real ⟦seqLen, dModel⟧) (hEps1Pos : 0 < ε₁)
    (hEps2Pos : 0 < ε₂)
    (hPreActivationNe0 : ∀ i j, postNormHidden scale ε₁ ρ i j ≠ 0) :
    (reluEncoderBlockGraph scale ε₁ ε₂).backprop ρ δ =
      (fderiv (fun ρ : Env Real (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF) =>
        Tensor.ofMat (Spec.postNormBlock (fun x => max x 0) scale ε₁ ε₂ ρ)) ρ).adjoint δ :=
  reluEncoderBlock_backprop_eq_adjoint_fderiv_of_pos scale ε₁ ε₂ ρ δ hEps1Pos hEps2Pos hPreActivationNe0

end real
end PostNorm
