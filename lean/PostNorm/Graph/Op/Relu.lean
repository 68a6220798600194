import PostNorm.Calculus.Relu
import PostNorm.Graph.Pointwise

/-! # The positive part, ReLU, entry by entry

## Main definitions

* `Scalar.relu`, `Primitive.relu`, `Op.relu`. -/

namespace PostNorm
universe u w
variable {s : Shape}

/-- The positive part of a number. -/
def Scalar.relu {α : Type u} [Scalar α] (x : α) : α := bif Scalar.lt 0 x then x else 0

/-- Over a real field it is `max x 0`, and `graph_simp` says so. -/
@[graph_op] theorem Scalar.relu_eq_max {R : Type u} [RealField R] (x : R) : Scalar.relu x = max x 0 := by
  show (bif decide (0 < x) then x else 0) = if x ≤ 0 then 0 else x
  grind

/-- Away from zero the positive part is differentiable. -/
theorem hasDerivAt_relu {R : Type u} [RealField R] {x : R} (hx : x ≠ 0) :
    HasDerivAt Scalar.relu (if 0 < x then 1 else 0) x := by
  have e : (Scalar.relu : R → R) = fun x => max x 0 := funext Scalar.relu_eq_max
  rw [e]
  exact hasDerivAt_max_zero hx

/-- The positive part of every entry. -/
def Primitive.relu : Primitive.{u} 0 [s] s :=
  .pointwise 0 "relu"
    (eval := fun _ x => Scalar.relu x)
    (deriv := fun _ x h => bif Scalar.lt 0 x then h else 0)
    (domain := fun _ x => x ≠ 0)
    (linear := fun _ x h => by
      show (bif decide (0 < x) then h else 0) = (bif decide (0 < x) then 1 else 0) * h
      grind)
    (derivative := fun _ x ok => (hasDerivAt_relu ok).congr <| by
      show (if 0 < x then 1 else 0) = bif decide (0 < x) then 1 else 0
      grind)

/-- The positive part of every entry. -/
pointwise_operation relu x := Scalar.relu x where x ≠ 0

end PostNorm
