import PostNorm.Graph.OpLemma
import PostNorm.Graph.Pointwise

/-! # The exponential function, entry by entry

## Main definitions

* `ScalarFunction.exp`, `Primitive.exp`, `Op.exp`. -/

namespace PostNorm
universe u w
open Lean.Grind
variable {s : Shape}

/-- The exponential function. -/
def ScalarFunction.exp : ScalarFunction := ⟨RealField.exp, Float.exp⟩

/-- The exponential of every entry. -/
def Primitive.exp : Primitive.{u} 0 [s] s :=
  .pointwise 0 "exp"
    (eval := fun _ x => ScalarFunction.exp x)
    (deriv := fun _ x h => ScalarFunction.exp x * h)
    (linear := fun _ x h => by grind)
    (derivative := fun _ x _ => (hasDerivAt_exp x).congr <| by
      show _ = RealField.exp x * 1
      grind)

/-- The exponential of every entry. -/
def Op.exp {K : Type u} {Γ : Context} (i : Idx Γ s) : Op.{u, w} K Γ s :=
  ⟨Primitive.exp, nofun, .cons i .nil⟩

@[graph_op] theorem Op.eval_exp {α : Type u} [Scalar α] {Γ : Context} (ρ : Env α Γ) (i : Idx Γ s) :
    (Op.exp i).eval ρ = fun c => ScalarFunction.exp (ρ.get i c) := rfl

@[graph_op] theorem Op.sideCondition_exp {R : Type u} [RealField R] {Γ : Context} (ρ : Env R Γ)
    (i : Idx Γ s) : (Op.exp i).SideCondition ρ ↔ True := ⟨fun _ => trivial, fun _ _ => trivial⟩

end PostNorm
