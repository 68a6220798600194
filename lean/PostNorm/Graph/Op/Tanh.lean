import PostNorm.Graph.Pointwise

/-! # The hyperbolic tangent, entry by entry

## Main definitions

* `ScalarFunction.tanh`, `Primitive.tanh`, `Op.tanh`. -/

namespace PostNorm
universe u w
variable {s : Shape}

/-- The hyperbolic tangent. -/
def ScalarFunction.tanh : ScalarFunction := ⟨PostNorm.tanh, Float.tanh⟩

/-- The hyperbolic tangent of every entry. -/
def Primitive.tanh : Primitive.{u} 0 [s] s :=
  .pointwise 0 "tanh"
    (eval := fun _ x => ScalarFunction.tanh x)
    (deriv := fun _ x h => h - ScalarFunction.tanh x * ScalarFunction.tanh x * h)
    (linear := fun _ x h => by grind)
    (derivative := fun _ x _ => (hasDerivAt_tanh x).congr <| by
      show _ = 1 - PostNorm.tanh x * PostNorm.tanh x * 1
      grind)

/-- The hyperbolic tangent of every entry. -/
pointwise_operation tanh x := ScalarFunction.tanh x

end PostNorm
