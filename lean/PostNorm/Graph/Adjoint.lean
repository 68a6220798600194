import PostNorm.Graph.Backprop
import PostNorm.Graph.Tangent

/-! # Reverse mode is the adjoint of forward mode

Algebra only: no side condition, no derivative.

## Main statements

* `Op.adjoint`, `Graph.adjoint`: `⟨jvp v, d⟩ = ⟨v, backprop d⟩`. -/

namespace PostNorm
universe u
open Lean.Grind

variable {R : Type u} [RealField R]

theorem Unary.deriv_symm (f : Unary R) (x h g : R) : f.deriv x h * g = h * f.deriv x g := by
  cases f <;> simp only [Unary.deriv] <;> grind

/-- Each operation's `vjp` is the adjoint of its `jvp`. -/
theorem Op.adjoint {Γ : Context} {s : Shape} (o : Op R Γ s) (ρ dρ : Env R Γ) (d : Tensor R s) :
    Tensor.dot (o.jvp ρ dρ) d = dρ.dot (o.vjp ρ d) := by
  cases o with
  | map f i =>
    simp only [Op.vjp, Env.dot_single]
    exact Tensor.dot_congr fun c => f.deriv_symm _ _ _
  | add i j =>
    simp only [Op.vjp, Env.dot_add, Env.dot_single]
    exact Tensor.dot_congr_add fun c => by simp only [Op.jvp]; grind
  | sub i j =>
    simp only [Op.vjp, Env.dot_add, Env.dot_single]
    exact Tensor.dot_congr_add fun c => by simp only [Op.jvp]; grind
  | mul i j =>
    simp only [Op.vjp, Env.dot_add, Env.dot_single]
    exact Tensor.dot_congr_add fun c => by simp only [Op.jvp]; grind
  | @matmul s m k n i j =>
    simp only [Op.vjp, Env.dot_add, Env.dot_single, Tensor.dot, coordSum, Op.jvp]
    rw [← coordSum_add]
    congr 1; funext c
    simp only [finSum_mul, mul_finSum, Semiring.right_distrib, finSum_add]
    congr 1
    · congr 1; funext a
      rw [finSum_comm]
      congr 1; funext l; congr 1; funext b; grind
    · have e : (fun a => finSum n fun b => finSum k fun l =>
            ρ.get i ((c, a), l) * dρ.get j ((c, l), b) * d ((c, a), b)) =
          fun a => finSum k fun l => finSum n fun b =>
            ρ.get i ((c, a), l) * dρ.get j ((c, l), b) * d ((c, a), b) :=
        funext fun a => finSum_comm _ _ _
      rw [e, finSum_comm]
      congr 1; funext l
      rw [finSum_comm]
      congr 1; funext b; congr 1; funext a; grind
  | view v i =>
    simp only [Op.vjp, Env.dot_single]
    exact v.adjoint (dρ.get i) d
  | sum i => simp only [Op.vjp, Env.dot_single, Tensor.dot, coordSum, Op.jvp, finSum_mul]
  | @mean s n i =>
    simp only [Op.vjp, Env.dot_single, Tensor.dot, coordSum, Op.jvp]
    congr 1; funext c
    rw [mul_finSum, finSum_mul]; congr 1; funext b; grind

/-- **Reverse mode is the adjoint of forward mode**, for every graph and at every point. -/
theorem Graph.adjoint {Γ : Context} {s : Shape} (g : Graph R Γ s) (ρ dρ : Env R Γ) (d : Tensor R s) :
    Tensor.dot (g.jvp ρ dρ) d = dρ.dot (g.backprop ρ d) := by
  induction g with
  | var i => exact (Env.dot_single dρ i d).symm
  | op o => exact o.adjoint ρ dρ d
  | letIn n a b iha ihb =>
    simp only [Graph.jvp, Graph.backprop]
    rw [ihb, Env.dot_add, ← iha]
    show Tensor.dot (a.jvp ρ dρ) _ + dρ.dot _ = _
    clear iha ihb
    grind
  | call l f as ih =>
    simp only [Graph.jvp, Graph.backprop]
    rw [ih, Args.adjoint]

end PostNorm
