import PostNorm.Graph.Compose
import PostNorm.Layers.LayerNorm.Discharge

/-! # LayerNorm of degenerate rows: constant rows, and rows of one entry

## Main statements

* `layerNorm_eval_of_constant_row`: LayerNorm of a constant row is `beta`.
* `layerNorm_std_of_constant_row`: there the standard deviation is `√ε`, so that `0 < ε` is needed.
* `layerNorm_hasFDerivAt_zero`, `layerNorm_derivHead_eq_zero`, `layerNorm_backprop_head_eq_zero`: if `dModel = 1`,
  the derivative in `x` is zero, forward mode agrees, and no gradient reaches `x`; for any `ε`. -/

namespace PostNorm
universe u
open Lean.Grind
attribute [local instance] Semiring.natCast

variable {R : Type u} [RealField R] {seqLen dModel : Nat}

private theorem listSum_constant {ι : Type} (l : List ι) (a : R) :
    listSum l (fun _ => a) = (l.length : R) * a := by
  induction l with
  | nil => have := Semiring.natCast_zero (α := R); simp only [listSum, List.length_nil]; grind
  | cons i l ih =>
    have := Semiring.natCast_succ (α := R) l.length
    simp only [listSum, ih, List.length_cons]
    grind

private theorem natCast_ne_zero {n : Nat} (h : 0 < n) : (n : R) ≠ 0 :=
  match n, h with
  | n + 1, _ => by
    have h1 := natCast_nonneg (R := R) n
    have h2 := Semiring.natCast_succ (α := R) n
    grind

/-- The mean of a constant vector is its entry. -/
theorem Spec.mean_of_constant {n : Nat} (x : Fin n → R) (j : Fin n) (h : ∀ k, x k = x j) :
    Spec.mean x = x j := by
  have e : finSum n x = (n : R) * x j := by
    rw [funext h]
    refine (listSum_constant _ _).trans ?_
    rw [List.length_finRange]
  have := natCast_ne_zero (R := R) j.pos
  rw [Spec.mean, e]
  grind

/-- A constant row has variance zero. -/
theorem Spec.variance_of_constant {n : Nat} (x : Fin n → R) (j : Fin n) (h : ∀ k, x k = x j) :
    Spec.variance x = 0 := by
  have e : ∀ k, (x k - Spec.mean x) * (x k - Spec.mean x) = 0 := fun k => by
    rw [Spec.mean_of_constant x j h, h k]; grind
  exact (Spec.mean_of_constant _ j fun k => (e k).trans (e j).symm).trans (e j)

/-- LayerNorm of a constant row is `beta`, for any `ε`. -/
theorem Spec.layerNorm_of_constant_row (ε : R) (gamma beta : Fin dModel → R)
    (x : Fin seqLen → Fin dModel → R) (i : Fin seqLen) (j : Fin dModel) (h : ∀ k, x i k = x i j) :
    Spec.layerNorm ε gamma beta x i j = beta j := by
  have e : x i j - Spec.mean (x i) = 0 := by rw [Spec.mean_of_constant (x i) j h]; grind
  rw [Spec.layerNorm, e, Field.div_eq_mul_inv]
  grind

section
variable (ε : R) (ρ : Env R (ΓLayerNorm seqLen dModel)) (i : Fin seqLen) (j : Fin dModel)
  (hConstantRow : ∀ k, (ρ.get idxLayerNormX).mat i k = (ρ.get idxLayerNormX).mat i j)
include hConstantRow

/-- In a constant row, LayerNorm returns `beta`, whatever `ε`. -/
@[obligation]
theorem layerNorm_eval_of_constant_row :
    (layerNormGraph ε).eval ρ (((), i), j) = (ρ.get idxLayerNormBeta).vec j := by
  rw [layerNorm_eval]
  exact Spec.layerNorm_of_constant_row ε _ _ _ i j hConstantRow

