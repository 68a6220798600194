import PostNorm.Real.Basic

/-! # The real numbers are a field

## Main definitions

* `Real.inv x`: the inverse of `x`, with `0⁻¹ = 0`.

## Main statements

* `Real.exists_mul_eq_one`: every real number other than zero has an inverse.
* The instance `Lean.Grind.Field Real`. -/

namespace PostNorm.Real
open Lean.Grind

/-- A positive real number has an inverse: invert a Cauchy sequence for it term by term. -/
theorem exists_mul_eq_one_of_pos : ∀ x : Real, 0 < x → ∃ y, x * y = 1 := by
  refine ind fun a ha hx => ?_
  obtain ⟨d, hd, hda⟩ := zero_lt_mk.mp hx
  have hda' : Eventually fun n => d ≤ a n := hda.mono fun _ h => by grind
  refine ⟨mk _ (ha.inv hd hda'), mk_eq_mk.mpr fun e he => hda'.mono fun n hn => ?_⟩
  show Rat.Within e (a n * (a n)⁻¹ - 1)
  rw [Rat.mul_inv_cancel (a n) (by grind)]
  grind

/-- Every real number other than zero has an inverse. -/
theorem exists_mul_eq_one {x : Real} (hx : x ≠ 0) : ∃ y, x * y = 1 := by
  by_cases hpos : 0 < x
  · exact exists_mul_eq_one_of_pos x hpos
  · obtain ⟨y, hy⟩ := exists_mul_eq_one_of_pos (-x) (by grind)
    exact ⟨-y, by grind⟩

open Classical in
/-- The inverse of a real number; the inverse of zero is zero. -/
protected noncomputable def inv (x : Real) : Real :=
  if hx : x = 0 then 0 else (exists_mul_eq_one hx).choose

noncomputable instance : Inv Real := ⟨Real.inv⟩
noncomputable instance : Div Real := ⟨fun x y => x * y⁻¹⟩

protected theorem inv_zero : (0 : Real)⁻¹ = 0 := dif_pos rfl

protected theorem mul_inv_cancel {x : Real} (hx : x ≠ 0) : x * x⁻¹ = 1 := by
  have h : x⁻¹ = (exists_mul_eq_one hx).choose := dif_neg hx
  rw [h]
  exact (exists_mul_eq_one hx).choose_spec

protected theorem zero_ne_one : (0 : Real) ≠ 1 := by
  have : (0 : Real) < 1 := OrderedRing.zero_lt_one
  grind

protected theorem inv_one : (1 : Real)⁻¹ = 1 := by
  have := Real.mul_inv_cancel Real.zero_ne_one.symm
  grind

protected theorem inv_inv (x : Real) : x⁻¹⁻¹ = x := by
  by_cases hx : x = 0
  · rw [hx, Real.inv_zero, Real.inv_zero]
  · have h1 := Real.mul_inv_cancel hx
    have hx' : x⁻¹ ≠ 0 := fun h => Real.zero_ne_one (by rw [← h1, h]; grind)
    have h2 := Real.mul_inv_cancel hx'
    calc x⁻¹⁻¹ = x * x⁻¹ * x⁻¹⁻¹ := by rw [h1]; grind
      _ = x * (x⁻¹ * x⁻¹⁻¹) := by grind
      _ = x := by rw [h2]; grind

/-- Integer powers. -/
protected noncomputable def zpow (x : Real) : Int → Real
  | .ofNat n => x ^ n
  | .negSucc n => (x ^ (n + 1))⁻¹

noncomputable instance : HPow Real Int Real := ⟨Real.zpow⟩

/-- The real numbers are a field. -/
noncomputable instance : Field Real where
  div_eq_mul_inv _ _ := rfl
  zero_ne_one := Real.zero_ne_one
  inv_zero := Real.inv_zero
  mul_inv_cancel := Real.mul_inv_cancel
  zpow_zero _ := rfl
  zpow_succ _ _ := rfl
  zpow_neg _
    | .ofNat 0 => Real.inv_one.symm
    | .ofNat (_ + 1) => rfl
    | .negSucc _ => (Real.inv_inv _).symm

end PostNorm.Real
