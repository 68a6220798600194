import PostNorm.Block.Encoder.Graph

/-! # The encoder block: its derivative, and backpropagation through it

The side conditions are those of the two LayerNorms, stated on the values that LayerNorm's prefix graphs compute at
the two calls.

## Main definitions

* `encoderNorm1Inputs`, `encoderNorm2Inputs`: the input triples of the two LayerNorms.

## Main statements

* `encoderFfnResidualGraphFDerivCorrectAt`, `encoderBlockGraphFDerivCorrectAt`: every operation is correct.
* `encoderBlock_backpropVec_eq_adjoint_fderiv_at`: backprop is the adjoint of the derivative. -/

namespace PostNorm
universe u

variable {R : Type u} [RealField R] {seqLen dModel numHeads headDim dFF : Nat}

/-- The input triple of the first LayerNorm: `MHA x + x`, `gamma1`, `beta1`. -/
noncomputable def encoderNorm1Inputs (c : EncoderConstants R)
    (ρ : Env R (ΓEncoderBlock seqLen dModel numHeads headDim dFF)) : Env R (ΓLayerNorm seqLen dModel) :=
  env![(encoderMhaResidualDGraph c).eval ρ, ρ.get idxEncoderNorm1Gamma, ρ.get idxEncoderNorm1Beta]

/-- The input triple of the second LayerNorm: `FFN y + y` with `y = LN₁ (MHA x + x)`, `gamma2`, `beta2`. -/
noncomputable def encoderNorm2Inputs (c : EncoderConstants R) (ε₁ : R)
    (ρ : Env R (ΓEncoderBlock seqLen dModel numHeads headDim dFF)) : Env R (ΓLayerNorm seqLen dModel) :=
  env![(encoderFfnResidualGraph c ε₁).eval ρ, ρ.get idxEncoderNorm2Gamma, ρ.get idxEncoderNorm2Beta]

variable (c : EncoderConstants R) (ε₁ ε₂ : R) (ρ : Env R (ΓEncoderBlock seqLen dModel numHeads headDim dFF))

/-- Up to the feed-forward residual, the block's side conditions are those of the first LayerNorm. -/
theorem encoderFfnResidualGraph_sideConditions_iff : (encoderFfnResidualGraph c ε₁).SideConditions ρ ↔
    (∀ row, 0 < (layerNormPrefix6 ε₁).eval (encoderNorm1Inputs c ρ) row) ∧
      ∀ row, (layerNormPrefix7 ε₁).eval (encoderNorm1Inputs c ρ) row ≠ 0 := by
  graph_side_conditions [encoderFfnResidualGraph, encoderNorm1Inputs, encoderMhaResidualDGraph,
    mhaGraph_sideConditions, layerNormGraph_sideConditions_iff, affineGraph_sideConditions,
    geluGraph_sideConditions]

/-- The block's side conditions are those of its two LayerNorms. -/
theorem encoderBlockGraph_sideConditions_iff : (encoderBlockGraph c ε₁ ε₂).SideConditions ρ ↔
    ((∀ row, 0 < (layerNormPrefix6 ε₁).eval (encoderNorm1Inputs c ρ) row) ∧
      ∀ row, (layerNormPrefix7 ε₁).eval (encoderNorm1Inputs c ρ) row ≠ 0) ∧
    (∀ row, 0 < (layerNormPrefix6 ε₂).eval (encoderNorm2Inputs c ε₁ ρ) row) ∧
      ∀ row, (layerNormPrefix7 ε₂).eval (encoderNorm2Inputs c ε₁ ρ) row ≠ 0 := by
  graph_side_conditions [encoderBlockGraph, encoderNorm1Inputs, encoderNorm2Inputs, encoderFfnResidualGraph,
    encoderMhaResidualDGraph, mhaGraph_sideConditions, layerNormGraph_sideConditions_iff,
    affineGraph_sideConditions, geluGraph_sideConditions]

variable (δ : Tensor R ⟦seqLen, dModel⟧)
  (hNorm1VarEpsPos : ∀ row, 0 < (layerNormPrefix6 ε₁).eval (encoderNorm1Inputs c ρ) row)
  (hNorm1StdNe0 : ∀ row, (layerNormPrefix7 ε₁).eval (encoderNorm1Inputs c ρ) row ≠ 0)
include hNorm1VarEpsPos hNorm1StdNe0

/-- At a point where all rows of the first LayerNorm's input have `var + ε₁` positive and a standard deviation that
is not zero, every operation up to the feed-forward residual has the Fréchet derivative that its tangent map
claims. -/
@[obligation]
theorem encoderFfnResidualGraphFDerivCorrectAt : GraphFDerivCorrectAt (encoderFfnResidualGraph c ε₁) ρ :=
  ((encoderFfnResidualGraph_sideConditions_iff c ε₁ ρ).2 ⟨hNorm1VarEpsPos, hNorm1StdNe0⟩).correct

variable (hNorm2VarEpsPos : ∀ row, 0 < (layerNormPrefix6 ε₂).eval (encoderNorm2Inputs c ε₁ ρ) row)
  (hNorm2StdNe0 : ∀ row, (layerNormPrefix7 ε₂).eval (encoderNorm2Inputs c ε₁ ρ) row ≠ 0)
include hNorm2VarEpsPos hNorm2StdNe0

/-- At a point where all rows of both LayerNorms' inputs have `var + ε` positive and a standard deviation that is
not zero, every operation of the encoder block has the Fréchet derivative that its tangent map claims. -/
@[obligation]
theorem encoderBlockGraphFDerivCorrectAt : GraphFDerivCorrectAt (encoderBlockGraph c ε₁ ε₂) ρ :=
  ((encoderBlockGraph_sideConditions_iff c ε₁ ε₂ ρ).2
    ⟨⟨hNorm1VarEpsPos, hNorm1StdNe0⟩, hNorm2VarEpsPos, hNorm2StdNe0⟩).correct

/-- Backpropagation through the encoder block is the adjoint of the Fréchet derivative of its evaluation, applied
to the seed `δ`, at every input where all rows of both LayerNorms' inputs have `var + ε` positive and a standard
deviation that is not zero. -/
@[obligation]
theorem encoderBlock_backpropVec_eq_adjoint_fderiv_at : (encoderBlockGraph c ε₁ ε₂).backprop ρ δ =
    (fderiv (fun ρ => (encoderBlockGraph c ε₁ ε₂).eval ρ) ρ).adjoint δ :=
  Graph.backprop_eq_adjoint_fderiv _ ρ (encoderBlockGraphFDerivCorrectAt c ε₁ ε₂ ρ hNorm1VarEpsPos
    hNorm1StdNe0 hNorm2VarEpsPos hNorm2StdNe0) δ

end PostNorm
