import Obligations.Exact.Gaps
import Obligations.Exact.Mutants
import Obligations.Fields

/-! # An experiment for a theorem

## Main definitions

* `Obligations.Exact.Experiment`: draws an instance of a theorem and decides its hypotheses and its conclusion.
* `Obligations.Exact.experiment`: compiles one, or names the constant that prevents it. -/

namespace Obligations.Exact
open Lean Meta

/-- A hypothesis of a theorem. -/
structure Hypothesis where
  /-- Its binder's place in the telescope, from 1, and the path of a field within it. -/
  binder : Nat
  path : String := ""
  /-- It is a class, of which Lean finds an instance. -/
  settled : Bool := false
  deriving Inhabited

/-- What a theorem becomes: code that fills a tape. -/
structure Experiment where
  hypotheses : Array Hypothesis
  mutants : Array String
  /-- What stands for the theorem's type variables. -/
  remarks : Array String
  run : Tape → Tape

/-- What code is made for: whether for mutants, too, whether for the branches of definitions, and whether natural numbers may
be large. -/
private structure Options where
  mutants : Bool := true
  branches : Bool := true
  largeNumbers : Bool := false

private structure Built where
  gen : Expr
  hypotheses : Array Hypothesis := #[]
  mutants : Array String := #[]

/-- Constants, and projections by structure and index, that `e` unfolds to through the project's own definitions. -/
private partial def reach (e : Expr) : MetaM (NameSet × Std.HashSet (Name × Nat)) := do
  let env ← getEnv
  let mut names : NameSet := {}
  let mut projections : Std.HashSet (Name × Nat) := {}
  let mut todo := [e]
  while !todo.isEmpty do
    let e := todo.head!
    todo := todo.tail!
    projections := projectionsOf e projections
    for n in e.getUsedConstants do
      if names.contains n then continue
      names := names.insert n
      if (moduleOf? env n).any (isDistribution env) then continue
      match env.find? n with
      | some (.thmInfo i) => if n.isInternalDetail then todo := i.type :: i.value :: todo
      | some i => todo := meaning env i ++ todo
      | none => pure ()
  return (names, projections)
where
  projectionsOf (e : Expr) (acc : Std.HashSet (Name × Nat)) : Std.HashSet (Name × Nat) := Id.run do
    let mut acc := acc
    for sub in subterms e do
      if let .proj s i _ := sub then acc := acc.insert (s, i)
    return acc
  subterms (e : Expr) : List Expr :=
    (e.find? fun | .proj .. => true | _ => false).elim [] fun p => match p with
      | .proj s i b => .proj s i b :: subterms b
      | _ => []

/-- At most so many texts are taken from a statement and its definitions. -/
private def mostTexts : Nat := 16

/-- Texts in the statement, and in the definitions that it unfolds to. -/
private def texts (type : Expr) (reached : NameSet) : MetaM (List String) := do
  let env ← getEnv
  let mut terms := #[type]
  for n in reached do
    if (moduleOf? env n).any (isDistribution env) || (← isInstance n) then continue
    if let some (.defnInfo d) := env.find? n then terms := terms.push d.value
  let found ← IO.mkRef ([] : List String)
  for e in terms do
    e.forEach fun
      | .lit (.strVal s) => found.modify (s :: ·)
      | _ => pure ()
  return (((← found.get).mergeSort (· ≤ ·)).eraseReps).take mostTexts

