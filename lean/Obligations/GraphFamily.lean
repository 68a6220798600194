import Lean.Data.Json.Basic

/-! # Graphs that can be exported to the numeric side

## Main definitions

* `Obligations.GraphFamily`: a graph that depends on sizes and constants, with its default values and the
  function that writes one member of the family as JSON. -/

namespace Obligations

/-- A graph for every choice of its sizes and constants, as data for a program that is not Lean.

The JSON is an `obligations-graph/1` object; the bridge checks it before it uses it. -/
structure GraphFamily where
  /-- The declaration that theorems are about, such as `` `PostNorm.layerNormGraph ``. -/
  graph : Lean.Name
  /-- Names of the sizes, with the values used where none is asked for. -/
  sizes : List (String × Nat)
  /-- Names of the constants that an instance may choose, with their default values. -/
  constants : List (String × Float)
  /-- The member with these sizes (in the order of `sizes`), or why there is none. -/
  toJson : List Nat → Except String Lean.Json

end Obligations
