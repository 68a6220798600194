import Obligations.Writing

/-! # Statements as propositions that a program can evaluate

`#export_propositions "nonce"` writes every theorem tagged `@[obligation]` as a tree over a small typed language, with
the definitions that it unfolds to.  The format is `obligations-proposition/1`; `docs/reference/propositions.md`
describes it.

A constant with a known meaning becomes an operation (`{"op": "add", …}`), provided that its instances are the usual
ones (`usual`): over any other instance the definition behind it is written instead.  A definition is written once, by
name, and terms refer to it; what has no definition that can be written is named with its place and the reason.

## Main definitions

* `#export_propositions "nonce"`. -/

namespace Obligations
open Lean Meta Elab Command
variable {α : Type}

mutual

/-- A term; a variable by its level in the telescope of its message. -/
private partial def term (e : Expr) : WriteM Json := do
  modify fun s => { s with size := s.size + 1 }
  if (← get).size > sizeLimit then throwError "the term has more than {sizeLimit} parts"
  let e := (← instantiateMVars e).consumeMData.headBeta.cleanupAnnotations
  match e with
  | .fvar id => variableAt id
  | .lit (.natVal n) => number (.const ``Nat []) (toString n)
  | .lit (.strVal s) => return Json.mkObj [("text", .str s)]
  | .sort l => return Json.mkObj [("sort", .str (if l.isZero then "Prop" else "Type"))]
  | .lam n t b i => bound "lambda" n t b i
  | .forallE n t b i => bound (if ← isProp e then "forall" else "pi") n t b i
  | .letE n t v b _ =>
    let type ← term t
    let value ← term v
    withLetDecl n t v fun x => do
      let body ← binding x (term (b.instantiate1 x))
      return Json.mkObj [("let", type), ("name", nameOf n), ("value", value), ("body", body)]
  | .proj s i b => projection s i b
  | .mdata _ b => term b
  | _ =>
    let f := e.getAppFn
    let args := e.getAppArgs
    match f with
    | .const n us => application e n us args
    | .proj .. => if let some f' ← reduceProj? f then term (mkAppN f' args) else apply f args
    | _ => apply f args

