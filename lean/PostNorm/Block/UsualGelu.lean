import PostNorm.Block.Activated
import PostNorm.Block.AtReal
import PostNorm.Block.GatedModels
import PostNorm.Block.LanguageModel
import PostNorm.Block.T5
import PostNorm.Layers.GeluSlope

/-! # Blocks over the real numbers, with tanh-GELU's own constants

The theorems of blocks with tanh-GELU hold for any four constants.  Here they are the usual ones: one half, one,
`√(2 / π)` and `0.044715`.

## Main statements

* `encoderBlock_hasFDerivAt_usual`, `encoderBlock_backprop_eq_adjoint_fderiv_usual`; `biasedEncoder_…_usual`: with
  biases and masks, any depth.
* `gpt2Block_hasFDerivAt_usual`, `gpt2Block_backprop_eq_adjoint_fderiv_usual`; `gpt2Model_gradient_usual`.
* `gemmaBlock_…_usual`, `t5GatedEncoderBlock_…_usual`, `t5GatedDecoderBlock_…_usual`, `preNormGeluTanhBlock_…_usual`;
  `gemmaModel_gradient_usual`. -/

namespace PostNorm
variable {seqLen dModel numHeads headDim dFF vocab : Nat}

/-- The usual constants of the encoder block: scores over `√headDim`, GELU with slope `√(2 / π)`. -/
noncomputable def EncoderConstants.usual (headDim : Nat) : EncoderConstants Real := .standard headDim geluSlope

/-- Over the real numbers, with scores over `√headDim` and slope `√(2 / π)`, the encoder block
`x ↦ LN₂ (FFN (LN₁ (MHA x + x)) + LN₁ (MHA x + x))` is Fréchet differentiable in the tokens and all weights together, at
every input, and forward mode computes its derivative, if `0 < ε₁` and `0 < ε₂`. -/
@[obligation]
theorem encoderBlock_hasFDerivAt_usual (ε₁ ε₂ : Real)
    (ρ : Env Real (ΓEncoderBlock seqLen dModel numHeads headDim dFF)) (hEps1Pos : 0 < ε₁) (hEps2Pos : 0 < ε₂) :
    HasFDerivAt (fun ρ : Env Real (ΓEncoderBlock seqLen dModel numHeads headDim dFF) => Tensor.ofMat
        (Spec.encoderBlock (.usual headDim) ε₁ ε₂ (encoderWeights ρ) (encoderTokens ρ)))
      ((encoderBlockGraph (.usual headDim) ε₁ ε₂).deriv ρ) ρ :=
  encoderBlock_hasFDerivAt_real (.usual headDim) hEps1Pos hEps2Pos ρ

/-- Over the real numbers, with scores over `√headDim` and slope `√(2 / π)`, backpropagation through the encoder block
is the adjoint of the Fréchet derivative of `x ↦ LN₂ (FFN (LN₁ (MHA x + x)) + LN₁ (MHA x + x))` in the tokens and all
weights, at every input and for every seed, if `0 < ε₁` and `0 < ε₂`. -/
@[obligation]
theorem encoderBlock_backprop_eq_adjoint_fderiv_usual (ε₁ ε₂ : Real)
    (ρ : Env Real (ΓEncoderBlock seqLen dModel numHeads headDim dFF)) (δ : Tensor Real ⟦seqLen, dModel⟧)
    (hEps1Pos : 0 < ε₁) (hEps2Pos : 0 < ε₂) :
    (encoderBlockGraph (.usual headDim) ε₁ ε₂).backprop ρ δ =
      (fderiv (fun ρ : Env Real (ΓEncoderBlock seqLen dModel numHeads headDim dFF) => Tensor.ofMat
        (Spec.encoderBlock (.usual headDim) ε₁ ε₂ (encoderWeights ρ) (encoderTokens ρ))) ρ).adjoint δ :=
  encoderBlock_backprop_eq_adjoint_fderiv_real (.usual headDim) hEps1Pos hEps2Pos ρ δ

