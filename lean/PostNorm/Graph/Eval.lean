import PostNorm.Graph.Basic

/-! # Evaluation

## Main definitions

* `Graph.eval g ρ`: the value of the graph `g` at the inputs `ρ`. -/

namespace PostNorm
universe u

variable {α : Type u} [Scalar α]

/-- The value of a graph. -/
def Graph.eval : {Γ : Context} → {s : Shape} → Graph.{u, u} α Γ s → Env α Γ → Tensor α s
  | _, _, .var i, ρ => ρ.get i
  | _, _, .op o, ρ => o.eval ρ
  | _, _, .letIn _ a b, ρ => b.eval (Env.cons (a.eval ρ) ρ)
  | _, _, .call _ f as, ρ => f.eval (as.pull ρ)

end PostNorm
