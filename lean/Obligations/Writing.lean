import Obligations.Known

/-! # What is written of a statement as a term

The state of a walk through terms, and what decides how a constant, a variable or a type is written.

## Main definitions

* `Obligations.WriteM`: a walk that numbers bound variables and notes the constants that it meets.
* `Obligations.usual`: is this the standard instance? -/

namespace Obligations
open Lean Meta
variable {α : Type}

/-- The constants met so far that still need a message, and those that had theirs. -/
structure Met where
  todo : Array Name := #[]
  seen : NameSet := {}
  /-- Subterms of the present message. -/
  size : Nat := 0

/-- More subterms than a reader could use; a term this large is refused, not written. -/
def sizeLimit : Nat := 40000

abbrev WriteM := ReaderT (Std.HashMap FVarId Nat) (StateRefT Met MetaM)

def meet (n : Name) : WriteM Unit :=
  modify fun s => if s.seen.contains n then s else { s with seen := s.seen.insert n, todo := s.todo.push n }

def binding (x : Expr) (act : WriteM α) : WriteM α := do
  withReader (fun levels => levels.insert x.fvarId! levels.size) act

def bindingAll (xs : Array Expr) (act : WriteM α) : WriteM α :=
  xs.foldr (fun x act => binding x act) act

/-- The number of a variable that `PostNorm.Idx` counts out. -/
partial def position? (env : Environment) (e : Expr) : Option Nat := do
  let .const n us := e.getAppFn | none
  if n == `PostNorm.Idx.here then return 0
  if n == `PostNorm.Idx.there then return (← position? env (← e.getAppArgs.back?).consumeMData) + 1
  let .defnInfo v ← env.find? n | none
  guard (v.type.getForallBody.getAppFn.constName? == some `PostNorm.Idx)
  position? env (v.value.instantiateLevelParams v.levelParams us |>.beta e.getAppArgs)

/-- What a binder of this type stands for. -/
def role (type : Expr) (info : BinderInfo) : MetaM String := do
  if ← isProp type then return "proof"
  if info.isInstImplicit || (← isClass? type).isSome then return "instance"
  let sort ← forallTelescopeReducing type fun _ t => pure t.isSort
  return if sort then "type" else "value"

/-- Is this type the real numbers, of Mathlib or of this library? -/
def isReal (env : Environment) (carrier : Expr) : Bool :=
  match carrier with
  | .const n _ => (n == `Real && comesFrom env n `Mathlib) || (n == `PostNorm.Real && comesFrom env n `PostNorm)
  | _ => false

/-- Number types whose operations the reader knows; a type variable stands for the real numbers. -/
def isNumeric (carrier : Expr) : MetaM Bool := do
  let carrier := (← instantiateMVars carrier).consumeMData
  match carrier.getAppFn with
  | .const n _ => return [``Nat, ``Int, ``Rat, ``Fin, ``Bool].contains n || isReal (← getEnv) carrier
  | .fvar id => return (← id.getType).isSort
  | _ => return false

/-- Are these vectors or matrices of numbers: functions from `Fin n`? -/
partial def isVector (carrier : Expr) : MetaM Bool := do
  let .forallE _ dom cod _ := (← instantiateMVars carrier).consumeMData | return false
  if cod.hasLooseBVars || !dom.isAppOf ``Fin then return false
  return (← isNumeric cod) || (← isVector cod)

/-- Is this the instance that everyone means?  It is built from local instances, parents of classes, instances that Lean
ships, and for the real numbers those of the library that declares them.  An instance of the project's own is not. -/
def usual (inst : Expr) : MetaM Bool := do
  let env ← getEnv
  inst.getUsedConstants.allM fun n => do
    let some module := moduleOf? env n | return false
    if isDistribution env module then return true
    if let some p := env.getProjectionFnInfo? n then if p.fromClass then return true
    let real := isReal env (.const n []) || (`Real).isPrefixOf n && comesFrom env n `Mathlib
    return real || (`PostNorm.Real).isPrefixOf n && comesFrom env n `PostNorm || module.getRoot == `Mathlib

/-- Can this definition be written by name?  A recursive one cannot: its value mentions recursors. -/
def reasonNotToUnfold (n : Name) : MetaM (Option String) := do
  let env ← getEnv
  match env.find? n with
  | none => return some "unknown"
  | some info =>
    if keptHeads.contains n then return some "kept"
    if isBasicType env n then return some "type"
    match info with
    | .axiomInfo _ => return some "axiom"
    | .thmInfo _ => return some "theorem"
    | .opaqueInfo _ => return some "opaque"
    | .quotInfo _ => return some "quotient"
    | .inductInfo i => return some (if isClass env n && !i.type.getForallBody.isProp then "class" else if isStructure env n then "structure" else "inductive")
    | .ctorInfo _ => return some "constructor"
    | .recInfo _ => return some "recursor"
    | .defnInfo v =>
      if ← isRecursiveDefinition n then return some "recursive"
      if isCasesOnRecursor env n || isNoConfusion env n then return some "recursor"
      if (← getConstInfo n).type.getForallBody.getAppFn.constName?.any keptTypes.contains then return some "kept"
      if let some m := moduleOf? env n then
        if isDistribution env m && !v.hints.isAbbrev && !unfoldedOfLean.contains n && !unfoldedTypes.contains n.getRoot &&
            !(← isReducible n) then return some "library"
      return none

end Obligations
