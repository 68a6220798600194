import PostNorm.Calculus.Inv
import PostNorm.Calculus.Smul

/-! # Derivatives of inverses and quotients

## Main definitions

* `BoundedLinearMap.divDeriv`: the derivative of a pointwise quotient, `v ↦ (F v * b - a * G v) / b²`.

## Main statements

* `HasScalarFDerivAt.inv`, `HasScalarFDerivAt.div`: scalar-valued functions.
* `HasFDerivAt.div`: the pointwise quotient of two functions. -/

namespace PostNorm
universe u v w
open Lean.Grind

variable {R : Type u} [RealField R] {ι : Type v} {κ : Type w}

section
variable {f g F G : (ι → R) → R} {x : ι → R}

/-- The derivative of an inverse, where it is not the inverse of zero. -/
theorem HasScalarFDerivAt.inv (hg : HasScalarFDerivAt g G x) (hne : g x ≠ 0) :
    HasScalarFDerivAt (fun x => (g x)⁻¹) (fun v => -((g x)⁻¹ * (g x)⁻¹) * G v) x :=
  HasScalarFDerivAt.comp (hasDerivAt_inv hne) hg

/-- The quotient rule. -/
theorem HasScalarFDerivAt.div (hf : HasScalarFDerivAt f F x) (hg : HasScalarFDerivAt g G x) (hne : g x ≠ 0) :
    HasScalarFDerivAt (fun x => f x / g x) (fun v => (F v * g x - f x * G v) / (g x * g x)) x := by
  have e : (fun x => f x / g x) = fun x => f x * (g x)⁻¹ := funext fun x => Field.div_eq_mul_inv _ _
  rw [e]
  refine (hf.mul (hg.inv hne)).congr fun v => ?_
  clear hf hg e
  generalize f x = a at *
  generalize g x = b at *
  generalize F v = s at *
  generalize G v = t at *
  grind

end

variable [FiniteIndex κ]

/-- The derivative of a pointwise quotient of functions with values `a`, `b` and derivatives `F`, `G`. -/
def BoundedLinearMap.divDeriv (a b : κ → R) (F G : BoundedLinearMap R ι κ) : BoundedLinearMap R ι κ :=
  BoundedLinearMap.pi (fun v k => (F v k * b k - a k * G v k) / (b k * b k)) fun k => by
    have h := (((F.isLinearForm k).mul_right (b k)).sub ((G.isLinearForm k).mul_left (a k))).mul_right
      (b k * b k)⁻¹
    have e : (fun v => (F v k * b k - a k * G v k) / (b k * b k)) =
        fun v => (F v k * b k - a k * G v k) * (b k * b k)⁻¹ := funext fun v => Field.div_eq_mul_inv _ _
    rw [e]; exact h

/-- The quotient rule, for pointwise quotients. -/
theorem HasFDerivAt.div {f g : (ι → R) → κ → R} {F G : BoundedLinearMap R ι κ} {x : ι → R}
    (hf : HasFDerivAt f F x) (hg : HasFDerivAt g G x) (hne : ∀ k, g x k ≠ 0) :
    HasFDerivAt (fun x k => f x k / g x k) (BoundedLinearMap.divDeriv (f x) (g x) F G) x :=
  HasFDerivAt.pi fun k => (hf.hasScalarFDerivAt k).div (hg.hasScalarFDerivAt k) (hne k)

end PostNorm
