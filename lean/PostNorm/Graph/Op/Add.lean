import PostNorm.Graph.Pointwise

/-! # Addition, entry by entry

## Main definitions

* `Primitive.add`, `Op.add`. -/

namespace PostNorm
universe u w
variable {s : Shape}

/-- Entry by entry sum. -/
def Primitive.add : Primitive.{u} 0 [s, s] s where
  name := "add"
  eval _ a := fun c => a.get .here c + a.get (.there .here) c
  jvp _ _ da := fun c => da.get .here c + da.get (.there .here) c
  vjp _ _ d := env![d, d]
  adjoint _ _ da d := by
    rw [Env.dot_two]
    exact Tensor.dot_congr_add fun c => by
      show (da.get .here c + da.get (.there .here) c) * d c = _
      grind
  derivative _ _ _ _ := (HasScalarFDerivAt.proj _).add (HasScalarFDerivAt.proj _)

/-- Entry by entry sum. -/
pointwise_operation add x y := x + y

end PostNorm
