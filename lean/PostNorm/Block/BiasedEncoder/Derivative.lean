import PostNorm.Block.BiasedEncoder.Spec

/-! # The encoder block with biases and mask: its derivative, and backpropagation through it

## Main definitions

* `biasedEncoderNorm1Inputs`, `biasedEncoderNorm2Inputs`: the input triples of the two LayerNorms.

## Main statements

* `biasedEncoderBlock_hasFDerivAt`, `biasedEncoderBlock_backpropVec_eq_adjoint_fderiv_at`: it is differentiable,
  and backprop is the adjoint of the derivative, where the two LayerNorms are differentiable.
* `biasedEncoderBlock_hasFDerivAt_of_pos`, `biasedEncoderBlock_backprop_eq_adjoint_fderiv_of_pos`: the same with no
  hypotheses except `0 < ε₁` and `0 < ε₂`.
* `biasedEncoderBlock_hasFDerivAt_tokens`, `biasedEncoderBlock_adjoint_tokens`: the gradient in the tokens
  alone. -/

namespace PostNorm
universe u

variable {R : Type u} [RealField R] {seqLen dModel numHeads headDim dFF : Nat}

/-- The input triple of the first LayerNorm: `MHA x + x`, `gamma1`, `beta1`. -/
noncomputable def biasedEncoderNorm1Inputs (c : EncoderConstants R)
    (ρ : Env R (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF)) : Env R (ΓLayerNorm seqLen dModel) :=
  env![(biasedEncoderMhaResidualGraph c).eval ρ, ρ.get idxBiasedEncoderGamma1, ρ.get idxBiasedEncoderBeta1]

/-- The input triple of the second LayerNorm: `FFN y + y` with `y = LN₁ (MHA x + x)`, `gamma2`, `beta2`. -/
noncomputable def biasedEncoderNorm2Inputs (c : EncoderConstants R) (ε₁ : R)
    (ρ : Env R (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF)) : Env R (ΓLayerNorm seqLen dModel) :=
  env![(biasedEncoderFfnResidualGraph c ε₁).eval ρ, ρ.get idxBiasedEncoderGamma2, ρ.get idxBiasedEncoderBeta2]

section
variable (c : EncoderConstants R) (ε₁ ε₂ : R) (ρ : Env R (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF))

/-- The block's side conditions are those of its two LayerNorms. -/
theorem biasedEncoderBlockGraph_sideConditions_iff : (biasedEncoderBlockGraph c ε₁ ε₂).SideConditions ρ ↔
    ((∀ row, 0 < (layerNormPrefix6 ε₁).eval (biasedEncoderNorm1Inputs c ρ) row) ∧
      ∀ row, (layerNormPrefix7 ε₁).eval (biasedEncoderNorm1Inputs c ρ) row ≠ 0) ∧
    (∀ row, 0 < (layerNormPrefix6 ε₂).eval (biasedEncoderNorm2Inputs c ε₁ ρ) row) ∧
      ∀ row, (layerNormPrefix7 ε₂).eval (biasedEncoderNorm2Inputs c ε₁ ρ) row ≠ 0 := by
  graph_side_conditions [biasedEncoderBlockGraph, biasedEncoderNorm1Inputs, biasedEncoderNorm2Inputs,
    biasedEncoderFfnResidualGraph, biasedEncoderMhaResidualGraph, biasedMhaGraph_sideConditions,
    layerNormGraph_sideConditions_iff, affineGraph_sideConditions, geluGraph_sideConditions]

variable (δ : Tensor R ⟦seqLen, dModel⟧)

section
variable (hNorm1VarEpsPos : ∀ row, 0 < (layerNormPrefix6 ε₁).eval (biasedEncoderNorm1Inputs c ρ) row)
  (hNorm1StdNe0 : ∀ row, (layerNormPrefix7 ε₁).eval (biasedEncoderNorm1Inputs c ρ) row ≠ 0)
  (hNorm2VarEpsPos : ∀ row, 0 < (layerNormPrefix6 ε₂).eval (biasedEncoderNorm2Inputs c ε₁ ρ) row)
  (hNorm2StdNe0 : ∀ row, (layerNormPrefix7 ε₂).eval (biasedEncoderNorm2Inputs c ε₁ ρ) row ≠ 0)
include hNorm1VarEpsPos hNorm1StdNe0 hNorm2VarEpsPos hNorm2StdNe0

