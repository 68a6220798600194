import Lean
import Obligations.Canonical

/-! # Propositions inside the values that a theorem is about

A binder `c : Cfg` hides hypotheses where `Cfg` has fields that are propositions: a user of the theorem has to
supply them.  Which binders count follows from one rule, *who supplies the value*:

* An explicit or implicit argument is chosen at each use.  Each proposition in it is a hypothesis: in a structure or another
  inductive type of the project, in a subtype, a pair, a sum or a lift of Lean's own library, in each element of a list, an
  array, a vector or an option, and for each value of a function.  A bundled map, a structure that is applied like a
  function, is a structure like any other.
* An instance argument is found by its type.  The laws of a class on a type, such as those of a field of numbers, are
  declared once with the carrier: they are not hypotheses where they are about the carrier and some instance declares them.
  All other laws in an instance are: a positive constant, say, or a law without an instance.  A class that is a
  proposition itself is one, as it always was.
* What Lean's own library keeps true of its values, such as that the entry of a `Fin n` is below `n`, is part of the
  type and not a hypothesis.

Where a proposition is in a value and cannot be stated of it, such as in the branches of a tree, the value as a whole counts as
one hypothesis, of which nothing is known.

## Main definitions

* `Obligations.propFields`: the propositions in a value, with their paths. -/

namespace Obligations
open Lean Meta

/-- A proposition in a value. -/
structure PropField where
  /-- From the value: `pos`, or `inner.pos`. -/
  path : String
  /-- What it says of the value; of a value that is not looked into, its type. -/
  type : Expr
  /-- The structure that declares it, its name there, and its place among the fields, from 0. -/
  structName : Name
  field : Name
  index : Nat
  /-- It represents all propositions in parts of a value that is not looked into. -/
  unlisted : Bool := false

/-- Structures of Lean's own library that hold what they are given and demand nothing themselves: a proposition in one was put
there by the author of the type. -/
private def carriers : List Name := [``Subtype, ``Prod, ``PProd, ``MProd, ``Sigma, ``PSigma, ``ULift, ``PLift]

/-- The same of types with several constructors. -/
private def choices : List Name := [``Sum, ``PSum, ``Except]

/-- The type of the elements of a list, an array, a vector or an option. -/
private def elementType? (type : Expr) : Option Expr :=
  match type.getAppFnArgs with
  | (``List, #[α]) | (``Array, #[α]) | (``Option, #[α]) | (``Vector, #[α, _]) => some α
  | _ => none

/-- Has an instance of this class been declared that needs no other one? -/
def hasInstances (cls : Name) : MetaM Bool := do
  let env ← getEnv
  let type := (← getConstInfo cls).type
  let (xs, _, _) ← forallMetaTelescope type
  let declared ← (← getGlobalInstancesIndex).getUnify (mkAppN (← mkConstWithFreshMVarLevels cls) xs)
  return declared.any fun entry => (entry.globalName?.bind env.find?).any fun info =>
    (info.type.find? fun e => e.isForall && e.bindingDomain!.getAppFn.isConstOf cls).isNone

/-- Is the field number `index` of a class about a type that the class is about, itself or through other fields? -/
private def isOfCarrier (info : InductiveVal) (index : Nat) : MetaM Bool := do
  let some ctor := info.ctors.head? | return false
  forallBoundedTelescope (← getConstInfo ctor).type (some (info.numParams + index + 1)) fun xs _ => do
    let mut concerned : Array Expr := #[]
    for (x, i) in xs.zipIdx do
      let type ← inferType x
      if i < info.numParams && type.getForallBody.isSort then concerned := concerned.push x
      else if concerned.any fun c => type.containsFVar c.fvarId! then concerned := concerned.push x
    return xs.back?.any concerned.contains

/-- A type as Lean computes it, seen through definitions as far as they go. -/
private partial def plainType (type : Expr) (fuel : Nat := 8) : MetaM Expr := do
  let type ← whnfCore type
  match fuel, ← unfoldDefinition? type with
  | n + 1, some type => plainType type n
  | _, _ => return type

/-- Is this declared by the audited project, or by a library that is not Lean's own? -/
private def isForeign (env : Environment) (name : Name) : Bool :=
  (moduleOf? env name).all fun m => !isDistribution env m

/-- Can a value of this type hold a proposition that has to be proved to make the value?  A quotient's cannot be taken out: its
values are numbers, say, whatever they are made of; only its arguments count.  `seen` are the inductive types that were opened:
when one occurs again, only its arguments differ. -/
private partial def carries (seen : IO.Ref NameSet) (type : Expr) (fuel : Nat := 12) : MetaM Bool := do
  let fuel + 1 := fuel | return false
  let type ← whnfCore type
  if ← isProp type then return false
  if type.isForall then return ← forallTelescope type fun _ result => carries seen result fuel
  let .const name levels := type.getAppFn | return false
  if name == ``Quot || name == ``Quotient then return false
  if ← type.getAppArgs.anyM fun a => do return (← isType a) && !(← isProp a) && (← carries seen a fuel) then return true
  let env ← getEnv
  let some (.inductInfo info) := env.find? name | do
    let some type ← unfoldDefinition? type | return false
    carries seen type fuel
  unless isForeign env name || name ∈ carriers || name ∈ choices do return false
  if (← seen.get).contains name then return false
  seen.modify (·.insert name)
  let params := type.getAppArgs.extract 0 info.numParams
  info.ctors.anyM fun c => do
    let head ← instantiateForall ((← getConstInfo c).type.instantiateLevelParams info.levelParams levels) params
    forallTelescope head fun ys _ => ys.anyM fun y => do
      let field ← inferType y
      isProp field <||> carries seen field fuel

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
    fields.mapM fun (y, i) => return (← fieldName y i, .proj name i x, false)
where
  fieldName (y : Expr) (i : Nat) : MetaM Name := do
    let field ← y.fvarId!.getUserName
    return if field.hasMacroScopes || field.isAnonymous then .mkSimple s!"#{i + 1}" else field

/-- A hypothesis for what a value of this type may hold and no list shows. -/
private def unlisted (x : Expr) : MetaM (Array PropField) := do
  let type ← inferType x
  unless ← carries (← IO.mkRef {}) type do return #[]
  return #[{ path := "parts", type, structName := .anonymous, field := .anonymous, index := 0,
             unlisted := true }]

