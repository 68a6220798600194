import PostNorm.Graph.Op
import PostNorm.Graph.OpLemma

/-! # The sum over the last axis

## Main definitions

* `Primitive.sum`, `Op.sum`. -/

namespace PostNorm
universe u w
variable {s : Shape} {n : Nat}

/-- Sum over the last axis. -/
def Primitive.sum : Primitive.{u} 0 [s ▹ n] s where
  name := "sum"
  params := [("axis", .nat s.rank)]
  eval _ a := fun c => finSum n fun b => a.get .here (c, b)
  jvp _ _ da := fun c => finSum n fun b => da.get .here (c, b)
  vjp _ _ d := env![fun (c, _) => d c]
  adjoint _ _ _ _ := by
    rw [Env.dot_one]
    simp only [Tensor.dot, coordSum, finSum_mul]
  derivative _ _ _ _ := HasScalarFDerivAt.listSum _ fun _ => HasScalarFDerivAt.proj _

/-- Sum over the last axis. -/
def Op.sum {K : Type u} {Γ : Context} (i : Idx Γ (s ▹ n)) : Op.{u, w} K Γ s :=
  ⟨Primitive.sum, nofun, .cons i .nil⟩

@[graph_op] theorem Op.eval_sum {α : Type u} [Scalar α] {Γ : Context} (ρ : Env α Γ) (i : Idx Γ (s ▹ n)) :
    (Op.sum i).eval ρ = fun c => finSum n fun b => ρ.get i (c, b) := rfl

@[graph_op] theorem Op.sideCondition_sum {R : Type u} [RealField R] {Γ : Context} (ρ : Env R Γ)
    (i : Idx Γ (s ▹ n)) : (Op.sum i).SideCondition ρ ↔ True := Iff.rfl

end PostNorm
