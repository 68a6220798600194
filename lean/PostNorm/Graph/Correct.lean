import PostNorm.Graph.Derivative

/-! # Forward mode is the Fréchet derivative

## Main definitions

* `Graph.SideConditions g ρ`: the side conditions of all operations, on the values met at `ρ`.
* `GraphFDerivCorrectAt g ρ`: every operation has the derivative that its tangent map claims, at the values
  met at `ρ`.

## Main statements

* `GraphFDerivCorrectAt.hasFDerivAt`: then so does the graph.
* `Graph.SideConditions.correct`: the side conditions are sufficient.
* `Graph.hasFDerivAt`: both together. -/

namespace PostNorm
universe u v w

variable {R : Type u} [RealField R]

/-- All side conditions met along the forward pass. -/
def Graph.SideConditions : {Γ : Context} → {s : Shape} → Graph.{u, u} R Γ s → Env R Γ → Prop
  | _, _, .var _, _ => True
  | _, _, .op o, ρ => o.SideCondition ρ
  | _, _, .letIn _ a b, ρ => a.SideConditions ρ ∧ b.SideConditions (Env.cons (a.eval ρ) ρ)
  | _, _, .call _ f as, ρ => f.SideConditions (as.pull ρ)

/-- At the point `ρ`, every operation of the graph has the Fréchet derivative that its tangent map claims. -/
def GraphFDerivCorrectAt : {Γ : Context} → {s : Shape} → Graph.{u, u} R Γ s → Env R Γ → Prop
  | _, _, .var _, _ => True
  | Γ, _, .op o, ρ => HasFDerivAt (fun ρ : Γ.Coord → R => o.eval ρ) ((Graph.op o).deriv ρ) ρ
  | _, _, .letIn _ a b, ρ => GraphFDerivCorrectAt a ρ ∧ GraphFDerivCorrectAt b (Env.cons (a.eval ρ) ρ)
  | _, _, .call _ f as, ρ => GraphFDerivCorrectAt f (as.pull ρ)

/-- Two differentiable functions paired, into an extended context. -/
theorem HasFDerivAt.cons {ι : Type v} {Γ : Context} {s : Shape} {f : (ι → R) → s.Coord → R}
    {g : (ι → R) → Γ.Coord → R} {F : BoundedLinearMap R ι s.Coord} {G : BoundedLinearMap R ι Γ.Coord} {x : ι → R}
    (hf : HasFDerivAt f F x) (hg : HasFDerivAt g G x) :
    HasFDerivAt (κ := Context.Coord (s :: Γ)) (fun x => Env.cons (f x) (g x)) (BoundedLinearMap.cons F G) x :=
  HasFDerivAt.pi fun k => by
    cases k with
    | inl c => exact hf.hasScalarFDerivAt c
    | inr c => exact hg.hasScalarFDerivAt c

/-- **From nodes to the graph**: if every operation has the derivative that its tangent map claims, then the
graph's evaluation has the derivative `Graph.deriv`. -/
theorem GraphFDerivCorrectAt.hasFDerivAt {Γ : Context} {s : Shape} {g : Graph R Γ s} {ρ : Env R Γ}
    (h : GraphFDerivCorrectAt g ρ) : HasFDerivAt (fun ρ : Γ.Coord → R => g.eval ρ) (g.deriv ρ) ρ := by
  induction g with
  | var i => exact HasFDerivAt.linear (BoundedLinearMap.reindex i.inj) ρ
  | op o => exact h
  | letIn n a b iha ihb =>
    exact HasFDerivAt.comp ((iha h.1).cons (HasFDerivAt.linear (BoundedLinearMap.reindex id) ρ)) (ihb h.2)
  | call l f as ih =>
    exact HasFDerivAt.comp (HasFDerivAt.linear (BoundedLinearMap.reindex as.inj) ρ) (ih h)

/-- Where the side conditions hold, every operation is correct. -/
theorem Graph.SideConditions.correct {Γ : Context} {s : Shape} {g : Graph R Γ s} {ρ : Env R Γ}
    (h : g.SideConditions ρ) : GraphFDerivCorrectAt g ρ := by
  induction g with
  | var i => trivial
  | op o => exact HasFDerivAt.pi fun c => o.hasScalarFDerivAt ρ h c
  | letIn n a b iha ihb => exact ⟨iha h.1, ihb h.2⟩
  | call l f as ih => exact ih h

/-- **Forward mode is the Fréchet derivative of evaluation**, where the side conditions hold. -/
theorem Graph.hasFDerivAt {Γ : Context} {s : Shape} (g : Graph R Γ s) (ρ : Env R Γ)
    (h : g.SideConditions ρ) : HasFDerivAt (fun ρ : Γ.Coord → R => g.eval ρ) (g.deriv ρ) ρ :=
  h.correct.hasFDerivAt

end PostNorm
