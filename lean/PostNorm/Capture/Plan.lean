import Lean.Data.Json.FromToJson
import PostNorm.Capture.Sign

/-! # Parsing, validating and planning a captured graph

An `obligations-graph/1` object becomes a list of steps.  Shapes are checked here, since a message about a node helps
more than one about a term; the kernel ensures that nothing wrong passes.  For each step the plan says which rule
of `Capture/Rules` will prove it.

## Main definitions

* `Step`, `Captured`, `Captured.ofJson`.
* `Planned`, `Captured.plan`: rule, sign, and requirements of the rule, for each step. -/

namespace PostNorm.Capture
open Lean (Json JsonNumber)

/-- A node of a captured graph. -/
structure Step where
  /-- Its name. -/
  name : String
  /-- Its operation. -/
  op : String
  /-- The positions of its arguments, inputs first. -/
  args : List Nat
  /-- The shape of its value. -/
  shape : List Nat
  /-- Its constant. -/
  constant : Option JsonNumber := none
  /-- The name that several constants may share. -/
  symbol : Option String := none
  /-- Its axis. -/
  axis : Option Nat := none
  /-- Its permutation. -/
  perm : Option (List Nat) := none
  /-- Its index; −1 stands for no entry. -/
  index : Option (List Int) := none
  deriving Inhabited

/-- A captured graph. -/
structure Captured where
  /-- Its name. -/
  name : String
  /-- The names and shapes of its inputs. -/
  inputs : Array (String × List Nat)
  /-- Its nodes, in order. -/
  steps : Array Step
  /-- The position of its output. -/
  output : Nat

/-- The number of arguments of an operation, and the parameters that it must have. -/
def signature : String → Option (Nat × List String)
  | "add" | "sub" | "mul" | "matmul" => some (2, [])
  | "exp" | "inv" | "tanh" | "sqrt" | "log" | "relu" | "sigmoid" | "normalCdf" | "reshape" => some (1, [])
  | "scale" | "addConst" => some (1, ["c"])
  | "sum" | "mean" | "broadcast" => some (1, ["axis"])
  | "transpose" => some (1, ["perm"])
  | "place" => some (1, ["axis", "index"])
  | _ => none

/-- A longer index would be one number of more than a million digits. -/
def longestIndex : Nat := 65536

section read

/-- A list of natural numbers. -/
private def nats (j : Json) : Except String (List Nat) := do (← j.getArr?).toList.mapM (·.getNat?)

/-- A shape; an error names the place. -/
private def lengths (place : String) (j : Json) : Except String (List Nat) := do
  let s ← (nats j).mapError fun e => s!"{place}: expected a shape, and {e}"
  if s.contains 0 then throw s!"{place}: expected lengths above 0 but got the shape {s}"
  return s

/-- A required field. -/
private def field (place : String) (j : Json) (key : String) : Except String Json :=
  (j.getObjVal? key).mapError fun _ => s!"{place}: expected the key {key}"

/-- A field that is text. -/
private def text (place : String) (j : Json) (key : String) : Except String String := do
  (← field place j key).getStr?.mapError fun e => s!"{place}: {key}: {e}"

/-- Read one node. -/
def Step.ofJson (position : Nat) (j : Json) : Except String Step := do
  let name ← text s!"node {position}" j "name"
  let place := s!"node {name}"
  let op ← text place j "op"
  let some (_, wanted) := signature op | throw s!"{place}: there is no operation {op}"
  let params ← field place j "params"
  let keys := (← params.getObj?.mapError fun e => s!"{place}: params: {e}").toList.map (·.1)
  for k in keys do
    unless wanted.contains k || (k == "symbol" && wanted.contains "c") do
      throw s!"{place}: {op} has no parameter {k}"
  for k in wanted do
    unless keys.contains k do throw s!"{place}: {op} has a parameter {k}, which is missing"
  let given {α : Type} (key : String) (read : Json → Except String α) : Except String (Option α) :=
    match params.getObjVal? key with
    | .ok v => (read v).map some |>.mapError fun e => s!"{place}: {key}: {e}"
    | .error _ => pure none
  return {
    name, op
    args := ← (nats (← field place j "args")).mapError fun e => s!"{place}: args: {e}"
    shape := ← lengths place (← field place j "shape")
    constant := ← given "c" Json.getNum?
    symbol := ← given "symbol" Json.getStr?
    axis := ← given "axis" Json.getNat?
    perm := ← given "perm" nats
    index := ← given "index" fun v => do (← v.getArr?).toList.mapM (·.getInt?) }

