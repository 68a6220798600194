import PostNorm.Block.Encoder.Graph
import PostNorm.Layers.BiasedAttention

/-! # The encoder block with biases and an additive mask, as a graph

What PyTorch's `nn.TransformerEncoderLayer` computes by default: the block of `Block/Encoder` with biases in the
four projections and a mask on the attention scores.  The causal block is the one with a causal mask.

## Main definitions

* `ΓBiasedEncoderBlock`: the inputs, with an index for each, such as `idxBiasedEncoderWq`.
* `biasedEncoderMhaResidualGraph`, `biasedEncoderFfnResidualGraph`, `biasedEncoderBlockGraph`: the stages.

## Sources

* PyTorch's `nn.TransformerEncoderLayer(norm_first=False)` without dropout, with GELU by its tanh approximation. -/

namespace PostNorm
universe u

/-- The inputs of the encoder block with biases and mask. -/
declare_inputs ΓBiasedEncoderBlock (seqLen dModel numHeads headDim dFF : Nat) as idxBiasedEncoder where
  /-- The tokens. -/
  x : ⟦seqLen, dModel⟧
  /-- The query weights and bias. -/
  Wq : ⟦dModel, numHeads * headDim⟧, bq : ⟦numHeads * headDim⟧
  /-- The key weights and bias. -/
  Wk : ⟦dModel, numHeads * headDim⟧, bk : ⟦numHeads * headDim⟧
  /-- The value weights and bias. -/
  Wv : ⟦dModel, numHeads * headDim⟧, bv : ⟦numHeads * headDim⟧
  /-- The output weights and bias. -/
  Wo : ⟦numHeads * headDim, dModel⟧, bo : ⟦dModel⟧
  /-- The attention mask. -/
  mask : ⟦seqLen, seqLen⟧
  /-- The first LayerNorm's scale and shift. -/
  gamma1 beta1 : ⟦dModel⟧
  /-- The second LayerNorm's scale and shift. -/
  gamma2 beta2 : ⟦dModel⟧
  /-- The feed-forward's first weights and bias. -/
  W1 : ⟦dModel, dFF⟧, b1 : ⟦dFF⟧
  /-- The feed-forward's second weights and bias. -/
  W2 : ⟦dFF, dModel⟧, b2 : ⟦dModel⟧

section graphs
variable {K : Type u} {seqLen dModel numHeads headDim dFF : Nat}

/-- The attention residual, `MHA x + x`. -/
def biasedEncoderMhaResidualGraph (c : EncoderConstants K) :
    Graph K (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF) ⟦seqLen, dModel⟧ :=
  graph! x Wq bq Wk bk Wv bv Wo bo mask gamma1 beta1 gamma2 beta2 W1 b1 W2 b2 =>
  let mha := biasedMhaGraph c.scale ⟪x, Wq, bq, Wk, bk, Wv, bv, Wo, bo, mask⟫
  let attnResidual := .add mha x
  return attnResidual

/-- The feed-forward residual, `FFN y + y` with `y = LN₁ (MHA x + x)`. -/
def biasedEncoderFfnResidualGraph (c : EncoderConstants K) (ε₁ : K) :
    Graph K (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF) ⟦seqLen, dModel⟧ :=
  graph! x Wq bq Wk bk Wv bv Wo bo mask gamma1 beta1 gamma2 beta2 W1 b1 W2 b2 =>
  let mha := biasedMhaGraph c.scale ⟪x, Wq, bq, Wk, bk, Wv, bv, Wo, bo, mask⟫
  let attnResidual := .add mha x
  let norm1 := layerNormGraph ε₁ ⟪attnResidual, gamma1, beta1⟫
  let ffn.hiddenPre := affineGraph ⟪norm1, W1, b1⟫
  let ffn.hiddenAct := geluGraph c.gelu ⟪ffn.hiddenPre⟫
  let ffn.projected := affineGraph ⟪ffn.hiddenAct, W2, b2⟫
  let ffnResidual := .add ffn.projected norm1
  return ffnResidual

/-- The encoder block with biases and mask, `LN₂ (FFN y + y)` with `y = LN₁ (MHA x + x)`. -/
def biasedEncoderBlockGraph (c : EncoderConstants K) (ε₁ ε₂ : K) :
    Graph K (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF) ⟦seqLen, dModel⟧ :=
  graph! x Wq bq Wk bk Wv bv Wo bo mask gamma1 beta1 gamma2 beta2 W1 b1 W2 b2 =>
  let mha := biasedMhaGraph c.scale ⟪x, Wq, bq, Wk, bk, Wv, bv, Wo, bo, mask⟫
  let attnResidual := .add mha x
  let norm1 := layerNormGraph ε₁ ⟪attnResidual, gamma1, beta1⟫
  let ffn.hiddenPre := affineGraph ⟪norm1, W1, b1⟫
  let ffn.hiddenAct := geluGraph c.gelu ⟪ffn.hiddenPre⟫
  let ffn.projected := affineGraph ⟪ffn.hiddenAct, W2, b2⟫
  let ffnResidual := .add ffn.projected norm1
  let norm2 := layerNormGraph ε₂ ⟪ffnResidual, gamma2, beta2⟫
  return norm2

end graphs
end PostNorm
