import PostNorm.Graph.Op
import PostNorm.Graph.OpLemma

/-! # Multiplication, entry by entry

## Main definitions

* `Primitive.mul`, `Op.mul`. -/

namespace PostNorm
universe u w
variable {s : Shape}

/-- Entry by entry product. -/
def Primitive.mul : Primitive.{u} 0 [s, s] s where
  name := "mul"
  eval _ a := fun c => a.get .here c * a.get (.there .here) c
  jvp _ a da := fun c => da.get .here c * a.get (.there .here) c + a.get .here c * da.get (.there .here) c
  vjp _ a d := env![fun c => d c * a.get (.there .here) c, fun c => d c * a.get .here c]
  adjoint _ a da d := by
    rw [Env.dot_two]
    exact Tensor.dot_congr_add fun c => by
      show (da.get .here c * a.get (.there .here) c + a.get .here c * da.get (.there .here) c) * d c =
        _ * (d c * a.get (.there .here) c) + _ * (d c * a.get .here c)
      grind
  derivative _ _ _ _ := (HasScalarFDerivAt.proj _).mul (HasScalarFDerivAt.proj _)

/-- Entry by entry product. -/
def Op.mul {K : Type u} {Γ : Context} (i j : Idx Γ s) : Op.{u, w} K Γ s :=
  ⟨Primitive.mul, nofun, .cons i (.cons j .nil)⟩

@[graph_op] theorem Op.eval_mul {α : Type u} [Scalar α] {Γ : Context} (ρ : Env α Γ) (i j : Idx Γ s) :
    (Op.mul i j).eval ρ = fun c => ρ.get i c * ρ.get j c := rfl

@[graph_op] theorem Op.sideCondition_mul {R : Type u} [RealField R] {Γ : Context} (ρ : Env R Γ) (i j : Idx Γ s) :
    (Op.mul i j).SideCondition ρ ↔ True := Iff.rfl

end PostNorm
