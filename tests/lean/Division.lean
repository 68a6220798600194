import Obligations.Export
import PostNorm.Export.Graph
import PostNorm.Graph.Notation
import PostNorm.Run.Float
import PostNorm.Run.Graph

/-! # An operation that the library does not have, in one file

The quotient of two tensors, entry by entry.  What is said of graphs with this operation in them is proved by the
library's own theorems, which know nothing of it. -/

namespace PostNorm
universe u w
open Lean Lean.Grind
variable {s : Shape}

/-- Entry by entry quotient. -/
def Primitive.div : Primitive.{u} 0 [s, s] s where
  name := "div"
  eval _ a := fun c => a.get .here c * (a.get (.there .here) c)⁻¹
  jvp _ a da := fun c => da.get .here c * (a.get (.there .here) c)⁻¹ +
    a.get .here c * (-((a.get (.there .here) c)⁻¹ * (a.get (.there .here) c)⁻¹) * da.get (.there .here) c)
  vjp _ a d := env![fun c => d c * (a.get (.there .here) c)⁻¹,
    fun c => d c * (a.get .here c * -((a.get (.there .here) c)⁻¹ * (a.get (.there .here) c)⁻¹))]
  domain _ a := ∀ c, a.get (.there .here) c ≠ 0
  adjoint _ a da d := by
    rw [Env.dot_two]
    refine Tensor.dot_congr_add fun c => ?_
    generalize (a.get (.there .here) c)⁻¹ = y
    generalize a.get .here c = x
    grind
  derivative _ a ok c := by
    have h := HasScalarFDerivAt.comp (hasDerivAt_inv (ok c)) (HasScalarFDerivAt.proj (Idx.inj (.there .here) c))
    exact (HasScalarFDerivAt.proj (Idx.inj .here c)).mul h

/-- Entry by entry quotient. -/
def Op.div {K : Type u} {Γ : Context} (i j : Idx Γ s) : Op.{u, w} K Γ s :=
  ⟨Primitive.div, nofun, .cons i (.cons j .nil)⟩

@[graph_op] theorem Op.eval_div {α : Type u} [Scalar α] {Γ : Context} (ρ : Env α Γ) (i j : Idx Γ s) :
    (Op.div i j).eval ρ = fun c => ρ.get i c * (ρ.get j c)⁻¹ := rfl

@[graph_op] theorem Op.sideCondition_div {R : Type u} [RealField R] {Γ : Context} (ρ : Env R Γ) (i j : Idx Γ s) :
    (Op.div i j).SideCondition ρ ↔ ∀ c, ρ.get j c ≠ 0 := Iff.rfl

/-! ## A graph with it, and the library's theorems about that graph -/

/-- The square of `k * x / y`. -/
def ratioGraph {K : Type u} (k : K) : Graph K [s, s] s := graph! x y =>
  let scaled := .scale k x
  let ratio := .div scaled y
  let square := .mul ratio ratio
  return square

section
variable {R : Type u} [RealField R] (k : R) (ρ dρ : Env R [s, s]) (δ : Tensor R s)

example : (ratioGraph k).eval ρ = fun c => k * ρ.get .here c * (ρ.get (.there .here) c)⁻¹ *
    (k * ρ.get .here c * (ρ.get (.there .here) c)⁻¹) := by
  graph_simp [ratioGraph]

example : Tensor.dot ((ratioGraph k).jvp ρ dρ) δ = dρ.dot ((ratioGraph k).backprop ρ δ) :=
  (ratioGraph k).adjoint ρ dρ δ

theorem ratio_sideConditions : (ratioGraph k).SideConditions ρ ↔ ∀ c, ρ.get (.there .here) c ≠ 0 := by
  graph_side_conditions [ratioGraph]

example (h : ∀ c, ρ.get (.there .here) c ≠ 0) :
    (ratioGraph k).backprop ρ δ = (fderiv (fun ρ => (ratioGraph k).eval ρ) ρ).adjoint δ :=
  (ratioGraph k).backprop_eq_adjoint_fderiv ρ ((ratio_sideConditions k ρ).2 h).correct δ

end

/-! ## It is exported, and it runs -/

/-- The graph of one number each, as JSON. -/
def exported : Except String Json :=
  (ratioGraph { value := 0.5, symbol := some "k" } : Graph NamedConstant [⟦⟧, ⟦⟧] ⟦⟧).toJson
    ``ratioGraph [] ["x", "y"]

/-- Its value and gradients at `k = 1/2`, `x = 3`, `y = 4`. -/
def ran : List Float :=
  let one (x : Float) : Buffer Float ⟦⟧ := .ofTensor fun _ => x
  let (value, gradients) := (ratioGraph 0.5).valueAndGradients (.cons (one 3) (.cons (one 4) .nil)) (one 1)
  (value.data :: gradients.arrays).flatMap (·.toList)

#eval show Elab.Command.CommandElabM Unit from do
  match exported with
  | .ok graph => Obligations.answer "NONCE.division" [("graph", graph), ("ran", toJson (ran.map floatToExactJson))]
  | .error e => throwError e

end PostNorm
