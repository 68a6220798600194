import PostNorm.Block.PostNorm

/-! # The encoder block as a graph

`x ↦ LN₂ (FFN (LN₁ (MHA x + x)) + LN₁ (MHA x + x))`, stage by stage.  Each stage is a graph over the inputs of the
whole block.

## Main definitions

* `ΓEncoderBlock`: the inputs; `idxEncoderNorm1Gamma`, …: the four LayerNorm parameters among them.
* `encoderMhaResidualDGraph`, `encoderAfterNorm1Graph`, `encoderFfnResidualGraph`, `encoderBlockGraph`: the stages.
* `ssEncoderBlock`: the shapes of the values that the block saves; `idxEncoderMhaResidual`, …: their indices, each
  in the scope where the value is used.

## Sources

* Vaswani et al., *Attention is all you need*, arXiv:1706.03762, section 3.1; PyTorch's
  `nn.TransformerEncoderLayer(norm_first=False)` without dropout. -/

namespace PostNorm
universe u v w

/-- The constants of the block, apart from `ε₁` and `ε₂`. -/
structure EncoderConstants (K : Type u) where
  /-- The factor of the attention scores, `1 / √headDim`. -/
  scale : K
  /-- The constants of GELU. -/
  gelu : GeluConstants K

/-- Replace every constant. -/
def EncoderConstants.map {K : Type u} {L : Type v} (φ : K → L) (c : EncoderConstants K) : EncoderConstants L :=
  ⟨φ c.scale, c.gelu.map φ⟩

/-- The usual constants for heads of width `headDim`, with GELU's slope `k`. -/
noncomputable def EncoderConstants.standard {R : Type u} [RealField R] (headDim : Nat) (k : R) :
    EncoderConstants R where
  scale := (sqrtClamp (Scalar.ofNat headDim))⁻¹
  gelu := .standard k

section context
variable {seqLen dModel numHeads headDim dFF : Nat}

/-- The inputs of the encoder block, in this order: `x`, `Wq`, `Wk`, `Wv`, `Wo`, `gamma1`, `beta1`, `gamma2`,
`beta2`, and then the feed-forward's `W1`, `b1`, `W2`, `b2`. -/
abbrev ΓEncoderBlock (seqLen dModel numHeads headDim dFF : Nat) : Context :=
  [⟦seqLen, dModel⟧, ⟦dModel, numHeads * headDim⟧, ⟦dModel, numHeads * headDim⟧,
    ⟦dModel, numHeads * headDim⟧, ⟦numHeads * headDim, dModel⟧, ⟦dModel⟧, ⟦dModel⟧, ⟦dModel⟧, ⟦dModel⟧,
    ⟦dModel, dFF⟧, ⟦dFF⟧, ⟦dFF, dModel⟧, ⟦dModel⟧]

/-- The first LayerNorm's scale among the inputs of the block. -/
abbrev idxEncoderNorm1Gamma : Idx (ΓEncoderBlock seqLen dModel numHeads headDim dFF) ⟦dModel⟧ :=
  .there (.there (.there (.there (.there .here))))

/-- The first LayerNorm's shift among the inputs of the block. -/
abbrev idxEncoderNorm1Beta : Idx (ΓEncoderBlock seqLen dModel numHeads headDim dFF) ⟦dModel⟧ :=
  .there (.there (.there (.there (.there (.there .here)))))

/-- The second LayerNorm's scale among the inputs of the block. -/
abbrev idxEncoderNorm2Gamma : Idx (ΓEncoderBlock seqLen dModel numHeads headDim dFF) ⟦dModel⟧ :=
  .there (.there (.there (.there (.there (.there (.there .here))))))

/-- The second LayerNorm's shift among the inputs of the block. -/
abbrev idxEncoderNorm2Beta : Idx (ΓEncoderBlock seqLen dModel numHeads headDim dFF) ⟦dModel⟧ :=
  .there (.there (.there (.there (.there (.there (.there (.there .here)))))))

end context

section graphs
variable {K : Type u} {seqLen dModel numHeads headDim dFF : Nat}

/-- `MHA x + x` over the inputs of the whole block; both LayerNorm parameter pairs are passed through unread. -/
def encoderMhaResidualDGraph (c : EncoderConstants K) :
    Graph K (ΓEncoderBlock seqLen dModel numHeads headDim dFF) ⟦seqLen, dModel⟧ :=
  graph! x Wq Wk Wv Wo gamma1 beta1 gamma2 beta2 W1 b1 W2 b2 =>
  let mha := mhaGraph c.scale ⟪x, Wq, Wk, Wv, Wo⟫
  let attnResidual := .add mha x
  return attnResidual