/-- Read a graph. -/
def Captured.ofJson (j : Json) : Except String Captured := do
  let name ← text "graph" j "name"
  let place := s!"graph {name}"
  let inputs ← (← (← field place j "inputs").getArr?).mapM fun i => do
    let n ← text place i "name"
    return (n, ← lengths s!"input {n}" (← field place i "shape"))
  if inputs.isEmpty then throw s!"{place}: expected at least one input but got none"
  let nodes ← (← field place j "nodes").getArr?
  let steps ← nodes.zipIdx.mapM fun (n, i) => Step.ofJson i n
  let [output] ← nats (← field place j "outputs") | throw s!"{place}: a theorem speaks of one output; {
    "this graph has another number of them"}"
  unless output < inputs.size + steps.size do
    throw s!"{place}: expected an output below {inputs.size + steps.size} but got {output}"
  return { name, inputs, steps, output }

end read

/-- The shape that an operation gives its value. -/
def Step.shapeOf (step : Step) (args : List (List Nat)) : Except String (List Nat) := do
  let place := s!"node {step.name}"
  let first := args.headD []
  let wrong {α : Type} (why : String) : Except String α := throw s!"{place}: {step.op}: {why}"
  let axis ← match step.axis, step.op with
    | none, _ => pure 0
    | some a, "broadcast" => if a ≤ first.length then pure a else wrong s!"there is no place for axis {a} in {first}"
    | some a, _ => if a < first.length then pure a else wrong s!"the shape {first} has no axis {a}"
  match step.op, args with
  | "add", [s, t] | "sub", [s, t] | "mul", [s, t] =>
    if s == t then return s else wrong s!"expected arguments of one shape but got {s} and {t}"
  | "matmul", [s, t] => match s.reverse, t.reverse with
    | k :: m :: lead, n :: k' :: lead' =>
      if k == k' && lead == lead' then return (n :: m :: lead).reverse
      else wrong s!"the shapes {s} and {t} do not fit"
    | _, _ => wrong s!"expected two axes or more but got the shapes {s} and {t}"
  | "sum", _ | "mean", _ => return first.eraseIdx axis
  | "broadcast", _ =>
    if step.shape.length == first.length + 1 && step.shape.eraseIdx axis == first then return step.shape
    else wrong s!"expected {first} with axis {axis} inserted but it declares {step.shape}"
  | "transpose", _ =>
    let perm := step.perm.getD []
    if perm.length == first.length && (List.range first.length).all perm.contains then
      return perm.map fun a => first.getD a 0
    else wrong s!"expected a permutation of the axes of {first} but got {perm}"
  | "reshape", _ =>
    if step.shape.foldl (· * ·) 1 == first.foldl (· * ·) 1 then return step.shape
    else wrong s!"{first} and {step.shape} have not as many entries"
  | "place", _ =>
    let index := step.index.getD []
    let bound := first.getD axis 0
    if index.isEmpty || index.any fun k => k < -1 || k ≥ (bound : Int) then
      wrong s!"expected indices from -1 to {bound - 1}, at least one"
    if index.length > longestIndex then
      wrong s!"expected at most {longestIndex} indices but got {index.length}"
    return first.set axis index.length
  | _, _ => return first

/-- The shapes of all values, inputs first; an error names the offending node. -/
def Captured.shapes (g : Captured) : Except String (Array (List Nat)) := do
  let mut shapes := g.inputs.map (·.2)
  for step in g.steps do
    let place := s!"node {step.name}"
    let some (arity, _) := signature step.op | throw s!"{place}: there is no operation {step.op}"
    unless step.args.length == arity do
      throw s!"{place}: {step.op} has {arity} arguments but got {step.args.length}"
    let args ← step.args.mapM fun a => match shapes[a]? with
      | some s => pure s
      | none => throw s!"{place}: expected arguments below {shapes.size} but got {a}"
    let shape ← step.shapeOf args
    unless shape == step.shape do throw s!"{place}: expected the shape {shape} but it declares {step.shape}"
    shapes := shapes.push shape
  return shapes

/-- A view of the library, without the axes that follow it. -/
inductive ViewKind where
  /-- Swap the last two axes. -/
  | swap
  /-- Cut the last axis. -/
  | split (h d : Nat)
  /-- Join the last two axes. -/
  | merge
  /-- Repeat along a new last axis. -/
  | spread (n : Nat)