private partial def nameOf (n : Name) : Json :=
  if n.hasMacroScopes || n.isAnonymous || n == `_ then .null else .str n.toString

private partial def variableAt (id : FVarId) : WriteM Json := do
  match (← read)[id]? with
  | some level => return Json.mkObj [("var", toJson level)]
  | none => throwError "a variable that no binder binds"

private partial def number (carrier : Expr) (value : String) : WriteM Json := do
  return Json.mkObj [("num", .str value), ("at", ← term carrier)]

private partial def bound (what : String) (n : Name) (t b : Expr) (i : BinderInfo) : WriteM Json := do
  let type ← term t
  let kind ← role t i
  withLocalDecl n i t fun x => do
    let body ← binding x (term (b.instantiate1 x))
    return Json.mkObj [(what, type), ("name", nameOf n), ("role", .str kind), ("body", body)]

private partial def apply (f : Expr) (args : Array Expr) : WriteM Json := do
  if args.isEmpty then term f
  else return Json.mkObj [("apply", ← term f), ("args", .arr (← arguments f args))]

/-- Arguments in order; an instance or a proof is `null`. -/
private partial def arguments (f : Expr) (args : Array Expr) : WriteM (Array Json) := do
  let info ← getFunInfoNArgs f args.size
  (Array.range args.size).mapM fun i => do
    let a := args[i]!
    if (info.paramInfo[i]?).any (fun p => p.isProp || p.isInstImplicit) || (← isProof a) then return .null
    if (← isClass? (← inferType a)).isSome then return .null
    term a

private partial def projection (s : Name) (i : Nat) (b : Expr) : WriteM Json := do
  meet s
  let env ← getEnv
  let field := (getStructureFields env s)[i]?.getD .anonymous
  return Json.mkObj [("field", .str field.toString), ("structure", .str s.toString), ("of", ← term b)]

private partial def operation (op : String) (carrier : Option Expr) (args : Array Expr) : WriteM Json := do
  let fields := [("op", Json.str op)] ++ (← carrier.mapM fun c => return ("at", ← term c)).toList
  return Json.mkObj (fields ++ [("args", .arr (← args.mapM term))])

/-- The constant `n` applied to `args`. -/
private partial def application (e : Expr) (n : Name) (us : List Level) (args : Array Expr) : WriteM Json := do
  let env ← getEnv
  if let some i := position? env e then return ← number (.const `PostNorm.Idx []) (toString i)
  if let some e' ← expanded? e args.size ((knownOperation env n).elim 0 (·.arity)) then return ← term e'
  if let some op := (knownOperation env n).filter (·.arity ≤ args.size) then
    let own := args[:op.arity].toArray
    let instances ← op.instances.allM fun i => usual own[i]!
    let carrier := (op.carrier.map fun i => own[i]!).or (op.fixed.map (.const · []))
    let alike := op.alike.all fun i => some own[i]! == carrier
    let numeric ← if op.anyCarrier then pure true
      else (match carrier with | some c => (isNumeric c <||> (pure op.vectors <&&> isVector c)) | none => pure true)
    let headed := op.head.all fun h => carrier.any fun c => c.getAppFn.isConstOf h && isBasicType env h
    if instances && alike && numeric && headed then
      let written ← special? op own >>= fun found => match found with
        | some j => pure j
        | none => operation op.name carrier (op.arguments.map fun i => own[i]!)
      if args.size == op.arity then return written
      return Json.mkObj [("apply", written), ("args", .arr (← arguments (mkAppN e.getAppFn own) args[op.arity:].toArray))]
  -- The projection of a class: what the instance says.
  if let some p := env.getProjectionFnInfo? n then
    if let some e' ← expanded? e args.size (p.numParams + 1) then return ← term e'
    if args.size ≤ p.numParams then pure ()
    else if p.fromClass then
      if let some e' ← fromInstance? p args then return ← term e'
    else if let some (.inductInfo s) := env.find? n.getPrefix then
      let written ← projection s.name p.i args[p.numParams]!
      let rest := args[p.numParams + 1:].toArray
      if rest.isEmpty then return written
      return Json.mkObj [("apply", written), ("args", .arr (← arguments (mkAppN e.getAppFn args[:p.numParams+1].toArray) rest))]
  if let .reduced e' ← reduceMatcher? e then return ← term e'
  if let some e' ← structureMatch? e then return ← term e'
  if let some written ← cases? e then return written
  let reason ← reasonNotToUnfold n
  if reason.isNone then
    -- Over instances of the project's own a definition means something else than by its name.
    let infos := (← getFunInfoNArgs (.const n us) args.size).paramInfo
    let usual ← (Array.range args.size).allM fun i => do
      if (infos[i]?).any (·.isInstImplicit) then usual args[i]! else return true
    if !usual then
      if let some e' ← delta? e then return ← term e'
  meet n
  if args.isEmpty then return Json.mkObj [("const", .str n.toString)]
  return Json.mkObj [("const", .str n.toString), ("args", .arr (← arguments (.const n us) args))]

/-- A constant that lacks arguments, as a function of these.  `none` where it lacks none, and where its type has no place
for so many: then the constant is not the one that was meant. -/
private partial def expanded? (e : Expr) (have_ wanted : Nat) : WriteM (Option Expr) := do
  if wanted ≤ have_ then return none
  let e' ← etaExpand e
  return if e'.isLambda then some e' else none

private partial def literal? (e : Expr) : Option Nat :=
  match e.consumeMData with
  | .lit (.natVal n) => some n
  | e => e.nat?

