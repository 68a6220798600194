import Obligations.Exact.Decide

/-! # Mutants of a statement

Instances that do not notice when the statement is changed say nothing about it.

## Main definitions

* `Obligations.Exact.mutants`: conclusions that differ from a given one in a single place: in the statement, or in a
  definition of the project that it unfolds to. -/

namespace Obligations.Exact
open Lean Meta

/-- A mutant: what was changed, and the conclusion with the change. -/
structure Mutant where
  what : String
  conclusion : Expr

private def swaps : List (Name × Name) :=
  [(``HAdd.hAdd, ``HSub.hSub), (``HSub.hSub, ``HAdd.hAdd), (``HMul.hMul, ``HAdd.hAdd), (``HDiv.hDiv, ``HMul.hMul),
    (``LE.le, ``LT.lt), (``LT.lt, ``LE.le), (``GE.ge, ``GT.gt), (``GT.gt, ``GE.ge), (``Max.max, ``Min.min),
    (``Min.min, ``Max.max), (``and, ``or), (``or, ``and), (``HMod.hMod, ``HDiv.hDiv), (``HAppend.hAppend, ``HAdd.hAdd),
    (``Eq, ``Ne), (``Ne, ``Eq)]

private def short (e : Expr) : MetaM String := do
  let text := (toString (← ppExpr e)).replace "\n" " "
  return if text.length ≤ 60 then text else (text.take 57).toString ++ "…"

