import Obligations.Export
import PostNorm.Block.BiasedEncoder.Graph
import PostNorm.Run.Float
import PostNorm.Run.Graph

/-! # A command that runs a graph over `Float`

`#run_graph "nonce" "request"` answers with the value of a graph and the gradients of all its inputs, computed by
`Graph.run`, which is proved equal to `Graph.eval` and `Graph.backprop` over any scalar.

The request is `{"name", "sizes": {…}, "constants": {…}, "inputs": {name: […]}, "seed": […]}`, where tensors are
lists in row-major order and numbers are as in `floatOfJson`.  Every size, constant and input is required, and nothing
else is allowed.  The answer is `{"kind": "run", "name", "value": […], "gradients": {name: […]}}`, or
`{"kind": "run", "error"}`; then an `end`, as in `Obligations/Export.lean`.

## Main definitions

* `Runnable`: a graph that can be run, for every choice of sizes and constants; `Runnable.answer`.
* `runLayerNorm`, `runMha`, `runFfn`, `runEncoderBlock`, `runBiasedEncoderBlock`: the graphs that can be run.
* `#run_graph`. -/

namespace PostNorm
open Lean Elab Command

/-- A graph over `Float`, with its context and shape. -/
structure FloatGraph where
  /-- The inputs. -/
  {ctx : Context}
  /-- The shape of the output. -/
  {shape : Shape}
  /-- The graph. -/
  graph : Graph Float ctx shape

/-- A graph that can be run, for every choice of its sizes and constants. -/
structure Runnable where
  /-- The declaration, without the root namespace. -/
  name : String
  /-- The names of the sizes. -/
  sizes : List String
  /-- The names of the constants. -/
  constants : List String
  /-- The names of the inputs, in the order of the context. -/
  inputs : List String
  /-- The graph with these sizes and constants, or nothing if their number is wrong. -/
  member : List Nat → List Float → Option FloatGraph

/-- The fields of an object, in the order of `names`, each read by `read`; an error for a missing field, and for an
unknown one. -/
private def readFields {α : Type} (what : String) (names : List String) (json : Json)
    (read : String → Json → Except String α) : Except String (List α) := do
  for (k, _) in (← json.getObj?).toList do
    unless names.contains k do throw s!"there is no {what} called {k}; there are {names}"
  names.mapM fun n => match json.getObjVal? n with
    | .ok v => read n v
    | .error _ => throw s!"the {what} {n} is missing"

/-- A list of numbers; errors mention `what`. -/
private def readArray (what : String) (json : Json) : Except String (Array Float) := do
  match json.getArr? >>= fun a => a.mapM floatOfJson with
  | .ok a => pure a
  | .error e => throw s!"{what}: {e}"

/-- A tensor of shape `s` from its entries. -/
private def readBuffer (what : String) (s : Shape) (data : Array Float) : Except String (Buffer Float s) :=
  match Buffer.ofArray? s data with
  | some b => pure b
  | none => throw s!"{what} has the shape {s.axes}, so {s.size} entries, and {data.size} were given"

/-- One tensor for every entry of a context. -/
private def readStore : (Γ : Context) → List (String × Array Float) → Except String (Store Float Γ)
  | [], [] => pure .nil
  | s :: Γ, (n, data) :: rest => return .cons (← readBuffer n s data) (← readStore Γ rest)
  | Γ, given => throw s!"the graph has {Γ.length} more inputs, and {given.length} were given"

/-- A list of numbers that reads back exactly. -/
private def arrayToJson (a : Array Float) : Json := .arr (a.map floatToExactJson)

/-- Run a member of the family for a request. -/
def Runnable.answer (r : Runnable) (request : Json) : Except String (List (String × Json)) := do
  let sizes ← readFields "size" r.sizes (← request.getObjVal? "sizes") fun _ v => v.getNat?
  let constants ← readFields "constant" r.constants (← request.getObjVal? "constants") fun _ v => floatOfJson v
  let some ⟨graph⟩ := r.member sizes constants | throw s!"{r.name} has the sizes {r.sizes}"
  let inputs ← readFields "input" r.inputs (← request.getObjVal? "inputs") fun n v => return (n, ← readArray n v)
  let store ← readStore _ inputs
  let seed ← readBuffer "seed" _ (← readArray "seed" (← request.getObjVal? "seed"))
  let (value, gradients) := graph.valueAndGradients store seed
  return [("name", .str r.name), ("value", arrayToJson value.data),
    ("gradients", Json.mkObj (r.inputs.zip (gradients.arrays.map arrayToJson)))]

