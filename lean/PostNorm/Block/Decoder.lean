import PostNorm.Block.Activated.Graph
import PostNorm.Layers.AttentionCore

/-! # The decoder of the original Transformer

With `A` for causal self-attention, `C` for attention to the memory, and `F` for the
feed-forward layer, all post-norm:

    y = LN₁ (A x + x),      z = LN₂ (C y + y),      LN₃ (F z + z)

## Main definitions

* `ΓDecoderBlock`, `postNormDecoderGraph act own other`; `Spec.decoderBlock`; `decoderBlockLayer`.
* `decoderBlockGraph other`: with ReLU and a causal mask; `other` masks the memory, such as by `Mask.padding`.

## Main statements

* `decoderBlock_eval`, `decoderBlock_hasFDerivAt`, `decoderBlock_backprop_eq_adjoint_fderiv`; `…_of_pos` from
  `0 < ε₁`, `0 < ε₂` and `0 < ε₃`, where each row may attend to a token of the memory and no input of ReLU is zero;
  `…_real`.

## Sources

* Vaswani et al., *Attention is all you need*, arXiv:1706.03762, section 3.1; PyTorch's `nn.TransformerDecoderLayer`
  by default. -/

namespace PostNorm
universe u

/-- The inputs of a post-norm decoder block. -/
declare_inputs ΓDecoderBlock (seqLen memoryLen dModel numHeads headDim dFF : Nat) where
  /-- The tokens. -/
  x : ⟦seqLen, dModel⟧
  /-- The encoder's output. -/
  memory : ⟦memoryLen, dModel⟧
  /-- Self-attention's query weights and bias. -/
  Wq : ⟦dModel, numHeads * headDim⟧, bq : ⟦numHeads * headDim⟧
  /-- Self-attention's key weights and bias. -/
  Wk : ⟦dModel, numHeads * headDim⟧, bk : ⟦numHeads * headDim⟧
  /-- Self-attention's value weights and bias. -/
  Wv : ⟦dModel, numHeads * headDim⟧, bv : ⟦numHeads * headDim⟧
  /-- Self-attention's output weights and bias. -/
  Wo : ⟦numHeads * headDim, dModel⟧, bo : ⟦dModel⟧
  /-- Cross attention's query weights and bias. -/
  cross.Wq : ⟦dModel, numHeads * headDim⟧, cross.bq : ⟦numHeads * headDim⟧
  /-- Cross attention's key weights and bias. -/
  cross.Wk : ⟦dModel, numHeads * headDim⟧, cross.bk : ⟦numHeads * headDim⟧
  /-- Cross attention's value weights and bias. -/
  cross.Wv : ⟦dModel, numHeads * headDim⟧, cross.bv : ⟦numHeads * headDim⟧
  /-- Cross attention's output weights and bias. -/
  cross.Wo : ⟦numHeads * headDim, dModel⟧, cross.bo : ⟦dModel⟧
  /-- The first LayerNorm's scale and shift. -/
  gamma1 beta1 : ⟦dModel⟧
  /-- The second LayerNorm's scale and shift. -/
  gamma2 beta2 : ⟦dModel⟧
  /-- The third LayerNorm's scale and shift. -/
  gamma3 beta3 : ⟦dModel⟧
  /-- The feed-forward's first weights and bias. -/
  W1 : ⟦dModel, dFF⟧, b1 : ⟦dFF⟧
  /-- The feed-forward's second weights and bias. -/
  W2 : ⟦dFF, dModel⟧, b2 : ⟦dModel⟧

section graphs
variable {K : Type u} {seqLen memoryLen dModel numHeads headDim dFF : Nat}

/-- The post-norm decoder block with the activation `act`: `own` masks its tokens, `other` the memory. -/
def postNormDecoderGraph (act : {s : Shape} → Graph K [s] s) (own : Mask seqLen seqLen)
    (other : Mask seqLen memoryLen) (scale ε₁ ε₂ ε₃ : K) :
    Graph K (ΓDecoderBlock seqLen memoryLen dModel numHeads headDim dFF) ⟦seqLen, dModel⟧ :=
  graph! x memory Wq bq Wk bk Wv bv Wo bo cross.Wq cross.bq cross.Wk cross.bk cross.Wv cross.bv cross.Wo cross.bo
    gamma1 beta1 gamma2 beta2 gamma3 beta3 W1 b1 W2 b2 =>
  let mha := crossMhaGraph own scale ⟪x, x, Wq, bq, Wk, bk, Wv, bv, Wo, bo⟫
  let attnResidual := .add mha x
  let norm1 := layerNormGraph ε₁ ⟪attnResidual, gamma1, beta1⟫
  let cross := crossMhaGraph other scale
    ⟪norm1, memory, cross.Wq, cross.bq, cross.Wk, cross.bk, cross.Wv, cross.bv, cross.Wo, cross.bo⟫
  let crossResidual := .add cross norm1
  let norm2 := layerNormGraph ε₂ ⟪crossResidual, gamma2, beta2⟫
  let ffn.hiddenPre := affineGraph ⟪norm2, W1, b1⟫
  let ffn.hiddenAct := act ⟪ffn.hiddenPre⟫
  let ffn.projected := affineGraph ⟪ffn.hiddenAct, W2, b2⟫
  let ffnResidual := .add ffn.projected norm2
  let norm3 := layerNormGraph ε₃ ⟪ffnResidual, gamma3, beta3⟫
  return norm3

