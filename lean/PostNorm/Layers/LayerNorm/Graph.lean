import PostNorm.Graph.Inputs
import PostNorm.Graph.Notation

/-! # LayerNorm as a graph of fourteen named values

LayerNorm normalizes each row of `x` to mean zero and variance one, then scales and shifts it:
`y = (x - mean) / sqrt (var + ε) * gamma + beta`, with the variance of the population (division by `dModel`).

## Main definitions

* `ΓLayerNorm`: the inputs `x`, `gamma`, `beta`, with indices `idxLayerNormX`, `idxLayerNormGamma`,
  `idxLayerNormBeta`.
* `layerNormGraph ε`: the graph; `layerNormPrefix6 ε` stops at `var + ε`, `layerNormPrefix7 ε` at the standard
  deviation.

## Sources

* Ba, Kiros, Hinton, *Layer Normalization*, arXiv:1607.06450; PyTorch's `nn.LayerNorm`. -/

namespace PostNorm
universe u
variable {K : Type u} {seqLen dModel : Nat}

/-- The inputs of LayerNorm. -/
declare_inputs ΓLayerNorm (seqLen dModel : Nat) as idxLayerNorm where
  /-- The rows to be normalized. -/
  x : ⟦seqLen, dModel⟧
  /-- The scale and the shift of each column. -/
  gamma beta : ⟦dModel⟧

/-- The first six values of LayerNorm, up to `var + ε` of each row. -/
def layerNormPrefix6 (ε : K) : Graph K (ΓLayerNorm seqLen dModel) ⟦seqLen⟧ := graph! x gamma beta =>
  let mean := .mean x
  let meanBroadcast := .broadcastLast dModel mean
  let centered := .sub x meanBroadcast
  let square := .mul centered centered
  let var := .mean square
  let varEps := .addConst ε var
  return varEps

/-- The first seven values of LayerNorm, up to the standard deviation of each row. -/
def layerNormPrefix7 (ε : K) : Graph K (ΓLayerNorm seqLen dModel) ⟦seqLen⟧ := graph! x gamma beta =>
  let mean := .mean x
  let meanBroadcast := .broadcastLast dModel mean
  let centered := .sub x meanBroadcast
  let square := .mul centered centered
  let var := .mean square
  let varEps := .addConst ε var
  let std := .sqrt varEps
  return std

/-- LayerNorm over the last axis, with scale `gamma` and shift `beta`. -/
def layerNormGraph (ε : K) : Graph K (ΓLayerNorm seqLen dModel) ⟦seqLen, dModel⟧ := graph! x gamma beta =>
  let mean := .mean x
  let meanBroadcast := .broadcastLast dModel mean
  let centered := .sub x meanBroadcast
  let square := .mul centered centered
  let var := .mean square
  let varEps := .addConst ε var
  let std := .sqrt varEps
  let invStd := .inv std
  let invStdBroadcast := .broadcastLast dModel invStd
  let normalized := .mul centered invStdBroadcast
  let gammaBroadcast := .broadcastRows seqLen gamma
  let scaled := .mul normalized gammaBroadcast
  let betaBroadcast := .broadcastRows seqLen beta
  let y := .add scaled betaBroadcast
  return y

end PostNorm
