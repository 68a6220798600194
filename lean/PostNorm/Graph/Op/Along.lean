import PostNorm.Graph.Op
import PostNorm.Graph.OpLemma

/-! # Sum and mean along any axis

`Op.sum` and `Op.mean` use the last axis; here it may be any.

## Main definitions

* `Axis n s t`: an axis of length `n` of the shape `s`; without it, the shape is `t`.
* `Op.sumAlong`, `Op.meanAlong`. -/

namespace PostNorm
universe u w

/-- An axis of length `n` of the shape `s`; without it, the shape is `t`. -/
inductive Axis (n : Nat) : Shape → Shape → Type where
  /-- The last axis. -/
  | last {s : Shape} : Axis n (s ▹ n) s
  /-- An axis before the last one. -/
  | before {s t : Shape} (k : Nat) (a : Axis n s t) : Axis n (s ▹ k) (t ▹ k)

namespace Axis
variable {n : Nat} {s t : Shape}

/-- Its number, from 0. -/
def number : {s t : Shape} → Axis n s t → Nat
  | s ▹ _, _, .last => s.rank
  | _, _, .before _ a => a.number

/-- The coordinate with `i` along this axis. -/
def insert : {s t : Shape} → Axis n s t → t.Coord → Fin n → s.Coord
  | _, _, .last, c, i => (c, i)
  | _, _, .before _ a, (c, j), i => (a.insert c i, j)

/-- The coordinate without this axis. -/
def erase : {s t : Shape} → Axis n s t → s.Coord → t.Coord
  | _, _, .last, (c, _) => c
  | _, _, .before _ a, (c, j) => (a.erase c, j)

/-- Repeating along an axis is the adjoint of the sum along it. -/
theorem adjoint {R : Type u} [RealField R] (a : Axis n s t) (x : Tensor R s) (d : Tensor R t) :
    Tensor.dot (fun c => finSum n fun i => x (a.insert c i)) d = Tensor.dot x fun e => d (a.erase e) := by
  induction a with
  | last => simp only [Tensor.dot, coordSum, insert, erase, finSum_mul]
  | before k a ih =>
    simp only [Tensor.dot, coordSum, insert, erase]
    rw [coordSum_finSum, coordSum_finSum]
    congr 1; funext j
    exact ih (fun e => x (e, j)) fun c => d (c, j)

end Axis

variable {n : Nat} {s t : Shape}

/-- Sum along an axis. -/
def Primitive.sumAlong (a : Axis n s t) : Primitive.{u} 0 [s] t where
  name := "sum"
  params := [("axis", .nat a.number)]
  eval _ x := fun c => finSum n fun i => x.get .here (a.insert c i)
  jvp _ _ dx := fun c => finSum n fun i => dx.get .here (a.insert c i)
  vjp _ _ d := env![fun e => d (a.erase e)]
  adjoint _ _ dx d := by
    rw [Env.dot_one]
    exact a.adjoint (dx.get .here) d
  derivative _ _ _ _ := HasScalarFDerivAt.listSum _ fun _ => HasScalarFDerivAt.proj _

/-- Mean along an axis. -/
def Primitive.meanAlong (a : Axis n s t) : Primitive.{u} 0 [s] t where
  name := "mean"
  params := [("axis", .nat a.number)]
  eval _ x := fun c => (Scalar.ofNat n)⁻¹ * finSum n fun i => x.get .here (a.insert c i)
  jvp _ _ dx := fun c => (Scalar.ofNat n)⁻¹ * finSum n fun i => dx.get .here (a.insert c i)
  vjp _ _ d := env![fun e => (Scalar.ofNat n)⁻¹ * d (a.erase e)]
  adjoint _ _ dx d := by
    rw [Env.dot_one]
    refine Eq.trans ?_ (a.adjoint (dx.get .here) fun c => (Scalar.ofNat n)⁻¹ * d c)
    exact Tensor.dot_congr fun c => by grind
  derivative _ _ _ _ := (HasScalarFDerivAt.listSum _ fun _ => HasScalarFDerivAt.proj _).smul _

section
variable {K : Type u} {Γ : Context}

/-- Sum along an axis. -/
def Op.sumAlong (a : Axis n s t) (i : Idx Γ s) : Op.{u, w} K Γ t := ⟨Primitive.sumAlong a, nofun, .cons i .nil⟩

/-- Mean along an axis. -/
def Op.meanAlong (a : Axis n s t) (i : Idx Γ s) : Op.{u, w} K Γ t := ⟨Primitive.meanAlong a, nofun, .cons i .nil⟩

end

section
variable {α : Type u} [Scalar α] {Γ : Context} (ρ : Env α Γ) (a : Axis n s t) (i : Idx Γ s)

@[graph_op] theorem Op.eval_sumAlong :
    (Op.sumAlong a i).eval ρ = fun c => finSum n fun j => ρ.get i (a.insert c j) := rfl

@[graph_op] theorem Op.eval_meanAlong : (Op.meanAlong a i).eval ρ =
    fun c => (Scalar.ofNat n)⁻¹ * finSum n fun j => ρ.get i (a.insert c j) := rfl

end

section
variable {R : Type u} [RealField R] {Γ : Context} (ρ : Env R Γ) (a : Axis n s t) (i : Idx Γ s)

@[graph_op] theorem Op.sideCondition_sumAlong : (Op.sumAlong a i).SideCondition ρ ↔ True := Iff.rfl

@[graph_op] theorem Op.sideCondition_meanAlong : (Op.meanAlong a i).SideCondition ρ ↔ True := Iff.rfl

end
end PostNorm