/-- The original decoder block: ReLU, and no token attends to a later one. -/
def decoderBlockGraph (other : Mask seqLen memoryLen) (scale ε₁ ε₂ ε₃ : K) :
    Graph K (ΓDecoderBlock seqLen memoryLen dModel numHeads headDim dFF) ⟦seqLen, dModel⟧ :=
  postNormDecoderGraph reluGraph Mask.causal other scale ε₁ ε₂ ε₃

end graphs

section
variable {R : Type u} [RealField R] {seqLen memoryLen dModel numHeads headDim dFF : Nat}

section spec
variable (act : R → R) (own : Mask seqLen seqLen) (other : Mask seqLen memoryLen) (scale ε₁ ε₂ ε₃ : R)
  (ρ : Env R (ΓDecoderBlock seqLen memoryLen dModel numHeads headDim dFF))

/-- The rows that the first LayerNorm normalizes: `A x + x`. -/
noncomputable def decoderRows1 : Fin seqLen → Fin dModel → R :=
  let x := (ρ.get ΓDecoderBlock.x).mat
  let a := Spec.crossMha own scale (ρ.get ΓDecoderBlock.Wq).mat (ρ.get ΓDecoderBlock.bq).vec
    (ρ.get ΓDecoderBlock.Wk).mat (ρ.get ΓDecoderBlock.bk).vec (ρ.get ΓDecoderBlock.Wv).mat
    (ρ.get ΓDecoderBlock.bv).vec (ρ.get ΓDecoderBlock.Wo).mat (ρ.get ΓDecoderBlock.bo).vec x x
  fun i j => a i j + x i j

/-- The output of the self-attention sublayer: `y = LN₁ (A x + x)`. -/
noncomputable def decoderNorm1 : Fin seqLen → Fin dModel → R :=
  Spec.layerNorm ε₁ (ρ.get ΓDecoderBlock.gamma1).vec (ρ.get ΓDecoderBlock.beta1).vec (decoderRows1 own scale ρ)

/-- The rows that the second LayerNorm normalizes: `C y + y`. -/
noncomputable def decoderRows2 : Fin seqLen → Fin dModel → R :=
  let y := decoderNorm1 own scale ε₁ ρ
  let c := Spec.crossMha other scale (ρ.get ΓDecoderBlock.cross.Wq).mat (ρ.get ΓDecoderBlock.cross.bq).vec
    (ρ.get ΓDecoderBlock.cross.Wk).mat (ρ.get ΓDecoderBlock.cross.bk).vec (ρ.get ΓDecoderBlock.cross.Wv).mat
    (ρ.get ΓDecoderBlock.cross.bv).vec (ρ.get ΓDecoderBlock.cross.Wo).mat (ρ.get ΓDecoderBlock.cross.bo).vec
    (ρ.get ΓDecoderBlock.memory).mat y
  fun i j => c i j + y i j

/-- The output of the cross-attention sublayer: `z = LN₂ (C y + y)`. -/
noncomputable def decoderNorm2 : Fin seqLen → Fin dModel → R :=
  Spec.layerNorm ε₂ (ρ.get ΓDecoderBlock.gamma2).vec (ρ.get ΓDecoderBlock.beta2).vec
    (decoderRows2 own other scale ε₁ ρ)

/-- The activation's input: `z W₁ + b₁`. -/
noncomputable def decoderHidden : Fin seqLen → Fin dFF → R :=
  Spec.affine (ρ.get ΓDecoderBlock.W1).mat (ρ.get ΓDecoderBlock.b1).vec (decoderNorm2 own other scale ε₁ ε₂ ρ)

/-- The rows that the third LayerNorm normalizes: `F z + z`. -/
noncomputable def decoderRows3 : Fin seqLen → Fin dModel → R := fun i j =>
  Spec.affine (ρ.get ΓDecoderBlock.W2).mat (ρ.get ΓDecoderBlock.b2).vec
    (fun i k => act (decoderHidden own other scale ε₁ ε₂ ρ i k)) i j + decoderNorm2 own other scale ε₁ ε₂ ρ i j

