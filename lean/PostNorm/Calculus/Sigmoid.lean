import PostNorm.Calculus.Exp
import PostNorm.Calculus.Inv
import PostNorm.Calculus.OneVariable
import PostNorm.Field.Sigmoid

/-! # The derivative of the logistic function -/

namespace PostNorm
universe u
open RealField
open Lean.Grind (Field)

variable {R : Type u} [RealField R]

/-- The derivative of the logistic function `s` is `s (1 - s)`. -/
theorem hasDerivAt_sigmoid (x : R) : HasDerivAt sigmoid (sigmoid x * (1 - sigmoid x)) x := by
  have h1 : HasDerivAt (fun t : R => 1 + exp (-1 * t)) (0 + exp (-1 * x) * -1) x :=
    (HasDerivAt.const 1 x).add ((hasDerivAt_exp (-1 * x)).comp (g := fun t => -1 * t) (hasDerivAt_const_mul (-1) x))
  have hne : 1 + exp (-1 * x) ≠ 0 := by have := exp_pos (-1 * x); grind
  refine (HasDerivAt.comp (g := fun t => 1 + exp (-1 * t)) (hasDerivAt_inv hne) h1).of_eq (fun t => ?_) ?_
  · rw [sigmoid]; congr 2; congr 1; grind
  · show sigmoid x * (1 - sigmoid x) = -((1 + exp (-1 * x))⁻¹ * (1 + exp (-1 * x))⁻¹) * (0 + exp (-1 * x) * -1)
    rw [sigmoid, show -x = -1 * x by grind]
    clear h1
    generalize exp (-1 * x) = e at *
    have k : (1 + e) * (1 + e)⁻¹ = 1 := Field.mul_inv_cancel hne
    generalize (1 + e)⁻¹ = z at *
    grind

end PostNorm
