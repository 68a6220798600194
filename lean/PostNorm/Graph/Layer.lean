import PostNorm.Graph.Compose

/-! # A layer: a graph, its formula, and where it is smooth

Whoever has these three, and the two facts that tie them together, gets the derivative of the *formula*,
backpropagation as its adjoint, uniqueness, and both in the first input alone.

## Main definitions

* `Layer R Γ s`: graph, formula, side conditions.

## Main statements

* `Layer.hasFDerivAt`, `Layer.backprop_eq_adjoint_fderiv`, `Layer.backprop_unique`.
* `Layer.hasFDerivAt_head`: in the first input alone. -/

namespace PostNorm
universe u

/-- A graph together with the formula that it computes and its side conditions. -/
structure Layer (R : Type u) [RealField R] (Γ : Context) (s : Shape) where
  /-- What runs. -/
  graph : Graph R Γ s
  /-- What it computes. -/
  formula : Env R Γ → Tensor R s
  /-- Where it is differentiable. -/
  Smooth : Env R Γ → Prop
  /-- The graph computes the formula. -/
  eval_eq : ∀ ρ, graph.eval ρ = formula ρ
  /-- The operations ask for the side conditions, and for nothing else. -/
  sideConditions_iff : ∀ ρ, graph.SideConditions ρ ↔ Smooth ρ

namespace Layer
variable {R : Type u} [RealField R] {Γ : Context} {s t : Shape}

/-- Where the layer is smooth, every operation of its graph is correct. -/
theorem correct (l : Layer R Γ s) {ρ : Env R Γ} (hSmooth : l.Smooth ρ) : GraphFDerivCorrectAt l.graph ρ :=
  ((l.sideConditions_iff ρ).2 hSmooth).correct

/-- Forward mode is the Fréchet derivative of the formula, where the layer is smooth. -/
theorem hasFDerivAt (l : Layer R Γ s) {ρ : Env R Γ} (hSmooth : l.Smooth ρ) :
    HasFDerivAt (fun ρ : Γ.Coord → R => l.formula ρ) (l.graph.deriv ρ) ρ := by
  have h := (l.correct hSmooth).hasFDerivAt
  rwa [funext fun ρ => l.eval_eq ρ] at h

/-- Backprop is the adjoint of the Fréchet derivative of the formula, where the layer is smooth. -/
theorem backprop_eq_adjoint_fderiv (l : Layer R Γ s) {ρ : Env R Γ} (hSmooth : l.Smooth ρ) (δ : Tensor R s) :
    l.graph.backprop ρ δ = (fderiv (fun ρ : Env R Γ => l.formula ρ) ρ).adjoint δ := by
  rw [(l.hasFDerivAt hSmooth).fderiv, Graph.backprop_eq_adjoint_deriv]

/-- Backprop is the only adjoint of the only derivative of the formula, where the layer is smooth. -/
theorem backprop_unique (l : Layer R Γ s) {ρ : Env R Γ} (hSmooth : l.Smooth ρ)
    {L : BoundedLinearMap R Γ.Coord s.Coord} (hL : HasFDerivAt (fun ρ : Γ.Coord → R => l.formula ρ) L ρ)
    {A : Tensor R s → Env R Γ} (hA : ∀ v δ, Tensor.dot (L v) δ = Env.dot v (A δ)) (δ : Tensor R s) :
    A δ = l.graph.backprop ρ δ := by
  rw [L.adjoint_unique hA, l.backprop_eq_adjoint_fderiv hSmooth, hL.fderiv]

/-- With its other inputs held fixed, the layer is differentiable in the first one, where it is smooth. -/
theorem hasFDerivAt_head (l : Layer R (s :: Γ) t) {x : Tensor R s} {σ : Env R Γ}
    (hSmooth : l.Smooth (Env.cons x σ)) :
    HasFDerivAt (fun x : s.Coord → R => l.formula (Env.cons x σ)) (l.graph.derivHead x σ) x := by
  have h := l.graph.hasFDerivAt_head x σ (l.correct hSmooth)
  rwa [funext fun x : s.Coord → R => l.eval_eq (Env.cons x σ)] at h

end Layer
end PostNorm
