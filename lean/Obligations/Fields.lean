import Lean
import Obligations.Canonical

/-! # Propositions inside the values that a theorem speaks of

A binder `c : Cfg` hides hypotheses where `Cfg` has fields that are propositions: whoever uses the theorem has to
supply them.  Which binders count follows from one rule, *who supplies the value*:

* An explicit or implicit argument is chosen at each use.  Where its type is a structure of the project, or a subtype,
  each of its propositions is a hypothesis, also within its structures.
* An instance argument is found by its type.  The laws of a class on a type, such as those of a field of numbers, are
  declared once with the carrier, so that they are none; a class that is a proposition itself is one, as it always was.
  A class that speaks of no type is a record of constants that is passed silently: its propositions are hypotheses.
* A bundled map, a structure that is applied like a function, is what its laws say: a linear map without linearity is
  none.  Its laws make the notion, as those of a class do, and are no hypotheses.
* What Lean's own library keeps true of its values, such as that the entry of a `Fin n` is below `n`, is part of the
  type and no hypothesis.

## Main definitions

* `Obligations.propFields`: the propositions in a value, with their paths. -/

namespace Obligations
open Lean Meta

/-- A proposition in a value. -/
structure PropField where
  /-- From the value: `pos`, or `inner.pos`. -/
  path : String
  /-- What it says of the value, and its proof. -/
  type : Expr
  proof : Expr
  /-- The structure that declares it, its name there, and its place among the fields, from 0. -/
  structName : Name
  field : Name
  index : Nat

/-- Are values of this type applied like functions? -/
private def isMap (type : Expr) : MetaM Bool := do
  try
    let level ← mkFreshLevelMVar
    let result ← mkFreshExprMVar (← mkArrow type (.sort level))
    return (← synthInstance? (mkApp2 (.const ``CoeFun [← getLevel type, level]) type result)).isSome
  catch _ => return false

/-- Is this a class with a type, or a function to types, among its parameters? -/
private def isClassOnType (env : Environment) (name : Name) : MetaM Bool := do
  unless isClass env name do return false
  forallTelescope (← getConstInfo name).type fun xs _ => xs.anyM fun x => do
    return (← inferType x).getForallBody.isSort

/-- The structure that `type` is, seen through the project's own definitions, with its parameters. -/
partial def structureOf? (type : Expr) (fuel : Nat := 8) : MetaM (Option Expr) := do
  let type ← whnfCore type
  let .const name _ := type.getAppFn | return none
  let env ← getEnv
  if isStructure env name then
    let own := name == ``Subtype || (moduleOf? env name).all fun m => !isDistribution env m
    return if own && !(← isClassOnType env name) && !(← isMap type) then some type else none
  match fuel, ← unfoldDefinition? type with
  | n + 1, some type => structureOf? type n
  | _, _ => return none

/-- The propositions in the value `x`, in the order of their fields. -/
partial def propFields (x : Expr) (fuel : Nat := 4) : MetaM (Array PropField) := do
  let some type ← structureOf? (← inferType x) | return #[]
  let .const name levels := type.getAppFn | return #[]
  if ← isProp type then return #[]
  let env ← getEnv
  let mut found := #[]
  for (field, index) in (getStructureFields env name).zipIdx do
    let some projection := (getFieldInfo? env name field).map (·.projFn) | continue
    let value := mkAppN (.const projection levels) (type.getAppArgs.push x)
    let fieldType := (← inferType value).headBeta
    if ← isProp fieldType then
      found := found.push { path := field.toString, type := fieldType, proof := value, structName := name, field, index }
    else if fuel > 0 then
      -- What is inherited is called as in Lean: `c.pos`, not `c.toBase.pos`.
      let inherited := (isSubobjectField? env name field).isSome
      for inner in ← propFields value (fuel - 1) do
        found := found.push { inner with path := if inherited then inner.path else s!"{field}.{inner.path}" }
  return found

end Obligations
