import Obligations.Proposition

/-! # Graphs made from definitions over numbers

A definition such as `def step (x eta : R) := x - eta * x` is read, with its sizes given, and becomes a graph: one node
for each operation, each value written once.  Nothing is written next to the definition, so nothing can differ from it.

A value below `fun i j => …` is a tensor with an axis for each index variable that it depends on; values that meet in an
operation get each other's axes first.

## Main definitions

* `GraphSource`: a definition, with its sizes and constants.
* `GraphSource.toJson`: its graph at given sizes, as an `obligations-graph/1` object; throws where the definition
  contains what has no operation, with its name and place. -/

namespace Obligations
open Lean Meta

/-- A definition that is exported as a graph; what is not a size or a constant among its arguments is an input. -/
structure GraphSource where
  declaration : Name
  /-- The arguments of type `Nat`, with the values used where none is asked for. -/
  sizes : List (String × Nat)
  /-- The arguments that an instance may choose like a constant, with their default values. -/
  constants : List (String × Rat)
  deriving Inhabited

/-- The name without the root namespace, as commands use it. -/
def shortName (n : Name) : String :=
  let short := n.replacePrefix n.getRoot .anonymous
  (if short.isAnonymous then n else short).toString

namespace GraphTerm

/-- What a term becomes. -/
inductive Value where
  /-- A number, at any index. -/
  | number (c : Rat)
  /-- The constant with this place among the source's. -/
  | symbol (k : Nat)
  /-- The tensor with this place: an axis for each index variable in `free`, then one for each of the indices, of these
  lengths, that the value still takes. -/
  | tensor (place : Nat) (free : Array FVarId) (own : List Nat)
  deriving BEq, Hashable, Inhabited

/-- A node of the graph, without its name. -/
structure Node where
  op : String
  args : List Nat
  shape : List Nat
  params : List (String × Json) := []

instance : BEq Node where
  beq a b := a.op == b.op && a.args == b.args && a.shape == b.shape && Json.mkObj a.params == Json.mkObj b.params

structure State where
  inputs : Array (String × List Nat) := #[]
  nodes : Array Node := #[]
  names : Array (Option String) := #[]
  /-- Calls that were read before, by the function's body and its arguments. -/
  calls : Std.HashMap (Expr × Array Value) Value := {}

structure Context where
  source : GraphSource
  /-- What variables stand for. -/
  values : Std.HashMap FVarId Value := {}
  /-- Index variables, outermost first, with their lengths. -/
  indices : Array (FVarId × Nat) := #[]
  /-- The definition that is being read. -/
  inside : Name

abbrev GraphM := ReaderT Context (StateRefT State MetaM)
variable {α : Type}

/-- More nodes than anybody would export; a definition this large is refused. -/
def nodeLimit : Nat := 20000

/-- A constant by its full name. -/
def fullName (n : Name) : MessageData := .ofConstName n (fullNames := true)

/-- Refuse what has no operation, with its place. -/
def refuse (what : MessageData) (e : Expr) : GraphM α := do
  let n := (← read).inside
  let line ← match ← findDeclarationRanges? n with
    | some r => pure m!", line {r.range.pos.line}"
    | none => pure m!""
  throwError "no graph of {fullName (← read).source.declaration}: {what}, in {fullName n}{line}:{indentExpr e}"

def shapeOf (place : Nat) : GraphM (List Nat) := do
  let s ← get
  if let some (_, shape) := s.inputs[place]? then return shape
  return (s.nodes[place - s.inputs.size]?.map (·.shape)).getD []

/-- The place of this node, which may be there already. -/
def node (op : String) (args : List Nat) (shape : List Nat) (params : List (String × Json) := []) : GraphM Nat := do
  let s ← get
  let made : Node := { op, args, shape, params }
  if let some k := s.nodes.findIdx? (· == made) then return s.inputs.size + k
  if s.nodes.size ≥ nodeLimit then throwError "the graph has more than {nodeLimit} nodes"
  set { s with nodes := s.nodes.push made, names := s.names.push none }
  return s.inputs.size + s.nodes.size

/-- The node that gives a value, with a name if it has none yet. -/
def named (name : String) (v : Value) : GraphM Value := do
  if let .tensor place .. := v then
    modify fun s =>
      if place < s.inputs.size then s
      else { s with names := s.names.modify (place - s.inputs.size) (·.or (some name)) }
  return v

/-- A number as a decimal: exact, or to 20 digits, more than a float can tell apart. -/
def decimal (c : Rat) : Json := Id.run do
  let mut n := c.num.natAbs
  let mut exponent := 0
  while n % c.den != 0 && n < 10 ^ 20 * c.den do
    n := 10 * n
    exponent := exponent + 1
  let digits : Int := (2 * n + c.den) / (2 * c.den)
  return .num ⟨if c.num < 0 then -digits else digits, exponent⟩

/-- Parameters of a node that has a constant: a number, or one that an instance may choose. -/
def constant (v : Value) : GraphM (List (String × Json)) := do
  match v with
  | .symbol k =>
    let some (name, value) := (← read).source.constants[k]? | throwError "no constant {k}"
    return [("c", decimal value), ("symbol", .str name)]
  | .number c => return [("c", decimal c)]
  | .tensor .. => throwError "a tensor is not a constant"

/-- Zero, as a value without axes: that of any input, times 0. -/
def zero : GraphM Nat := do
  let some (_, shape) := (← get).inputs[0]?
    | throwError "no graph of {fullName (← read).source.declaration}: none of its arguments is an input"
  let mut place ← node "scale" [0] shape [("c", decimal 0)]
  let mut rest := shape
  while !rest.isEmpty do
    rest := rest.tail
    place ← node "sum" [place] rest [("axis", toJson (0 : Nat))]
  return place

