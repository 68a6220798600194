import PostNorm.Layers.RmsNorm

/-! # RMSNorm with Gemma's scale, `1 + weight`

`y = x / sqrt (mean (x²) + ε) * (1 + gamma)`: with all weights zero, nothing is scaled.

## Main definitions

* `rmsNormOffsetGraph one ε`, `rmsNormOffsetLayer ε`; `RowScaling`: a norm of rows with one parameter for each column,
  with `RowScaling.rms`, `RowScaling.rmsOffset`.

## Main statements

* `rmsNormOffset_eval`: with scale `gamma` it is RMSNorm with scale `1 + gamma`; `rmsNormOffset_hasFDerivAt`,
  `rmsNormOffset_backprop_eq_adjoint_fderiv`: where `0 < mean (x²) + ε` in every row; `…_of_pos`, `…_real`.

## Sources

* Gemma Team, *Gemma: open models based on Gemini research and technology*, arXiv:2403.08295, and its published code. -/

namespace PostNorm
universe u
open Lean.Grind
variable {seqLen dModel : Nat}

/-- RMSNorm over the last axis, with scale `one + gamma`. -/
def rmsNormOffsetGraph {K : Type u} (one ε : K) : Graph K (ΓRmsNorm seqLen dModel) ⟦seqLen, dModel⟧ :=
  graph! x gamma =>
  let square := .mul x x
  let meanSquare := .mean square
  let meanSquareEps := .addConst ε meanSquare
  let rms := .sqrt meanSquareEps
  let invRms := .inv rms
  let invRmsBroadcast := .broadcastLast dModel invRms
  let normalized := .mul x invRmsBroadcast
  let gain := .addConst one gamma
  let gainBroadcast := .broadcastRows seqLen gain
  let y := .mul normalized gainBroadcast
  return y

section
variable {R : Type u} [RealField R]

/-- RMSNorm with scale `1 + gamma`, with its formula.  It is smooth where RMSNorm is. -/
noncomputable def rmsNormOffsetLayer (ε : R) : Layer R (ΓRmsNorm seqLen dModel) ⟦seqLen, dModel⟧ where
  graph := rmsNormOffsetGraph 1 ε
  formula ρ := Tensor.ofMat
    (Spec.rmsNorm ε (fun j => (ρ.get idxRmsNormGamma).vec j + 1) (ρ.get idxRmsNormX).mat)
  Smooth ρ := ∀ i, 0 < Spec.meanSquare ((ρ.get idxRmsNormX).mat i) + ε
  eval_eq ρ := by
    funext c
    graph_simp [rmsNormOffsetGraph, Spec.mean_eq]
    show _ = _ / _ * _
    rw [Field.div_eq_mul_inv]
    rfl
  sideConditions_iff ρ := by
    graph_side_conditions [rmsNormOffsetGraph, Spec.mean_eq]
    exact ⟨fun h i => h.1 ((), i), fun h => ⟨fun row => h row.2, fun row => sqrtClamp_ne_zero_iff.2 (h row.2)⟩⟩

/-- A norm of rows with one parameter for each column, such as RMSNorm. -/
structure RowScaling (R : Type u) [RealField R] where
  /-- The graph that runs. -/
  graph : {n d : Nat} → Graph R (ΓRmsNorm n d) ⟦n, d⟧
  /-- Its formula, in the parameters and the rows. -/
  formula : {n d : Nat} → (Fin d → R) → (Fin n → Fin d → R) → Fin n → Fin d → R
  /-- The rows at which it is differentiable. -/
  Smooth : {d : Nat} → (Fin d → R) → Prop
  /-- The graph computes the formula. -/
  eval_eq : ∀ {n d : Nat} (ρ : Env R (ΓRmsNorm n d)),
    graph.eval ρ = Tensor.ofMat (formula (ρ.get idxRmsNormGamma).vec (ρ.get idxRmsNormX).mat)
  /-- The graph's only side condition is differentiability at every row. -/
  sideConditions_iff : ∀ {n d : Nat} (ρ : Env R (ΓRmsNorm n d)),
    graph.SideConditions ρ ↔ ∀ i, Smooth ((ρ.get idxRmsNormX).mat i)

/-- RMSNorm. -/
noncomputable def RowScaling.rms (ε : R) : RowScaling R where
  graph := rmsNormGraph ε
  formula := Spec.rmsNorm ε
  Smooth x := 0 < Spec.meanSquare x + ε
  eval_eq := (rmsNormLayer ε).eval_eq
  sideConditions_iff := (rmsNormLayer ε).sideConditions_iff

/-- RMSNorm with scale `1 + gamma`. -/
noncomputable def RowScaling.rmsOffset (ε : R) : RowScaling R where
  graph := rmsNormOffsetGraph 1 ε
  formula gamma := Spec.rmsNorm ε fun j => gamma j + 1
  Smooth x := 0 < Spec.meanSquare x + ε
  eval_eq := (rmsNormOffsetLayer ε).eval_eq
  sideConditions_iff := (rmsNormOffsetLayer ε).sideConditions_iff

end

layer_theorems rmsNormOffset (ε : R) ρ where
  is "RMSNorm with scale `1 + gamma`"
  smooth "every row has `mean square + ε` positive"
  layer rmsNormOffsetLayer ε
  graph rmsNormOffsetGraph 1 ε
  formula Tensor.ofMat (Spec.rmsNorm ε (fun j => (ρ.get idxRmsNormGamma).vec j + 1) (ρ.get idxRmsNormX).mat)
  inputs ΓRmsNorm seqLen dModel
  condition hMeanSquareEpsPos : ∀ i, 0 < Spec.meanSquare ((ρ.get idxRmsNormX).mat i) + ε
    if hEpsPos : 0 < ε then fun _ => Spec.meanSquare_add_pos hEpsPos _
  proof hMeanSquareEpsPos

end PostNorm
