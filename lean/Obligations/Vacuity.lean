import Obligations.Export

/-! # Theorems that say nothing

A theorem says nothing where nothing meets its hypotheses, or where its conclusion holds whatever they say.  What is looked for
here is what a reader overlooks: a type without values, a hypothesis that is false once its definition is unfolded, a conclusion
that is `True` in other words.  Nobody can decide this in general; a theorem that passes need not say anything.

## Main definitions

* `vacuity thm`: why a theorem says nothing, as far as it is seen.
* `isTrivial`, `isAbsurd`: true, or false, by its form alone.
* `refutes`: a contradiction from a local context, by opening values and hypotheses. -/

namespace Obligations
open Lean Meta Elab Tactic

/-- Is this constant outside of what Lean ships?  `noteShipped` must have run. -/
def isOwn (env : Environment) (n : Name) : Bool :=
  !(moduleOf? env n).any (isDistribution env)

/-- Wrappers of Lean's own library that change nothing. -/
def wrappers : List Name := [``id, ``Function.comp, ``Function.const, ``inferInstanceAs, ``outParam]

/-- A term in weak head normal form, where of Lean's own definitions only reducible ones are unfolded, and of the project's own all:
a statement means what its definitions say, and arithmetic stays as it is. -/
def opened (e : Expr) : MetaM Expr := do
  let env ← getEnv
  withTransparency .all <| withCanUnfoldPred (fun _ info => do
    if isOwn env info.name || info.name ∈ wrappers then return true
    let status ← getReducibilityStatus info.name
    return status matches .reducible || (← isInstance info.name)) (whnf e)

/-- The same term, except for names of bound variables and metadata. -/
def isSame (a b : Expr) : MetaM Bool := do
  let clean (e : Expr) : MetaM Expr := return (← instantiateMVars e).eta.consumeMData
  return (← clean a) == (← clean b)

mutual

