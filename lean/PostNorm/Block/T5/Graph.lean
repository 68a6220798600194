import PostNorm.Layers.Gated
import PostNorm.Layers.PreNorm
import PostNorm.Layers.RelativeAttention

/-! # T5's blocks

Pre-norm sublayers with RMSNorm `N`, no biases, and scores without a factor: with `A` for self-attention with
relative-position biases, `C` for attention to the memory, and `F` for the feed-forward layer,

    encoder:  y = A (N₁ x) + x,                          F (N₂ y) + y
    decoder:  y = A (N₁ x) + x,   z = C (N₂ y) + y,      F (N₃ z) + z

The first T5 has ReLU, `F x = max (x W₁) 0 W₂`; T5 1.1, mT5 and Flan-T5 have a gated layer with tanh-GELU.  In T5 the
first block of a stack has the table of biases and passes these on; here each block has its own table; to share one
table, pass the same table to each.

## Main definitions

* `ΓBareFfn`, `bareFfnGraph act`, `Spec.bareFfn`, `bareFfnLayer a`: a feed-forward layer without biases.
* `ΓT5Encoder Φ`, `t5EncoderGraph ffn`, `Spec.t5Encoder ffn`, `t5EncoderLayer ffn`: for any feed-forward layer, whose
  parameters are `Φ`; the same for `T5Decoder`.
* `t5EncoderBlockGraph`, `t5DecoderBlockGraph` with ReLU; `t5GatedEncoderBlockGraph`, `t5GatedDecoderBlockGraph`.

The theorems are in `Block/T5/Encoder.lean` and `Block/T5/Decoder.lean`.

## Sources

* Raffel et al., *Exploring the limits of transfer learning with a unified text-to-text Transformer*,
  arXiv:1910.10683; Shazeer, *GLU variants improve Transformer*, arXiv:2002.05202; the published code. -/

namespace PostNorm
universe u

/-- The inputs of a feed-forward layer without biases. -/
declare_inputs ΓBareFfn (seqLen dModel dFF : Nat) where
  /-- The rows. -/
  x : ⟦seqLen, dModel⟧
  /-- The first weights. -/
  W1 : ⟦dModel, dFF⟧
  /-- The second weights. -/
  W2 : ⟦dFF, dModel⟧

/-- The inputs of T5's encoder block: the tokens; the first RMSNorm's scale, and self-attention's weights and table; the
second RMSNorm's scale, and the parameters `Φ` of the feed-forward layer. -/
abbrev ΓT5Encoder (seqLen dModel numHeads headDim buckets : Nat) (Φ : Context) : Context :=
  ⟦seqLen, dModel⟧ :: ((⟦dModel⟧ :: (ΓRelativeMha seqLen dModel numHeads headDim buckets).tail) ++ (⟦dModel⟧ :: Φ))

/-- The inputs of T5's decoder block: the encoder's, with the second RMSNorm's scale, the memory and the weights of
attention to it before the feed-forward layer's. -/
abbrev ΓT5Decoder (seqLen memoryLen dModel numHeads headDim buckets : Nat) (Φ : Context) : Context :=
  ⟦seqLen, dModel⟧ :: ((⟦dModel⟧ :: (ΓRelativeMha seqLen dModel numHeads headDim buckets).tail) ++
    ((⟦dModel⟧ :: (ΓUnscaledMha seqLen memoryLen dModel numHeads headDim).tail) ++ (⟦dModel⟧ :: Φ)))

section graphs
variable {K : Type u} {seqLen memoryLen dModel numHeads headDim buckets dFF : Nat} {Φ : Context}

/-- A feed-forward layer without biases: `act (x W₁) W₂`. -/
def bareFfnGraph (act : {s : Shape} → Graph K [s] s) : Graph K (ΓBareFfn seqLen dModel dFF) ⟦seqLen, dModel⟧ :=
  graph! x W1 W2 =>
  let hiddenPre := .matmul x W1
  let hiddenAct := act ⟪hiddenPre⟫
  let projected := .matmul hiddenAct W2
  return projected

/-- T5's self-attention sublayer. -/
def t5AttentionGraph (allowed : Mask seqLen seqLen) (bucket : Fin seqLen → Fin seqLen → Fin buckets) (ε : K) :
    Graph K (⟦seqLen, dModel⟧ :: ⟦dModel⟧ :: (ΓRelativeMha seqLen dModel numHeads headDim buckets).tail)
      ⟦seqLen, dModel⟧ :=
  preNormGraph (Φ := (ΓRelativeMha seqLen dModel numHeads headDim buckets).tail) (rmsNormGraph ε) "mha"
    (relativeMhaGraph allowed bucket)

