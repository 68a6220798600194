import PostNorm.Block.BiasedEncoder.Spec
import PostNorm.Graph.Layer
import PostNorm.Layers.Activation
import PostNorm.Layers.LayerNorm

/-! # Encoder blocks with biases and mask, over any activation: post-norm and pre-norm

The inputs are those of `biasedEncoderBlockGraph`.  With `A` for attention and `F` for the feed-forward layer,

    post-norm:  y = LN₁ (A x + x),      LN₂ (F y + y)
    pre-norm:   y = A (LN₁ x) + x,      F (LN₂ y) + y

## Main definitions

* `postNormBlockGraph act`, `preNormBlockGraph act`; `Spec.postNormBlock`, `Spec.preNormBlock`.
* `postNormLayer a`, `preNormLayer a`: each as a `Layer`, for an `Activation`.

## Sources

* Devlin et al., *BERT*, arXiv:1810.04805 (post-norm); Xiong et al., *On layer normalization in the Transformer
  architecture*, arXiv:2002.04745 (pre-norm); PyTorch's `nn.TransformerEncoderLayer`, both values
  of `norm_first`. -/

namespace PostNorm
universe u

section graphs
variable {K : Type u} {seqLen dModel numHeads headDim dFF : Nat}

/-- The post-norm block with the activation `act`. -/
def postNormBlockGraph (act : {s : Shape} → Graph K [s] s) (scale ε₁ ε₂ : K) :
    Graph K (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF) ⟦seqLen, dModel⟧ :=
  graph! x Wq bq Wk bk Wv bv Wo bo mask gamma1 beta1 gamma2 beta2 W1 b1 W2 b2 =>
  let mha := biasedMhaGraph scale ⟪x, Wq, bq, Wk, bk, Wv, bv, Wo, bo, mask⟫
  let attnResidual := .add mha x
  let norm1 := layerNormGraph ε₁ ⟪attnResidual, gamma1, beta1⟫
  let ffn.hiddenPre := affineGraph ⟪norm1, W1, b1⟫
  let ffn.hiddenAct := act ⟪ffn.hiddenPre⟫
  let ffn.projected := affineGraph ⟪ffn.hiddenAct, W2, b2⟫
  let ffnResidual := .add ffn.projected norm1
  let norm2 := layerNormGraph ε₂ ⟪ffnResidual, gamma2, beta2⟫
  return norm2

/-- The pre-norm block with the activation `act`. -/
def preNormBlockGraph (act : {s : Shape} → Graph K [s] s) (scale ε₁ ε₂ : K) :
    Graph K (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF) ⟦seqLen, dModel⟧ :=
  graph! x Wq bq Wk bk Wv bv Wo bo mask gamma1 beta1 gamma2 beta2 W1 b1 W2 b2 =>
  let norm1 := layerNormGraph ε₁ ⟪x, gamma1, beta1⟫
  let mha := biasedMhaGraph scale ⟪norm1, Wq, bq, Wk, bk, Wv, bv, Wo, bo, mask⟫
  let attnResidual := .add mha x
  let norm2 := layerNormGraph ε₂ ⟪attnResidual, gamma2, beta2⟫
  let ffn.hiddenPre := affineGraph ⟪norm2, W1, b1⟫
  let ffn.hiddenAct := act ⟪ffn.hiddenPre⟫
  let ffn.projected := affineGraph ⟪ffn.hiddenAct, W2, b2⟫
  let ffnResidual := .add ffn.projected attnResidual
  return ffnResidual

end graphs

variable {R : Type u} [RealField R] {seqLen dModel numHeads headDim dFF : Nat}

section spec
variable (act : R → R) (scale ε₁ ε₂ : R) (ρ : Env R (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF))

