import PostNorm.Calculus.OneVariable

/-! # The derivative of the positive part -/

namespace PostNorm
universe u

variable {R : Type u} [RealField R]

/-- Away from zero the positive part has the derivative one or zero. -/
theorem hasDerivAt_max_zero {x : R} (hx : x ≠ 0) :
    HasDerivAt (fun x => max x 0) (if 0 < x then 1 else 0) x := by
  by_cases hp : 0 < x
  · rw [if_pos hp]
    exact (hasDerivAt_const_mul 1 x).of_near hp (fun t ht => by rw [max_eq_left (by grind)]; grind) rfl
  · rw [if_neg hp]
    exact (HasDerivAt.const 0 x).of_near (δ := -x) (by grind) (fun t ht => max_eq_right (by grind)) rfl

end PostNorm
