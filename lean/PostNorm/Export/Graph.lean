import Lean.Data.Json.FromToJson
import PostNorm.Export.Json
import PostNorm.Graph.Compile

/-! # Graphs as JSON

A graph over named constants is closed data; writing it down is an ordinary function.  What is written is its
tape: one list of operations, calls inlined, every saved value under its name.

## Main definitions

* `NamedConstant`: a float, and the name of the parameter that it comes from, if any.
* `Graph.toJson`: an `obligations-graph/1` object. -/

namespace PostNorm
open Lean (Json)

/-- A constant of an exported graph: its value, and the parameter that it stands for, if any. -/
structure NamedConstant where
  /-- The value in this instance. -/
  value : Float
  /-- The name of the parameter, such as `eps`. -/
  symbol : Option String := none

/-- The parameters of a node that has a constant. -/
def NamedConstant.params (c : NamedConstant) : Except String (List (String × Json)) := do
  return ("c", ← floatToJson c.value) :: c.symbol.toList.map fun s => ("symbol", .str s)

/-- The shape as the array of its axes' lengths. -/
def Shape.toJson (s : Shape) : Json := Lean.toJson s.axes

/-- What a view is in the exported vocabulary. -/
inductive ViewNode where
  /-- Axis `i` of the result is axis `perm[i]` of the argument. -/
  | transpose (perm : List Nat)
  /-- The same entries in row-major order. -/
  | reshape
  /-- Insert this axis and repeat along it. -/
  | broadcast (axis : Nat)

/-- The one node that a view is.  Acting on all axes but the last changes nothing but the length of a
permutation. -/
def View.node : {s t : Shape} → View s t → ViewNode
  | s ▹ _ ▹ _, _, .swap => .transpose (List.range s.rank ++ [s.rank + 1, s.rank])
  | _, _, .split _ _ => .reshape
  | _, _, .merge => .reshape
  | s, _, .spread _ => .broadcast s.rank
  | _, _, .under _ v => match v.node with
    | .transpose perm => .transpose (perm ++ [perm.length])
    | other => other

/-- One node without its name: operation, arguments, parameters. -/
structure Node where
  /-- The name of the operation. -/
  op : String
  /-- The positions of its arguments, inputs first, then nodes. -/
  args : List Nat
  /-- Its parameters. -/
  params : List (String × Json) := []

/-- The position of the value that an index refers to. -/
def Idx.position {Γ : Context} {s : Shape} (positions : List Nat) (i : Idx Γ s) : Nat :=
  positions.getD i.toNat 0

/-- Each operation is one node of the exported vocabulary. -/
def Op.node {Γ : Context} {s : Shape} (positions : List Nat) : Op NamedConstant Γ s → Except String Node
  | .map .exp i => pure { op := "exp", args := [i.position positions] }
  | .map .sqrt i => pure { op := "sqrt", args := [i.position positions] }
  | .map .inv i => pure { op := "inv", args := [i.position positions] }
  | .map .tanh i => pure { op := "tanh", args := [i.position positions] }
  | .map (.scale c) i => return { op := "scale", args := [i.position positions], params := ← c.params }
  | .map (.addConst c) i => return { op := "addConst", args := [i.position positions], params := ← c.params }
  | .add i j => pure { op := "add", args := [i.position positions, j.position positions] }
  | .sub i j => pure { op := "sub", args := [i.position positions, j.position positions] }
  | .mul i j => pure { op := "mul", args := [i.position positions, j.position positions] }
  | .matmul i j => pure { op := "matmul", args := [i.position positions, j.position positions] }
  | .view v i => pure <| match v.node with
    | .transpose perm =>
      { op := "transpose", args := [i.position positions], params := [("perm", Lean.toJson perm)] }
    | .reshape => { op := "reshape", args := [i.position positions] }
    | .broadcast axis =>
      { op := "broadcast", args := [i.position positions], params := [("axis", Lean.toJson axis)] }
  | .sum (s := s) i =>
    pure { op := "sum", args := [i.position positions], params := [("axis", Lean.toJson s.rank)] }
  | .mean (s := s) i =>
    pure { op := "mean", args := [i.position positions], params := [("axis", Lean.toJson s.rank)] }

/-- The nodes of a tape in order, and the positions of the values at its end, newest first. -/
def Tape.nodes {Γ Δ : Context} : Tape NamedConstant Γ Δ → Except String (Array Json × List Nat)
  | .nil => pure (#[], List.range Γ.length)
  | .snoc (s := s) t name o => do
    let (nodes, positions) ← t.nodes
    let node ← o.node positions
    let json := Json.mkObj [("op", .str node.op), ("args", Lean.toJson node.args),
      ("params", Json.mkObj node.params), ("shape", s.toJson), ("name", .str name)]
    return (nodes.push json, (Γ.length + nodes.size) :: positions)

/-- A graph as an `obligations-graph/1` object: the tape of the graph, with the names of its inputs. -/
def Graph.toJson {Γ : Context} {s : Shape} (g : Graph NamedConstant Γ s) (declaration : Lean.Name)
    (sizes : List (String × Nat)) (inputs : List String) : Except String Json := do
  unless inputs.length = Γ.length do
    throw s!"{declaration} has {Γ.length} inputs, and {inputs.length} names were given"
  let compiled := g.toTape
  let (nodes, positions) ← compiled.tape.nodes
  return Json.mkObj [
    ("schema", .str "obligations-graph/1"),
    ("name", .str (declaration.replacePrefix `PostNorm .anonymous).toString),
    ("declaration", .str declaration.toString),
    ("sizes", Json.mkObj (sizes.map fun (n, k) => (n, Lean.toJson k))),
    ("inputs", .arr ((inputs.zip Γ).toArray.map fun (n, t) =>
      Json.mkObj [("name", .str n), ("shape", t.toJson)])),
    ("nodes", .arr nodes),
    ("outputs", Lean.toJson [compiled.out.position positions])]

end PostNorm
