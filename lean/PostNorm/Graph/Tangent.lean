import PostNorm.Graph.Eval

/-! # Forward mode

## Main definitions

* `Graph.jvp g ρ dρ`: the tangent of the output, from the tangents `dρ` of the inputs. -/

namespace PostNorm
universe u

variable {α : Type u} [Scalar α]

/-- Forward mode: push the tangents of the inputs to the output. -/
def Graph.jvp : {Γ : Context} → {s : Shape} → Graph.{u, u} α Γ s → Env α Γ → Env α Γ → Tensor α s
  | _, _, .var i, _, dρ => dρ.get i
  | _, _, .op o, ρ, dρ => o.jvp ρ dρ
  | _, _, .letIn _ a b, ρ, dρ => b.jvp (Env.cons (a.eval ρ) ρ) (Env.cons (a.jvp ρ dρ) dρ)
  | _, _, .call _ f as, ρ, dρ => f.jvp (as.pull ρ) (as.pull dρ)

end PostNorm
