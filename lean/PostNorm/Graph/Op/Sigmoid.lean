import PostNorm.Calculus.Sigmoid
import PostNorm.Graph.OpLemma
import PostNorm.Graph.Pointwise

/-! # The logistic function, entry by entry

## Main definitions

* `ScalarFunction.sigmoid`, `Primitive.sigmoid`, `Op.sigmoid`. -/

namespace PostNorm
universe u w
open Lean.Grind
variable {s : Shape}

/-- The logistic function. -/
def ScalarFunction.sigmoid : ScalarFunction := ⟨PostNorm.sigmoid, fun x => 1 / (1 + Float.exp (-x))⟩

/-- The logistic function of every entry. -/
def Primitive.sigmoid : Primitive.{u} 0 [s] s :=
  .pointwise 0 "sigmoid"
    (eval := fun _ x => ScalarFunction.sigmoid x)
    (deriv := fun _ x h => ScalarFunction.sigmoid x * h - ScalarFunction.sigmoid x * ScalarFunction.sigmoid x * h)
    (linear := fun _ x h => by grind)
    (derivative := fun _ x _ => (hasDerivAt_sigmoid x).congr <| by
      show _ = PostNorm.sigmoid x * 1 - PostNorm.sigmoid x * PostNorm.sigmoid x * 1
      grind)

/-- The logistic function of every entry. -/
def Op.sigmoid {K : Type u} {Γ : Context} (i : Idx Γ s) : Op.{u, w} K Γ s :=
  ⟨Primitive.sigmoid, nofun, .cons i .nil⟩

@[graph_op] theorem Op.eval_sigmoid {α : Type u} [Scalar α] {Γ : Context} (ρ : Env α Γ) (i : Idx Γ s) :
    (Op.sigmoid i).eval ρ = fun c => ScalarFunction.sigmoid (ρ.get i c) := rfl

@[graph_op] theorem Op.sideCondition_sigmoid {R : Type u} [RealField R] {Γ : Context} (ρ : Env R Γ)
    (i : Idx Γ s) : (Op.sigmoid i).SideCondition ρ ↔ True := ⟨fun _ => trivial, fun _ _ => trivial⟩

end PostNorm
