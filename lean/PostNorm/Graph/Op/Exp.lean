import PostNorm.Graph.Pointwise

/-! # The exponential function, entry by entry

## Main definitions

* `ScalarFunction.exp`, `Primitive.exp`, `Op.exp`. -/

namespace PostNorm
universe u w
variable {s : Shape}

/-- The exponential function. -/
def ScalarFunction.exp : ScalarFunction := ⟨RealField.exp, Float.exp⟩

/-- The exponential of every entry. -/
def Primitive.exp : Primitive.{u} 0 [s] s :=
  .pointwise 0 "exp"
    (eval := fun _ x => ScalarFunction.exp x)
    (deriv := fun _ x h => ScalarFunction.exp x * h)
    (linear := fun _ x h => by grind)
    (derivative := fun _ x _ => (hasDerivAt_exp x).congr <| by
      show _ = RealField.exp x * 1
      grind)

/-- The exponential of every entry. -/
pointwise_operation exp x := ScalarFunction.exp x

end PostNorm
