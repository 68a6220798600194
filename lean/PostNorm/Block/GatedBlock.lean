import PostNorm.Layers.Gated
import PostNorm.Layers.GroupedAttention
import PostNorm.Layers.RmsNormOffset

/-! # Blocks with RMSNorm, rotary positions, grouped heads and a gated feed-forward layer: LLaMA, Mistral, Gemma

With `A` for attention over the allowed keys, `N` for a norm of rows and `G` for the gated feed-forward layer:
`G (N₂ y) + y` with `y = A (N₁ x) + x`.  There are no biases.

## Main definitions

* `ΓGatedBlock`, `gatedBlockGraph`; `Spec.gatedBlock`; `gatedBlockLayer`.
* `llamaBlockGraph`: RMSNorm, SiLU, a causal mask; `mistralBlockGraph w`: in a sliding window; `gemmaBlockGraph`:
  RMSNorm with scale `1 + gamma`, tanh-GELU, a causal mask.

## Main statements

* `llamaBlock_eval`, `llamaBlock_hasFDerivAt`, `llamaBlock_backprop_eq_adjoint_fderiv`, `…_of_pos` from `0 < ε₁` and
  `0 < ε₂`, `…_real`; the same for `mistralBlock` and `gemmaBlock`.

## Sources

* Touvron et al., *LLaMA*, arXiv:2302.13971; Jiang et al., *Mistral 7B*, arXiv:2310.06825; Gemma Team, *Gemma*,
  arXiv:2403.08295; their published code. -/

namespace PostNorm
universe u

/-- The inputs of a block with a gated feed-forward layer. -/
declare_inputs ΓGatedBlock (seqLen dModel numGroups perGroup headDim dFF : Nat) where
  /-- The tokens. -/
  x : ⟦seqLen, dModel⟧
  /-- The query weights. -/
  Wq : ⟦dModel, numGroups * perGroup * headDim⟧
  /-- The key and value weights. -/
  Wk Wv : ⟦dModel, numGroups * headDim⟧
  /-- The output weights. -/
  Wo : ⟦numGroups * perGroup * headDim, dModel⟧
  /-- The tables of cosines and of sines. -/
  cos sin : ⟦seqLen, headDim⟧
  /-- The scales of the two norms. -/
  gamma1 gamma2 : ⟦dModel⟧
  /-- The weights of the gate, and of the gated value. -/
  Wg Wu : ⟦dModel, dFF⟧
  /-- The weights back. -/
  Wd : ⟦dFF, dModel⟧

section graphs
variable {K : Type u} {seqLen dModel numGroups perGroup headDim dFF : Nat}

/-- The block with these norms and this activation, over the allowed keys. -/
def gatedBlockGraph (first second : Graph K (ΓRmsNorm seqLen dModel) ⟦seqLen, dModel⟧)
    (act : {s : Shape} → Graph K [s] s) (allowed : Mask seqLen seqLen) (scale : K) :
    Graph K (ΓGatedBlock seqLen dModel numGroups perGroup headDim dFF) ⟦seqLen, dModel⟧ :=
  graph! x Wq Wk Wv Wo cos sin gamma1 gamma2 Wg Wu Wd =>
  let norm1 := first ⟪x, gamma1⟫
  let mha := groupedMhaGraph allowed scale ⟪norm1, Wq, Wk, Wv, Wo, cos, sin⟫
  let attnResidual := .add mha x
  let norm2 := second ⟪attnResidual, gamma2⟫
  let ffn := gatedGraph act ⟪norm2, Wg, Wu, Wd⟫
  let ffnResidual := .add ffn attnResidual
  return ffnResidual

/-- LLaMA's block: no token attends to a later one. -/
def llamaBlockGraph (scale ε₁ ε₂ : K) :
    Graph K (ΓGatedBlock seqLen dModel numGroups perGroup headDim dFF) ⟦seqLen, dModel⟧ :=
  gatedBlockGraph (rmsNormGraph ε₁) (rmsNormGraph ε₂) siluGraph Mask.causal scale

/-- Mistral's block: LLaMA's, where a token attends to itself and the `w` tokens before it. -/
def mistralBlockGraph (w : Nat) (scale ε₁ ε₂ : K) :
    Graph K (ΓGatedBlock seqLen dModel numGroups perGroup headDim dFF) ⟦seqLen, dModel⟧ :=
  gatedBlockGraph (rmsNormGraph ε₁) (rmsNormGraph ε₂) siluGraph (Mask.window w) scale

