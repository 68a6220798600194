import PostNorm.Graph.OpLemma
import PostNorm.Graph.Pointwise

/-! # Addition of a constant

## Main definitions

* `Primitive.addConst`, `Op.addConst`. -/

namespace PostNorm
universe u w
open Lean.Grind
variable {s : Shape}

/-- Add a constant to every entry. -/
def Primitive.addConst : Primitive.{u} 1 [s] s :=
  .pointwise 1 "addConst"
    (eval := fun k x => x + k 0)
    (deriv := fun _ _ h => h)
    (linear := fun _ x h => by grind)
    (derivative := fun k x _ => by
      refine HasDerivAt.of_quadratic (C := 1) (δ := 1) (by grind) (by grind) fun r h h0 _ hb => ?_
      have := mul_nonneg h0 h0
      show Within _ (x + h + k 0 - (x + k 0) - 1 * h)
      grind)

/-- Add a constant to every entry. -/
def Op.addConst {K : Type u} {Γ : Context} (k : K) (i : Idx Γ s) : Op.{u, w} K Γ s :=
  ⟨Primitive.addConst, fun _ => k, .cons i .nil⟩

@[graph_op] theorem Op.eval_addConst {α : Type u} [Scalar α] {Γ : Context} (ρ : Env α Γ) (k : α) (i : Idx Γ s) :
    (Op.addConst k i).eval ρ = fun c => ρ.get i c + k := rfl

@[graph_op] theorem Op.sideCondition_addConst {R : Type u} [RealField R] {Γ : Context} (ρ : Env R Γ) (k : R)
    (i : Idx Γ s) : (Op.addConst k i).SideCondition ρ ↔ True := ⟨fun _ => trivial, fun _ _ => trivial⟩

end PostNorm
