import Lean.Data.Json.FromToJson
import Lean.Meta.Basic
import PostNorm.Capture.Term
import PostNorm.Export.Graph

/-! # From a declared graph back to JSON

The tape that runs is read off the declaration that the theorem names, not off the request.  Names and parameters are
those of the library's own primitives and views.

## Main definitions

* `tapeOf`: the nodes of a declared graph, and the position of its output. -/

namespace PostNorm.Capture
open Lean Meta

/-- A natural number, read off a term. -/
private def natOf (e : Expr) : MetaM Nat :=
  match e.nat? with
  | some n => pure n
  | none => throwError "expected a number but the term has {e}"

/-- A shape, read off a term. -/
private partial def shapeOf (e : Expr) : MetaM Shape := do
  match e.getAppFnArgs with
  | (``Shape.unit, _) => return .unit
  | (``Shape.snoc, #[s, n]) => return .snoc (← shapeOf s) (← natOf n)
  | _ => throwError "expected a shape but the term has {e}"

/-- How far an index counts back. -/
private partial def indexOf (e : Expr) : MetaM Nat := do
  match e.getAppFnArgs with
  | (``Idx.here, _) => return 0
  | (``Idx.there, args) => return (← indexOf args[3]!) + 1
  | _ => throwError "expected an index but the term has {e}"

/-- A list of natural numbers, read off a term. -/
private partial def natsOf (e : Expr) : MetaM (List Nat) := do
  match e.getAppFnArgs with
  | (``List.nil, _) => return []
  | (``List.cons, #[_, n, ns]) => return (← natOf n) :: (← natsOf ns)
  | _ => throwError "expected a list of numbers but the term has {e}"

/-- A view, with its shapes. -/
private structure SomeView where
  {src : Shape}
  {dst : Shape}
  view : View src dst

/-- A view, read off a term. -/
private partial def viewOf (e : Expr) : MetaM SomeView := do
  match e.getAppFnArgs with
  | (``View.swap, #[s, m, n]) => return ⟨.swap (s := ← shapeOf s) (m := ← natOf m) (n := ← natOf n)⟩
  | (``View.split, #[s, h, d]) => return ⟨.split (s := ← shapeOf s) (← natOf h) (← natOf d)⟩
  | (``View.merge, #[s, h, d]) => return ⟨.merge (s := ← shapeOf s) (h := ← natOf h) (d := ← natOf d)⟩
  | (``View.spread, #[s, n]) => return ⟨.spread (s := ← shapeOf s) (← natOf n)⟩
  | (``View.under, #[_, _, n, v]) => return ⟨.under (← natOf n) (← viewOf v).view⟩
  | _ => throwError "expected a view but the term has {e}"

/-- An axis among `n`. -/
private structure SomeAxis (n : Nat) where
  {src : Shape}
  {dst : Shape}
  axis : Axis n src dst

/-- An axis, read off a term. -/
private partial def axisOf (n : Nat) (e : Expr) : MetaM (SomeAxis n) := do
  match e.getAppFnArgs with
  | (``Axis.last, #[_, s]) => return ⟨.last (s := ← shapeOf s)⟩
  | (``Axis.before, #[_, _, _, k, a]) => return ⟨.before (← natOf k) (← axisOf n a).axis⟩
  | _ => throwError "expected an axis but the term has {e}"

/-- A placing, read off a term. -/
private def placingOf (e : Expr) : MetaM Placing := do
  match e.getAppFnArgs with
  | (``Placing.transpose, #[perm]) => return .transpose (← natsOf perm)
  | (``Placing.reshape, _) => return .reshape
  | (``Placing.place, #[axis, table]) => return .place (← natOf axis) (← natOf table)
  | _ => throwError "expected a placing but the term has {e}"

/-- The JSON of an operation, apart from its arguments. -/
private structure Written where
  name : String
  params : List (String × Json) := []
  args : List Expr

/-- The JSON of an operation. `constant` writes a constant. -/
private def operationOf (constant : Expr → MetaM (List (String × Json))) (o : Expr) : MetaM Written := do
  let plain {n : Nat} {ins : Context} {out : Shape} (p : Primitive.{0} n ins out) (args : List Expr)
      (cs : List (String × Json) := []) : Written :=
    ⟨p.name, cs ++ p.params.map fun (k, v) => (k, v.toJson), args⟩
  match o.getAppFnArgs with
  | (``Op.add, #[_, _, _, i, j]) => return plain (Primitive.add (s := .unit)) [i, j]
  | (``Op.sub, #[_, _, _, i, j]) => return plain (Primitive.sub (s := .unit)) [i, j]
  | (``Op.mul, #[_, _, _, i, j]) => return plain (Primitive.mul (s := .unit)) [i, j]
  | (``Op.matmul, #[_, _, _, _, _, _, i, j]) =>
    return plain (Primitive.matmul (s := .unit) (m := 1) (k := 1) (n := 1)) [i, j]
  | (``Op.exp, #[_, _, _, i]) => return plain (Primitive.exp (s := .unit)) [i]
  | (``Op.inv, #[_, _, _, i]) => return plain (Primitive.inv (s := .unit)) [i]
  | (``Op.tanh, #[_, _, _, i]) => return plain (Primitive.tanh (s := .unit)) [i]
  | (``Op.sqrt, #[_, _, _, i]) => return plain (Primitive.sqrt (s := .unit)) [i]
  | (``Op.log, #[_, _, _, i]) => return plain (Primitive.log (s := .unit)) [i]
  | (``Op.relu, #[_, _, _, i]) => return plain (Primitive.relu (s := .unit)) [i]
  | (``Op.sigmoid, #[_, _, _, i]) => return plain (Primitive.sigmoid (s := .unit)) [i]
  | (``Op.normalCdf, #[_, _, _, i]) => return plain (Primitive.normalCdf (s := .unit)) [i]
  | (``Op.scale, #[_, _, _, c, i]) => return plain (Primitive.scale (s := .unit)) [i] (← constant c)
  | (``Op.addConst, #[_, _, _, c, i]) => return plain (Primitive.addConst (s := .unit)) [i] (← constant c)
  | (``Op.sum, #[s, n, _, _, i]) => return plain (Primitive.sum (s := ← shapeOf s) (n := ← natOf n)) [i]
  | (``Op.mean, #[s, n, _, _, i]) => return plain (Primitive.mean (s := ← shapeOf s) (n := ← natOf n)) [i]
  | (``Op.sumAlong, #[n, _, _, _, _, a, i]) => return plain (Primitive.sumAlong (← axisOf (← natOf n) a).axis) [i]
  | (``Op.meanAlong, #[n, _, _, _, _, a, i]) => return plain (Primitive.meanAlong (← axisOf (← natOf n) a).axis) [i]
  | (``Op.view, #[_, _, _, _, v, i]) => return plain (Primitive.view (← viewOf v).view) [i]
  | (``Op.placed, #[_, _, s, t, p, i]) =>
    let p ← placingOf p
    let (s, t) := (← shapeOf s, ← shapeOf t)
    return plain (Primitive.place p.name (p.params s t) (p.map s t)) [i]
  | (n, args) => throwError "expected an operation but the term has {n} with {args.size} arguments"

/-- The nodes of a graph in order, each under its name, and the position of its output.

`inputs` is the number of its inputs, `constant` writes a constant. -/
partial def nodesOf (constant : Expr → MetaM (List (String × Json))) (inputs : Nat) (g : Expr) :
    MetaM (Array Json × Nat) := go g #[]
where
  position (step : Nat) (i : Expr) : MetaM Nat := do
    -- The context has the newest node first, and the inputs, in their order, after all nodes.
    let back ← indexOf i
    return if back < step then inputs + (step - 1 - back) else back - step
  go (g : Expr) (nodes : Array Json) : MetaM (Array Json × Nat) := do
    match g.getAppFnArgs with
    | (``Graph.var, #[_, _, _, i]) => return (nodes, ← position nodes.size i)
    | (``Graph.letIn, #[_, _, _, t, .lit (.strVal name), a, b]) =>
      let (``Graph.op, #[_, _, _, o]) := a.getAppFnArgs | throwError "expected an operation at {name}"
      let w ← operationOf constant o
      let args ← w.args.mapM (position nodes.size)
      go b <| nodes.push <| Json.mkObj [("op", .str w.name), ("args", toJson args), ("params", Json.mkObj w.params),
        ("shape", (← shapeOf t).toJson), ("name", .str name)]
    | (n, _) => throwError "expected a graph but the term has {n}"

/-- The inputs' shapes, from a context. -/
private partial def contextOf (e : Expr) : MetaM (List Shape) := do
  match e.getAppFnArgs with
  | (``List.nil, _) => return []
  | (``List.cons, #[_, s, Γ]) => return (← shapeOf s) :: (← contextOf Γ)
  | _ => throwError "expected a context but the term has {e}"

/-- The `obligations-graph/1` object of a declared graph `fun K c₁ … cₙ => g`.  `values` are the constants' values and
the names that they share, in order; `inputs` the names of the inputs. -/
def tapeOf (declaration : Name) (name : String) (inputs : Array String) (values : Array (JsonNumber × Option String)) :
    MetaM Json := do
  let info ← getConstInfo declaration
  let some value := info.value? | throwError "{declaration} is no definition"
  lambdaTelescope value fun xs g => do
    let constant (c : Expr) : MetaM (List (String × Json)) := do
      let some k := xs.idxOf? c | throwError "expected a constant of {declaration} but the term has {c}"
      let some (v, symbol) := values[k - 1]? | throwError "{declaration} has more constants than values"
      return ("c", .num v) :: symbol.toList.map fun s => ("symbol", .str s)
    let (nodes, output) ← nodesOf constant inputs.size g
    let type ← inferType g
    let (``Graph, #[_, Γ, _]) := type.getAppFnArgs | throwError "{declaration} is no graph"
    let shapes ← contextOf Γ
    unless shapes.length == inputs.size do throwError "{declaration} has {shapes.length} inputs"
    return Json.mkObj [
      ("schema", .str "obligations-graph/1"), ("name", .str name), ("declaration", .str declaration.toString),
      ("sizes", Json.mkObj []),
      ("inputs", .arr <| (inputs.zip shapes.toArray).map fun (n, s) =>
        Json.mkObj [("name", .str n), ("shape", s.toJson)]),
      ("nodes", .arr nodes), ("outputs", toJson [output])]

end PostNorm.Capture
