import PostNorm.Block.Activated.Graph
import PostNorm.Layers.AttentionCore

/-! # Pre-norm blocks with an exact mask: GPT-2

With `A` for attention over the allowed keys and `F` for the feed-forward layer: `F (LN₂ y) + y` with
`y = A (LN₁ x) + x`.

## Main definitions

* `ΓMaskedPreNorm`, `maskedPreNormGraph act allowed`; `Spec.maskedPreNorm`; `maskedPreNormLayer`.
* `gpt2BlockGraph`: with a causal mask and tanh-GELU.

## Main statements

* `gpt2Block_eval`, `gpt2Block_hasFDerivAt`, `gpt2Block_backprop_eq_adjoint_fderiv`, `…_of_pos` from `0 < ε₁` and
  `0 < ε₂`, `…_real`: the causal mask leaves no condition.

## Sources

* Radford et al., *Language models are unsupervised multitask learners* (GPT-2), and its published code. -/

namespace PostNorm
universe u

/-- The inputs of a pre-norm block whose mask is exact. -/
declare_inputs ΓMaskedPreNorm (seqLen dModel numHeads headDim dFF : Nat) where
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

/-- The pre-norm block with the activation `act`, over the allowed keys. -/
def maskedPreNormGraph (act : {s : Shape} → Graph K [s] s) (allowed : Mask seqLen seqLen) (scale ε₁ ε₂ : K) :
    Graph K (ΓMaskedPreNorm seqLen dModel numHeads headDim dFF) ⟦seqLen, dModel⟧ :=
  graph! x Wq bq Wk bk Wv bv Wo bo gamma1 beta1 gamma2 beta2 W1 b1 W2 b2 =>
  let norm1 := layerNormGraph ε₁ ⟪x, gamma1, beta1⟫
  let mha := crossMhaGraph allowed scale ⟪norm1, norm1, Wq, bq, Wk, bk, Wv, bv, Wo, bo⟫
  let attnResidual := .add mha x
  let norm2 := layerNormGraph ε₂ ⟪attnResidual, gamma2, beta2⟫
  let ffn.hiddenPre := affineGraph ⟪norm2, W1, b1⟫
  let ffn.hiddenAct := act ⟪ffn.hiddenPre⟫
  let ffn.projected := affineGraph ⟪ffn.hiddenAct, W2, b2⟫
  let ffnResidual := .add ffn.projected attnResidual
  return ffnResidual

/-- GPT-2's block: no token attends to a later one. -/
def gpt2BlockGraph (c : GeluConstants K) (scale ε₁ ε₂ : K) :
    Graph K (ΓMaskedPreNorm seqLen dModel numHeads headDim dFF) ⟦seqLen, dModel⟧ :=
  maskedPreNormGraph (geluGraph c) Mask.causal scale ε₁ ε₂

end graphs

section
variable {R : Type u} [RealField R] {seqLen dModel numHeads headDim dFF : Nat}

section spec
variable (act : R → R) (allowed : Mask seqLen seqLen) (scale ε₁ ε₂ : R)
  (ρ : Env R (ΓMaskedPreNorm seqLen dModel numHeads headDim dFF))

/-- The rows that the second LayerNorm normalizes: `y = A (LN₁ x) + x`. -/
noncomputable def maskedPreNormRows2 : Fin seqLen → Fin dModel → R :=
  let x := (ρ.get ΓMaskedPreNorm.x).mat
  let h := Spec.layerNorm ε₁ (ρ.get ΓMaskedPreNorm.gamma1).vec (ρ.get ΓMaskedPreNorm.beta1).vec x
  let a := Spec.crossMha allowed scale (ρ.get ΓMaskedPreNorm.Wq).mat (ρ.get ΓMaskedPreNorm.bq).vec
    (ρ.get ΓMaskedPreNorm.Wk).mat (ρ.get ΓMaskedPreNorm.bk).vec (ρ.get ΓMaskedPreNorm.Wv).mat
    (ρ.get ΓMaskedPreNorm.bv).vec (ρ.get ΓMaskedPreNorm.Wo).mat (ρ.get ΓMaskedPreNorm.bo).vec h h
  fun i j => a i j + x i j