/-- At a point where all rows of both LayerNorms' inputs have `var + ε` positive and a standard deviation that is
not zero, every operation of the block has the Fréchet derivative that its tangent map claims. -/
theorem biasedEncoderBlockGraphFDerivCorrectAt : GraphFDerivCorrectAt (biasedEncoderBlockGraph c ε₁ ε₂) ρ :=
  ((biasedEncoderBlockGraph_sideConditions_iff c ε₁ ε₂ ρ).2
    ⟨⟨hNorm1VarEpsPos, hNorm1StdNe0⟩, hNorm2VarEpsPos, hNorm2StdNe0⟩).correct

/-- The encoder block with biases and mask is Fréchet differentiable in all its inputs together, and forward mode
computes its derivative, at every input where all rows of both LayerNorms' inputs have `var + ε` positive and a
standard deviation that is not zero. -/
@[obligation]
theorem biasedEncoderBlock_hasFDerivAt :
    HasFDerivAt (fun ρ => (biasedEncoderBlockGraph c ε₁ ε₂).eval ρ) ((biasedEncoderBlockGraph c ε₁ ε₂).deriv ρ) ρ :=
  (biasedEncoderBlockGraphFDerivCorrectAt c ε₁ ε₂ ρ hNorm1VarEpsPos hNorm1StdNe0 hNorm2VarEpsPos
    hNorm2StdNe0).hasFDerivAt

/-- Backpropagation through the encoder block with biases and mask is the adjoint of the Fréchet derivative of its
evaluation, applied to the seed `δ`, at every input where all rows of both LayerNorms' inputs have `var + ε`
positive and a standard deviation that is not zero. -/
@[obligation]
theorem biasedEncoderBlock_backpropVec_eq_adjoint_fderiv_at : (biasedEncoderBlockGraph c ε₁ ε₂).backprop ρ δ =
    (fderiv (fun ρ => (biasedEncoderBlockGraph c ε₁ ε₂).eval ρ) ρ).adjoint δ :=
  Graph.backprop_eq_adjoint_fderiv _ ρ (biasedEncoderBlockGraphFDerivCorrectAt c ε₁ ε₂ ρ hNorm1VarEpsPos
    hNorm1StdNe0 hNorm2VarEpsPos hNorm2StdNe0) δ

end

/-! ## No side condition left -/

variable (hEps1Pos : 0 < ε₁) (hEps2Pos : 0 < ε₂)
include hEps1Pos hEps2Pos

/-- If `0 < ε₁` and `0 < ε₂`, then every operation of the block is correct, at every input. -/
theorem biasedEncoderBlockGraphFDerivCorrectAt_of_pos : GraphFDerivCorrectAt (biasedEncoderBlockGraph c ε₁ ε₂) ρ :=
  biasedEncoderBlockGraphFDerivCorrectAt c ε₁ ε₂ ρ (layerNorm_varEps_pos hEps1Pos _)
    (layerNorm_std_ne_zero hEps1Pos _) (layerNorm_varEps_pos hEps2Pos _) (layerNorm_std_ne_zero hEps2Pos _)

/-- If `0 < ε₁` and `0 < ε₂`, then the encoder block with biases and mask is Fréchet differentiable at every input,
and forward mode computes its derivative. -/
@[obligation]
theorem biasedEncoderBlock_hasFDerivAt_of_pos :
    HasFDerivAt (fun ρ => (biasedEncoderBlockGraph c ε₁ ε₂).eval ρ) ((biasedEncoderBlockGraph c ε₁ ε₂).deriv ρ) ρ :=
  (biasedEncoderBlockGraphFDerivCorrectAt_of_pos c ε₁ ε₂ ρ hEps1Pos hEps2Pos).hasFDerivAt

/-- If `0 < ε₁` and `0 < ε₂`, then backpropagation through the encoder block with biases and mask is the adjoint of
its Fréchet derivative, at every input and for every seed. -/
@[obligation]
theorem biasedEncoderBlock_backprop_eq_adjoint_fderiv_of_pos : (biasedEncoderBlockGraph c ε₁ ε₂).backprop ρ δ =
    (fderiv (fun ρ => (biasedEncoderBlockGraph c ε₁ ε₂).eval ρ) ρ).adjoint δ :=
  Graph.backprop_eq_adjoint_fderiv _ ρ (biasedEncoderBlockGraphFDerivCorrectAt_of_pos c ε₁ ε₂ ρ hEps1Pos hEps2Pos) δ

end

/-- If `0 < ε₁`, then `var + ε₁` is positive in every row of the first LayerNorm's input. -/
@[discharges biasedEncoderBlock_hasFDerivAt hNorm1VarEpsPos,
  biasedEncoderBlock_backpropVec_eq_adjoint_fderiv_at hNorm1VarEpsPos]
