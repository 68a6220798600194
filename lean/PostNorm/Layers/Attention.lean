import PostNorm.Layers.Softmax

/-! # Multi-head self-attention

Token `t`'s projected row is cut into `numHeads` pieces of `headDim` entries; in head `h` every token attends to all
tokens; the concatenated results of the heads are projected back.  This is what PyTorch's `nn.MultiheadAttention`
computes, without bias, mask and dropout.  The factor of the scores is a constant of the
graph, usually `1 / sqrt headDim`; nothing below depends on its value.

## Main definitions

* `ΓMha`: the inputs `x`, `Wq`, `Wk`, `Wv`, `Wo`.
* `mhaGraph scale`: the graph; `splitHeadsGraph`: rows cut into heads.
* `Spec.mha`: the formula.

## Main statements

* `mha_eval`: the graph computes the formula.
* `mha_hasFDerivAt`, `mha_backpropVec_eq_adjoint_fderiv`: differentiable everywhere, and backprop is the adjoint of
  the derivative.  There need not even be a token: without tokens there is no row to normalize.

## Sources

* Vaswani et al., *Attention is all you need*, arXiv:1706.03762; PyTorch's `nn.MultiheadAttention`. -/

namespace PostNorm
universe u

section graphs
variable {K : Type u} {seqLen dModel numHeads headDim : Nat}

/-- The inputs of multi-head attention: `x`, `Wq`, `Wk`, `Wv`, `Wo`. -/
abbrev ΓMha (seqLen dModel numHeads headDim : Nat) : Context :=
  [⟦seqLen, dModel⟧, ⟦dModel, numHeads * headDim⟧, ⟦dModel, numHeads * headDim⟧,
    ⟦dModel, numHeads * headDim⟧, ⟦numHeads * headDim, dModel⟧]

/-- Rows cut into heads: `(seqLen, numHeads * headDim)` becomes `(numHeads, seqLen, headDim)`. -/
def splitHeadsGraph (numHeads headDim : Nat) :
    Graph K [⟦seqLen, numHeads * headDim⟧] ⟦numHeads, seqLen, headDim⟧ := graph! x =>
  let split := .view (.split numHeads headDim) x
  let heads := .view (.under headDim .swap) split
  return heads

/-- Multi-head self-attention. -/
def mhaGraph (scale : K) : Graph K (ΓMha seqLen dModel numHeads headDim) ⟦seqLen, dModel⟧ :=
  graph! x Wq Wk Wv Wo =>
  let q := .matmul x Wq
  let k := .matmul x Wk
  let v := .matmul x Wv
  let qHeads := splitHeadsGraph numHeads headDim ⟪q⟫
  let kHeads := splitHeadsGraph numHeads headDim ⟪k⟫
  let vHeads := splitHeadsGraph numHeads headDim ⟪v⟫
  let keyT := .transpose kHeads
  let scores := .matmul qHeads keyT
  let scaled := .scale scale scores
  let softmax := softmaxGraph ⟪scaled⟫
  let context := .matmul softmax vHeads
  let tokens := .view (.under headDim .swap) context
  let merged := .view .merge tokens
  let projected := .matmul merged Wo
  return projected

end graphs

section spec
variable {R : Type u} [RealField R]

/-- The product of two matrices. -/
noncomputable def Spec.matmul {n k m : Nat} (A : Fin n → Fin k → R) (B : Fin k → Fin m → R) : Fin n → Fin m → R :=
  fun i j => finSum k fun l => A i l * B l j

/-- Scaled dot-product attention: `softmax (scale * q kᵀ) v`. -/
noncomputable def Spec.attention {n m d e : Nat} (scale : R) (q : Fin n → Fin d → R) (k : Fin m → Fin d → R)
    (v : Fin m → Fin e → R) : Fin n → Fin e → R :=
  Spec.matmul (fun i => Spec.softmax fun j => scale * finSum d fun l => q i l * k j l) v

/-- Piece `t` of every row, when rows of length `h * d` are cut into `h` pieces. -/
def Spec.head {n h d : Nat} (x : Fin n → Fin (h * d) → R) (t : Fin h) : Fin n → Fin d → R :=
  fun i j => x i (flat t j)

/-- The pieces of every row, concatenated. -/
def Spec.concat {n h d : Nat} (y : Fin h → Fin n → Fin d → R) : Fin n → Fin (h * d) → R :=
  fun i k => y (unflat k).1 i (unflat k).2

/-- Multi-head self-attention with `h` heads of width `d`. -/
noncomputable def Spec.mha {n m h d : Nat} (scale : R) (Wq Wk Wv : Fin m → Fin (h * d) → R)
    (Wo : Fin (h * d) → Fin m → R) (x : Fin n → Fin m → R) : Fin n → Fin m → R :=
  Spec.matmul (Spec.concat fun t => Spec.attention scale (Spec.head (Spec.matmul x Wq) t)
    (Spec.head (Spec.matmul x Wk) t) (Spec.head (Spec.matmul x Wv) t)) Wo

end spec

variable {R : Type u} [RealField R] {seqLen dModel numHeads headDim : Nat}

section
variable (ρ : Env R [⟦seqLen, numHeads * headDim⟧])

theorem splitHeads_eval :
    (splitHeadsGraph numHeads headDim).eval ρ = fun c => Spec.head (ρ.get .here).mat c.1.1.2 c.1.2 c.2 := rfl

theorem splitHeadsGraph_sideConditions : (splitHeadsGraph numHeads headDim).SideConditions ρ := by
  graph_side_conditions [splitHeadsGraph]

end

variable (scale : R) (ρ : Env R (ΓMha seqLen dModel numHeads headDim)) (δ : Tensor R ⟦seqLen, dModel⟧)

/-- The multi-head attention graph computes the multi-head attention formula, at every input. -/
@[obligation]
theorem mha_eval : (mhaGraph scale).eval ρ = Tensor.ofMat (Spec.mha scale (ρ.get (.there .here)).mat
    (ρ.get (.there (.there .here))).mat (ρ.get (.there (.there (.there .here)))).mat
    (ρ.get (.there (.there (.there (.there .here))))).mat (ρ.get .here).mat) := by
  graph_simp [mhaGraph, softmax_eval, splitHeads_eval]
  rfl

/-- Multi-head attention has no side condition: if there is a query, there is a key. -/
theorem mhaGraph_sideConditions : (mhaGraph scale).SideConditions ρ := by
  graph_side_conditions [mhaGraph, splitHeadsGraph_sideConditions]
  exact softmaxGraph_sideConditions _ fun c => c.2.pos

/-- Multi-head attention is Fréchet differentiable in `x` and its four weights together, everywhere, and forward
mode computes its derivative. -/
@[obligation]
theorem mha_hasFDerivAt : HasFDerivAt (fun ρ => (mhaGraph scale).eval ρ) ((mhaGraph scale).deriv ρ) ρ :=
  (mhaGraph_sideConditions scale ρ).correct.hasFDerivAt

/-- Backpropagation through multi-head attention is the adjoint of its Fréchet derivative, applied to the seed
`δ`, everywhere. -/
@[obligation]
theorem mha_backpropVec_eq_adjoint_fderiv :
    (mhaGraph scale).backprop ρ δ = (fderiv (fun ρ => (mhaGraph scale).eval ρ) ρ).adjoint δ :=
  (mhaGraph scale).backprop_eq_adjoint_fderiv ρ (mhaGraph_sideConditions scale ρ).correct δ

end PostNorm
