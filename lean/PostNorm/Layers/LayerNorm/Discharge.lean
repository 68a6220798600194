import PostNorm.Layers.LayerNorm.Derivative
import PostNorm.Layers.LayerNorm.Spec

/-! # LayerNorm's side conditions, from `0 < ε`

## Main statements

* `layerNorm_varEps_pos`, `layerNorm_std_ne_zero`: both side conditions hold at every input when `0 < ε`.
* `layerNorm_std_ne_zero_iff`: each side condition implies the other.
* `layerNorm_hasFDerivAt_of_pos`, `layerNorm_backprop_eq_adjoint_fderiv_of_pos`: the theorems with no hypothesis
  except `0 < ε`. -/

namespace PostNorm
universe u
open Lean.Grind
attribute [local instance] Semiring.natCast

variable {R : Type u} [RealField R] {seqLen dModel : Nat}

/-- A mean of nonnegative numbers is nonnegative. -/
theorem Spec.mean_nonneg {n : Nat} (x : Fin n → R) (h : ∀ j, 0 ≤ x j) : 0 ≤ Spec.mean x := by
  unfold Spec.mean
  rw [Field.div_eq_mul_inv]
  exact mul_nonneg (finSum_nonneg n x h) (inv_nonneg (natCast_nonneg n))

/-- A variance is nonnegative. -/
theorem Spec.variance_nonneg {n : Nat} (x : Fin n → R) : 0 ≤ Spec.variance x :=
  Spec.mean_nonneg _ fun _ => mul_self_nonneg _

/-- If `0 < ε`, then `var + ε` is positive in every row of every input. -/
@[discharges layerNorm_hasFDerivAt hVarEpsPos, layerNorm_backpropVec_eq_adjoint_fderiv_at hVarEpsPos]
theorem layerNorm_varEps_pos {ε : R} (hEpsPos : 0 < ε) (ρ : Env R (ΓLayerNorm seqLen dModel))
    (row : Shape.Coord ⟦seqLen⟧) : 0 < (layerNormPrefix6 ε).eval ρ row := by
  rw [layerNormPrefix6_eval]
  exact add_pos_of_nonneg_of_pos (Spec.variance_nonneg _) hEpsPos

/-- The standard deviation of a row is not zero exactly where `var + ε` is positive: each side condition of
LayerNorm implies the other. -/
@[obligation]
theorem layerNorm_std_ne_zero_iff (ε : R) (ρ : Env R (ΓLayerNorm seqLen dModel))
    (row : Shape.Coord ⟦seqLen⟧) :
    (layerNormPrefix7 ε).eval ρ row ≠ 0 ↔ 0 < (layerNormPrefix6 ε).eval ρ row := by
  rw [layerNormPrefix6_eval, layerNormPrefix7_eval]
  exact sqrtClamp_ne_zero_iff

/-- If `0 < ε`, then the standard deviation is not zero in any row of any input. -/
@[discharges layerNorm_hasFDerivAt hStdNe0, layerNorm_backpropVec_eq_adjoint_fderiv_at hStdNe0]
theorem layerNorm_std_ne_zero {ε : R} (hEpsPos : 0 < ε) (ρ : Env R (ΓLayerNorm seqLen dModel))
    (row : Shape.Coord ⟦seqLen⟧) : (layerNormPrefix7 ε).eval ρ row ≠ 0 :=
  (layerNorm_std_ne_zero_iff ε ρ row).2 (layerNorm_varEps_pos hEpsPos ρ row)

/-- If `0 < ε`, then LayerNorm is Fréchet differentiable at every input, and forward mode computes its
derivative. -/
@[obligation] theorem layerNorm_hasFDerivAt_of_pos (ε : R) (ρ : Env R (ΓLayerNorm seqLen dModel))
    (hEpsPos : 0 < ε) :
    HasFDerivAt (fun ρ => (layerNormGraph ε).eval ρ) ((layerNormGraph ε).deriv ρ) ρ :=
  layerNorm_hasFDerivAt ε ρ (layerNorm_varEps_pos hEpsPos ρ) (layerNorm_std_ne_zero hEpsPos ρ)

/-- If `0 < ε`, then backpropagation through LayerNorm is the adjoint of its Fréchet derivative, at every input
and for every seed. -/
@[obligation] theorem layerNorm_backprop_eq_adjoint_fderiv_of_pos (ε : R) (ρ : Env R (ΓLayerNorm seqLen dModel))
    (δ : Tensor R ⟦seqLen, dModel⟧) (hEpsPos : 0 < ε) :
    (layerNormGraph ε).backprop ρ δ = (fderiv (fun ρ => (layerNormGraph ε).eval ρ) ρ).adjoint δ :=
  layerNorm_backpropVec_eq_adjoint_fderiv_at ε ρ δ (layerNorm_varEps_pos hEpsPos ρ)
    (layerNorm_std_ne_zero hEpsPos ρ)

end PostNorm