/-- The activation's input: `LN₂ y W₁ + b₁`. -/
noncomputable def maskedPreNormHidden : Fin seqLen → Fin dFF → R :=
  Spec.affine (ρ.get ΓMaskedPreNorm.W1).mat (ρ.get ΓMaskedPreNorm.b1).vec
    (Spec.layerNorm ε₂ (ρ.get ΓMaskedPreNorm.gamma2).vec (ρ.get ΓMaskedPreNorm.beta2).vec
      (maskedPreNormRows2 allowed scale ε₁ ρ))

/-- The pre-norm block: `F (LN₂ y) + y` with `y = A (LN₁ x) + x`. -/
noncomputable def Spec.maskedPreNorm : Fin seqLen → Fin dModel → R := fun i j =>
  Spec.affine (ρ.get ΓMaskedPreNorm.W2).mat (ρ.get ΓMaskedPreNorm.b2).vec
    (fun i k => act (maskedPreNormHidden allowed scale ε₁ ε₂ ρ i k)) i j + maskedPreNormRows2 allowed scale ε₁ ρ i j

end spec

/-- The pre-norm block with the activation `a`, over the allowed keys.  It is smooth where both LayerNorms and the
activation are, and where a key is allowed in each row. -/
noncomputable def maskedPreNormLayer (a : Activation R) (allowed : Mask seqLen seqLen) (scale ε₁ ε₂ : R) :
    Layer R (ΓMaskedPreNorm seqLen dModel numHeads headDim dFF) ⟦seqLen, dModel⟧ where
  graph := maskedPreNormGraph a.graph allowed scale ε₁ ε₂
  formula ρ := Tensor.ofMat (Spec.maskedPreNorm a.formula allowed scale ε₁ ε₂ ρ)
  Smooth ρ := (∀ i, 0 < Spec.variance ((ρ.get ΓMaskedPreNorm.x).mat i) + ε₁) ∧
    (∀ (_ : Fin numHeads) (i : Fin seqLen), ∃ j, allowed i j = true) ∧
    (∀ i, 0 < Spec.variance (maskedPreNormRows2 allowed scale ε₁ ρ i) + ε₂) ∧
    ∀ e, a.Smooth (Tensor.ofMat (maskedPreNormHidden allowed scale ε₁ ε₂ ρ) e)
  eval_eq ρ := by
    graph_simp [maskedPreNormGraph, layerNorm_eval, crossMha_eval, affine_eval, a.eval_eq]
    rfl
  sideConditions_iff ρ := by
    graph_side_conditions [maskedPreNormGraph, layerNorm_eval, crossMha_eval, affine_eval, a.eval_eq,
      crossMhaGraph_sideConditions_iff, layerNormGraph_sideConditions_iff_variance, affineGraph_sideConditions,
      a.sideConditions_iff]
    exact Iff.rfl

end

variable {seqLen dModel numHeads headDim dFF : Nat}

layer_theorems gpt2Block (c : GeluConstants R) (scale ε₁ ε₂ : R) ρ where
  is "GPT-2's block"
  smooth "every row that a LayerNorm normalizes has `variance + ε` positive"
  layer maskedPreNormLayer (.geluTanh c) Mask.causal scale ε₁ ε₂
  graph gpt2BlockGraph c scale ε₁ ε₂
  formula Tensor.ofMat (Spec.maskedPreNorm (Spec.gelu c) Mask.causal scale ε₁ ε₂ ρ)
  inputs ΓMaskedPreNorm seqLen dModel numHeads headDim dFF
  condition hNorm1VarEpsPos : ∀ i, 0 < Spec.variance ((ρ.get ΓMaskedPreNorm.x).mat i) + ε₁
    if hEps1Pos : 0 < ε₁ then fun _ => Spec.variance_add_pos hEps1Pos _
  condition hNorm2VarEpsPos : ∀ i, 0 < Spec.variance (maskedPreNormRows2 Mask.causal scale ε₁ ρ i) + ε₂
    if hEps2Pos : 0 < ε₂ then fun _ => Spec.variance_add_pos hEps2Pos _
  proof ⟨hNorm1VarEpsPos, fun _ => Mask.causal_allows, hNorm2VarEpsPos, fun _ => trivial⟩

end PostNorm
