import PostNorm.Graph.Compose
import PostNorm.Layers.LayerNorm.Discharge

/-! # LayerNorm where there is nothing to normalize: constant rows, and rows of one entry

## Main statements

* `Spec.variance_of_constant`, `Spec.layerNorm_of_constant_row`: a constant row has variance zero, and LayerNorm
  returns `beta`.
* `layerNorm_std_of_constant_row`: there the standard deviation is `√ε`, so that `0 < ε` is needed.
* `layerNorm_derivHead_eq_zero`, `layerNorm_backprop_head_eq_zero`: if `dModel = 1`, the derivative in `x` is zero,
  and no gradient reaches `x`. -/

namespace PostNorm
universe u
open RealField Lean.Grind
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

/-- LayerNorm of a constant row is `beta`, whatever `ε`. -/
theorem Spec.layerNorm_of_constant_row (ε : R) (gamma beta : Fin dModel → R)
    (x : Fin seqLen → Fin dModel → R) (i : Fin seqLen) (j : Fin dModel) (h : ∀ k, x i k = x i j) :
    Spec.layerNorm ε gamma beta x i j = beta j := by
  have e : x i j - Spec.mean (x i) = 0 := by rw [Spec.mean_of_constant (x i) j h]; grind
  rw [Spec.layerNorm, e, Field.div_eq_mul_inv]
  grind

/-- In a constant row the standard deviation is the square root of the positive part of `ε`. -/
theorem layerNorm_std_of_constant_row (ε : R) (ρ : Env R (ΓLayerNorm seqLen dModel)) (i : Fin seqLen)
    (j : Fin dModel) (h : ∀ k, (ρ.get idxLayerNormX).mat i k = (ρ.get idxLayerNormX).mat i j) :
    (layerNormPrefix7 ε).eval ρ ((), i) = sqrtClamp ε := by
  rw [layerNormPrefix7_eval]
  show sqrtClamp (Spec.variance ((ρ.get idxLayerNormX).mat i) + ε) = _
  rw [Spec.variance_of_constant _ j h]
  congr 1; grind

/-! ## Rows of one entry -/

/-- If `dModel = 1`, LayerNorm does not read `x`. -/
theorem layerNorm_eval_of_one (ε : R) (x : Tensor R ⟦seqLen, 1⟧) (σ : Env R (ΓLayerNorm seqLen 1).tail) :
    (layerNormGraph ε).eval (Env.cons x σ) = Tensor.ofMat fun _ => (σ.get (.there .here)).vec := by
  rw [layerNorm_eval]
  funext c
  refine Spec.layerNorm_of_constant_row ε _ _ _ c.1.2 c.2 fun k => ?_
  rw [Subsingleton.elim k c.2]

/-- If `dModel = 1` and `0 < ε`, the derivative of LayerNorm in `x` is zero. -/
theorem layerNorm_derivHead_eq_zero (ε : R) (hEpsPos : 0 < ε) (x : Tensor R ⟦seqLen, 1⟧)
    (σ : Env R (ΓLayerNorm seqLen 1).tail) (v : Tensor R ⟦seqLen, 1⟧) (c : Shape.Coord ⟦seqLen, 1⟧) :
    (layerNormGraph ε).derivHead x σ v c = 0 := by
  have h := (layerNormGraph ε).hasFDerivAt_head x σ (layerNormGraphFDerivCorrectAt ε (Env.cons x σ)
    (layerNorm_varEps_pos hEpsPos _) (layerNorm_std_ne_zero hEpsPos _))
  rw [funext fun x => layerNorm_eval_of_one ε x σ] at h
  exact h.unique (HasFDerivAt.const _ x) v c

/-- If `dModel = 1` and `0 < ε`, backpropagation through LayerNorm sends nothing to `x`. -/
theorem layerNorm_backprop_head_eq_zero (ε : R) (hEpsPos : 0 < ε) (x : Tensor R ⟦seqLen, 1⟧)
    (σ : Env R (ΓLayerNorm seqLen 1).tail) (δ : Tensor R ⟦seqLen, 1⟧) (c : Shape.Coord ⟦seqLen, 1⟧) :
    ((layerNormGraph ε).backprop (Env.cons x σ) δ).head c = 0 := by
  have h := (layerNormGraph ε).adjoint_head x σ (Tensor.unit c) δ
  have e : (fun k => (layerNormGraph ε).derivHead x σ (Tensor.unit c) k) = fun _ => 0 :=
    funext fun k => layerNorm_derivHead_eq_zero ε hEpsPos x σ _ k
  rw [Tensor.unit_dot] at h
  refine h.symm.trans ((congrArg (Tensor.dot · δ) e).trans ?_)
  rw [Tensor.dot_comm, Tensor.dot_zero]

end PostNorm
