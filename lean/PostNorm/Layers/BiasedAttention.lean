import PostNorm.Graph.Inputs
import PostNorm.Layers.Attention
import PostNorm.Layers.FeedForward

/-! # Multi-head self-attention with biases and an additive mask

What PyTorch's `nn.MultiheadAttention` computes with its default `bias=True`, and with a floating-point `attn_mask`
of shape `(seqLen, seqLen)`: the four projections are affine, and the mask is added to the scaled scores of every
head. A causal mask is one with zeros on and below the diagonal, and numbers above it so negative that their
exponentials vanish.

## Main definitions

* `ΓBiasedMha`: the inputs `x`, `Wq`, `bq`, `Wk`, `bk`, `Wv`, `bv`, `Wo`, `bo`, `mask`,
  with an index for each, such as `idxBiasedMhaWq`.
* `biasedMhaGraph scale`: the graph; `Spec.biasedMha`: the
  formula.

## Main statements

* `biasedMha_eval`: the graph computes the formula.
* `biasedMhaGraph_sideConditions`: it has no side condition.
* `biasedMha_hasFDerivAt`, `biasedMha_backpropVec_eq_adjoint_fderiv`: differentiable everywhere, and backprop is
  the adjoint of the derivative.
* `biasedMha_eval_zero`: without biases and mask it is multi-head attention.

## Sources

* PyTorch's `nn.MultiheadAttention`; Vaswani et al., *Attention is all you need*, arXiv:1706.03762. -/

namespace PostNorm
universe u

section graphs
variable {K : Type u} {seqLen dModel numHeads headDim : Nat}

/-- The inputs of attention with biases and mask. -/
declare_inputs ΓBiasedMha (seqLen dModel numHeads headDim : Nat) as idxBiasedMha where
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
  /-- The mask. -/
  mask : ⟦seqLen, seqLen⟧

/-- Multi-head self-attention with biases and an additive mask. -/
def biasedMhaGraph (scale : K) : Graph K (ΓBiasedMha seqLen dModel numHeads headDim) ⟦seqLen, dModel⟧ :=
  graph! x Wq bq Wk bk Wv bv Wo bo mask =>
  let q := affineGraph ⟪x, Wq, bq⟫
  let k := affineGraph ⟪x, Wk, bk⟫
  let v := affineGraph ⟪x, Wv, bv⟫
  let qHeads := splitHeadsGraph numHeads headDim ⟪q⟫
  let kHeads := splitHeadsGraph numHeads headDim ⟪k⟫
  let vHeads := splitHeadsGraph numHeads headDim ⟪v⟫
  let keyT := .transpose kHeads
  let scores := .matmul qHeads keyT
  let scaled := .scale scale scores
  let maskBroadcast := .view (.under seqLen (.under seqLen (.spread numHeads))) mask
  let masked := .add scaled maskBroadcast
  let softmax := softmaxGraph ⟪masked⟫
  let context := .matmul softmax vHeads
  let tokens := .view (.under headDim .swap) context
  let merged := .view .merge tokens
  let projected := affineGraph ⟪merged, Wo, bo⟫
  return projected

end graphs

section spec
variable {R : Type u} [RealField R]

/-- Scaled dot-product attention with an additive mask: `softmax (scale * q kᵀ + mask) v`. -/
noncomputable def Spec.maskedAttention {n m d e : Nat} (scale : R) (mask : Fin n → Fin m → R)
    (q : Fin n → Fin d → R) (k : Fin m → Fin d → R) (v : Fin m → Fin e → R) : Fin n → Fin e → R :=
  Spec.matmul (fun i => Spec.softmax fun j => scale * (finSum d fun l => q i l * k j l) + mask i j) v

/-- Multi-head self-attention with `h` heads of width `d`, with biases and an additive mask. -/
noncomputable def Spec.biasedMha {n m h d : Nat} (scale : R) (Wq : Fin m → Fin (h * d) → R) (bq : Fin (h * d) → R)
    (Wk : Fin m → Fin (h * d) → R) (bk : Fin (h * d) → R) (Wv : Fin m → Fin (h * d) → R) (bv : Fin (h * d) → R)
    (Wo : Fin (h * d) → Fin m → R) (bo : Fin m → R) (mask : Fin n → Fin n → R) (x : Fin n → Fin m → R) :
    Fin n → Fin m → R :=
  Spec.affine Wo bo (Spec.concat fun t => Spec.maskedAttention scale mask (Spec.head (Spec.affine Wq bq x) t)
    (Spec.head (Spec.affine Wk bk x) t) (Spec.head (Spec.affine Wv bv x) t))

