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

section context
variable {seqLen dModel numHeads headDim dFF : Nat}

/-- The inputs of the encoder block with biases and mask, in this order: `x`, `Wq`, `bq`, `Wk`, `bk`, `Wv`, `bv`,
`Wo`, `bo`, `mask`, `gamma1`, `beta1`, `gamma2`, `beta2`, `W1`, `b1`, `W2`, `b2`. -/
abbrev ΓBiasedEncoderBlock (seqLen dModel numHeads headDim dFF : Nat) : Context :=
  [⟦seqLen, dModel⟧, ⟦dModel, numHeads * headDim⟧, ⟦numHeads * headDim⟧, ⟦dModel, numHeads * headDim⟧,
    ⟦numHeads * headDim⟧, ⟦dModel, numHeads * headDim⟧, ⟦numHeads * headDim⟧, ⟦numHeads * headDim, dModel⟧,
    ⟦dModel⟧, ⟦seqLen, seqLen⟧, ⟦dModel⟧, ⟦dModel⟧, ⟦dModel⟧, ⟦dModel⟧, ⟦dModel, dFF⟧, ⟦dFF⟧, ⟦dFF, dModel⟧,
    ⟦dModel⟧]

/-- The tokens. -/
abbrev idxBiasedEncoderX : Idx (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF) ⟦seqLen, dModel⟧ :=
  .here

/-- The query weights. -/
abbrev idxBiasedEncoderWq : Idx (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF)
    ⟦dModel, numHeads * headDim⟧ :=
  .there .here

/-- The query bias. -/
abbrev idxBiasedEncoderBq : Idx (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF) ⟦numHeads * headDim⟧ :=
  .there (.there .here)

/-- The key weights. -/
abbrev idxBiasedEncoderWk : Idx (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF)
    ⟦dModel, numHeads * headDim⟧ :=
  .there (.there (.there .here))

/-- The key bias. -/
abbrev idxBiasedEncoderBk : Idx (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF) ⟦numHeads * headDim⟧ :=
  .there (.there (.there (.there .here)))

/-- The value weights. -/
abbrev idxBiasedEncoderWv : Idx (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF)
    ⟦dModel, numHeads * headDim⟧ :=
  .there (.there (.there (.there (.there .here))))

/-- The value bias. -/
abbrev idxBiasedEncoderBv : Idx (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF) ⟦numHeads * headDim⟧ :=
  .there (.there (.there (.there (.there (.there .here)))))

/-- The output weights. -/
abbrev idxBiasedEncoderWo : Idx (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF)
    ⟦numHeads * headDim, dModel⟧ :=
  .there (.there (.there (.there (.there (.there (.there .here))))))

/-- The output bias. -/
abbrev idxBiasedEncoderBo : Idx (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF) ⟦dModel⟧ :=
  .there (.there (.there (.there (.there (.there (.there (.there .here)))))))

/-- The attention mask. -/
abbrev idxBiasedEncoderMask : Idx (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF) ⟦seqLen, seqLen⟧ :=
  .there (.there (.there (.there (.there (.there (.there (.there (.there .here))))))))

/-- The first LayerNorm's scale. -/
abbrev idxBiasedEncoderGamma1 : Idx (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF) ⟦dModel⟧ :=
  .there (.there (.there (.there (.there (.there (.there (.there (.there (.there .here)))))))))

/-- The first LayerNorm's shift. -/
abbrev idxBiasedEncoderBeta1 : Idx (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF) ⟦dModel⟧ :=
  .there (.there (.there (.there (.there (.there (.there (.there (.there (.there (.there .here))))))))))

/-- The second LayerNorm's scale. -/
abbrev idxBiasedEncoderGamma2 : Idx (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF) ⟦dModel⟧ :=
  .there (.there (.there (.there (.there (.there (.there (.there (.there (.there (.there
    (.there .here)))))))))))

/-- The second LayerNorm's shift. -/
abbrev idxBiasedEncoderBeta2 : Idx (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF) ⟦dModel⟧ :=
  .there (.there (.there (.there (.there (.there (.there (.there (.there (.there (.there (.there
    (.there .here))))))))))))

/-- The feed-forward's first weights. -/
abbrev idxBiasedEncoderW1 : Idx (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF) ⟦dModel, dFF⟧ :=
  .there (.there (.there (.there (.there (.there (.there (.there (.there (.there (.there (.there
    (.there (.there .here)))))))))))))

/-- The feed-forward's first bias. -/
abbrev idxBiasedEncoderB1 : Idx (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF) ⟦dFF⟧ :=
  .there (.there (.there (.there (.there (.there (.there (.there (.there (.there (.there (.there
    (.there (.there (.there .here))))))))))))))

/-- The feed-forward's second weights. -/
abbrev idxBiasedEncoderW2 : Idx (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF) ⟦dFF, dModel⟧ :=
  .there (.there (.there (.there (.there (.there (.there (.there (.there (.there (.there (.there
    (.there (.there (.there (.there .here)))))))))))))))

/-- The feed-forward's second bias. -/
abbrev idxBiasedEncoderB2 : Idx (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF) ⟦dModel⟧ :=
  .there (.there (.there (.there (.there (.there (.there (.there (.there (.there (.there (.there
    (.there (.there (.there (.there (.there .here))))))))))))))))

end context

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
