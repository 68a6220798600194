import Obligations.Canonical

/-! # Every constant of the project, through the kernel once more

Lean's own modules are taken as they are.  The kernel checks every constant of the project's modules again, in an environment
that has only Lean's own modules.  A constant that it refuses is recorded with the reason, and so is everything that rests on
it; the others are still checked.  Of this library, whose text the bridge has compared with its own, only what the project
rests on is checked.  Where several modules declare one constant, which Lean allows for theorems, every copy is checked.

A module whose constants were all accepted before need not be checked again, as long as neither it nor anything that it rests
on has changed: what others use of it is added unchecked.  Imports alone do not show what a module rests on, for a metaprogram
can store a term that mentions any constant: so the answer lists which modules declare what a module's terms mention, and which
declare one of its constants in another way.

## Main definitions

* `Obligations.Outcome`: whether the kernel accepts a constant.
* `Obligations.replay`: the outcome of every constant of the project's modules, and what each module rests on. -/

namespace Obligations
open Lean Meta

deriving instance BEq for ConstantVal
deriving instance BEq for InductiveVal
deriving instance BEq for ConstructorVal
deriving instance BEq for RecursorRule
deriving instance BEq for RecursorVal

/-- Are these the same inductive type, constructor or recursor? -/
private def sameDerived : ConstantInfo → ConstantInfo → Bool
  | .inductInfo a, .inductInfo b => a == b
  | .ctorInfo a, .ctorInfo b => a == b
  | .recInfo a, .recInfo b => a == b
  | _, _ => false

/-- Whether the kernel accepts a constant. -/
inductive Outcome where
  /-- The kernel accepts it and everything that it rests on. -/
  | accepted
  /-- It is `unsafe` or `partial`: no statement can rest on it, and no kernel checks it. -/
  | notChecked
  /-- The kernel, or a check of the stored term, refuses it. -/
  | refused (why : String)
  /-- It uses a constant that is refused. -/
  | rests (on : Name)

/-- The constant that is to blame where `n` has this outcome. -/
def Outcome.blamed? (n : Name) : Outcome → Option Name
  | .refused _ => some n
  | .rests on => some on
  | _ => none

/-- What the walk has found so far.  A constant in `entered` without an outcome is still being looked at. -/
structure Replay where
  env : Kernel.Environment
  entered : NameSet := {}
  outcomes : Std.HashMap Name Outcome := {}
  mentions : Std.HashMap Name (Array Name) := {}

/-- A constant as one module declares it; `accepted` says whether the kernel took it before. -/
structure Copy where
  info : ConstantInfo
  module : Name
  accepted : Bool

/-- What the project's modules declare, by name. -/
abbrev Declared := Std.HashMap Name (Array Copy)

abbrev ReplayM := ReaderT Declared <| StateRefT Replay MetaM

/-! ## Stored terms, built anew

A term carries flags and a hash, from which the kernel concludes that it has no universe parameter or no free variable.  A
metaprogram can store a term whose flags lie, and the kernel then accepts a proof of False.  Only what Lean's own constructors
make of the stored term is looked at.  `same` keeps the compiler from giving back the stored object. -/

@[noinline] private def same {α : Type} (a : α) : α := a

/-- A number as Lean itself would store it. -/
@[noinline] private def normal (n : Nat) : Nat := n + 1 - 1

private def rebuiltLevel : Level → Level
  | .zero => .zero
  | .succ l => .succ (rebuiltLevel l)
  | .max a b => .max (rebuiltLevel a) (rebuiltLevel b)
  | .imax a b => .imax (rebuiltLevel a) (rebuiltLevel b)
  | .param n => .param (same n)
  | .mvar m => .mvar (same m)

/-- New leaves, so that everything above them is built anew as well. -/
private def rebuilt (e : Expr) : Expr := e.replace fun
  | .bvar i => some (.bvar (normal i))
  | .fvar id => some (.fvar (same id))
  | .mvar id => some (.mvar (same id))
  | .sort l => some (.sort (rebuiltLevel l))
  | .const n ls => some (.const n (ls.map rebuiltLevel))
  | .lit (.natVal n) => some (.lit (.natVal (normal n)))
  | .lit (.strVal s) => some (.lit (.strVal (same s)))
  | _ => none

