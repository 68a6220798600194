import PostNorm.Block.BiasedEncoder.Graph
import PostNorm.Export.Block

/-! # The graphs of attention and of the encoder block with biases and mask, for export

Sizes and constants are those of `Export/Block.lean`.

## Main definitions

* `biasedMhaGraphFamily`, `biasedEncoderBlockGraphFamily`, and the stages
  `biasedEncoderMhaResidualGraphFamily`, `biasedEncoderFfnResidualGraphFamily`. -/

namespace PostNorm
open Obligations (GraphFamily)

/-- The names of the inputs of attention with biases and mask. -/
def biasedMhaInputs : List String := ["x", "Wq", "bq", "Wk", "bk", "Wv", "bv", "Wo", "bo", "mask"]

/-- The names of the inputs of the encoder block with biases and mask. -/
def biasedEncoderInputs : List String :=
  biasedMhaInputs ++ ["gamma1", "beta1", "gamma2", "beta2", "W1", "b1", "W2", "b2"]

/-- Attention with biases and mask. -/
@[graph_family] def biasedMhaGraphFamily : GraphFamily where
  graph := ``biasedMhaGraph
  sizes := [("seqLen", 3), ("dModel", 8), ("numHeads", 2), ("headDim", 4)]
  constants := []
  toJson
    | [n, m, h, d] =>
      (biasedMhaGraph (scaleConstant d) : Graph NamedConstant (ΓBiasedMha n m h d) _).toJson ``biasedMhaGraph
        [("seqLen", n), ("dModel", m), ("numHeads", h), ("headDim", d)] biasedMhaInputs
    | _ => throw s!"{``biasedMhaGraph} has the sizes seqLen, dModel, numHeads, headDim"

/-- A stage of the encoder block with biases and mask. -/
private def biasedEncoderFamily (graph : Lean.Name) (constants : List (String × Float))
    (g : (n m h d f : Nat) → Graph NamedConstant (ΓBiasedEncoderBlock n m h d f) ⟦n, m⟧) : GraphFamily where
  graph
  sizes := [("seqLen", 3), ("dModel", 8), ("numHeads", 2), ("headDim", 4), ("dFF", 5)]
  constants
  toJson
    | [n, m, h, d, f] =>
      (g n m h d f).toJson graph
        [("seqLen", n), ("dModel", m), ("numHeads", h), ("headDim", d), ("dFF", f)] biasedEncoderInputs
    | _ => throw s!"{graph} has the sizes seqLen, dModel, numHeads, headDim, dFF"

/-- The block with biases and mask, up to the attention residual. -/
@[graph_family] def biasedEncoderMhaResidualGraphFamily : GraphFamily :=
  biasedEncoderFamily ``biasedEncoderMhaResidualGraph [] fun _ _ _ d _ =>
    biasedEncoderMhaResidualGraph (encoderNamedConstants d)

/-- The block with biases and mask, up to the feed-forward residual. -/
@[graph_family] def biasedEncoderFfnResidualGraphFamily : GraphFamily :=
  biasedEncoderFamily ``biasedEncoderFfnResidualGraph [("eps1", eps1Constant.value)] fun _ _ _ d _ =>
    biasedEncoderFfnResidualGraph (encoderNamedConstants d) eps1Constant

/-- The encoder block with biases and mask. -/
@[graph_family] def biasedEncoderBlockGraphFamily : GraphFamily :=
  biasedEncoderFamily ``biasedEncoderBlockGraph [("eps1", eps1Constant.value), ("eps2", eps2Constant.value)]
    fun _ _ _ d _ => biasedEncoderBlockGraph (encoderNamedConstants d) eps1Constant eps2Constant

end PostNorm
