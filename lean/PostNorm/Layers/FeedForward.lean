import PostNorm.Layers.Attention
import PostNorm.Layers.Gelu

/-! # The position-wise feed-forward layer

`FFN x = gelu (x W₁ + b₁) W₂ + b₂`, row by row.  The weights are inputs, so that their gradients are covered; a
layer with fixed affine maps is this one with its weights held fixed (`ffn_hasFDerivAt_tokens`).

## Main definitions

* `ΓFfn`: the inputs `x`, `W1`, `b1`, `W2`, `b2`.
* `affineGraph`, `ffnGraph`; `Spec.affine`, `Spec.ffn`.

## Main statements

* `ffn_eval`: the graph computes the formula.
* `ffn_hasFDerivAt`, `ffn_backpropVec_eq_adjoint_fderiv`: differentiable everywhere, and backprop is the adjoint of
  the derivative.
* `ffn_hasFDerivAt_tokens`, `ffn_adjoint_tokens`: the same for fixed weights.

## Sources

* Vaswani et al., *Attention is all you need*, arXiv:1706.03762, section 3.3, with GELU instead of ReLU. -/

namespace PostNorm
universe u

section graphs
variable {K : Type u} {seqLen dIn dOut dModel dFF : Nat}

/-- The inputs of the feed-forward layer: `x`, `W1`, `b1`, `W2`, `b2`. -/
abbrev ΓFfn (seqLen dModel dFF : Nat) : Context :=
  [⟦seqLen, dModel⟧, ⟦dModel, dFF⟧, ⟦dFF⟧, ⟦dFF, dModel⟧, ⟦dModel⟧]

/-- An affine map of every row: `x W + b`. -/
def affineGraph : Graph K [⟦seqLen, dIn⟧, ⟦dIn, dOut⟧, ⟦dOut⟧] ⟦seqLen, dOut⟧ := graph! x W b =>
  let matmul := .matmul x W
  let bias := .broadcastRows seqLen b
  return .add matmul bias

/-- The feed-forward layer. -/
def ffnGraph (c : GeluConstants K) : Graph K (ΓFfn seqLen dModel dFF) ⟦seqLen, dModel⟧ :=
  graph! x W1 b1 W2 b2 =>
  let hiddenPre := affineGraph ⟪x, W1, b1⟫
  let hiddenAct := geluGraph c ⟪hiddenPre⟫
  let projected := affineGraph ⟪hiddenAct, W2, b2⟫
  return projected

end graphs

variable {R : Type u} [RealField R] {seqLen dIn dOut dModel dFF : Nat}

/-- An affine map of every row. -/
noncomputable def Spec.affine {n d f : Nat} (W : Fin d → Fin f → R) (b : Fin f → R) (x : Fin n → Fin d → R) :
    Fin n → Fin f → R := fun i j => Spec.matmul x W i j + b j

/-- The feed-forward layer. -/
noncomputable def Spec.ffn {n d f : Nat} (c : GeluConstants R) (W1 : Fin d → Fin f → R) (b1 : Fin f → R)
    (W2 : Fin f → Fin d → R) (b2 : Fin d → R) (x : Fin n → Fin d → R) : Fin n → Fin d → R :=
  Spec.affine W2 b2 fun i j => Spec.gelu c (Spec.affine W1 b1 x i j)

section
variable (ρ : Env R [⟦seqLen, dIn⟧, ⟦dIn, dOut⟧, ⟦dOut⟧])

theorem affine_eval : affineGraph.eval ρ = Tensor.ofMat (Spec.affine (ρ.get (.there .here)).mat
    (ρ.get (.there (.there .here))).vec (ρ.get .here).mat) := rfl

theorem affineGraph_sideConditions : affineGraph.SideConditions ρ := by graph_side_conditions [affineGraph]

end

variable (c : GeluConstants R)

section
variable (ρ : Env R (ΓFfn seqLen dModel dFF)) (δ : Tensor R ⟦seqLen, dModel⟧)

/-- The feed-forward graph computes the feed-forward formula, at every input. -/
@[obligation]
theorem ffn_eval : (ffnGraph c).eval ρ = Tensor.ofMat (Spec.ffn c (ρ.get (.there .here)).mat
    (ρ.get (.there (.there .here))).vec (ρ.get (.there (.there (.there .here)))).mat
    (ρ.get (.there (.there (.there (.there .here))))).vec (ρ.get .here).mat) := by
  graph_simp [ffnGraph, affine_eval, gelu_eval]
  rfl

/-- The feed-forward layer has no side condition. -/
theorem ffnGraph_sideConditions : (ffnGraph c).SideConditions ρ := by
  graph_side_conditions [ffnGraph, affineGraph_sideConditions, geluGraph_sideConditions]

/-- The feed-forward layer is Fréchet differentiable in `x`, its weights and its biases together, everywhere, and
forward mode computes its derivative. -/
@[obligation]
theorem ffn_hasFDerivAt : HasFDerivAt (fun ρ => (ffnGraph c).eval ρ) ((ffnGraph c).deriv ρ) ρ :=
  (ffnGraph_sideConditions c ρ).correct.hasFDerivAt

/-- Backpropagation through the feed-forward layer is the adjoint of its Fréchet derivative, applied to the seed
`δ`, everywhere. -/
@[obligation]
theorem ffn_backpropVec_eq_adjoint_fderiv :
    (ffnGraph c).backprop ρ δ = (fderiv (fun ρ => (ffnGraph c).eval ρ) ρ).adjoint δ :=
  (ffnGraph c).backprop_eq_adjoint_fderiv ρ (ffnGraph_sideConditions c ρ).correct δ

end

/-! ## Fixed weights -/

/-- With fixed weights, the feed-forward layer is Fréchet differentiable in the tokens alone, everywhere. -/
@[obligation]
theorem ffn_hasFDerivAt_tokens (x : Tensor R ⟦seqLen, dModel⟧) (weights : Env R (ΓFfn seqLen dModel dFF).tail) :
    HasFDerivAt (fun x : Tensor R ⟦seqLen, dModel⟧ => (ffnGraph c).eval (Env.cons x weights))
      ((ffnGraph c).derivHead x weights) x :=
  (ffnGraph c).hasFDerivAt_head x weights (ffnGraph_sideConditions c _).correct

/-- With fixed weights, the first component of backprop is the adjoint of the feed-forward layer's derivative in
the tokens alone, everywhere. -/
@[obligation]
theorem ffn_adjoint_tokens (x v : Tensor R ⟦seqLen, dModel⟧) (weights : Env R (ΓFfn seqLen dModel dFF).tail)
    (δ : Tensor R ⟦seqLen, dModel⟧) : Tensor.dot ((ffnGraph c).derivHead x weights v) δ =
      Tensor.dot v ((ffnGraph c).backprop (Env.cons x weights) δ).head :=
  (ffnGraph c).adjoint_head x weights v δ

end PostNorm
