import Lean.Meta.AppBuilder
import PostNorm.Capture.Coordinates
import PostNorm.Capture.Halves
import PostNorm.Graph.Op.Gather

/-! # The values of a graph, read off its term

A graph of the library calls others, and a captured one does not.  Here each becomes one list of values, in the order
in which they are computed, each with the operation that computes it.

## Main definitions

* `Kind`, `Value`: how a value is computed from earlier ones.
* `Tree`: where in the term each value is.
* `Reader.graph`: the values of a graph. -/

namespace PostNorm.Capture
open Lean Meta

/-- How a value is computed from earlier ones. -/
inductive Kind where
  /-- An input. -/
  | input
  /-- The mask of a block of the library, as numbers: which keys each query may attend to. -/
  | mask (allowed : Expr)
  /-- The entries of a value that a mask keeps, zero for the others; `map` says which entry of the mask decides. -/
  | select (keep : Expr) (arg mask : Nat) (map : Place → Place)
  /-- Its entries are entries of another: `map` says which. A placing needs a proof of that. -/
  | layout (arg : Nat) (map : Place → Place) (placing : Option Expr)
  /-- Entries of another at the front of a longer last axis, or at its back, with zeros for the rest: so many, the
  place along the last axis being one of these. `source` is the reading or the placing that does it. -/
  | half (inFront : Bool) (arg length : Nat) (map : Place → Place) (source : Expr)
  /-- A function of each entry; of a constant too, if there is one. -/
  | map (name : String) (function : Expr) (constant : Option Expr) (arg : Nat)
  /-- A function of an entry of each of two. -/
  | two (name : String) (function : Expr) (left right : Nat)
  /-- The matrix product, over an axis of this length. -/
  | product (left right : Nat) (length : Nat)
  /-- A function of the sum along an axis of this length; `insert` says where a place along it goes. -/
  | sum (name : String) (function : Expr) (arg : Nat) (length : Nat) (insert : Place → Ix → Place)
  deriving Inhabited

/-- A value of a graph. -/
structure Value where
  /-- Its lengths, last axis first. -/
  shape : List Nat
  /-- How it is computed. -/
  kind : Kind
  deriving Inhabited

/-- Whether it is an input. -/
def Value.isInput (v : Value) : Bool := match v.kind with
  | .input | .mask _ => true
  | _ => false

/-- The mask, if it is one. -/
def Value.mask? (v : Value) : Option Expr := match v.kind with
  | .mask allowed => some allowed
  | _ => none

/-- Where in the term of a graph its values are. -/
inductive Tree where
  /-- The value with this number. -/
  | value (number : Nat)
  /-- A saved value, and the graph that uses it: context, shapes, name, both graphs. -/
  | saved (Γ s t name a b : Expr) (first rest : Tree)
  /-- A call of another graph, on these arguments: contexts and arguments. -/
  | call (Γ Δ arguments : Expr) (called : Tree)

/-- A natural number, read off a term. -/
private def numberOf (e : Expr) : MetaM Nat := do
  if let some n ← evalNat e then return n
  match (← whnf e).rawNatLit? with
  | some n => return n
  | none => throwError "expected a number but the term has {e}"