/-- The view of the library that a step is, and the number of axes that follow, if it is one.  Views are preferred,
since the library's own graphs are made of them. -/
def Step.view? (step : Step) (first : List Nat) : Option (ViewKind × Nat) :=
  match step.op with
  | "broadcast" =>
    let axis := step.axis.getD 0
    some (.spread (step.shape.getD axis 0), first.length - axis)
  | "transpose" =>
    let perm := step.perm.getD []
    (List.range (perm.length - 1)).findSome? fun j =>
      if perm == (List.range perm.length).map fun i => if i == j then j + 1 else if i == j + 1 then j else i then
        some (.swap, perm.length - 2 - j)
      else none
  | "reshape" =>
    let rec shared : List Nat → List Nat → Nat → List Nat × List Nat × Nat
      | m :: s, n :: t, k => if m == n then shared s t (k + 1) else (m :: s, n :: t, k)
      | s, t, k => (s, t, k)
    match shared first.reverse step.shape.reverse 0 with
    | (n :: s, d :: h :: t, k) => if n == h * d && s == t then some (.split h d, k) else
      match s with
      | h' :: s => if d == h' * n && s == h :: t then some (.merge, k) else none
      | [] => none
    | (d :: h :: s, n :: t, k) => if n == h * d && s == t then some (.merge, k) else none
    | _ => none
  | _ => none

/-- How a step is proved. -/
structure Planned where
  /-- The rule of `Graph.Sound`. -/
  rule : String
  /-- The sign of the value. -/
  sign : Sign := .any
  /-- Whether the rule needs the constant to be positive. -/
  positive : Bool := false
  /-- The condition on the first argument that the rule leaves open. -/
  asks : Option Demand := none
  deriving Inhabited

/-- The rule for a step whose arguments have these signs, and whose first argument has this shape. -/
def Step.plan (step : Step) (signs : List Sign) (shape : List Nat) : Planned :=
  let first := signs.headD .any
  let all (σ : Sign) := signs.all (·.atLeast σ)
  let pos := first.atLeast .pos
  let positive := step.constant.any (·.mantissa > 0)
  match step.op with
  | "add" => match signs with
    | [σ, τ] =>
      if σ.atLeast .pos && τ.atLeast .nonneg then ⟨"addPosLeft", .pos, false, none⟩
      else if σ.atLeast .nonneg && τ.atLeast .pos then ⟨"addPosRight", .pos, false, none⟩
      else if all .nonneg then ⟨"addNonneg", .nonneg, false, none⟩ else { rule := "add" }
    | _ => { rule := "add" }
  | "mul" =>
    if all .pos then ⟨"mulPos", .pos, false, none⟩ else if all .nonneg then ⟨"mulNonneg", .nonneg, false, none⟩
    else if step.args[0]? == step.args[1]? then ⟨"square", .nonneg, false, none⟩ else { rule := "mul" }
  | "exp" | "sigmoid" | "normalCdf" => { rule := step.op, sign := .pos }
  | "inv" => if pos then { rule := "inv", sign := .pos } else { rule := "invAsks", asks := some .nonzero }
  | "sqrt" => if pos then { rule := "sqrt", sign := .pos } else ⟨"sqrtAsks", .pos, false, some .positive⟩
  | "log" => if pos then { rule := "log" } else { rule := "logAsks", asks := some .positive }
  | "relu" => if pos then { rule := "relu", sign := .pos } else ⟨"reluAsks", .nonneg, false, some .nonzero⟩
  | "scale" => if positive && first.atLeast .nonneg then ⟨"scaleKeeps", first, true, none⟩ else { rule := "scale" }
  | "addConst" =>
    if positive && first.atLeast .nonneg then ⟨"addConstPos", .pos, true, none⟩ else { rule := "addConst" }
  | "sum" | "mean" =>
    { rule := if step.axis == some (shape.length - 1) then step.op else step.op ++ "Along", sign := first }
  | "transpose" | "reshape" | "broadcast" | "place" =>
    if (step.view? shape).isSome then { rule := "view", sign := first }
    else if first.atLeast .nonneg then { rule := "placedNonneg", sign := .nonneg } else { rule := "placed" }
  | op => { rule := op }

end PostNorm.Capture