/-- Over the real numbers, with scores over `√headDim` and slope `√(2 / π)`, an encoder with biases and masks, of any
depth, is Fréchet differentiable in all its inputs together, at every input, and forward mode computes its derivative,
if `0 < ε₁` and `0 < ε₂`. -/
@[obligation]
theorem biasedEncoder_hasFDerivAt_usual (ε₁ ε₂ : Real) (depth : Nat)
    (ρ : Env Real (ΓBiasedEncoder seqLen dModel numHeads headDim dFF depth))
    (hEps1Pos : 0 < ε₁) (hEps2Pos : 0 < ε₂) :
    HasFDerivAt (fun ρ : Env Real (ΓBiasedEncoder seqLen dModel numHeads headDim dFF depth) =>
        Layer.stackFormula (Γ := (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF).tail)
          (fun ρ => Tensor.ofMat
            (Spec.residualNorm ε₂ (ρ.get idxBiasedEncoderGamma2).vec (ρ.get idxBiasedEncoderBeta2).vec
              (biasedEncoderFeedForward (.usual headDim) ρ)
              (Spec.residualNorm ε₁ (ρ.get idxBiasedEncoderGamma1).vec (ρ.get idxBiasedEncoderBeta1).vec
                (biasedEncoderAttention (.usual headDim) ρ) (ρ.get idxBiasedEncoderX).mat))) depth ρ)
      ((biasedEncoderGraph (.usual headDim) ε₁ ε₂ depth).deriv ρ) ρ :=
  biasedEncoder_hasFDerivAt_real (.usual headDim) ε₁ ε₂ depth ρ hEps1Pos hEps2Pos

/-- Over the real numbers, with scores over `√headDim` and slope `√(2 / π)`, backpropagation through an encoder with
biases and masks, of any depth, is the adjoint of the Fréchet derivative of its formula, at every input and for every
seed, if `0 < ε₁` and `0 < ε₂`. -/
@[obligation]
theorem biasedEncoder_backprop_eq_adjoint_fderiv_usual (ε₁ ε₂ : Real) (depth : Nat)
    (ρ : Env Real (ΓBiasedEncoder seqLen dModel numHeads headDim dFF depth))
    (δ : Tensor Real ⟦seqLen, dModel⟧) (hEps1Pos : 0 < ε₁) (hEps2Pos : 0 < ε₂) :
    (biasedEncoderGraph (.usual headDim) ε₁ ε₂ depth).backprop ρ δ =
      (fderiv (fun ρ : Env Real (ΓBiasedEncoder seqLen dModel numHeads headDim dFF depth) =>
        Layer.stackFormula (Γ := (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF).tail)
          (fun ρ => Tensor.ofMat
            (Spec.residualNorm ε₂ (ρ.get idxBiasedEncoderGamma2).vec (ρ.get idxBiasedEncoderBeta2).vec
              (biasedEncoderFeedForward (.usual headDim) ρ)
              (Spec.residualNorm ε₁ (ρ.get idxBiasedEncoderGamma1).vec (ρ.get idxBiasedEncoderBeta1).vec
                (biasedEncoderAttention (.usual headDim) ρ) (ρ.get idxBiasedEncoderX).mat))) depth ρ) ρ).adjoint δ :=
  biasedEncoder_backprop_eq_adjoint_fderiv_real (.usual headDim) ε₁ ε₂ depth ρ δ hEps1Pos hEps2Pos

/-- Over the real numbers and with slope `√(2 / π)`, forward mode computes the Fréchet derivative of GPT-2's block, in
all its inputs together, at every input, if `0 < ε₁` and `0 < ε₂`. -/
@[obligation]
theorem gpt2Block_hasFDerivAt_usual (scale ε₁ ε₂ : Real)
    (ρ : Env Real (ΓMaskedPreNorm seqLen dModel numHeads headDim dFF)) (hEps1Pos : 0 < ε₁) (hEps2Pos : 0 < ε₂) :
    HasFDerivAt (fun ρ : Env Real (ΓMaskedPreNorm seqLen dModel numHeads headDim dFF) =>
        Tensor.ofMat (Spec.maskedPreNorm (Spec.gelu .usual) Mask.causal scale ε₁ ε₂ ρ))
      ((gpt2BlockGraph .usual scale ε₁ ε₂).deriv ρ) ρ :=
  gpt2Block_hasFDerivAt_real .usual scale ε₁ ε₂ ρ hEps1Pos hEps2Pos

