import PostNorm.Block.Stack
import PostNorm.Export.BiasedBlock

/-! # The graphs of encoders of any number of blocks, for export

The weights of block `k` are named `layer<k>.Wq` and so on; its saved values have the same prefix.

## Main definitions

* `encoderGraphFamily`, `biasedEncoderGraphFamily`. -/

namespace PostNorm
open Obligations (GraphFamily)

/-- The names of an encoder's inputs: the tokens, and then the other inputs of each block. -/
private def encoderInputs (depth : Nat) (block : List String) : List String :=
  "x" :: (List.range depth).flatMap fun k => (block.drop 1).map fun n => s!"layer{k}.{n}"

/-- The sizes of an encoder, and small values for them. -/
private def encoderSizes : List (String × Nat) :=
  [("seqLen", 3), ("dModel", 8), ("numHeads", 2), ("headDim", 4), ("dFF", 5), ("depth", 2)]

/-- The family of an encoder whose blocks have the inputs `block`. -/
private def stackFamily (graph : Lean.Name) (block : List String)
    (toJson : (sizes : List Nat) → List (String × Nat) → List String → Except String Lean.Json) : GraphFamily where
  graph
  sizes := encoderSizes
  constants := [("eps1", eps1Constant.value), ("eps2", eps2Constant.value)]
  toJson values := toJson values ((encoderSizes.map (·.1)).zip values) (encoderInputs (values.getD 5 0) block)

/-- An encoder. -/
@[graph_family] def encoderGraphFamily : GraphFamily :=
  stackFamily ``encoderGraph
    ["x", "Wq", "Wk", "Wv", "Wo", "gamma1", "beta1", "gamma2", "beta2", "W1", "b1", "W2", "b2"]
    fun values sizes inputs => match values with
      | [n, m, h, d, f, depth] =>
        (encoderGraph (encoderNamedConstants d) eps1Constant eps2Constant depth :
          Graph NamedConstant (ΓEncoder n m h d f depth) _).toJson ``encoderGraph sizes inputs
      | _ => throw s!"{``encoderGraph} has the sizes {encoderSizes.map (·.1)}"

/-- An encoder with biases and masks. -/
@[graph_family] def biasedEncoderGraphFamily : GraphFamily :=
  stackFamily ``biasedEncoderGraph biasedEncoderInputs fun values sizes inputs => match values with
    | [n, m, h, d, f, depth] =>
      (biasedEncoderGraph (encoderNamedConstants d) eps1Constant eps2Constant depth :
        Graph NamedConstant (ΓBiasedEncoder n m h d f depth) _).toJson ``biasedEncoderGraph sizes inputs
    | _ => throw s!"{``biasedEncoderGraph} has the sizes {encoderSizes.map (·.1)}"

end PostNorm