/-- Gemma's block: scales are `one + gamma`, and the gate has tanh-GELU. -/
def gemmaBlockGraph (c : GeluConstants K) (one scale ε₁ ε₂ : K) :
    Graph K (ΓGatedBlock seqLen dModel numGroups perGroup headDim dFF) ⟦seqLen, dModel⟧ :=
  gatedBlockGraph (rmsNormOffsetGraph one ε₁) (rmsNormOffsetGraph one ε₂) (geluGraph c) Mask.causal scale

end graphs

section
variable {R : Type u} [RealField R] {seqLen dModel numGroups perGroup headDim dFF : Nat}

section spec
variable (first second : RowScaling R) (act : R → R) (allowed : Mask seqLen seqLen) (scale : R)
  (ρ : Env R (ΓGatedBlock seqLen dModel numGroups perGroup headDim dFF))

/-- The second norm's input: `y = A (N₁ x) + x`. -/
noncomputable def gatedBlockRows2 : Fin seqLen → Fin dModel → R :=
  let x := (ρ.get ΓGatedBlock.x).mat
  let a := Spec.groupedMha allowed scale (ρ.get ΓGatedBlock.Wq).mat (ρ.get ΓGatedBlock.Wk).mat
    (ρ.get ΓGatedBlock.Wv).mat (ρ.get ΓGatedBlock.Wo).mat (ρ.get ΓGatedBlock.cos).mat (ρ.get ΓGatedBlock.sin).mat
    (first.formula (ρ.get ΓGatedBlock.gamma1).vec x)
  fun i j => a i j + x i j

/-- The second norm's output: `N₂ y`. -/
noncomputable def gatedBlockNorm2 : Fin seqLen → Fin dModel → R :=
  second.formula (ρ.get ΓGatedBlock.gamma2).vec (gatedBlockRows2 first allowed scale ρ)

/-- The block: `G (N₂ y) + y` with `y = A (N₁ x) + x`. -/
noncomputable def Spec.gatedBlock : Fin seqLen → Fin dModel → R := fun i j =>
  Spec.gated act (ρ.get ΓGatedBlock.Wg).mat (ρ.get ΓGatedBlock.Wu).mat (ρ.get ΓGatedBlock.Wd).mat
    (gatedBlockNorm2 first second allowed scale ρ) i j + gatedBlockRows2 first allowed scale ρ i j

end spec

/-- The block with its formula.  It is smooth where both norms and the activation are, and where a key is allowed in
each row. -/
noncomputable def gatedBlockLayer (first second : RowScaling R) (a : Activation R) (allowed : Mask seqLen seqLen)
    (scale : R) : Layer R (ΓGatedBlock seqLen dModel numGroups perGroup headDim dFF) ⟦seqLen, dModel⟧ where
  graph := gatedBlockGraph first.graph second.graph a.graph allowed scale
  formula ρ := Tensor.ofMat (Spec.gatedBlock first second a.formula allowed scale ρ)
  Smooth ρ := (∀ i, first.Smooth ((ρ.get ΓGatedBlock.x).mat i)) ∧
    (∀ (_ : Fin (numGroups * perGroup)) (i : Fin seqLen), ∃ j, allowed i j = true) ∧
    (∀ i, second.Smooth (gatedBlockRows2 first allowed scale ρ i)) ∧
    ∀ e, a.Smooth (Tensor.ofMat
      (Spec.matmul (gatedBlockNorm2 first second allowed scale ρ) (ρ.get ΓGatedBlock.Wg).mat) e)
  eval_eq ρ := by
    graph_simp [gatedBlockGraph, first.eval_eq, second.eval_eq, groupedMha_eval, gated_eval]
    rfl
  sideConditions_iff ρ := by
    graph_side_conditions [gatedBlockGraph, first.eval_eq, groupedMha_eval, second.eval_eq,
      groupedMhaGraph_sideConditions_iff, first.sideConditions_iff, second.sideConditions_iff,
      gatedGraph_sideConditions_iff]
    exact Iff.rfl

end

variable {seqLen dModel numGroups perGroup headDim dFF : Nat}

