import PostNorm.Graph.Primitive

/-! # Operations: primitives applied to values in scope

An operation is a primitive, its constants, and references to its arguments.  The constants are of any type `K`:
over numbers an operation can be evaluated, over named constants it can be printed.  Everything here is stated once
for every primitive; the primitives are in `Graph/Op`, one file each.

## Main definitions

* `Op K Γ s`: operations on the values of a context.
* `Op.eval`, `Op.jvp`, `Op.vjp`: value; tangent of the result; cotangents of the inputs.
* `Op.SideCondition`: where an operation is differentiable.
* `Op.mapConst`, `Op.subst`: with other constants; with other arguments. -/

namespace PostNorm
universe u v w

/-- Operations on the values of a context, over scalars in `Type w`. -/
structure Op (K : Type u) (Γ : Context) (s : Shape) : Type (max u (w + 1)) where
  /-- The number of constants. -/
  {constants : Nat}
  /-- The shapes of the arguments. -/
  {ins : Context}
  /-- The primitive. -/
  primitive : Primitive.{w} constants ins s
  /-- The constants. -/
  const : Fin constants → K
  /-- The arguments. -/
  args : Args Γ ins

namespace Op

section
variable {K : Type u} {L : Type v} {Γ Δ : Context} {s : Shape}

/-- Replace every constant of an operation. -/
def mapConst (φ : K → L) (o : Op.{u, w} K Γ s) : Op.{v, w} L Γ s :=
  ⟨o.primitive, fun i => φ (o.const i), o.args⟩

/-- Replace every reference by the argument it stands for. -/
def subst (as : Args Γ Δ) (o : Op.{u, w} K Δ s) : Op.{u, w} K Γ s :=
  ⟨o.primitive, o.const, o.args.map fun i => as.get i⟩

private theorem pull_subst (as : Args Γ Δ) (o : Op.{u, w} K Δ s) {α : Type v} (ρ : Env α Γ) :
    (o.subst as).args.pull ρ = o.args.pull (as.pull ρ) :=
  Args.pull_map _ o.args (as.pull ρ) ρ fun i => (as.get_pull i ρ).symm

end

section
variable {α : Type u} [Scalar α] {Γ Δ : Context} {s : Shape}

/-- The value of an operation. -/
def eval (ρ : Env α Γ) (o : Op.{u, u} α Γ s) : Tensor α s := o.primitive.eval o.const (o.args.pull ρ)

/-- Forward derivative: the tangent of the result, from the tangents `dρ` of the inputs. -/
def jvp (ρ dρ : Env α Γ) (o : Op.{u, u} α Γ s) : Tensor α s :=
  o.primitive.jvp o.const (o.args.pull ρ) (o.args.pull dρ)

/-- Reverse derivative: cotangents of the inputs, from the cotangent `d` of the result. -/
def vjp (ρ : Env α Γ) (d : Tensor α s) (o : Op.{u, u} α Γ s) : Env α Γ :=
  o.args.push (o.primitive.vjp o.const (o.args.pull ρ) d)

theorem eval_subst (as : Args Γ Δ) (o : Op α Δ s) (ρ : Env α Γ) :
    (o.subst as).eval ρ = o.eval (as.pull ρ) :=
  congrArg (o.primitive.eval o.const) (pull_subst as o ρ)

theorem jvp_subst (as : Args Γ Δ) (o : Op α Δ s) (ρ dρ : Env α Γ) :
    (o.subst as).jvp ρ dρ = o.jvp (as.pull ρ) (as.pull dρ) := by
  show o.primitive.jvp o.const ((o.subst as).args.pull ρ) ((o.subst as).args.pull dρ) = _
  rw [pull_subst, pull_subst]
  rfl

end

section
variable {R : Type u} [RealField R] {Γ : Context} {s : Shape}

/-- Where an operation is differentiable: its side condition on the values that it reads. -/
def SideCondition (ρ : Env R Γ) (o : Op.{u, u} R Γ s) : Prop := o.primitive.domain o.const (o.args.pull ρ)

/-- Each operation's `vjp` is the adjoint of its `jvp`. -/
theorem adjoint (o : Op R Γ s) (ρ dρ : Env R Γ) (d : Tensor R s) :
    Tensor.dot (o.jvp ρ dρ) d = dρ.dot (o.vjp ρ d) :=
  (o.primitive.adjoint _ _ _ d).trans (o.args.adjoint dρ _)

theorem jvp_isLinearForm (o : Op R Γ s) (ρ : Env R Γ) (c : s.Coord) : IsLinearForm fun v => o.jvp ρ v c :=
  o.primitive.isLinearForm _ _ (fun c => IsLinearForm.proj (o.args.inj c)) c

/-- The derivative of an operation, given its side condition. -/
theorem hasScalarFDerivAt (o : Op R Γ s) (ρ : Env R Γ) (ok : o.SideCondition ρ) (c : s.Coord) :
    HasScalarFDerivAt (fun ρ : Γ.Coord → R => o.eval ρ c) (fun v => o.jvp ρ v c) ρ where
  linear := o.jvp_isLinearForm ρ c
  small ε hε := by
    obtain ⟨δ, h1, h2⟩ := (o.primitive.derivative _ _ ok c).small ε hε
    exact ⟨δ, h1, fun r h0 hr h hb => h2 r h0 hr (o.args.pull h) fun _ => hb _⟩

end
end Op
end PostNorm
