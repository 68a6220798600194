import PostNorm.Calculus.Mul
import PostNorm.Calculus.Pi

/-! # Derivatives of scalar multiples and of pointwise products

## Main definitions

* `BoundedLinearMap.smul`: a multiple of a bounded linear map.
* `BoundedLinearMap.mulDeriv`: the derivative of a pointwise product, `v ↦ F v * b + a * G v`.

## Main statements

* `HasFDerivAt.const_smul`: a constant times a function.
* `HasFDerivAt.mul`: the pointwise product of two functions.
* `HasFDerivAt.smul`: a scalar-valued function times a function. -/

namespace PostNorm
universe u v w

variable {R : Type u} [RealField R] {ι : Type v} {κ : Type w}

/-- A multiple of a bounded linear map. -/
def BoundedLinearMap.smul (c : R) (F : BoundedLinearMap R ι κ) : BoundedLinearMap R ι κ where
  toFun h k := c * F h k
  map_add x y k := by rw [F.map_add]; grind
  map_smul a x k := by rw [F.map_smul]; grind
  bounded := by
    obtain ⟨C, hC, hF⟩ := F.bounded
    refine ⟨abs c * C, mul_nonneg (abs_nonneg c) hC, fun r h h0 hb k => ?_⟩
    have := (Within.self_abs c).mul (hF _ _ h0 hb k)
    rw [Lean.Grind.Semiring.mul_assoc]; exact this

/-- The derivative of a constant multiple. -/
theorem HasFDerivAt.const_smul (c : R) {f : (ι → R) → κ → R} {F : BoundedLinearMap R ι κ} {x : ι → R}
    (hf : HasFDerivAt f F x) : HasFDerivAt (fun x k => c * f x k) (F.smul c) x := by
  intro ε hε
  have ha := abs_nonneg c
  obtain ⟨d, hd, h⟩ := hf (ε / (abs c + 1)) (div_pos hε (by grind))
  refine ⟨d, hd, fun r h0 hr v hb k => ?_⟩
  have e := (Within.self_abs c).mul (h r h0 hr v hb k)
  clear h
  generalize hη : ε / (abs c + 1) = η at e
  have k1 : η * (abs c + 1) = ε := by grind
  have k2 : 0 ≤ η * r := mul_nonneg (by rw [← hη]; exact Std.le_of_lt (div_pos hε (by grind))) h0
  have k3 := e.mono (show abs c * (η * r) ≤ ε * r by
    have : ε * r = abs c * (η * r) + η * r := by rw [← k1]; clear e; grind
    clear e; grind)
  show Within _ (c * f _ k - c * f x k - c * F v k)
  have k4 : c * f (fun i => x i + v i) k - c * f x k - c * F v k =
    c * (f (fun i => x i + v i) k - f x k - F v k) := by clear k3 e; grind
  rw [k4]; exact k3

variable [FiniteIndex κ]

/-- The derivative of a pointwise product of functions with values `a`, `b` and derivatives `F`, `G`. -/
def BoundedLinearMap.mulDeriv (a b : κ → R) (F G : BoundedLinearMap R ι κ) : BoundedLinearMap R ι κ :=
  BoundedLinearMap.pi (fun v k => F v k * b k + a k * G v k) fun k =>
    ((F.isLinearForm k).mul_right (b k)).add_form ((G.isLinearForm k).mul_left (a k))

/-- The product rule, for pointwise products. -/
theorem HasFDerivAt.mul {f g : (ι → R) → κ → R} {F G : BoundedLinearMap R ι κ} {x : ι → R}
    (hf : HasFDerivAt f F x) (hg : HasFDerivAt g G x) :
    HasFDerivAt (fun x k => f x k * g x k) (BoundedLinearMap.mulDeriv (f x) (g x) F G) x :=
  HasFDerivAt.pi fun k => (hf.hasScalarFDerivAt k).mul (hg.hasScalarFDerivAt k)

/-- The product rule for a scalar-valued function `c`, given as a function with all coordinates alike, and `f`. -/
theorem HasFDerivAt.smul {c : (ι → R) → R} {C : (ι → R) → R} {f : (ι → R) → κ → R}
    {F : BoundedLinearMap R ι κ} {x : ι → R} (hc : HasScalarFDerivAt c C x) (hf : HasFDerivAt f F x) :
    HasFDerivAt (fun x k => c x * f x k)
      (BoundedLinearMap.mulDeriv (fun _ => c x) (f x) (BoundedLinearMap.pi (fun v _ => C v) fun _ => hc.linear) F)
      x :=
  HasFDerivAt.pi fun k => hc.mul (hf.hasScalarFDerivAt k)

end PostNorm
