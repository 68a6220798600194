import PostNorm.Block.Encoder.Graph
import PostNorm.Export.LayerNorm

/-! # The graphs of the encoder block and of its parts, for export

Sizes are `seqLen`, `dModel`, `numHeads`, `headDim`, `dFF`; `dModel` is free, as in the theorems, and
`numHeads * headDim` in PyTorch.  The factor of the attention scores is `1 / √headDim`.

## Main definitions

* `softmaxGraphFamily`, `mhaGraphFamily`, `geluGraphFamily`, `ffnGraphFamily`: the layers.
* `mhaResidualDGraphFamily`, `mhaPostNormGraphFamily`, `seqFfnResidualDGraphFamily`, `seqFfnPostNormGraphFamily`:
  the sublayers.
* `encoderMhaResidualDGraphFamily`, `encoderAfterNorm1GraphFamily`, `encoderFfnResidualGraphFamily`,
  `encoderBlockGraphFamily`: the stages of the block. -/

namespace PostNorm
open Obligations (GraphFamily)

/-- The first LayerNorm's `ε`. -/
def eps1Constant : NamedConstant := { value := 1e-5, symbol := some "eps1" }

/-- The second LayerNorm's `ε`. -/
def eps2Constant : NamedConstant := { value := 1e-5, symbol := some "eps2" }

/-- The factor of the attention scores. -/
def scaleConstant (headDim : Nat) : NamedConstant :=
  { value := 1 / headDim.toFloat.sqrt, symbol := some "scale" }

/-- GELU's constants; the slope is the float nearest to `√(2 / π)`. -/
def geluNamedConstants : GeluConstants NamedConstant where
  half := { value := 0.5 }
  one := { value := 1 }
  k := { value := 0.7978845608028654, symbol := some "geluK" }
  a := { value := 0.044715, symbol := some "geluA" }

/-- The block's constants, apart from `ε₁` and `ε₂`. -/
def encoderNamedConstants (headDim : Nat) : EncoderConstants NamedConstant where
  scale := scaleConstant headDim
  gelu := geluNamedConstants

/-- The sizes of attention, and small values for them. -/
private def mhaSizes : List (String × Nat) := [("seqLen", 3), ("dModel", 8), ("numHeads", 2), ("headDim", 4)]

/-- The sizes of the feed-forward layer, and small values for them. -/
private def ffnSizes : List (String × Nat) := [("seqLen", 3), ("dModel", 8), ("dFF", 5)]

/-- The names of attention's inputs. -/
private def mhaInputs : List String := ["x", "Wq", "Wk", "Wv", "Wo"]

/-- The names of the feed-forward layer's inputs. -/
private def ffnInputs : List String := ["x", "W1", "b1", "W2", "b2"]

/-- One graph for every choice of the sizes. -/
private def family (graph : Lean.Name) (sizes : List (String × Nat)) (constants : List (String × Float))
    (inputs : List String) (g : List Nat → Option (Sigma fun Γ => Sigma fun s => Graph NamedConstant Γ s)) :
    GraphFamily where
  graph
  sizes
  constants
  toJson values := match g values with
    | some ⟨_, _, g⟩ => g.toJson graph ((sizes.map (·.1)).zip values) inputs
    | none => throw s!"{graph} has the sizes {", ".intercalate (sizes.map (·.1))}"

/-- Softmax of every row of a matrix. -/
@[graph_family] def softmaxGraphFamily : GraphFamily :=
  family ``softmaxGraph [("seqLen", 3), ("dModel", 4)] [] ["x"] fun
    | [n, d] => some ⟨_, ⟦n, d⟧, softmaxGraph⟩
    | _ => none

/-- Multi-head attention. -/
@[graph_family] def mhaGraphFamily : GraphFamily :=
  family ``mhaGraph mhaSizes [] mhaInputs fun
    | [n, m, h, d] => some ⟨ΓMha n m h d, _, mhaGraph (scaleConstant d)⟩
    | _ => none

