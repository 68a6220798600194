import PostNorm.Calculus.Sigmoid
import PostNorm.Graph.Pointwise

/-! # The logistic function, entry by entry

## Main definitions

* `ScalarFunction.sigmoid`, `Primitive.sigmoid`, `Op.sigmoid`. -/

namespace PostNorm
universe u w
variable {s : Shape}

/-- The logistic function. -/
def ScalarFunction.sigmoid : ScalarFunction := ⟨PostNorm.sigmoid, fun x => 1 / (1 + Float.exp (-x))⟩

/-- The logistic function of every entry. -/
def Primitive.sigmoid : Primitive.{u} 0 [s] s :=
  .pointwise 0 "sigmoid"
    (eval := fun _ x => ScalarFunction.sigmoid x)
    (deriv := fun _ x h => ScalarFunction.sigmoid x * h - ScalarFunction.sigmoid x * ScalarFunction.sigmoid x * h)
    (linear := fun _ x h => by grind)
    (derivative := fun _ x _ => (hasDerivAt_sigmoid x).congr <| by
      show _ = PostNorm.sigmoid x * 1 - PostNorm.sigmoid x * PostNorm.sigmoid x * 1
      grind)

/-- The logistic function of every entry. -/
pointwise_operation sigmoid x := ScalarFunction.sigmoid x

end PostNorm
