import PostNorm.Graph.Pointwise

/-! # The inverse, entry by entry

## Main definitions

* `Primitive.inv`, `Op.inv`. -/

namespace PostNorm
universe u w
variable {s : Shape}

/-- The inverse of every entry. -/
def Primitive.inv : Primitive.{u} 0 [s] s :=
  .pointwise 0 "inv"
    (eval := fun _ x => x⁻¹)
    (deriv := fun _ x h => -(x⁻¹ * x⁻¹) * h)
    (domain := fun _ x => x ≠ 0)
    (linear := fun _ x h => by grind)
    (derivative := fun _ x ok => (hasDerivAt_inv ok).congr <| by
      show _ = -(x⁻¹ * x⁻¹) * 1
      grind)

/-- The inverse of every entry. -/
pointwise_operation inv x := x⁻¹ where x ≠ 0

end PostNorm
