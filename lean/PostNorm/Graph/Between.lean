import PostNorm.Graph.Sequence

/-! # A stack of blocks, with the layers before and after it

For example a language model: an embedding, any number of blocks, then a norm, a head and a loss.  The layers before
and after the blocks share their parameters.

## Main definitions

* `Graph.between first block last depth`, `Spec.between`, `Layer.between`. -/

namespace PostNorm
universe u
variable {Γ₀ Γ : Context} {s t : Shape}

/-- The layer before the blocks, `depth` blocks, and the layer after: `first` and `last` share the parameters `Γ₀`. -/
def Graph.between {K : Type u} (first : Graph K Γ₀ s) (block : Graph K (s :: Γ) s) (last : Graph K (s :: Γ₀) t)
    (depth : Nat) : Graph K (Γ₀ ++ Context.copies Γ depth) t :=
  .letIn "embedded" (.call "first" first (Args.left Γ₀)) <|
  .letIn "blocks" (.call "blocks" (block.stack depth) (.cons .here ((Args.right Γ₀).map .there))) <|
  .call "last" last (.cons .here ((Args.left Γ₀).map fun i => .there (.there i)))

/-- The layer before the blocks, `depth` blocks, and the layer after. -/
def Spec.between {α : Type u} (first : Env α Γ₀ → Tensor α s) (block : Env α (s :: Γ) → Tensor α s)
    (last : Env α (s :: Γ₀) → Tensor α t) (depth : Nat) (ρ : Env α (Γ₀ ++ Context.copies Γ depth)) : Tensor α t :=
  last (Env.cons (Layer.stackFormula block depth (Env.cons (first ρ.former) ρ.latter)) ρ.former)

/-- The layer before the blocks, `depth` blocks, and the layer after.  It is smooth where all of these are. -/
def Layer.between {R : Type u} [RealField R] (first : Layer R Γ₀ s) (block : Layer R (s :: Γ) s)
    (last : Layer R (s :: Γ₀) t) (depth : Nat) : Layer R (Γ₀ ++ Context.copies Γ depth) t where
  graph := first.graph.between block.graph last.graph depth
  formula := Spec.between first.formula block.formula last.formula depth
  Smooth ρ := first.Smooth ρ.former ∧ (block.stack depth).Smooth (Env.cons (first.formula ρ.former) ρ.latter) ∧
    last.Smooth (Env.cons (Layer.stackFormula block.formula depth (Env.cons (first.formula ρ.former) ρ.latter))
      ρ.former)
  eval_eq ρ := by
    show last.graph.eval (Args.pull _ (Env.cons ((block.stack depth).graph.eval
      (Args.pull _ (Env.cons (first.graph.eval ρ.former) ρ))) _)) = _
    rw [Args.pull_cons, Args.pull_cons, Args.pull_there, Args.pull_there_there, first.eval_eq,
      (block.stack depth).eval_eq, last.eval_eq]
    rfl
  sideConditions_iff ρ := by
    show first.graph.SideConditions ρ.former ∧ (block.stack depth).graph.SideConditions
        (Args.pull _ (Env.cons (first.graph.eval ρ.former) ρ)) ∧
      last.graph.SideConditions (Args.pull _ (Env.cons ((block.stack depth).graph.eval
        (Args.pull _ (Env.cons (first.graph.eval ρ.former) ρ))) _)) ↔ _
    rw [Args.pull_cons, Args.pull_cons, Args.pull_there, Args.pull_there_there, first.eval_eq,
      (block.stack depth).eval_eq, first.sideConditions_iff, (block.stack depth).sideConditions_iff,
      last.sideConditions_iff]
    exact Iff.rfl

end PostNorm
