import PostNorm.Graph.Stack

/-! # A layer: a graph, its formula, and where it is smooth

These three, and the two facts that connect them, give the derivative of the
*formula*, backpropagation as its adjoint, uniqueness, and both in the first input
alone.  Layers are closed under composition, change of inputs, residual sums and
stacking: a new block is a graph and a formula, or is composed from existing
layers.

## Main definitions

* `Layer R Γ s`: graph, formula, side conditions.
* `Layer.comp`, `Layer.on`, `Layer.residual`, `Layer.stack`: layers from layers.

## Main statements

* `Layer.hasFDerivAt`, `Layer.backprop_eq_adjoint_fderiv`, `Layer.backprop_unique`.
* `Layer.hasFDerivAt_head`, `Layer.adjoint_head`: in the first input alone.
* `Layer.gradient`: for a scalar, backprop from `1` returns the gradient.
* `Layer.smooth_stack`: a layer that is smooth everywhere gives such stacks. -/

namespace PostNorm
universe u

/-- A graph together with the formula that it computes and its side conditions. -/
structure Layer (R : Type u) [RealField R] (Γ : Context) (s : Shape) where
  /-- The graph that runs. -/
  graph : Graph R Γ s
  /-- The formula that it computes. -/
  formula : Env R Γ → Tensor R s
  /-- Where it is differentiable. -/
  Smooth : Env R Γ → Prop
  /-- The graph computes the formula. -/
  eval_eq : ∀ ρ, graph.eval ρ = formula ρ
  /-- The operations' side conditions are exactly these. -/
  sideConditions_iff : ∀ ρ, graph.SideConditions ρ ↔ Smooth ρ

namespace Layer
variable {R : Type u} [RealField R] {Γ Δ : Context} {s t : Shape}

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

/-- The adjoint of the derivative in the first input is the first component of backprop. -/
theorem adjoint_head (l : Layer R (s :: Γ) t) (x : Tensor R s) (σ : Env R Γ) (v : Tensor R s) (δ : Tensor R t) :
    Tensor.dot (l.graph.derivHead x σ v) δ = Tensor.dot v (l.graph.backprop (Env.cons x σ) δ).head :=
  l.graph.adjoint_head x σ v δ

/-- **The gradient of a scalar**, such as a loss, is what backprop returns from `1`: any derivative of the formula is
the inner product with it. -/
theorem gradient (l : Layer R Γ ⟦⟧) {ρ : Env R Γ} (hSmooth : l.Smooth ρ)
    {L : BoundedLinearMap R Γ.Coord (Shape.Coord ⟦⟧)} (hL : HasFDerivAt (fun ρ : Γ.Coord → R => l.formula ρ) L ρ)
    (v : Env R Γ) :
    L v () = Env.dot v (l.graph.backprop ρ fun _ => 1) := by
  rw [← (l.hasFDerivAt hSmooth).unique hL, Graph.deriv_eq_jvp, ← l.graph.adjoint]
  show _ = l.graph.jvp ρ v () * 1
  grind

/-! ## Layers from layers -/

/-- Two layers composed: the result of `f` is the first input of `g`; its others are those of `f`. -/
def comp (g : Layer R (t :: Γ) s) (f : Layer R Γ t) : Layer R Γ s where
  graph := g.graph.comp f.graph
  formula ρ := g.formula (Env.cons (f.formula ρ) ρ)
  Smooth ρ := f.Smooth ρ ∧ g.Smooth (Env.cons (f.formula ρ) ρ)
  eval_eq ρ := by rw [Graph.eval_comp, f.eval_eq, g.eval_eq]
  sideConditions_iff ρ := by
    show f.graph.SideConditions ρ ∧ g.graph.SideConditions (Env.cons (f.graph.eval ρ) ρ) ↔ _
    rw [f.eval_eq, f.sideConditions_iff, g.sideConditions_iff]

/-- The same layer on other values: `as` selects its inputs. -/
def on (l : Layer R Γ s) (as : Args Δ Γ) : Layer R Δ s where
  graph := l.graph.weaken as
  formula ρ := l.formula (as.pull ρ)
  Smooth ρ := l.Smooth (as.pull ρ)
  eval_eq ρ := l.eval_eq (as.pull ρ)
  sideConditions_iff ρ := l.sideConditions_iff (as.pull ρ)

/-- A branch with its residual sum: `l x + x`. -/
def residual (l : Layer R (s :: Γ) s) : Layer R (s :: Γ) s where
  graph := .letIn "branch" l.graph (.op (.add .here (.there .here)))
  formula ρ := fun c => l.formula ρ c + ρ.get .here c
  Smooth := l.Smooth
  eval_eq ρ := by
    show (fun c => l.graph.eval ρ c + ρ.get .here c) = _
    rw [l.eval_eq]
  sideConditions_iff ρ := (and_iff_left (a := l.graph.SideConditions ρ) trivial).trans (l.sideConditions_iff ρ)

/-- A formula applied `depth` times, each time with its own parameters. -/
def stackFormula (f : Env R (s :: Γ) → Tensor R s) :
    (depth : Nat) → Env R (s :: Context.copies Γ depth) → Tensor R s
  | 0, ρ => ρ.head
  | depth + 1, ρ => stackFormula f depth (Env.cons (f (Env.cons ρ.head ρ.tail.firstLayer)) ρ.tail.otherLayers)

/-- Where each layer of a stack is smooth, at the value of those before it. -/
def StackSmooth (l : Layer R (s :: Γ) s) : (depth : Nat) → Env R (s :: Context.copies Γ depth) → Prop
  | 0, _ => True
  | depth + 1, ρ => l.Smooth (Env.cons ρ.head ρ.tail.firstLayer) ∧ l.StackSmooth depth
      (Env.cons (l.formula (Env.cons ρ.head ρ.tail.firstLayer)) ρ.tail.otherLayers)

/-- A layer applied `depth` times, each time with its own parameters. -/
def stack (l : Layer R (s :: Γ) s) (depth : Nat) (first : Nat := 0) : Layer R (s :: Context.copies Γ depth) s where
  graph := l.graph.stack depth first
  formula := stackFormula l.formula depth
  Smooth := l.StackSmooth depth
  eval_eq ρ := by
    induction depth generalizing first with
    | zero => rfl
    | succ depth ih =>
      rw [← ρ.cons_head_tail, Graph.eval_stack_succ, l.eval_eq]
      exact ih (first + 1) _
  sideConditions_iff ρ := by
    induction depth generalizing first with
    | zero => exact Iff.rfl
    | succ depth ih =>
      rw [← ρ.cons_head_tail, Graph.stack_sideConditions_succ, l.eval_eq, l.sideConditions_iff]
      exact and_congr_right fun _ => ih (first + 1) _

/-- A layer that is smooth everywhere gives such stacks. -/
theorem smooth_stack {l : Layer R (s :: Γ) s} (hSmooth : ∀ ρ, l.Smooth ρ) (depth first : Nat)
    (ρ : Env R (s :: Context.copies Γ depth)) : (l.stack depth first).Smooth ρ := by
  induction depth generalizing first with
  | zero => trivial
  | succ depth ih => exact ⟨hSmooth _, ih (first + 1) _⟩

end Layer
end PostNorm
