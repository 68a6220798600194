import PostNorm.Graph.Op
import PostNorm.Graph.OpLemma

/-! # Addition, entry by entry

## Main definitions

* `Primitive.add`, `Op.add`. -/

namespace PostNorm
universe u w
variable {s : Shape}

/-- Entry by entry sum. -/
def Primitive.add : Primitive.{u} 0 [s, s] s where
  name := "add"
  eval _ a := fun c => a.get .here c + a.get (.there .here) c
  jvp _ _ da := fun c => da.get .here c + da.get (.there .here) c
  vjp _ _ d := env![d, d]
  adjoint _ _ da d := by
    rw [Env.dot_two]
    exact Tensor.dot_congr_add fun c => by
      show (da.get .here c + da.get (.there .here) c) * d c = _
      grind
  derivative _ _ _ _ := (HasScalarFDerivAt.proj _).add (HasScalarFDerivAt.proj _)

/-- Entry by entry sum. -/
def Op.add {K : Type u} {Γ : Context} (i j : Idx Γ s) : Op.{u, w} K Γ s :=
  ⟨Primitive.add, nofun, .cons i (.cons j .nil)⟩

@[graph_op] theorem Op.eval_add {α : Type u} [Scalar α] {Γ : Context} (ρ : Env α Γ) (i j : Idx Γ s) :
    (Op.add i j).eval ρ = fun c => ρ.get i c + ρ.get j c := rfl

@[graph_op] theorem Op.sideCondition_add {R : Type u} [RealField R] {Γ : Context} (ρ : Env R Γ) (i j : Idx Γ s) :
    (Op.add i j).SideCondition ρ ↔ True := Iff.rfl

end PostNorm
