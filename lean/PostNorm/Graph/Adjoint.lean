import PostNorm.Graph.Eval

/-! # Reverse mode is the adjoint of forward mode

Algebra only: no side conditions, no derivatives.

## Main statements

* `Graph.adjoint`: `⟨jvp v, d⟩ = ⟨v, backprop d⟩`. -/

namespace PostNorm
universe u

variable {R : Type u} [RealField R]

/-- **Reverse mode is the adjoint of forward mode**, for every graph and at every point. -/
theorem Graph.adjoint {Γ : Context} {s : Shape} (g : Graph R Γ s) (ρ dρ : Env R Γ) (d : Tensor R s) :
    Tensor.dot (g.jvp ρ dρ) d = dρ.dot (g.backprop ρ d) := by
  induction g with
  | var i => exact (Env.dot_single dρ i d).symm
  | op o => exact o.adjoint ρ dρ d
  | letIn n a b iha ihb =>
    simp only [Graph.jvp, Graph.backprop]
    rw [ihb, Env.dot_add, ← iha]
    show Tensor.dot (a.jvp ρ dρ) _ + dρ.dot _ = _
    clear iha ihb
    grind
  | call l f as ih =>
    simp only [Graph.jvp, Graph.backprop]
    rw [ih, Args.adjoint]

end PostNorm
