import PostNorm.Graph.Inputs
import PostNorm.Layers.Attention
import PostNorm.Layers.BiasedAttention
import PostNorm.Layers.MaskedSoftmax

/-! # The core of attention, with an exact mask, and cross attention

Queries, keys and values are already cut into heads; self-attention, cross attention and grouped heads differ in where
these come from.  `n` queries attend to `m` keys.

## Main definitions

* `ΓAttentionCore`, `attentionCoreGraph allowed scale`; `Spec.attentionOver`.
* `ΓCrossMha`, `crossMhaGraph allowed scale`: queries from `x`, keys and values from a memory, all with biases;
  `Spec.crossMha`; `crossMhaLayer`.  Self-attention with a mask is the call whose memory is `x`.

## Main statements

* `crossMha_eval`, `crossMha_hasFDerivAt`, `crossMha_backprop_eq_adjoint_fderiv`: where a key is allowed in each row.

## Sources

* Vaswani et al., *Attention is all you need*, arXiv:1706.03762; PyTorch's `nn.MultiheadAttention` with a mask of
  truth values, and `scaled_dot_product_attention`. -/

namespace PostNorm
universe u

section graphs
variable {K : Type u} {n m h d e dModel dMemory numHeads headDim : Nat}

/-- The inputs of the core: `n` queries, `m` keys and `m` values, cut into `h` heads. -/
declare_inputs ΓAttentionCore (n m h d e : Nat) where
  /-- The queries. -/
  q : ⟦h, n, d⟧
  /-- The keys. -/
  k : ⟦h, m, d⟧
  /-- The values. -/
  v : ⟦h, m, e⟧

/-- The inputs of attention of `n` tokens to a memory of `m`. -/
declare_inputs ΓCrossMha (n m dModel dMemory numHeads headDim : Nat) where
  /-- The tokens that attend. -/
  x : ⟦n, dModel⟧
  /-- What they attend to. -/
  memory : ⟦m, dMemory⟧
  /-- The query weights and bias. -/
  Wq : ⟦dModel, numHeads * headDim⟧, bq : ⟦numHeads * headDim⟧
  /-- The key weights and bias. -/
  Wk : ⟦dMemory, numHeads * headDim⟧, bk : ⟦numHeads * headDim⟧
  /-- The value weights and bias. -/
  Wv : ⟦dMemory, numHeads * headDim⟧, bv : ⟦numHeads * headDim⟧
  /-- The output weights and bias. -/
  Wo : ⟦numHeads * headDim, dModel⟧, bo : ⟦dModel⟧

/-- Attention over the allowed keys, the heads concatenated. -/
def attentionCoreGraph (allowed : Mask n m) (scale : K) : Graph K (ΓAttentionCore n m h d e) ⟦n, h * e⟧ :=
  graph! q k v =>
  let keyT := .transpose k
  let scores := .matmul q keyT
  let scaled := .scale scale scores
  let softmax := softmaxOverGraph (fun c : Shape.Coord ⟦h, n⟧ => allowed c.2) ⟪scaled⟫
  let context := .matmul softmax v
  let tokens := .view (.under e .swap) context
  let merged := .view .merge tokens
  return merged

/-- Multi-head attention of `x` to `memory`, over the allowed keys. -/
def crossMhaGraph (allowed : Mask n m) (scale : K) :
    Graph K (ΓCrossMha n m dModel dMemory numHeads headDim) ⟦n, dModel⟧ :=
  graph! x memory Wq bq Wk bk Wv bv Wo bo =>
  let q := affineGraph ⟪x, Wq, bq⟫
  let k := affineGraph ⟪memory, Wk, bk⟫
  let v := affineGraph ⟪memory, Wv, bv⟫
  let qHeads := splitHeadsGraph numHeads headDim ⟪q⟫
  let kHeads := splitHeadsGraph numHeads headDim ⟪k⟫
  let vHeads := splitHeadsGraph numHeads headDim ⟪v⟫
  let core := attentionCoreGraph allowed scale ⟪qHeads, kHeads, vHeads⟫
  let projected := affineGraph ⟪core, Wo, bo⟫
  return projected

end graphs

section
variable {R : Type u} [RealField R] {n m h d e dModel dMemory numHeads headDim : Nat}

/-- Attention over the allowed keys: `softmaxOver allowed (scale * q kᵀ) v`. -/
noncomputable def Spec.attentionOver (allowed : Mask n m) (scale : R) (q : Fin n → Fin d → R) (k : Fin m → Fin d → R)
    (v : Fin m → Fin e → R) : Fin n → Fin e → R :=
  Spec.matmul (fun i => Spec.softmaxOver (allowed i) fun j => scale * finSum d fun l => q i l * k j l) v

theorem attentionCore_eval (allowed : Mask n m) (scale : R) (ρ : Env R (ΓAttentionCore n m h d e)) :
    (attentionCoreGraph allowed scale).eval ρ = Tensor.ofMat (Spec.concat fun t => Spec.attentionOver allowed scale
      ((ρ.get ΓAttentionCore.q).page ((), t)) ((ρ.get ΓAttentionCore.k).page ((), t))
      ((ρ.get ΓAttentionCore.v).page ((), t))) := by
  graph_simp [attentionCoreGraph, softmaxOver_eval]
  rfl