/-- GELU of a matrix. -/
@[graph_family] def geluGraphFamily : GraphFamily :=
  family ``geluGraph [("seqLen", 3), ("dFF", 5)] [] ["x"] fun
    | [n, f] => some ⟨_, ⟦n, f⟧, geluGraph geluNamedConstants⟩
    | _ => none

/-- The feed-forward layer. -/
@[graph_family] def ffnGraphFamily : GraphFamily :=
  family ``ffnGraph ffnSizes [] ffnInputs fun
    | [n, m, f] => some ⟨ΓFfn n m f, _, ffnGraph geluNamedConstants⟩
    | _ => none

/-- The attention residual. -/
@[graph_family] def mhaResidualDGraphFamily : GraphFamily :=
  family ``mhaResidualDGraph mhaSizes [] (mhaInputs ++ ["gamma", "beta"]) fun
    | [n, m, h, d] => some ⟨ΓMhaPostNorm n m h d, _, mhaResidualDGraph (scaleConstant d)⟩
    | _ => none

/-- The attention sublayer. -/
@[graph_family] def mhaPostNormGraphFamily : GraphFamily :=
  family ``mhaPostNormGraph mhaSizes [("eps", epsConstant.value)] (mhaInputs ++ ["gamma", "beta"]) fun
    | [n, m, h, d] => some ⟨ΓMhaPostNorm n m h d, _, mhaPostNormGraph (scaleConstant d) epsConstant⟩
    | _ => none

/-- The feed-forward residual. -/
@[graph_family] def seqFfnResidualDGraphFamily : GraphFamily :=
  family ``seqFfnResidualDGraph ffnSizes [] (ffnInputs ++ ["gamma", "beta"]) fun
    | [n, m, f] => some ⟨ΓSeqFfnPostNorm n m f, _, seqFfnResidualDGraph geluNamedConstants⟩
    | _ => none

/-- The feed-forward sublayer. -/
@[graph_family] def seqFfnPostNormGraphFamily : GraphFamily :=
  family ``seqFfnPostNormGraph ffnSizes [("eps", epsConstant.value)] (ffnInputs ++ ["gamma", "beta"]) fun
    | [n, m, f] => some ⟨ΓSeqFfnPostNorm n m f, _, seqFfnPostNormGraph geluNamedConstants epsConstant⟩
    | _ => none

/-- A stage of the encoder block. -/
private def encoderFamily (graph : Lean.Name) (constants : List (String × Float))
    (g : (n m h d f : Nat) → Graph NamedConstant (ΓEncoderBlock n m h d f) ⟦n, m⟧) : GraphFamily :=
  family graph (mhaSizes ++ [("dFF", 5)]) constants
    (mhaInputs ++ ["gamma1", "beta1", "gamma2", "beta2", "W1", "b1", "W2", "b2"]) fun
    | [n, m, h, d, f] => some ⟨_, _, g n m h d f⟩
    | _ => none

/-- The block up to the attention residual. -/
@[graph_family] def encoderMhaResidualDGraphFamily : GraphFamily :=
  encoderFamily ``encoderMhaResidualDGraph [] fun _ _ _ d _ =>
    encoderMhaResidualDGraph (encoderNamedConstants d)

/-- The block up to the first LayerNorm. -/
@[graph_family] def encoderAfterNorm1GraphFamily : GraphFamily :=
  encoderFamily ``encoderAfterNorm1Graph [("eps1", eps1Constant.value)] fun _ _ _ d _ =>
    encoderAfterNorm1Graph (encoderNamedConstants d) eps1Constant

/-- The block up to the feed-forward residual. -/
@[graph_family] def encoderFfnResidualGraphFamily : GraphFamily :=
  encoderFamily ``encoderFfnResidualGraph [("eps1", eps1Constant.value)] fun _ _ _ d _ =>
    encoderFfnResidualGraph (encoderNamedConstants d) eps1Constant

/-- The encoder block. -/
@[graph_family] def encoderBlockGraphFamily : GraphFamily :=
  encoderFamily ``encoderBlockGraph [("eps1", eps1Constant.value), ("eps2", eps2Constant.value)] fun _ _ _ d _ =>
    encoderBlockGraph (encoderNamedConstants d) eps1Constant eps2Constant

end PostNorm
