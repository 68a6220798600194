import PostNorm.Block.Activated
import PostNorm.Export.BiasedBlock

/-! # The graphs of encoder blocks with other activations, and of pre-norm blocks, for export

Sizes and inputs are those of `Export/BiasedBlock.lean`.

## Main definitions

* `geluEncoderBlockGraphFamily`, `reluEncoderBlockGraphFamily`, `preNormGeluBlockGraphFamily`,
  `preNormGeluTanhBlockGraphFamily`, `preNormQuickGeluBlockGraphFamily`, `preNormReluBlockGraphFamily`. -/

namespace PostNorm
open Obligations (GraphFamily)

/-- A block of this kind. -/
private def activatedFamily (graph : Lean.Name)
    (g : (n m h d f : Nat) → Graph NamedConstant (ΓBiasedEncoderBlock n m h d f) ⟦n, m⟧) : GraphFamily where
  graph
  sizes := [("seqLen", 3), ("dModel", 8), ("numHeads", 2), ("headDim", 4), ("dFF", 5)]
  constants := [("eps1", eps1Constant.value), ("eps2", eps2Constant.value)]
  toJson
    | [n, m, h, d, f] =>
      (g n m h d f).toJson graph
        [("seqLen", n), ("dModel", m), ("numHeads", h), ("headDim", d), ("dFF", f)] biasedEncoderInputs
    | _ => throw s!"{graph} has the sizes seqLen, dModel, numHeads, headDim, dFF"

/-- The post-norm block with exact GELU. -/
@[graph_family] def geluEncoderBlockGraphFamily : GraphFamily :=
  activatedFamily ``geluEncoderBlockGraph fun _ _ _ d _ =>
    geluEncoderBlockGraph (scaleConstant d) eps1Constant eps2Constant

/-- The post-norm block with ReLU. -/
@[graph_family] def reluEncoderBlockGraphFamily : GraphFamily :=
  activatedFamily ``reluEncoderBlockGraph fun _ _ _ d _ =>
    reluEncoderBlockGraph (scaleConstant d) eps1Constant eps2Constant

/-- The pre-norm block with exact GELU. -/
@[graph_family] def preNormGeluBlockGraphFamily : GraphFamily :=
  activatedFamily ``preNormGeluBlockGraph fun _ _ _ d _ =>
    preNormGeluBlockGraph (scaleConstant d) eps1Constant eps2Constant

/-- The pre-norm block with tanh-GELU. -/
@[graph_family] def preNormGeluTanhBlockGraphFamily : GraphFamily :=
  activatedFamily ``preNormGeluTanhBlockGraph fun _ _ _ d _ =>
    preNormGeluTanhBlockGraph geluNamedConstants (scaleConstant d) eps1Constant eps2Constant

/-- The pre-norm block with ReLU. -/
@[graph_family] def preNormReluBlockGraphFamily : GraphFamily :=
  activatedFamily ``preNormReluBlockGraph fun _ _ _ d _ =>
    preNormReluBlockGraph (scaleConstant d) eps1Constant eps2Constant

/-- Quick-GELU's factor. -/
def quickGeluConstant : NamedConstant := { value := 1.702 }

/-- The pre-norm block with quick-GELU. -/
@[graph_family] def preNormQuickGeluBlockGraphFamily : GraphFamily :=
  activatedFamily ``preNormQuickGeluBlockGraph fun _ _ _ d _ =>
    preNormQuickGeluBlockGraph quickGeluConstant (scaleConstant d) eps1Constant eps2Constant

end PostNorm