/-- An affine map without bias is a product with a matrix. -/
theorem Spec.affine_zero {n d f : Nat} (W : Fin d → Fin f → R) (x : Fin n → Fin d → R) :
    Spec.affine W (fun _ => 0) x = Spec.matmul x W := by
  funext i j
  show Spec.matmul x W i j + 0 = _
  grind

/-- With zero biases and a zero mask, the formula is that of multi-head attention. -/
theorem Spec.biasedMha_zero {n m h d : Nat} (scale : R) (Wq Wk Wv : Fin m → Fin (h * d) → R)
    (Wo : Fin (h * d) → Fin m → R) (x : Fin n → Fin m → R) :
    Spec.biasedMha scale Wq (fun _ => 0) Wk (fun _ => 0) Wv (fun _ => 0) Wo (fun _ => 0) (fun _ _ => 0) x =
      Spec.mha scale Wq Wk Wv Wo x := by
  have e : ∀ z : R, z + 0 = z := fun z => by grind
  simp only [Spec.biasedMha, Spec.mha, Spec.affine_zero, Spec.maskedAttention, Spec.attention, e]

end spec

variable {R : Type u} [RealField R] {seqLen dModel numHeads headDim : Nat}

section
variable (scale : R) (ρ : Env R (ΓBiasedMha seqLen dModel numHeads headDim)) (δ : Tensor R ⟦seqLen, dModel⟧)

/-- The graph of multi-head attention with biases and mask computes its formula, at every input. -/
@[obligation]
theorem biasedMha_eval : (biasedMhaGraph scale).eval ρ = Tensor.ofMat (Spec.biasedMha scale
    (ρ.get idxBiasedMhaWq).mat (ρ.get idxBiasedMhaBq).vec (ρ.get idxBiasedMhaWk).mat (ρ.get idxBiasedMhaBk).vec
    (ρ.get idxBiasedMhaWv).mat (ρ.get idxBiasedMhaBv).vec (ρ.get idxBiasedMhaWo).mat (ρ.get idxBiasedMhaBo).vec
    (ρ.get idxBiasedMhaMask).mat (ρ.get idxBiasedMhaX).mat) := by
  graph_simp [biasedMhaGraph, softmax_eval, splitHeads_eval, affine_eval]
  rfl

/-- Attention with biases and mask has no side condition. -/
theorem biasedMhaGraph_sideConditions : (biasedMhaGraph scale).SideConditions ρ := by
  graph_side_conditions [biasedMhaGraph, splitHeadsGraph_sideConditions, affineGraph_sideConditions]
  exact softmaxGraph_sideConditions _ fun c => c.2.pos

/-- Attention with biases and mask is Fréchet differentiable in all its ten inputs together, everywhere, and
forward mode computes its derivative. -/
@[obligation]
theorem biasedMha_hasFDerivAt :
    HasFDerivAt (fun ρ => (biasedMhaGraph scale).eval ρ) ((biasedMhaGraph scale).deriv ρ) ρ :=
  (biasedMhaGraph_sideConditions scale ρ).correct.hasFDerivAt

/-- Backpropagation through attention with biases and mask is the adjoint of its Fréchet derivative, applied to the
seed `δ`, everywhere. -/
@[obligation]
theorem biasedMha_backpropVec_eq_adjoint_fderiv :
    (biasedMhaGraph scale).backprop ρ δ = (fderiv (fun ρ => (biasedMhaGraph scale).eval ρ) ρ).adjoint δ :=
  (biasedMhaGraph scale).backprop_eq_adjoint_fderiv ρ (biasedMhaGraph_sideConditions scale ρ).correct δ

end

/-- With zero biases and a zero mask, the graph has the value of multi-head attention. -/
theorem biasedMha_eval_zero (scale : R) (x : Tensor R ⟦seqLen, dModel⟧)
    (Wq Wk Wv : Tensor R ⟦dModel, numHeads * headDim⟧) (Wo : Tensor R ⟦numHeads * headDim, dModel⟧) :
    (biasedMhaGraph scale).eval
        env![x, Wq, fun _ => 0, Wk, fun _ => 0, Wv, fun _ => 0, Wo, fun _ => 0, fun _ => 0] =
      (mhaGraph scale).eval env![x, Wq, Wk, Wv, Wo] := by
  rw [biasedMha_eval, mha_eval]
  exact congrArg Tensor.ofMat (Spec.biasedMha_zero scale Wq.mat Wk.mat Wv.mat Wo.mat x.mat)

end PostNorm