mutual

/-- The propositions in the value `x`, in the order of their fields. -/
partial def propFields (x : Expr) (fuel : Nat := 16) : MetaM (Array PropField) := do
  let given ← inferType x
  if ← isProp given then return #[]
  let type ← plainType given
  if type.isForall then
    return ← forallTelescope type fun ys _ => do
      (← propFields (mkAppN x ys) fuel).mapM fun f => return { f with type := ← mkForallFVars ys f.type }
  if let some α := elementType? type then
    return ← withLocalDeclD `e α fun e => do
      let inner ← propFields e (fuel - 1)
      if inner.isEmpty then return #[]
      withLocalDeclD `h (← mkAppM ``Membership.mem #[x, e]) fun h => inner.mapM fun f => do
        let type ← if f.unlisted then inferType x else mkForallFVars #[e, h] f.type
        return { f with path := s!"each.{f.path}", type }
  let .const name _ := type.getAppFn | return #[]
  let env ← getEnv
  let some (.inductInfo info) := env.find? name | unlisted x
  if isStructure env name || isStructureLike env name then
    if isForeign env name || name ∈ carriers then return ← inStructure x type info fuel
  else if (isForeign env name || name ∈ choices) && !info.isRec && info.numIndices == 0 && fuel > 0 then
    return ← inChoice x type info fuel
  unlisted x

/-- Those in a structure's value. -/
private partial def inStructure (x type : Expr) (info : InductiveVal) (fuel : Nat) : MetaM (Array PropField) := do
  let declared ← pure (isClass (← getEnv) info.name) <&&> hasInstances info.name
  let isNotion (index : Nat) : MetaM Bool := pure declared <&&> isOfCarrier info index
  let mut found := #[]
  for ((field, value, inherited), index) in (← fieldsOf x type).zipIdx do
    let fieldType := (← inferType value).headBeta
    if ← isProp fieldType then
      unless ← isNotion index do
        found := found.push { path := field.toString, type := fieldType, structName := info.name, field, index }
      continue
    -- A structure that holds itself has no end.
    let inner ← if fuel > 0 && !(fieldType.getUsedConstants.any info.all.contains) then propFields value (fuel - 1)
      else unlisted value
    -- What is inherited is called as in Lean: `c.pos`, not `c.toBase.pos`.
    found := found ++ inner.map fun f => { f with path := if inherited then f.path else s!"{field}.{f.path}" }
  return found

/-- Those in a value of a type with several constructors, each for the constructor that has it. -/
private partial def inChoice (x type : Expr) (info : InductiveVal) (fuel : Nat) : MetaM (Array PropField) := do
  let .const name levels := type.getAppFn | return #[]
  let params := type.getAppArgs
  let telescope {α : Type} (c : Name) (k : Array Expr → MetaM α) : MetaM α := do
    let head ← instantiateForall ((← getConstInfo c).type.instantiateLevelParams info.levelParams levels) params
    forallTelescope head fun ys _ => k ys
  let otherwise ← info.ctors.toArray.mapM fun c => telescope c fun ys => mkLambdaFVars ys (mkConst ``True)
  let motive := .lam `x type (.sort .zero) .default
  let mut found := #[]
  for (c, k) in info.ctors.zipIdx do
    found := found ++ (← telescope c fun ys => do
      let mut own := #[]
      for (y, i) in ys.zipIdx do
        let field ← fieldsOf.fieldName y i
        let fieldType ← inferType y
        let inner ← if ← isProp fieldType then
            pure #[{ path := field.toString, type := fieldType, structName := name, field, index := i : PropField }]
          else pure <| (← propFields y (fuel - 1)).map fun f => { f with path := s!"{field}.{f.path}" }
        for f in inner do
          let path := s!"{c.getString!}.{f.path}"
          let type ← if f.unlisted then inferType x else do
            let minors := otherwise.set! k (← mkLambdaFVars ys f.type)
            pure <| mkAppN (.const (name ++ `casesOn) (1 :: levels)) (params ++ #[motive, x] ++ minors)
          own := own.push { f with path, type }
      return own)
  return found

end

end Obligations