/-- Is a proposition true by its form alone: `True`, `x = x`, `p ∨ True`, `p → p`, and what is made of these? -/
partial def isTrivial (p : Expr) (fuel : Nat := 12) : MetaM Bool := do
  let fuel + 1 := fuel | return false
  let p ← opened p
  match p with
  | .forallE n d b _ =>
    if ← (isProp d <&&> isAbsurd d fuel) then return true
    withLocalDeclD n d fun x => do
      let b := b.instantiate1 x
      if ← isTrivial b fuel then return true
      if b.containsFVar x.fvarId! then return false
      isProp d <&&> isSame (← opened d) (← opened b)
  | _ => match p.getAppFnArgs with
    | (``True, _) => return true
    | (``Eq, #[t, a, b]) =>
      isSame a b <||> (pure (t.isConstOf ``Bool) <&&> do
        let some x ← boolValue? a fuel | return false
        return (← boolValue? b fuel) == some x)
    | (``Iff, #[a, b]) => isSame a b
    | (``HEq, #[_, a, _, b]) => isSame a b
    | (``And, #[a, b]) => isTrivial a fuel <&&> isTrivial b fuel
    | (``Or, #[a, b]) =>
      isTrivial a fuel <||> isTrivial b fuel <||> isSame (mkNot a) b <||> isSame a (mkNot b)
    | (``Not, #[a]) => isAbsurd a fuel
    | (``Nonempty, #[t]) => hasValue t
    | (``Exists, #[t, q]) => do
      unless ← hasValue t do return false
      withLocalDeclD `x t fun x => isTrivial (q.beta #[x]) fuel
    | _ => return false

/-- Is a proposition false by its form alone? -/
partial def isAbsurd (p : Expr) (fuel : Nat := 12) : MetaM Bool := do
  let fuel + 1 := fuel | return false
  let p ← opened p
  match p with
  | .forallE _ d b _ =>
    if b.hasLooseBVars then return false
    (if ← isProp d then isTrivial d fuel else hasValue d) <&&> isAbsurd b fuel
  | _ => match p.getAppFnArgs with
    | (``False, _) => return true
    | (``Eq, #[t, a, b]) =>
      unless t.isConstOf ``Bool do return false
      let some x ← boolValue? a fuel | return false
      return (← boolValue? b fuel) == some !x
    | (``And, #[a, b]) => isAbsurd a fuel <||> isAbsurd b fuel
    | (``Or, #[a, b]) => isAbsurd a fuel <&&> isAbsurd b fuel
    | (``Not, #[a]) => isTrivial a fuel
    | (``Exists, #[t, q]) => withLocalDeclD `x t fun x => isAbsurd (q.beta #[x]) fuel
    | _ => return false

/-- What a Boolean is by its form alone: `x == x` is true where `==` is reflexive, `decide p` where `p` is trivial. -/
partial def boolValue? (b : Expr) (fuel : Nat := 12) : MetaM (Option Bool) := do
  let fuel + 1 := fuel | return none
  let b := b.consumeMData
  let reflexive (t inst x y : Expr) : MetaM Bool := do
    unless ← isSame x y do return false
    try return (← synthInstance? (mkApp2 (.const ``ReflBEq [(← getLevel t).dec.get!]) t inst)).isSome
    catch _ => return false
  let of (p : Bool) (yes : Bool) : Option Bool := if p then some yes else none
  match b.getAppFnArgs with
  | (``Bool.true, _) => return some true
  | (``Bool.false, _) => return some false
  | (``BEq.beq, #[t, inst, x, y]) => if ← reflexive t inst x y then return some true
  | (``bne, #[t, inst, x, y]) => if ← reflexive t inst x y then return some false
  | (``Decidable.decide, #[p, _]) =>
    if ← isTrivial p fuel then return some true
    return of (← isAbsurd p fuel) false
  | (``not, #[x]) => return (← boolValue? x fuel).map (!·)
  | (``and, #[x, y]) => match ← boolValue? x fuel, ← boolValue? y fuel with
    | some true, other | other, some true => return other
    | x, y => return of (x == some false || y == some false) false
  | (``or, #[x, y]) => match ← boolValue? x fuel, ← boolValue? y fuel with
    | some false, other | other, some false => return other
    | x, y => return of (x == some true || y == some true) true
  | _ => pure ()
  let plain ← opened b
  if plain == b then return none else boolValue? plain fuel

/-- Does an instance say that a type has a value? -/
partial def hasValue (t : Expr) : MetaM Bool := do
  try return (← synthInstance? (mkApp (mkConst ``Nonempty [← getLevel t]) t)).isSome
  catch _ => return false

end

/-- Structures of Lean's own library that may hide a proposition or an empty type. -/
def openable : List Name :=
  [``Fin, ``Subtype, ``PSigma, ``Sigma, ``Prod, ``PProd, ``MProd, ``And, ``Exists, ``Nonempty, ``Or, ``Sum, ``PSum,
   ``Iff, ``ULift, ``PLift, ``Inhabited]

/-- How many cases a value can be opened into; `none` where it stays closed. -/
def casesOf? (type : Expr) : MetaM (Option Nat) := do
  let .const n _ := type.getAppFn | return none
  let some (.inductInfo info) := (← getEnv).find? n | return none
  if info.ctors.isEmpty then return some 0
  if info.isRec || info.numIndices > 0 || info.ctors.length > 6 then return none
  unless n ∈ openable do
    unless isOwn (← getEnv) n do return none
    if isClass (← getEnv) n then if ← hasInstances n then return none
  return some info.ctors.length

/-- What `act` says, or `otherwise` where it fails or takes more than so many thousands of heartbeats: nothing is said then. -/
def bounded {α : Type} (heartbeats : Nat) (otherwise : α) (act : TermElabM α) : TermElabM α := do
  let state ← saveState
  tryCatchRuntimeEx
    (withTheReader Core.Context (fun c => { c with maxHeartbeats := heartbeats * 1000 }) (withCurrHeartbeats act))
    fun _ => do
      state.restore
      return otherwise

/-- Close a goal with the tactics that find contradictions. -/
def closes (goal : MVarId) (heartbeats : Nat) : TermElabM Bool := do
  let state ← saveState
  let closed ← bounded heartbeats false do
    let tactic ← `(tactic| first | contradiction | omega | grind)
    let left ← Term.withoutErrToSorry do Tactic.run goal (Tactic.evalTactic tactic)
    return left.isEmpty && !(← instantiateMVars (.mvar goal)).hasSorry
  unless closed do state.restore
  return closed

/-- Definitions of the project that a proposition is opened to the end with: propositions and small numbers. -/
private def isSmall (env : Environment) (n : Name) : Bool :=
  isOwn env n && match env.find? n with
    | some (.defnInfo info) =>
      let result := info.type.getForallBody
      result.isProp || [``Nat, ``Int, ``Bool].any result.isConstOf
    | _ => false

/-- The values at which a statement about all values of `t` is tried. -/
private def samples (t : Expr) : MetaM (List Expr) := do
  if t.isConstOf ``Nat then return [0, 1, 2, 10].map mkNatLit
  if t.isConstOf ``Int then return [mkIntLit 0, mkIntLit 1, mkIntLit (-1)]
  try return [← mkDefault t] catch _ => return []

/-- Derive a contradiction from a goal's context: open values and hypotheses one after another, then try the tactics.
`closed` are those that stay closed; `fuel` bounds how many are opened. -/
partial def refutes (goal : MVarId) (fuel : Nat := 24) (closed : FVarIdSet := {}) (changed := false) : TermElabM Bool :=
  goal.withContext do
    let mut split : Option FVarId := none
    for decl in ← getLCtx do
      if decl.isImplementationDetail || closed.contains decl.fvarId then continue
      if ← (isProp decl.type <&&> isAbsurd decl.type) then return true
      if fuel == 0 then continue
      let type ← opened decl.type
      match ← casesOf? type with
      | some 0 => return true
      | some 1 => return ← openOne decl.fvarId type
      | some _ => if split.isNone then split := some decl.fvarId
      | none =>
        if let .forallE _ d b _ := type then
          let found ← (← samples (← opened d)).mapM fun a => do
            let fact := (b.instantiate1 a).headBeta
            return { userName := `fact, type := fact, value := .app (.fvar decl.fvarId) a : Hypothesis }
          if found.isEmpty then continue
          let (_, after) ← goal.assertHypotheses found.toArray
          return ← refutes after (fuel - 1) (closed.insert decl.fvarId) true
    let env ← getEnv
    let mut after := goal
    for decl in ← getLCtx do
      if decl.isImplementationDetail || !(← isProp decl.type) then continue
      let plain ← Core.betaReduce (← deltaExpand decl.type (isSmall env))
      if plain != decl.type then
        after ← after.replaceLocalDeclDefEq decl.fvarId plain
    if changed || after != goal then
      if ← closes after 8000 then return true
    if let some x := split then return ← openOne x (← opened (← x.getType))
    return false
where
  /-- Take a value apart; every case has to be contradictory. -/
  openOne (x : FVarId) (type : Expr) : TermElabM Bool := do
    try
      let goal ← goal.replaceLocalDeclDefEq x type
      for case in ← goal.cases x do
        unless ← refutes case.mvarId (fuel - 1) closed true do return false
      return true
    catch _ => refutes goal (fuel - 1) (closed.insert x) changed

/-- Do `binders` of a theorem, in a context with nothing else, contradict each other? -/
private def contradict (keep : Expr → MetaM Bool) (xs : Array Expr) (heartbeats : Nat) : TermElabM Bool := do
  let others ← xs.filterM fun x => return !(← keep x)
  let goal ← (← mkFreshExprMVar (mkConst ``False)).mvarId!.tryClearMany (others.map (·.fvarId!))
  if ← xs.anyM fun x => do isProp (← inferType x) then
    if ← closes goal heartbeats then return true
  bounded heartbeats false (refutes goal)

/-- What a binder is called, given its place from 0. -/
private def calledBinder (x : Expr) (i : Nat) : MetaM String := do
  let name ← x.fvarId!.getUserName
  return if name.hasMacroScopes then s!"in place {i + 1}" else toString name

/-- Why nothing meets the hypotheses of a theorem; `none` where that is not seen. -/
def unmet (type : Expr) : TermElabM (Option String) := do
  let whole ← forallTelescope type fun xs _ => do
    if xs.isEmpty then return false else contradict (fun _ => return true) xs 8000
  unless whole do return none
  -- Which binder is to blame: the first without which the ones before it can be met.
  let arity ← forallTelescope type fun xs _ => return xs.size
  for i in [0:arity] do
    let found ← forallBoundedTelescope type (some (i + 1)) fun xs _ => do
      unless ← contradict (fun _ => return true) xs 8000 do return none
      let last := xs.back!
      let name ← calledBinder last i
      unless ← isProp (← inferType last) do return some s!"its binder {name} has a type without values"
      if ← contradict (fun x => return x == last || !(← isProp (← inferType x))) xs 8000 then
        return some s!"nothing meets its hypothesis {name}"
      return some "its hypotheses contradict each other"
    if found.isSome then return found
  return some "its hypotheses contradict each other"

/-- The propositions that one is a conjunction of. -/
partial def conjuncts (p : Expr) (fuel : Nat := 8) : MetaM (List Expr) := do
  let p ← opened p
  match fuel, p.getAppFnArgs with
  | fuel + 1, (``And, #[a, b]) => return (← conjuncts a fuel) ++ (← conjuncts b fuel)
  | _, _ => return [p]

/-- Why a conclusion says nothing: it is true by its form, or it repeats hypotheses. -/
def empty (type : Expr) : MetaM (Option String) :=
  forallTelescope type fun xs conclusion => do
    if conclusion.isConstOf ``True then return some "its conclusion is True"
    let plain ← opened conclusion
    let mut known := []
    for (x, i) in xs.zipIdx do
      let type ← inferType x
      let name ← calledBinder x i
      let hypotheses ← if ← isProp type then pure #[(name, type)]
        else pure <| (← propFields x).map fun f => (s!"{name}.{f.path}", f.type)
      for (name, given) in hypotheses do
        if ← (withReducible (isDefEq given conclusion) <||> isSame (← opened given) plain) then
          return some s!"its conclusion is its own hypothesis {name}"
        known := known ++ (← conjuncts given)
    if ← isTrivial conclusion then return some "its conclusion is true whatever the hypotheses say"
    for part in ← conjuncts conclusion do
      unless ← (isTrivial part <||> known.anyM (isSame part ·)) do return none
    return some "its conclusion only repeats its hypotheses"

/-- The statement with the binders that its conclusion's definitions hide; as it is, where these end in `False`, since a negation
says that its hypothesis cannot be met. -/
partial def spreadOut (type : Expr) (fuel : Nat := 4) : MetaM Expr := do
  let fuel + 1 := fuel | return type
  forallTelescope type fun xs conclusion => do
    if conclusion.isAppOf ``Not || conclusion.isAppOf ``Ne then return type
    let plain ← opened conclusion
    unless plain.isForall do return type
    if ← forallTelescope plain fun _ last => return (← opened last).isConstOf ``False then return type
    spreadOut (← mkForallFVars xs plain) fuel

/-- Why a theorem says nothing, as far as it is seen. -/
def vacuity (thm : Name) : TermElabM (Option String) := do
  let type := (← getConstInfo thm).type
  if let some why ← unmet (← bounded 10000 type (spreadOut type)) then return some why
  bounded 20000 none (empty type)

end Obligations
