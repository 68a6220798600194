import Descent.Loss
import Obligations.Attribute
import Obligations.GraphFamily

/-! # The loss's decrease as a graph

The definitions are run on symbols instead of numbers, and what they do is written down.  So the graph is the
very definition that the theorem speaks of, not a copy of it.

## Main definitions

* `Symbol`: what a computation over symbols leaves behind; `decreaseFamily`: the exported graph. -/

namespace Descent
open Lean (Json)

/-- An expression in named inputs, with the rate as a named constant. -/
inductive Symbol where
  /-- The input with this index. -/
  | input (index : Nat)
  /-- A constant that an instance may choose. -/
  | rate
  /-- A sum, difference or product. -/
  | apply (op : String) (a b : Symbol)

instance : Add Symbol := ⟨.apply "add"⟩
instance : Sub Symbol := ⟨.apply "sub"⟩
instance : Mul Symbol := ⟨.apply "mul"⟩

/-- The default value of the rate. -/
def defaultRate : Float := 0.25

/-- A node of the graph, still without a name; every shape is that of a number. -/
def node (op : String) (args : List Nat) (params : List (String × Json)) : List (String × Json) :=
  [("op", op), ("args", Lean.toJson args), ("params", Json.mkObj params), ("shape", Lean.toJson ([] : List Nat))]

/-- Write an expression behind `nodes`, for a graph with `inputs` inputs; gives the index of its value.
What is computed twice is written once. -/
def Symbol.write (inputs : Nat) (nodes : Array Json) : Symbol → Except String (Nat × Array Json)
  | .input i => pure (i, nodes)
  | .rate => throw "the rate stands where only a factor can be written"
  | .apply "mul" .rate b => do
    let (j, nodes) ← b.write inputs nodes
    pure (push nodes (node "scale" [j] [("c", Lean.toJson defaultRate), ("symbol", "eta")]))
  | .apply op a b => do
    let (i, nodes) ← a.write inputs nodes
    let (j, nodes) ← b.write inputs nodes
    pure (push nodes (node op [i, j] []))
where
  push (nodes : Array Json) (fields : List (String × Json)) : Nat × Array Json :=
    let made := Json.mkObj fields
    match nodes.findIdx? (· == made) with
    | some k => (inputs + k, nodes)
    | none => (inputs + nodes.size, nodes.push made)

/-- `decrease`, of symbols for its arguments. -/
def symbolicDecrease : Symbol := decrease .rate (w := .input 0) (x := .input 1) (y := .input 2)

/-- By how much one step lowers the loss, as a graph with the inputs `w`, `x`, `y` and the constant `eta`. -/
@[graph_family] def decreaseFamily : Obligations.GraphFamily where
  graph := ``decrease
  sizes := []
  constants := [("eta", defaultRate)]
  toJson _ := do
    let (output, nodes) ← symbolicDecrease.write 3 #[]
    let named := nodes.mapIdx fun k n => n.setObjVal! "name" s!"step{k + 1}"
    let input (name : String) := Json.mkObj [("name", name), ("shape", Lean.toJson ([] : List Nat))]
    return Json.mkObj [("schema", "obligations-graph/1"), ("name", "decrease"),
      ("declaration", "Descent.decrease"), ("sizes", Json.mkObj []),
      ("inputs", Json.arr #[input "w", input "x", input "y"]), ("nodes", Json.arr named),
      ("outputs", Lean.toJson [output])]

end Descent