/-- T5's sublayer of attention to the memory. -/
def t5CrossGraph (other : Mask seqLen memoryLen) (ε : K) :
    Graph K (⟦seqLen, dModel⟧ :: ⟦dModel⟧ :: (ΓUnscaledMha seqLen memoryLen dModel numHeads headDim).tail)
      ⟦seqLen, dModel⟧ :=
  preNormGraph (Φ := (ΓUnscaledMha seqLen memoryLen dModel numHeads headDim).tail) (rmsNormGraph ε) "mha"
    (unscaledMhaGraph other)

/-- T5's encoder block, with any feed-forward layer. -/
def t5EncoderGraph (ffn : Graph K (⟦seqLen, dModel⟧ :: Φ) ⟦seqLen, dModel⟧) (allowed : Mask seqLen seqLen)
    (bucket : Fin seqLen → Fin seqLen → Fin buckets) (ε₁ ε₂ : K) :
    Graph K (ΓT5Encoder seqLen dModel numHeads headDim buckets Φ) ⟦seqLen, dModel⟧ :=
  (t5AttentionGraph allowed bucket ε₁).andThen "attention" (preNormGraph (rmsNormGraph ε₂) "ffn" ffn)

/-- T5's decoder block, with any feed-forward layer: no token attends to a later one, and `other` masks the memory. -/
def t5DecoderGraph (ffn : Graph K (⟦seqLen, dModel⟧ :: Φ) ⟦seqLen, dModel⟧) (other : Mask seqLen memoryLen)
    (bucket : Fin seqLen → Fin seqLen → Fin buckets) (ε₁ ε₂ ε₃ : K) :
    Graph K (ΓT5Decoder seqLen memoryLen dModel numHeads headDim buckets Φ) ⟦seqLen, dModel⟧ :=
  (t5AttentionGraph Mask.causal bucket ε₁).andThen "attention"
    ((t5CrossGraph other ε₂).andThen "cross" (preNormGraph (rmsNormGraph ε₃) "ffn" ffn))

/-- The first T5's encoder block: ReLU. -/
def t5EncoderBlockGraph (allowed : Mask seqLen seqLen) (bucket : Fin seqLen → Fin seqLen → Fin buckets) (ε₁ ε₂ : K) :
    Graph K (ΓT5Encoder seqLen dModel numHeads headDim buckets (ΓBareFfn seqLen dModel dFF).tail) ⟦seqLen, dModel⟧ :=
  t5EncoderGraph (Φ := (ΓBareFfn seqLen dModel dFF).tail) (bareFfnGraph reluGraph) allowed bucket ε₁ ε₂

/-- T5 1.1's encoder block: a gate with tanh-GELU. -/
def t5GatedEncoderBlockGraph (c : GeluConstants K) (allowed : Mask seqLen seqLen)
    (bucket : Fin seqLen → Fin seqLen → Fin buckets) (ε₁ ε₂ : K) :
    Graph K (ΓT5Encoder seqLen dModel numHeads headDim buckets (ΓGated seqLen dModel dFF).tail) ⟦seqLen, dModel⟧ :=
  t5EncoderGraph (Φ := (ΓGated seqLen dModel dFF).tail) (geGluTanhGraph c) allowed bucket ε₁ ε₂

/-- The first T5's decoder block: ReLU. -/
def t5DecoderBlockGraph (other : Mask seqLen memoryLen) (bucket : Fin seqLen → Fin seqLen → Fin buckets)
    (ε₁ ε₂ ε₃ : K) : Graph K (ΓT5Decoder seqLen memoryLen dModel numHeads headDim buckets
      (ΓBareFfn seqLen dModel dFF).tail) ⟦seqLen, dModel⟧ :=
  t5DecoderGraph (Φ := (ΓBareFfn seqLen dModel dFF).tail) (bareFfnGraph reluGraph) other bucket ε₁ ε₂ ε₃

