import PostNorm.Graph.Pointwise

/-! # The square root, entry by entry

## Main definitions

* `ScalarFunction.sqrtClamp`, `Primitive.sqrt`, `Op.sqrt`. -/

namespace PostNorm
universe u w
variable {s : Shape}

/-- The square root of the positive part. -/
def ScalarFunction.sqrtClamp : ScalarFunction := ⟨PostNorm.sqrtClamp, fun x => if x ≤ 0 then 0 else x.sqrt⟩

/-- The square root of the positive part of every entry. -/
def Primitive.sqrt : Primitive.{u} 0 [s] s :=
  .pointwise 0 "sqrt"
    (eval := fun _ x => ScalarFunction.sqrtClamp x)
    (deriv := fun _ x h => (ScalarFunction.sqrtClamp x + ScalarFunction.sqrtClamp x)⁻¹ * h)
    (domain := fun _ x => 0 < x)
    (linear := fun _ x h => by grind)
    (derivative := fun _ x ok => (hasDerivAt_sqrtClamp ok).congr <| by
      show _ = (PostNorm.sqrtClamp x + PostNorm.sqrtClamp x)⁻¹ * 1
      grind)

/-- The square root of the positive part of every entry. -/
pointwise_operation sqrt x := ScalarFunction.sqrtClamp x where 0 < x

end PostNorm