/-- Over the real numbers and with slope `√(2 / π)`, backpropagation through GPT-2's block is the adjoint of the Fréchet
derivative of its formula, for every seed `δ`, at every input, if `0 < ε₁` and `0 < ε₂`. -/
@[obligation]
theorem gpt2Block_backprop_eq_adjoint_fderiv_usual (scale ε₁ ε₂ : Real)
    (ρ : Env Real (ΓMaskedPreNorm seqLen dModel numHeads headDim dFF)) (δ : Tensor Real ⟦seqLen, dModel⟧)
    (hEps1Pos : 0 < ε₁) (hEps2Pos : 0 < ε₂) :
    (gpt2BlockGraph .usual scale ε₁ ε₂).backprop ρ δ =
      (fderiv (fun ρ : Env Real (ΓMaskedPreNorm seqLen dModel numHeads headDim dFF) =>
        Tensor.ofMat (Spec.maskedPreNorm (Spec.gelu .usual) Mask.causal scale ε₁ ε₂ ρ)) ρ).adjoint δ :=
  gpt2Block_backprop_eq_adjoint_fderiv_real .usual scale ε₁ ε₂ ρ δ hEps1Pos hEps2Pos

/-- Over the real numbers and with slope `√(2 / π)`, the gradient of GPT-2's loss is what backpropagation returns from
`1`, at every input and any depth, if `0 < ε₁`, `0 < ε₂` and `0 < ε₃`: along any `v`, the derivative is the inner
product of `v` with it. -/
@[obligation]
theorem gpt2Model_gradient_usual (scale ε₁ ε₂ ε₃ : Real) (tokens target : Fin seqLen → Fin vocab) (depth : Nat)
    (ρ v : Env Real (ΓGpt2Model seqLen dModel numHeads headDim dFF vocab depth)) (hEps1Pos : 0 < ε₁)
    (hEps2Pos : 0 < ε₂) (hEps3Pos : 0 < ε₃) :
    fderiv (fun ρ : Env Real (ΓGpt2Model seqLen dModel numHeads headDim dFF vocab depth) =>
        Spec.between (Γ := (ΓMaskedPreNorm seqLen dModel numHeads headDim dFF).tail) (Spec.gpt2First tokens)
          (fun σ => Tensor.ofMat (Spec.maskedPreNorm (Spec.gelu .usual) Mask.causal scale ε₁ ε₂ σ))
          (Spec.gpt2Last ε₃ target) depth ρ) ρ v () =
      Env.dot v ((gpt2ModelGraph .usual scale ε₁ ε₂ ε₃ tokens target depth).backprop ρ fun _ => 1) :=
  gpt2Model_gradient_real .usual scale ε₁ ε₂ ε₃ tokens target depth ρ v hEps1Pos hEps2Pos hEps3Pos

/-! ## Other blocks

Each theorem is the one at the real numbers, with these constants. -/

variable {numGroups perGroup memoryLen buckets : Nat}

/-- Over the real numbers and with slope `√(2 / π)`, forward mode computes the Fréchet derivative of Gemma's block, in
all its inputs together, at every input, if `0 < ε₁` and `0 < ε₂`. -/
@[obligation]
theorem gemmaBlock_hasFDerivAt_usual :
    type_of% (@gemmaBlock_hasFDerivAt_real seqLen dModel numGroups perGroup headDim dFF .usual) :=
  gemmaBlock_hasFDerivAt_real .usual

/-- Over the real numbers and with slope `√(2 / π)`, backpropagation through Gemma's block is the adjoint of the Fréchet
derivative of its formula, for every seed `δ`, at every input, if `0 < ε₁` and `0 < ε₂`. -/
@[obligation]
theorem gemmaBlock_backprop_eq_adjoint_fderiv_usual :
    type_of% (@gemmaBlock_backprop_eq_adjoint_fderiv_real seqLen dModel numGroups perGroup headDim dFF .usual) :=
  gemmaBlock_backprop_eq_adjoint_fderiv_real .usual

