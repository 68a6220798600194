import PostNorm.Field.Exp

/-! # The logistic function

## Main definitions

* `sigmoid x`: `1 / (1 + exp (-x))`. -/

namespace PostNorm
universe u
open RealField

variable {R : Type u} [RealField R]

/-- The logistic function. -/
def sigmoid (x : R) : R := (1 + exp (-x))⁻¹

end PostNorm
