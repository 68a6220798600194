import PostNorm.Graph.Layer
import PostNorm.Graph.Notation
import PostNorm.Layers.LayerNorm
import PostNorm.Real.Model

/-! # RMSNorm

RMSNorm divides each row of `x` by the root of its mean square, then scales it: `y = x / sqrt (mean (x²) + ε) * gamma`.

## Main definitions

* `ΓRmsNorm`: the inputs `x`, `gamma`; `rmsNormGraph ε`; `Spec.meanSquare`, `Spec.rmsNorm`.
* `rmsNormLayer ε`: all of it as a `Layer`.

## Main statements

* `rmsNorm_eval`; `rmsNorm_hasFDerivAt`, `rmsNorm_backprop_eq_adjoint_fderiv`: where `0 < mean (x²) + ε` in every row;
  `…_of_pos` from `0 < ε`, `…_real` at the real numbers.

## Sources

* Zhang, Sennrich, *Root mean square layer normalization*, arXiv:1910.07467; PyTorch's `nn.RMSNorm`. -/

namespace PostNorm
universe u
open RealField Lean.Grind
attribute [local instance] Semiring.natCast
variable {seqLen dModel : Nat}

/-- The inputs of RMSNorm: `x`, `gamma`. -/
abbrev ΓRmsNorm (seqLen dModel : Nat) : Context := [⟦seqLen, dModel⟧, ⟦dModel⟧]

/-- The rows to be normalized. -/
abbrev idxRmsNormX : Idx (ΓRmsNorm seqLen dModel) ⟦seqLen, dModel⟧ := .here

/-- The scale of each column. -/
abbrev idxRmsNormGamma : Idx (ΓRmsNorm seqLen dModel) ⟦dModel⟧ := .there .here

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

section general
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
    constructor
    · intro h i
      exact h.1 ((), i)
    · intro h
      exact ⟨fun row => h row.2, fun row => sqrtClamp_ne_zero_iff.2 (h row.2)⟩

variable (ε : R) (ρ : Env R (ΓRmsNorm seqLen dModel))

/-- The RMSNorm graph computes the RMSNorm formula, row by row, at every input. -/
@[obligation]
theorem rmsNorm_eval : (rmsNormGraph ε).eval ρ =
    Tensor.ofMat (Spec.rmsNorm ε (ρ.get idxRmsNormGamma).vec (ρ.get idxRmsNormX).mat) :=
  (rmsNormLayer ε).eval_eq ρ

/-- RMSNorm is Fréchet differentiable in `x` and `gamma` together, and forward mode computes its derivative, at every
input whose rows all have `mean square + ε` positive. -/
@[obligation]
theorem rmsNorm_hasFDerivAt (hMeanSquareEpsPos : ∀ i, 0 < Spec.meanSquare ((ρ.get idxRmsNormX).mat i) + ε) :
    HasFDerivAt (fun ρ : Env R (ΓRmsNorm seqLen dModel) =>
      Tensor.ofMat (Spec.rmsNorm ε (ρ.get idxRmsNormGamma).vec (ρ.get idxRmsNormX).mat))
      ((rmsNormGraph ε).deriv ρ) ρ :=
  (rmsNormLayer ε).hasFDerivAt (ρ := ρ) hMeanSquareEpsPos

/-- Backpropagation through RMSNorm is the adjoint of the Fréchet derivative of its formula, applied to the seed `δ`,
at every input whose rows all have `mean square + ε` positive. -/
@[obligation]
theorem rmsNorm_backprop_eq_adjoint_fderiv (δ : Tensor R ⟦seqLen, dModel⟧)
    (hMeanSquareEpsPos : ∀ i, 0 < Spec.meanSquare ((ρ.get idxRmsNormX).mat i) + ε) :
    (rmsNormGraph ε).backprop ρ δ = (fderiv (fun ρ : Env R (ΓRmsNorm seqLen dModel) =>
      Tensor.ofMat (Spec.rmsNorm ε (ρ.get idxRmsNormGamma).vec (ρ.get idxRmsNormX).mat)) ρ).adjoint δ :=
  (rmsNormLayer ε).backprop_eq_adjoint_fderiv (ρ := ρ) hMeanSquareEpsPos δ

/-- If `0 < ε`, then `mean square + ε` is positive in every row. -/
@[discharges rmsNorm_hasFDerivAt hMeanSquareEpsPos, rmsNorm_backprop_eq_adjoint_fderiv hMeanSquareEpsPos]
theorem rmsNorm_meanSquareEps_pos {n : Nat} {ε : R} (hEpsPos : 0 < ε) (x : Fin n → R) :
    0 < Spec.meanSquare x + ε :=
  add_pos_of_nonneg_of_pos (Spec.mean_nonneg _ fun _ => mul_self_nonneg _) hEpsPos

/-- If `0 < ε`, then RMSNorm is Fréchet differentiable at every input, and forward mode computes its derivative. -/
@[obligation]
theorem rmsNorm_hasFDerivAt_of_pos (hEpsPos : 0 < ε) :
    HasFDerivAt (fun ρ : Env R (ΓRmsNorm seqLen dModel) =>
      Tensor.ofMat (Spec.rmsNorm ε (ρ.get idxRmsNormGamma).vec (ρ.get idxRmsNormX).mat))
      ((rmsNormGraph ε).deriv ρ) ρ :=
  rmsNorm_hasFDerivAt ε ρ fun _ => rmsNorm_meanSquareEps_pos hEpsPos _

/-- If `0 < ε`, then backpropagation through RMSNorm is the adjoint of the Fréchet derivative of its formula, at every
input and for every seed. -/
@[obligation]
theorem rmsNorm_backprop_eq_adjoint_fderiv_of_pos (δ : Tensor R ⟦seqLen, dModel⟧) (hEpsPos : 0 < ε) :
    (rmsNormGraph ε).backprop ρ δ = (fderiv (fun ρ : Env R (ΓRmsNorm seqLen dModel) =>
      Tensor.ofMat (Spec.rmsNorm ε (ρ.get idxRmsNormGamma).vec (ρ.get idxRmsNormX).mat)) ρ).adjoint δ :=
  rmsNorm_backprop_eq_adjoint_fderiv ε ρ δ fun _ => rmsNorm_meanSquareEps_pos hEpsPos _

end general

section real
variable (ε : Real) (ρ : Env Real (ΓRmsNorm seqLen dModel))

/-- Over the real numbers, backpropagation through RMSNorm is the adjoint of the Fréchet derivative of its formula, at
every input and for every seed, if `0 < ε`. -/
@[obligation]
theorem rmsNorm_backprop_eq_adjoint_fderiv_real (δ : Tensor Real ⟦seqLen, dModel⟧) (hEpsPos : 0 < ε) :
    (rmsNormGraph ε).backprop ρ δ = (fderiv (fun ρ : Env Real (ΓRmsNorm seqLen dModel) =>
      Tensor.ofMat (Spec.rmsNorm ε (ρ.get idxRmsNormGamma).vec (ρ.get idxRmsNormX).mat)) ρ).adjoint δ :=
  rmsNorm_backprop_eq_adjoint_fderiv_of_pos ε ρ δ hEpsPos

end real
end PostNorm
