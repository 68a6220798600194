import PostNorm.Calculus.Log
import PostNorm.Graph.OpLemma
import PostNorm.Graph.Pointwise

/-! # The natural logarithm, entry by entry

## Main definitions

* `ScalarFunction.log`, `Primitive.log`, `Op.log`. -/

namespace PostNorm
universe u w
open Lean.Grind
variable {s : Shape}

/-- The natural logarithm. -/
def ScalarFunction.log : ScalarFunction := ⟨PostNorm.log, Float.log⟩

/-- The natural logarithm of every entry. -/
def Primitive.log : Primitive.{u} 0 [s] s :=
  .pointwise 0 "log"
    (eval := fun _ x => ScalarFunction.log x)
    (deriv := fun _ x h => x⁻¹ * h)
    (domain := fun _ x => 0 < x)
    (linear := fun _ x h => by grind)
    (derivative := fun _ x ok => (hasDerivAt_log ok).congr <| by
      show _ = x⁻¹ * 1
      grind)

/-- The natural logarithm of every entry. -/
def Op.log {K : Type u} {Γ : Context} (i : Idx Γ s) : Op.{u, w} K Γ s :=
  ⟨Primitive.log, nofun, .cons i .nil⟩

@[graph_op] theorem Op.eval_log {α : Type u} [Scalar α] {Γ : Context} (ρ : Env α Γ) (i : Idx Γ s) :
    (Op.log i).eval ρ = fun c => ScalarFunction.log (ρ.get i c) := rfl

@[graph_op] theorem Op.sideCondition_log {R : Type u} [RealField R] {Γ : Context} (ρ : Env R Γ)
    (i : Idx Γ s) : (Op.log i).SideCondition ρ ↔ ∀ c, 0 < ρ.get i c := Iff.rfl

end PostNorm