/-- In a constant row, the standard deviation is the square root of the positive part of `ε`. -/
@[obligation]
theorem layerNorm_std_of_constant_row : (layerNormPrefix7 ε).eval ρ ((), i) = sqrtClamp ε := by
  rw [layerNormPrefix7_eval]
  show sqrtClamp (Spec.variance ((ρ.get idxLayerNormX).mat i) + ε) = _
  rw [Spec.variance_of_constant _ j hConstantRow]
  congr 1; grind

end

/-! ## Rows of one entry -/

/-- If `dModel = 1`, LayerNorm does not read `x`. -/
theorem layerNorm_eval_of_one (ε : R) (x : Tensor R ⟦seqLen, 1⟧) (σ : Env R (ΓLayerNorm seqLen 1).tail) :
    (layerNormGraph ε).eval (Env.cons x σ) = Tensor.ofMat fun _ => (σ.get (.there .here)).vec := by
  rw [layerNorm_eval]
  funext c
  refine Spec.layerNorm_of_constant_row ε _ _ _ c.1.2 c.2 fun k => ?_
  rw [Subsingleton.elim k c.2]

/-- The only entry of a row of length one is its mean. -/
private theorem sub_mean_of_one (f : Fin 1 → R) (j : Fin 1) : f j - (Scalar.ofNat 1 : R)⁻¹ * finSum 1 f = 0 := by
  rw [Spec.mean_eq, Spec.mean_of_constant f j fun k => by rw [Subsingleton.elim k j]]
  grind

variable (ε : R) (x : Tensor R ⟦seqLen, dModel⟧) (σ : Env R (ΓLayerNorm seqLen dModel).tail)
  (v δ : Tensor R ⟦seqLen, dModel⟧) (c : Shape.Coord ⟦seqLen, dModel⟧) (hOneChannel : dModel = 1)
include hOneChannel

/-- If `dModel = 1`, LayerNorm is Fréchet differentiable in `x` at every input, and its derivative there is zero,
whatever `ε`. -/
@[obligation]
theorem layerNorm_hasFDerivAt_zero :
    HasFDerivAt (fun x : Tensor R ⟦seqLen, dModel⟧ => (layerNormGraph ε).eval (Env.cons x σ))
      BoundedLinearMap.zero x := by
  subst hOneChannel
  rw [funext fun x => layerNorm_eval_of_one ε x σ]
  exact HasFDerivAt.const _ x

/-- If `dModel = 1`, forward mode through LayerNorm computes zero along `x`, whatever `ε`. -/
@[obligation]
theorem layerNorm_derivHead_eq_zero : (layerNormGraph ε).derivHead x σ v c = 0 := by
  subst hOneChannel
  show (layerNormGraph ε).deriv _ (Env.cons v fun _ => 0) c = 0
  rw [Graph.deriv_eq_jvp]
  -- Both terms of `normalized` have a factor that is zero: the centered tangent, and the centered entry.
  show (((v c - (Scalar.ofNat 1)⁻¹ * finSum 1 (fun b => v (c.1, b))) * _
    + (x c - (Scalar.ofNat 1)⁻¹ * finSum 1 (fun b => x (c.1, b))) * _) * _ + _ * 0) + 0 = 0
  rw [sub_mean_of_one (fun b => v (c.1, b)) c.2, sub_mean_of_one (fun b => x (c.1, b)) c.2]
  grind

/-- If `dModel = 1`, backpropagation through LayerNorm sends nothing to `x`, whatever `ε`. -/
@[obligation]
theorem layerNorm_backprop_head_eq_zero : ((layerNormGraph ε).backprop (Env.cons x σ) δ).head c = 0 := by
  have h := (layerNormGraph ε).adjoint_head x σ (Tensor.unit c) δ
  have e : (fun k => (layerNormGraph ε).derivHead x σ (Tensor.unit c) k) = fun _ => 0 :=
    funext fun k => layerNorm_derivHead_eq_zero ε x σ _ k hOneChannel
  rw [Tensor.unit_dot] at h
  refine h.symm.trans ((congrArg (Tensor.dot · δ) e).trans ?_)
  rw [Tensor.dot_comm, Tensor.dot_zero]

end PostNorm
