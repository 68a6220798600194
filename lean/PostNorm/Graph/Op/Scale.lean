import PostNorm.Graph.Pointwise

/-! # Multiplication by a constant

## Main definitions

* `Primitive.scale`, `Op.scale`. -/

namespace PostNorm
universe u w
variable {s : Shape}

/-- Multiply every entry by a constant. -/
def Primitive.scale : Primitive.{u} 1 [s] s :=
  .pointwise 1 "scale"
    (eval := fun k x => k 0 * x)
    (deriv := fun k _ h => k 0 * h)
    (linear := fun k x h => by grind)
    (derivative := fun k x _ => (hasDerivAt_const_mul (k 0) x).congr <| by
      show _ = k 0 * 1
      grind)

/-- Multiply every entry by a constant. -/
pointwise_operation scale (k) x := k * x

end PostNorm
