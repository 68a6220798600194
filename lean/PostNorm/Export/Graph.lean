import Lean.Data.Json.FromToJson
import PostNorm.Export.Json
import PostNorm.Graph.Compile

/-! # Graphs as JSON

A graph over named constants is closed data; writing it is an ordinary function.  The output is its tape: one list of
operations, calls inlined, every saved value under its name.

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

/-- A parameter as JSON. -/
def Param.toJson : Param → Json
  | .nat n => Lean.toJson n
  | .nats ns => Lean.toJson ns
  | .ints ns => Lean.toJson ns

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

/-- The positions of the values that arguments refer to. -/
def Args.positions {Γ : Context} (positions : List Nat) : {Δ : Context} → Args Γ Δ → List Nat
  | _, .nil => []
  | _, .cons i as => i.position positions :: as.positions positions

/-- The parameters for constants: the format allows one per operation. -/
def constantParams (operation : String) :
    {n : Nat} → (Fin n → NamedConstant) → Except String (List (String × Json))
  | 0, _ => return []
  | 1, k => (k 0).params
  | n, _ => throw s!"{operation} has {n} constants; an exported operation has at most one"

/-- Each operation is one node of the exported graph. -/
def Op.node {Γ : Context} {s : Shape} (positions : List Nat) (o : Op.{0, 0} NamedConstant Γ s) :
    Except String Node := do
  let constants ← constantParams o.primitive.name o.const
  return {
    op := o.primitive.name
    args := o.args.positions positions
    params := constants ++ o.primitive.params.map fun (n, p) => (n, p.toJson) }

/-- The nodes of a tape in order, and the positions of the values at its end, newest first. -/
def Tape.nodes {Γ Δ : Context} : Tape.{0, 0} NamedConstant Γ Δ → Except String (Array Json × List Nat)
  | .nil => pure (#[], List.range Γ.length)
  | .snoc (s := s) t name o => do
    let (nodes, positions) ← t.nodes
    let node ← o.node positions
    let json := Json.mkObj [("op", .str node.op), ("args", Lean.toJson node.args),
      ("params", Json.mkObj node.params), ("shape", s.toJson), ("name", .str name)]
    return (nodes.push json, (Γ.length + nodes.size) :: positions)

/-- A graph as an `obligations-graph/1` object: the tape of the graph, with the names of its inputs. -/
def Graph.toJson {Γ : Context} {s : Shape} (g : Graph.{0, 0} NamedConstant Γ s) (declaration : Lean.Name)
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
