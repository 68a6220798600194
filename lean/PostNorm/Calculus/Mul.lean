import PostNorm.Calculus.Add
import PostNorm.Calculus.Comp
import PostNorm.Calculus.Quadratic

/-! # Derivatives of multiples, differences and products

## Main statements

* `HasScalarFDerivAt.smul`, `HasScalarFDerivAt.sub`, `HasScalarFDerivAt.mul`: the product rule comes from the
  chain rule, by `4 f g = (f + g)² - (f - g)²`. -/

namespace PostNorm
universe u v w
open Lean.Grind (CommSemiring)

variable {R : Type u} [RealField R]

variable {ι : Type v} {f g F G : (ι → R) → R} {x : ι → R}

theorem HasScalarFDerivAt.smul (c : R) (hf : HasScalarFDerivAt f F x) :
    HasScalarFDerivAt (fun x => c * f x) (fun h => c * F h) x :=
  HasScalarFDerivAt.comp (hasDerivAt_const_mul c _) hf

theorem HasScalarFDerivAt.sub (hf : HasScalarFDerivAt f F x) (hg : HasScalarFDerivAt g G x) :
    HasScalarFDerivAt (fun x => f x - g x) (fun h => F h - G h) x := by
  have e : (fun x => f x - g x) = fun x => f x + -1 * g x := funext fun x => by grind
  rw [e]
  exact (hf.add (hg.smul (-1))).congr fun v => by grind

/-- Product rule, by polarisation from the chain rule and `t ↦ t²`. -/
theorem HasScalarFDerivAt.mul (hf : HasScalarFDerivAt f F x) (hg : HasScalarFDerivAt g G x) :
    HasScalarFDerivAt (fun x => f x * g x) (fun h => F h * g x + f x * G h) x := by
  have h1 := HasScalarFDerivAt.smul (1/4) (HasScalarFDerivAt.comp (hasDerivAt_sq _) (hf.add hg))
  have h2 := HasScalarFDerivAt.smul (-1/4) (HasScalarFDerivAt.comp (hasDerivAt_sq _) (hf.add (hg.smul (-1))))
  have h3 := h1.add h2
  have e : (fun x => f x * g x) = fun x => 1/4 * ((f x + g x) * (f x + g x)) +
      -1/4 * ((f x + -1 * g x) * (f x + -1 * g x)) := funext fun x => by grind
  rw [e]
  exact h3.congr fun v => by grind

theorem IsLinearForm.add_form (hF : IsLinearForm F) (hG : IsLinearForm G) :
    IsLinearForm (fun v => F v + G v) :=
  ((hF.hasScalarFDerivAt fun _ => 0).add (hG.hasScalarFDerivAt fun _ => 0)).linear

theorem IsLinearForm.sub (hF : IsLinearForm F) (hG : IsLinearForm G) :
    IsLinearForm (fun v => F v - G v) :=
  ((hF.hasScalarFDerivAt fun _ => 0).sub (hG.hasScalarFDerivAt fun _ => 0)).linear

theorem IsLinearForm.mul_left (c : R) (hF : IsLinearForm F) :
    IsLinearForm (fun v => c * F v) := ((hF.hasScalarFDerivAt fun _ => 0).smul c).linear

theorem IsLinearForm.mul_right (c : R) (hF : IsLinearForm F) :
    IsLinearForm (fun v => F v * c) := by
  have e : (fun v => F v * c) = fun v => c * F v := funext fun v => CommSemiring.mul_comm _ _
  rw [e]; exact hF.mul_left c

end PostNorm
