import PostNorm.Graph.AdjointMap

/-! # Tapes: flat lists of operations

A tape saves every value it computes; backprop over it is one backward pass.

## Main definitions

* `Tape K Γ Δ`: operations in order, from the values `Γ` to the values `Δ`.
* `Tape.eval`, `Tape.jvp`, `Tape.backprop`.

## Main statements

* `Tape.adjoint`: the backward pass is the adjoint of the forward tangents. -/

namespace PostNorm
universe u w
variable {K : Type u}

/-- Operations in order; `Tape K Γ Δ` starts with the values `Γ` and ends with the values `Δ`.
Scalars are in `Type w`. -/
inductive Tape (K : Type u) : Context → Context → Type (max u (w + 1)) where
  /-- The empty tape. -/
  | nil {Γ : Context} : Tape K Γ Γ
  /-- One more operation, whose result is saved under a name. -/
  | snoc {Γ Δ : Context} {s : Shape} (t : Tape K Γ Δ) (name : String) (o : Op.{u, w} K Δ s) : Tape K Γ (s :: Δ)

/-- Concatenation of tapes. -/
def Tape.append {Γ Δ : Context} (t : Tape.{u, w} K Γ Δ) :
    {Θ : Context} → Tape.{u, w} K Δ Θ → Tape.{u, w} K Γ Θ
  | _, .nil => t
  | _, .snoc t' n o => .snoc (t.append t') n o

/-- A value in scope at the start is still in scope at the end. -/
def Tape.keep {Γ Δ : Context} {s : Shape} (i : Idx Γ s) : Tape K Γ Δ → Idx Δ s
  | .nil => i
  | .snoc t _ _ => .there (t.keep i)

section semantics
variable {α : Type u} [Scalar α] {Γ Δ : Context}

/-- All saved values. -/
def Tape.eval {Γ Δ : Context} : Tape.{u, u} α Γ Δ → Env α Γ → Env α Δ
  | .nil, ρ => ρ
  | .snoc t _ o, ρ => let σ := t.eval ρ; Env.cons (o.eval σ) σ

/-- The tangents of all saved values. -/
def Tape.jvp {Γ Δ : Context} : Tape.{u, u} α Γ Δ → Env α Γ → Env α Γ → Env α Δ
  | .nil, _, dρ => dρ
  | .snoc t _ o, ρ, dρ => let dσ := t.jvp ρ dρ; Env.cons (o.jvp (t.eval ρ) dσ) dσ

/-- Pull the cotangents of all saved values back to the inputs, in one pass. -/
def Tape.backprop {Γ Δ : Context} : Tape.{u, u} α Γ Δ → Env α Γ → Env α Δ → Env α Γ
  | .nil, _, d => d
  | .snoc t _ o, ρ, d => t.backprop ρ (d.tail.add (o.vjp (t.eval ρ) d.head))

theorem Tape.eval_append {Θ : Context} (t : Tape α Γ Δ) (t' : Tape α Δ Θ) (ρ : Env α Γ) :
    (t.append t').eval ρ = t'.eval (t.eval ρ) := by
  induction t' with
  | nil => rfl
  | snoc t' n o ih => simp only [Tape.append, Tape.eval, ih]

theorem Tape.jvp_append {Θ : Context} (t : Tape α Γ Δ) (t' : Tape α Δ Θ) (ρ dρ : Env α Γ) :
    (t.append t').jvp ρ dρ = t'.jvp (t.eval ρ) (t.jvp ρ dρ) := by
  induction t' with
  | nil => rfl
  | snoc t' n o ih => simp only [Tape.append, Tape.jvp, ih, Tape.eval_append]

theorem Tape.eval_keep {s : Shape} (t : Tape α Γ Δ) (i : Idx Γ s) (ρ : Env α Γ) :
    (t.eval ρ).get (t.keep i) = ρ.get i := by
  induction t with
  | nil => rfl
  | snoc t n o ih => exact ih

theorem Tape.jvp_keep {s : Shape} (t : Tape α Γ Δ) (i : Idx Γ s) (ρ dρ : Env α Γ) :
    (t.jvp ρ dρ).get (t.keep i) = dρ.get i := by
  induction t with
  | nil => rfl
  | snoc t n o ih => exact ih

end semantics

/-- One backward pass over a tape is the adjoint of its tangents. -/
theorem Tape.adjoint {R : Type u} [RealField R] {Γ Δ : Context} (t : Tape R Γ Δ) (ρ dρ : Env R Γ)
    (d : Env R Δ) : (t.jvp ρ dρ).dot d = dρ.dot (t.backprop ρ d) := by
  induction t with
  | nil => rfl
  | snoc t n o ih =>
    simp only [Tape.backprop]
    rw [← ih, Env.dot_add, ← Op.adjoint]
    show Tensor.dot (o.jvp (t.eval ρ) (t.jvp ρ dρ)) d.head + (t.jvp ρ dρ).dot d.tail = _
    clear ih; grind

end PostNorm
