import PostNorm.Graph.Pointwise

/-! # Addition of a constant

## Main definitions

* `Primitive.addConst`, `Op.addConst`. -/

namespace PostNorm
universe u w
variable {s : Shape}

/-- Add a constant to every entry. -/
def Primitive.addConst : Primitive.{u} 1 [s] s :=
  .pointwise 1 "addConst"
    (eval := fun k x => x + k 0)
    (deriv := fun _ _ h => h)
    (linear := fun _ x h => by grind)
    (derivative := fun k x _ => by
      refine HasDerivAt.of_quadratic (C := 1) (δ := 1) (by grind) (by grind) fun r h h0 _ hb => ?_
      have := mul_nonneg h0 h0
      show Within _ (x + h + k 0 - (x + k 0) - 1 * h)
      grind)

/-- Add a constant to every entry. -/
pointwise_operation addConst (k) x := x + k

end PostNorm
