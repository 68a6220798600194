import Obligations.Attribute
import Obligations.GraphFamily
import PostNorm.Export.Graph
import PostNorm.Layers.LayerNorm.Graph

/-! # LayerNorm's graphs, for export

## Main definitions

* `layerNormGraphFamily`, `layerNormPrefix6Family`, `layerNormPrefix7Family`: the graphs for every `seqLen`,
  `dModel`, with `eps = 1e-5` unless an instance chooses another. -/

namespace PostNorm
open Obligations (GraphFamily)

/-- LayerNorm's `ε` as a named constant, with PyTorch's default value. -/
def epsConstant : NamedConstant := { value := 1e-5, symbol := some "eps" }

/-- The family of a graph that has LayerNorm's inputs and sizes. -/
def layerNormFamily (graph : Lean.Name) {shape : Nat → Nat → Shape}
    (g : (seqLen dModel : Nat) → Graph NamedConstant (ΓLayerNorm seqLen dModel) (shape seqLen dModel)) :
    GraphFamily where
  graph
  sizes := [("seqLen", 3), ("dModel", 4)]
  constants := [("eps", epsConstant.value)]
  toJson
    | [seqLen, dModel] =>
      (g seqLen dModel).toJson graph [("seqLen", seqLen), ("dModel", dModel)] ["x", "gamma", "beta"]
    | _ => throw s!"{graph} has the sizes seqLen and dModel"

/-- LayerNorm. -/
@[graph_family] def layerNormGraphFamily : GraphFamily :=
  layerNormFamily ``layerNormGraph fun _ _ => layerNormGraph epsConstant

/-- LayerNorm up to `var + ε`. -/
@[graph_family] def layerNormPrefix6Family : GraphFamily :=
  layerNormFamily ``layerNormPrefix6 fun _ _ => layerNormPrefix6 epsConstant

/-- LayerNorm up to the standard deviation. -/
@[graph_family] def layerNormPrefix7Family : GraphFamily :=
  layerNormFamily ``layerNormPrefix7 fun _ _ => layerNormPrefix7 epsConstant

end PostNorm
