import Lean
import Obligations.Canonical
import Obligations.Exact.Draw

/-! # A sampler for a type

## Main definitions

* `Obligations.Exact.sampler`: the term of type `Gen α` that draws values of the type `α`, or the constant that
  prevents it. -/

namespace Obligations.Exact
open Lean Meta

/-- Throw that a constant prevents it, and why. -/
def obstacle {α : Type} (name : Name) (why : String) : MetaM α :=
  throwError "obligations-obstacle\n{name}\n{why}"

/-- The constant that prevents it, and why, where an exception says so. -/
def obstacleOf? (text : String) : Option (String × String) :=
  match text.splitOn "\n" with
  | "obligations-obstacle" :: name :: why => some (name, "\n".intercalate why)
  | _ => none

/-- What to name where a term cannot be read: the constant at its head. -/
def headName (e : Expr) : Name :=
  match e.getAppFn with
  | .const n _ => n
  | .sort .. => `Type
  | .forallE .. => `«→»
  | .fvar .. => `variable
  | _ => `term

/-- An unchecked proof, of code that is run and not proved. -/
def trusted (p : Expr) : Expr := mkApp (mkConst ``lcProof) p

private def lam1 (x : Expr) (body : Expr) : MetaM Expr := do
  let text ← mkArrow (mkConst ``Unit) (mkConst ``String)
  withLocalDeclD `text text fun s => mkLambdaFVars #[x, s] body

/-- `Gen.bind` with the value `x` of type `α` in `rest`, of type `Gen β`. -/
def bindAs (α β sample x rest : Expr) : MetaM Expr := do
  return mkAppN (mkConst ``Gen.bind) #[α, β, sample, ← lam1 x rest]

private def textOfParts (before : String) (parts : Array (String × Expr)) (after : String) : MetaM Expr := do
  let mut e := toExpr before
  let append (a b : Expr) := mkApp2 (mkConst ``String.append) a b
  for (label, s) in parts do
    let text := mkApp s (mkConst ``Unit.unit)
    e := append (append e (toExpr label)) (if label == " " then mkApp (mkConst ``Gen.atom) text else text)
  return .lam `u (mkConst ``Unit) (append e (toExpr after)) .default

/-- Domains of the binders of a type. -/
private partial def _root_.Lean.Expr.getForallBinderTypes : Expr → List Expr
  | .forallE _ d b _ => d :: b.getForallBinderTypes
  | _ => []

