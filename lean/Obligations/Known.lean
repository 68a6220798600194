import Obligations.Export

/-! # Constants whose meaning the bridge knows

## Main definitions

* `Operation`: how a constant becomes an operation of `obligations-proposition/1`.
* `knownOperation`: the table of them, by name.
* `keptHeads`, `keptTypes`: constants that are never unfolded, since the bridge has measures of its own for them. -/

namespace Obligations
open Lean

/-- Is this constant declared in a module of this library?  A name alone says nothing: anyone may declare a `Real`. -/
def comesFrom (env : Environment) (n root : Name) : Bool :=
  (moduleOf? env n).any (·.getRoot == root)

/-- How a constant becomes an operation: what it is called, how many arguments it takes, which of them are written, which
one is the type that it is about, which ones are instances, and which types must equal that type. -/
structure Operation where
  name : String
  arity : Nat
  arguments : Array Nat
  carrier : Option Nat := none
  instances : Array Nat := #[]
  alike : Array Nat := #[]
  /-- The type it is about, where none of the arguments is that type. -/
  fixed : Option Name := none
  /-- The type it is about need not be a type of numbers. -/
  anyCarrier : Bool := false
  /-- It may be vectors or matrices of these: functions from a `Fin n`. -/
  vectors : Bool := false
  /-- It is an application of this constant. -/
  head : Option Name := none

