import PostNorm.Block.BiasedEncoder.Derivative
import PostNorm.Block.Encoder.Discharge
import PostNorm.Graph.Stack

/-! # An encoder of any number of blocks

Every block has its own weights, and the same constants, `ε₁` and `ε₂`.  The inputs are the tokens, then the
weights of the first block, of the second, and so on.

## Main definitions

* `ΓEncoder`, `encoderGraph`: a stack of encoder blocks.
* `ΓBiasedEncoder`, `biasedEncoderGraph`: a stack of encoder blocks with biases, each with its own mask.

## Main statements

* `encoder_hasFDerivAt_of_pos`, `encoder_backprop_eq_adjoint_fderiv_of_pos`: if `0 < ε₁` and `0 < ε₂`, a stack of
  any depth is differentiable everywhere, and backprop is the adjoint of the derivative.
* `biasedEncoder_hasFDerivAt_of_pos`, `biasedEncoder_backprop_eq_adjoint_fderiv_of_pos`: the same with biases and
  masks. -/

namespace PostNorm
universe u

section graphs
variable {K : Type u} {seqLen dModel numHeads headDim dFF : Nat}

/-- The inputs of an encoder: the tokens, and the weights of every block. -/
abbrev ΓEncoder (seqLen dModel numHeads headDim dFF depth : Nat) : Context :=
  ⟦seqLen, dModel⟧ :: Context.copies (ΓEncoderBlock seqLen dModel numHeads headDim dFF).tail depth

/-- The inputs of an encoder with biases and masks: the tokens, and the weights, biases and mask of every block. -/
abbrev ΓBiasedEncoder (seqLen dModel numHeads headDim dFF depth : Nat) : Context :=
  ⟦seqLen, dModel⟧ :: Context.copies (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF).tail depth

/-- An encoder: a sequence of `depth` encoder blocks. -/
def encoderGraph (c : EncoderConstants K) (ε₁ ε₂ : K) (depth : Nat) :
    Graph K (ΓEncoder seqLen dModel numHeads headDim dFF depth) ⟦seqLen, dModel⟧ :=
  Graph.stack (Γ := (ΓEncoderBlock seqLen dModel numHeads headDim dFF).tail) (encoderBlockGraph c ε₁ ε₂) depth

/-- An encoder with biases and masks: a sequence of `depth` encoder blocks. -/
def biasedEncoderGraph (c : EncoderConstants K) (ε₁ ε₂ : K) (depth : Nat) :
    Graph K (ΓBiasedEncoder seqLen dModel numHeads headDim dFF depth) ⟦seqLen, dModel⟧ :=
  Graph.stack (Γ := (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF).tail)
    (biasedEncoderBlockGraph c ε₁ ε₂) depth

end graphs

variable {R : Type u} [RealField R] {seqLen dModel numHeads headDim dFF : Nat} (c : EncoderConstants R) (ε₁ ε₂ : R)
  (depth : Nat)

section
variable (ρ : Env R (ΓEncoder seqLen dModel numHeads headDim dFF depth)) (δ : Tensor R ⟦seqLen, dModel⟧)
  (hEps1Pos : 0 < ε₁) (hEps2Pos : 0 < ε₂)
include hEps1Pos hEps2Pos

/-- If `0 < ε₁` and `0 < ε₂`, then every operation of an encoder of any depth is correct, at every input. -/
theorem encoderGraphFDerivCorrectAt_of_pos : GraphFDerivCorrectAt (encoderGraph c ε₁ ε₂ depth) ρ :=
  GraphFDerivCorrectAt.stack (Γ := (ΓEncoderBlock seqLen dModel numHeads headDim dFF).tail)
    (fun ρ => encoderBlockGraphFDerivCorrectAt_of_pos c hEps1Pos hEps2Pos ρ) depth 0 ρ

/-- If `0 < ε₁` and `0 < ε₂`, then an encoder of any depth is Fréchet differentiable in tokens and weights
together, at every input, and forward mode computes its derivative. -/
@[obligation]
theorem encoder_hasFDerivAt_of_pos :
    HasFDerivAt (fun ρ => (encoderGraph c ε₁ ε₂ depth).eval ρ) ((encoderGraph c ε₁ ε₂ depth).deriv ρ) ρ :=
  (encoderGraphFDerivCorrectAt_of_pos c ε₁ ε₂ depth ρ hEps1Pos hEps2Pos).hasFDerivAt

/-- If `0 < ε₁` and `0 < ε₂`, then backpropagation through an encoder of any depth is the adjoint of its Fréchet
derivative, at every input and for every seed. -/
@[obligation]
theorem encoder_backprop_eq_adjoint_fderiv_of_pos : (encoderGraph c ε₁ ε₂ depth).backprop ρ δ =
    (fderiv (fun ρ => (encoderGraph c ε₁ ε₂ depth).eval ρ) ρ).adjoint δ :=
  Graph.backprop_eq_adjoint_fderiv _ ρ (encoderGraphFDerivCorrectAt_of_pos c ε₁ ε₂ depth ρ hEps1Pos hEps2Pos) δ

end

section
variable (ρ : Env R (ΓBiasedEncoder seqLen dModel numHeads headDim dFF depth)) (δ : Tensor R ⟦seqLen, dModel⟧)
  (hEps1Pos : 0 < ε₁) (hEps2Pos : 0 < ε₂)
include hEps1Pos hEps2Pos

/-- If `0 < ε₁` and `0 < ε₂`, then every operation of an encoder with biases and masks, of any depth, is correct,
at every input. -/
theorem biasedEncoderGraphFDerivCorrectAt_of_pos : GraphFDerivCorrectAt (biasedEncoderGraph c ε₁ ε₂ depth) ρ :=
  GraphFDerivCorrectAt.stack (Γ := (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF).tail)
    (fun ρ => biasedEncoderBlockGraphFDerivCorrectAt_of_pos c ε₁ ε₂ ρ hEps1Pos hEps2Pos) depth 0 ρ

/-- If `0 < ε₁` and `0 < ε₂`, then an encoder with biases and masks, of any depth, is Fréchet differentiable in all
its inputs together, at every input, and forward mode computes its derivative. -/
@[obligation]
theorem biasedEncoder_hasFDerivAt_of_pos : HasFDerivAt (fun ρ => (biasedEncoderGraph c ε₁ ε₂ depth).eval ρ)
    ((biasedEncoderGraph c ε₁ ε₂ depth).deriv ρ) ρ :=
  (biasedEncoderGraphFDerivCorrectAt_of_pos c ε₁ ε₂ depth ρ hEps1Pos hEps2Pos).hasFDerivAt

/-- If `0 < ε₁` and `0 < ε₂`, then backpropagation through an encoder with biases and masks, of any depth, is the
adjoint of its Fréchet derivative, at every input and for every seed. -/
@[obligation]
theorem biasedEncoder_backprop_eq_adjoint_fderiv_of_pos : (biasedEncoderGraph c ε₁ ε₂ depth).backprop ρ δ =
    (fderiv (fun ρ => (biasedEncoderGraph c ε₁ ε₂ depth).eval ρ) ρ).adjoint δ :=
  Graph.backprop_eq_adjoint_fderiv _ ρ (biasedEncoderGraphFDerivCorrectAt_of_pos c ε₁ ε₂ depth ρ hEps1Pos hEps2Pos) δ

end
end PostNorm