theorem biasedEncoder_norm1_varEps_pos {ε₁ : R} (hEps1Pos : 0 < ε₁) (c : EncoderConstants R)
    (ρ : Env R (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF)) (row : Shape.Coord ⟦seqLen⟧) :
    0 < (layerNormPrefix6 ε₁).eval (biasedEncoderNorm1Inputs c ρ) row :=
  layerNorm_varEps_pos hEps1Pos _ row

/-- If `0 < ε₁`, then the standard deviation is not zero in any row of the first LayerNorm's input. -/
@[discharges biasedEncoderBlock_hasFDerivAt hNorm1StdNe0,
  biasedEncoderBlock_backpropVec_eq_adjoint_fderiv_at hNorm1StdNe0]
theorem biasedEncoder_norm1_std_ne_zero {ε₁ : R} (hEps1Pos : 0 < ε₁) (c : EncoderConstants R)
    (ρ : Env R (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF)) (row : Shape.Coord ⟦seqLen⟧) :
    (layerNormPrefix7 ε₁).eval (biasedEncoderNorm1Inputs c ρ) row ≠ 0 :=
  layerNorm_std_ne_zero hEps1Pos _ row

/-- If `0 < ε₂`, then `var + ε₂` is positive in every row of the second LayerNorm's input. -/
@[discharges biasedEncoderBlock_hasFDerivAt hNorm2VarEpsPos,
  biasedEncoderBlock_backpropVec_eq_adjoint_fderiv_at hNorm2VarEpsPos]
theorem biasedEncoder_norm2_varEps_pos {ε₂ : R} (hEps2Pos : 0 < ε₂) (c : EncoderConstants R) (ε₁ : R)
    (ρ : Env R (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF)) (row : Shape.Coord ⟦seqLen⟧) :
    0 < (layerNormPrefix6 ε₂).eval (biasedEncoderNorm2Inputs c ε₁ ρ) row :=
  layerNorm_varEps_pos hEps2Pos _ row

/-- If `0 < ε₂`, then the standard deviation is not zero in any row of the second LayerNorm's input. -/
@[discharges biasedEncoderBlock_hasFDerivAt hNorm2StdNe0,
  biasedEncoderBlock_backpropVec_eq_adjoint_fderiv_at hNorm2StdNe0]
theorem biasedEncoder_norm2_std_ne_zero {ε₂ : R} (hEps2Pos : 0 < ε₂) (c : EncoderConstants R) (ε₁ : R)
    (ρ : Env R (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF)) (row : Shape.Coord ⟦seqLen⟧) :
    (layerNormPrefix7 ε₂).eval (biasedEncoderNorm2Inputs c ε₁ ρ) row ≠ 0 :=
  layerNorm_std_ne_zero hEps2Pos _ row

/-- If `0 < ε₁` and `0 < ε₂`, then with fixed weights, biases and mask the block is Fréchet differentiable in the
tokens alone. -/
@[obligation]
theorem biasedEncoderBlock_hasFDerivAt_tokens (c : EncoderConstants R) (ε₁ ε₂ : R) (x : Tensor R ⟦seqLen, dModel⟧)
    (weights : Env R (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF).tail) (hEps1Pos : 0 < ε₁)
    (hEps2Pos : 0 < ε₂) :
    HasFDerivAt
      (fun x : Tensor R ⟦seqLen, dModel⟧ => (biasedEncoderBlockGraph c ε₁ ε₂).eval (Env.cons x weights))
      ((biasedEncoderBlockGraph c ε₁ ε₂).derivHead x weights) x :=
  Graph.hasFDerivAt_head _ x weights
    (biasedEncoderBlockGraphFDerivCorrectAt_of_pos c ε₁ ε₂ _ hEps1Pos hEps2Pos)

/-- With fixed weights, biases and mask, the first component of backprop is the adjoint of the block's derivative
in the tokens alone, at every input and for every seed, whatever `ε₁` and `ε₂`. -/
@[obligation]
theorem biasedEncoderBlock_adjoint_tokens (c : EncoderConstants R) (ε₁ ε₂ : R)
    (x v : Tensor R ⟦seqLen, dModel⟧)
    (weights : Env R (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF).tail)
    (δ : Tensor R ⟦seqLen, dModel⟧) :
    Tensor.dot ((biasedEncoderBlockGraph c ε₁ ε₂).derivHead x weights v) δ =
      Tensor.dot v ((biasedEncoderBlockGraph c ε₁ ε₂).backprop (Env.cons x weights) δ).head :=
  (biasedEncoderBlockGraph c ε₁ ε₂).adjoint_head x weights v δ

end PostNorm
