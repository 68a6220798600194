import PostNorm.Block.Encoder.Derivative
import PostNorm.Block.Encoder.Function
import PostNorm.Block.Encoder.Spec

/-! # The encoder block, given only `0 < ε₁` and `0 < ε₂`

Every side condition of every theorem about the block and its sublayers is one of LayerNorm's, at some input, and so
follows from `0 < ε`.  There are no conditions on the sizes: there need not even be a token.

## Main statements

* `postNorm_varEps_pos`, `postNorm_std_ne_zero`: all side conditions.
* `encoderBlock_hasFDerivAt_of_pos`, `encoderBlock_backprop_eq_adjoint_fderiv_of_pos`: the end-to-end theorems.
* `encoderBlock_backprop_unique_of_pos`: backprop is the only adjoint.
* `encoderBlock_hasFDerivAt_tokens`, `encoderBlock_adjoint_tokens`: the gradient in the tokens alone. -/

namespace PostNorm
universe u

variable {R : Type u} [RealField R] {seqLen dModel numHeads headDim dFF : Nat}

/-- If `0 < ε`, then `var + ε` is positive in every row that a post-norm block normalizes. -/
@[discharges mhaPostNorm_backpropVec_eq_adjoint_fderiv_at hVarEpsPos,
  seqFfnPostNorm_backpropVec_eq_adjoint_fderiv_at hVarEpsPos,
  encoderFfnResidualGraphFDerivCorrectAt hNorm1VarEpsPos,
  encoderBlockGraphFDerivCorrectAt hNorm1VarEpsPos, encoderBlockGraphFDerivCorrectAt hNorm2VarEpsPos,
  encoderBlock_backpropVec_eq_adjoint_fderiv_at hNorm1VarEpsPos,
  encoderBlock_backpropVec_eq_adjoint_fderiv_at hNorm2VarEpsPos,
  postNormEncoderBlock_hasFDerivAt hNorm1VarEpsPos, postNormEncoderBlock_hasFDerivAt hNorm2VarEpsPos]
theorem postNorm_varEps_pos {ε : R} (hEpsPos : 0 < ε) (ρ : Env R (ΓLayerNorm seqLen dModel))
    (row : Shape.Coord ⟦seqLen⟧) : 0 < (layerNormPrefix6 ε).eval ρ row :=
  layerNorm_varEps_pos hEpsPos ρ row

/-- If `0 < ε`, then the standard deviation is not zero in any row that a post-norm block normalizes. -/
@[discharges mhaPostNorm_backpropVec_eq_adjoint_fderiv_at hStdNe0,
  seqFfnPostNorm_backpropVec_eq_adjoint_fderiv_at hStdNe0,
  encoderFfnResidualGraphFDerivCorrectAt hNorm1StdNe0,
  encoderBlockGraphFDerivCorrectAt hNorm1StdNe0, encoderBlockGraphFDerivCorrectAt hNorm2StdNe0,
  encoderBlock_backpropVec_eq_adjoint_fderiv_at hNorm1StdNe0,
  encoderBlock_backpropVec_eq_adjoint_fderiv_at hNorm2StdNe0,
  postNormEncoderBlock_hasFDerivAt hNorm1StdNe0, postNormEncoderBlock_hasFDerivAt hNorm2StdNe0]
theorem postNorm_std_ne_zero {ε : R} (hEpsPos : 0 < ε) (ρ : Env R (ΓLayerNorm seqLen dModel))
    (row : Shape.Coord ⟦seqLen⟧) : (layerNormPrefix7 ε).eval ρ row ≠ 0 :=
  layerNorm_std_ne_zero hEpsPos ρ row

/-- If `0 < ε`, backpropagation through the attention sublayer is the adjoint of its Fréchet derivative, at every
input and for every seed. -/
@[obligation]
theorem mhaPostNorm_backprop_eq_adjoint_fderiv_of_pos (scale ε : R)
    (ρ : Env R (ΓMhaPostNorm seqLen dModel numHeads headDim)) (δ : Tensor R ⟦seqLen, dModel⟧)
    (hEpsPos : 0 < ε) : (mhaPostNormGraph scale ε).backprop ρ δ =
      (fderiv (fun ρ => (mhaPostNormGraph scale ε).eval ρ) ρ).adjoint δ :=
  mhaPostNorm_backpropVec_eq_adjoint_fderiv_at scale ε ρ δ (postNorm_varEps_pos hEpsPos _)
    (postNorm_std_ne_zero hEpsPos _)

/-- If `0 < ε`, backpropagation through the feed-forward sublayer is the adjoint of its Fréchet derivative, at
every input and for every seed. -/
@[obligation]
theorem seqFfnPostNorm_backprop_eq_adjoint_fderiv_of_pos (c : GeluConstants R) (ε : R)
    (ρ : Env R (ΓSeqFfnPostNorm seqLen dModel dFF)) (δ : Tensor R ⟦seqLen, dModel⟧)
    (hEpsPos : 0 < ε) : (seqFfnPostNormGraph c ε).backprop ρ δ =
      (fderiv (fun ρ => (seqFfnPostNormGraph c ε).eval ρ) ρ).adjoint δ :=
  seqFfnPostNorm_backpropVec_eq_adjoint_fderiv_at c ε ρ δ (postNorm_varEps_pos hEpsPos _)
    (postNorm_std_ne_zero hEpsPos _)

section block
variable (c : EncoderConstants R) {ε₁ ε₂ : R} (hEps1Pos : 0 < ε₁) (hEps2Pos : 0 < ε₂)
  (ρ : Env R (ΓEncoderBlock seqLen dModel numHeads headDim dFF))
include hEps1Pos hEps2Pos

