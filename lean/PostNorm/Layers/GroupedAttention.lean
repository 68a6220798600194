import PostNorm.Layers.AttentionCore
import PostNorm.Layers.Rotary

/-! # Grouped heads with rotary positions

`numGroups` heads of keys and values serve `numGroups * perGroup` heads of queries: head `t` of the queries reads head
`t / perGroup` of the keys and values.  With one group these are multi-query heads; with one head in each group,
standard ones.  There are no biases.

## Main definitions

* `ΓGroupedMha`, `groupedMhaGraph allowed scale`; `repeatHeadsGraph`; `Spec.groupedMha`; `groupedMhaLayer`.

## Main statements

* `groupedMha_eval`, `groupedMha_hasFDerivAt`, `groupedMha_backprop_eq_adjoint_fderiv`: where a key is allowed in each
  row.

## Sources

* Shazeer, *Fast Transformer decoding: one write-head is all you need*, arXiv:1911.02150; Ainslie et al., *GQA*,
  arXiv:2305.13245; LLaMA's code. -/

namespace PostNorm
universe u

/-- The inputs of attention with grouped heads and rotary positions. -/
declare_inputs ΓGroupedMha (seqLen dModel numGroups perGroup headDim : Nat) where
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

section graphs
variable {K : Type u} {seqLen dModel numGroups perGroup headDim : Nat}

/-- Every head repeated `perGroup` times. -/
def repeatHeadsGraph (perGroup : Nat) :
    Graph K [⟦numGroups, seqLen, headDim⟧] ⟦numGroups * perGroup, seqLen, headDim⟧ := graph! x =>
  let copies := .view (.under headDim (.under seqLen (.spread perGroup))) x
  let heads := .view (.under headDim (.under seqLen .merge)) copies
  return heads

/-- Attention with grouped heads and rotary positions, over the allowed keys. -/
def groupedMhaGraph (allowed : Mask seqLen seqLen) (scale : K) :
    Graph K (ΓGroupedMha seqLen dModel numGroups perGroup headDim) ⟦seqLen, dModel⟧ :=
  graph! x Wq Wk Wv Wo cos sin =>
  let q := .matmul x Wq
  let k := .matmul x Wk
  let v := .matmul x Wv
  let qHeads := splitHeadsGraph (numGroups * perGroup) headDim ⟪q⟫
  let kHeads := splitHeadsGraph numGroups headDim ⟪k⟫
  let vHeads := splitHeadsGraph numGroups headDim ⟪v⟫
  let qRotary := rotaryGraph ⟪qHeads, cos, sin⟫
  let kRotary := rotaryGraph ⟪kHeads, cos, sin⟫
  let kShared := repeatHeadsGraph perGroup ⟪kRotary⟫
  let vShared := repeatHeadsGraph perGroup ⟪vHeads⟫
  let core := attentionCoreGraph allowed scale ⟪qRotary, kShared, vShared⟫
  let projected := .matmul core Wo
  return projected

end graphs

section
variable {R : Type u} [RealField R] {seqLen dModel numGroups perGroup headDim : Nat}

theorem repeatHeads_eval (ρ : Env R [⟦numGroups, seqLen, headDim⟧]) :
    (repeatHeadsGraph perGroup).eval ρ = fun c => (ρ.get .here).page ((), (unflat c.1.1.2).1) c.1.2 c.2 := rfl

theorem repeatHeadsGraph_sideConditions (ρ : Env R [⟦numGroups, seqLen, headDim⟧]) :
    (repeatHeadsGraph perGroup).SideConditions ρ := by
  graph_side_conditions [repeatHeadsGraph]

/-- Attention with `g * r` heads of queries in `g` groups and rotary positions, over the allowed keys. -/
noncomputable def Spec.groupedMha {n m g r d : Nat} (allowed : Mask n n) (scale : R)
    (Wq : Fin m → Fin (g * r * d) → R) (Wk Wv : Fin m → Fin (g * d) → R) (Wo : Fin (g * r * d) → Fin m → R)
    (cos sin : Fin n → Fin d → R) (x : Fin n → Fin m → R) : Fin n → Fin m → R :=
  Spec.matmul (Spec.concat fun t : Fin (g * r) => Spec.attentionOver allowed scale
    (Spec.rotary cos sin (Spec.head (Spec.matmul x Wq) t))
    (Spec.rotary cos sin (Spec.head (Spec.matmul x Wk) (unflat t).1))
    (Spec.head (Spec.matmul x Wv) (unflat t).1)) Wo

/-- Attention with grouped heads, with its formula.  It is smooth where a key is allowed in each row, if there are
heads. -/
noncomputable def groupedMhaLayer (allowed : Mask seqLen seqLen) (scale : R) :
    Layer R (ΓGroupedMha seqLen dModel numGroups perGroup headDim) ⟦seqLen, dModel⟧ where
  graph := groupedMhaGraph allowed scale
  formula ρ := Tensor.ofMat (Spec.groupedMha allowed scale (ρ.get ΓGroupedMha.Wq).mat (ρ.get ΓGroupedMha.Wk).mat
    (ρ.get ΓGroupedMha.Wv).mat (ρ.get ΓGroupedMha.Wo).mat (ρ.get ΓGroupedMha.cos).mat (ρ.get ΓGroupedMha.sin).mat
    (ρ.get ΓGroupedMha.x).mat)
  Smooth _ := ∀ (_ : Fin (numGroups * perGroup)) (i : Fin seqLen), ∃ j, allowed i j = true
  eval_eq ρ := by
    graph_simp [groupedMhaGraph, splitHeads_eval, rotary_eval, repeatHeads_eval, attentionCore_eval]
    rfl
  sideConditions_iff ρ := by
    graph_side_conditions [groupedMhaGraph, splitHeadsGraph_sideConditions, repeatHeadsGraph_sideConditions,
      rotaryGraph_sideConditions, attentionCoreGraph_sideConditions_iff]

/-- Attention with grouped heads needs a key in each row, if there are heads. -/
theorem groupedMhaGraph_sideConditions_iff (allowed : Mask seqLen seqLen) (scale : R)
    (ρ : Env R (ΓGroupedMha seqLen dModel numGroups perGroup headDim)) :
    (groupedMhaGraph allowed scale).SideConditions ρ ↔
      ∀ (_ : Fin (numGroups * perGroup)) (i : Fin seqLen), ∃ j, allowed i j = true :=
  (groupedMhaLayer allowed scale).sideConditions_iff ρ

end

variable {seqLen dModel numGroups perGroup headDim : Nat}

layer_theorems groupedMha (allowed : Mask seqLen seqLen) (scale : R) ρ where
  is "attention with grouped heads and rotary positions, over the allowed keys"
  smooth "a key is allowed in each row"
  layer groupedMhaLayer allowed scale
  graph groupedMhaGraph allowed scale
  formula Tensor.ofMat (Spec.groupedMha allowed scale (ρ.get ΓGroupedMha.Wq).mat (ρ.get ΓGroupedMha.Wk).mat
    (ρ.get ΓGroupedMha.Wv).mat (ρ.get ΓGroupedMha.Wo).mat (ρ.get ΓGroupedMha.cos).mat (ρ.get ΓGroupedMha.sin).mat
    (ρ.get ΓGroupedMha.x).mat)
  inputs ΓGroupedMha seqLen dModel numGroups perGroup headDim
  condition hKeyAllowed "a key is allowed in each row" : ∀ i, ∃ j, allowed i j = true
  proof fun _ => hKeyAllowed

end PostNorm
