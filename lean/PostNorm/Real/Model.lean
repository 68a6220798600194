import PostNorm.Field.Basic
import PostNorm.Real.Exp
import PostNorm.Real.Sqrt

/-! # The real numbers satisfy the laws of the library

## Main statements

* The instance `PostNorm.RealField Real`: theorems over every `RealField` hold for the real
  numbers.
* `Real.realField_sqrt`, `Real.realField_exp`: its square root and exponential are the ones
  constructed here. -/

namespace PostNorm

/-- The real numbers are an ordered field with a square root and an exponential. -/
noncomputable instance Real.instRealField : RealField Real where
  sqrt := Real.sqrt
  sqrt_nonneg := Real.sqrt_nonneg
  mul_self_sqrt := Real.mul_self_sqrt
  exp := Real.exp
  exp_add := Real.exp_add
  one_add_le_exp := Real.one_add_le_exp

@[simp, grind =] theorem Real.realField_sqrt (x : Real) : RealField.sqrt x = Real.sqrt x := rfl

@[simp, grind =] theorem Real.realField_exp (x : Real) : RealField.exp x = Real.exp x := rfl

end PostNorm
