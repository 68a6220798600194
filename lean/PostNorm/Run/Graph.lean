import PostNorm.Graph.Eval
import PostNorm.Run.Store

/-! # Running a graph: its value and all gradients, with everything stored

`Graph.eval` is a definition for proofs: it recomputes a value wherever it is read.  `Graph.run` computes each value
once, stores it, and also returns the function that pulls a cotangent back through the stored values.  Both agree over
any scalar, without any law of arithmetic: over `Float`, to the last bit.

## Main definitions

* `Graph.run g σ`: the stored value, and the backward pass over the stored values.
* `Graph.valueAndGradients`: both, for one cotangent of the output.

## Main statements

* `Graph.run_value`: the value is that of `Graph.eval`.
* `Graph.run_gradients`: the gradients are those of `Graph.backprop`. -/

namespace PostNorm
universe u

variable {α : Type u} [Scalar α] {Γ : Context} {s : Shape}

/-- The result of running a graph: its value, and the backward pass over the stored values. -/
structure Run (α : Type u) (Γ : Context) (s : Shape) where
  /-- The value of the graph. -/
  value : Buffer α s
  /-- The cotangents of all inputs, from the cotangent of the value. -/
  backward : Buffer α s → Store α Γ

/-- Run a graph on stored inputs.  Every operation and every called graph is evaluated once. -/
def Graph.run : {Γ : Context} → {s : Shape} → Graph.{u, u} α Γ s → Store α Γ → Run α Γ s
  | _, _, .var i, σ => ⟨σ.at i, fun d => Store.ofEnv (Env.single i d.get)⟩
  | _, _, .op o, σ => ⟨Buffer.ofTensor (o.eval σ.env), fun d => Store.ofEnv (o.vjp σ.env d.get)⟩
  | _, _, .letIn _ a b, σ =>
    let first := a.run σ
    let rest := b.run (.cons first.value σ)
    ⟨rest.value, fun d =>
      let e := rest.backward d
      let f := first.backward e.head
      Store.ofEnv (e.tail.env.add f.env)⟩
  | _, _, .call _ f as, σ =>
    let called := f.run (as.store σ)
    ⟨called.value, fun d =>
      let e := called.backward d
      Store.ofEnv (as.push e.env)⟩

/-- Running a graph with stored values gives its value, over any scalar, without any law of arithmetic. -/
theorem Graph.run_value (g : Graph α Γ s) (σ : Store α Γ) : (g.run σ).value.get = g.eval σ.env := by
  induction g with
  | var i => exact σ.get_at i
  | op o => exact Buffer.get_ofTensor _
  | letIn n a b iha ihb => simp only [Graph.run, Graph.eval, ihb, Store.env, iha]
  | call l f as ih => simp only [Graph.run, Graph.eval, ih, Args.env_store]

/-- The backward pass over the stored values gives the gradients of backpropagation, over any scalar, without any law
of arithmetic. -/
theorem Graph.run_gradients (g : Graph α Γ s) (σ : Store α Γ) (d : Buffer α s) :
    ((g.run σ).backward d).env = g.backprop σ.env d.get := by
  induction g with
  | var i => exact Store.env_ofEnv _
  | op o => exact Store.env_ofEnv _
  | letIn n a b iha ihb =>
    simp only [Graph.run, Graph.backprop, Store.env_ofEnv, Store.env_tail, iha, Store.get_head, ihb, Store.env,
      Graph.run_value]
  | call l f as ih => simp only [Graph.run, Graph.backprop, Store.env_ofEnv, ih, Args.env_store]

/-- The value of a graph and the gradients of all its inputs, from one forward and one backward pass. -/
def Graph.valueAndGradients (g : Graph α Γ s) (σ : Store α Γ) (d : Buffer α s) : Buffer α s × Store α Γ :=
  let r := g.run σ
  (r.value, r.backward d)

end PostNorm