/-- The lengths of a shape, last axis first, read off a term. -/
partial def lengthsOf (e : Expr) : MetaM (List Nat) := do
  match (← whnf e).getAppFnArgs with
  | (``Shape.unit, _) => return []
  | (``Shape.snoc, #[s, n]) => return (← numberOf n) :: (← lengthsOf s)
  | _ => throwError "expected a shape but the term has {e}"

/-- The shapes of a context, read off a term. -/
partial def contextOf (e : Expr) : MetaM (List (List Nat)) := do
  match (← whnf e).getAppFnArgs with
  | (``List.nil, _) => return []
  | (``List.cons, #[_, s, Γ]) => return (← lengthsOf s) :: (← contextOf Γ)
  | _ => throwError "expected a context but the term has {e}"

/-- How far an index counts back. -/
private partial def depthOf (e : Expr) : MetaM Nat := do
  match (← whnf e).getAppFnArgs with
  | (``Idx.here, _) => return 0
  | (``Idx.there, args) => return (← depthOf args[3]!) + 1
  | _ => throwError "expected an index but the term has {e}"

/-- The arguments of a call. -/
private partial def argumentsOf (e : Expr) : MetaM (List Nat) := do
  match (← whnf e).getAppFnArgs with
  | (``Args.nil, _) => return []
  | (``Args.cons, #[_, _, _, i, as]) => return (← depthOf i) :: (← argumentsOf as)
  | _ => throwError "expected arguments but the term has {e}"

/-- A view as a map of places. -/
private partial def viewMap (e : Expr) : MetaM (Place → Place) := do
  match (← whnf e).getAppFnArgs with
  | (``View.swap, _) => return fun | j :: i :: c => i :: j :: c | c => c
  | (``View.split, #[_, h, d]) =>
    let (h, d) := (← numberOf h, ← numberOf d)
    return fun | j :: i :: c => .flat h d i j :: c | c => c
  | (``View.merge, #[_, h, d]) =>
    let (h, d) := (← numberOf h, ← numberOf d)
    return fun | k :: c => .entry h d k :: .piece h d k :: c | c => c
  | (``View.spread, _) => return fun | _ :: c => c | c => c
  | (``View.under, #[_, _, _, v]) =>
    let inner ← viewMap v
    return fun | i :: c => i :: inner c | c => c
  | _ => throwError "expected a view but the term has {e}"

/-- Where a place along an axis goes. -/
private partial def axisMap (e : Expr) : MetaM (Place → Ix → Place) := do
  match (← whnf e).getAppFnArgs with
  | (``Axis.last, _) => return fun c i => i :: c
  | (``Axis.before, #[_, _, _, _, a]) =>
    let inner ← axisMap a
    return fun | j :: c, i => j :: inner c i | c, _ => c
  | _ => throwError "expected an axis but the term has {e}"

/-- A list of natural numbers, read off a term. -/
private partial def numbersOf (e : Expr) : MetaM (List Nat) := do
  match (← whnf e).getAppFnArgs with
  | (``List.nil, _) => return []
  | (``List.cons, #[_, n, ns]) => return (← numberOf n) :: (← numbersOf ns)
  | _ => throwError "expected a list of numbers but the term has {e}"

/-- A placing from the shape `s` to `t` as a map of places, if it moves every entry by a rule. -/
private def placingMap (e : Expr) (s t : List Nat) : MetaM (Option (Place → Place)) := do
  match (← whnf e).getAppFnArgs with
  | (``Placing.transpose, #[perm]) =>
    let perm ← numbersOf perm
    return some fun c => ((List.range perm.length).map fun axis => c.reverse.getD (perm.idxOf axis) default).reverse
  | (``Placing.reshape, _) =>
    let sample : Place := t.map fun n => .atom default n
    return if (reshaped s sample).isSome then some fun c => (reshaped s c).getD [] else none
  | (``Placing.place, #[axis, table]) =>
    let (axis, table) := (← numberOf axis, ← numberOf table)
    let (bound, length) := (s.reverse.getD axis 0, t.reverse.getD axis 0)
    let some offset := tableEntry bound table 0 | return none
    unless isSlice bound table offset length do return none
    return some fun c => (c.reverse.modify axis fun k => .shift bound offset k).reverse
  | _ => throwError "expected a placing but the term has {e}"

/-- Read graphs over the field `R`. -/
structure Reader where
  /-- The field. -/
  R : Expr
  /-- Its laws. -/
  laws : Expr
  /-- Its level. -/
  level : Level

/-- The values read so far. -/
abbrev ReadM := StateRefT (Array Value) MetaM

/-- A function of the field. -/
private def Reader.const (r : Reader) (f : Name) (more : Array Expr := #[]) : Expr :=
  mkAppN (mkConst f [r.level]) (#[r.R, r.laws] ++ more)

/-- The result of a placing along the last axis, if it puts a value before zeros, or after them. -/
private def halfPlaced (p : Expr) (arg : Nat) (s t : List Nat) : MetaM Kind := do
  if let (``Placing.place, #[axis, table]) := (← whnf p).getAppFnArgs then
    let (axis, table) := (← numberOf axis, ← numberOf table)
    let (m, d) := (s.headD 0, t.headD 0)
    if axis + 1 == s.length then
      if isFront m table d then return .half true arg m id p
      if isBack m table d then return .half false arg m id p
  throwError "no rule for a placing that is neither a transposition, a reshape, a slice nor a half"

/-- The result of the library's readings of halves, for a value whose last axis has the length `d`. -/
private def halfRead (second : Bool) (source : Expr) (arg d : Nat) : MetaM Kind := do
  let m := d / 2
  unless m + m == d do throwError "no rule for halves of {d} entries"
  let offset := if second then m else 0
  return .half second arg m (fun | l :: c => .shift d offset l :: c | c => c) source

/-- The kept part of a value: which entries the library's mask keeps, and which entry of it decides. The mask is a
separate value, which comes first. -/
private def kept (keep : Expr) (arg : Nat) : ReadM Kind := do
  let shape := ((← get)[arg]!).shape
  withLocalDeclD `c (coordE shape) fun c => do
    let .app (.app allowed i) j ← Core.betaReduce (mkApp keep c) | throwError "no rule for what {keep} keeps"
    if allowed.containsFVar c.fvarId! then throwError "no rule for what {keep} keeps"
    let axis (k : Expr) : MetaM Nat := do
      for (atom, axis) in (placeOf c shape).zipIdx do
        if ← isDefEq k atom.term then return axis
      throwError "no rule for what {keep} keeps"
    let (i, j) := (← axis i, ← axis j)
    let mask := (← get).size
    modify (·.push { shape := [shape.getD j 0, shape.getD i 0], kind := .mask allowed })
    return .select keep arg mask fun c => [c.getD j default, c.getD i default]

/-- The value of an operation; `scope` are the values in scope, newest first. -/
private def Reader.operation (r : Reader) (scope : List Nat) (o : Expr) : ReadM Kind := do
  let value (i : Expr) : ReadM Nat := return scope.getD (← depthOf i) 0
  let shape (n : Nat) : ReadM (List Nat) := return ((← get)[n]!).shape
  let applied (name : String) (f : Name) (i : Expr) : ReadM Kind :=
    return .map name (r.const ``Capture.applied #[mkConst f [r.level]]) none (← value i)
  let plain (name : String) (f : Name) (i : Expr) : ReadM Kind := return .map name (r.const f) none (← value i)
  let two (name : String) (f : Name) (i j : Expr) : ReadM Kind :=
    return .two name (r.const f) (← value i) (← value j)
  let whole := mkApp (mkConst ``itself [r.level]) r.R
  match (← whnfR o).getAppFnArgs with
  | (``Op.add, #[_, _, _, i, j]) => two "plus" ``plus i j
  | (``Op.sub, #[_, _, _, i, j]) => two "minus" ``minus i j
  | (``Op.mul, #[_, _, _, i, j]) => two "times" ``times i j
  | (``Op.matmul, #[_, _, _, _, _, _, i, j]) =>
    let left ← value i
    return .product left (← value j) ((← shape left).headD 0)
  | (``Op.exp, #[_, _, _, i]) => applied "exp" ``ScalarFunction.exp i
  | (``Op.tanh, #[_, _, _, i]) => applied "tanh" ``ScalarFunction.tanh i
  | (``Op.sqrt, #[_, _, _, i]) => applied "sqrt" ``ScalarFunction.sqrtClamp i
  | (``Op.log, #[_, _, _, i]) => applied "log" ``ScalarFunction.log i
  | (``Op.sigmoid, #[_, _, _, i]) => applied "sigmoid" ``ScalarFunction.sigmoid i
  | (``Op.normalCdf, #[_, _, _, i]) => applied "normalCdf" ``ScalarFunction.normalCdf i
  | (``Op.inv, #[_, _, _, i]) => plain "inv" ``inverse i
  | (``Op.relu, #[_, _, _, i]) => plain "relu" ``positivePart i
  | (``Op.scale, #[_, _, _, c, i]) => return .map "scale" (r.const ``times #[c]) (some (← whnf c)) (← value i)
  | (``Op.addConst, #[_, _, _, c, i]) => return .map "addConst" (r.const ``plusConst #[c]) (some (← whnf c)) (← value i)
  | (``Op.sum, #[_, n, _, _, i]) => return .sum "sum" whole (← value i) (← numberOf n) fun c k => k :: c
  | (``Op.mean, #[_, n, _, _, i]) =>
    return .sum "mean" (r.const ``averaged #[n]) (← value i) (← numberOf n) fun c k => k :: c
  | (``Op.sumAlong, #[n, _, _, _, _, a, i]) =>
    return .sum "sum" whole (← value i) (← numberOf n) (← axisMap a)
  | (``Op.meanAlong, #[n, _, _, _, _, a, i]) =>
    return .sum "mean" (r.const ``averaged #[n]) (← value i) (← numberOf n) (← axisMap a)
  | (``Op.view, #[_, _, _, _, v, i]) => return .layout (← value i) (← viewMap v) none
  | (``Op.placed, #[_, _, s, t, p, i]) =>
    match ← placingMap p (← lengthsOf s) (← lengthsOf t) with
    | some map => return .layout (← value i) map (some p)
    | none => halfPlaced p (← value i) (← lengthsOf s) (← lengthsOf t)
  | (``Op.gather, #[_, _, _, _, f, i]) =>
    match f.getAppFnArgs with
    | (``secondHalf, #[_, _, d]) => halfRead true f (← value i) (← numberOf d)
    | (``firstHalf, #[_, _, d]) => halfRead false f (← value i) (← numberOf d)
    | _ => throwError "no rule for the reading {f}"
  | (``Op.select, #[_, _, _, keep, i]) => kept keep (← value i)
  | (n, _) => throwError "no rule for the operation {n}"

/-- The values of a graph, and where they are; `scope` are the values in scope, newest first. -/
partial def Reader.graph (r : Reader) (scope : List Nat) (g : Expr) : ReadM (Nat × Tree) := do
  match (← whnf g).getAppFnArgs with
  | (``Graph.var, #[_, _, s, i]) => add s (.layout (scope.getD (← depthOf i) 0) id none)
  | (``Graph.op, #[_, _, s, o]) => add s (← r.operation scope o)
  | (``Graph.letIn, #[_, Γ, s, t, name, a, b]) =>
    let (saved, first) ← r.graph scope a
    let (result, rest) ← r.graph (saved :: scope) b
    return (result, .saved Γ s t name a b first rest)
  | (``Graph.call, #[_, Γ, Δ, _, _, f, as]) =>
    let given := (← argumentsOf as).map fun i => scope.getD i 0
    let (result, called) ← r.graph given f
    return (result, .call Γ Δ as called)
  | (n, _) => throwError "expected a graph but the term has {n}"
where
  add (s : Expr) (kind : Kind) : ReadM (Nat × Tree) := do
    let number := (← get).size
    let shape ← lengthsOf s
    modify (·.push { shape, kind })
    return (number, .value number)

end PostNorm.Capture