layer_theorems llamaBlock (scale ε₁ ε₂ : R) ρ where
  is "LLaMA's block"
  smooth "every row that an RMSNorm normalizes has `mean square + ε` positive"
  layer gatedBlockLayer (.rms ε₁) (.rms ε₂) .silu Mask.causal scale
  graph llamaBlockGraph scale ε₁ ε₂
  formula Tensor.ofMat (Spec.gatedBlock (.rms ε₁) (.rms ε₂) (fun x => x * sigmoid x) Mask.causal scale ρ)
  inputs ΓGatedBlock seqLen dModel numGroups perGroup headDim dFF
  condition hNorm1MeanSquareEpsPos : ∀ i, 0 < Spec.meanSquare ((ρ.get ΓGatedBlock.x).mat i) + ε₁
    if hEps1Pos : 0 < ε₁ then fun _ => Spec.meanSquare_add_pos hEps1Pos _
  condition hNorm2MeanSquareEpsPos :
      ∀ i, 0 < Spec.meanSquare (gatedBlockRows2 (.rms ε₁) Mask.causal scale ρ i) + ε₂
    if hEps2Pos : 0 < ε₂ then fun _ => Spec.meanSquare_add_pos hEps2Pos _
  proof ⟨hNorm1MeanSquareEpsPos, fun _ => Mask.causal_allows, hNorm2MeanSquareEpsPos, fun _ => trivial⟩

layer_theorems mistralBlock (w : Nat) (scale ε₁ ε₂ : R) ρ where
  is "Mistral's block"
  smooth "every row that an RMSNorm normalizes has `mean square + ε` positive"
  layer gatedBlockLayer (.rms ε₁) (.rms ε₂) .silu (Mask.window w) scale
  graph mistralBlockGraph w scale ε₁ ε₂
  formula Tensor.ofMat (Spec.gatedBlock (.rms ε₁) (.rms ε₂) (fun x => x * sigmoid x) (Mask.window w) scale ρ)
  inputs ΓGatedBlock seqLen dModel numGroups perGroup headDim dFF
  condition hNorm1MeanSquareEpsPos : ∀ i, 0 < Spec.meanSquare ((ρ.get ΓGatedBlock.x).mat i) + ε₁
    if hEps1Pos : 0 < ε₁ then fun _ => Spec.meanSquare_add_pos hEps1Pos _
  condition hNorm2MeanSquareEpsPos :
      ∀ i, 0 < Spec.meanSquare (gatedBlockRows2 (.rms ε₁) (Mask.window w) scale ρ i) + ε₂
    if hEps2Pos : 0 < ε₂ then fun _ => Spec.meanSquare_add_pos hEps2Pos _
  proof ⟨hNorm1MeanSquareEpsPos, fun _ => Mask.window_allows w, hNorm2MeanSquareEpsPos, fun _ => trivial⟩

layer_theorems gemmaBlock (c : GeluConstants R) (scale ε₁ ε₂ : R) ρ where
  is "Gemma's block"
  smooth "every row that an RMSNorm normalizes has `mean square + ε` positive"
  layer gatedBlockLayer (.rmsOffset ε₁) (.rmsOffset ε₂) (.geluTanh c) Mask.causal scale
  graph gemmaBlockGraph c 1 scale ε₁ ε₂
  formula Tensor.ofMat (Spec.gatedBlock (.rmsOffset ε₁) (.rmsOffset ε₂) (Spec.gelu c) Mask.causal scale ρ)
  inputs ΓGatedBlock seqLen dModel numGroups perGroup headDim dFF
  condition hNorm1MeanSquareEpsPos : ∀ i, 0 < Spec.meanSquare ((ρ.get ΓGatedBlock.x).mat i) + ε₁
    if hEps1Pos : 0 < ε₁ then fun _ => Spec.meanSquare_add_pos hEps1Pos _
  condition hNorm2MeanSquareEpsPos :
      ∀ i, 0 < Spec.meanSquare (gatedBlockRows2 (.rmsOffset ε₁) Mask.causal scale ρ i) + ε₂
    if hEps2Pos : 0 < ε₂ then fun _ => Spec.meanSquare_add_pos hEps2Pos _
  proof ⟨hNorm1MeanSquareEpsPos, fun _ => Mask.causal_allows, hNorm2MeanSquareEpsPos, fun _ => trivial⟩

end PostNorm
