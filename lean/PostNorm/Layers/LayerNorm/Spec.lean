import PostNorm.Layers.LayerNorm.Graph
import Obligations.Attribute

/-! # LayerNorm as a formula, and the theorem that the graph computes it

## Main definitions

* `Spec.mean`, `Spec.variance`, `Spec.layerNorm`: plain functions of vectors and matrices.

## Main statements

* `layerNorm_eval`: the graph computes the formula.
* `layerNormPrefix6_eval`, `layerNormPrefix7_eval`: so do its prefixes. -/

namespace PostNorm
universe u
open Lean.Grind
attribute [local instance] Semiring.natCast

variable {R : Type u} [RealField R] {seqLen dModel : Nat}

/-- The mean of a vector. -/
noncomputable def Spec.mean {n : Nat} (x : Fin n → R) : R := finSum n x / (n : R)

/-- The variance of a vector, as that of a population: the mean of the squared deviations. -/
noncomputable def Spec.variance {n : Nat} (x : Fin n → R) : R :=
  Spec.mean fun j => (x j - Spec.mean x) * (x j - Spec.mean x)

/-- LayerNorm of each row: `(x - mean) / std * gamma + beta`, where `std` is the square root of the positive part
of `variance + ε`. -/
noncomputable def Spec.layerNorm {n d : Nat} (ε : R) (gamma beta : Fin d → R) (x : Fin n → Fin d → R) :
    Fin n → Fin d → R := fun i j =>
  (x i j - Spec.mean (x i)) / sqrtClamp (Spec.variance (x i) + ε) * gamma j + beta j

/-- The graph's mean is the formula's. -/
theorem Spec.mean_eq {n : Nat} (x : Fin n → R) : (Scalar.ofNat n : R)⁻¹ * finSum n x = Spec.mean x := by
  show (n : R)⁻¹ * _ = _ / (n : R)
  rw [Field.div_eq_mul_inv, CommSemiring.mul_comm]

/-- The first six values compute `variance + ε` of each row. -/
theorem layerNormPrefix6_eval (ε : R) (ρ : Env R (ΓLayerNorm seqLen dModel)) :
    (layerNormPrefix6 ε).eval ρ =
      Tensor.ofVec fun i => Spec.variance ((ρ.get idxLayerNormX).mat i) + ε := by
  funext c
  graph_simp [layerNormPrefix6, Spec.mean_eq]
  rfl

/-- The first seven values compute the standard deviation of each row. -/
theorem layerNormPrefix7_eval (ε : R) (ρ : Env R (ΓLayerNorm seqLen dModel)) :
    (layerNormPrefix7 ε).eval ρ =
      Tensor.ofVec fun i => sqrtClamp (Spec.variance ((ρ.get idxLayerNormX).mat i) + ε) := by
  funext c
  graph_simp [layerNormPrefix7, Spec.mean_eq]
  rfl

/-- The LayerNorm graph computes the LayerNorm formula, row by row, at every input. -/
@[obligation]
theorem layerNorm_eval (ε : R) (ρ : Env R (ΓLayerNorm seqLen dModel)) :
    (layerNormGraph ε).eval ρ =
      Tensor.ofMat (Spec.layerNorm ε (ρ.get idxLayerNormGamma).vec (ρ.get idxLayerNormBeta).vec
        (ρ.get idxLayerNormX).mat) := by
  funext c
  graph_simp [layerNormGraph, Spec.mean_eq]
  show _ = _ / _ * _ + _
  rw [Field.div_eq_mul_inv]
  rfl

end PostNorm
