import PostNorm.Graph.Op
import PostNorm.Graph.OpLemma

/-! # Placing: every entry of the result is an entry of the argument, or zero

Selecting, slicing, padding, looking up rows, cutting an image into patches, and any order of the axes: all of these
place entries, and a concatenation is a sum of such.  They are one linear primitive.

## Main definitions

* `Primitive.place f`, `Op.place f`: entry `c` of the result is entry `f c` of the argument, or zero. -/

namespace PostNorm
universe u w
open Lean.Grind
variable {s t : Shape}

/-- What is sent back to an entry is the sum over the places where it stands. -/
private theorem place_adjoint {R : Type u} [RealField R] (f : t.Coord → Option s.Coord) (x : Tensor R s)
    (d : Tensor R t) : Tensor.dot (fun e => (f e).elim 0 x) d =
      Tensor.dot x fun c => coordSum t fun e => if f e = some c then d e else 0 := by
  have one : ∀ e, (f e).elim 0 x * d e = coordSum s fun c => if f e = some c then x c * d e else 0 := fun e => by
    cases h : f e with
    | none =>
      have z : (fun c : s.Coord => if (none : Option s.Coord) = some c then x c * d e else 0) = fun _ => 0 :=
        funext fun c => if_neg nofun
      rw [z, coordSum_zero]
      show 0 * d e = 0
      grind
    | some k =>
      have z : (fun c : s.Coord => if some k = some c then x c * d e else 0) =
          fun c => if k = c then x c * d e else 0 := funext fun c => by simp only [Option.some.injEq]
      rw [z, coordSum_ite s k fun c => x c * d e]
      rfl
  have all : ∀ c, (x c * coordSum t fun e => if f e = some c then d e else 0) =
      coordSum t fun e => if f e = some c then x c * d e else 0 := fun c => by
    rw [mul_coordSum]
    congr 1; funext e
    split <;> grind
  unfold Tensor.dot
  rw [funext one, funext all]
  exact coordSum_comm t s fun e c => if f e = some c then x c * d e else 0

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
    exact place_adjoint f (da.get .here) d
  derivative _ a _ c := by
    show HasScalarFDerivAt (fun a => (f c).elim 0 (Env.get a .here)) (fun da => (f c).elim 0 (Env.get da .here)) a
    cases f c with
    | none => exact HasScalarFDerivAt.const 0
    | some k => exact HasScalarFDerivAt.proj _

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