/-- T5 1.1's decoder block: a gate with tanh-GELU. -/
def t5GatedDecoderBlockGraph (c : GeluConstants K) (other : Mask seqLen memoryLen)
    (bucket : Fin seqLen → Fin seqLen → Fin buckets) (ε₁ ε₂ ε₃ : K) :
    Graph K (ΓT5Decoder seqLen memoryLen dModel numHeads headDim buckets (ΓGated seqLen dModel dFF).tail)
      ⟦seqLen, dModel⟧ :=
  t5DecoderGraph (Φ := (ΓGated seqLen dModel dFF).tail) (geGluTanhGraph c) other bucket ε₁ ε₂ ε₃

end graphs

section
variable {R : Type u} [RealField R] {seqLen memoryLen dModel numHeads headDim buckets dFF : Nat} {Φ : Context}

/-- A feed-forward layer without biases: `act (x W₁) W₂`. -/
noncomputable def Spec.bareFfn {n d f : Nat} (act : R → R) (W1 : Fin d → Fin f → R) (W2 : Fin f → Fin d → R)
    (x : Fin n → Fin d → R) : Fin n → Fin d → R := Spec.matmul (fun i k => act (Spec.matmul x W1 i k)) W2

/-- The input of such a layer's activation: `x W₁`. -/
noncomputable def bareFfnHidden (ρ : Env R (ΓBareFfn seqLen dModel dFF)) : Fin seqLen → Fin dFF → R :=
  Spec.matmul (ρ.get ΓBareFfn.x).mat (ρ.get ΓBareFfn.W1).mat

/-- A feed-forward layer without biases, with its formula.  It is smooth where its activation is. -/
noncomputable def bareFfnLayer (a : Activation R) : Layer R (ΓBareFfn seqLen dModel dFF) ⟦seqLen, dModel⟧ where
  graph := bareFfnGraph a.graph
  formula ρ := Tensor.ofMat (Spec.bareFfn a.formula (ρ.get ΓBareFfn.W1).mat (ρ.get ΓBareFfn.W2).mat
    (ρ.get ΓBareFfn.x).mat)
  Smooth ρ := ∀ e, a.Smooth (Tensor.ofMat (bareFfnHidden ρ) e)
  eval_eq ρ := by
    graph_simp [bareFfnGraph, a.eval_eq]
    rfl
  sideConditions_iff ρ := by
    graph_side_conditions [bareFfnGraph, a.sideConditions_iff]
    exact Iff.rfl

section spec
variable (ffn : Env R (⟦seqLen, dModel⟧ :: Φ) → Tensor R ⟦seqLen, dModel⟧) (allowed : Mask seqLen seqLen)
  (other : Mask seqLen memoryLen) (bucket : Fin seqLen → Fin seqLen → Fin buckets) (ε ε₁ ε₂ ε₃ : R)

/-- T5's self-attention sublayer: `A (N x) + x`. -/
noncomputable def Spec.t5Attention :
    Env R (⟦seqLen, dModel⟧ :: ⟦dModel⟧ :: (ΓRelativeMha seqLen dModel numHeads headDim buckets).tail) →
      Tensor R ⟦seqLen, dModel⟧ :=
  Spec.preNorm (.rms ε) fun σ : Env R (ΓRelativeMha seqLen dModel numHeads headDim buckets) =>
    Tensor.ofMat (Spec.relativeMha allowed bucket (σ.get ΓRelativeMha.Wq).mat (σ.get ΓRelativeMha.Wk).mat
      (σ.get ΓRelativeMha.Wv).mat (σ.get ΓRelativeMha.Wo).mat (σ.get ΓRelativeMha.table).mat
      (σ.get ΓRelativeMha.x).mat)

/-- T5's sublayer of attention to the memory: `C (N y) + y`. -/
noncomputable def Spec.t5Cross :
    Env R (⟦seqLen, dModel⟧ :: ⟦dModel⟧ :: (ΓUnscaledMha seqLen memoryLen dModel numHeads headDim).tail) →
      Tensor R ⟦seqLen, dModel⟧ :=
  Spec.preNorm (.rms ε) fun σ : Env R (ΓUnscaledMha seqLen memoryLen dModel numHeads headDim) =>
    Tensor.ofMat (Spec.unscaledMha other (σ.get ΓUnscaledMha.Wq).mat (σ.get ΓUnscaledMha.Wk).mat
      (σ.get ΓUnscaledMha.Wv).mat (σ.get ΓUnscaledMha.Wo).mat (σ.get ΓUnscaledMha.memory).mat
      (σ.get ΓUnscaledMha.x).mat)