/-- Attention of the tokens `x`, with the weights, biases and mask of `ρ`. -/
noncomputable def blockAttention (x : Fin seqLen → Fin dModel → R) : Fin seqLen → Fin dModel → R :=
  Spec.biasedMha scale (ρ.get idxBiasedEncoderWq).mat (ρ.get idxBiasedEncoderBq).vec
    (ρ.get idxBiasedEncoderWk).mat (ρ.get idxBiasedEncoderBk).vec (ρ.get idxBiasedEncoderWv).mat
    (ρ.get idxBiasedEncoderBv).vec (ρ.get idxBiasedEncoderWo).mat (ρ.get idxBiasedEncoderBo).vec
    (ρ.get idxBiasedEncoderMask).mat x

/-- The activation's input: `x W₁ + b₁`. -/
noncomputable def blockHidden (x : Fin seqLen → Fin dModel → R) : Fin seqLen → Fin dFF → R :=
  Spec.affine (ρ.get idxBiasedEncoderW1).mat (ρ.get idxBiasedEncoderB1).vec x

/-- The feed-forward layer: `act (x W₁ + b₁) W₂ + b₂`. -/
noncomputable def blockFeedForward (x : Fin seqLen → Fin dModel → R) : Fin seqLen → Fin dModel → R :=
  Spec.affine (ρ.get idxBiasedEncoderW2).mat (ρ.get idxBiasedEncoderB2).vec fun i j => act (blockHidden ρ x i j)

/-- The first LayerNorm of the rows `x`. -/
noncomputable def blockNorm1 (x : Fin seqLen → Fin dModel → R) : Fin seqLen → Fin dModel → R :=
  Spec.layerNorm ε₁ (ρ.get idxBiasedEncoderGamma1).vec (ρ.get idxBiasedEncoderBeta1).vec x

/-- The second LayerNorm of the rows `x`. -/
noncomputable def blockNorm2 (x : Fin seqLen → Fin dModel → R) : Fin seqLen → Fin dModel → R :=
  Spec.layerNorm ε₂ (ρ.get idxBiasedEncoderGamma2).vec (ρ.get idxBiasedEncoderBeta2).vec x

/-- The rows that the post-norm block's first LayerNorm normalizes: `A x + x`. -/
noncomputable def postNormRows1 : Fin seqLen → Fin dModel → R := fun i j =>
  blockAttention scale ρ (ρ.get idxBiasedEncoderX).mat i j + (ρ.get idxBiasedEncoderX).mat i j

/-- The rows that the post-norm block's second LayerNorm normalizes: `F y + y` with `y = LN₁ (A x + x)`. -/
noncomputable def postNormRows2 : Fin seqLen → Fin dModel → R := fun i j =>
  blockFeedForward act ρ (blockNorm1 ε₁ ρ (postNormRows1 scale ρ)) i j +
    blockNorm1 ε₁ ρ (postNormRows1 scale ρ) i j

/-- The post-norm block: `LN₂ (F y + y)` with `y = LN₁ (A x + x)`. -/
noncomputable def Spec.postNormBlock : Fin seqLen → Fin dModel → R :=
  blockNorm2 ε₂ ρ (postNormRows2 act scale ε₁ ρ)

/-- The rows that the pre-norm block's second LayerNorm normalizes: `y = A (LN₁ x) + x`. -/
noncomputable def preNormRows2 : Fin seqLen → Fin dModel → R := fun i j =>
  blockAttention scale ρ (blockNorm1 ε₁ ρ (ρ.get idxBiasedEncoderX).mat) i j + (ρ.get idxBiasedEncoderX).mat i j

/-- The pre-norm block: `F (LN₂ y) + y` with `y = A (LN₁ x) + x`. -/
noncomputable def Spec.preNormBlock : Fin seqLen → Fin dModel → R := fun i j =>
  blockFeedForward act ρ (blockNorm2 ε₂ ρ (preNormRows2 scale ε₁ ρ)) i j + preNormRows2 scale ε₁ ρ i j

/-- The input of the post-norm block's activation. -/
noncomputable def postNormHidden : Fin seqLen → Fin dFF → R :=
  blockHidden ρ (blockNorm1 ε₁ ρ (postNormRows1 scale ρ))

/-- The input of the pre-norm block's activation. -/
noncomputable def preNormHidden : Fin seqLen → Fin dFF → R :=
  blockHidden ρ (blockNorm2 ε₂ ρ (preNormRows2 scale ε₁ ρ))

