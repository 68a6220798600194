import PostNorm.Graph.Op

/-! # Graphs

A graph is a term of four constructors: a value in scope, an operation, a named intermediate value, a call of
another graph.  Calls make composition, weakening and renaming part of the language, so that every proof about
graphs is an induction with four cases.  The flat list of operations that a program would run is the compiled form
(`Graph.Compile`).

## Main definitions

* `Graph K Γ s`: graphs with inputs `Γ` and one output of shape `s`, with constants in `K`.
* `Graph.mapConst`: the same graph with other constants. -/

namespace PostNorm
universe u v w

/-- Graphs with inputs `Γ` and one output of shape `s`, over scalars in `Type w`. -/
inductive Graph (K : Type u) : Context → Shape → Type (max u (w + 1)) where
  /-- A value in scope. -/
  | var {Γ : Context} {s : Shape} (i : Idx Γ s) : Graph K Γ s
  /-- The result of an operation. -/
  | op {Γ : Context} {s : Shape} (o : Op.{u, w} K Γ s) : Graph K Γ s
  /-- Save the value of `a` under a name, and continue with `b`. -/
  | letIn {Γ : Context} {s t : Shape} (name : String) (a : Graph K Γ t) (b : Graph K (t :: Γ) s) :
      Graph K Γ s
  /-- The result of another graph on values in scope. -/
  | call {Γ Δ : Context} {s : Shape} (label : String) (f : Graph K Δ s) (as : Args Γ Δ) : Graph K Γ s

/-- Replace every constant: this turns a graph over named constants into one over numbers. -/
def Graph.mapConst {K : Type u} {L : Type v} (φ : K → L) :
    {Γ : Context} → {s : Shape} → Graph.{u, w} K Γ s → Graph.{v, w} L Γ s
  | _, _, .var i => .var i
  | _, _, .op o => .op (o.mapConst φ)
  | _, _, .letIn n a b => .letIn n (a.mapConst φ) (b.mapConst φ)
  | _, _, .call l f as => .call l (f.mapConst φ) as

end PostNorm
