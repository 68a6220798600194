import PostNorm.Graph.Pointwise

/-! # Subtraction, entry by entry

## Main definitions

* `Primitive.sub`, `Op.sub`. -/

namespace PostNorm
universe u w
variable {s : Shape}

/-- Entry by entry difference. -/
def Primitive.sub : Primitive.{u} 0 [s, s] s where
  name := "sub"
  eval _ a := fun c => a.get .here c - a.get (.there .here) c
  jvp _ _ da := fun c => da.get .here c - da.get (.there .here) c
  vjp _ _ d := env![d, fun c => -d c]
  adjoint _ _ da d := by
    rw [Env.dot_two]
    exact Tensor.dot_congr_add fun c => by
      show (da.get .here c - da.get (.there .here) c) * d c = _ + _ * -d c
      grind
  derivative _ _ _ _ := (HasScalarFDerivAt.proj _).sub (HasScalarFDerivAt.proj _)

/-- Entry by entry difference. -/
pointwise_operation sub x y := x - y

end PostNorm
