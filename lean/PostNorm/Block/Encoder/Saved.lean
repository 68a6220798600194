import PostNorm.Block.Encoder.Graph

/-! # The values that the encoder block saves, and their indices

The scope grows as the block is computed: first the inputs, then each named value in front of the ones before it.
Values saved inside an attention, a LayerNorm, a GELU or an affine map are not in scope here: they are in the called
graph's own scope (and on the tape, `Graph.toTape`, under a dotted name).

## Main definitions

* `ssEncoderMhaResidual`, `ssEncoderAfterNorm1`, `ssEncoderFfnResidual`, `ssEncoderBlock`: the shapes of the saved
  values, newest first, after each stage.
* `encoderSavedMhaResidual`, `encoderSavedAfterNorm1`, `encoderSavedFfnResidual`: the values.
* `idxEncoderMhaResidual`, …: their indices.

## Main statements

* `encoderSavedMhaResidual_get`, …: each index refers to the value that its stage's graph computes. -/

namespace PostNorm
universe u

variable {seqLen dModel numHeads headDim dFF : Nat}

/-- Saved up to the attention residual: attention, residual. -/
abbrev ssEncoderMhaResidual (seqLen dModel : Nat) : Context := [⟦seqLen, dModel⟧, ⟦seqLen, dModel⟧]

/-- Saved up to the first LayerNorm. -/
abbrev ssEncoderAfterNorm1 (seqLen dModel : Nat) : Context :=
  ⟦seqLen, dModel⟧ :: ssEncoderMhaResidual seqLen dModel

/-- Saved up to the feed-forward residual: the first affine map, GELU, the second affine map, the residual. -/
abbrev ssEncoderFfnResidual (seqLen dModel dFF : Nat) : Context :=
  ⟦seqLen, dModel⟧ :: ⟦seqLen, dModel⟧ :: ⟦seqLen, dFF⟧ :: ⟦seqLen, dFF⟧ :: ssEncoderAfterNorm1 seqLen dModel

/-- The shapes of all values that the block itself saves under a name, newest first. -/
abbrev ssEncoderBlock (seqLen dModel dFF : Nat) : Context :=
  ⟦seqLen, dModel⟧ :: ssEncoderFfnResidual seqLen dModel dFF

/-- The scope once the attention residual is saved. -/
abbrev ΓEncoderMhaResidual (seqLen dModel numHeads headDim dFF : Nat) : Context :=
  ssEncoderMhaResidual seqLen dModel ++ ΓEncoderBlock seqLen dModel numHeads headDim dFF

/-- The scope once the first LayerNorm is saved. -/
abbrev ΓEncoderAfterNorm1 (seqLen dModel numHeads headDim dFF : Nat) : Context :=
  ssEncoderAfterNorm1 seqLen dModel ++ ΓEncoderBlock seqLen dModel numHeads headDim dFF

/-- The scope once the feed-forward residual is saved. -/
abbrev ΓEncoderFfnResidual (seqLen dModel numHeads headDim dFF : Nat) : Context :=
  ssEncoderFfnResidual seqLen dModel dFF ++ ΓEncoderBlock seqLen dModel numHeads headDim dFF

/-- The attention residual, where the first LayerNorm reads it. -/
abbrev idxEncoderMhaResidual :
    Idx (ΓEncoderMhaResidual seqLen dModel numHeads headDim dFF) ⟦seqLen, dModel⟧ := .here

/-- The first sublayer's output, where the feed-forward layer reads it. -/
abbrev idxEncoderNorm1Out :
    Idx (ΓEncoderAfterNorm1 seqLen dModel numHeads headDim dFF) ⟦seqLen, dModel⟧ := .here

/-- The first sublayer's output again, past the values of the feed-forward layer. -/
abbrev idxEncoderNorm1OutAfterFfn :
    Idx (ΓEncoderFfnResidual seqLen dModel numHeads headDim dFF) ⟦seqLen, dModel⟧ :=
  .there (.there (.there (.there .here)))

/-- The output of the feed-forward layer's first affine map. -/
abbrev idxEncoderFfnHiddenPre :
    Idx (ΓEncoderFfnResidual seqLen dModel numHeads headDim dFF) ⟦seqLen, dFF⟧ :=
  .there (.there (.there .here))

/-- The output of GELU. -/
abbrev idxEncoderFfnHiddenAct :
    Idx (ΓEncoderFfnResidual seqLen dModel numHeads headDim dFF) ⟦seqLen, dFF⟧ := .there (.there .here)