/-- Run the graph that a request names. -/
def runRequest (runnables : List Runnable) (request : String) : List (String × Json) :=
  let answer : Except String (List (String × Json)) := do
    let json ← Json.parse request
    let name ← json.getObjValAs? String "name"
    let some r := runnables.find? (·.name == name)
      | throw s!"no graph called {name} can be run; there are {runnables.map (·.name)}"
    r.answer json
  ("kind", .str "run") :: match answer with
    | .ok fields => fields
    | .error e => [("error", .str e)]

/-- LayerNorm. -/
def runLayerNorm : Runnable where
  name := "layerNormGraph"
  sizes := ["seqLen", "dModel"]
  constants := ["eps"]
  inputs := ["x", "gamma", "beta"]
  member
    | [seqLen, dModel], [eps] => some ⟨(layerNormGraph eps : Graph Float (ΓLayerNorm seqLen dModel) _)⟩
    | _, _ => none

/-- The names of attention's sizes. -/
private def mhaSizes : List String := ["seqLen", "dModel", "numHeads", "headDim"]

/-- The names of the block's constants. -/
private def blockConstants : List String := ["scale", "geluHalf", "geluOne", "geluK", "geluA", "eps1", "eps2"]

/-- The names of the block's inputs that follow those of attention. -/
private def normAndFfnInputs : List String := ["gamma1", "beta1", "gamma2", "beta2", "W1", "b1", "W2", "b2"]

/-- Multi-head attention. -/
def runMha : Runnable where
  name := "mhaGraph"
  sizes := mhaSizes
  constants := ["scale"]
  inputs := ["x", "Wq", "Wk", "Wv", "Wo"]
  member
    | [n, m, h, d], [scale] => some ⟨(mhaGraph scale : Graph Float (ΓMha n m h d) _)⟩
    | _, _ => none

/-- The feed-forward layer. -/
def runFfn : Runnable where
  name := "ffnGraph"
  sizes := ["seqLen", "dModel", "dFF"]
  constants := ["geluHalf", "geluOne", "geluK", "geluA"]
  inputs := ["x", "W1", "b1", "W2", "b2"]
  member
    | [n, m, f], [half, one, k, a] => some ⟨(ffnGraph { half, one, k, a } : Graph Float (ΓFfn n m f) _)⟩
    | _, _ => none

/-- The encoder block. -/
def runEncoderBlock : Runnable where
  name := "encoderBlockGraph"
  sizes := mhaSizes ++ ["dFF"]
  constants := blockConstants
  inputs := ["x", "Wq", "Wk", "Wv", "Wo"] ++ normAndFfnInputs
  member
    | [n, m, h, d, f], [scale, half, one, k, a, ε₁, ε₂] =>
      some ⟨(encoderBlockGraph { scale, gelu := { half, one, k, a } } ε₁ ε₂ :
        Graph Float (ΓEncoderBlock n m h d f) _)⟩
    | _, _ => none

/-- The encoder block with biases and mask. -/
def runBiasedEncoderBlock : Runnable where
  name := "biasedEncoderBlockGraph"
  sizes := mhaSizes ++ ["dFF"]
  constants := blockConstants
  inputs := ["x", "Wq", "bq", "Wk", "bk", "Wv", "bv", "Wo", "bo", "mask"] ++ normAndFfnInputs
  member
    | [n, m, h, d, f], [scale, half, one, k, a, ε₁, ε₂] =>
      some ⟨(biasedEncoderBlockGraph { scale, gelu := { half, one, k, a } } ε₁ ε₂ :
        Graph Float (ΓBiasedEncoderBlock n m h d f) _)⟩
    | _, _ => none

/-- The graphs that can be run. -/
def runnables : List Runnable := [runLayerNorm, runMha, runFfn, runEncoderBlock, runBiasedEncoderBlock]

/-- Run a graph over `Float`. -/
syntax (name := runGraph) "#run_graph " str str : command

elab_rules : command
  | `(#run_graph $nonce $request) => do
    let nonce := nonce.getString
    Obligations.answer nonce (runRequest runnables request.getString)
    Obligations.answer nonce [("kind", .str "end"), ("count", toJson (1 : Nat)), ("lean", .str Lean.versionString)]

end PostNorm
