import PostNorm.Layers.AttentionCore

/-! # Attention without a factor, and with relative-position biases

T5's attention: the scores are `q kᵀ`, without a divisor, and the projections have no biases.  In
self-attention a number is added to the score of query `i` and key `j` in each head: the entry of a table at a given
index, such as one for the distance of the two.  The table is an input, the indices are part of the graph.

## Main definitions

* `scoredCoreGraph allowed`, `Spec.attentionByScores`: softmax of given scores over the allowed keys, times the values.
* `ΓUnscaledMha`, `unscaledMhaGraph allowed`, `Spec.unscaledMha`, `unscaledMhaLayer`: of `x` to `memory`.
* `ΓRelativeMha`, `relativeMhaGraph allowed bucket`, `Spec.relativeMha`, `relativeMhaLayer`: of `x` to itself.

## Main statements

* `relativeMha_eval`, `relativeMha_hasFDerivAt`, `relativeMha_backprop_eq_adjoint_fderiv`: where a key is allowed in
  each row; in the table too.

## Sources

* Raffel et al., *Exploring the limits of transfer learning with a unified text-to-text Transformer* (T5),
  arXiv:1910.10683, section 2.1, and its published code; Shaw et al., *Self-attention with relative position
  representations*, arXiv:1803.02155. -/

namespace PostNorm
universe u

/-- The inputs of attention of `n` tokens to a memory of `m`, without biases. -/
declare_inputs ΓUnscaledMha (n m dModel numHeads headDim : Nat) where
  /-- The tokens that attend. -/
  x : ⟦n, dModel⟧
  /-- What they attend to. -/
  memory : ⟦m, dModel⟧
  /-- The query, key and value weights. -/
  Wq Wk Wv : ⟦dModel, numHeads * headDim⟧
  /-- The output weights. -/
  Wo : ⟦numHeads * headDim, dModel⟧

/-- The inputs of self-attention with relative-position biases. -/
declare_inputs ΓRelativeMha (seqLen dModel numHeads headDim buckets : Nat) where
  /-- The tokens. -/
  x : ⟦seqLen, dModel⟧
  /-- The query, key and value weights. -/
  Wq Wk Wv : ⟦dModel, numHeads * headDim⟧
  /-- The output weights. -/
  Wo : ⟦numHeads * headDim, dModel⟧
  /-- For each index, the number that it adds to the scores of each head. -/
  table : ⟦buckets, numHeads⟧

section graphs
variable {K : Type u} {n m h e seqLen dModel numHeads headDim buckets : Nat}

/-- Attention by given scores over the allowed keys, the heads concatenated. -/
def scoredCoreGraph (allowed : Mask n m) : Graph K [⟦h, n, m⟧, ⟦h, m, e⟧] ⟦n, h * e⟧ := graph! scores v =>
  let softmax := softmaxOverGraph (fun c : Shape.Coord ⟦h, n⟧ => allowed c.2) ⟪scores⟫
  let context := .matmul softmax v
  let tokens := .view (.under e .swap) context
  let merged := .view .merge tokens
  return merged

/-- Attention of `x` to `memory` over the allowed keys, without a factor and without biases. -/
def unscaledMhaGraph (allowed : Mask n m) : Graph K (ΓUnscaledMha n m dModel numHeads headDim) ⟦n, dModel⟧ :=
  graph! x memory Wq Wk Wv Wo =>
  let q := .matmul x Wq
  let k := .matmul memory Wk
  let v := .matmul memory Wv
  let qHeads := splitHeadsGraph numHeads headDim ⟪q⟫
  let kHeads := splitHeadsGraph numHeads headDim ⟪k⟫
  let vHeads := splitHeadsGraph numHeads headDim ⟪v⟫
  let keyT := .transpose kHeads
  let scores := .matmul qHeads keyT
  let core := scoredCoreGraph allowed ⟪scores, vHeads⟫
  let projected := .matmul core Wo
  return projected

