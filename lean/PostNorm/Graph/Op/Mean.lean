import PostNorm.Graph.Op
import PostNorm.Graph.OpLemma

/-! # The mean over the last axis

## Main definitions

* `Primitive.mean`, `Op.mean`. -/

namespace PostNorm
universe u w
variable {s : Shape} {n : Nat}

/-- Mean over the last axis. -/
def Primitive.mean : Primitive.{u} 0 [s ▹ n] s where
  name := "mean"
  params := [("axis", .nat s.rank)]
  eval _ a := fun c => (Scalar.ofNat n)⁻¹ * finSum n fun b => a.get .here (c, b)
  jvp _ _ da := fun c => (Scalar.ofNat n)⁻¹ * finSum n fun b => da.get .here (c, b)
  vjp _ _ d := env![fun (c, _) => (Scalar.ofNat n)⁻¹ * d c]
  adjoint _ _ _ _ := by
    rw [Env.dot_one]
    simp only [Tensor.dot, coordSum]
    congr 1; funext c
    rw [mul_finSum, finSum_mul]; congr 1; funext b; grind
  derivative _ _ _ _ := (HasScalarFDerivAt.listSum _ fun _ => HasScalarFDerivAt.proj _).smul _

/-- Mean over the last axis. -/
def Op.mean {K : Type u} {Γ : Context} (i : Idx Γ (s ▹ n)) : Op.{u, w} K Γ s :=
  ⟨Primitive.mean, nofun, .cons i .nil⟩

@[graph_op] theorem Op.eval_mean {α : Type u} [Scalar α] {Γ : Context} (ρ : Env α Γ) (i : Idx Γ (s ▹ n)) :
    (Op.mean i).eval ρ = fun c => (Scalar.ofNat n)⁻¹ * finSum n fun b => ρ.get i (c, b) := rfl

@[graph_op] theorem Op.sideCondition_mean {R : Type u} [RealField R] {Γ : Context} (ρ : Env R Γ)
    (i : Idx Γ (s ▹ n)) : (Op.mean i).SideCondition ρ ↔ True := Iff.rfl

end PostNorm