/-- Operations whose arguments are not terms as they stand. -/
private partial def special? (op : Operation) (args : Array Expr) : WriteM (Option Json) := do
  match op.name with
  | "literal" =>
    match args[1]!.consumeMData with
    | .lit (.natVal k) => some <$> number args[0]! (toString k)
    | _ => some <$> operation "cast" args[0]! #[args[1]!]
  | "scientific" =>
    let some m := literal? args[2]! | return none
    let some x := literal? args[4]! | return none
    let minus := args[3]!.isConstOf ``Bool.true
    some <$> number args[0]! (if minus then s!"{m}e-{x}" else s!"{m}e{x}")
  | "exists" =>
    match (← instantiateMVars args[1]!).consumeMData with
    | .lam n t b i => some <$> bound "exists" n t b i
    | p => some <$> bound "exists" `x args[0]! (mkApp p (.bvar 0)) .default
  | "power" =>
    -- The kind of exponent: the laws differ.
    let kind := args[1]!
    if kind.isConstOf ``Nat then return some (← operation "pow" args[0]! #[args[4]!, args[5]!])
    if kind.isConstOf ``Int then return some (← operation "zpow" args[0]! #[args[4]!, args[5]!])
    if kind == args[0]! then return some (← operation "rpow" args[0]! #[args[4]!, args[5]!])
    return none
  | _ => return none

/-- The field of a class that an instance gives, where the instance can be unfolded to a constructor. -/
private partial def fromInstance? (p : ProjectionFunctionInfo) (args : Array Expr) : WriteM (Option Expr) := do
  let some inst := args[p.numParams]? | return none
  let inst ← withTransparency .all (whnf inst)
  let .const c _ := inst.getAppFn | return none
  let some (.ctorInfo c) := (← getEnv).find? c | return none
  let some field := inst.getAppArgs[c.numParams + p.i]? | return none
  return some (mkAppN field args[p.numParams + 1:].toArray).headBeta

/-- `match s with | ⟨a, b⟩ => …` over a structure, as its projections. -/
private partial def structureMatch? (e : Expr) : WriteM (Option Expr) := do
  let .const n us := e.getAppFn | return none
  let env ← getEnv
  if ← isMatcher n then
    let some e' ← unfoldMatcher? e | return none
    return some e'
  unless isCasesOnRecursor env n do return none
  let some (.inductInfo s) := env.find? n.getPrefix | return none
  unless isStructureLike env s.name && s.numIndices == 0 do return none
  let args := e.getAppArgs
  let some major := args[s.numParams + 1]? | return none
  let some minor := args[s.numParams + 2]? | return none
  let _ := us
  let fields := (Array.range (getStructureLikeNumFields env s.name)).map fun i => Expr.proj s.name i major
  return some (mkAppN (mkAppN minor fields).headBeta args[s.numParams + 3:].toArray).headBeta

/-- A case distinction on an inductive type that is not a structure. -/
private partial def cases? (e : Expr) : WriteM (Option Json) := do
  let .const n _ := e.getAppFn | return none
  let env ← getEnv
  unless isCasesOnRecursor env n do return none
  let some (.inductInfo type) := env.find? n.getPrefix | return none
  unless type.numIndices == 0 do return none
  let args := e.getAppArgs
  let first := type.numParams + 2
  let some major := args[type.numParams + 1]? | return none
  if args.size < first + type.numCtors then return none
  meet type.name
  let branches ← (type.ctors.toArray.zip args[first:].toArray).mapM fun (c, branch) => do
    return Json.mkObj [("constructor", .str c.toString), ("body", ← term branch)]
  let written := Json.mkObj [("cases", .str type.name.toString), ("of", ← term major), ("branches", .arr branches)]
  let rest := args[first + type.numCtors:].toArray
  if rest.isEmpty then return some written
  return some (Json.mkObj [("apply", written),
    ("args", .arr (← arguments (mkAppN e.getAppFn args[:first + type.numCtors].toArray) rest))])

private partial def unfoldMatcher? (e : Expr) : WriteM (Option Expr) := do
  let .const n us := e.getAppFn | return none
  unless (← getMatcherInfo? n).isSome do return none
  let value := (← getConstInfo n).instantiateValueLevelParams! us
  return some (value.beta e.getAppArgs)

end

private def binderJson (x : Expr) : WriteM Json := do
  let decl ← x.fvarId!.getDecl
  return Json.mkObj [("name", nameOf decl.userName), ("role", .str (← role decl.type decl.binderInfo)),
    ("type", ← term decl.type)]

/-- Binders in order: each type may mention the binders before it. -/
private partial def telescope (xs : List Expr) (acc : Array Json) (k : Array Json → WriteM α) : WriteM α := do
  match xs with
  | [] => k acc
  | x :: xs => do
    let b ← binderJson x
    binding x (telescope xs (acc.push b) k)

private def theoremFields (n : Name) : WriteM (List (String × Json)) := do
  forallTelescope (← getConstInfo n).type fun xs conclusion => do
    telescope xs.toList #[] fun binders => do
      return [("kind", .str "theorem"), ("name", .str n.toString), ("binders", .arr binders),
        ("conclusion", ← term conclusion)]

private def place (n : Name) : MetaM (List (String × Json)) := do
  let range ← findDeclarationRanges? n
  return [("module", toJson ((moduleOf? (← getEnv) n).map toString)),
    ("line", toJson (range.map (·.range.pos.line)))]

private def structureFields (n : Name) : WriteM (List (String × Json)) := do
  let env ← getEnv
  let .inductInfo info ← getConstInfo n | throwError "{n} is not a structure"
  let .ctorInfo ctor ← getConstInfo (getStructureCtor env n).name | throwError "{n} has no constructor"
  forallBoundedTelescope ctor.type info.numParams fun params rest => do
    telescope params.toList #[] fun paramsJson => do
      forallBoundedTelescope rest ctor.numFields fun fields _ => do
        telescope fields.toList #[] fun fieldsJson => do
          return [("kind", .str "structure"), ("name", .str n.toString), ("constructor", .str ctor.name.toString),
            ("params", .arr paramsJson), ("fields", .arr fieldsJson)]

private def definitionFields (n : Name) : WriteM (List (String × Json)) := do
  let info ← getConstInfo n
  let some value := info.value? | throwError "{n} has no value"
  lambdaTelescope value fun xs body => do
    telescope xs.toList #[] fun params => do
      return [("kind", .str "definition"), ("name", .str n.toString), ("params", .arr params),
        ("body", ← term body)] ++ (← place n)

/-- A recursive definition, by the equation that it satisfies. -/
private def recursiveFields (n : Name) : WriteM (List (String × Json)) := do
  let some equation ← getUnfoldEqnFor? n (nonRec := true) | throwError "{n} has no equation"
  forallTelescope (← getConstInfo equation).type fun xs statement => do
    let some (_, left, right) := statement.eq? | throwError "the equation of {n} has an unexpected form"
    unless left.getAppFn.isConstOf n && left.getAppArgs == xs do throwError "the equation of {n} has an unexpected form"
    telescope xs.toList #[] fun params => do
      return [("kind", .str "definition"), ("name", .str n.toString), ("params", .arr params),
        ("body", ← term right)] ++ (← place n)

private def inductiveFields (n : Name) : WriteM (List (String × Json)) := do
  let .inductInfo info ← getConstInfo n | throwError "{n} is not an inductive type"
  unless info.numIndices == 0 && !info.type.getForallBody.isProp do throwError "{n} has indices, or is a proposition"
  forallBoundedTelescope info.type info.numParams fun params _ => do
    telescope params.toList #[] fun paramsJson => do
      let constructors ← info.ctors.toArray.mapM fun c => do
        forallTelescope (← instantiateForall (← getConstInfo c).type params) fun fields _ => do
          telescope fields.toList #[] fun fieldsJson => do
            return Json.mkObj [("name", .str c.toString), ("fields", .arr fieldsJson)]
      return [("kind", .str "inductive"), ("name", .str n.toString), ("params", .arr paramsJson),
        ("constructors", .arr constructors)]

private def constantMessage (n : Name) : WriteM (List (String × Json)) := do
  let other (why : String) : MetaM (List (String × Json)) := do
    return [("kind", Json.str "constant"), ("name", Json.str n.toString), ("why", Json.str why)] ++ (← place n)
  -- What cannot be written leaves no constants behind that need a message.
  let attempt (act : WriteM (List (String × Json))) (why : String) : WriteM (List (String × Json)) := do
    let before ← get
    try act catch _ => set before; other why
  try
    match ← reasonNotToUnfold n with
    | none => definitionFields n
    | some "structure" => structureFields n
    | some "recursive" => attempt (recursiveFields n) "recursive"
    | some "inductive" => attempt (inductiveFields n) "inductive"
    | some why => other why
  catch e => other s!"failed: {← e.toMessageData.toString}"

/-- One message: the number of its parts begins anew. -/
private def message (act : WriteM α) : StateRefT Met MetaM α := do
  modify fun s => { s with size := 0 }
  act.run {}

private partial def remaining (acc : Array (List (String × Json))) : StateRefT Met MetaM (Array (List (String × Json))) := do
  let todo := (← get).todo
  if todo.isEmpty then return acc
  modify fun s => { s with todo := #[] }
  let mut acc := acc
  for n in todo do acc := acc.push (← message (constantMessage n))
  remaining acc

/-- Everything that the tagged theorems say, as messages. -/
def propositions (theorems : Array Name) : MetaM (Array (List (String × Json))) := do
  let go : StateRefT Met MetaM (Array (List (String × Json))) := do
    let mut found := #[]
    for n in theorems do
      let fields ← try message (theoremFields n)
        catch e => pure [("kind", .str "refused"), ("name", .str n.toString), ("why", .str (← e.toMessageData.toString))]
      found := found.push fields
    remaining found
  go.run' {}

/-- Export what the tagged theorems say. -/
syntax (name := exportPropositions) "#export_propositions " str : command

elab_rules : command
  | `(#export_propositions $nonce) => do
    let nonce := nonce.getString
    liftCoreM noteShipped
    let env ← getEnv
    let found ← liftTermElabM (propositions (tagged env obligationAttr))
    for fields in found do answer nonce fields
    answer nonce [("kind", .str "end"), ("schema", .str "obligations-proposition/1"), ("count", toJson found.size),
      ("lean", .str Lean.versionString)]

end Obligations