/-- T5's encoder block: `F (N₂ y) + y` with `y = A (N₁ x) + x`. -/
noncomputable def Spec.t5Encoder :
    Env R (ΓT5Encoder seqLen dModel numHeads headDim buckets Φ) → Tensor R ⟦seqLen, dModel⟧ :=
  Spec.andThen (Spec.t5Attention allowed bucket ε₁) (Spec.preNorm (.rms ε₂) ffn)

/-- T5's decoder block: `F (N₃ z) + z` with `z = C (N₂ y) + y` and `y = A (N₁ x) + x`. -/
noncomputable def Spec.t5Decoder :
    Env R (ΓT5Decoder seqLen memoryLen dModel numHeads headDim buckets Φ) → Tensor R ⟦seqLen, dModel⟧ :=
  Spec.andThen (Spec.t5Attention Mask.causal bucket ε₁)
    (Spec.andThen (Spec.t5Cross other ε₂) (Spec.preNorm (.rms ε₃) ffn))

/-- The input of the encoder's feed-forward sublayer: `y`, and its parameters. -/
noncomputable def t5EncoderRows2 (ρ : Env R (ΓT5Encoder seqLen dModel numHeads headDim buckets Φ)) :
    Env R (⟦seqLen, dModel⟧ :: ⟦dModel⟧ :: Φ) :=
  Env.cons (Spec.t5Attention allowed bucket ε₁ (Env.cons ρ.head ρ.tail.former)) ρ.tail.latter

/-- The input of the decoder's second sublayer: `y`, and its parameters. -/
noncomputable def t5DecoderRows2 (ρ : Env R (ΓT5Decoder seqLen memoryLen dModel numHeads headDim buckets Φ)) :
    Env R (⟦seqLen, dModel⟧ :: ⟦dModel⟧ :: (ΓUnscaledMha seqLen memoryLen dModel numHeads headDim).tail) :=
  Env.cons (Spec.t5Attention Mask.causal bucket ε₁ (Env.cons ρ.head ρ.tail.former)) ρ.tail.latter.former

/-- The input of the decoder's feed-forward sublayer: `z`, and its parameters. -/
noncomputable def t5DecoderRows3 (ρ : Env R (ΓT5Decoder seqLen memoryLen dModel numHeads headDim buckets Φ)) :
    Env R (⟦seqLen, dModel⟧ :: ⟦dModel⟧ :: Φ) :=
  Env.cons (Spec.t5Cross other ε₂ (t5DecoderRows2 bucket ε₁ ρ)) ρ.tail.latter.latter

end spec

/-- T5's encoder block with its formula.  It is smooth where both RMSNorms and the feed-forward layer are, and where a
key is allowed in each row. -/
noncomputable def t5EncoderLayer (ffn : Layer R (⟦seqLen, dModel⟧ :: Φ) ⟦seqLen, dModel⟧)
    (allowed : Mask seqLen seqLen) (bucket : Fin seqLen → Fin seqLen → Fin buckets) (ε₁ ε₂ : R) :
    Layer R (ΓT5Encoder seqLen dModel numHeads headDim buckets Φ) ⟦seqLen, dModel⟧ :=
  (Layer.preNorm (Φ := (ΓRelativeMha seqLen dModel numHeads headDim buckets).tail) (.rms ε₁) "mha"
    (relativeMhaLayer allowed bucket)).andThen "attention" (Layer.preNorm (.rms ε₂) "ffn" ffn)

/-- T5's decoder block with its formula.  It is smooth where its three RMSNorms and its feed-forward layer are, and
where a token of the memory is allowed in each row. -/
noncomputable def t5DecoderLayer (ffn : Layer R (⟦seqLen, dModel⟧ :: Φ) ⟦seqLen, dModel⟧)
    (other : Mask seqLen memoryLen) (bucket : Fin seqLen → Fin seqLen → Fin buckets) (ε₁ ε₂ ε₃ : R) :
    Layer R (ΓT5Decoder seqLen memoryLen dModel numHeads headDim buckets Φ) ⟦seqLen, dModel⟧ :=
  (Layer.preNorm (Φ := (ΓRelativeMha seqLen dModel numHeads headDim buckets).tail) (.rms ε₁) "mha"
    (relativeMhaLayer Mask.causal bucket)).andThen "attention"
  ((Layer.preNorm (Φ := (ΓUnscaledMha seqLen memoryLen dModel numHeads headDim).tail) (.rms ε₂) "mha"
    (unscaledMhaLayer other)).andThen "cross" (Layer.preNorm (.rms ε₃) "ffn" ffn))

end

end PostNorm