end spec

/-- If `0 < ε`, then `variance + ε` is positive. -/
theorem Spec.variance_add_pos {n : Nat} {ε : R} (hEpsPos : 0 < ε) (x : Fin n → R) : 0 < Spec.variance x + ε :=
  add_pos_of_nonneg_of_pos (Spec.variance_nonneg x) hEpsPos

/-- LayerNorm's only side condition is `0 < variance + ε` in every row. -/
theorem layerNormGraph_sideConditions_iff_variance (ε : R) (ρ : Env R (ΓLayerNorm seqLen dModel)) :
    (layerNormGraph ε).SideConditions ρ ↔ ∀ i, 0 < Spec.variance ((ρ.get idxLayerNormX).mat i) + ε := by
  rw [layerNormGraph_sideConditions_iff]
  constructor
  · intro h i
    have h1 := h.1 ((), i)
    rwa [layerNormPrefix6_eval] at h1
  · intro h
    have h6 : ∀ row, 0 < (layerNormPrefix6 ε).eval ρ row := fun row => by
      rw [layerNormPrefix6_eval]
      exact h row.2
    exact ⟨h6, fun row => (layerNorm_std_ne_zero_iff ε ρ row).2 (h6 row)⟩

/-- The post-norm block with the activation `a`.  It is smooth where both LayerNorms and the activation are. -/
noncomputable def postNormLayer (a : Activation R) (scale ε₁ ε₂ : R) :
    Layer R (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF) ⟦seqLen, dModel⟧ where
  graph := postNormBlockGraph a.graph scale ε₁ ε₂
  formula ρ := Tensor.ofMat (Spec.postNormBlock a.formula scale ε₁ ε₂ ρ)
  Smooth ρ := (∀ i, 0 < Spec.variance (postNormRows1 scale ρ i) + ε₁) ∧
    (∀ e, a.Smooth (Tensor.ofMat (postNormHidden scale ε₁ ρ) e)) ∧
    ∀ i, 0 < Spec.variance (postNormRows2 a.formula scale ε₁ ρ i) + ε₂
  eval_eq ρ := by
    graph_simp [postNormBlockGraph, layerNorm_eval, biasedMha_eval, affine_eval, a.eval_eq]
    rfl
  sideConditions_iff ρ := by
    graph_side_conditions [postNormBlockGraph, layerNorm_eval, biasedMha_eval, affine_eval, a.eval_eq,
      biasedMhaGraph_sideConditions, layerNormGraph_sideConditions_iff_variance, affineGraph_sideConditions,
      a.sideConditions_iff]
    exact Iff.rfl

/-- The pre-norm block with the activation `a`.  It is smooth where both LayerNorms and the activation are. -/
noncomputable def preNormLayer (a : Activation R) (scale ε₁ ε₂ : R) :
    Layer R (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF) ⟦seqLen, dModel⟧ where
  graph := preNormBlockGraph a.graph scale ε₁ ε₂
  formula ρ := Tensor.ofMat (Spec.preNormBlock a.formula scale ε₁ ε₂ ρ)
  Smooth ρ := (∀ i, 0 < Spec.variance ((ρ.get idxBiasedEncoderX).mat i) + ε₁) ∧
    (∀ i, 0 < Spec.variance (preNormRows2 scale ε₁ ρ i) + ε₂) ∧
    ∀ e, a.Smooth (Tensor.ofMat (preNormHidden scale ε₁ ε₂ ρ) e)
  eval_eq ρ := by
    graph_simp [preNormBlockGraph, layerNorm_eval, biasedMha_eval, affine_eval, a.eval_eq]
    rfl
  sideConditions_iff ρ := by
    graph_side_conditions [preNormBlockGraph, layerNorm_eval, biasedMha_eval, affine_eval, a.eval_eq,
      biasedMhaGraph_sideConditions, layerNormGraph_sideConditions_iff_variance, affineGraph_sideConditions,
      a.sideConditions_iff]
    exact Iff.rfl

end PostNorm
