import PostNorm.Block.Encoder
import PostNorm.Real.Model

/-! # The encoder block over the real numbers

`PostNorm.Real` is constructed, and any complete ordered field is isomorphic to it (`PostNorm.Real`).  Here the
theorems say what they say of the real numbers, with no assumption but `0 < ε₁` and `0 < ε₂`.

## Main statements

* `encoderBlock_hasFDerivAt_real`, `encoderBlock_backprop_eq_adjoint_fderiv_real`,
  `encoderBlock_backprop_unique_real`. -/

namespace PostNorm

variable {seqLen dModel numHeads headDim dFF : Nat} (c : EncoderConstants Real) {ε₁ ε₂ : Real}
  (hEps1Pos : 0 < ε₁) (hEps2Pos : 0 < ε₂) (ρ : Env Real (ΓEncoderBlock seqLen dModel numHeads headDim dFF))
include hEps1Pos hEps2Pos

/-- Over the real numbers, the encoder block `x ↦ LN₂ (FFN (LN₁ (MHA x + x)) + LN₁ (MHA x + x))` is Fréchet
differentiable in the tokens and all weights together, at every input, if `0 < ε₁` and `0 < ε₂`. -/
@[obligation]
theorem encoderBlock_hasFDerivAt_real :
    HasFDerivAt (fun ρ : Env Real (ΓEncoderBlock seqLen dModel numHeads headDim dFF) =>
        Tensor.ofMat (Spec.encoderBlock c ε₁ ε₂ (encoderWeights ρ) (encoderTokens ρ)))
      ((encoderBlockGraph c ε₁ ε₂).deriv ρ) ρ :=
  encoderBlock_hasFDerivAt_of_pos c hEps1Pos hEps2Pos ρ

/-- Over the real numbers, backpropagation through the encoder block is the adjoint of the Fréchet derivative of
`x ↦ LN₂ (FFN (LN₁ (MHA x + x)) + LN₁ (MHA x + x))` in the tokens and all weights, at every input and for every
seed, if `0 < ε₁` and `0 < ε₂`. -/
@[obligation]
theorem encoderBlock_backprop_eq_adjoint_fderiv_real (δ : Tensor Real ⟦seqLen, dModel⟧) :
    (encoderBlockGraph c ε₁ ε₂).backprop ρ δ =
      (fderiv (fun ρ : Env Real (ΓEncoderBlock seqLen dModel numHeads headDim dFF) =>
        Tensor.ofMat (Spec.encoderBlock c ε₁ ε₂ (encoderWeights ρ) (encoderTokens ρ))) ρ).adjoint δ :=
  encoderBlock_backprop_eq_adjoint_fderiv_of_pos c hEps1Pos hEps2Pos ρ δ

/-- Over the real numbers, backpropagation is the only adjoint of the only derivative of the block. -/
@[obligation]
theorem encoderBlock_backprop_unique_real
    {L : BoundedLinearMap Real (ΓEncoderBlock seqLen dModel numHeads headDim dFF).Coord
      (Shape.Coord ⟦seqLen, dModel⟧)}
    (hL : HasFDerivAt (fun ρ => (encoderBlockGraph c ε₁ ε₂).eval ρ) L ρ)
    {A : Tensor Real ⟦seqLen, dModel⟧ → Env Real (ΓEncoderBlock seqLen dModel numHeads headDim dFF)}
    (hA : ∀ v δ, Tensor.dot (L v) δ = Env.dot v (A δ)) (δ : Tensor Real ⟦seqLen, dModel⟧) :
    A δ = (encoderBlockGraph c ε₁ ε₂).backprop ρ δ :=
  encoderBlock_backprop_unique_of_pos c hEps1Pos hEps2Pos ρ hL hA δ

end PostNorm
