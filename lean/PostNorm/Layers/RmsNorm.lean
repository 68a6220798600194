import PostNorm.Graph.LayerTheorems
import PostNorm.Layers.LayerNorm

/-! # RMSNorm

RMSNorm divides each row of `x` by the root of its mean square, then scales it: `y = x / sqrt (mean (x²) + ε) * gamma`.

## Main definitions

* `ΓRmsNorm`: the inputs `x`, `gamma`; `rmsNormGraph ε`; `Spec.meanSquare`, `Spec.rmsNorm`.
* `rmsNormLayer ε`: RMSNorm as a `Layer`.

## Main statements

* `rmsNorm_eval`; `rmsNorm_hasFDerivAt`, `rmsNorm_backprop_eq_adjoint_fderiv`: where `0 < mean (x²) + ε` in every row;
  `…_of_pos` from `0 < ε`, `…_real` at the real numbers.

## Sources

* Zhang, Sennrich, *Root mean square layer normalization*, arXiv:1910.07467; PyTorch's `nn.RMSNorm`. -/

namespace PostNorm
universe u
open Lean.Grind
attribute [local instance] Semiring.natCast
variable {seqLen dModel : Nat}

/-- The inputs of RMSNorm. -/
declare_inputs ΓRmsNorm (seqLen dModel : Nat) as idxRmsNorm where
  /-- The rows to be normalized. -/
  x : ⟦seqLen, dModel⟧
  /-- The scale of each column. -/
  gamma : ⟦dModel⟧

/-- RMSNorm over the last axis, with scale `gamma`. -/
def rmsNormGraph {K : Type u} (ε : K) : Graph K (ΓRmsNorm seqLen dModel) ⟦seqLen, dModel⟧ := graph! x gamma =>
  let square := .mul x x
  let meanSquare := .mean square
  let meanSquareEps := .addConst ε meanSquare
  let rms := .sqrt meanSquareEps
  let invRms := .inv rms
  let invRmsBroadcast := .broadcastLast dModel invRms
  let normalized := .mul x invRmsBroadcast
  let gammaBroadcast := .broadcastRows seqLen gamma
  let y := .mul normalized gammaBroadcast
  return y

section
variable {R : Type u} [RealField R]

/-- The mean of the squares of a vector. -/
noncomputable def Spec.meanSquare {n : Nat} (x : Fin n → R) : R := Spec.mean fun j => x j * x j

/-- RMSNorm of each row: `x / rms * gamma`, where `rms` is the root of the positive part of `meanSquare + ε`. -/
noncomputable def Spec.rmsNorm {n d : Nat} (ε : R) (gamma : Fin d → R) (x : Fin n → Fin d → R) :
    Fin n → Fin d → R := fun i j => x i j / sqrtClamp (Spec.meanSquare (x i) + ε) * gamma j

/-- RMSNorm with its formula.  It is smooth where the mean square of every row, with `ε`, is positive. -/
noncomputable def rmsNormLayer (ε : R) : Layer R (ΓRmsNorm seqLen dModel) ⟦seqLen, dModel⟧ where
  graph := rmsNormGraph ε
  formula ρ := Tensor.ofMat (Spec.rmsNorm ε (ρ.get idxRmsNormGamma).vec (ρ.get idxRmsNormX).mat)
  Smooth ρ := ∀ i, 0 < Spec.meanSquare ((ρ.get idxRmsNormX).mat i) + ε
  eval_eq ρ := by
    funext c
    graph_simp [rmsNormGraph, Spec.mean_eq]
    show _ = _ / _ * _
    rw [Field.div_eq_mul_inv]
    rfl
  sideConditions_iff ρ := by
    graph_side_conditions [rmsNormGraph, Spec.mean_eq]
    exact ⟨fun h i => h.1 ((), i), fun h => ⟨fun row => h row.2, fun row => sqrtClamp_ne_zero_iff.2 (h row.2)⟩⟩

/-- If `0 < ε`, then `mean square + ε` is positive. -/
theorem Spec.meanSquare_add_pos {n : Nat} {ε : R} (hEpsPos : 0 < ε) (x : Fin n → R) : 0 < Spec.meanSquare x + ε :=
  add_pos_of_nonneg_of_pos (Spec.mean_nonneg _ fun _ => mul_self_nonneg _) hEpsPos

end

layer_theorems rmsNorm (ε : R) ρ where
  is "RMSNorm"
  smooth "every row has `mean square + ε` positive"
  layer rmsNormLayer ε
  graph rmsNormGraph ε
  formula Tensor.ofMat (Spec.rmsNorm ε (ρ.get idxRmsNormGamma).vec (ρ.get idxRmsNormX).mat)
  inputs ΓRmsNorm seqLen dModel
  condition hMeanSquareEpsPos : ∀ i, 0 < Spec.meanSquare ((ρ.get idxRmsNormX).mat i) + ε
    if hEpsPos : 0 < ε then fun _ => Spec.meanSquare_add_pos hEpsPos _
  proof hMeanSquareEpsPos

end PostNorm
