import PostNorm.Calculus.Log
import PostNorm.Graph.Pointwise

/-! # The natural logarithm, entry by entry

## Main definitions

* `ScalarFunction.log`, `Primitive.log`, `Op.log`. -/

namespace PostNorm
universe u w
variable {s : Shape}

/-- The natural logarithm. -/
def ScalarFunction.log : ScalarFunction := ⟨PostNorm.log, Float.log⟩

/-- The natural logarithm of every entry. -/
def Primitive.log : Primitive.{u} 0 [s] s :=
  .pointwise 0 "log"
    (eval := fun _ x => ScalarFunction.log x)
    (deriv := fun _ x h => x⁻¹ * h)
    (domain := fun _ x => 0 < x)
    (linear := fun _ x h => by grind)
    (derivative := fun _ x ok => (hasDerivAt_log ok).congr <| by
      show _ = x⁻¹ * 1
      grind)

/-- The natural logarithm of every entry. -/
pointwise_operation log x := ScalarFunction.log x where 0 < x

end PostNorm
