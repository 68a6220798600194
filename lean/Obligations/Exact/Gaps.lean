import Obligations.Exact.Sampler

/-! # Comparisons, and how far they are from equality

A statement is most often wrong where two numbers are equal, or nearly so: at the edge of a hypothesis, and where one branch
of a definition ends and the next begins.

## Main definitions

* `Obligations.Exact.gaps`: by how much the comparisons in a proposition differ from equality.
* `Obligations.Exact.branches`: the same for those that the terms in it make, such as the conditions of `if … then … else`. -/

namespace Obligations.Exact
open Lean Meta

private def asRat? (α e : Expr) : MetaM (Option Expr) := do
  match α with
  | .const ``Rat _ => return some e
  | .const ``Int _ => return some (mkApp (mkConst ``Rat.ofInt) e)
  | .const ``Nat _ => return some (mkApp (mkConst ``Rat.ofInt) (mkApp (mkConst ``Int.ofNat) e))
  | _ => return none

/-- A list of rational numbers: by how much each comparison in `p` differs from equality.  Only what can be reached
without a proof is looked at. -/
partial def gaps (p : Expr) (fuel : Nat := 12) : MetaM Expr := do
  let rat := mkConst ``Rat
  let none_ := mkApp (.const ``List.nil [.zero]) rat
  if fuel == 0 then return none_
  let p ← whnfCore (← instantiateMVars p).consumeMData
  let both (a b : Expr) : MetaM Expr := do
    let (x, y) := (← gaps a (fuel - 1), ← gaps b (fuel - 1))
    return if x == none_ then y else if y == none_ then x
      else mkApp3 (.const ``List.append [.zero]) rat x y
  let difference (α a b : Expr) : MetaM Expr := do
    let some a ← asRat? (← whnfR α) a | return none_
    let some b ← asRat? (← whnfR α) b | return none_
    mkListLit rat [mkApp2 (mkConst ``Rat.sub) a b]
  match p with
  | .forallE n dom body _ =>
    if ← isProp dom then
      if body.hasLooseBVars then return none_
      return ← both dom body
    withLocalDeclD n dom fun x => do
      if let some values ← everyValue? dom then
        let each ← gaps (body.instantiate1 x) (fuel - 1)
        if each == none_ then return none_
        return mkApp4 (.const ``List.flatMap [.zero, .zero]) dom rat (← mkLambdaFVars #[x] each) values
      let .forallE _ guard rest _ := body.instantiate1 x | return none_
      let (``Membership.mem, #[_, coll, _, xs, y]) := guard.getAppFnArgs | return none_
      if rest.hasLooseBVars || y != x || xs.containsFVar x.fvarId! || !coll.isAppOf ``List then return none_
      let each ← gaps rest (fuel - 1)
      if each == none_ then return none_
      return mkApp4 (.const ``List.flatMap [.zero, .zero]) dom rat (← mkLambdaFVars #[x] each) xs
  | _ =>
  match p.getAppFnArgs with
  | (``And, #[a, b]) | (``Or, #[a, b]) | (``Iff, #[a, b]) => both a b
  | (``Not, #[a]) => gaps a (fuel - 1)
  | (``Ne, #[α, a, b]) | (``Eq, #[α, a, b]) => difference α a b
  | (``LT.lt, #[α, _, a, b]) | (``LE.le, #[α, _, a, b]) => difference α a b
  | (``GT.gt, #[α, _, a, b]) | (``GE.ge, #[α, _, a, b]) => difference α a b
  | _ =>
    let env ← getEnv
    let own := (moduleOf? env (headName p)).all fun m => !isDistribution env m
    match own, ← unfoldDefinition? p with
    | true, some q => gaps q (fuel - 1)
    | _, _ => return none_

/-- What a walk through terms has found: differences, and numbers that something unknown is compared with. -/
private structure Compared where
  gaps : Array Expr := #[]
  landmarks : Array Expr := #[]
  /-- Recursive definitions whose equation was looked at. -/
  seen : NameSet := {}

/-- So many comparisons are collected of one statement. -/
private def mostCompared : Nat := 24

private abbrev CompareM := StateRefT Compared MetaM

/-- The comparison of `a` with `b`, where `locals` are not values of the instance. -/
private def compared (α a b : Expr) (locals : Array Expr) : CompareM Unit := do
  let α ← whnfR α
  let some x ← asRat? α a | return
  let some y ← asRat? α b | return
  let isOpen (e : Expr) := locals.any fun l => e.containsFVar l.fvarId!
  if (← get).gaps.size + (← get).landmarks.size ≥ mostCompared then return
  match isOpen x, isOpen y with
  | false, false =>
    let gap := mkApp2 (mkConst ``Rat.sub) x y
    unless (← get).gaps.contains gap do modify fun s => { s with gaps := s.gaps.push gap }
  | true, true => return
  | first, _ =>
    let known := if first then y else x
    unless (← get).landmarks.contains known do modify fun s => { s with landmarks := s.landmarks.push known }

/-- The sides of a comparison, with their type. -/
private def sides? (e : Expr) : Option (Expr × Expr × Expr) :=
  match e.getAppFnArgs with
  | (``LT.lt, #[α, _, a, b]) | (``LE.le, #[α, _, a, b]) | (``GT.gt, #[α, _, a, b]) | (``GE.ge, #[α, _, a, b]) => some (α, a, b)
  | (``Eq, #[α, a, b]) | (``Ne, #[α, a, b]) => some (α, a, b)
  | (``BEq.beq, #[α, _, a, b]) | (``bne, #[α, _, a, b]) => some (α, a, b)
  | (``Max.max, #[α, _, a, b]) | (``Min.min, #[α, _, a, b]) => some (α, a, b)
  | _ => none

private partial def look (e : Expr) (locals : Array Expr) (fuel : Nat) : CompareM Unit := do
  if fuel == 0 || (← get).gaps.size ≥ mostCompared then return
  let inner (e : Expr) := look e locals (fuel - 1)
  match e.consumeMData with
  | .lam n t b i | .forallE n t b i =>
    if e.isForall && !b.hasLooseBVars then
      inner t
      inner b
    -- The proof that a branch is given is not a value, and what needs it is not computed elsewhere.
    else if ← isProp t then
      unless b.hasLooseBVars do inner b
    else
      withLocalDecl n i t fun x => look (b.instantiate1 x) (locals.push x) (fuel - 1)
  | .letE _ _ v b _ => inner (b.instantiate1 v)
  | .proj _ _ b => inner b
  | .app .. | .const .. =>
    let e := e.consumeMData.headBeta
    if let some (α, a, b) := sides? e then compared α a b locals
    let arguments : CompareM Unit := do
      let f := e.getAppFn
      let args := e.getAppArgs
      if f.isLambda then inner f
      let infos := (← getFunInfoNArgs f args.size).paramInfo
      for h : i in [0:args.size] do
        if (infos[i]?).any (fun p => p.isInstImplicit || p.isProp) then continue
        let a := args[i]
        if (← isType a) && !(← isProp a) || (← isProof a) then continue
        inner a
    let .const name levels := e.getAppFn | arguments
    let env ← getEnv
    if (moduleOf? env name).any (isDistribution env) || (← isMatcher name) || (env.getProjectionFnInfo? name).isSome then
      return ← arguments
    let some (.defnInfo info) := env.find? name | arguments
    if ← isRecursiveDefinition name then
      arguments
      if (← get).seen.contains name then return
      modify fun s => { s with seen := s.seen.insert name }
      let some equation ← (try getUnfoldEqnFor? name (nonRec := true) catch _ => pure none) | return
      let type := (← getConstInfo equation).instantiateTypeLevelParams levels
      let statement ← (try some <$> instantiateForall type e.getAppArgs catch _ => pure none)
      if let some (_, _, right) := statement.bind (·.eq?) then inner right
    else inner ((info.value.instantiateLevelParams info.levelParams levels).beta e.getAppArgs)
  | _ => return

/-- By how much the comparisons that the terms of `p` make differ from equality, and the numbers that something unknown is
compared with; both lists of rational numbers. -/
def branches (p : Expr) : MetaM (Expr × Expr) := do
  let ((), found) ← (look p #[] 40).run {}
  let rat := mkConst ``Rat
  return (← mkListLit rat found.gaps.toList, ← mkListLit rat found.landmarks.toList)

end Obligations.Exact