/-- The decoder block: `LN₃ (F z + z)` with `z = LN₂ (C y + y)` and `y = LN₁ (A x + x)`. -/
noncomputable def Spec.decoderBlock : Fin seqLen → Fin dModel → R :=
  Spec.layerNorm ε₃ (ρ.get ΓDecoderBlock.gamma3).vec (ρ.get ΓDecoderBlock.beta3).vec
    (decoderRows3 act own other scale ε₁ ε₂ ρ)

end spec

/-- The decoder block with its formula.  It is smooth where its three LayerNorms and its activation are, and where both
masks allow a key in each row. -/
noncomputable def decoderBlockLayer (a : Activation R) (own : Mask seqLen seqLen) (other : Mask seqLen memoryLen)
    (scale ε₁ ε₂ ε₃ : R) :
    Layer R (ΓDecoderBlock seqLen memoryLen dModel numHeads headDim dFF) ⟦seqLen, dModel⟧ where
  graph := postNormDecoderGraph a.graph own other scale ε₁ ε₂ ε₃
  formula ρ := Tensor.ofMat (Spec.decoderBlock a.formula own other scale ε₁ ε₂ ε₃ ρ)
  Smooth ρ := (∀ (_ : Fin numHeads) (i : Fin seqLen), ∃ j, own i j = true) ∧
    (∀ i, 0 < Spec.variance (decoderRows1 own scale ρ i) + ε₁) ∧
    (∀ (_ : Fin numHeads) (i : Fin seqLen), ∃ j, other i j = true) ∧
    (∀ i, 0 < Spec.variance (decoderRows2 own other scale ε₁ ρ i) + ε₂) ∧
    (∀ e, a.Smooth (Tensor.ofMat (decoderHidden own other scale ε₁ ε₂ ρ) e)) ∧
    ∀ i, 0 < Spec.variance (decoderRows3 a.formula own other scale ε₁ ε₂ ρ i) + ε₃
  eval_eq ρ := by
    graph_simp [postNormDecoderGraph, layerNorm_eval, crossMha_eval, affine_eval, a.eval_eq]
    rfl
  sideConditions_iff ρ := by
    graph_side_conditions [postNormDecoderGraph, layerNorm_eval, crossMha_eval, affine_eval, a.eval_eq,
      crossMhaGraph_sideConditions_iff, layerNormGraph_sideConditions_iff_variance, affineGraph_sideConditions,
      a.sideConditions_iff]
    exact Iff.rfl

end

variable {seqLen memoryLen dModel numHeads headDim dFF : Nat}

layer_theorems decoderBlock (other : Mask seqLen memoryLen) (scale ε₁ ε₂ ε₃ : R) ρ where
  is "the original Transformer's decoder block"
  smooth "every row that a LayerNorm normalizes has `variance + ε` positive, a token of the memory is allowed in each \
    row and no number that ReLU gets is zero"
  layer decoderBlockLayer .relu Mask.causal other scale ε₁ ε₂ ε₃
  graph decoderBlockGraph other scale ε₁ ε₂ ε₃
  formula Tensor.ofMat (Spec.decoderBlock (fun x => max x 0) Mask.causal other scale ε₁ ε₂ ε₃ ρ)
  inputs ΓDecoderBlock seqLen memoryLen dModel numHeads headDim dFF
  condition hNorm1VarEpsPos : ∀ i, 0 < Spec.variance (decoderRows1 Mask.causal scale ρ i) + ε₁
    if hEps1Pos : 0 < ε₁ then fun _ => Spec.variance_add_pos hEps1Pos _
  condition hKeyAllowed "a token of the memory is allowed in each row" : ∀ i, ∃ j, other i j = true
  condition hNorm2VarEpsPos : ∀ i, 0 < Spec.variance (decoderRows2 Mask.causal other scale ε₁ ρ i) + ε₂
    if hEps2Pos : 0 < ε₂ then fun _ => Spec.variance_add_pos hEps2Pos _
  condition hPreActivationNe0 "no number that ReLU gets is zero" :
      ∀ i j, decoderHidden Mask.causal other scale ε₁ ε₂ ρ i j ≠ 0
  condition hNorm3VarEpsPos :
      ∀ i, 0 < Spec.variance (decoderRows3 (fun x => max x 0) Mask.causal other scale ε₁ ε₂ ρ i) + ε₃
    if hEps3Pos : 0 < ε₃ then fun _ => Spec.variance_add_pos hEps3Pos _
  proof ⟨fun _ => Mask.causal_allows, hNorm1VarEpsPos, fun _ => hKeyAllowed, hNorm2VarEpsPos,
    fun e => hPreActivationNe0 e.1.2 e.2, hNorm3VarEpsPos⟩

end PostNorm
