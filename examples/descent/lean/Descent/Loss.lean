import Obligations

/-! # The squared loss of a linear prediction, and one step of gradient descent

Everything is written for any type that can add, subtract and multiply.  `#export_graph` makes a graph of the
definition that the theorem is about.

## Main definitions

* `loss`: the squared error of the prediction `w · x`; `step`: one step of gradient descent;
  `decrease`: by how much the step lowers the loss. -/

namespace Descent
variable {α : Type} [Add α] [Sub α] [Mul α]

/-- The signed error of the prediction `w · x` of `y`. -/
def residual (w x y : α) : α := w * x - y

/-- The squared error of the prediction `w · x` of `y`. -/
def loss (w x y : α) : α := residual w x y * residual w x y

/-- The derivative of `loss` in `w`. -/
def gradient (w x y : α) : α := x * residual w x y + x * residual w x y

/-- One step of gradient descent from `w`, at the rate `eta`. -/
def step (eta w x y : α) : α := w - eta * gradient w x y

/-- By how much one step lowers the loss. -/
def decrease (eta w x y : α) : α := loss w x y - loss (step eta w x y) x y

#export_graph decrease (eta := 0.25)

end Descent