private def heterogeneous (name : String) : Operation :=
  { name, arity := 6, arguments := #[4, 5], carrier := some 2, instances := #[3], alike := #[0, 1] }

private def binary (name : String) : Operation :=
  { name, arity := 4, arguments := #[2, 3], carrier := some 0, instances := #[1] }

private def unary (name : String) : Operation :=
  { name, arity := 3, arguments := #[2], carrier := some 0, instances := #[1] }

private def equality (name : String) : Operation :=
  { name, arity := 3, arguments := #[1, 2], carrier := some 0, anyCarrier := true }

private def logic (name : String) (arity : Nat) : Operation :=
  { name, arity, arguments := Array.range arity }

/-- Constants of Lean's own library. -/
private def ofLean : List (Name × Operation) := [
  (``HAdd.hAdd, heterogeneous "add"), (``HSub.hSub, heterogeneous "sub"), (``HMul.hMul, heterogeneous "mul"),
  (``HDiv.hDiv, heterogeneous "div"), (``HMod.hMod, heterogeneous "mod"),
  (``Add.add, binary "add"), (``Sub.sub, binary "sub"), (``Mul.mul, binary "mul"), (``Div.div, binary "div"),
  (``Neg.neg, unary "neg"), (``Inv.inv, unary "inv"),
  (``HPow.hPow, { name := "power", arity := 6, arguments := #[4, 5], carrier := some 0, instances := #[3], alike := #[2] }),
  (``LE.le, binary "le"), (``LT.lt, binary "lt"), (``GE.ge, binary "ge"), (``GT.gt, binary "gt"),
  (``Min.min, binary "min"), (``Max.max, binary "max"),
  (``Eq, equality "eq"), (``Ne, equality "ne"),
  (``True, logic "true" 0), (``False, logic "false" 0), (``Not, logic "not" 1), (``And, logic "and" 2),
  (``Or, logic "or" 2), (``Iff, logic "iff" 2),
  (``Exists, { name := "exists", arity := 2, arguments := #[1], carrier := some 0, anyCarrier := true }),
  (``ite, { name := "ite", arity := 5, arguments := #[1, 3, 4], carrier := some 0, anyCarrier := true }),
  (``dite, { name := "dite", arity := 5, arguments := #[1, 3, 4], carrier := some 0, anyCarrier := true }),
  (``OfNat.ofNat, { name := "literal", arity := 3, arguments := #[1], carrier := some 0, instances := #[2] }),
  (``OfScientific.ofScientific,
    { name := "scientific", arity := 5, arguments := #[2, 3, 4], carrier := some 0, instances := #[1] }),
  (``Zero.zero, { name := "zero", arity := 2, arguments := #[], carrier := some 0, instances := #[1] }),
  (``One.one, { name := "one", arity := 2, arguments := #[], carrier := some 0, instances := #[1] }),
  (``Nat.cast, unary "cast"), (``NatCast.natCast, unary "cast"), (``Int.cast, unary "cast"),
  (``IntCast.intCast, unary "cast"),
  (``Nat.succ, { name := "succ", arity := 1, arguments := #[0] }),
  (``Fin.val, { name := "finVal", arity := 2, arguments := #[1] }),
  (``Int.toNat, { name := "toNat", arity := 1, arguments := #[0] }),
  (``Int.natAbs, { name := "natAbs", arity := 1, arguments := #[0] })]

private def ofField (name : String) : Operation := unary name

/-- Constants of this library's `PostNorm`. -/
private def ofPostNorm : List (Name × Operation) := [
  (`PostNorm.RealField.sqrt, ofField "sqrt"), (`PostNorm.RealField.exp, ofField "exp"),
  (`PostNorm.log, ofField "log"), (`PostNorm.tanh, ofField "tanh"), (`PostNorm.abs, ofField "abs"),
  (`PostNorm.sigmoid, ofField "sigmoid"), (`PostNorm.normalCdf, ofField "normalCdf"),
  (`PostNorm.normalPdf, ofField "normalPdf"),
  (`PostNorm.Real.sqrt, { name := "sqrt", arity := 1, arguments := #[0], fixed := some `PostNorm.Real }),
  (`PostNorm.Real.exp, { name := "exp", arity := 1, arguments := #[0], fixed := some `PostNorm.Real }),
  (`PostNorm.Real.ofRat, { name := "cast", arity := 1, arguments := #[0], fixed := some `PostNorm.Real }),
  (`PostNorm.finSum, { name := "sum", arity := 5, arguments := #[3, 4], carrier := some 0, instances := #[1, 2] })]

private def function (name : String) : Operation := { name, arity := 1, arguments := #[0], fixed := some `Real }

/-- Membership in a `Finset`. -/
private def member : Operation :=
  { name := "member", arity := 5, arguments := #[3, 4], carrier := some 1, instances := #[2], anyCarrier := true
    head := some `Finset }

/-- Constants of Mathlib. -/
private def ofMathlib : List (Name × Operation) := [
  (`Real.sqrt, function "sqrt"), (`Real.exp, function "exp"), (`Real.log, function "log"),
  (`Real.tanh, function "tanh"), (`Real.sinh, function "sinh"), (`Real.cosh, function "cosh"),
  (`Real.sin, function "sin"), (`Real.cos, function "cos"), (`Real.sigmoid, function "sigmoid"),
  (`Real.pi, { name := "pi", arity := 0, arguments := #[], fixed := some `Real }),
  (`NNRat.cast, unary "cast"), (`Rat.cast, unary "cast"), (`RatCast.ratCast, unary "cast"),
  (`abs, { name := "abs", arity := 4, arguments := #[3], carrier := some 0, instances := #[1, 2] }),
  (`Norm.norm, { unary "norm" with vectors := true }),
  (`Finset.sum, { name := "sumOver", arity := 5, arguments := #[3, 4], carrier := some 1, instances := #[2] }),
  (`Finset.prod, { name := "prodOver", arity := 5, arguments := #[3, 4], carrier := some 1, instances := #[2] }),
  (`Finset.univ, { name := "univ", arity := 2, arguments := #[], carrier := some 0, anyCarrier := true }),
  (`Finset.range, { name := "range", arity := 1, arguments := #[0] }),
  (`Finset.card, { name := "card", arity := 2, arguments := #[1] }),
  (``Membership.mem, member),
  (`Matrix.vecCons, { name := "vecCons", arity := 4, arguments := #[2, 3], carrier := some 0, anyCarrier := true }),
  (`Matrix.vecEmpty, { name := "vecEmpty", arity := 1, arguments := #[], carrier := some 0, anyCarrier := true })]

private def table : Std.HashMap Name (Name × Operation) :=
  let of (root : Name) (entries : List (Name × Operation)) : List (Name × Name × Operation) :=
    entries.map fun (n, o) => (n, if n == ``Membership.mem then .anonymous else root, o)
  .ofList (of .anonymous ofLean ++ of `PostNorm ofPostNorm ++ of `Mathlib ofMathlib)

/-- The operation that a constant is, where it comes from the library that gives it its meaning. -/
def knownOperation (env : Environment) (n : Name) : Option Operation := do
  let (root, op) ← table[n]?
  let module ← moduleOf? env n
  guard (if root.isAnonymous then isDistribution env module else module.getRoot == root)
  return op

/-- Constants that the bridge measures as they are: graphs, their derivatives, and what is said of them. -/
def keptHeads : List Name := [
  `PostNorm.Graph.eval, `PostNorm.Graph.deriv, `PostNorm.Graph.derivHead, `PostNorm.Graph.backprop,
  `PostNorm.Graph.SideConditions, `PostNorm.GraphFDerivCorrectAt, `PostNorm.HasFDerivAt, `PostNorm.fderiv,
  `PostNorm.HasDerivAt, `PostNorm.BoundedLinearMap.adjoint, `PostNorm.Tensor.dot, `PostNorm.Env.dot,
  `PostNorm.Env.get, `PostNorm.Env.cons, `PostNorm.Env.head, `PostNorm.Env.tail, `PostNorm.Idx.inj]

/-- A definition of one of these types is never unfolded. -/
def keptTypes : List Name := [
  `PostNorm.Graph, `PostNorm.Op, `PostNorm.Tape, `PostNorm.Layer, `PostNorm.Activation, `PostNorm.BoundedLinearMap]

/-- Types whose values the bridge knows how to draw; what they are made of is not written. -/
def basicTypes : List Name := [
  ``Nat, ``Int, ``Rat, ``Fin, ``Bool, ``Char, ``String, ``List, ``Array, ``Option, ``Prod, ``Sum, ``Unit, ``PUnit,
  ``Subtype, ``Float]

/-- The same of other libraries: the root of the modules that declare them. -/
def libraryTypes : List (Name × Name) := [(`Real, `Mathlib), (`Finset, `Mathlib), (`PostNorm.Real, `PostNorm)]

/-- Is this one of these types?  A project may call a type of its own so. -/
def isBasicType (env : Environment) (n : Name) : Bool :=
  basicTypes.contains n || libraryTypes.any fun (m, root) => m == n && comesFrom env n root

/-- Definitions of Lean's own that are unfolded although they are not reducible. -/
def unfoldedOfLean : List Name := [``Function.comp, ``id, ``flip, ``Function.const, ``Subtype.val]

/-- Types whose functions are unfolded: what they do to values is said by `match` and by recursion. -/
def unfoldedTypes : List Name := [`List, `Option, `Sum, `Prod]

end Obligations
