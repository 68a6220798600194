import PostNorm.Graph.Op
import PostNorm.Graph.OpLemma

/-! # Gathering: every entry of the result reads one entry of the argument, or nothing

Slices, joins, rows of a table by given indices, a mask, the halves of a rotary position are all readings.
Where nothing is read, the result is zero.

## Main definitions

* `Reading s t`: which entry of a tensor of shape `s` each entry of one of shape `t` reads.
* `Primitive.gather`, `Op.gather`; `Op.select`: keep some entries, and replace the others by zero.

## Main statements

* `Reading.adjoint`: summing the cotangents of each read entry is the adjoint of reading. -/

namespace PostNorm
universe u w
variable {s t : Shape}

/-- Which entry of a tensor of shape `s` each entry of one of shape `t` reads, if any. -/
abbrev Reading (s t : Shape) : Type := t.Coord → Option s.Coord

/-- All coordinates of a shape, in row-major order. -/
def Shape.coords : (s : Shape) → List s.Coord
  | .unit => [()]
  | s ▹ n => s.coords.flatMap fun c => (List.finRange n).map fun i => (c, i)

/-- The place of a coordinate in row-major order. -/
def Shape.rowMajor : {s : Shape} → s.Coord → Nat
  | .unit, _ => 0
  | _ ▹ n, (c, i) => rowMajor c * n + i

namespace Reading

/-- The places of the entries that are read, in row-major order; `-1` stands for nothing. -/
def index (f : Reading s t) : List Int := t.coords.map fun c => (f c).elim (-1) fun k => Int.ofNat (Shape.rowMajor k)

/-- The entries that are read. -/
def pull {α : Type u} [Zero α] (f : Reading s t) (x : Tensor α s) : Tensor α t := fun c => (f c).elim 0 x

/-- Add up the entries of `d` that read each entry: the adjoint of reading. -/
def push {α : Type u} [Add α] [Zero α] (f : Reading s t) (d : Tensor α t) : Tensor α s := fun k =>
  coordSum t fun c => if f c = some k then d c else 0

variable {R : Type u} [RealField R]

/-- Adding up is the adjoint of reading. -/
theorem adjoint (f : Reading s t) (x : Tensor R s) (d : Tensor R t) :
    Tensor.dot (f.pull x) d = Tensor.dot x (f.push d) := by
  have one : ∀ c, f.pull x c * d c = coordSum s fun k => if f c = some k then x k * d c else 0 := fun c => by
    unfold pull
    cases h : f c with
    | none =>
      have e : (fun k : s.Coord => if (none : Option s.Coord) = some k then x k * d c else 0) = fun _ => 0 :=
        funext fun k => if_neg nofun
      rw [e, coordSum_zero]
      show 0 * d c = 0
      grind
    | some k =>
      have e : (fun i : s.Coord => if some k = some i then x i * d c else 0) =
          fun i => if k = i then x i * d c else 0 :=
        funext fun i => by simp only [Option.some.injEq]
      rw [e, coordSum_ite s k fun i => x i * d c]
      rfl
  have all : ∀ k, x k * f.push d k = coordSum t fun c => if f c = some k then x k * d c else 0 := fun k => by
    unfold push
    rw [mul_coordSum]
    congr 1; funext c
    split <;> grind
  unfold Tensor.dot
  rw [funext one, funext all]
  exact coordSum_comm t s fun c k => if f c = some k then x k * d c else 0

end Reading

/-- Every entry of the result reads one entry of the argument, or nothing. -/
def Primitive.gather (f : Reading s t) : Primitive.{u} 0 [s] t where
  name := "gather"
  params := [("index", .ints f.index)]
  eval _ a := f.pull (a.get .here)
  jvp _ _ da := f.pull (da.get .here)
  vjp _ _ d := env![f.push d]
  adjoint _ _ da d := by
    rw [Env.dot_one]
    exact f.adjoint (da.get .here) d
  derivative _ a _ c := by
    show HasScalarFDerivAt (fun a => (f c).elim 0 (Env.get a .here)) (fun da => (f c).elim 0 (Env.get da .here)) a
    cases f c with
    | none => exact HasScalarFDerivAt.const 0
    | some k => exact HasScalarFDerivAt.proj _

section
variable {K : Type u} {Γ : Context}

/-- Every entry of the result reads one entry of the argument, or nothing. -/
def Op.gather (f : Reading s t) (i : Idx Γ s) : Op.{u, w} K Γ t := ⟨Primitive.gather f, nofun, .cons i .nil⟩

/-- Keep some entries, and put zero for the others. -/
def Op.select (keep : s.Coord → Bool) (i : Idx Γ s) : Op.{u, w} K Γ s :=
  .gather (fun c => if keep c then some c else none) i

end

@[graph_op] theorem Op.eval_gather {α : Type u} [Scalar α] {Γ : Context} (ρ : Env α Γ) (f : Reading s t)
    (i : Idx Γ s) : (Op.gather f i).eval ρ = fun c => (f c).elim 0 (ρ.get i) := rfl

@[graph_op] theorem Op.sideCondition_gather {R : Type u} [RealField R] {Γ : Context} (ρ : Env R Γ)
    (f : Reading s t) (i : Idx Γ s) : (Op.gather f i).SideCondition ρ ↔ True := Iff.rfl

@[graph_op] theorem Op.eval_select {α : Type u} [Scalar α] {Γ : Context} (ρ : Env α Γ) (keep : s.Coord → Bool)
    (i : Idx Γ s) : (Op.select keep i).eval ρ = fun c => if keep c then ρ.get i c else 0 := by
  funext c
  show (if keep c then some c else none : Option s.Coord).elim 0 (ρ.get i) = _
  cases keep c <;> rfl

@[graph_op] theorem Op.sideCondition_select {R : Type u} [RealField R] {Γ : Context} (ρ : Env R Γ)
    (keep : s.Coord → Bool) (i : Idx Γ s) : (Op.select keep i).SideCondition ρ ↔ True := Iff.rfl

end PostNorm
