import PostNorm.Graph.Eval

/-! # The derivative of a graph, as a definite bounded linear map

## Main definitions

* `Graph.deriv g ρ`: what forward mode computes, as a bounded linear map.

## Main statements

* `Graph.deriv_eq_jvp`: it is forward mode. -/

namespace PostNorm
universe u v w

variable {R : Type u} [RealField R]

/-- Two linear maps paired, into an extended context. -/
def BoundedLinearMap.cons {ι : Type v} {Γ : Context} {s : Shape}
    (F : BoundedLinearMap R ι s.Coord) (G : BoundedLinearMap R ι Γ.Coord) :
    BoundedLinearMap R ι (Context.Coord (s :: Γ)) :=
  BoundedLinearMap.pi (fun v => Env.cons (F v) (G v)) fun k => by
    cases k with
    | inl c => exact F.isLinearForm c
    | inr c => exact G.isLinearForm c

/-- The derivative of a graph, as a definite bounded linear map. -/
noncomputable def Graph.deriv : {Γ : Context} → {s : Shape} → Graph.{u, u} R Γ s → Env R Γ →
    BoundedLinearMap R Γ.Coord s.Coord
  | _, _, .var i, _ => BoundedLinearMap.reindex i.inj
  | _, _, .op o, ρ => BoundedLinearMap.pi (fun v => o.jvp ρ v) fun c => o.jvp_isLinearForm ρ c
  | _, _, .letIn _ a b, ρ =>
      (b.deriv (Env.cons (a.eval ρ) ρ)).comp (BoundedLinearMap.cons (a.deriv ρ) (BoundedLinearMap.reindex id))
  | _, _, .call _ f as, ρ => (f.deriv (as.pull ρ)).comp (BoundedLinearMap.reindex as.inj)

/-- The linear map is what forward mode computes. -/
theorem Graph.deriv_eq_jvp {Γ : Context} {s : Shape} (g : Graph R Γ s) (ρ v : Env R Γ) :
    g.deriv ρ v = g.jvp ρ v := by
  induction g with
  | var i => rfl
  | op o => rfl
  | letIn n a b iha ihb =>
    show (b.deriv _) (Env.cons (a.deriv ρ v) v) = b.jvp _ (Env.cons (a.jvp ρ v) v)
    rw [iha, ihb]
  | call l f as ih => exact ih _ _

end PostNorm
