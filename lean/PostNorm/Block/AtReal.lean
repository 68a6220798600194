import PostNorm.Block.Encoder
import PostNorm.Block.Stack
import PostNorm.Graph.Layer
import PostNorm.Real.Model

/-! # The encoder block over the real numbers

`PostNorm.Real` is constructed, and any complete ordered field is isomorphic to it (`PostNorm.Real`).  Here the
theorems are stated for the real numbers, with no assumptions except `0 < ε₁` and `0 < ε₂`.

## Main statements

* `encoderBlock_hasFDerivAt_real`, `encoderBlock_backprop_eq_adjoint_fderiv_real`,
  `encoderBlock_backprop_unique_real`.
* `biasedEncoderBlock_hasFDerivAt_real`, `biasedEncoderBlock_backprop_eq_adjoint_fderiv_real`: with biases, mask.
* `encoder_…_real`, `biasedEncoder_…_real`: the same two statements for stacks of any depth.

All are about formulas, not only about graphs. -/

namespace PostNorm

section block
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

end block

/-! ## With biases and mask, and stacks

About the formulas too: the stack's is the block's, applied `depth` times. -/

section
variable {Γ : Context} {s : Shape}

/-- A stack's value by its layer's formula. -/
private theorem stack_eval {g : Graph Real (s :: Γ) s} {f : Env Real (s :: Γ) → Tensor Real s}
    (hEval : ∀ ρ, g.eval ρ = f ρ) (depth : Nat) (ρ : Env Real (s :: Context.copies Γ depth)) :
    (g.stack depth).eval ρ = Layer.stackFormula f depth ρ :=
  (Layer.stack ⟨g, f, g.SideConditions, hEval, fun _ => Iff.rfl⟩ depth).eval_eq ρ

end
section biased
variable {seqLen dModel numHeads headDim dFF : Nat} (c : EncoderConstants Real) (ε₁ ε₂ : Real)

/-- Over the real numbers, the encoder block with biases and mask, `LN₂ (FFN y + y)` with `y = LN₁ (MHA x + x)`, is
Fréchet differentiable in all its inputs together, at every input, and forward mode computes its derivative, if
`0 < ε₁` and `0 < ε₂`. -/
@[obligation]
theorem biasedEncoderBlock_hasFDerivAt_real
    (ρ : Env Real (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF))
    (hEps1Pos : 0 < ε₁) (hEps2Pos : 0 < ε₂) :
    HasFDerivAt (fun ρ : Env Real (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF) => Tensor.ofMat
      (Spec.residualNorm ε₂ (ρ.get idxBiasedEncoderGamma2).vec (ρ.get idxBiasedEncoderBeta2).vec
        (biasedEncoderFeedForward c ρ)
        (Spec.residualNorm ε₁ (ρ.get idxBiasedEncoderGamma1).vec (ρ.get idxBiasedEncoderBeta1).vec
          (biasedEncoderAttention c ρ) (ρ.get idxBiasedEncoderX).mat)))
      ((biasedEncoderBlockGraph c ε₁ ε₂).deriv ρ) ρ := by
  have h := biasedEncoderBlock_hasFDerivAt_of_pos c ε₁ ε₂ ρ hEps1Pos hEps2Pos
  rwa [funext fun ρ => biasedEncoderBlock_eval c ε₁ ε₂ ρ] at h

/-- Over the real numbers, backpropagation through the encoder block with biases and mask is the adjoint of the
Fréchet derivative of `LN₂ (FFN y + y)` with `y = LN₁ (MHA x + x)`, at every input and for every seed, if `0 < ε₁`
and `0 < ε₂`. -/
@[obligation]
theorem biasedEncoderBlock_backprop_eq_adjoint_fderiv_real
    (ρ : Env Real (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF))
    (δ : Tensor Real ⟦seqLen, dModel⟧) (hEps1Pos : 0 < ε₁) (hEps2Pos : 0 < ε₂) :
    (biasedEncoderBlockGraph c ε₁ ε₂).backprop ρ δ =
      (fderiv (fun ρ : Env Real (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF) => Tensor.ofMat
        (Spec.residualNorm ε₂ (ρ.get idxBiasedEncoderGamma2).vec (ρ.get idxBiasedEncoderBeta2).vec
          (biasedEncoderFeedForward c ρ)
          (Spec.residualNorm ε₁ (ρ.get idxBiasedEncoderGamma1).vec (ρ.get idxBiasedEncoderBeta1).vec
            (biasedEncoderAttention c ρ) (ρ.get idxBiasedEncoderX).mat))) ρ).adjoint δ := by
  rw [(biasedEncoderBlock_hasFDerivAt_real c ε₁ ε₂ ρ hEps1Pos hEps2Pos).fderiv, Graph.backprop_eq_adjoint_deriv]

/-- Over the real numbers, an encoder of any depth is Fréchet differentiable in all its inputs together, at
every input, and forward mode computes its derivative, if `0 < ε₁` and `0 < ε₂`. -/
@[obligation]
theorem encoder_hasFDerivAt_real (depth : Nat)
    (ρ : Env Real (ΓEncoder seqLen dModel numHeads headDim dFF depth))
    (hEps1Pos : 0 < ε₁) (hEps2Pos : 0 < ε₂) :
    HasFDerivAt (fun ρ : Env Real (ΓEncoder seqLen dModel numHeads headDim dFF depth) =>
        Layer.stackFormula (Γ := (ΓEncoderBlock seqLen dModel numHeads headDim dFF).tail)
          (fun ρ => Tensor.ofMat (Spec.encoderBlock c ε₁ ε₂ (encoderWeights ρ) (encoderTokens ρ))) depth ρ)
      ((encoderGraph c ε₁ ε₂ depth).deriv ρ) ρ := by
  have h : HasFDerivAt
      (fun ρ => (Graph.stack (Γ := (ΓEncoderBlock seqLen dModel numHeads headDim dFF).tail)
        (encoderBlockGraph c ε₁ ε₂) depth).eval ρ) ((encoderGraph c ε₁ ε₂ depth).deriv ρ) ρ :=
    encoder_hasFDerivAt_of_pos c ε₁ ε₂ depth ρ hEps1Pos hEps2Pos
  rwa [funext fun ρ => stack_eval (Γ := (ΓEncoderBlock seqLen dModel numHeads headDim dFF).tail)
    (encoderBlock_eval c ε₁ ε₂) depth ρ] at h

