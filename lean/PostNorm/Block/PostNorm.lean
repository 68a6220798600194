import PostNorm.Layers.FeedForward
import PostNorm.Layers.LayerNorm

/-! # The two post-norm sublayers

`LN (MHA x + x)` and `LN (FFN x + x)`: a branch, the residual sum, and LayerNorm of it.  The residuals are smooth
everywhere; all side conditions are those of the LayerNorm, stated on its input triple.

## Main definitions

* `mhaResidualDGraph`, `mhaPostNormGraph`; `seqFfnResidualDGraph`, `seqFfnPostNormGraph`.
* `mhaNormInputs`, `seqFfnNormInputs`: the input triple of the LayerNorm.

## Main statements

* `mhaPostNorm_backpropVec_eq_adjoint_fderiv_at`, `seqFfnPostNorm_backpropVec_eq_adjoint_fderiv_at`: backprop is
  the adjoint of the derivative. -/

namespace PostNorm
universe u

section graphs
variable {K : Type u} {seqLen dModel numHeads headDim dFF : Nat}

/-- The inputs of the attention sublayer: `x`, `Wq`, `Wk`, `Wv`, `Wo`, `gamma`, `beta`. -/
abbrev ΓMhaPostNorm (seqLen dModel numHeads headDim : Nat) : Context :=
  [⟦seqLen, dModel⟧, ⟦dModel, numHeads * headDim⟧, ⟦dModel, numHeads * headDim⟧,
    ⟦dModel, numHeads * headDim⟧, ⟦numHeads * headDim, dModel⟧, ⟦dModel⟧, ⟦dModel⟧]

/-- The inputs of the feed-forward sublayer: `x`, `W1`, `b1`, `W2`, `b2`, `gamma`, `beta`. -/
abbrev ΓSeqFfnPostNorm (seqLen dModel dFF : Nat) : Context :=
  [⟦seqLen, dModel⟧, ⟦dModel, dFF⟧, ⟦dFF⟧, ⟦dFF, dModel⟧, ⟦dModel⟧, ⟦dModel⟧, ⟦dModel⟧]

/-- `MHA x + x`.  It does not read the LayerNorm's parameters.  (Upstream's graphs contain their proofs, hence the
`D`; ours are plain graphs with theorems.) -/
def mhaResidualDGraph (scale : K) :
    Graph K (ΓMhaPostNorm seqLen dModel numHeads headDim) ⟦seqLen, dModel⟧ :=
  graph! x Wq Wk Wv Wo gamma beta =>
  let mha := mhaGraph scale ⟪x, Wq, Wk, Wv, Wo⟫
  let residual := .add mha x
  return residual

/-- The attention sublayer, `LN (MHA x + x)`. -/
def mhaPostNormGraph (scale ε : K) :
    Graph K (ΓMhaPostNorm seqLen dModel numHeads headDim) ⟦seqLen, dModel⟧ :=
  graph! x Wq Wk Wv Wo gamma beta =>
  let mha := mhaGraph scale ⟪x, Wq, Wk, Wv, Wo⟫
  let residual := .add mha x
  let norm := layerNormGraph ε ⟪residual, gamma, beta⟫
  return norm

/-- `FFN x + x`.  It does not read the LayerNorm's parameters. -/
def seqFfnResidualDGraph (c : GeluConstants K) :
    Graph K (ΓSeqFfnPostNorm seqLen dModel dFF) ⟦seqLen, dModel⟧ :=
  graph! x W1 b1 W2 b2 gamma beta =>
  let ffn := ffnGraph c ⟪x, W1, b1, W2, b2⟫
  let residual := .add ffn x
  return residual

/-- The feed-forward sublayer, `LN (FFN x + x)`. -/
def seqFfnPostNormGraph (c : GeluConstants K) (ε : K) :
    Graph K (ΓSeqFfnPostNorm seqLen dModel dFF) ⟦seqLen, dModel⟧ :=
  graph! x W1 b1 W2 b2 gamma beta =>
  let ffn := ffnGraph c ⟪x, W1, b1, W2, b2⟫
  let residual := .add ffn x
  let norm := layerNormGraph ε ⟪residual, gamma, beta⟫
  return norm

end graphs

variable {R : Type u} [RealField R] {seqLen dModel numHeads headDim dFF : Nat}

/-- The input of the attention sublayer's LayerNorm: `MHA x + x`, `gamma`, `beta`. -/
noncomputable def mhaNormInputs (scale : R) (ρ : Env R (ΓMhaPostNorm seqLen dModel numHeads headDim)) :
    Env R (ΓLayerNorm seqLen dModel) :=
  env![(mhaResidualDGraph scale).eval ρ, ρ.get (.there (.there (.there (.there (.there .here))))),
    ρ.get (.there (.there (.there (.there (.there (.there .here))))))]

