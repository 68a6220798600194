import PostNorm.Graph.OpLemma
import PostNorm.Graph.Pointwise

/-! # The hyperbolic tangent, entry by entry

## Main definitions

* `ScalarFunction.tanh`, `Primitive.tanh`, `Op.tanh`. -/

namespace PostNorm
universe u w
open Lean.Grind
variable {s : Shape}

/-- The hyperbolic tangent. -/
def ScalarFunction.tanh : ScalarFunction := ⟨PostNorm.tanh, Float.tanh⟩

/-- The hyperbolic tangent of every entry. -/
def Primitive.tanh : Primitive.{u} 0 [s] s :=
  .pointwise 0 "tanh"
    (eval := fun _ x => ScalarFunction.tanh x)
    (deriv := fun _ x h => h - ScalarFunction.tanh x * ScalarFunction.tanh x * h)
    (linear := fun _ x h => by grind)
    (derivative := fun _ x _ => (hasDerivAt_tanh x).congr <| by
      show _ = 1 - PostNorm.tanh x * PostNorm.tanh x * 1
      grind)

/-- The hyperbolic tangent of every entry. -/
def Op.tanh {K : Type u} {Γ : Context} (i : Idx Γ s) : Op.{u, w} K Γ s :=
  ⟨Primitive.tanh, nofun, .cons i .nil⟩

@[graph_op] theorem Op.eval_tanh {α : Type u} [Scalar α] {Γ : Context} (ρ : Env α Γ) (i : Idx Γ s) :
    (Op.tanh i).eval ρ = fun c => ScalarFunction.tanh (ρ.get i c) := rfl

@[graph_op] theorem Op.sideCondition_tanh {R : Type u} [RealField R] {Γ : Context} (ρ : Env R Γ)
    (i : Idx Γ s) : (Op.tanh i).SideCondition ρ ↔ True := ⟨fun _ => trivial, fun _ _ => trivial⟩

end PostNorm