/-- Over the real numbers, backpropagation through an encoder of any depth is the adjoint of the Fréchet
derivative of its formula, at every input and for every seed, if `0 < ε₁` and `0 < ε₂`. -/
@[obligation]
theorem encoder_backprop_eq_adjoint_fderiv_real (depth : Nat)
    (ρ : Env Real (ΓEncoder seqLen dModel numHeads headDim dFF depth))
    (δ : Tensor Real ⟦seqLen, dModel⟧) (hEps1Pos : 0 < ε₁) (hEps2Pos : 0 < ε₂) :
    (encoderGraph c ε₁ ε₂ depth).backprop ρ δ =
      (fderiv (fun ρ : Env Real (ΓEncoder seqLen dModel numHeads headDim dFF depth) =>
        Layer.stackFormula (Γ := (ΓEncoderBlock seqLen dModel numHeads headDim dFF).tail)
          (fun ρ => Tensor.ofMat (Spec.encoderBlock c ε₁ ε₂ (encoderWeights ρ) (encoderTokens ρ))) depth ρ)
        ρ).adjoint δ := by
  rw [(encoder_hasFDerivAt_real c ε₁ ε₂ depth ρ hEps1Pos hEps2Pos).fderiv, Graph.backprop_eq_adjoint_deriv]

/-- Over the real numbers, an encoder with biases and masks, of any depth, is Fréchet differentiable in all its
inputs together, at every input, and forward mode computes its derivative, if `0 < ε₁` and `0 < ε₂`. -/
@[obligation]
theorem biasedEncoder_hasFDerivAt_real (depth : Nat)
    (ρ : Env Real (ΓBiasedEncoder seqLen dModel numHeads headDim dFF depth))
    (hEps1Pos : 0 < ε₁) (hEps2Pos : 0 < ε₂) :
    HasFDerivAt (fun ρ : Env Real (ΓBiasedEncoder seqLen dModel numHeads headDim dFF depth) =>
        Layer.stackFormula (Γ := (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF).tail)
          (fun ρ => Tensor.ofMat
            (Spec.residualNorm ε₂ (ρ.get idxBiasedEncoderGamma2).vec (ρ.get idxBiasedEncoderBeta2).vec
              (biasedEncoderFeedForward c ρ)
              (Spec.residualNorm ε₁ (ρ.get idxBiasedEncoderGamma1).vec (ρ.get idxBiasedEncoderBeta1).vec
                (biasedEncoderAttention c ρ) (ρ.get idxBiasedEncoderX).mat))) depth ρ)
      ((biasedEncoderGraph c ε₁ ε₂ depth).deriv ρ) ρ := by
  have h : HasFDerivAt
      (fun ρ => (Graph.stack (Γ := (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF).tail)
        (biasedEncoderBlockGraph c ε₁ ε₂) depth).eval ρ) ((biasedEncoderGraph c ε₁ ε₂ depth).deriv ρ) ρ :=
    biasedEncoder_hasFDerivAt_of_pos c ε₁ ε₂ depth ρ hEps1Pos hEps2Pos
  rwa [funext fun ρ => stack_eval (Γ := (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF).tail)
    (biasedEncoderBlock_eval c ε₁ ε₂) depth ρ] at h

/-- Over the real numbers, backpropagation through an encoder with biases and masks, of any depth, is the
adjoint of the Fréchet derivative of its formula, at every input and for every seed, if `0 < ε₁` and `0 < ε₂`. -/
@[obligation]
theorem biasedEncoder_backprop_eq_adjoint_fderiv_real (depth : Nat)
    (ρ : Env Real (ΓBiasedEncoder seqLen dModel numHeads headDim dFF depth))
    (δ : Tensor Real ⟦seqLen, dModel⟧) (hEps1Pos : 0 < ε₁) (hEps2Pos : 0 < ε₂) :
    (biasedEncoderGraph c ε₁ ε₂ depth).backprop ρ δ =
      (fderiv (fun ρ : Env Real (ΓBiasedEncoder seqLen dModel numHeads headDim dFF depth) =>
        Layer.stackFormula (Γ := (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF).tail)
          (fun ρ => Tensor.ofMat
            (Spec.residualNorm ε₂ (ρ.get idxBiasedEncoderGamma2).vec (ρ.get idxBiasedEncoderBeta2).vec
              (biasedEncoderFeedForward c ρ)
              (Spec.residualNorm ε₁ (ρ.get idxBiasedEncoderGamma1).vec (ρ.get idxBiasedEncoderBeta1).vec
                (biasedEncoderAttention c ρ) (ρ.get idxBiasedEncoderX).mat))) depth ρ) ρ).adjoint δ := by
  rw [(biasedEncoder_hasFDerivAt_real c ε₁ ε₂ depth ρ hEps1Pos hEps2Pos).fderiv, Graph.backprop_eq_adjoint_deriv]

end biased

end PostNorm
