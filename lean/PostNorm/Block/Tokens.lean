import PostNorm.Block.GatedBlock
import PostNorm.Block.MaskedPreNorm
import PostNorm.Block.T5.Graph
import PostNorm.Graph.TokenTheorems

/-! # Blocks in their tokens alone

With fixed weights a block is a function of its tokens.  Its derivative, and the derivative's adjoint, which is the
first component of backprop.

## Main statements

* `gpt2Block_…_tokens`, `llamaBlock_…_tokens`, `t5GatedEncoderBlock_…_tokens`:
  `_hasFDerivAt_tokens`, `_adjoint_tokens`. -/

namespace PostNorm
universe u
variable {seqLen dModel numHeads headDim numGroups perGroup buckets dFF : Nat}

token_theorems gpt2Block (c : GeluConstants R) (scale ε₁ ε₂ : R) where
  is "GPT-2's block"
  layer maskedPreNormLayer (.geluTanh c) Mask.causal scale ε₁ ε₂
  graph gpt2BlockGraph c scale ε₁ ε₂
  first ⟦seqLen, dModel⟧
  others (ΓMaskedPreNorm seqLen dModel numHeads headDim dFF).tail
  given hEps1Pos : 0 < ε₁
  given hEps2Pos : 0 < ε₂
  smooth ⟨fun _ => Spec.variance_add_pos hEps1Pos _, fun _ => Mask.causal_allows,
    fun _ => Spec.variance_add_pos hEps2Pos _, fun _ => trivial⟩

token_theorems llamaBlock (scale ε₁ ε₂ : R) where
  is "LLaMA's block"
  layer gatedBlockLayer (.rms ε₁) (.rms ε₂) .silu Mask.causal scale
  graph llamaBlockGraph scale ε₁ ε₂
  first ⟦seqLen, dModel⟧
  others (ΓGatedBlock seqLen dModel numGroups perGroup headDim dFF).tail
  given hEps1Pos : 0 < ε₁
  given hEps2Pos : 0 < ε₂
  smooth ⟨fun _ => Spec.meanSquare_add_pos hEps1Pos _, fun _ => Mask.causal_allows,
    fun _ => Spec.meanSquare_add_pos hEps2Pos _, fun _ => trivial⟩

token_theorems t5GatedEncoderBlock (c : GeluConstants R) (allowed : Mask seqLen seqLen)
    (bucket : Fin seqLen → Fin seqLen → Fin buckets) (ε₁ ε₂ : R) where
  is "T5 1.1's encoder block"
  layer t5EncoderLayer (Φ := (ΓGated seqLen dModel dFF).tail) (gatedLayer (.geluTanh c)) allowed bucket ε₁ ε₂
  graph t5GatedEncoderBlockGraph c allowed bucket ε₁ ε₂
  first ⟦seqLen, dModel⟧
  others (ΓT5Encoder seqLen dModel numHeads headDim buckets (ΓGated seqLen dModel dFF).tail).tail
  given hEps1Pos : 0 < ε₁
  given hKeyAllowed : ∀ i, ∃ j, allowed i j = true
  given hEps2Pos : 0 < ε₂
  smooth ⟨⟨fun _ => Spec.meanSquare_add_pos hEps1Pos _, fun _ => hKeyAllowed⟩,
    fun _ => Spec.meanSquare_add_pos hEps2Pos _, fun _ => trivial⟩

end PostNorm
