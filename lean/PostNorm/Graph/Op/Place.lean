import PostNorm.Graph.Op.Gather

/-! # Placing: every entry of the result is an entry of the argument, or zero

Selecting, slicing, padding, looking up rows, cutting an image into patches, and any order of the axes all place
entries, and a concatenation is a sum of these.  They are one linear primitive.

## Main definitions

* `Primitive.place f`, `Op.place f`: entry `c` of the result is entry `f c` of the argument, or zero. -/

namespace PostNorm
universe u w
open Lean.Grind
variable {s t : Shape}

/-- Entry `c` of the result is entry `f c` of the argument, or zero.  `name` and `params` say so in exported
graphs. -/
def Primitive.place (name : String) (params : List (String × Param)) (f : t.Coord → Option s.Coord) :
    Primitive.{u} 0 [s] t where
  name
  params
  eval _ a := fun c => (f c).elim 0 (a.get .here)
  jvp _ _ da := fun c => (f c).elim 0 (da.get .here)
  vjp _ _ d := env![fun c => coordSum t fun e => if f e = some c then d e else 0]
  adjoint _ _ da d := by
    rw [Env.dot_one]
    exact Reading.adjoint f (da.get .here) d
  derivative := (Primitive.gather f).derivative

/-- Entry `c` of the result is entry `f c` of the argument, or zero. -/
def Op.place {K : Type u} {Γ : Context} (name : String) (params : List (String × Param))
    (f : t.Coord → Option s.Coord) (i : Idx Γ s) : Op.{u, w} K Γ t :=
  ⟨Primitive.place name params f, nofun, .cons i .nil⟩

@[graph_op] theorem Op.eval_place {α : Type u} [Scalar α] {Γ : Context} (ρ : Env α Γ) (name : String)
    (params : List (String × Param)) (f : t.Coord → Option s.Coord) (i : Idx Γ s) :
    (Op.place name params f i).eval ρ = fun c => (f c).elim 0 (ρ.get i) := rfl

@[graph_op] theorem Op.sideCondition_place {R : Type u} [RealField R] {Γ : Context} (ρ : Env R Γ) (name : String)
    (params : List (String × Param)) (f : t.Coord → Option s.Coord) (i : Idx Γ s) :
    (Op.place name params f i).SideCondition ρ ↔ True := Iff.rfl

end PostNorm