/-- The first post-norm sublayer, `LN₁ (MHA x + x)`. -/
def encoderAfterNorm1Graph (c : EncoderConstants K) (ε₁ : K) :
    Graph K (ΓEncoderBlock seqLen dModel numHeads headDim dFF) ⟦seqLen, dModel⟧ :=
  graph! x Wq Wk Wv Wo gamma1 beta1 gamma2 beta2 W1 b1 W2 b2 =>
  let mha := mhaGraph c.scale ⟪x, Wq, Wk, Wv, Wo⟫
  let attnResidual := .add mha x
  let norm1 := layerNormGraph ε₁ ⟪attnResidual, gamma1, beta1⟫
  return norm1

/-- The feed-forward residual, `FFN y + y` with `y = LN₁ (MHA x + x)`. -/
def encoderFfnResidualGraph (c : EncoderConstants K) (ε₁ : K) :
    Graph K (ΓEncoderBlock seqLen dModel numHeads headDim dFF) ⟦seqLen, dModel⟧ :=
  graph! x Wq Wk Wv Wo gamma1 beta1 gamma2 beta2 W1 b1 W2 b2 =>
  let mha := mhaGraph c.scale ⟪x, Wq, Wk, Wv, Wo⟫
  let attnResidual := .add mha x
  let norm1 := layerNormGraph ε₁ ⟪attnResidual, gamma1, beta1⟫
  let ffn.hiddenPre := affineGraph ⟪norm1, W1, b1⟫
  let ffn.hiddenAct := geluGraph c.gelu ⟪ffn.hiddenPre⟫
  let ffn.projected := affineGraph ⟪ffn.hiddenAct, W2, b2⟫
  let ffnResidual := .add ffn.projected norm1
  return ffnResidual

/-- The encoder block, `LN₂ (FFN y + y)` with `y = LN₁ (MHA x + x)`. -/
def encoderBlockGraph (c : EncoderConstants K) (ε₁ ε₂ : K) :
    Graph K (ΓEncoderBlock seqLen dModel numHeads headDim dFF) ⟦seqLen, dModel⟧ :=
  graph! x Wq Wk Wv Wo gamma1 beta1 gamma2 beta2 W1 b1 W2 b2 =>
  let mha := mhaGraph c.scale ⟪x, Wq, Wk, Wv, Wo⟫
  let attnResidual := .add mha x
  let norm1 := layerNormGraph ε₁ ⟪attnResidual, gamma1, beta1⟫
  let ffn.hiddenPre := affineGraph ⟪norm1, W1, b1⟫
  let ffn.hiddenAct := geluGraph c.gelu ⟪ffn.hiddenPre⟫
  let ffn.projected := affineGraph ⟪ffn.hiddenAct, W2, b2⟫
  let ffnResidual := .add ffn.projected norm1
  let norm2 := layerNormGraph ε₂ ⟪ffnResidual, gamma2, beta2⟫
  return norm2

/-- The block over numbers is the block over names, with the names given values. -/
theorem encoderBlockGraph_mapConst {L : Type v} (φ : K → L) (c : EncoderConstants K) (ε₁ ε₂ : K) :
    (encoderBlockGraph c ε₁ ε₂ : Graph.{u, w} K (ΓEncoderBlock seqLen dModel numHeads headDim dFF) _).mapConst φ =
      encoderBlockGraph (c.map φ) (φ ε₁) (φ ε₂) := by
  have none {Γ : Context} {s : Shape} {ins : Context} (p : Primitive.{w} 0 ins s) (f : Fin 0 → K) (g : Fin 0 → L)
      (as : Args Γ ins) : (⟨p, f, as⟩ : Op.{u, w} K Γ s).mapConst φ = ⟨p, g, as⟩ :=
    congrArg (fun k => (⟨p, k, as⟩ : Op.{v, w} L Γ s)) (funext fun i => i.elim0)
  simp only [encoderBlockGraph, mhaGraph, splitHeadsGraph, softmaxGraph, layerNormGraph, affineGraph, geluGraph,
    Graph.mapConst, EncoderConstants.map, GeluConstants.map]
  repeat' first | exact none _ _ _ _ | congr 1

end graphs
end PostNorm