private def rebuiltConstant : ConstantInfo → ConstantInfo
  | .axiomInfo v => .axiomInfo { v with type := rebuilt v.type }
  | .defnInfo v => .defnInfo { v with type := rebuilt v.type, value := rebuilt v.value }
  | .thmInfo v => .thmInfo { v with type := rebuilt v.type, value := rebuilt v.value }
  | .opaqueInfo v => .opaqueInfo { v with type := rebuilt v.type, value := rebuilt v.value }
  | .quotInfo v => .quotInfo { v with type := rebuilt v.type }
  | .inductInfo v => .inductInfo { v with type := rebuilt v.type }
  | .ctorInfo v => .ctorInfo { v with type := rebuilt v.type }
  | .recInfo v => .recInfo { v with
      type := rebuilt v.type, rules := v.rules.map fun r => { r with rhs := rebuilt r.rhs } }

/-- A constant as each module declares it, built anew. -/
private def copies (n : Name) : ReplayM (Array Copy) :=
  return ((← read).getD n #[]).map fun c =>
    if c.info.isUnsafe || c.info.isPartial then c else { c with info := rebuiltConstant c.info }

/-- A constant that one module declares, built anew. -/
private def stored? (n : Name) : ReplayM (Option ConstantInfo) := do
  let found ← copies n
  return if found.size == 1 then found[0]?.map (·.info) else none

/-- Variables that nothing binds, in a term whose flags can be relied on. -/
private def openTerm? (e : Expr) : Option String :=
  if e.hasFVar then some "it holds a local variable that nothing binds"
  else if e.hasMVar then some "it holds a metavariable"
  else if e.hasLooseBVars then some "it holds a bound variable without its binder"
  else none

/-- The terms that are stored for a constant. -/
private def storedTerms : ConstantInfo → List Expr
  | .defnInfo v => [v.type, v.value]
  | .thmInfo v => [v.type, v.value]
  | .opaqueInfo v => [v.type, v.value]
  | .recInfo v => v.type :: v.rules.map (·.rhs)
  | c => [c.type]

/-- The universe that an inductive type lives in, read as the kernel reads it: the elaborator unfolds less, such as nothing
that is marked irreducible. -/
private partial def universeOf? (env : Environment) (locals : LocalContext) (type : Expr) (depth : Nat := 0) : Option Level :=
  match type with
  | .sort l => some l
  | .mdata _ e => universeOf? env locals e depth
  | .forallE n d b bi =>
    let id := ⟨.num `_obligations depth⟩
    universeOf? env (locals.mkLocalDecl id n d bi) (b.instantiate1 (.fvar id)) (depth + 1)
  | _ => match Kernel.whnf env locals type with
    | .ok e => if e.isSort || e.isForall then universeOf? env locals e depth else none
    | .error _ => none

/-- An inductive type whose sort is `Prop` without being written so.  Lean's elaborator never makes one, and kernels before
Lean 4.34 take data out of its proofs.  All that its type uses must be in the environment. -/
private def hiddenProp? (env : Kernel.Environment) (type : Expr) : Option String :=
  match universeOf? (.ofKernelEnv env) {} type with
  | none => some "its type does not come to a sort"
  | some l =>
    if l.normalize.isZero && !l.isZero then some s!"its sort {l} is Prop without being written so" else none

/-- The declaration of a constant that is declared alone. -/
private def declaration? : ConstantInfo → Option Declaration
  | .axiomInfo v => some (.axiomDecl v)
  | .defnInfo v => some (.defnDecl v)
  | .thmInfo v => some (.thmDecl v)
  | .opaqueInfo v => some (.opaqueDecl v)
  | _ => none

private def recursorNames (v : InductiveVal) : List Name :=
  v.all.map mkRecName ++ (List.range v.numNested).map fun i => v.all.head!.str s!"rec_{i + 1}"

/-- Note what a constant rests on directly. -/
private def mention (n : Name) (used : Array Name) : ReplayM Unit :=
  modify fun s => { s with mentions := s.mentions.insert n (s.mentions.getD n #[] ++ used) }

/-- The structures that a term takes fields of: a projection names its structure, but does not mention it as a constant. -/
private partial def projected (e : Expr) (found : NameSet := {}) : NameSet :=
  match e.find? fun | .proj s _ _ => !found.contains s | _ => false with
  | some (.proj s _ _) => projected e (found.insert s)
  | _ => found

/-- The constants that a term names. -/
def namedIn (e : Expr) : Array Name := e.getUsedConstants ++ (projected e).toArray

/-- Give a declaration to the kernel; one that it accepted before is added unchecked. -/
private def submit (d : Declaration) (accepted : Bool) : ReplayM (Option String) := do
  let env := (← get).env
  match if accepted then env.addDeclWithoutChecking d else env.addDecl {} d with
  | .ok env => modify fun s => { s with env }; return none
  | .error e =>
    let text ← (e.toMessageData {}).toString
    return some (text.take 300).toString

mutual

/-- The refused constant among those that the terms `es` of a constant use, if there is one. -/
private partial def blamedIn (of : Name) (es : List Expr) : ReplayM (Option Name) := do
  for e in es do
    let used := namedIn e
    mention of used
    for n in used do
      if let some culprit := (← visit n).blamed? n then return some culprit
  return none

/-- The outcome of a constant, found now if it is not known. -/
private partial def visit (n : Name) : ReplayM Outcome := do
  if let some found := (← get).outcomes[n]? then return found
  let found ← copies n
  if found.isEmpty then
    return if ((← get).env.find? n).isSome then .accepted else .refused "no module declares it"
  if (← get).entered.contains n then return .refused "its proof, or its definition, rests on itself"
  modify fun s => { s with entered := s.entered.insert n }
  let found ← outcome n found
  modify fun s => { s with outcomes := s.outcomes.insert n found }
  return found

private partial def outcome (n : Name) (found : Array Copy) : ReplayM Outcome := do
  if found.all fun c => c.info.isUnsafe || c.info.isPartial then return .notChecked
  for c in found do
    if c.info.name != n then return .refused s!"it is stored under another name than its own, {c.info.name}"
    for e in storedTerms c.info do
      if let some why := openTerm? e then return .refused why
  let some { info, .. } := found.back? | return .refused "no module declares it"
  match info with
  | .ctorInfo v => ofInductive n v.induct
  | .recInfo v => match v.all with
    | first :: _ => ofInductive n first
    | [] => return .refused "it is a recursor of no inductive type"
  | .quotInfo _ => return .refused "it declares quotients anew"
  | .inductInfo v =>
    if v.all.head? == some n then inductiveTypes v
    else match v.all.head? with
      | some first => ofInductive n first
      | none => return .refused "it is an inductive type of no declaration"
  | _ => single n found

/-- A constant that is declared alone: each copy on its own, the last one stays. -/
private partial def single (n : Name) (found : Array Copy) : ReplayM Outcome := do
  for c in found do
    if let some culprit ← blamedIn n (storedTerms c.info) then
      return if culprit == n then .refused "its proof, or its definition, rests on itself" else .rests culprit
  for c in found do
    let some d := declaration? c.info | return .refused "several modules declare it, and not as a theorem"
    let without := (← get).env
    if let some why ← submit d c.accepted then return .refused why
    unless c.module == (found.back?.map (·.module)).getD .anonymous do
      modify fun s => { s with env := without }
  return .accepted

/-- A constant that the kernel derives from an inductive type: it must be the one that is stored. -/
private partial def ofInductive (n first : Name) : ReplayM Outcome := do
  mention n #[first]
  if !(← read).contains first then return .refused s!"it belongs to {first}, which its module does not declare"
  if !(← get).entered.contains first then
    if let some culprit := (← visit first).blamed? first then return .rests culprit
  match (← get).outcomes[first]? with
  | some found => if let some culprit := found.blamed? first then return .rests culprit
  | none => pure ()
  match (← get).env.find? n, ← stored? n with
  | some derived, some stored => return if sameDerived derived stored then .accepted else .refused "the kernel derives something else"
  | _, _ => return .refused "the kernel derives no such constant"

private partial def inductiveTypes (first : InductiveVal) : ReplayM Outcome := do
  let mut types := #[]
  let mut terms := #[]
  for t in first.all do
    let some (.inductInfo v) ← stored? t | return .refused s!"{t}, declared with it, is missing"
    modify fun s => { s with entered := s.entered.insert t }
    if let some why := openTerm? v.type then return .refused s!"{t}: {why}"
    let mut ctors := #[]
    for c in v.ctors do
      let some (.ctorInfo k) ← stored? c | return .refused s!"its constructor {c} is missing"
      modify fun s => { s with entered := s.entered.insert c }
      if let some why := openTerm? k.type then return .refused s!"{c}: {why}"
      ctors := ctors.push { name := c, type := k.type : Constructor }
      terms := terms.push k.type
    terms := terms.push v.type
    types := types.push { name := t, type := v.type, ctors := ctors.toList : InductiveType }
  let own := types.foldl (init := ({} : NameSet)) fun s t => t.ctors.foldl (fun s c => s.insert c.name) (s.insert t.name)
  mention first.name (own.toArray ++ recursorNames first)
  for e in terms do
    let used := namedIn e
    mention first.name used
    for n in used do
      unless own.contains n do
        if let some culprit := (← visit n).blamed? n then return .rests culprit
  for t in types do
    if let some why := hiddenProp? (← get).env t.type then return .refused why
  if let some why ← submit (.inductDecl first.levelParams first.numParams types.toList first.isUnsafe) false then
    return .refused why
  for n in first.all ++ types.toList.flatMap (·.ctors.map (·.name)) ++ recursorNames first do
    mention n #[first.name]
    match (← get).env.find? n, ← stored? n with
    | some derived, some stored => unless sameDerived derived stored do return .refused s!"the kernel derives another {n}"
    | _, _ => return .refused s!"{n} is missing, or the kernel derives no such constant"
    modify fun s => { s with outcomes := s.outcomes.insert n .accepted, entered := s.entered.insert n }
  return .accepted

end

/-- Indices of the modules that the running Lean does not ship. -/
def ownModules (env : Environment) : Array Nat :=
  (Array.range env.header.moduleNames.size).filter fun i => !isDistribution env env.header.modules[i]!.module

/-- Are these the same theorem, with the same proof? -/
private def sameTheorem : ConstantInfo → ConstantInfo → Bool
  | .thmInfo a, .thmInfo b => a.toConstantVal == b.toConstantVal && a.value == b.value
  | _, _ => false

/-- For each module, the others that declare one of its constants in another way.  Lean has one copy at a time, and which one it
has can change with any of them.  Of a theorem among `tagged` the same copy counts, too: what is said of it includes its place. -/
private def atOdds (declared : Declared) (tagged : NameSet) : Std.HashMap Name NameSet := Id.run do
  let mut found := {}
  for (n, copies) in declared do
    let some last := copies.back? | continue
    if copies.size == 1 || !tagged.contains n && copies.all fun c => sameTheorem last.info c.info then continue
    for c in copies do
      let others := copies.filterMap fun other => if other.module == c.module then none else some other.module
      found := found.insert c.module (others.foldl NameSet.insert (found.getD c.module {}))
  return found

/-- What is found of the project's modules. -/
structure Replayed where
  /-- The outcome of each constant that was checked. -/
  outcomes : Array (Name × Outcome)
  /-- For each module the others, of the project or of this library, that it rests on directly: those that it imports, those that
  declare what its constants mention, and those that declare one of them in another way. -/
  rests : Std.HashMap Name NameSet
  /-- For modules that were accepted before, those that were not and declare one of their constants in another way. -/
  atOdds : Std.HashMap Name NameSet

/-- Check every constant of the project's modules again, starting from Lean's own modules only; those of the modules `before` were
accepted before.  `tagged` are the audit's theorems. -/
def replay (before tagged : NameSet) : MetaM Replayed := do
  let env ← getEnv
  let mut declared : Declared := {}
  let mut base : NameSet := {}
  let mut order := #[]
  let mut rests : Std.HashMap Name NameSet := {}
  for i in ownModules env do
    let data := env.header.moduleData[i]!
    let module := env.header.modules[i]!.module
    let accepted := before.contains module
    for n in data.constNames, info in data.constants do
      unless accepted || module.getRoot == `Obligations do order := order.push n
      declared := declared.insert n ((declared.getD n #[]).push { info, module, accepted })
    let mut imported : NameSet := {}
    for m in data.imports do
      if isDistribution env m.module then base := base.insert m.module
      else imported := imported.insert m.module
    rests := rests.insert module imported
  let fresh ← importModules (base.toArray.map fun m => { module := m }) {}
  let start : Replay := { env := fresh.toKernelEnv }
  let walk : ReplayM Unit := for n in order do discard <| visit n
  let (_, found) ← (walk.run declared).run start
  for (n, used) in found.mentions do
    for c in declared.getD n #[] do
      let below := used.foldl (init := rests.getD c.module {}) fun s m =>
        let there := (declared.getD m #[]).map (·.module)
        if there.contains c.module then s else there.foldl NameSet.insert s
      rests := rests.insert c.module below
  let mut odd := {}
  for (m, others) in atOdds declared tagged do
    rests := rests.insert m (others.foldl NameSet.insert (rests.getD m {}))
    let new := others.filter fun other => !before.contains other
    if before.contains m && !new.isEmpty then odd := odd.insert m new
  return { outcomes := found.outcomes.toArray, rests, atOdds := odd }

end Obligations
