import PostNorm.Graph.Tangent

/-! # The derivative of a graph, as a definite bounded linear map

## Main definitions

* `Graph.deriv g ρ`: what forward mode computes, as a bounded linear map.

## Main statements

* `Graph.deriv_eq_jvp`: it is forward mode.
* `Unary.hasScalarFDerivAt`, `Op.hasScalarFDerivAt`: each operation's `jvp` is its derivative, given its side
  condition. -/

namespace PostNorm
universe u v w
open Lean.Grind (Semiring Field CommSemiring)

variable {R : Type u} [RealField R]

theorem Unary.deriv_isLinearForm {ι : Type v} (f : Unary R) (x : R) {F : (ι → R) → R}
    (hF : IsLinearForm F) : IsLinearForm fun v => f.deriv x (F v) := by
  cases f with
  | addConst k => exact hF
  | tanh => exact hF.sub (hF.mul_left _)
  | _ => exact hF.mul_left _

theorem Op.jvp_isLinearForm {Γ : Context} {s : Shape} (o : Op R Γ s) (ρ : Env R Γ) (c : s.Coord) :
    IsLinearForm fun v => o.jvp ρ v c := by
  cases o with
  | map f i => exact f.deriv_isLinearForm _ (IsLinearForm.proj _)
  | add i j => exact (IsLinearForm.proj _).add_form (IsLinearForm.proj _)
  | sub i j => exact (IsLinearForm.proj _).sub (IsLinearForm.proj _)
  | mul i j => exact ((IsLinearForm.proj _).mul_right _).add_form ((IsLinearForm.proj _).mul_left _)
  | matmul i j =>
    exact IsLinearForm.listSum _ fun l =>
      ((IsLinearForm.proj _).mul_right _).add_form ((IsLinearForm.proj _).mul_left _)
  | view v i => exact IsLinearForm.proj _
  | sum i => exact IsLinearForm.listSum _ fun l => IsLinearForm.proj _
  | mean i => exact (IsLinearForm.listSum _ fun l => IsLinearForm.proj _).mul_left _

/-- Two linear maps side by side, into an extended context. -/
def BoundedLinearMap.cons {ι : Type v} {Γ : Context} {s : Shape}
    (F : BoundedLinearMap R ι s.Coord) (G : BoundedLinearMap R ι Γ.Coord) :
    BoundedLinearMap R ι (Context.Coord (s :: Γ)) :=
  BoundedLinearMap.pi (fun v => Env.cons (F v) (G v)) fun k => by
    cases k with
    | inl c => exact ⟨fun x y => F.map_add x y c, fun a x => F.map_smul a x c, by
        obtain ⟨C, h0, h1⟩ := F.bounded; exact ⟨C, h0, fun r h hr hb => h1 r h hr hb c⟩⟩
    | inr c => exact ⟨fun x y => G.map_add x y c, fun a x => G.map_smul a x c, by
        obtain ⟨C, h0, h1⟩ := G.bounded; exact ⟨C, h0, fun r h hr hb => h1 r h hr hb c⟩⟩

/-- The derivative of a graph, as a definite bounded linear map. -/
noncomputable def Graph.deriv : {Γ : Context} → {s : Shape} → Graph R Γ s → Env R Γ →
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

/-! ## Operations -/

/-- Where a pointwise function is differentiable. -/
def Unary.SideCondition : Unary R → R → Prop
  | .sqrt, x => 0 < x
  | .inv, x => x ≠ 0
  | _, _ => True

/-- Where an operation is differentiable: its side condition on the values that it reads. -/
def Op.SideCondition {Γ : Context} {s : Shape} (ρ : Env R Γ) : Op R Γ s → Prop
  | .map f i => ∀ c, f.SideCondition (ρ.get i c)
  | _ => True

/-- The derivative of a pointwise function, given its side condition. -/
theorem Unary.hasScalarFDerivAt {ι : Type v} (f : Unary R) {F L : (ι → R) → R} {x : ι → R}
    (ok : f.SideCondition (F x)) (h : HasScalarFDerivAt F L x) :
    HasScalarFDerivAt (fun x => f.eval (F x)) (fun v => f.deriv (F x) (L v)) x := by
  cases f with
  | exp => exact h.comp (hasDerivAt_exp _)
  | sqrt =>
    have h' := hasDerivAt_sqrtClamp (a := F x) ok
    have e : 2 * sqrtClamp (F x) = sqrtClamp (F x) + sqrtClamp (F x) := by grind
    rw [e] at h'
    exact h.comp h'
  | inv => exact h.comp (hasDerivAt_inv ok)
  | tanh =>
    refine (h.comp (hasDerivAt_tanh (F x))).congr fun v => ?_
    show (1 - PostNorm.tanh (F x) * PostNorm.tanh (F x)) * L v =
      L v - PostNorm.tanh (F x) * PostNorm.tanh (F x) * L v
    clear h; grind
  | scale k => exact h.smul k
  | addConst k =>
    exact (h.add (HasScalarFDerivAt.const k)).congr fun v => by simp only [Unary.deriv]; clear h; grind

/-- The derivative of an operation, given its side condition. -/
theorem Op.hasScalarFDerivAt {Γ : Context} {s : Shape} (o : Op R Γ s) (ρ : Env R Γ)
    (ok : o.SideCondition ρ) (c : s.Coord) :
    HasScalarFDerivAt (fun ρ : Γ.Coord → R => o.eval ρ c) (fun v => o.jvp ρ v c) ρ := by
  cases o with
  | map f i => exact f.hasScalarFDerivAt (ok c) (HasScalarFDerivAt.proj _)
  | add i j => exact (HasScalarFDerivAt.proj _).add (HasScalarFDerivAt.proj _)
  | sub i j => exact (HasScalarFDerivAt.proj _).sub (HasScalarFDerivAt.proj _)
  | mul i j => exact (HasScalarFDerivAt.proj _).mul (HasScalarFDerivAt.proj _)
  | matmul i j => exact HasScalarFDerivAt.listSum _ fun l =>
      (HasScalarFDerivAt.proj _).mul (HasScalarFDerivAt.proj _)
  | view v i => exact HasScalarFDerivAt.proj _
  | sum i => exact HasScalarFDerivAt.listSum _ fun l => HasScalarFDerivAt.proj _
  | mean i => exact (HasScalarFDerivAt.listSum _ fun l => HasScalarFDerivAt.proj _).smul _

end PostNorm
