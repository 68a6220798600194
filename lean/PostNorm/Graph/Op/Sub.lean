import PostNorm.Graph.Op
import PostNorm.Graph.OpLemma

/-! # Subtraction, entry by entry

## Main definitions

* `Primitive.sub`, `Op.sub`. -/

namespace PostNorm
universe u w
variable {s : Shape}

/-- Entry by entry difference. -/
def Primitive.sub : Primitive.{u} 0 [s, s] s where
  name := "sub"
  eval _ a := fun c => a.get .here c - a.get (.there .here) c
  jvp _ _ da := fun c => da.get .here c - da.get (.there .here) c
  vjp _ _ d := env![d, fun c => -d c]
  adjoint _ _ da d := by
    rw [Env.dot_two]
    exact Tensor.dot_congr_add fun c => by
      show (da.get .here c - da.get (.there .here) c) * d c = _ + _ * -d c
      grind
  derivative _ _ _ _ := (HasScalarFDerivAt.proj _).sub (HasScalarFDerivAt.proj _)

/-- Entry by entry difference. -/
def Op.sub {K : Type u} {Γ : Context} (i j : Idx Γ s) : Op.{u, w} K Γ s :=
  ⟨Primitive.sub, nofun, .cons i (.cons j .nil)⟩

@[graph_op] theorem Op.eval_sub {α : Type u} [Scalar α] {Γ : Context} (ρ : Env α Γ) (i j : Idx Γ s) :
    (Op.sub i j).eval ρ = fun c => ρ.get i c - ρ.get j c := rfl

@[graph_op] theorem Op.sideCondition_sub {R : Type u} [RealField R] {Γ : Context} (ρ : Env R Γ) (i j : Idx Γ s) :
    (Op.sub i j).SideCondition ρ ↔ True := Iff.rfl

end PostNorm