/-- The output of the feed-forward layer's second affine map. -/
abbrev idxEncoderFfnProjected :
    Idx (ΓEncoderFfnResidual seqLen dModel numHeads headDim dFF) ⟦seqLen, dModel⟧ := .there .here

/-- The feed-forward residual. -/
abbrev idxEncoderFfnResidual :
    Idx (ΓEncoderFfnResidual seqLen dModel numHeads headDim dFF) ⟦seqLen, dModel⟧ := .here

section values
variable {α : Type u} [Scalar α] (c : EncoderConstants α) (ε₁ : α)
  (ρ : Env α (ΓEncoderBlock seqLen dModel numHeads headDim dFF))

/-- The values in scope once the attention residual is saved. -/
def encoderSavedMhaResidual : Env α (ΓEncoderMhaResidual seqLen dModel numHeads headDim dFF) :=
  let mha := (mhaGraph c.scale).eval env![ρ.get .here, ρ.get (.there .here), ρ.get (.there (.there .here)),
    ρ.get (.there (.there (.there .here))), ρ.get (.there (.there (.there (.there .here))))]
  Env.cons (fun i => mha i + ρ.get .here i) (Env.cons mha ρ)

/-- The values in scope once the first LayerNorm is saved. -/
def encoderSavedAfterNorm1 : Env α (ΓEncoderAfterNorm1 seqLen dModel numHeads headDim dFF) :=
  let σ := encoderSavedMhaResidual c ρ
  Env.cons ((layerNormGraph ε₁).eval
    env![σ.get idxEncoderMhaResidual, ρ.get idxEncoderNorm1Gamma, ρ.get idxEncoderNorm1Beta]) σ

/-- The values in scope once the feed-forward residual is saved. -/
def encoderSavedFfnResidual : Env α (ΓEncoderFfnResidual seqLen dModel numHeads headDim dFF) :=
  let σ := encoderSavedAfterNorm1 c ε₁ ρ
  let y := σ.get idxEncoderNorm1Out
  let weights := ρ.tail.tail.tail.tail.tail.tail.tail.tail.tail
  let hiddenPre := affineGraph.eval env![y, weights.get .here, weights.get (.there .here)]
  let hiddenAct := (geluGraph c.gelu).eval env![hiddenPre]
  let projected := affineGraph.eval env![hiddenAct, weights.get (.there (.there .here)),
    weights.get (.there (.there (.there .here)))]
  Env.cons (fun i => projected i + y i) (Env.cons projected (Env.cons hiddenAct (Env.cons hiddenPre σ)))

/-- The residual's index refers to the attention residual. -/
theorem encoderSavedMhaResidual_get :
    (encoderSavedMhaResidual c ρ).get idxEncoderMhaResidual = (encoderMhaResidualDGraph c).eval ρ := by
  graph_simp [encoderMhaResidualDGraph, encoderSavedMhaResidual]

/-- The first LayerNorm's index refers to the first sublayer's output. -/
theorem encoderSavedAfterNorm1_get :
    (encoderSavedAfterNorm1 c ε₁ ρ).get idxEncoderNorm1Out = (encoderAfterNorm1Graph c ε₁).eval ρ := by
  graph_simp [encoderAfterNorm1Graph, encoderSavedAfterNorm1, encoderSavedMhaResidual]

/-- Past the feed-forward layer, the weakened index still refers to the first sublayer's output. -/
theorem encoderSavedFfnResidual_get_norm1Out : (encoderSavedFfnResidual c ε₁ ρ).get idxEncoderNorm1OutAfterFfn =
    (encoderSavedAfterNorm1 c ε₁ ρ).get idxEncoderNorm1Out := rfl

/-- GELU's index refers to GELU of the first affine map. -/
theorem encoderSavedFfnResidual_get_hiddenAct : (encoderSavedFfnResidual c ε₁ ρ).get idxEncoderFfnHiddenAct =
    (geluGraph c.gelu).eval env![(encoderSavedFfnResidual c ε₁ ρ).get idxEncoderFfnHiddenPre] := rfl

/-- The second residual's index refers to the feed-forward residual. -/
theorem encoderSavedFfnResidual_get :
    (encoderSavedFfnResidual c ε₁ ρ).get idxEncoderFfnResidual = (encoderFfnResidualGraph c ε₁).eval ρ := by
  graph_simp [encoderFfnResidualGraph, encoderSavedFfnResidual, encoderSavedAfterNorm1, encoderSavedMhaResidual]
  rfl

end values
end PostNorm
