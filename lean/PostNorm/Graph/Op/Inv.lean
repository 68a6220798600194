import PostNorm.Graph.OpLemma
import PostNorm.Graph.Pointwise

/-! # The inverse, entry by entry

## Main definitions

* `Primitive.inv`, `Op.inv`. -/

namespace PostNorm
universe u w
open Lean.Grind
variable {s : Shape}

/-- The inverse of every entry. -/
def Primitive.inv : Primitive.{u} 0 [s] s :=
  .pointwise 0 "inv"
    (eval := fun _ x => x⁻¹)
    (deriv := fun _ x h => -(x⁻¹ * x⁻¹) * h)
    (domain := fun _ x => x ≠ 0)
    (linear := fun _ x h => by grind)
    (derivative := fun _ x ok => (hasDerivAt_inv ok).congr <| by
      show _ = -(x⁻¹ * x⁻¹) * 1
      grind)

/-- The inverse of every entry. -/
def Op.inv {K : Type u} {Γ : Context} (i : Idx Γ s) : Op.{u, w} K Γ s :=
  ⟨Primitive.inv, nofun, .cons i .nil⟩

@[graph_op] theorem Op.eval_inv {α : Type u} [Scalar α] {Γ : Context} (ρ : Env α Γ) (i : Idx Γ s) :
    (Op.inv i).eval ρ = fun c => (ρ.get i c)⁻¹ := rfl

@[graph_op] theorem Op.sideCondition_inv {R : Type u} [RealField R] {Γ : Context} (ρ : Env R Γ)
    (i : Idx Γ s) : (Op.inv i).SideCondition ρ ↔ ∀ c, ρ.get i c ≠ 0 := Iff.rfl

end PostNorm
