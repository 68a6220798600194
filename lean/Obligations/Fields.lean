import Lean
import Obligations.Canonical

/-! # Propositions inside the values that a theorem speaks of

A binder `c : Cfg` hides hypotheses where `Cfg` has fields that are propositions: whoever uses the theorem has to
supply them.  Which binders count follows from one rule, *who supplies the value*:

* An explicit or implicit argument is chosen at each use.  Where its type is a structure of the project, an inductive type of
  the project with one constructor, a subtype, a pair or a lift of Lean's own library, each of its propositions is a
  hypothesis, also within its structures, and for each value of a function.
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

/-- Structures of Lean's own library that hold what they are given and demand nothing themselves: a proposition in one comes
from who writes the type. -/
private def carriers : List Name := [``Subtype, ``Prod, ``PProd, ``MProd, ``Sigma, ``PSigma, ``ULift, ``PLift]

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
  if isStructure env name || isStructureLike env name then
    let own := name ∈ carriers || (moduleOf? env name).all fun m => !isDistribution env m
    return if own && !(← isClassOnType env name) && !(← isMap type) then some type else none
  match fuel, ← unfoldDefinition? type with
  | n + 1, some type => structureOf? type n
  | _, _ => return none

/-- The fields of a structure's value: what each is called and is, and whether the structure inherits it.  An inductive type with
one constructor has no projections of its own, and calls its fields as the constructor does. -/
private def fieldsOf (x type : Expr) : MetaM (Array (Name × Expr × Bool)) := do
  let .const name levels := type.getAppFn | return #[]
  let env ← getEnv
  if isStructure env name then
    return (getStructureFields env name).filterMap fun field => do
      let projection ← (getFieldInfo? env name field).map (·.projFn)
      let value := mkAppN (.const projection levels) (type.getAppArgs.push x)
      return (field, value, (isSubobjectField? env name field).isSome)
  let .inductInfo info ← getConstInfo name | return #[]
  let some (.ctorInfo ctor) := info.ctors.head?.bind env.find? | return #[]
  forallBoundedTelescope ctor.type (ctor.numParams + ctor.numFields) fun ys _ => do
    let fields := (ys.extract ctor.numParams ys.size).zipIdx
    fields.mapM fun (y, i) => do
      let field ← y.fvarId!.getUserName
      let field := if field.hasMacroScopes || field.isAnonymous then .mkSimple s!"#{i + 1}" else field
      return (field, .proj name i x, false)

/-- The propositions in the value `x`, in the order of their fields. -/
partial def propFields (x : Expr) (fuel : Nat := 16) : MetaM (Array PropField) := do
  let given ← whnfCore (← inferType x)
  if ← isProp given then return #[]
  if given.isForall then
    return ← forallTelescope given fun ys _ => do
      (← propFields (mkAppN x ys) fuel).mapM fun f =>
        return { f with type := ← mkForallFVars ys f.type, proof := ← mkLambdaFVars ys f.proof }
  let some type ← structureOf? given | return #[]
  let .const name _ := type.getAppFn | return #[]
  if ← isProp type then return #[]
  let .inductInfo info ← getConstInfo name | return #[]
  let mut found := #[]
  for ((field, value, inherited), index) in (← fieldsOf x type).zipIdx do
    let fieldType := (← inferType value).headBeta
    if ← isProp fieldType then
      found := found.push { path := field.toString, type := fieldType, proof := value, structName := name, field, index }
    -- A structure that holds itself has no end.
    else if fuel > 0 && !(fieldType.getUsedConstants.any info.all.contains) then
      -- What is inherited is called as in Lean: `c.pos`, not `c.toBase.pos`.
      for inner in ← propFields value (fuel - 1) do
        found := found.push { inner with path := if inherited then inner.path else s!"{field}.{inner.path}" }
  return found

end Obligations
