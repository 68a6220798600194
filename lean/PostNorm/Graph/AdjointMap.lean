import PostNorm.Graph.Adjoint
import PostNorm.Graph.Correct
import PostNorm.Graph.LinearForm

/-! # The adjoint of a bounded linear map, and backpropagation

## Main definitions

* `BoundedLinearMap.adjoint L`: the transpose of a bounded linear map from inputs to output.

## Main statements

* `BoundedLinearMap.dot_adjoint`: `⟨L v, δ⟩ = ⟨v, L.adjoint δ⟩`; `BoundedLinearMap.adjoint_unique`: no other map has
  this property.
* `Graph.backprop_eq_adjoint_deriv`: backprop is the adjoint of `Graph.deriv`, always.
* `Graph.backprop_eq_adjoint_fderiv`: and of the Fréchet derivative, where every operation is correct.
* `Graph.backprop_unique`: backprop is the only adjoint of the only derivative. -/

namespace PostNorm
universe u

variable {R : Type u} [RealField R] {Γ : Context} {s : Shape}

/-- The adjoint of a bounded linear map from inputs to output: its transpose, which sends a cotangent `δ` of
the output to the cotangent `c ↦ ⟨L (unit c), δ⟩` of the inputs. -/
noncomputable def BoundedLinearMap.adjoint (L : BoundedLinearMap R Γ.Coord s.Coord) :
    BoundedLinearMap R s.Coord Γ.Coord :=
  BoundedLinearMap.pi (fun δ c => Tensor.dot (L (Env.unit c)) δ) fun c => IsLinearForm.dot (L (Env.unit c))

/-- The adjoint satisfies its defining equation. -/
theorem BoundedLinearMap.dot_adjoint (L : BoundedLinearMap R Γ.Coord s.Coord) (v : Env R Γ) (δ : Tensor R s) :
    Tensor.dot (L v) δ = Env.dot v (L.adjoint δ) := by
  have h : IsLinearForm fun v : Env R Γ => Tensor.dot (L v) δ :=
    IsLinearForm.coordSum fun c => (L.isLinearForm c).mul_right (δ c)
  exact h.eq_env_dot v

/-- There is no other adjoint. -/
theorem BoundedLinearMap.adjoint_unique (L : BoundedLinearMap R Γ.Coord s.Coord) {A : Tensor R s → Env R Γ}
    (hA : ∀ v δ, Tensor.dot (L v) δ = Env.dot v (A δ)) (δ : Tensor R s) : A δ = L.adjoint δ := by
  funext c
  rw [← Env.unit_dot c (A δ), ← hA, L.dot_adjoint, Env.unit_dot]

/-- Backprop is the adjoint of forward mode as a linear map, at every point. -/
theorem Graph.backprop_eq_adjoint_deriv (g : Graph R Γ s) (ρ : Env R Γ) (δ : Tensor R s) :
    g.backprop ρ δ = (g.deriv ρ).adjoint δ :=
  (g.deriv ρ).adjoint_unique (fun v δ => by rw [g.deriv_eq_jvp, g.adjoint]) δ

/-- **Backprop is the adjoint of the Fréchet derivative of evaluation**, wherever every operation has the
derivative that its tangent map claims. -/
theorem Graph.backprop_eq_adjoint_fderiv (g : Graph R Γ s) (ρ : Env R Γ) (h : GraphFDerivCorrectAt g ρ)
    (δ : Tensor R s) : g.backprop ρ δ = (fderiv (fun ρ : Env R Γ => g.eval ρ) ρ).adjoint δ := by
  rw [h.hasFDerivAt.fderiv, g.backprop_eq_adjoint_deriv]

/-- **Backprop is the only adjoint**: any derivative and any adjoint of it are the ones that forward and reverse mode
compute. -/
theorem Graph.backprop_unique (g : Graph R Γ s) (ρ : Env R Γ) (h : GraphFDerivCorrectAt g ρ)
    {L : BoundedLinearMap R Γ.Coord s.Coord} (hL : HasFDerivAt (fun ρ : Γ.Coord → R => g.eval ρ) L ρ)
    {A : Tensor R s → Env R Γ} (hA : ∀ v δ, Tensor.dot (L v) δ = Env.dot v (A δ)) (δ : Tensor R s) :
    A δ = g.backprop ρ δ := by
  rw [L.adjoint_unique hA, g.backprop_eq_adjoint_fderiv ρ h, hL.fderiv]

end PostNorm
