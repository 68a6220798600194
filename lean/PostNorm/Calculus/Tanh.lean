import PostNorm.Calculus.Exp
import PostNorm.Calculus.Inv
import PostNorm.Calculus.Mul

/-! # The derivative of the hyperbolic tangent -/

namespace PostNorm
universe u v w
open RealField
open Lean.Grind (Semiring Field CommSemiring)

variable {R : Type u} [RealField R]

/-- The derivative of the hyperbolic tangent is `1 - tanh²`, by the chain rule from that of `exp`. -/
theorem hasDerivAt_tanh (a : R) : HasDerivAt tanh (1 - tanh a * tanh a) a := by
  apply HasScalarFDerivAt.hasDerivAt
  have h0 : exp (2 * a) + 1 ≠ 0 := by have := exp_pos (2 * a); grind
  have h1 : HasScalarFDerivAt (fun x : Unit → R => exp (2 * x ()) + 1)
      (fun v => exp (2 * a) * (2 * v ()) + 0) fun _ => a :=
    (HasScalarFDerivAt.comp (hasDerivAt_exp (2 * a)) ((HasScalarFDerivAt.proj ()).smul (2 : R))).add
      (HasScalarFDerivAt.const (1 : R))
  have h2 := (HasScalarFDerivAt.const (1 : R)).sub
    ((HasScalarFDerivAt.comp (hasDerivAt_inv (a := exp (2 * a) + 1) h0) h1).smul 2)
  have e : (fun x : Unit → R => tanh (x ())) = fun x => 1 - 2 * (exp (2 * x ()) + 1)⁻¹ :=
    funext fun x => tanh_eq _
  rw [e]
  refine h2.congr fun v => ?_
  rw [tanh_eq]
  clear h1 h2 e
  generalize exp (2 * a) = y at *
  generalize v () = t
  have k : (y + 1) * (y + 1)⁻¹ = 1 := Field.mul_inv_cancel h0
  generalize (y + 1)⁻¹ = z at *
  grind

end PostNorm