/-- A value as a tensor. -/
def tensorOf (v : Value) : GraphM (Nat × Array FVarId × List Nat) := do
  if let .tensor place free own := v then return (place, free, own)
  return (← node "addConst" [← zero] [] (← constant v), #[], [])

def lengthOf (i : FVarId) : GraphM Nat := do
  return ((← read).indices.findSome? fun (j, n) => if i == j then some n else none).getD 1

/-- The tensor with the axes `wanted`, of which it has some, in place of its free ones. -/
def align (place : Nat) (free : Array FVarId) (own : List Nat) (wanted : Array FVarId) : GraphM Nat := do
  let mut place := place
  let mut have_ := wanted.filter free.contains
  if have_ != free then
    let perm := have_.toList.filterMap free.idxOf? ++ (List.range own.length).map (· + free.size)
    let lengths ← have_.toList.mapM lengthOf
    place ← node "transpose" [place] (lengths ++ own) [("perm", toJson perm)]
  for i in wanted, axis in [0:wanted.size] do
    unless have_.contains i do
      have_ := wanted.filter fun j => j == i || have_.contains j
      let lengths ← have_.toList.mapM lengthOf
      let at_ := (have_.idxOf? i).getD axis
      place ← node "broadcast" [place] (lengths ++ own) [("axis", toJson at_)]
  return place

/-- An operation on numbers, at every index. -/
def entrywise (op : String) (vs : List Value) (params : List (String × Json) := []) : GraphM Value := do
  let ts ← vs.mapM tensorOf
  let all := (← read).indices.map (·.1)
  let free := all.filter fun i => ts.any fun (_, own, _) => own.contains i
  let args ← ts.mapM fun (place, own, rest) => align place own rest free
  let lengths ← free.toList.mapM lengthOf
  return .tensor (← node op args lengths params) free []

def scaled (c : Value) (v : Value) : GraphM Value := do
  if c == .number 1 then return v
  entrywise "scale" [v] (← constant c)

def negated : Value → GraphM Value
  | .number c => return .number (-c)
  | v => scaled (.number (-1)) v

def added (a b : Value) : GraphM Value := do
  match a, b with
  | .number x, .number y => return .number (x + y)
  | .number 0, v | v, .number 0 => return v
  | .tensor .., .tensor .. => entrywise "add" [a, b]
  | c, .tensor .. => entrywise "addConst" [b] (← constant c)
  | _, c => entrywise "addConst" [a] (← constant c)

def subtracted (a b : Value) : GraphM Value := do
  match a, b with
  | .number x, .number y => return .number (x - y)
  | _, .number y => added a (.number (-y))
  | .tensor .., _ => entrywise "sub" [a, b]
  | _, _ => added a (← negated b)

def multiplied (a b : Value) : GraphM Value := do
  match a, b with
  | .number x, .number y => return .number (x * y)
  | .tensor .., .tensor .. => entrywise "mul" [a, b]
  | c, .tensor .. => scaled c b
  | _, c => scaled c a

/-- `1 / 0` is 0, in Lean and in graphs. -/
def inverted : Value → GraphM Value
  | .number c => return .number (1 / c)
  | v => entrywise "inv" [v]

def raised (v : Value) (k : Nat) : GraphM Value := do
  match v, k with
  | .number c, k => return .number (c ^ k)
  | _, 0 => return .number 1
  | v, 1 => return v
  | v, k + 2 =>
    let half ← raised v ((k + 2) / 2)
    let square ← multiplied half half
    if k % 2 == 0 then return square else multiplied square v
  decreasing_by all_goals omega

/-- The sum over the first index that a value still takes, of this length. -/
def summed (v : Value) (n : Nat) : GraphM Value := do
  match v with
  | .number c => return .number (c * n)
  | .symbol .. => scaled (.number n) v
  | .tensor place free own =>
    let lengths ← free.toList.mapM lengthOf
    let rest := lengths ++ own.tail
    return .tensor (← node "sum" [place] rest [("axis", toJson free.size)]) free own.tail

/-- A number that is written out, once the sizes are given. -/
def natural? (e : Expr) : MetaM (Option Nat) := do
  let e ← instantiateMVars e
  if let some k := e.nat? then return some k
  return (← withTransparency .all (whnf e)).rawNatLit?

/-- The length where a type is `Fin n`. -/
def finLength? (type : Expr) : MetaM (Option Nat) := do
  let type ← whnfR type
  let type ← if type.isAppOf ``Fin then pure type else whnf type
  unless type.isAppOfArity ``Fin 1 do return none
  natural? type.appArg!

/-- Is this a type whose numbers graphs compute with? -/
def isField (type : Expr) : MetaM Bool := do
  let type := (← instantiateMVars type).consumeMData
  match type with
  | .fvar id => return (← id.getType).isSort
  | .const n _ => return n == ``Rat || isReal (← getEnv) type
  | _ => return false

/-- The lengths of the indices that a number or a function to numbers takes; none for other types. -/
partial def lengths? (type : Expr) : MetaM (Option (List Nat)) := do
  if ← isField type then return some []
  let type ← whnf type
  if ← isField type then return some []
  let .forallE _ t b _ := type | return none
  if b.hasLooseBVars then return none
  let some n ← finLength? t | return none
  return (← lengths? b).map (n :: ·)

end GraphTerm
end Obligations
