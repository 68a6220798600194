import PostNorm.Calculus.Normal
import PostNorm.Graph.Pointwise

/-! # The normal distribution function, entry by entry

## Main definitions

* `ScalarFunction.normalCdf`, `ScalarFunction.normalPdf`, `Primitive.normalCdf`, `Op.normalCdf`. -/

namespace PostNorm
universe u w
variable {s : Shape}

/-- The distribution function over floats: by its power series near zero, by a continued fraction in the tails. -/
def floatNormalCdf (x : Float) : Float :=
  let density := 0.3989422804014327 * Float.exp (-(x * x) / 2)
  let y := x.abs
  if y < 3 then Id.run do
    -- `Φ x = 1/2 + φ x (x + x³/3 + x⁵/(3·5) + …)`
    let mut term := x
    let mut sum := x
    for n in [1:60] do
      term := term * x * x / (2 * n.toFloat + 1)
      sum := sum + term
    return 0.5 + density * sum
  else Id.run do
    -- `1 - Φ y = φ y / (y + 1/(y + 2/(y + …)))`
    let mut tail := y
    for n in [0:60] do
      tail := y + (60 - n.toFloat) / tail
    return if x < 0 then density / tail else 1 - density / tail

/-- The distribution function of the standard normal distribution. -/
def ScalarFunction.normalCdf : ScalarFunction := ⟨PostNorm.normalCdf, floatNormalCdf⟩

/-- The density of the standard normal distribution. -/
def ScalarFunction.normalPdf : ScalarFunction :=
  ⟨PostNorm.normalPdf, fun x => 0.3989422804014327 * Float.exp (-(x * x) / 2)⟩

/-- The distribution function of the standard normal distribution of every entry. -/
def Primitive.normalCdf : Primitive.{u} 0 [s] s :=
  .pointwise 0 "normalCdf"
    (eval := fun _ x => ScalarFunction.normalCdf x)
    (deriv := fun _ x h => ScalarFunction.normalPdf x * h)
    (linear := fun _ x h => by grind)
    (derivative := fun _ x _ => (hasDerivAt_normalCdf x).congr <| by
      show _ = PostNorm.normalPdf x * 1
      grind)

/-- The distribution function of the standard normal distribution of every entry. -/
pointwise_operation normalCdf x := ScalarFunction.normalCdf x

end PostNorm
