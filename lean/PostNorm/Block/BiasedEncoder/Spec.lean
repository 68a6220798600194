import PostNorm.Block.BiasedEncoder.Graph

/-! # The encoder block with biases and mask, as a formula

## Main definitions

* `Spec.residualNorm`: a post-norm sublayer, `LN (f x + x)`.
* `biasedEncoderAttention`, `biasedEncoderFeedForward`: the two branches, as functions of the tokens.
* `biasedEncoderEnv`: the inputs with zero biases and a zero mask.

## Main statements

* `biasedEncoderBlock_eval`: the graph computes `LN₂ (FFN y + y)` with `y = LN₁ (MHA x + x)`.
* `biasedEncoderBlock_eval_zero`: with zero biases and a zero mask, it has the value of `encoderBlockGraph`. -/

namespace PostNorm
universe u

variable {R : Type u} [RealField R] {seqLen dModel numHeads headDim dFF : Nat}

/-- A post-norm sublayer with the branch `f`: `LN (f x + x)`. -/
noncomputable def Spec.residualNorm {n d : Nat} (ε : R) (gamma beta : Fin d → R)
    (f : (Fin n → Fin d → R) → Fin n → Fin d → R) (x : Fin n → Fin d → R) : Fin n → Fin d → R :=
  Spec.layerNorm ε gamma beta fun i j => f x i j + x i j

/-- The attention branch of the block, with the weights, biases and mask of an environment. -/
noncomputable def biasedEncoderAttention (c : EncoderConstants R)
    (ρ : Env R (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF)) :
    (Fin seqLen → Fin dModel → R) → Fin seqLen → Fin dModel → R :=
  Spec.biasedMha c.scale (ρ.get idxBiasedEncoderWq).mat (ρ.get idxBiasedEncoderBq).vec
    (ρ.get idxBiasedEncoderWk).mat (ρ.get idxBiasedEncoderBk).vec (ρ.get idxBiasedEncoderWv).mat
    (ρ.get idxBiasedEncoderBv).vec (ρ.get idxBiasedEncoderWo).mat (ρ.get idxBiasedEncoderBo).vec
    (ρ.get idxBiasedEncoderMask).mat

/-- The feed-forward branch of the block, with the weights and biases of an environment. -/
noncomputable def biasedEncoderFeedForward (c : EncoderConstants R)
    (ρ : Env R (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF)) :
    (Fin seqLen → Fin dModel → R) → Fin seqLen → Fin dModel → R :=
  Spec.ffn c.gelu (ρ.get idxBiasedEncoderW1).mat (ρ.get idxBiasedEncoderB1).vec
    (ρ.get idxBiasedEncoderW2).mat (ρ.get idxBiasedEncoderB2).vec

/-- The graph of the encoder block with biases and mask computes `LN₂ (FFN y + y)` with `y = LN₁ (MHA x + x)`, at
every input. -/
@[obligation]
theorem biasedEncoderBlock_eval (c : EncoderConstants R) (ε₁ ε₂ : R)
    (ρ : Env R (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF)) :
    (biasedEncoderBlockGraph c ε₁ ε₂).eval ρ = Tensor.ofMat
      (Spec.residualNorm ε₂ (ρ.get idxBiasedEncoderGamma2).vec (ρ.get idxBiasedEncoderBeta2).vec
        (biasedEncoderFeedForward c ρ)
        (Spec.residualNorm ε₁ (ρ.get idxBiasedEncoderGamma1).vec (ρ.get idxBiasedEncoderBeta1).vec
          (biasedEncoderAttention c ρ) (ρ.get idxBiasedEncoderX).mat)) := by
  graph_simp [biasedEncoderBlockGraph, layerNorm_eval, biasedMha_eval, affine_eval, gelu_eval]
  rfl

/-- The inputs of the block without biases and mask, with zeros for these. -/
noncomputable def biasedEncoderEnv (ρ : Env R (ΓEncoderBlock seqLen dModel numHeads headDim dFF)) :
    Env R (ΓBiasedEncoderBlock seqLen dModel numHeads headDim dFF) :=
  Env.cons ρ.head <| Env.cons ρ.tail.head <| Env.cons (fun _ => 0) <| Env.cons ρ.tail.tail.head <|
    Env.cons (fun _ => 0) <| Env.cons ρ.tail.tail.tail.head <| Env.cons (fun _ => 0) <|
    Env.cons ρ.tail.tail.tail.tail.head <| Env.cons (fun _ => 0) <| Env.cons (fun _ => 0)
    ρ.tail.tail.tail.tail.tail

/-- With zero biases and a zero mask, the encoder block has the value of the block without them, at every input. -/
@[obligation]
theorem biasedEncoderBlock_eval_zero (c : EncoderConstants R) (ε₁ ε₂ : R)
    (ρ : Env R (ΓEncoderBlock seqLen dModel numHeads headDim dFF)) :
    (biasedEncoderBlockGraph c ε₁ ε₂).eval (biasedEncoderEnv ρ) = (encoderBlockGraph c ε₁ ε₂).eval ρ := by
  graph_simp [biasedEncoderBlockGraph, encoderBlockGraph, biasedEncoderEnv, biasedMha_eval_zero]
  rfl

end PostNorm
