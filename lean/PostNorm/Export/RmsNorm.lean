import PostNorm.Export.LayerNorm
import PostNorm.Layers.RmsNorm

/-! # The graph of RMSNorm, for export

## Main definitions

* `rmsNormGraphFamily`. -/

namespace PostNorm
open Obligations (GraphFamily)

/-- RMSNorm. -/
@[graph_family] def rmsNormGraphFamily : GraphFamily where
  graph := ``rmsNormGraph
  sizes := [("seqLen", 3), ("dModel", 4)]
  constants := [("eps", epsConstant.value)]
  toJson
    | [n, d] =>
      (rmsNormGraph epsConstant : Graph NamedConstant (ΓRmsNorm n d) _).toJson ``rmsNormGraph
        [("seqLen", n), ("dModel", d)] ["x", "gamma"]
    | _ => throw s!"{``rmsNormGraph} has the sizes seqLen, dModel"

end PostNorm
