import PostNorm.Calculus.Mul
import PostNorm.Calculus.Pi

/-! # Derivatives of multiples, differences and products, coordinate by coordinate

## Main definitions

* `BoundedLinearMap.smul`, `BoundedLinearMap.sub`: a multiple, and a difference, of bounded linear maps.
* `BoundedLinearMap.mulDeriv`: the derivative of a pointwise product, `v ↦ F v * b + a * G v`.

## Main statements

* `HasFDerivAt.const_smul`, `HasFDerivAt.sub`: a constant times a function; a difference.
* `HasFDerivAt.mul`: the pointwise product of two functions.
* `HasFDerivAt.smul`: a scalar-valued function times a function. -/

namespace PostNorm
universe u v w

variable {R : Type u} [RealField R] {ι : Type v} {κ : Type w} [FiniteIndex κ] {f g : (ι → R) → κ → R}
  {F G : BoundedLinearMap R ι κ} {x : ι → R}

/-- A multiple of a bounded linear map. -/
def BoundedLinearMap.smul (c : R) (F : BoundedLinearMap R ι κ) : BoundedLinearMap R ι κ :=
  BoundedLinearMap.pi (fun v k => c * F v k) fun k => (F.isLinearForm k).mul_left c

/-- The derivative of a constant multiple. -/
theorem HasFDerivAt.const_smul (c : R) (hf : HasFDerivAt f F x) : HasFDerivAt (fun x k => c * f x k) (F.smul c) x :=
  HasFDerivAt.pi fun k => (hf.hasScalarFDerivAt k).smul c

/-- The difference of two bounded linear maps. -/
def BoundedLinearMap.sub (F G : BoundedLinearMap R ι κ) : BoundedLinearMap R ι κ :=
  BoundedLinearMap.pi (fun v k => F v k - G v k) fun k => (F.isLinearForm k).sub (G.isLinearForm k)

/-- The derivative of a difference is the difference of the derivatives. -/
theorem HasFDerivAt.sub (hf : HasFDerivAt f F x) (hg : HasFDerivAt g G x) :
    HasFDerivAt (fun x k => f x k - g x k) (F.sub G) x :=
  HasFDerivAt.pi fun k => (hf.hasScalarFDerivAt k).sub (hg.hasScalarFDerivAt k)

/-- The derivative of a pointwise product of functions with values `a`, `b` and derivatives `F`, `G`. -/
def BoundedLinearMap.mulDeriv (a b : κ → R) (F G : BoundedLinearMap R ι κ) : BoundedLinearMap R ι κ :=
  BoundedLinearMap.pi (fun v k => F v k * b k + a k * G v k) fun k =>
    ((F.isLinearForm k).mul_right (b k)).add_form ((G.isLinearForm k).mul_left (a k))

/-- The product rule, for pointwise products. -/
theorem HasFDerivAt.mul (hf : HasFDerivAt f F x) (hg : HasFDerivAt g G x) :
    HasFDerivAt (fun x k => f x k * g x k) (BoundedLinearMap.mulDeriv (f x) (g x) F G) x :=
  HasFDerivAt.pi fun k => (hf.hasScalarFDerivAt k).mul (hg.hasScalarFDerivAt k)

/-- The product rule for a scalar-valued function `c`, given as a function with all coordinates equal, and `f`. -/
theorem HasFDerivAt.smul {c C : (ι → R) → R} (hc : HasScalarFDerivAt c C x) (hf : HasFDerivAt f F x) :
    HasFDerivAt (fun x k => c x * f x k)
      (BoundedLinearMap.mulDeriv (fun _ => c x) (f x) (BoundedLinearMap.pi (fun v _ => C v) fun _ => hc.linear) F)
      x :=
  HasFDerivAt.pi fun k => hc.mul (hf.hasScalarFDerivAt k)

end PostNorm