/-- Self-attention over the allowed keys, where the table's entry at `bucket i j` is added to the scores of query `i`
and key `j`. -/
def relativeMhaGraph (allowed : Mask seqLen seqLen) (bucket : Fin seqLen → Fin seqLen → Fin buckets) :
    Graph K (ΓRelativeMha seqLen dModel numHeads headDim buckets) ⟦seqLen, dModel⟧ :=
  graph! x Wq Wk Wv Wo table =>
  let q := .matmul x Wq
  let k := .matmul x Wk
  let v := .matmul x Wv
  let qHeads := splitHeadsGraph numHeads headDim ⟪q⟫
  let kHeads := splitHeadsGraph numHeads headDim ⟪k⟫
  let vHeads := splitHeadsGraph numHeads headDim ⟪v⟫
  let keyT := .transpose kHeads
  let scores := .matmul qHeads keyT
  let bias := .gather
    (fun c : Shape.Coord ⟦numHeads, seqLen, seqLen⟧ => some (((), bucket c.1.2 c.2), c.1.1.2)) table
  let biased := .add scores bias
  let core := scoredCoreGraph allowed ⟪biased, vHeads⟫
  let projected := .matmul core Wo
  return projected

end graphs

section
variable {R : Type u} [RealField R] {n m h d e seqLen dModel numHeads headDim buckets : Nat}

/-- Attention by given scores over the allowed keys. -/
noncomputable def Spec.attentionByScores (allowed : Mask n m) (scores : Fin n → Fin m → R) (v : Fin m → Fin e → R) :
    Fin n → Fin e → R := Spec.matmul (fun i => Spec.softmaxOver (allowed i) (scores i)) v

/-- The inner product of each query with each key. -/
noncomputable def Spec.scores (q : Fin n → Fin d → R) (k : Fin m → Fin d → R) : Fin n → Fin m → R :=
  fun i j => finSum d fun l => q i l * k j l

/-- Attention of `x` to `memory` with `h` heads of width `d`: the scores are `q kᵀ`. -/
noncomputable def Spec.unscaledMha (allowed : Mask n m) (Wq Wk Wv : Fin dModel → Fin (h * d) → R)
    (Wo : Fin (h * d) → Fin dModel → R) (memory : Fin m → Fin dModel → R) (x : Fin n → Fin dModel → R) :
    Fin n → Fin dModel → R :=
  Spec.matmul (Spec.concat fun t => Spec.attentionByScores allowed
    (Spec.scores (Spec.head (Spec.matmul x Wq) t) (Spec.head (Spec.matmul memory Wk) t))
    (Spec.head (Spec.matmul memory Wv) t)) Wo

/-- Self-attention with `h` heads of width `d`: the score of query `i` and key `j` in head `t` is their inner product
and `table (bucket i j) t`. -/
noncomputable def Spec.relativeMha (allowed : Mask n n) (bucket : Fin n → Fin n → Fin buckets)
    (Wq Wk Wv : Fin dModel → Fin (h * d) → R) (Wo : Fin (h * d) → Fin dModel → R) (table : Fin buckets → Fin h → R)
    (x : Fin n → Fin dModel → R) : Fin n → Fin dModel → R :=
  Spec.matmul (Spec.concat fun t => Spec.attentionByScores allowed
    (fun i j => Spec.scores (Spec.head (Spec.matmul x Wq) t) (Spec.head (Spec.matmul x Wk) t) i j +
      table (bucket i j) t)
    (Spec.head (Spec.matmul x Wv) t)) Wo

theorem scoredCore_eval (allowed : Mask n m) (ρ : Env R [⟦h, n, m⟧, ⟦h, m, e⟧]) :
    (scoredCoreGraph allowed).eval ρ = Tensor.ofMat (Spec.concat fun t =>
      Spec.attentionByScores allowed ((ρ.get .here).page ((), t)) ((ρ.get (.there .here)).page ((), t))) := by
  graph_simp [scoredCoreGraph, softmaxOver_eval]
  rfl

