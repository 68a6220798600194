import PostNorm.Calculus.Normal
import PostNorm.Calculus.Quadratic
import PostNorm.Calculus.Tanh
import PostNorm.Calculus.Unique
import PostNorm.Layers.Gelu

/-! # The slope of tanh-GELU is a number: `√(2 / π)`

Tanh-GELU replaces the normal distribution function `Φ x` by `(1 + tanh (k * (x + a * x³))) / 2`.  Its slope is
`k = √(2 / π) = 2 * φ 0`, twice the standard normal density at zero, `φ 0 = 1 / √(2π)`.  The density's factor is fixed
by the limits of `Φ`, zero and one, so nothing about `π` is needed; and the slope is the one number with which
both functions have the same tangent at zero.

## Main definitions

* `geluSlope`; `GeluConstants.usual`: GELU's usual constants, `1/2`, `1`, `√(2 / π)` and `0.044715`.

## Main statements

* `Spec.gelu_usual`; `geluSlope_pos`; `tanhGate_zero`, `hasDerivAt_tanhGate_iff`: what determines the slope.

## Sources

* Hendrycks, Gimpel, *Gaussian error linear units*, arXiv:1606.08415, section 2. -/

namespace PostNorm
universe u
open Lean.Grind
variable {R : Type u} [RealField R]

/-- The slope of tanh-GELU, `√(2 / π)`: twice the standard normal density at zero. -/
noncomputable def geluSlope : R := 2 * normalPdf 0

/-- The usual constants of tanh-GELU: one half, one, `√(2 / π)`, `0.044715`. -/
noncomputable def GeluConstants.usual : GeluConstants R := GeluConstants.standard geluSlope

/-- With the usual constants, tanh-GELU is `x / 2 * (1 + tanh (√(2 / π) * (x + 0.044715 * x³)))`. -/
theorem Spec.gelu_usual (x : R) : Spec.gelu GeluConstants.usual x =
    x / 2 * (1 + tanh (geluSlope * (x + 44715 / 1000000 * (x * x * x)))) := Spec.gelu_standard geluSlope x

/-- The slope is positive. -/
theorem geluSlope_pos : 0 < (geluSlope : R) := by
  have h1 := inv_pos (show 0 < 2 * (bellHalf : R) by have := bellHalf_pos (R := R); grind)
  have h2 := mul_pos h1 (bell_pos (0 : R))
  unfold geluSlope normalPdf
  grind

/-- Tanh-GELU's replacement for the normal distribution function. -/
noncomputable def tanhGate (a k x : R) : R := (tanh (k * (x + a * (x * x * x))) + 1) / 2

private theorem tanh_zero : tanh (0 : R) = 0 := by
  unfold tanh
  rw [show -(0 : R) = 0 by grind, Field.div_eq_mul_inv]
  grind

/-- It has derivative `k / 2` at zero. -/
theorem hasDerivAt_tanhGate (a k : R) : HasDerivAt (tanhGate a k) (k / 2) 0 := by
  have cube : HasDerivAt (fun t : R => t * t * (1 * t)) (2 * 0 * (1 * 0) + 0 * 0 * 1) 0 :=
    (hasDerivAt_sq 0).mul (hasDerivAt_const_mul 1 0)
  have inner : HasDerivAt (fun t : R => k * (1 * t + a * (t * t * (1 * t))))
      (k * (1 + a * (2 * 0 * (1 * 0) + 0 * 0 * 1))) 0 :=
    ((hasDerivAt_const_mul 1 0).add (cube.const_mul a)).const_mul k
  refine (((HasDerivAt.comp (hasDerivAt_tanh _) inner).add (HasDerivAt.const 1 0)).const_mul (1 / 2)).of_eq
    (fun t => ?_) ?_
  · unfold tanhGate
    rw [show k * (1 * t + a * (t * t * (1 * t))) = k * (t + a * (t * t * t)) by grind]
    generalize tanh (k * (t + a * (t * t * t))) = y
    grind
  · rw [show k * (1 * 0 + a * (0 * 0 * (1 * 0))) = (0 : R) by grind, tanh_zero]
    grind

/-- At zero it is one half, as the normal distribution function is. -/
theorem tanhGate_zero (a k : R) : tanhGate a k 0 = normalCdf 0 := by
  unfold tanhGate
  rw [show k * (0 + a * (0 * 0 * 0)) = (0 : R) by grind, tanh_zero, normalCdf_zero]
  grind

/-- The usual slope is the only one with which tanh-GELU's gate has the tangent of the normal distribution function at
zero. -/
theorem hasDerivAt_tanhGate_iff (a k : R) : HasDerivAt (tanhGate a k) (normalPdf 0) 0 ↔ k = geluSlope := by
  unfold geluSlope
  constructor
  · intro h
    have := (hasDerivAt_tanhGate a k).unique h
    grind
  · intro h
    exact (hasDerivAt_tanhGate a k).of_eq (fun _ => rfl) (by grind)

end PostNorm
