import Obligations.Exact.Gaps

/-! # A decision for a proposition

## Main definitions

* `Obligations.Exact.decision`: the term of type `Truth` that decides a proposition, or the constant that
  prevents it. -/

namespace Obligations.Exact
open Lean Meta

private def truth : Expr := mkConst ``Truth

private def thunk (e : Expr) : Expr := .lam `u (mkConst ``Unit) e .default

private def instanceOf? (p : Expr) : MetaM (Option Expr) := do
  let some inst ← (try synthInstance? (mkApp (mkConst ``Decidable) p) catch _ => pure none) | return none
  let inst ← instantiateMVars inst
  -- A choice that cannot be computed decides nothing.
  return if inst.getUsedConstants.contains ``Classical.propDecidable then none else some inst

private def flip (e : Expr) : Expr := mkApp (mkConst ``Truth.not) e

/-- What decides a recursive definition whose first arguments are `fixed`. -/
private def nameOfDecider (name : Name) (fixed : Array Expr) : Name :=
  .mkNum (`Obligations.Exact.decider ++ name) (hash fixed).toNat

/-- Decide `p` on the instance that `tape` holds. -/
partial def decision (tape p : Expr) (fuel : Nat := 40) : MetaM Expr := do
  if fuel == 0 then obstacle (headName p) "the proposition is nested too deep"
  let p := (← instantiateMVars p).consumeMData
  -- A case distinction would become a recursor, which has no code.
  let p ← if p.getAppFn.constName?.any (isCasesOnRecursor (← getEnv)) then pure p else whnfCore p
  let inner (q : Expr) := decision tape q (fuel - 1)
  let two (f : Name) (a b : Expr) : MetaM Expr := return mkApp2 (mkConst f) (← inner a) (thunk (← inner b))
  match p with
  | .forallE n dom body _ =>
    if ← isProp dom then
      let f := if body.hasLooseBVars then ``Truth.given else ``Truth.imp
      return mkApp2 (mkConst f) (← inner dom) (thunk (← inner (body.instantiate1 (trusted dom))))
    quantified n dom body inner true
  | _ =>
  if let some app ← matchMatcherApp? p (alsoCasesOn := true) then
    if app.remaining.isEmpty then
      let alts ← app.alts.mapM fun alt => do
        forallTelescopeReducing (← inferType alt) fun xs _ => do
          mkLambdaFVars xs (← inner (mkAppN alt xs).headBeta)
      let motive ← lambdaTelescope app.motive fun xs _ => mkLambdaFVars xs truth
      return { app with alts, motive }.toExpr
  match p.getAppFnArgs with
  | (``True, #[]) => return mkConst ``Truth.yes
  | (``False, #[]) => return mkConst ``Truth.no
  | (``And, #[a, b]) => two ``Truth.and a b
  | (``Or, #[a, b]) => two ``Truth.or a b
  | (``Not, #[a]) => return flip (← inner a)
  | (``Ne, #[α, a, b]) => return flip (← inner (mkApp3 (.const ``Eq [← getLevel α]) α a b))
  | (``Iff, #[a, b]) => return mkApp2 (mkConst ``Truth.iff) (← inner a) (← inner b)
  | (``Exists, #[α, f]) =>
    let f ← if f.isLambda then pure f else pure (.lam `x α (mkApp (f.liftLooseBVars 0 1) (.bvar 0)) .default)
    if ← isProp α then
      return mkApp2 (mkConst ``Truth.both) (← inner α) (thunk (← inner (f.beta #[trusted α])))
    quantified f.bindingName! α f.bindingBody! inner false
  | (``Eq, #[α, a, b]) =>
    if α.isProp then return mkApp2 (mkConst ``Truth.iff) (← inner a) (← inner b)
    let plain ← whnf α
    if plain.isForall then
      return ← inner (← withLocalDeclD `i plain.bindingDomain! fun i => do
        mkForallFVars #[i] (← mkEq (mkApp a i).headBeta (mkApp b i).headBeta))
    leaf p inner
  | _ => leaf p inner
where
  /-- Through an instance of `Decidable`; else through the fields of a structure, or a definition's value. -/
  leaf (p : Expr) (inner : Expr → MetaM Expr) : MetaM Expr := do
    if let some inst ← instanceOf? p then
      return mkApp2 (mkConst ``Truth.of) p inst
    let .const name levels := p.getAppFn | obstacle (headName p) "nothing decides it"
    let env ← getEnv
    if isStructure env name then
      let value := trusted p
      let mut parts := #[]
      for field in getStructureFields env name do
        let some projection := (getFieldInfo? env name field).map (·.projFn) | continue
        let type := (← inferType (mkAppN (.const projection levels) (p.getAppArgs.push value))).headBeta
        unless ← isProp type do obstacle name "it holds data, and nothing decides it"
        parts := parts.push type
      if parts.isEmpty then return mkConst ``Truth.yes
      return ← parts.pop.foldrM (init := ← inner parts.back!) fun q rest => do
        return mkApp2 (mkConst ``Truth.and) (← inner q) (thunk rest)
    if (env.find? name matches some (.defnInfo _)) && (← isRecursiveDefinition name) then
      return ← recursive name levels p.getAppArgs
    if let some q ← unfoldDefinition? p then return ← inner q
    if name == ``Eq then
      let #[α, a, b] := p.getAppArgs | obstacle name "nothing decides it"
      if let some fields ← fieldwise? p then return ← inner fields
      if let some found ← structural? (← whnf α) a b then return found
      obstacle (headName α) "nothing decides whether two of its values are equal; an instance of DecidableEq would"
    obstacle name "nothing decides it; an instance of Decidable for it would"
  /-- Values of a structure are equal where their fields are. -/
  fieldwise? (p : Expr) : MetaM (Option Expr) := do
    let #[α, a, b] := p.getAppArgs | return none
    let α ← whnf α
    let .const name levels := α.getAppFn | return none
    let env ← getEnv
    if !isStructure env name then return none
    let mut parts := #[]
    for field in getStructureFields env name do
      let some projection := (getFieldInfo? env name field).map (·.projFn) | continue
      let at_ (x : Expr) := mkAppN (.const projection levels) (α.getAppArgs.push x)
      let type ← inferType (at_ a)
      if ← isProp type then continue
      unless ← isDefEq type (← inferType (at_ b)) do return none
      parts := parts.push (← mkEq (at_ a) (at_ b))
    if parts.isEmpty then return none
    return some <| parts.pop.foldr (init := parts.back!) mkAnd
  /-- Values of an inductive type are equal where they have the same constructor and equal fields. -/
  structural? (α a b : Expr) : MetaM (Option Expr) := do
    let env ← getEnv
    let .const name levels := α.getAppFn | return none
    let some (.inductInfo info) := env.find? name | return none
    if info.numIndices > 0 || info.isUnsafe || isClass env name || isStructure env name then return none
    unless info.isRec do return some (← byCases α levels info a b tape)
    -- Its parts are values of the type itself: code that calls itself compares them.
    let decider := nameOfDecider name #[α, mkConst ``Eq]
    if let some self := (← getLCtx).findFromUserName? decider then return some (mkApp3 self.toExpr tape a b)
    if α.hasFVar then return none
    unless env.contains decider do
      let type ← mkArrow (mkConst ``Tape) (← mkArrow α (← mkArrow α truth))
      let value ← withLocalDeclD decider type fun self =>
        withLocalDeclD `tape (mkConst ``Tape) fun t => withLocalDeclD `a α fun x => withLocalDeclD `b α fun y => do
          let value ← mkLambdaFVars #[t, x, y] (← byCases α levels info x y t)
          return value.replaceFVar self (mkConst decider)
      -- A type within lists of itself would need two pieces of code that call each other.
      if value.hasFVar then return none
      addAndCompile <| .mutualDefnDecl
        [{ name := decider, levelParams := [], type, value, hints := .opaque, safety := .unsafe }]
    return some (mkApp3 (mkConst decider) tape a b)
  /-- What follows for each constructor of a value, with its fields. -/
  takenApart (α : Expr) (levels : List Level) (info : InductiveVal) (value : Expr)
      (branch : Name → Array Expr → MetaM Expr) : MetaM Expr := do
    let params := α.getAppArgs
    let minors ← info.ctors.toArray.mapM fun c => do
      let type ← instantiateForall ((← getConstInfo c).type.instantiateLevelParams info.levelParams levels) params
      forallTelescope type fun fields _ => do mkLambdaFVars fields (← branch c fields)
    let motive := .lam `x α truth .default
    return mkAppN (.const (info.name ++ `casesOn) (.succ .zero :: levels)) (params ++ #[motive, value] ++ minors)
  /-- Both values taken apart. -/
  byCases (α : Expr) (levels : List Level) (info : InductiveVal) (a b tape : Expr) : MetaM Expr := do
    takenApart α levels info a fun c xs => takenApart α levels info b fun c' ys => do
      if c != c' then return mkConst ``Truth.no
      let mut parts := #[]
      for x in xs, y in ys do
        if ← isProof x then continue
        unless ← isDefEq (← inferType x) (← inferType y) do obstacle c "the type of one field depends on another"
        parts := parts.push (← mkEq x y)
      if parts.isEmpty then return mkConst ``Truth.yes
      parts.pop.foldrM (init := ← decision tape parts.back! (fuel - 1)) fun q rest => do
        return mkApp2 (mkConst ``Truth.and) (← decision tape q (fuel - 1)) (thunk rest)
  /-- By code that follows the equation of a recursive definition.  Its types and instances are those of `args`. -/
  recursive (name : Name) (levels : List Level) (args : Array Expr) : MetaM Expr := do
    let fixed ← args.filterM fun a => do return (← isType a) || (← isClass? (← inferType a)).isSome
    let own := args.extract fixed.size args.size
    let decider := nameOfDecider name fixed
    if fixed.any (·.hasFVar) || args.extract 0 fixed.size != fixed then
      obstacle name "its types depend on values, and nothing decides it"
    unless (← getEnv).contains decider do
      let some equation ← getUnfoldEqnFor? name (nonRec := true)
        | obstacle name "nothing decides it; an instance of Decidable for it would"
      let statement := (← getConstInfo equation).instantiateTypeLevelParams levels
      let before ← getEnv
      let (type, value) ← forallBoundedTelescope (← instantiateForall statement fixed) own.size fun xs body => do
        let some (_, _, rhs) := body.eq? | obstacle name "its equation has an unexpected form"
        withLocalDeclD `tape (mkConst ``Tape) fun t => do
          let type ← mkForallFVars (#[t] ++ xs) truth
          -- The code calls itself: until it is there, only its type is.
          addDecl <| .axiomDecl { name := decider, levelParams := [], type, isUnsafe := true }
          return (type, ← mkLambdaFVars (#[t] ++ xs) (← decision t rhs))
      setEnv before
      addAndCompile <| .mutualDefnDecl
        [{ name := decider, levelParams := [], type, value, hints := .opaque, safety := .unsafe }]
    return mkAppN (.const decider []) (#[tape] ++ own)
  /-- What `e` assumes of the variables before it, with the variables that it binds itself. -/
  guards {α : Type} (e : Expr) (k : Array Expr → Array Expr → MetaM α) (inner found : Array Expr := #[]) :
      MetaM α := do
    match e with
    | .forallE n g q _ =>
      if ← isProp g then
        guards (q.instantiate1 (trusted g)) k inner (found.push g)
      else withLocalDeclD n g fun y => guards (q.instantiate1 y) k (inner.push y) found
    | _ => k inner found
  /-- What is assumed of `x` alone, a number that it is below, and one that it divides. -/
  whereToLook (α x body : Expr) (every : Bool) : MetaM (List Expr × Option Expr × Option Expr) := do
    let nat := α.isConstOf ``Nat
    if every then
      guards (α := List Expr × Option Expr × Option Expr) body fun inner found => do
        let own := found.toList.filter fun g => inner.all fun y => !g.containsFVar y.fvarId!
        return (own, if nat then upper? inner found x else none, own.findSome? (divides? x))
    else
      let found := parts body
      return (found, if nat then upper? #[] found.toArray x else none, found.findSome? (divides? x))
  /-- A number that `x` is below wherever these hold, in terms of the variables before it: of `x < y` and `y ≤ n` it is
  `n + 1`. -/
  upper? (inner found : Array Expr) (x : Expr) (fuel : Nat := 4) : Option Expr := do
    let free (e : Expr) : Bool := !e.containsFVar x.fvarId! && inner.all fun y => !e.containsFVar y.fvarId!
    found.findSome? fun guard => do
      let (bound, strict) ← match guard.getAppFnArgs with
        | (``LT.lt, #[t, _, y, b]) | (``GT.gt, #[t, _, b, y]) =>
          if t.isConstOf ``Nat && y == x then some (b, true) else none
        | (``LE.le, #[t, _, y, b]) | (``GE.ge, #[t, _, b, y]) =>
          if t.isConstOf ``Nat && y == x then some (b, false) else none
        | _ => none
      if free bound then return if strict then bound else mkApp (mkConst ``Nat.succ) bound
      match fuel with
      | fuel + 1 => if inner.contains bound then upper? (inner.push x) found bound fuel else none
      | 0 => none
  parts (e : Expr) : List Expr :=
    match e.getAppFnArgs with
    | (``And, #[a, b]) => parts a ++ parts b
    | _ => [e]
  /-- What is left to decide where `guard` is known to hold. -/
  without (guard : Expr) (every : Bool) (e : Expr) : Expr :=
    if !every then e.replace fun s => if s == guard then some (mkConst ``True) else none
    else match e with
      | .forallE n g q i =>
        if g == guard then q.instantiate1 (trusted g)
        else if q.hasLooseBVars then e else .forallE n g (without guard every q) i
      | _ => e
  /-- Over a list, below a bound, over all values of a finite type, or over samples. -/
  quantified (n : Name) (α body : Expr) (inner : Expr → MetaM Expr) (every : Bool) : MetaM Expr := do
    withLocalDeclD n α fun x => do
      let body := body.instantiate1 x
      let f (whole part : Name) := mkConst (if every then whole else part)
      -- The guards of `x ∈ xs → x < n → Q`, or the parts of `x ∈ xs ∧ x < n ∧ Q`: one of them may say where to look.
      let (assumed, bound?, divided?) ← whereToLook α x body every
      for guard in assumed do
        let (``Membership.mem, #[_, coll, _, xs, y]) := guard.getAppFnArgs | continue
        if y != x || xs.containsFVar x.fvarId! then continue
        let values? : Option Expr := match coll.getAppFnArgs with
          | (``List, #[_]) => some xs
          | (``Array, #[β]) => some (mkApp2 (.const ``Array.toList [.zero]) β xs)
          | (``Option, #[β]) => some (mkApp2 (.const ``Option.toList [.zero]) β xs)
          | (``Vector, #[β, n]) => some (mkApp3 (.const ``Vector.toList [.zero]) β n xs)
          | _ => none
        if let some values := values? then
          -- What is in the list need not be looked for there: equality may be undecided.
          let each ← mkLambdaFVars #[x] (← inner (without guard every body))
          return mkApp3 (f ``Truth.all ``Truth.any) α values each
      unless every do
        if let some found ← determined? x body then return found
      if let some values ← everyValue? α then
        return mkApp3 (f ``Truth.all ``Truth.any) α values (← mkLambdaFVars #[x] (← inner body))
      let test ← withLocalDeclD `within (mkConst ``Tape) fun t => do
        mkLambdaFVars #[x, t] (← decision t body (fuel - 1))
      let samples := mkApp4 (mkConst ``Gen.samples) α (← sampler decision true α) (toExpr every) tape
      let values ← if every then pure samples else solving α x body samples
      let sampled := mkApp4 (f ``Truth.always ``Truth.sometimes) α (mkConst ``Tape) values test
      if let some bound := bound? then
        return mkApp3 (f ``Truth.below ``Truth.someBelow) bound (← mkLambdaFVars #[x] (← inner body)) (thunk sampled)
      let some multiple := divided? | return sampled
      return mkApp3 (f ``Truth.divisors ``Truth.someDivisor) multiple (← mkLambdaFVars #[x] (← inner body)) (thunk sampled)
  /-- `samples` for `∃ x, body`, and before them the numbers that comparisons in `body` ask for. -/
  solving (α x body samples : Expr) : MetaM Expr := do
    let some of := [(``Rat, ``Gen.sameRat), (``Int, ``Gen.intOfRat), (``Nat, ``asNat)].lookup (headName α) | return samples
    let differences ← gaps body
    unless differences.containsFVar x.fvarId! do return samples
    return mkAppN (mkConst ``Gen.solving) #[α, mkConst of, ← mkLambdaFVars #[x] differences, samples, tape]
  /-- `∃ x, …` where an equation says what `x` is: `x = e`, or `e = some x` and the like. -/
  determined? (x body : Expr) : MetaM (Option Expr) := do
    let free (e : Expr) := !e.containsFVar x.fvarId!
    for part in parts body do
      let (``Eq, #[α, a, b]) := part.getAppFnArgs | continue
      for (e, other) in [(a, b), (b, a)] do
        unless free e do continue
        if other == x then return some (← decision tape (body.replaceFVar x e) (fuel - 1))
        let other ← whnfR other
        let some c ← isConstructorApp? other | continue
        let fields := other.getAppArgs.extract c.numParams other.getAppNumArgs
        let some k := fields.findIdx? (· == x) | continue
        let α ← whnf α
        let .const name levels := α.getAppFn | continue
        let some (.inductInfo info) := (← getEnv).find? name | continue
        if info.numIndices > 0 then continue
        return some (← takenApart α levels info e fun c' xs => do
          if c' != c.name then return mkConst ``Truth.no
          decision tape (body.replaceFVar x xs[k]!) (fuel - 1))
    return none
  /-- The number that `x` divides, where `guard` says that. -/
  divides? (x guard : Expr) : Option Expr :=
    match guard.getAppFnArgs with
    | (``Dvd.dvd, #[t, _, y, multiple]) =>
      if t.isConstOf ``Nat && y == x && !multiple.containsFVar x.fvarId! then some multiple else none
    | _ => none

end Obligations.Exact
