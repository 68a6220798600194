/-! # The squared loss of a linear prediction, and one step of gradient descent

Everything is written for any type that can add, subtract and multiply: over the rational numbers theorems
speak of it, over symbols it is exported (`Descent.Export`).

## Main definitions

* `loss`: the squared error of the prediction `w · x`; `step`: one step of gradient descent;
  `decrease`: by how much the step lowers the loss. -/

namespace Descent
variable {α : Type} [Add α] [Sub α] [Mul α]

/-- What the prediction `w · x` lacks to `y`, with its sign. -/
def residual (w x y : α) : α := w * x - y

/-- The squared error of the prediction `w · x` of `y`. -/
def loss (w x y : α) : α := residual w x y * residual w x y

/-- The derivative of `loss` in `w`. -/
def gradient (w x y : α) : α := x * residual w x y + x * residual w x y

/-- One step of gradient descent from `w`, at the rate `η`. -/
def step (η w x y : α) : α := w - η * gradient w x y

/-- By how much one step lowers the loss. -/
def decrease (η w x y : α) : α := loss w x y - loss (step η w x y) x y

end Descent