/-- The core needs a key in each row, if there are heads. -/
theorem scoredCoreGraph_sideConditions_iff (allowed : Mask n m) (ρ : Env R [⟦h, n, m⟧, ⟦h, m, e⟧]) :
    (scoredCoreGraph allowed).SideConditions ρ ↔ ∀ (_ : Fin h) (i : Fin n), ∃ j, allowed i j = true := by
  graph_side_conditions [scoredCoreGraph]
  exact ((softmaxOverLayer (s := ⟦h, n⟧) fun c => allowed c.2).sideConditions_iff _).trans
    ⟨fun ok t i => ok (((), t), i), fun ok c => ok c.1.2 c.2⟩

/-- Attention without a factor, with its formula.  It is smooth where a key is allowed in each row, if there are
heads. -/
noncomputable def unscaledMhaLayer (allowed : Mask n m) :
    Layer R (ΓUnscaledMha n m dModel numHeads headDim) ⟦n, dModel⟧ where
  graph := unscaledMhaGraph allowed
  formula ρ := Tensor.ofMat (Spec.unscaledMha allowed (ρ.get ΓUnscaledMha.Wq).mat (ρ.get ΓUnscaledMha.Wk).mat
    (ρ.get ΓUnscaledMha.Wv).mat (ρ.get ΓUnscaledMha.Wo).mat (ρ.get ΓUnscaledMha.memory).mat
    (ρ.get ΓUnscaledMha.x).mat)
  Smooth _ := ∀ (_ : Fin numHeads) (i : Fin n), ∃ j, allowed i j = true
  eval_eq ρ := by
    graph_simp [unscaledMhaGraph, splitHeads_eval, scoredCore_eval]
    rfl
  sideConditions_iff ρ := by
    graph_side_conditions [unscaledMhaGraph, splitHeadsGraph_sideConditions, scoredCoreGraph_sideConditions_iff]

/-- Attention with relative-position biases, with its formula.  It is smooth where a key is allowed in each row, if
there are heads. -/
noncomputable def relativeMhaLayer (allowed : Mask seqLen seqLen) (bucket : Fin seqLen → Fin seqLen → Fin buckets) :
    Layer R (ΓRelativeMha seqLen dModel numHeads headDim buckets) ⟦seqLen, dModel⟧ where
  graph := relativeMhaGraph allowed bucket
  formula ρ := Tensor.ofMat (Spec.relativeMha allowed bucket (ρ.get ΓRelativeMha.Wq).mat (ρ.get ΓRelativeMha.Wk).mat
    (ρ.get ΓRelativeMha.Wv).mat (ρ.get ΓRelativeMha.Wo).mat (ρ.get ΓRelativeMha.table).mat (ρ.get ΓRelativeMha.x).mat)
  Smooth _ := ∀ (_ : Fin numHeads) (i : Fin seqLen), ∃ j, allowed i j = true
  eval_eq ρ := by
    graph_simp [relativeMhaGraph, splitHeads_eval, scoredCore_eval]
    rfl
  sideConditions_iff ρ := by
    graph_side_conditions [relativeMhaGraph, splitHeadsGraph_sideConditions, scoredCoreGraph_sideConditions_iff]

end

variable {seqLen dModel numHeads headDim buckets : Nat}

layer_theorems relativeMha (allowed : Mask seqLen seqLen) (bucket : Fin seqLen → Fin seqLen → Fin buckets) ρ where
  is "self-attention with relative-position biases, over the allowed keys"
  smooth "a key is allowed in each row"
  layer relativeMhaLayer allowed bucket
  graph relativeMhaGraph allowed bucket
  formula Tensor.ofMat (Spec.relativeMha allowed bucket (ρ.get ΓRelativeMha.Wq).mat (ρ.get ΓRelativeMha.Wk).mat
    (ρ.get ΓRelativeMha.Wv).mat (ρ.get ΓRelativeMha.Wo).mat (ρ.get ΓRelativeMha.table).mat (ρ.get ΓRelativeMha.x).mat)
  inputs ΓRelativeMha seqLen dModel numHeads headDim buckets
  condition hKeyAllowed "a key is allowed in each row" : ∀ i, ∃ j, allowed i j = true
  proof fun _ => hKeyAllowed

end PostNorm
