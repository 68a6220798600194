import PostNorm.Calculus.Inv

/-! # The derivative of the hyperbolic tangent -/

namespace PostNorm
universe u v w
open RealField
open Lean.Grind (Field)

variable {R : Type u} [RealField R]

/-- The derivative of the hyperbolic tangent is `1 - tanh²`, by the chain rule from that of `exp`. -/
theorem hasDerivAt_tanh (a : R) : HasDerivAt tanh (1 - tanh a * tanh a) a := by
  have h0 : exp (2 * a) + 1 ≠ 0 := by have := exp_pos (2 * a); grind
  have h : HasDerivAt (fun t => exp (2 * t) + 1) (exp (2 * a) * 2 + 0) a :=
    ((hasDerivAt_exp (2 * a)).comp (hasDerivAt_const_mul 2 a)).add (HasDerivAt.const 1 a)
  have h1 := (((hasDerivAt_inv h0).comp (g := fun t => exp (2 * t) + 1) h).const_mul (-2)).add (HasDerivAt.const 1 a)
  refine h1.of_eq (fun t => by rw [tanh_eq]; grind) ?_
  rw [tanh_eq]
  clear h h1
  generalize exp (2 * a) = y at *
  have k : (y + 1) * (y + 1)⁻¹ = 1 := Field.mul_inv_cancel h0
  generalize (y + 1)⁻¹ = z at *
  grind

end PostNorm