/-- The core needs a key in each row, if there are heads. -/
theorem attentionCoreGraph_sideConditions_iff (allowed : Mask n m) (scale : R)
    (ρ : Env R (ΓAttentionCore n m h d e)) :
    (attentionCoreGraph allowed scale).SideConditions ρ ↔ ∀ (_ : Fin h) (i : Fin n), ∃ j, allowed i j = true := by
  graph_side_conditions [attentionCoreGraph]
  exact ((softmaxOverLayer (s := ⟦h, n⟧) fun c => allowed c.2).sideConditions_iff _).trans
    ⟨fun ok t i => ok (((), t), i), fun ok c => ok c.1.2 c.2⟩

/-- Multi-head attention with `h` heads of width `d` of `x` to `memory`, over the allowed keys. -/
noncomputable def Spec.crossMha (allowed : Mask n m) (scale : R) (Wq : Fin dModel → Fin (h * d) → R)
    (bq : Fin (h * d) → R) (Wk : Fin dMemory → Fin (h * d) → R) (bk : Fin (h * d) → R)
    (Wv : Fin dMemory → Fin (h * d) → R) (bv : Fin (h * d) → R) (Wo : Fin (h * d) → Fin dModel → R)
    (bo : Fin dModel → R) (memory : Fin m → Fin dMemory → R) (x : Fin n → Fin dModel → R) : Fin n → Fin dModel → R :=
  Spec.affine Wo bo (Spec.concat fun t => Spec.attentionOver allowed scale (Spec.head (Spec.affine Wq bq x) t)
    (Spec.head (Spec.affine Wk bk memory) t) (Spec.head (Spec.affine Wv bv memory) t))

/-- Cross attention with its formula.  It is smooth where a key is allowed in each row, if there are heads. -/
noncomputable def crossMhaLayer (allowed : Mask n m) (scale : R) :
    Layer R (ΓCrossMha n m dModel dMemory numHeads headDim) ⟦n, dModel⟧ where
  graph := crossMhaGraph allowed scale
  formula ρ := Tensor.ofMat (Spec.crossMha allowed scale (ρ.get ΓCrossMha.Wq).mat (ρ.get ΓCrossMha.bq).vec
    (ρ.get ΓCrossMha.Wk).mat (ρ.get ΓCrossMha.bk).vec (ρ.get ΓCrossMha.Wv).mat (ρ.get ΓCrossMha.bv).vec
    (ρ.get ΓCrossMha.Wo).mat (ρ.get ΓCrossMha.bo).vec (ρ.get ΓCrossMha.memory).mat (ρ.get ΓCrossMha.x).mat)
  Smooth _ := ∀ (_ : Fin numHeads) (i : Fin n), ∃ j, allowed i j = true
  eval_eq ρ := by
    graph_simp [crossMhaGraph, splitHeads_eval, affine_eval, attentionCore_eval]
    rfl
  sideConditions_iff ρ := by
    graph_side_conditions [crossMhaGraph, splitHeadsGraph_sideConditions, affineGraph_sideConditions,
      attentionCoreGraph_sideConditions_iff]

/-- Cross attention needs a key in each row, if there are heads. -/
theorem crossMhaGraph_sideConditions_iff (allowed : Mask n m) (scale : R)
    (ρ : Env R (ΓCrossMha n m dModel dMemory numHeads headDim)) :
    (crossMhaGraph allowed scale).SideConditions ρ ↔ ∀ (_ : Fin numHeads) (i : Fin n), ∃ j, allowed i j = true :=
  (crossMhaLayer allowed scale).sideConditions_iff ρ

end

variable {n m dModel dMemory numHeads headDim : Nat}

layer_theorems crossMha (allowed : Mask n m) (scale : R) ρ where
  is "multi-head attention of `x` to `memory`, over the allowed keys"
  smooth "a key is allowed in each row"
  layer crossMhaLayer allowed scale
  graph crossMhaGraph allowed scale
  formula Tensor.ofMat (Spec.crossMha allowed scale (ρ.get ΓCrossMha.Wq).mat (ρ.get ΓCrossMha.bq).vec
    (ρ.get ΓCrossMha.Wk).mat (ρ.get ΓCrossMha.bk).vec (ρ.get ΓCrossMha.Wv).mat (ρ.get ΓCrossMha.bv).vec
    (ρ.get ΓCrossMha.Wo).mat (ρ.get ΓCrossMha.bo).vec (ρ.get ΓCrossMha.memory).mat (ρ.get ΓCrossMha.x).mat)
  inputs ΓCrossMha n m dModel dMemory numHeads headDim
  condition hKeyAllowed "a key is allowed in each row" : ∀ i, ∃ j, allowed i j = true
  proof fun _ => hKeyAllowed

end PostNorm
