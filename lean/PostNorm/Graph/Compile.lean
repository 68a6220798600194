import PostNorm.Graph.Tape

/-! # Compiling a graph to a tape

Compiling inlines calls and changes neither value nor gradient.  The tape is what is exported to the numeric side and
run over `Float`.

## Main definitions

* `Graph.compile`, `Graph.toTape`.

## Main statements

* `Graph.toTape_eval`: the tape computes the value of the graph.
* `Graph.toTape_backprop`: one backward pass over the tape computes the gradient of the graph. -/

namespace PostNorm
universe u w
variable {K : Type u}

/-- A tape together with the place of its result. -/
structure Compiled (K : Type u) (Γ : Context) (s : Shape) : Type (max u (w + 1)) where
  /-- The values at the end of the tape. -/
  {ctx : Context}
  /-- The operations. -/
  tape : Tape.{u, w} K Γ ctx
  /-- Which value is the result. -/
  out : Idx ctx s

/-- The name of a value inside a named value: `"norm1"` and `"varEps"` give `"norm1.varEps"`. -/
def joinNames (outer inner : String) : String := if outer = "" then inner else outer ++ "." ++ inner

/-- Compile a graph whose inputs are the values `as` of `Δ`.  The values inside a call are
named after the value that the call computes. -/
def Graph.compile : {Γ : Context} → {s : Shape} → Graph.{u, w} K Γ s → {Δ : Context} → Args Δ Γ → String →
    Compiled.{u, w} K Δ s
  | _, _, .var i, _, as, _ => ⟨.nil, as.get i⟩
  | _, _, .op o, _, as, n => ⟨.snoc .nil n (o.subst as), .here⟩
  | _, _, .letIn m a b, _, as, n =>
    let A := a.compile as (joinNames n m)
    let B := b.compile (.cons A.out (as.map fun i => A.tape.keep i)) n
    ⟨A.tape.append B.tape, B.out⟩
  | _, _, .call _ f bs, _, as, n => f.compile (bs.map fun i => as.get i) n

theorem Graph.compile_eval {α : Type u} [Scalar α] {Γ Δ : Context} {s : Shape} (g : Graph α Γ s)
    (as : Args Δ Γ) (n : String) (ρ : Env α Δ) :
    ((g.compile as n).tape.eval ρ).get (g.compile as n).out = g.eval (as.pull ρ) := by
  induction g generalizing Δ n with
  | var i => exact (as.get_pull i ρ).symm
  | op o => exact o.eval_subst as ρ
  | letIn m a b iha ihb =>
    simp only [Graph.compile, Tape.eval_append, Graph.eval]
    rw [ihb, Args.pull_cons, iha, Args.pull_map _ _ ρ _ fun i => Tape.eval_keep _ i ρ]
  | call l f bs ih =>
    simp only [Graph.compile, Graph.eval, ih]
    rw [Args.pull_map _ bs (as.pull ρ) ρ fun i => (as.get_pull i ρ).symm]

theorem Graph.compile_jvp {α : Type u} [Scalar α] {Γ Δ : Context} {s : Shape} (g : Graph α Γ s)
    (as : Args Δ Γ) (n : String) (ρ dρ : Env α Δ) :
    ((g.compile as n).tape.jvp ρ dρ).get (g.compile as n).out =
      g.jvp (as.pull ρ) (as.pull dρ) := by
  induction g generalizing Δ n with
  | var i => exact (as.get_pull i dρ).symm
  | op o => exact o.jvp_subst as ρ dρ
  | letIn m a b iha ihb =>
    simp only [Graph.compile, Tape.jvp_append, Graph.jvp]
    rw [ihb, Args.pull_cons, Args.pull_cons, iha, compile_eval,
      Args.pull_map _ _ ρ _ fun i => Tape.eval_keep _ i ρ,
      Args.pull_map _ _ dρ _ fun i => Tape.jvp_keep _ i ρ dρ]
  | call l f bs ih =>
    simp only [Graph.compile, Graph.jvp, ih]
    rw [Args.pull_map _ bs (as.pull ρ) ρ fun i => (as.get_pull i ρ).symm,
      Args.pull_map _ bs (as.pull dρ) dρ fun i => (as.get_pull i dρ).symm]

/-- The tape of a graph, starting from its own inputs. -/
def Graph.toTape {Γ : Context} {s : Shape} (g : Graph.{u, w} K Γ s) (name : String := "") :
    Compiled.{u, w} K Γ s :=
  g.compile (Args.id Γ) name

/-- **The tape computes the value of the graph.** -/
theorem Graph.toTape_eval {α : Type u} [Scalar α] {Γ : Context} {s : Shape} (g : Graph α Γ s)
    (n : String) (ρ : Env α Γ) : ((g.toTape n).tape.eval ρ).get (g.toTape n).out = g.eval ρ := by
  unfold Graph.toTape; rw [Graph.compile_eval, Args.pull_id]

/-- **One backward pass over the tape computes the gradient of the graph.** -/
theorem Graph.toTape_backprop {R : Type u} [RealField R] {Γ : Context} {s : Shape} (g : Graph R Γ s)
    (n : String) (ρ : Env R Γ) (d : Tensor R s) :
    (g.toTape n).tape.backprop ρ (Env.single (g.toTape n).out d) = g.backprop ρ d := by
  funext c
  rw [← Env.unit_dot c (Tape.backprop _ _ _), ← Tape.adjoint, Env.dot_single]
  unfold Graph.toTape
  rw [Graph.compile_jvp, Args.pull_id, Args.pull_id, g.adjoint, Env.unit_dot]

end PostNorm