/-- If `0 < ε₁` and `0 < ε₂`, all side conditions of the block hold at every input. -/
theorem encoderBlockGraph_sideConditions : (encoderBlockGraph c ε₁ ε₂).SideConditions ρ :=
  (encoderBlockGraph_sideConditions_iff c ε₁ ε₂ ρ).2
    ⟨⟨postNorm_varEps_pos hEps1Pos _, postNorm_std_ne_zero hEps1Pos _⟩,
      postNorm_varEps_pos hEps2Pos _, postNorm_std_ne_zero hEps2Pos _⟩

/-- If `0 < ε₁` and `0 < ε₂`, every operation of the block has the derivative that its tangent map claims, at every
input. -/
@[obligation]
theorem encoderBlockGraphFDerivCorrectAt_of_pos : GraphFDerivCorrectAt (encoderBlockGraph c ε₁ ε₂) ρ :=
  (encoderBlockGraph_sideConditions c hEps1Pos hEps2Pos ρ).correct

/-- If `0 < ε₁` and `0 < ε₂`, the encoder block `x ↦ LN₂ (FFN (LN₁ (MHA x + x)) + LN₁ (MHA x + x))` is Fréchet
differentiable in the tokens and all weights together, at every input, and forward mode computes its derivative. -/
@[obligation]
theorem encoderBlock_hasFDerivAt_of_pos :
    HasFDerivAt (fun ρ : Env R (ΓEncoderBlock seqLen dModel numHeads headDim dFF) =>
        Tensor.ofMat (Spec.encoderBlock c ε₁ ε₂ (encoderWeights ρ) (encoderTokens ρ)))
      ((encoderBlockGraph c ε₁ ε₂).deriv ρ) ρ := by
  have h := (encoderBlockGraphFDerivCorrectAt_of_pos c hEps1Pos hEps2Pos ρ).hasFDerivAt
  rwa [funext fun ρ => encoderBlock_eval c ε₁ ε₂ ρ] at h

/-- If `0 < ε₁` and `0 < ε₂`, backpropagation through the encoder block is the adjoint of the Fréchet derivative of
`x ↦ LN₂ (FFN (LN₁ (MHA x + x)) + LN₁ (MHA x + x))` in the tokens and all weights, at every input and for every
seed. -/
@[obligation]
theorem encoderBlock_backprop_eq_adjoint_fderiv_of_pos (δ : Tensor R ⟦seqLen, dModel⟧) :
    (encoderBlockGraph c ε₁ ε₂).backprop ρ δ =
      (fderiv (fun ρ : Env R (ΓEncoderBlock seqLen dModel numHeads headDim dFF) =>
        Tensor.ofMat (Spec.encoderBlock c ε₁ ε₂ (encoderWeights ρ) (encoderTokens ρ))) ρ).adjoint δ := by
  rw [(encoderBlock_hasFDerivAt_of_pos c hEps1Pos hEps2Pos ρ).fderiv, Graph.backprop_eq_adjoint_deriv]

/-- If `0 < ε₁` and `0 < ε₂`, backpropagation is the *only* adjoint of the *only* derivative of the block. -/
@[obligation]
theorem encoderBlock_backprop_unique_of_pos
    {L : BoundedLinearMap R (ΓEncoderBlock seqLen dModel numHeads headDim dFF).Coord
      (Shape.Coord ⟦seqLen, dModel⟧)}
    (hL : HasFDerivAt (fun ρ => (encoderBlockGraph c ε₁ ε₂).eval ρ) L ρ)
    {A : Tensor R ⟦seqLen, dModel⟧ → Env R (ΓEncoderBlock seqLen dModel numHeads headDim dFF)}
    (hA : ∀ v δ, Tensor.dot (L v) δ = Env.dot v (A δ)) (δ : Tensor R ⟦seqLen, dModel⟧) :
    A δ = (encoderBlockGraph c ε₁ ε₂).backprop ρ δ :=
  Graph.backprop_unique _ ρ (encoderBlockGraphFDerivCorrectAt_of_pos c hEps1Pos hEps2Pos ρ) hL hA δ

omit ρ in
/-- If `0 < ε₁` and `0 < ε₂`, then with fixed weights the block is Fréchet differentiable in the tokens alone. -/
@[obligation]
theorem encoderBlock_hasFDerivAt_tokens (x : Tensor R ⟦seqLen, dModel⟧)
    (weights : Env R (ΓEncoderBlock seqLen dModel numHeads headDim dFF).tail) :
    HasFDerivAt
      (fun x : Tensor R ⟦seqLen, dModel⟧ => (encoderBlockGraph c ε₁ ε₂).eval (Env.cons x weights))
      ((encoderBlockGraph c ε₁ ε₂).derivHead x weights) x :=
  Graph.hasFDerivAt_head _ x weights (encoderBlockGraphFDerivCorrectAt_of_pos c hEps1Pos hEps2Pos _)

end block

/-- With fixed weights, the first component of backprop is the adjoint of the block's derivative in the tokens
alone, at every input and for every seed, whatever `ε₁` and `ε₂`. -/
@[obligation]
theorem encoderBlock_adjoint_tokens (c : EncoderConstants R) (ε₁ ε₂ : R) (x v : Tensor R ⟦seqLen, dModel⟧)
    (weights : Env R (ΓEncoderBlock seqLen dModel numHeads headDim dFF).tail)
    (δ : Tensor R ⟦seqLen, dModel⟧) :
    Tensor.dot ((encoderBlockGraph c ε₁ ε₂).derivHead x weights v) δ =
      Tensor.dot v ((encoderBlockGraph c ε₁ ε₂).backprop (Env.cons x weights) δ).head :=
  (encoderBlockGraph c ε₁ ε₂).adjoint_head x weights v δ

end PostNorm