/-- Over the real numbers and with slope `√(2 / π)`, forward mode computes the Fréchet derivative of T5 1.1's encoder
block, in all its inputs together, at every input where a key is allowed in each row, if `0 < ε₁` and `0 < ε₂`. -/
@[obligation]
theorem t5GatedEncoderBlock_hasFDerivAt_usual :
    type_of% (@t5GatedEncoderBlock_hasFDerivAt_real seqLen dModel numHeads headDim buckets dFF .usual) :=
  t5GatedEncoderBlock_hasFDerivAt_real .usual

/-- Over the real numbers and with slope `√(2 / π)`, backpropagation through T5 1.1's encoder block is the adjoint of
the Fréchet derivative of its formula, for every seed `δ`, at every input where a key is allowed in each row, if
`0 < ε₁` and `0 < ε₂`. -/
@[obligation]
theorem t5GatedEncoderBlock_backprop_eq_adjoint_fderiv_usual :
    type_of% (@t5GatedEncoderBlock_backprop_eq_adjoint_fderiv_real seqLen dModel numHeads headDim buckets dFF .usual) :=
  t5GatedEncoderBlock_backprop_eq_adjoint_fderiv_real .usual

/-- Over the real numbers and with slope `√(2 / π)`, forward mode computes the Fréchet derivative of T5 1.1's decoder
block, in all its inputs together, at every input where a key is allowed in each row of the cross attention, if
`0 < ε₁`, `0 < ε₂` and `0 < ε₃`. -/
@[obligation]
theorem t5GatedDecoderBlock_hasFDerivAt_usual :
    type_of% (@t5GatedDecoderBlock_hasFDerivAt_real seqLen memoryLen dModel numHeads headDim buckets dFF .usual) :=
  t5GatedDecoderBlock_hasFDerivAt_real .usual

/-- Over the real numbers and with slope `√(2 / π)`, backpropagation through T5 1.1's decoder block is the adjoint of
the Fréchet derivative of its formula, for every seed `δ`, at every input where a key is allowed in each row of the
cross attention, if `0 < ε₁`, `0 < ε₂` and `0 < ε₃`. -/
@[obligation]
theorem t5GatedDecoderBlock_backprop_eq_adjoint_fderiv_usual :
    type_of% (@t5GatedDecoderBlock_backprop_eq_adjoint_fderiv_real seqLen memoryLen dModel numHeads headDim buckets dFF
      .usual) :=
  t5GatedDecoderBlock_backprop_eq_adjoint_fderiv_real .usual

/-- Over the real numbers and with slope `√(2 / π)`, forward mode computes the Fréchet derivative of the pre-norm block
with tanh-GELU, in all its inputs together, at every input, if `0 < ε₁` and `0 < ε₂`. -/
@[obligation]
theorem preNormGeluTanhBlock_hasFDerivAt_usual :
    type_of% (@preNormGeluTanhBlock_hasFDerivAt_real seqLen dModel numHeads headDim dFF .usual) :=
  preNormGeluTanhBlock_hasFDerivAt_real .usual

/-- Over the real numbers and with slope `√(2 / π)`, backpropagation through the pre-norm block with tanh-GELU is the
adjoint of the Fréchet derivative of its formula, for every seed `δ`, at every input, if `0 < ε₁` and `0 < ε₂`. -/
@[obligation]
theorem preNormGeluTanhBlock_backprop_eq_adjoint_fderiv_usual :
    type_of% (@preNormGeluTanhBlock_backprop_eq_adjoint_fderiv_real seqLen dModel numHeads headDim dFF .usual) :=
  preNormGeluTanhBlock_backprop_eq_adjoint_fderiv_real .usual

/-- Over the real numbers and with slope `√(2 / π)`, the gradient of Gemma's loss is what backpropagation returns from
`1`, at every input and any depth, if `0 < ε₁`, `0 < ε₂` and `0 < ε₃`: along any `v`, the derivative is the inner
product of `v` with it. -/
@[obligation]
theorem gemmaModel_gradient_usual :
    type_of% (@gemmaModel_gradient_real seqLen dModel numGroups perGroup headDim dFF vocab .usual) :=
  gemmaModel_gradient_real .usual

end PostNorm
