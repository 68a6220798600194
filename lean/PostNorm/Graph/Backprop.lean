import PostNorm.Graph.Eval

/-! # Reverse mode

## Main definitions

* `Graph.backprop g ρ d`: the cotangents of all inputs, from the cotangent `d` of the output. -/

namespace PostNorm
universe u

variable {α : Type u} [Scalar α]

/-- Reverse mode: pull the cotangent of the output back to all inputs. -/
def Graph.backprop : {Γ : Context} → {s : Shape} → Graph.{u, u} α Γ s → Env α Γ → Tensor α s → Env α Γ
  | _, _, .var i, _, d => Env.single i d
  | _, _, .op o, ρ, d => o.vjp ρ d
  | _, _, .letIn _ a b, ρ, d =>
      let e := b.backprop (Env.cons (a.eval ρ) ρ) d
      e.tail.add (a.backprop ρ e.head)
  | _, _, .call _ f as, ρ, d => as.push (f.backprop (as.pull ρ) d)

end PostNorm
