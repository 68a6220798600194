import PostNorm.Graph.AdjointMap

/-! # Composition: facts about the parts give facts about the whole

## Main definitions

* `Graph.weaken`: the same graph in a larger context.
* `Graph.comp`: one graph after another.
* `Graph.derivHead`: the derivative in the first input alone.

## Main statements

* `GraphFDerivCorrectAt.weaken`, `GraphFDerivCorrectAt.comp`: correctness of the parts implies that of the whole.
* `Graph.hasFDerivAt_head`, `Graph.adjoint_head`: the gradient in the first input alone is the first component of
  backprop. -/

namespace PostNorm
universe u v

section
variable {K : Type u} {Γ Δ : Context} {s t : Shape}

/-- The same graph in another context, which has values for all of its inputs and may have more. -/
def Graph.weaken (g : Graph K Γ s) (as : Args Δ Γ) : Graph K Δ s := .call "weaken" g as

/-- The graph `g` after `f`: the result of `f` is the first input of `g`; its others are those of `f`. -/
def Graph.comp (g : Graph K (t :: Γ) s) (f : Graph K Γ t) : Graph K Γ s := .letIn "comp" f g

end

section
variable {α : Type u} [Scalar α] {Γ Δ : Context} {s t : Shape}

theorem Graph.eval_comp (g : Graph α (t :: Γ) s) (f : Graph α Γ t) (ρ : Env α Γ) :
    (g.comp f).eval ρ = g.eval (Env.cons (f.eval ρ) ρ) := rfl

end

section
variable {R : Type u} [RealField R] {Γ Δ : Context} {s t : Shape}

theorem GraphFDerivCorrectAt.weaken {g : Graph R Γ s} {as : Args Δ Γ} {ρ : Env R Δ}
    (h : GraphFDerivCorrectAt g (as.pull ρ)) : GraphFDerivCorrectAt (g.weaken as) ρ := h

theorem GraphFDerivCorrectAt.comp {g : Graph R (t :: Γ) s} {f : Graph R Γ t} {ρ : Env R Γ}
    (hf : GraphFDerivCorrectAt f ρ) (hg : GraphFDerivCorrectAt g (Env.cons (f.eval ρ) ρ)) :
    GraphFDerivCorrectAt (g.comp f) ρ := ⟨hf, hg⟩

/-! ## The first input alone -/

/-- The derivative of a graph in its first input, with the others held fixed. -/
noncomputable def Graph.derivHead (g : Graph R (s :: Γ) t) (x : Tensor R s) (σ : Env R Γ) :
    BoundedLinearMap R s.Coord t.Coord :=
  (g.deriv (Env.cons x σ)).comp (BoundedLinearMap.cons (BoundedLinearMap.reindex id) BoundedLinearMap.zero)

/-- A correct graph is differentiable in its first input alone. -/
theorem Graph.hasFDerivAt_head (g : Graph R (s :: Γ) t) (x : Tensor R s) (σ : Env R Γ)
    (h : GraphFDerivCorrectAt g (Env.cons x σ)) :
    HasFDerivAt (fun x : s.Coord → R => g.eval (Env.cons x σ)) (g.derivHead x σ) x :=
  HasFDerivAt.comp ((HasFDerivAt.linear (BoundedLinearMap.reindex id) x).cons (HasFDerivAt.const σ x))
    h.hasFDerivAt

/-- The adjoint of the derivative in the first input is the first component of backprop. -/
theorem Graph.adjoint_head (g : Graph R (s :: Γ) t) (x : Tensor R s) (σ : Env R Γ)
    (v : Tensor R s) (δ : Tensor R t) :
    Tensor.dot (g.derivHead x σ v) δ = Tensor.dot v (g.backprop (Env.cons x σ) δ).head := by
  show Tensor.dot (g.deriv _ (Env.cons v fun _ => 0)) δ = _
  rw [g.deriv_eq_jvp, g.adjoint]
  show Tensor.dot v _ + Env.dot (fun _ => 0) _ = _
  rw [Env.dot_comm, Env.dot_zero]
  grind

end
end PostNorm
