import PostNorm.Graph.Op
import PostNorm.Graph.OpLemma

/-! # The matrix product, over the last two axes

## Main definitions

* `Primitive.matmul`, `Op.matmul`. -/

namespace PostNorm
universe u w
open Lean.Grind
variable {s : Shape} {m k n : Nat}

/-- Matrix product over the last two axes, for every coordinate of the leading axes `s`. -/
def Primitive.matmul : Primitive.{u} 0 [s ▹ m ▹ k, s ▹ k ▹ n] (s ▹ m ▹ n) where
  name := "matmul"
  eval _ x := fun ((c, a), b) => finSum k fun l => x.get .here ((c, a), l) * x.get (.there .here) ((c, l), b)
  jvp _ x dx := fun ((c, a), b) => finSum k fun l =>
    dx.get .here ((c, a), l) * x.get (.there .here) ((c, l), b) +
      x.get .here ((c, a), l) * dx.get (.there .here) ((c, l), b)
  vjp _ x d := env![
    fun ((c, a), l) => finSum n fun b => d ((c, a), b) * x.get (.there .here) ((c, l), b),
    fun ((c, l), b) => finSum m fun a => d ((c, a), b) * x.get .here ((c, a), l)]
  adjoint _ x dx d := by
    rw [Env.dot_two]
    simp only [Tensor.dot, coordSum]
    rw [← coordSum_add]
    congr 1; funext c
    simp only [finSum_mul, mul_finSum, Semiring.right_distrib, finSum_add]
    congr 1
    · congr 1; funext a
      rw [finSum_comm]
      congr 1; funext l; congr 1; funext b; grind
    · have e : (fun a => finSum n fun b => finSum k fun l =>
            x.get .here ((c, a), l) * dx.get (.there .here) ((c, l), b) * d ((c, a), b)) =
          fun a => finSum k fun l => finSum n fun b =>
            x.get .here ((c, a), l) * dx.get (.there .here) ((c, l), b) * d ((c, a), b) :=
        funext fun a => finSum_comm _ _ _
      rw [e, finSum_comm]
      congr 1; funext l
      rw [finSum_comm]
      congr 1; funext b; congr 1; funext a; grind
  derivative _ _ _ _ := HasScalarFDerivAt.listSum _ fun _ =>
    (HasScalarFDerivAt.proj _).mul (HasScalarFDerivAt.proj _)

/-- Matrix product over the last two axes, for every coordinate of the leading axes `s`. -/
def Op.matmul {K : Type u} {Γ : Context} (i : Idx Γ (s ▹ m ▹ k)) (j : Idx Γ (s ▹ k ▹ n)) :
    Op.{u, w} K Γ (s ▹ m ▹ n) :=
  ⟨Primitive.matmul, nofun, .cons i (.cons j .nil)⟩

@[graph_op] theorem Op.eval_matmul {α : Type u} [Scalar α] {Γ : Context} (ρ : Env α Γ)
    (i : Idx Γ (s ▹ m ▹ k)) (j : Idx Γ (s ▹ k ▹ n)) : (Op.matmul i j).eval ρ =
      fun ((c, a), b) => finSum k fun l => ρ.get i ((c, a), l) * ρ.get j ((c, l), b) := rfl

@[graph_op] theorem Op.sideCondition_matmul {R : Type u} [RealField R] {Γ : Context} (ρ : Env R Γ)
    (i : Idx Γ (s ▹ m ▹ k)) (j : Idx Γ (s ▹ k ▹ n)) : (Op.matmul i j).SideCondition ρ ↔ True := Iff.rfl

end PostNorm