/-- A number that distinguishes values of a type well enough for functions on it. -/
private def keyOf? (type : Expr) : MetaM (Option Expr) := do
  match type with
  | .const ``Nat _ => return some (mkApp (.const ``id [1]) type)
  | .const ``Int _ => return some (mkConst ``Gen.keyOfInt)
  | .const ``Rat _ => return some (mkConst ``Gen.keyOfRat)
  | .const ``Bool _ => return some (mkConst ``Gen.keyOfBool)
  | _ =>
    if let .const name _ := type.getAppFn then
      if ← isEnumType name then return some (mkConst (name ++ `ctorIdx))
    let some inst ← (try synthInstance? (mkApp (.const ``Hashable [1]) type) catch _ => pure none) | return none
    return some (mkApp2 (mkConst ``Gen.keyOfHash) type inst)

/-- How numbers of the one type become those of the other, for functions such as `a * x + b`. -/
private def line (dom cod : Expr) : MetaM Expr := do
  let rat := mkConst ``Rat
  let from? := match dom with
    | .const ``Nat _ => some (mkConst ``Gen.ratOfNat)
    | .const ``Int _ => some (mkConst ``Gen.ratOfInt)
    | .const ``Rat _ => some (mkConst ``Gen.sameRat)
    | _ => none
  let rec to? : Expr → Option Expr
    | .const ``Nat _ => some (mkConst ``asNat)
    | .const ``Int _ => some (mkConst ``Gen.intOfRat)
    | .const ``Rat _ => some (mkConst ``Gen.sameRat)
    -- Of two arguments the first one counts.
    | .forallE _ α β _ => do
      guard (!β.hasLooseBVars)
      return mkApp3 (mkConst ``Gen.constant) α β (← to? β)
    | _ => none
  let pair ← mkAppM ``Prod #[← mkArrow dom rat, ← mkArrow rat cod]
  match from?, to? cod with
  | some f, some t => mkAppM ``Option.some #[← mkAppM ``Prod.mk #[f, t]]
  | _, _ => mkAppOptM ``Option.none #[pair]

/-- Machine words, their width, and how numbers become words. -/
private def words : List (Name × Nat × Name) := [
  (``UInt8, 8, ``UInt8.ofNat), (``UInt16, 16, ``UInt16.ofNat), (``UInt32, 32, ``UInt32.ofNat), (``UInt64, 64, ``UInt64.ofNat),
  (``Int8, 8, ``Int8.ofNat), (``Int16, 16, ``Int16.ofNat), (``Int32, 32, ``Int32.ofNat), (``Int64, 64, ``Int64.ofNat)]

mutual

/-- Draws a value of `type`.

Its propositions are judged elsewhere where they are hypotheses of their own (`Obligations.propFields`): `strict` is
false then.  Those of values that are not looked into, such as the branches of a tree, are met by drawing again: `judge`
decides them, as `decision` does. -/
partial def sampler (judge : Expr → Expr → MetaM Expr) (strict : Bool) (type : Expr) (fuel : Nat := 12)
    (known : List (Expr × Expr) := []) : MetaM Expr := do
  if fuel == 0 then obstacle (headName type) "the type is nested too deep"
  let type ← whnfCore type
  -- Propositions in elements, and in what a function gives, are hypotheses as those in a structure are.
  let within (t : Expr) := sampler judge strict t (fuel - 1) known
  if let some (_, self) := known.find? (·.1 == type) then return self
  match type with
  | .forallE _ dom cod _ =>
    let dom ← whnfR dom
    if cod.hasLooseBVars then obstacle `«→» "functions whose type depends on their argument are not drawn"
    unless dom.isAppOfArity ``Fin 1 do
      let some key ← keyOf? dom | obstacle (headName dom) s!"functions from {← ppExpr dom} are not drawn"
      return mkApp5 (mkConst ``Gen.function) dom cod key (← line dom (← whnfR cod)) (← within cod)
    return mkApp3 (mkConst ``Gen.finite) cod dom.appArg! (← within cod)
  | _ =>
  match type.getAppFnArgs with
  | (``Nat, #[]) => return mkConst ``Gen.nat
  | (``Int, #[]) => return mkConst ``Gen.int
  | (``Rat, #[]) => return mkConst ``Gen.rat
  | (``Bool, #[]) => return mkConst ``Gen.bool
  | (``Char, #[]) => return mkConst ``Gen.char
  | (``String, #[]) => return mkConst ``Gen.string
  | (``Fin, #[n]) => return mkApp (mkConst ``Gen.fin) n
  | (``BitVec, #[n]) =>
    return mkApp4 (mkConst ``Gen.map) (mkConst ``Nat) type (mkApp (mkConst ``BitVec.ofNat) n) (mkApp (mkConst ``Gen.word) n)
  | (``List, #[α]) => return mkApp2 (mkConst ``Gen.list) α (← within α)
  | (``Array, #[α]) => return mkApp2 (mkConst ``Gen.array) α (← within α)
  | (``Vector, #[α, n]) => return mkApp3 (mkConst ``Gen.vector) α n (← within α)
  | (``Option, #[α]) => return mkApp2 (mkConst ``Gen.option) α (← within α)
  | (``Prod, #[α, β]) => return mkApp4 (mkConst ``Gen.prod) α β (← within α) (← within β)
  | (``Sum, #[α, β]) => return mkApp4 (mkConst ``Gen.sum) α β (← within α) (← within β)
  | _ =>
    let .const name _ := type.getAppFn | obstacle (headName type) "no values of this type are drawn"
    let env ← getEnv
    if let some (width, ofNat) := words.lookup name then
      return ← mkAppM ``Gen.asWord #[toExpr width, mkConst ofNat]
    if let some (.inductInfo info) := env.find? name then
      if info.numIndices > 0 || info.isUnsafe || isClass env name then
        obstacle name "no values of this type are drawn"
      if (moduleOf? env name).any (isDistribution env) && !(name ∈ [``Subtype, ``Unit, ``PUnit, ``Ordering,
          ``Except, ``Sigma, ``PSigma, ``PProd, ``MProd, ``ULift, ``PLift]) then
        obstacle name "no values of this type are drawn"
      let gen ← mkAppM ``Gen #[type]
      let oneOf (gs : List Expr) : MetaM Expr := do
        if let [g] := gs then return g
        return mkApp2 (mkConst ``Gen.oneOf) type (← mkArrayLit gen gs)
      let constructor := constructor judge (strict || info.isRec) type info
      unless info.isRec do return ← oneOf (← info.ctors.mapM fun c => constructor c fuel known)
      let plain ← info.ctors.filterM fun c => do
        return !((← getConstInfo c).type.getForallBinderTypes.any (·.getUsedConstants.contains name))
      if plain.isEmpty then obstacle name "no values of this type are drawn"
      let base ← oneOf (← plain.mapM fun c => constructor c fuel known)
      let step ← withLocalDeclD `self gen fun self => do
        mkLambdaFVars #[self] (← oneOf (← info.ctors.mapM fun c => constructor c fuel ((type, self) :: known)))
      return mkApp4 (mkConst ``Gen.recursive) type base step (toExpr 3)
    match ← unfoldDefinition? type with
    | some type => sampler judge strict type fuel known
    | none => obstacle name "no values of this type are drawn"

/-- Draws the fields of a constructor; those that are propositions are met by drawing again, or trusted and judged
elsewhere. -/
partial def constructor (judge : Expr → Expr → MetaM Expr) (strict : Bool) (type : Expr) (info : InductiveVal) (ctor : Name) (fuel : Nat)
    (known : List (Expr × Expr)) : MetaM Expr := do
  let .const _ levels := type.getAppFn | obstacle info.name "no values of this type are drawn"
  let head := mkAppN (.const ctor levels) (type.getAppArgs.extract 0 info.numParams)
  let isStruct := isStructure (← getEnv) info.name
  let (gen, guarded) ← go (← inferType head) head #[] isStruct
  return if guarded then mkApp3 (mkConst ``Gen.retry) type gen (toExpr 20) else gen
where
  /-- The sampler, and whether it may find that a proposition does not hold. -/
  go (ctorType value : Expr) (parts : Array (String × Expr)) (isStruct : Bool) :
      MetaM (Expr × Bool) := do
    let .forallE n dom _ _ := (← whnfCore ctorType) | do
      let short := ctor.getString!
      let text ← if isStruct && info.name == ``Subtype then textOfParts "" (parts.map fun p => ("", p.2)) ""
        else if isStruct then
          textOfParts "{" (parts.mapIdx fun i p => ((if i > 0 then ", " else "") ++ s!"{p.1} := ", p.2)) "}"
        else textOfParts short (parts.map fun p => (" ", p.2)) ""
      return (mkApp3 (mkConst ``Gen.pure) type value text, false)
    let dom := dom.headBeta
    if ← isProp dom then
      let proof := trusted dom
      let (rest, guarded) ← go (← instantiateForall ctorType #[proof]) (mkApp value proof) parts isStruct
      unless strict do return (rest, guarded)
      let holds ← withLocalDeclD `t (mkConst ``Tape) fun t => do mkLambdaFVars #[t] (← judge t dom)
      return (mkApp3 (mkConst ``Gen.require) type holds rest, true)
    let sample ← sampler judge strict dom (fuel - 1) known
    withLocalDeclD n dom fun x => do
      withLocalDeclD `text (← mkArrow (mkConst ``Unit) (mkConst ``String)) fun s => do
        let (rest, guarded) ←
          go (← instantiateForall ctorType #[x]) (mkApp value x) (parts.push (n.toString, s)) isStruct
        return (mkAppN (mkConst ``Gen.bind) #[dom, type, sample, ← mkLambdaFVars #[x, s] rest], guarded)

end

/-- All values of a finite type, as a list; `none` where its values cannot be distinguished. -/
partial def everyValue? (type : Expr) : MetaM (Option Expr) := do
  let type ← whnfCore type
  match type.getAppFnArgs with
  | (``Bool, #[]) => return some (toExpr [false, true])
  | (``Fin, #[n]) => return some (mkApp (mkConst ``List.finRange) n)
  | (``Option, #[α]) =>
    let some values ← everyValue? α | return none
    return some (mkApp2 (mkConst ``Gen.everyOption) α values)
  | (``Prod, #[α, β]) =>
    let (some first, some second) := (← everyValue? α, ← everyValue? β) | return none
    return some (mkApp4 (mkConst ``Gen.everyPair) α β first second)
  | (``Sum, #[α, β]) =>
    let (some left, some right) := (← everyValue? α, ← everyValue? β) | return none
    return some (mkApp4 (mkConst ``Gen.everySum) α β left right)
  | _ =>
    let .const name levels := type.getAppFn | return none
    let some (.inductInfo info) := (← getEnv).find? name | return none
    if info.numIndices > 0 || info.isRec || info.numParams > 0 then return none
    let values ← info.ctors.mapM fun c => do
      return if (← getConstInfo c).type.isForall then none else some (mkConst c levels)
    if values.any (·.isNone) || values.isEmpty then return none
    return some (← mkListLit type (values.filterMap id))

end Obligations.Exact
