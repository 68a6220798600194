import PostNorm.Graph.Pointwise

/-! # Multiplication, entry by entry

## Main definitions

* `Primitive.mul`, `Op.mul`. -/

namespace PostNorm
universe u w
variable {s : Shape}

/-- Entry by entry product. -/
def Primitive.mul : Primitive.{u} 0 [s, s] s where
  name := "mul"
  eval _ a := fun c => a.get .here c * a.get (.there .here) c
  jvp _ a da := fun c => da.get .here c * a.get (.there .here) c + a.get .here c * da.get (.there .here) c
  vjp _ a d := env![fun c => d c * a.get (.there .here) c, fun c => d c * a.get .here c]
  adjoint _ a da d := by
    rw [Env.dot_two]
    exact Tensor.dot_congr_add fun c => by
      show (da.get .here c * a.get (.there .here) c + a.get .here c * da.get (.there .here) c) * d c =
        _ * (d c * a.get (.there .here) c) + _ * (d c * a.get .here c)
      grind
  derivative _ _ _ _ := (HasScalarFDerivAt.proj _).mul (HasScalarFDerivAt.proj _)

/-- Entry by entry product. -/
pointwise_operation mul x y := x * y

end PostNorm
