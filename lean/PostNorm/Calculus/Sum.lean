import PostNorm.Calculus.Mul

/-! # Derivatives of finite sums

## Main statements

* `HasScalarFDerivAt.listSum`, `IsLinearForm.listSum`. -/

namespace PostNorm
universe u v w

variable {R : Type u} [RealField R]

variable {ι : Type v} {κ : Type w} {x : ι → R}

/-- The derivative of a finite sum is the sum of the derivatives. -/
theorem HasScalarFDerivAt.listSum (l : List κ) {f F : κ → (ι → R) → R}
    (h : ∀ k, HasScalarFDerivAt (f k) (F k) x) :
    HasScalarFDerivAt (fun x => PostNorm.listSum l fun k => f k x)
      (fun v => PostNorm.listSum l fun k => F k v) x := by
  induction l with
  | nil => exact HasScalarFDerivAt.const 0
  | cons a l ih => exact (h a).add ih

theorem IsLinearForm.listSum (l : List κ) {F : κ → (ι → R) → R}
    (h : ∀ k, IsLinearForm (F k)) : IsLinearForm (fun v => PostNorm.listSum l fun k => F k v) :=
  (HasScalarFDerivAt.listSum (x := fun _ => 0) l fun k => (h k).hasScalarFDerivAt _).linear

end PostNorm
