import Descent.Loss

/-! # A step of gradient descent does not raise the loss

## Main statements

* `decrease_nonneg`: for a rate that is positive and at most the inverse square of the input.
* `rate_small_of_unit`: what is enough for the second of these. -/

namespace Descent

private theorem square_nonneg (a : Rat) : 0 ≤ a * a := by
  rcases Rat.le_total (a := 0) (b := a) with h | h
  · exact Rat.mul_nonneg h h
  · have := Rat.mul_nonneg (show 0 ≤ -a by grind) (show 0 ≤ -a by grind)
    grind

/-- **A step of gradient descent does not raise the squared loss** if its rate is positive and at most
`1 / x²`. -/
@[obligation] theorem decrease_nonneg (η w x y : Rat) (hRatePos : 0 < η) (hRateSmall : η * (x * x) ≤ 1) :
    0 ≤ decrease η w x y := by
  have rate : 0 ≤ η * (x * x) := Rat.mul_nonneg (Rat.le_of_lt hRatePos) (square_nonneg x)
  have left : 0 ≤ 1 - η * (x * x) := by grind
  have whole := Rat.mul_nonneg (Rat.mul_nonneg rate left) (square_nonneg (w * x - y))
  have key : decrease η w x y = 4 * (η * (x * x) * (1 - η * (x * x)) * ((w * x - y) * (w * x - y))) := by
    unfold decrease loss step gradient residual
    grind
  grind

/-- Inputs of at most unit size and a rate of at most 1 are enough for the second hypothesis. -/
@[discharges decrease_nonneg hRateSmall]
theorem rate_small_of_unit (η x : Rat) (hRatePos : 0 < η) (hRate : η ≤ 1) (hInput : x * x ≤ 1) :
    η * (x * x) ≤ 1 := by
  have := Rat.mul_nonneg (Rat.le_of_lt hRatePos) (show 0 ≤ 1 - x * x by grind)
  grind

end Descent
