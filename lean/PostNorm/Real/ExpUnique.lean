import PostNorm.Calculus.Exp
import PostNorm.Calculus.Monotone
import PostNorm.Real.Model

/-! # The exponential function is determined by its laws

The library assumes two laws of an exponential function: the functional equation, and that its graph
lies above its tangent at zero.  On the real numbers only one function has both properties.

The proof: any function with these laws is its own derivative, so `f x * exp (-x)` has derivative zero everywhere and
is one, as at zero.

## Main statements

* `Real.exp_unique`: any function that satisfies the two laws is `Real.exp`. -/

namespace PostNorm.Real

/-- The real numbers with `f` as their exponential function. -/
@[reducible] private noncomputable def withExp {f : Real → Real} (hadd : ∀ x y, f (x + y) = f x * f y)
    (htangent : ∀ x, 1 + x ≤ f x) : RealField Real :=
  { instRealField with exp := f, exp_add := hadd, one_add_le_exp := htangent }

/-- The exponential function is unique: a function that turns sums into products and whose graph
lies above the line `1 + x` is `exp`. -/
theorem exp_unique {f : Real → Real} (hadd : ∀ x y, f (x + y) = f x * f y)
    (htangent : ∀ x, 1 + x ≤ f x) : f = exp := by
  have hf (x : Real) : HasDerivAt f (f x) x := @hasDerivAt_exp Real (withExp hadd htangent) x
  have hf0 : f 0 = 1 := @PostNorm.exp_zero Real (withExp hadd htangent)
  have he (x : Real) := (hasDerivAt_exp (-1 * x)).comp (hasDerivAt_const_mul (-1) x)
  funext x
  have h1 := sub_eq_sub_of_deriv_eq (fun y => ((hf y).mul (he y)).of_eq (e := 0) (fun _ => rfl) (by grind))
    (fun y => HasDerivAt.const 0 y) 0 x
  have h2 := RealField.exp_add x (-1 * x)
  rw [show x + -1 * x = 0 by grind, PostNorm.exp_zero] at h2
  rw [hf0, show (-1 : Real) * 0 = 0 by grind, PostNorm.exp_zero] at h1
  rw [← realField_exp x]
  generalize RealField.exp x = a at *
  generalize RealField.exp (-1 * x) = b at *
  grind

end PostNorm.Real
