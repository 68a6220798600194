import PostNorm.Graph.Env

/-! # Primitives: an operation with its five facts

A primitive is everything that the library knows about an operation, in one record.  Nothing else looks inside:
evaluation, both derivative modes, correctness, export and runs of a graph are defined and proved once, for all
present and future primitives.

The five facts are the value `eval`, the tangent `jvp`, the cotangents `vjp`, that `vjp` is the adjoint of `jvp`,
and that `jvp` is the derivative of `eval` on the `domain`.  The first three hold over any scalar, so that a graph
runs over `Float`; the last two are theorems over every ordered field with square root and exponential.

## Main definitions

* `Primitive`: the record; `Param`: what is written next to an operation's name when a graph is exported.

## Main statements

* `Primitive.isLinearForm`: the tangent depends linearly on the tangents of the arguments.  It need not be proved
  again for a primitive: any map with an adjoint is linear. -/

namespace PostNorm
universe u v
open Lean.Grind

/-- A parameter of an exported operation. -/
inductive Param where
  /-- A number, such as an axis. -/
  | nat (n : Nat)
  /-- A list of numbers, such as a permutation of the axes. -/
  | nats (ns : List Nat)
  /-- A list of whole numbers, such as places, where `-1` stands for none. -/
  | ints (ns : List Int)

/-- An operation from tensors of the shapes `ins` to one of shape `out`, with `constants` numbers inside. -/
structure Primitive (constants : Nat) (ins : Context) (out : Shape) where
  /-- The name in exported graphs. -/
  name : String
  /-- The parameters in exported graphs, apart from the constants. -/
  params : List (String × Param) := []
  /-- The value at the arguments `a`. -/
  eval : {α : Type u} → [Scalar α] → (Fin constants → α) → (a : Env α ins) → Tensor α out
  /-- Forward derivative: the tangent of the value, from the tangents `da` of the arguments. -/
  jvp : {α : Type u} → [Scalar α] → (Fin constants → α) → (a da : Env α ins) → Tensor α out
  /-- Reverse derivative: the cotangents of the arguments, from the cotangent `d` of the value. -/
  vjp : {α : Type u} → [Scalar α] → (Fin constants → α) → (a : Env α ins) → (d : Tensor α out) → Env α ins
  /-- Where the operation is differentiable. -/
  domain : {R : Type u} → [RealField R] → (Fin constants → R) → (a : Env R ins) → Prop := fun _ _ => True
  /-- The reverse derivative is the adjoint of the forward derivative. -/
  adjoint : ∀ {R : Type u} [RealField R] (k : Fin constants → R) (a da : Env R ins) (d : Tensor R out),
    Tensor.dot (jvp k a da) d = da.dot (vjp k a d)
  /-- The forward derivative is the derivative of the value. -/
  derivative : ∀ {R : Type u} [RealField R] (k : Fin constants → R) (a : Env R ins), domain k a → ∀ c,
    HasScalarFDerivAt (fun a : ins.Coord → R => eval k a c) (fun da => jvp k a da c) a

variable {R : Type u} [RealField R] {constants : Nat} {ins : Context} {out : Shape}

theorem IsLinearForm.coordSum {ι : Type v} {s : Shape} {F : s.Coord → (ι → R) → R}
    (h : ∀ c, IsLinearForm (F c)) :
    IsLinearForm (fun v => PostNorm.coordSum s fun c => F c v) := by
  induction s with
  | unit => exact h ()
  | snoc s n ih => exact ih fun c => IsLinearForm.listSum _ fun i => h (c, i)

/-- The inner product with a fixed environment is a linear form. -/
theorem IsLinearForm.env_dot {ι : Type v} {Γ : Context} {F : (ι → R) → Env R Γ}
    (h : ∀ c, IsLinearForm fun v => F v c) (σ : Env R Γ) : IsLinearForm fun v => (F v).dot σ := by
  induction Γ with
  | nil => exact IsLinearForm.zero
  | cons s Γ ih =>
    exact (IsLinearForm.coordSum fun c => (h (.inl c)).mul_right _).add_form
      (ih (fun c => h (.inr c)) σ.tail)

/-- A map with an adjoint is linear: the tangent of a primitive, if its arguments' tangents are linear. -/
theorem Primitive.isLinearForm {ι : Type v} (p : Primitive constants ins out) (k : Fin constants → R)
    (a : Env R ins) {F : (ι → R) → Env R ins} (h : ∀ c, IsLinearForm fun v => F v c) (c : out.Coord) :
    IsLinearForm fun v => p.jvp k a (F v) c := by
  have e : (fun v => p.jvp k a (F v) c) = fun v => (F v).dot (p.vjp k a (Tensor.unit c)) := funext fun v => by
    rw [← p.adjoint, Tensor.dot_comm, Tensor.unit_dot]
  rw [e]
  exact IsLinearForm.env_dot h _

end PostNorm
