import PostNorm.Block.Encoder.Graph

/-! # The encoder block as a formula, and the theorem that the graph computes it

## Main definitions

* `Spec.EncoderWeights`; `encoderTokens`, `encoderWeights`: the tokens and the weights in an environment.
* `Spec.encoderBlock`: `x ↦ LN₂ (FFN (LN₁ (MHA x + x)) + LN₁ (MHA x + x))`.

## Main statements

* `encoderBlock_eval`: the graph computes the formula. -/

namespace PostNorm
universe u

/-- The weights of the block. -/
structure Spec.EncoderWeights (R : Type u) (dModel numHeads headDim dFF : Nat) where
  /-- The projections to queries, keys and values. -/
  (Wq Wk Wv : Fin dModel → Fin (numHeads * headDim) → R)
  /-- The projection back. -/
  Wo : Fin (numHeads * headDim) → Fin dModel → R
  /-- Scales and shifts of the two LayerNorms. -/
  (gamma1 beta1 gamma2 beta2 : Fin dModel → R)
  /-- The first affine map of the feed-forward layer. -/
  W1 : Fin dModel → Fin dFF → R
  /-- Its shift. -/
  b1 : Fin dFF → R
  /-- The second affine map of the feed-forward layer. -/
  W2 : Fin dFF → Fin dModel → R
  /-- Its shift. -/
  b2 : Fin dModel → R

section
variable {α : Type u} {seqLen dModel numHeads headDim dFF : Nat}

/-- The tokens in an environment of the block. -/
def encoderTokens (ρ : Env α (ΓEncoderBlock seqLen dModel numHeads headDim dFF)) :
    Fin seqLen → Fin dModel → α := (ρ.get .here).mat

/-- The weights in an environment of the block. -/
def encoderWeights (ρ : Env α (ΓEncoderBlock seqLen dModel numHeads headDim dFF)) :
    Spec.EncoderWeights α dModel numHeads headDim dFF where
  Wq := (ρ.get (.there .here)).mat
  Wk := (ρ.get (.there (.there .here))).mat
  Wv := (ρ.get (.there (.there (.there .here)))).mat
  Wo := (ρ.get (.there (.there (.there (.there .here))))).mat
  gamma1 := (ρ.get idxEncoderNorm1Gamma).vec
  beta1 := (ρ.get idxEncoderNorm1Beta).vec
  gamma2 := (ρ.get idxEncoderNorm2Gamma).vec
  beta2 := (ρ.get idxEncoderNorm2Beta).vec
  W1 := (ρ.tail.tail.tail.tail.tail.tail.tail.tail.tail.get .here).mat
  b1 := (ρ.tail.tail.tail.tail.tail.tail.tail.tail.tail.get (.there .here)).vec
  W2 := (ρ.tail.tail.tail.tail.tail.tail.tail.tail.tail.get (.there (.there .here))).mat
  b2 := (ρ.tail.tail.tail.tail.tail.tail.tail.tail.tail.get (.there (.there (.there .here)))).vec

end

variable {R : Type u} [RealField R] {seqLen dModel numHeads headDim dFF : Nat}

/-- The sum of two matrices. -/
noncomputable def Spec.add {n m : Nat} (A B : Fin n → Fin m → R) : Fin n → Fin m → R := fun i j => A i j + B i j

/-- The first post-norm sublayer: `LN₁ (MHA x + x)`. -/
noncomputable def Spec.encoderNorm1 (c : EncoderConstants R) (ε₁ : R)
    (w : Spec.EncoderWeights R dModel numHeads headDim dFF) (x : Fin seqLen → Fin dModel → R) :
    Fin seqLen → Fin dModel → R :=
  Spec.layerNorm ε₁ w.gamma1 w.beta1 (Spec.add (Spec.mha c.scale w.Wq w.Wk w.Wv w.Wo x) x)

/-- The post-norm encoder block: `LN₂ (FFN y + y)` with `y = LN₁ (MHA x + x)`. -/
noncomputable def Spec.encoderBlock (c : EncoderConstants R) (ε₁ ε₂ : R)
    (w : Spec.EncoderWeights R dModel numHeads headDim dFF) (x : Fin seqLen → Fin dModel → R) :
    Fin seqLen → Fin dModel → R :=
  let y := Spec.encoderNorm1 c ε₁ w x
  Spec.layerNorm ε₂ w.gamma2 w.beta2 (Spec.add (Spec.ffn c.gelu w.W1 w.b1 w.W2 w.b2 y) y)

/-- The encoder block's graph computes `LN₂ (FFN (LN₁ (MHA x + x)) + LN₁ (MHA x + x))`, at every input. -/
@[obligation]
theorem encoderBlock_eval (c : EncoderConstants R) (ε₁ ε₂ : R)
    (ρ : Env R (ΓEncoderBlock seqLen dModel numHeads headDim dFF)) :
    (encoderBlockGraph c ε₁ ε₂).eval ρ =
      Tensor.ofMat (Spec.encoderBlock c ε₁ ε₂ (encoderWeights ρ) (encoderTokens ρ)) := by
  graph_simp [encoderBlockGraph, layerNorm_eval, mha_eval, affine_eval, gelu_eval]
  rfl

end PostNorm