private def instead (e e' : Expr) : MetaM (String × Expr) :=
  return (s!"{← short e'} for {← short e}", e')

/-- What may stand in place of `e` itself. -/
private def atRoot (e : Expr) : MetaM (Array (String × Expr)) := do
  let mut found := #[]
  let attempt (make : MetaM Expr) : MetaM (Array (String × Expr)) := do
    try
      let e' ← make
      unless ← isDefEq (← inferType e') (← inferType e) do return #[]
      return #[← instead e e']
    catch _ => return #[]
  if let (``OfNat.ofNat, #[α, .lit (.natVal n), _]) := e.getAppFnArgs then
    let number (k : Nat) := attempt (mkAppOptM ``OfNat.ofNat #[α, mkRawNatLit k, none])
    let more ← number (n + 1)
    if n == 0 then return more
    return more ++ (← number (n - 1))
  if e.isApp then
    let name := headName e
    for (before, after) in swaps do
      if name == before then
        -- `a = b` is upset by `a ≠ b` always: that would say nothing
        if name != ``Eq && name != ``Ne then
          let args := e.getAppArgs
          found := found ++ (← attempt (mkAppM after #[args[args.size - 2]!, args.back!]))
    -- On whole numbers `a < b` has a stronger neighbour, too.
    if let (``LT.lt, #[α, _, a, b]) := e.getAppFnArgs then
      if α.isConstOf ``Nat || α.isConstOf ``Int then
        found := found ++ (← attempt do
          let one ← mkAppOptM ``OfNat.ofNat #[α, mkRawNatLit 1, none]
          mkAppM ``LT.lt #[← mkAppM ``HAdd.hAdd #[a, one], b])
    let type ← inferType e
    if name != ``OfNat.ofNat then
      for a in e.getAppArgs do
        if a.isSort || (← isProof a) || (← inferType a).isSort && !(← isProp a) then continue
        if ← withReducible (isDefEq (← inferType a) type) then
          found := found.push (← instead e a)
  if e.isFVar then
    let type ← inferType e
    for decl in ← getLCtx do
      if !decl.isImplementationDetail && decl.fvarId != e.fvarId! && !decl.type.isSort then
        if ← withReducible (isDefEq decl.type type) then
          found := found.push (← instead e decl.toExpr)
          break
    -- Without another variable of its type, the type's default is used.
    if found.isEmpty then found := found ++ (← attempt (mkAppOptM ``Inhabited.default #[type, none]))
  return found

/-- Every term that differs from `e` in one place. -/
private partial def everywhere (e : Expr) (fuel : Nat := 24) : MetaM (Array (String × Expr)) := do
  if fuel == 0 then return #[]
  let inner (e : Expr) := everywhere e (fuel - 1)
  match e with
  | .mdata _ b => inner b
  | .lam n t b i =>
    withLocalDecl n i t fun x => do
      (← inner (b.instantiate1 x)).mapM fun (s, b) => return (s, ← mkLambdaFVars #[x] b)
  | .forallE n t b i =>
    let domains ← if (← isProp t) && !b.hasLooseBVars then inner t else pure #[]
    let bodies ← withLocalDecl n i t fun x => do
      (← inner (b.instantiate1 x)).mapM fun (s, b) => return (s, ← mkForallFVars #[x] b)
    return domains.map (fun (s, t) => (s, .forallE n t b i)) ++ bodies
  | .letE .. => inner (← zetaReduce e)
  | .app .. =>
    let here ← atRoot e
    let (f, args) := (e.getAppFn, e.getAppArgs)
    if let (``ite, #[_, c, _, a, b]) := e.getAppFnArgs then
      let again (c a b : Expr) : MetaM Expr := mkAppOptM ``ite #[none, c, none, a, b]
      let mut found := here
      for (s, c') in ← inner c do
        if let some e' ← (try some <$> again c' a b catch _ => pure none) then found := found.push (s, e')
      for (s, a') in ← inner a do
        if let some e' ← (try some <$> again c a' b catch _ => pure none) then found := found.push (s, e')
      for (s, b') in ← inner b do
        if let some e' ← (try some <$> again c a b' catch _ => pure none) then found := found.push (s, e')
      return found
    let mut found := here
    if let (``Decidable.decide, #[p, _]) := e.getAppFnArgs then
      for (s, p') in ← inner p do
        if let some e' ← (try some <$> mkAppOptM ``Decidable.decide #[p', none] catch _ => pure none) then
          found := found.push (s, e')
      return found
    let infos := (← getFunInfo f).paramInfo
    if e.isAppOf ``OfNat.ofNat then return found
    for h : i in [0:args.size] do
      if (infos[i]?.map (·.binderInfo.isExplicit)).getD true then
        let a := args[i]
        if (← isProof a) || (← isType a) && !(← isProp a) then continue
        for (s, a') in ← inner a do
          found := found.push (s, mkAppN f (args.set! i a'))
    return found
  | _ => atRoot e

/-- The definitions of the project that `e` unfolds to and that can be unfolded: no recursive ones. -/
private partial def unfoldable (roots : Array Name) : MetaM (Array Name) := do
  let env ← getEnv
  let mut found := #[]
  let mut todo := roots.toList
  let mut seen : NameSet := {}
  while !todo.isEmpty do
    let n := todo.head!
    todo := todo.tail!
    if seen.contains n then continue
    seen := seen.insert n
    if (moduleOf? env n).any (isDistribution env) then continue
    let some (.defnInfo info) := env.find? n | continue
    if (← isProp info.type) || (env.getProjectionFnInfo? n).isSome || (← isMatcher n) then continue
    let used := info.value.getUsedConstants
    if used.any fun c => (c matches .str _ "brecOn") || (c matches .str _ "rec") || c.getRoot == `WellFounded then continue
    found := found.push n
    todo := todo ++ used.toList
  return found

/-- `e` with these definitions replaced by their values, except one, which becomes `value`. -/
private partial def unfoldTo (names : Array Name) (kept : Name) (value : Expr) (e : Expr) : MetaM Expr := do
  let env ← getEnv
  let opened (e : Expr) : MetaM TransformStep := do
    let .const n levels := e.getAppFn | return .continue
    if n == kept then return .done (value.beta (← e.getAppArgs.mapM (unfoldTo names kept value)))
    if names.contains n then
      if let some (.defnInfo info) := env.find? n then
        return .visit ((info.value.instantiateLevelParams info.levelParams levels).beta e.getAppArgs)
    return .continue
  Core.transform e (pre := fun e => do opened e)

/-- What a definition of the project says, as a function of its arguments: of a recursive one the right side of its equation. -/
private def meaningOf? (n : Name) : MetaM (Option Expr) := do
  if (moduleOf? (← getEnv) n).any (isDistribution (← getEnv)) then return none
  let some (.defnInfo info) := (← getEnv).find? n | return none
  if !info.levelParams.isEmpty || (← isProp info.type) || info.type.getForallBody.isSort && !info.type.getForallBody.isProp ||
      ((← getEnv).getProjectionFnInfo? n).isSome || (← isMatcher n) || (← isInstance n) then return none
  unless ← isRecursiveDefinition n do return some info.value
  let some equation ← (try getUnfoldEqnFor? n (nonRec := true) catch _ => pure none) | return none
  forallTelescope (← getConstInfo equation).type fun xs statement => do
    let some (_, left, right) := statement.eq? | return none
    unless left.getAppArgs == xs do return none
    return some (← mkLambdaFVars xs right)

/-- The uses of the project's definitions in `e`, each once, and how often each definition is used. -/
private def uses (e : Expr) : Array Expr × Std.HashMap Name Nat := Id.run do
  let mut found : Array Expr := #[]
  let mut todo := [e]
  while !todo.isEmpty do
    let s := todo.head!
    todo := todo.tail!
    match s with
    | .app .. =>
      if s.getAppFn.isConst && !found.contains s then found := found.push s
      todo := s.getAppFn :: s.getAppArgs.toList ++ todo
    | .lam _ t b _ | .forallE _ t b _ => todo := t :: b :: todo
    | .letE _ t v b _ => todo := t :: v :: b :: todo
    | .mdata _ b | .proj _ _ b => todo := b :: todo
    | _ => pure ()
  let count := found.foldl (init := ({} : Std.HashMap Name Nat)) fun m s =>
    m.insert s.getAppFn.constName! (m.getD s.getAppFn.constName! 0 + 1)
  return (found, count)

/-- Conclusions in which one use of a definition means something else, and all others what they do: where both sides of an
equation use it, another definition would leave it true. -/
private def atOneUse (conclusion : Expr) : MetaM (Array (String × Expr)) := do
  let (found, count) := uses conclusion
  let mut changed := #[]
  for use in found do
    let n := use.getAppFn.constName!
    unless count.getD n 0 > 1 || (← isRecursiveDefinition n) do continue
    let some value ← meaningOf? n | continue
    for (what, value') in ← withLCtx {} {} (everywhere value) do
      let use' := value'.beta use.getAppArgs
      let e := conclusion.replace fun s => if s == use then some use' else none
      changed := changed.push (s!"{what} in one {n}", e)
  return changed

/-- At most `most` of these, spread over all of them. -/
private def spread {α : Type} (most : Nat) (xs : Array α) : Array α :=
  if xs.size ≤ most then xs else (Array.range most).filterMap fun i => xs[i * xs.size / most]?

/-- Mutants of `conclusion`: at most `most` in the statement, as many in its definitions, and half as many in one use of one. -/
def mutants (conclusion : Expr) (most : Nat := 8) : MetaM (Array Mutant) := do
  let keep (found : Array (String × Expr)) : MetaM (Array Mutant) := do
    let mut kept := #[]
    let mut seen : Std.HashSet Expr := {}
    for (what, e) in found do
      if e != conclusion && !seen.contains e && (← isTypeCorrect e) then
        seen := seen.insert e
        kept := kept.push ⟨what, e⟩
    return kept
  let own := spread most (← keep (← everywhere conclusion))
  let names ← unfoldable conclusion.getUsedConstants
  let mut inDefinitions := #[]
  for n in names do
    let some (.defnInfo info) := (← getEnv).find? n | continue
    unless info.levelParams.isEmpty do continue
    -- within the definition alone: the variables of the statement are not its own
    for (what, value) in ← withLCtx {} {} (everywhere info.value) do
      inDefinitions := inDefinitions.push (n, what, value)
  let mut more := #[]
  for (n, what, value) in spread most inDefinitions do
    more := more.push (s!"{what} in {n}", ← unfoldTo names n value conclusion)
  return own ++ (← keep more) ++ (← keep (spread (most / 2) (← atOneUse conclusion)))

end Obligations.Exact