/-- Whether code can come to the proof in a field: then it must not run where the field is violated. -/
private def isReached (reached : NameSet × Std.HashSet (Name × Nat)) (f : PropField) : MetaM Bool := do
  let env ← getEnv
  let projection := (getFieldInfo? env f.structName f.field).map (·.projFn)
  let s := f.structName
  if [s ++ `casesOn, s ++ `rec, s ++ `recOn].any reached.1.contains then return true
  if reached.2.contains (s, f.index) then return true
  return projection.elim true reached.1.contains

/-- Does a type depend on the number `x`, such as `Fin x`? -/
private def isSize (env : Environment) (x e : Expr) : Bool :=
  let typed (n : Name) : Bool := (env.find? n).any fun i => i.type.getForallBody.isSort && !i.type.getForallBody.isProp
  (e.find? fun s => s.isApp && s.getAppFn.constName?.any typed && s.getAppArgs.contains x).isSome

/-- The code for what is left of a statement, whose binders so far have `place - 1`. -/
private partial def build (reached : NameSet × Std.HashSet (Name × Nat)) (options : Options) (type : Expr)
    (place : Nat) : MetaM Built := do
  let unit := mkConst ``Unit
  let tape := mkConst ``Tape
  let onTape (f : Expr → MetaM Expr) : MetaM Expr :=
    withLocalDeclD `t tape fun t => do mkLambdaFVars #[t] (← f t)
  let thunk (e : Expr) := Expr.lam `u unit e .default
  let assume (p : Expr) (needed : Bool) (rest : Built) (key : Hypothesis) : MetaM Built := do
    let gen := mkAppN (mkConst ``Gen.assume)
      #[unit, ← onTape (decision · p), thunk (← gaps p), toExpr needed, rest.gen]
    return { rest with gen, hypotheses := #[key] ++ rest.hypotheses }
  match type with
  | .mdata _ e => build reached options e place
  | .forallE n dom body info =>
    if ← isProp dom then
      if info.isInstImplicit then
        if let some inst ← (try synthInstance? dom catch _ => pure none) then
          let rest ← build reached options (body.instantiate1 inst) (place + 1)
          return ← assume (mkConst ``True) false rest { binder := place, settled := true }
      let rest ← build reached options (body.instantiate1 (trusted dom)) (place + 1)
      return ← assume dom body.hasLooseBVars rest { binder := place }
    if info.isInstImplicit && (← isClass? dom).isSome then
      let some inst ← synthInstance? dom | do
        let chosen := "type variables become Int, Nat, Bool, Rat, or a type that has an instance, and none of these has all"
        obstacle (headName dom) s!"no instance of {← ppExpr dom} is found; {chosen}"
      let laws ← withLocalDecl n info dom fun x => propFields x
      let mut rest ← build reached options (body.instantiate1 inst) (place + 1)
      for f in laws.reverse do
        unless f.unlisted do
          rest ← assume (mkConst ``True) false rest { binder := place, path := f.path, settled := true }
      return rest
    withLocalDecl n .default dom fun x => do
      let sample ← if dom.isConstOf ``Nat && isSize (← getEnv) x (body.instantiate1 x) then pure (mkConst ``Gen.sizeNat)
        else if dom.isConstOf ``Nat && options.largeNumbers then pure (mkConst ``Gen.largeNat)
        else sampler decision (← propFields x).isEmpty dom
      withLocalDeclD `text (← mkArrow unit (mkConst ``String)) fun s => do
        let fields := (← propFields x).filter (!·.unlisted)
        let mut rest ← build reached options (body.instantiate1 x) (place + 1)
        for f in fields.reverse do
          rest ← assume f.type (← isReached reached f) rest { binder := place, path := f.path }
        -- `Unit` replaces a type variable.
        let recorded := if dom.isConstOf ``Unit then rest.gen
          else mkAppN (mkConst ``Gen.tell) #[unit, toExpr n.eraseMacroScopes.toString, s, rest.gen]
        let gen := mkAppN (mkConst ``Gen.bind) #[dom, unit, sample, ← mkLambdaFVars #[x, s] recorded]
        return { rest with gen }
  | _ =>
    let mut made := #[]
    let mut what := #[]
    if options.mutants then
      for m in ← mutants type do
        try
          made := made.push (← onTape (decision · m.conclusion))
          what := what.push m.what
        catch _ => pure ()
    let truths ← mkArrayLit (← mkArrow tape (mkConst ``Truth)) made.toList
    let rat := mkConst ``Rat
    let (more, landmarks) ← if options.branches then branches type else pure (← mkListLit rat [], ← mkListLit rat [])
    let every := mkApp3 (.const ``List.append [.zero]) rat (← gaps type) more
    let gen := mkAppN (mkConst ``Gen.conclude) #[← onTape (decision · type), thunk every, thunk landmarks, truths]
    return { gen, mutants := what }

/-- Functions of Lean's own whose work does not grow with the numbers they are given. -/
private def quick : List Name := [``HAdd.hAdd, ``HSub.hSub, ``HMul.hMul, ``HDiv.hDiv, ``HMod.hMod, ``Neg.neg, ``LT.lt, ``LE.le,
  ``GT.gt, ``GE.ge, ``Eq, ``Ne, ``And, ``Or, ``Not, ``Iff, ``True, ``False, ``ite, ``dite, ``Max.max, ``Min.min, ``OfNat.ofNat,
  ``Nat.cast, ``Int.cast, ``NatCast.natCast, ``IntCast.intCast, ``BEq.beq, ``bne, ``Decidable.decide, ``Dvd.dvd, ``Nat, ``Int,
  ``Rat, ``Bool, ``Bool.true, ``Bool.false, ``and, ``or, ``not, ``Int.natAbs, ``Int.toNat, ``Nat.succ, ``Nat.gcd, ``Prod,
  ``Prod.mk, ``Prod.fst, ``Prod.snd]

/-- May natural numbers be large?  Not where anything may count up to one of them. -/
private def mayBeLarge (type : Expr) (reached : NameSet) : MetaM Bool := do
  let env ← getEnv
  let quantifies (e : Expr) : Bool := (e.find? (·.isForall)).isSome
  let parts ← forallTelescope type fun xs conclusion => return (← xs.mapM inferType).push conclusion
  if parts.any quantifies then return false
  reached.toList.allM fun n => do
    if n ∈ quick || (← isInstance n) then return true
    if (moduleOf? env n).any (isDistribution env) then return false
    match env.find? n with
    | some (.defnInfo d) => return !(← isRecursiveDefinition n) && !quantifies d.value
    | some (.inductInfo i) => return !i.isRec
    | some (.ctorInfo _) => return true
    | _ => return false

private unsafe def compileUnsafe (e : Expr) : MetaM (Tape → Tape) := do
  evalExpr (Tape → Tape) (← mkArrow (mkConst ``Tape) (mkConst ``Tape)) e (safety := .unsafe) (checkMeta := false)

@[implemented_by compileUnsafe]
private opaque compile (e : Expr) : MetaM (Tape → Tape)

/-- What stands for type variables, in turn. -/
private def standIns : List Expr := [``Int, ``Nat, ``Bool, ``Rat].map (mkConst ·)

/-- Types of which the project declares an instance of a class that `type` asks for. -/
private def withInstances (type : Expr) : MetaM (List Expr) := do
  let env ← getEnv
  let own (n : Name) : Bool := (moduleOf? env n).all fun m => !isDistribution env m
  let classes := type.getUsedConstants.filter fun n => isClass env n && own n
  if classes.isEmpty then return []
  let mut found := []
  for (n, _) in (instanceExtension.getState env).instanceNames do
    unless own n do continue
    let some info := env.find? n | continue
    if info.type.isForall || !classes.any info.type.isAppOf then continue
    for a in info.type.getAppArgs do
      if a.isConst && (← isType a) && !standIns.contains a && !found.contains a then found := a :: found
  return found

/-- For `Prop`, `α → Prop`, `α → β → Prop`: the same with `Bool`, and how a value of that is a proposition, or several. -/
private partial def predicate? (type : Expr) : MetaM (Option (Expr × (Expr → Expr))) := do
  match type with
  | .sort .zero => return some (mkConst ``Bool, fun b => mkApp3 (.const ``Eq [1]) (mkConst ``Bool) b (mkConst ``Bool.true))
  | .forallE n dom cod info =>
    if cod.hasLooseBVars || (← isProp dom) then return none
    let some (truth, prop) ← predicate? cod | return none
    return some (.forallE n dom truth info, fun b => .lam n dom (prop (mkApp b (.bvar 0))) .default)
  | _ => return none

/-- The statement with its type variables replaced, and its variable propositions by Booleans. -/
private partial def specialised (type standIn : Expr) :
    MetaM (Expr × Array String) := do
  match type with
  | .forallE n dom body info =>
    if dom.isSort && !dom.isProp then
      let (type, remarks) ← specialised (body.instantiate1 standIn) standIn
      return (.forallE n (mkConst ``Unit) type .implicit, #[s!"{n.eraseMacroScopes} is {headName standIn}"] ++ remarks)
    if let some (truth, prop) ← predicate? dom then
      return ← withLocalDecl n .default truth fun b => do
        let (rest, remarks) ← specialised (body.instantiate1 (prop b)) standIn
        return (← mkForallFVars #[b] rest, remarks)
    withLocalDecl n info dom fun x => do
      let (rest, remarks) ← specialised (body.instantiate1 x) standIn
      return (← mkForallFVars #[x] rest, remarks)
  | e => return (e, #[])

/-- Compile an experiment for a theorem.  Throws an `obstacle` where it has none. -/
def experiment (thm : Name) : MetaM Experiment := do
  let info ← getConstInfo thm
  let type := info.type.instantiateLevelParams info.levelParams (info.levelParams.map fun _ => .zero)
  let reached ← reach type
  let known ← texts type reached.1
  let attempt (standIn : Expr) : MetaM Experiment := do
    let (type, remarks) ← specialised type standIn
    let largeNumbers ← mayBeLarge type reached.1
    let make (options : Options) : MetaM Experiment := do
      let built ← build reached { options with largeNumbers } type 1
      let strings := if known.isEmpty then mkConst ``Gen.string else mkApp (mkConst ``Gen.stringOr) (toExpr known)
      let gen := (← instantiateMVars built.gen).replace fun e => if e.isConstOf ``Gen.string then some strings else none
      let code ← withLocalDeclD `t (mkConst ``Tape) fun t => do
        mkLambdaFVars #[t] (mkApp3 (.const ``Prod.snd [.zero, .zero])
          (mkApp (.const ``Option [.zero]) (← mkAppM ``Prod #[mkConst ``Unit, ← mkArrow (mkConst ``Unit) (mkConst ``String)]))
          (mkConst ``Tape) (mkApp gen t))
      return { hypotheses := built.hypotheses, mutants := built.mutants, remarks, run := ← compile code }
    try make {} catch e =>
      if (obstacleOf? (← e.toMessageData.toString)).isSome then throw e
      try make { branches := false } catch _ => make { branches := false, mutants := false }
  let rec first : List Expr → MetaM Experiment
    | [] => attempt (mkConst ``Int)
    | [n] => attempt n
    | n :: more => do try attempt n catch _ => first more
  let generic := (← specialised type (mkConst ``Int)).2.size > 0
  -- What is said of the last one is what a report shows, where none will do: `Int` is the plainest.
  let own ← if generic then withInstances type else pure []
  first (if generic then standIns ++ own ++ [mkConst ``Int] else [mkConst ``Int])

end Obligations.Exact
