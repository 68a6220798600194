import PostNorm.Graph.Sequence
import PostNorm.Layers.RmsNormOffset

/-! # A pre-norm sublayer: `f (N x) + x`

Any branch `f`, on rows that a norm with one parameter for each column has normalized, with the residual sum.

## Main definitions

* `preNormGraph norm name branch`, `Spec.preNorm N f`, `Layer.preNorm N name f`: the norm's scale comes before the
  parameters of the branch, whose values are named after `name`.
* `RowScaling.branchInput`: the branch's input.

## Sources

* Xiong et al., *On layer normalization in the Transformer architecture*, arXiv:2002.04745. -/

namespace PostNorm
universe u
variable {n d : Nat} {Φ : Context}

/-- A branch on normalized rows, with its residual sum. -/
def preNormGraph {K : Type u} (norm : Graph K (ΓRmsNorm n d) ⟦n, d⟧) (name : String)
    (branch : Graph K (⟦n, d⟧ :: Φ) ⟦n, d⟧) : Graph K (⟦n, d⟧ :: ⟦d⟧ :: Φ) ⟦n, d⟧ :=
  .letIn "norm" (.call "norm" norm (.cons .here (.cons (.there .here) .nil))) <|
  .letIn name (.call "branch" branch (.cons .here ((Args.id Φ).map fun i => .there (.there (.there i))))) <|
  .letIn "residual" (.op (.add .here (.there (.there .here)))) (.var .here)

variable {R : Type u} [RealField R]

/-- The input of a pre-norm sublayer's branch: the normalized rows, and its parameters. -/
noncomputable def RowScaling.branchInput (N : RowScaling R) (ρ : Env R (⟦n, d⟧ :: ⟦d⟧ :: Φ)) : Env R (⟦n, d⟧ :: Φ) :=
  Env.cons (Tensor.ofMat (N.formula ρ.tail.head.vec ρ.head.mat)) ρ.tail.tail

/-- A pre-norm sublayer: `f (N x) + x`. -/
noncomputable def Spec.preNorm (N : RowScaling R) (f : Env R (⟦n, d⟧ :: Φ) → Tensor R ⟦n, d⟧)
    (ρ : Env R (⟦n, d⟧ :: ⟦d⟧ :: Φ)) : Tensor R ⟦n, d⟧ := fun c => f (N.branchInput ρ) c + ρ.head c

omit [RealField R] in
private theorem pull_branch (y : Tensor R ⟦n, d⟧) (ρ : Env R (⟦n, d⟧ :: ⟦d⟧ :: Φ)) :
    (Args.cons .here ((Args.id Φ).map fun i => .there (.there (.there i)))).pull (Env.cons y ρ) =
      Env.cons y ρ.tail.tail := by
  rw [Args.pull_cons, Args.pull_map (fun i => .there (.there (.there i))) _ ρ.tail.tail _ fun _ => rfl, Args.pull_id]
  rfl

/-- A pre-norm sublayer.  It is smooth where its norm is, and its branch at the normalized rows. -/
noncomputable def Layer.preNorm (N : RowScaling R) (name : String) (f : Layer R (⟦n, d⟧ :: Φ) ⟦n, d⟧) :
    Layer R (⟦n, d⟧ :: ⟦d⟧ :: Φ) ⟦n, d⟧ where
  graph := preNormGraph N.graph name f.graph
  formula := Spec.preNorm N f.formula
  Smooth ρ := (∀ i, N.Smooth (ρ.head.mat i)) ∧
    f.Smooth (N.branchInput ρ)
  eval_eq ρ := by
    show (fun c => f.graph.eval (Args.pull _ (Env.cons (N.graph.eval (Args.pull _ ρ)) ρ)) c + ρ.get .here c) = _
    rw [pull_branch, f.eval_eq, N.eval_eq]
    rfl
  sideConditions_iff ρ := by
    show N.graph.SideConditions (Args.pull _ ρ) ∧
      f.graph.SideConditions (Args.pull _ (Env.cons (N.graph.eval (Args.pull _ ρ)) ρ)) ∧ True ∧ True ↔ _
    rw [pull_branch, f.sideConditions_iff, N.eval_eq, N.sideConditions_iff, and_true, and_true]
    exact Iff.rfl

end PostNorm