/-- The input of the feed-forward sublayer's LayerNorm: `FFN x + x`, `gamma`, `beta`. -/
noncomputable def seqFfnNormInputs (c : GeluConstants R) (ρ : Env R (ΓSeqFfnPostNorm seqLen dModel dFF)) :
    Env R (ΓLayerNorm seqLen dModel) :=
  env![(seqFfnResidualDGraph c).eval ρ, ρ.get (.there (.there (.there (.there (.there .here))))),
    ρ.get (.there (.there (.there (.there (.there (.there .here))))))]

/-- The attention sublayer's side conditions are those of its LayerNorm. -/
theorem mhaPostNormGraph_sideConditions_iff (scale ε : R)
    (ρ : Env R (ΓMhaPostNorm seqLen dModel numHeads headDim)) :
    (mhaPostNormGraph scale ε).SideConditions ρ ↔
      (∀ row, 0 < (layerNormPrefix6 ε).eval (mhaNormInputs scale ρ) row) ∧
        ∀ row, (layerNormPrefix7 ε).eval (mhaNormInputs scale ρ) row ≠ 0 := by
  graph_side_conditions [mhaPostNormGraph, mhaNormInputs, mhaResidualDGraph, mhaGraph_sideConditions,
    layerNormGraph_sideConditions_iff]

/-- The feed-forward sublayer's side conditions are those of its LayerNorm. -/
theorem seqFfnPostNormGraph_sideConditions_iff (c : GeluConstants R) (ε : R)
    (ρ : Env R (ΓSeqFfnPostNorm seqLen dModel dFF)) :
    (seqFfnPostNormGraph c ε).SideConditions ρ ↔
      (∀ row, 0 < (layerNormPrefix6 ε).eval (seqFfnNormInputs c ρ) row) ∧
        ∀ row, (layerNormPrefix7 ε).eval (seqFfnNormInputs c ρ) row ≠ 0 := by
  graph_side_conditions [seqFfnPostNormGraph, seqFfnNormInputs, seqFfnResidualDGraph, ffnGraph_sideConditions,
    layerNormGraph_sideConditions_iff]

/-- Backpropagation through the attention sublayer `LN (MHA x + x)` is the adjoint of its Fréchet derivative,
applied to the seed `δ`, at every input where all rows of `MHA x + x` have `var + ε` positive and a standard
deviation that is not zero. -/
@[obligation]
theorem mhaPostNorm_backpropVec_eq_adjoint_fderiv_at (scale ε : R)
    (ρ : Env R (ΓMhaPostNorm seqLen dModel numHeads headDim)) (δ : Tensor R ⟦seqLen, dModel⟧)
    (hVarEpsPos : ∀ row, 0 < (layerNormPrefix6 ε).eval (mhaNormInputs scale ρ) row)
    (hStdNe0 : ∀ row, (layerNormPrefix7 ε).eval (mhaNormInputs scale ρ) row ≠ 0) :
    (mhaPostNormGraph scale ε).backprop ρ δ =
      (fderiv (fun ρ => (mhaPostNormGraph scale ε).eval ρ) ρ).adjoint δ :=
  Graph.backprop_eq_adjoint_fderiv _ ρ
    ((mhaPostNormGraph_sideConditions_iff scale ε ρ).2 ⟨hVarEpsPos, hStdNe0⟩).correct δ

/-- Backpropagation through the feed-forward sublayer `LN (FFN x + x)` is the adjoint of its Fréchet derivative,
applied to the seed `δ`, at every input where all rows of `FFN x + x` have `var + ε` positive and a standard
deviation that is not zero. -/
@[obligation]
theorem seqFfnPostNorm_backpropVec_eq_adjoint_fderiv_at (c : GeluConstants R) (ε : R)
    (ρ : Env R (ΓSeqFfnPostNorm seqLen dModel dFF)) (δ : Tensor R ⟦seqLen, dModel⟧)
    (hVarEpsPos : ∀ row, 0 < (layerNormPrefix6 ε).eval (seqFfnNormInputs c ρ) row)
    (hStdNe0 : ∀ row, (layerNormPrefix7 ε).eval (seqFfnNormInputs c ρ) row ≠ 0) :
    (seqFfnPostNormGraph c ε).backprop ρ δ =
      (fderiv (fun ρ => (seqFfnPostNormGraph c ε).eval ρ) ρ).adjoint δ :=
  Graph.backprop_eq_adjoint_fderiv _ ρ
    ((seqFfnPostNormGraph_sideConditions_iff c ε ρ).2 ⟨hVarEpsPos, hStdNe0⟩).correct δ

end PostNorm
