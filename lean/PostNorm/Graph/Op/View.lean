import PostNorm.Graph.Op
import PostNorm.Graph.OpLemma

/-! # Views as operations: transpose, reshape, broadcast

## Main definitions

* `ViewNode`, `View.node`: a view as an exported operation.
* `Primitive.view`, `Op.view`; `Op.transpose`, `Op.broadcastLast`, `Op.broadcastRows`. -/

namespace PostNorm
universe u w
variable {s t : Shape} {m n : Nat}

/-- A view as an exported operation. -/
inductive ViewNode where
  /-- Axis `i` of the result is axis `perm[i]` of the argument. -/
  | transpose (perm : List Nat)
  /-- The same entries in row-major order. -/
  | reshape
  /-- Insert this axis and repeat along it. -/
  | broadcast (axis : Nat)

/-- A view as one node. Acting on all axes except the last only changes the length of a permutation.
-/
def View.node : {s t : Shape} → View s t → ViewNode
  | s ▹ _ ▹ _, _, .swap => .transpose (List.range s.rank ++ [s.rank + 1, s.rank])
  | _, _, .split _ _ => .reshape
  | _, _, .merge => .reshape
  | s, _, .spread _ => .broadcast s.rank
  | _, _, .under _ v => match v.node with
    | .transpose perm => .transpose (perm ++ [perm.length])
    | other => other

/-- The name in exported graphs. -/
def ViewNode.name : ViewNode → String
  | .transpose _ => "transpose"
  | .reshape => "reshape"
  | .broadcast _ => "broadcast"

/-- The parameters in exported graphs. -/
def ViewNode.params : ViewNode → List (String × Param)
  | .transpose perm => [("perm", .nats perm)]
  | .reshape => []
  | .broadcast axis => [("axis", .nat axis)]

/-- Transpose, reshape or broadcast. -/
def Primitive.view (v : View s t) : Primitive.{u} 0 [s] t where
  name := v.node.name
  params := v.node.params
  eval _ a := fun c => a.get .here (v.map c)
  jvp _ _ da := fun c => da.get .here (v.map c)
  vjp _ _ d := env![v.push d]
  adjoint _ _ da d := by
    rw [Env.dot_one]
    exact v.adjoint (da.get .here) d
  derivative _ _ _ _ := HasScalarFDerivAt.proj _

section
variable {K : Type u} {Γ : Context}

/-- Transpose, reshape or broadcast. -/
def Op.view (v : View s t) (i : Idx Γ s) : Op.{u, w} K Γ t := ⟨Primitive.view v, nofun, .cons i .nil⟩

/-- Swap the last two axes. -/
abbrev Op.transpose (i : Idx Γ (s ▹ m ▹ n)) : Op.{u, w} K Γ (s ▹ n ▹ m) := .view .swap i

/-- Repeat along a new last axis of length `n`. -/
abbrev Op.broadcastLast (n : Nat) (i : Idx Γ s) : Op.{u, w} K Γ (s ▹ n) := .view (.spread n) i

/-- Repeat a vector as each of `m` rows. -/
abbrev Op.broadcastRows (m : Nat) (i : Idx Γ ⟦n⟧) : Op.{u, w} K Γ ⟦m, n⟧ := .view (.under n (.spread m)) i

end

@[graph_op] theorem Op.eval_view {α : Type u} [Scalar α] {Γ : Context} (ρ : Env α Γ) (v : View s t)
    (i : Idx Γ s) : (Op.view v i).eval ρ = fun c => ρ.get i (v.map c) := rfl

@[graph_op] theorem Op.sideCondition_view {R : Type u} [RealField R] {Γ : Context} (ρ : Env R Γ) (v : View s t)
    (i : Idx Γ s) : (Op.view v i).SideCondition ρ ↔ True := Iff.rfl

end PostNorm
