import PostNorm.Graph.OpLemma
import PostNorm.Graph.Pointwise

/-! # Multiplication by a constant

## Main definitions

* `Primitive.scale`, `Op.scale`. -/

namespace PostNorm
universe u w
open Lean.Grind
variable {s : Shape}

/-- Multiply every entry by a constant. -/
def Primitive.scale : Primitive.{u} 1 [s] s :=
  .pointwise 1 "scale"
    (eval := fun k x => k 0 * x)
    (deriv := fun k _ h => k 0 * h)
    (linear := fun k x h => by grind)
    (derivative := fun k x _ => (hasDerivAt_const_mul (k 0) x).congr <| by
      show _ = k 0 * 1
      grind)

/-- Multiply every entry by a constant. -/
def Op.scale {K : Type u} {Γ : Context} (k : K) (i : Idx Γ s) : Op.{u, w} K Γ s :=
  ⟨Primitive.scale, fun _ => k, .cons i .nil⟩

@[graph_op] theorem Op.eval_scale {α : Type u} [Scalar α] {Γ : Context} (ρ : Env α Γ) (k : α) (i : Idx Γ s) :
    (Op.scale k i).eval ρ = fun c => k * ρ.get i c := rfl

@[graph_op] theorem Op.sideCondition_scale {R : Type u} [RealField R] {Γ : Context} (ρ : Env R Γ) (k : R)
    (i : Idx Γ s) : (Op.scale k i).SideCondition ρ ↔ True := ⟨fun _ => trivial, fun _ _ => trivial⟩

end PostNorm
