import PostNorm.Graph.Basic

/-! # Evaluation, forward mode and reverse mode

## Main definitions

* `Graph.eval g ρ`: the value of the graph `g` at the inputs `ρ`.
* `Graph.jvp g ρ dρ`: the tangent of the output, from the tangents `dρ` of the inputs.
* `Graph.backprop g ρ d`: the cotangents of all inputs, from the cotangent `d` of the output. -/

namespace PostNorm
universe u

variable {α : Type u} [Scalar α]

/-- The value of a graph. -/
def Graph.eval : {Γ : Context} → {s : Shape} → Graph.{u, u} α Γ s → Env α Γ → Tensor α s
  | _, _, .var i, ρ => ρ.get i
  | _, _, .op o, ρ => o.eval ρ
  | _, _, .letIn _ a b, ρ => b.eval (Env.cons (a.eval ρ) ρ)
  | _, _, .call _ f as, ρ => f.eval (as.pull ρ)

/-- Forward mode: push the tangents of the inputs to the output. -/
def Graph.jvp : {Γ : Context} → {s : Shape} → Graph.{u, u} α Γ s → Env α Γ → Env α Γ → Tensor α s
  | _, _, .var i, _, dρ => dρ.get i
  | _, _, .op o, ρ, dρ => o.jvp ρ dρ
  | _, _, .letIn _ a b, ρ, dρ => b.jvp (Env.cons (a.eval ρ) ρ) (Env.cons (a.jvp ρ dρ) dρ)
  | _, _, .call _ f as, ρ, dρ => f.jvp (as.pull ρ) (as.pull dρ)

/-- Reverse mode: pull the cotangent of the output back to all inputs. -/
def Graph.backprop : {Γ : Context} → {s : Shape} → Graph.{u, u} α Γ s → Env α Γ → Tensor α s → Env α Γ
  | _, _, .var i, _, d => Env.single i d
  | _, _, .op o, ρ, d => o.vjp ρ d
  | _, _, .letIn _ a b, ρ, d =>
      let e := b.backprop (Env.cons (a.eval ρ) ρ) d
      e.tail.add (a.backprop ρ e.head)
  | _, _, .call _ f as, ρ, d => as.push (f.backprop (as.pull ρ) d)

end PostNorm
