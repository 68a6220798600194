import Obligations.Attribute
import Obligations.Axioms
import Obligations.Canonical
import Obligations.Fields

/-! # The command that exports statements to the bridge

Every answer is one message, `obligations:<nonce>:<json>`.  The nonce is the request's own, so that nothing
another file prints can pass for an answer; the last message of a request counts the others, so that a
missing one is noticed.

## Main definitions

* `#export_obligations "nonce" "modules"`: the telescope, conclusion, axioms, place and fingerprint of every theorem
  tagged `@[obligation]`, and the definitions they unfold to.  Theorems of the modules named are left out: only the
  lemmas that prove their hypotheses are listed, since those may be anywhere.

Graphs are exported by `Obligations.Graphs`. -/

namespace Obligations
open Lean Meta Elab Command

/-- Write one answer. -/
def answer (nonce : String) (fields : List (String × Json)) : CommandElabM Unit :=
  logInfo m!"obligations:{nonce}:{(Json.mkObj fields).compress}"

/-- Declarations of all imported modules that a tag attribute marks, in module order. -/
def tagged (env : Environment) (attr : TagAttribute) : Array Name :=
  (Array.range env.header.moduleNames.size).flatMap fun i => attr.ext.getModuleEntries env i

/-- `some name` where a binder has a name that its author wrote. -/
def writtenName (n : Name) : Json :=
  if n.hasMacroScopes || n.isAnonymous || n == `_ then .null else .str n.toString

private def binderInfo : BinderInfo → String
  | .default => "default"
  | .implicit => "implicit"
  | .strictImplicit => "strictImplicit"
  | .instImplicit => "instImplicit"

/-- Names that the bridge passes, as JSON in a string. -/
def namesIn (list : TSyntax `str) : CommandElabM (Array Name) :=
  match Json.parse list.getString >>= fromJson? (α := Array String) with
  | .ok found => return found.map String.toName
  | .error e => throwError "expected a list of names: {e}"

/-- Lemmas that `@[discharges]` names, by theorem, each with the hypothesis that it proves, in module order. -/
def discharging (env : Environment) : Std.HashMap Name (Array (Name × Name)) := Id.run do
  let mut found := {}
  for i in [0:env.header.modules.size] do
    for (lem, targets) in dischargesAttr.ext.getModuleEntries env i do
      for (target, binder) in targets do
        found := found.insert target ((found.getD target #[]).push (lem, binder))
  return found

/-- What is exported of these lemmas: binder, lemma, what the lemma asks for in turn. -/
def dischargedBy (thm : Name) (lemmas : Array (Name × Name)) : MetaM (Array Json) :=
  lemmas.mapM fun (lem, binder) => do
    let conditions ← conditionsToDischarge lem thm binder
    return Json.mkObj [("binder", .str binder.toString), ("lemma", .str lem.toString), ("conditions", toJson conditions)]

/-- One theorem: its telescope, conclusion, place, fingerprints, the `axioms` that it is given and the `lemmas` that prove
its hypotheses; and the constants that these mention. -/
def statement (n : Name) (axioms : Array Name) (lemmas : Array (Name × Name)) : MetaM (List (String × Json) × Array Name) := do
  let env ← getEnv
  let info ← getConstInfo n
  let params := info.levelParams
  let place ← findDeclarationRanges? n
  let doc ← findDocString? env n
  let pretty (e : Expr) : MetaM Json := return .str ((← ppExpr e).pretty 96)
  let shown (f : PropField) : MetaM Json := do
    if f.unlisted then return .str s!"what is proved in parts of a {(← ppExpr f.type).pretty 60}" else pretty f.type
  withTheReader Core.Context (fun c => { c with currNamespace := n.getPrefix }) do
  forallTelescope info.type fun xs conclusion => do
    let mut mentioned := ownConstants env [info.type]
    let mut binders := #[]
    for x in xs do
      let decl ← x.fvarId!.getDecl
      let closed ← mkForallFVars (xs.filter (· != x)) decl.type (usedOnly := true)
      let mut fields := #[]
      for f in ← propFields x do
        let closed ← mkForallFVars xs f.type (usedOnly := true)
        let uses := ownConstants env [closed]
        mentioned := mentioned ++ uses
        fields := fields.push <| Json.mkObj [("path", .str f.path), ("type", ← shown f),
          ("term", .str (canonical params closed)), ("uses", toJson (uses.map toString))]
      binders := binders.push <| Json.mkObj <| [("name", writtenName decl.userName), ("type", ← pretty decl.type),
        ("info", .str (binderInfo decl.binderInfo)), ("prop", .bool (← isProp decl.type)),
        ("term", .str (canonical params closed)), ("uses", toJson ((ownConstants env [closed]).map toString))]
        ++ if fields.isEmpty then [] else [("fields", .arr fields)]
    let fields := [("kind", .str "statement"), ("name", .str n.toString),
      ("module", toJson ((moduleOf? env n).map toString)),
      ("theorem", .bool (info matches .thmInfo _)),
      ("line", toJson (place.map (·.range.pos.line))), ("doc", toJson doc),
      ("binders", .arr binders),
      ("conclusion", Json.mkObj [("type", ← pretty conclusion), ("term", .str (canonical params info.type))]),
      ("uses", toJson ((ownConstants env [info.type]).map toString)),
      ("axioms", toJson (axioms.map toString)),
      ("discharges", .arr (← dischargedBy n lemmas))]
    return (fields, mentioned)

/-- The constants outside the distribution that `roots` unfold to. -/
partial def closure (env : Environment) (roots : Array Name) : Array Name :=
  go roots.toList {} #[]
where
  go : List Name → NameSet → Array Name → Array Name
    | [], _, acc => acc
    | n :: todo, seen, acc =>
      if seen.contains n then go todo seen acc
      else match env.find? n with
        | none => go todo seen acc
        | some info =>
          go ((ownConstants env (meaning env info)).toList ++ todo) (seen.insert n) (acc.push n)

private def constantFields (env : Environment) (n : Name) : List (String × Json) :=
  match env.find? n with
  | none => [("kind", .str "constant"), ("name", .str n.toString), ("terms", .null), ("uses", .arr #[])]
  | some info =>
    let es := meaning env info
    [("kind", .str "constant"), ("name", .str n.toString),
      ("terms", toJson (es.map (canonical info.levelParams))),
      ("uses", toJson ((ownConstants env es).map toString))]

/-- A theorem, or a lemma, that a module tags. -/
structure Tagged where
  name : Name
  module : Name
  /-- Does this module declare it, too?  Lean's index of constants does not show it: a module can claim further names. -/
  own : Bool

/-- What each module tags; `entries` are those of the module with an index. -/
def taggedBy (env : Environment) (entries : Nat → Array Name) : Array Tagged :=
  (Array.range env.header.modules.size).flatMap fun i => (entries i).map fun name =>
    { name, module := env.header.modules[i]!.module, own := env.header.moduleData[i]!.constNames.contains name }

/-- The tagged theorems. -/
def taggedIn (env : Environment) : Array Tagged := taggedBy env fun i => obligationAttr.ext.getModuleEntries env i

/-- Is it left out with these modules?  What another module tags than declares it never is. -/
def Tagged.leftOut (t : Tagged) (without : NameSet) : Bool := t.own && without.contains t.module

/-- Export every tagged theorem, except those of these modules. -/
syntax (name := exportObligations) "#export_obligations " str ppSpace str : command

elab_rules : command
  | `(#export_obligations $nonce $modules) => do
    let nonce := nonce.getString
    liftCoreM noteShipped
    let env ← getEnv
    let without := (← namesIn modules).foldl NameSet.insert {}
    let (left, theorems) := (taggedIn env).partition (·.leftOut without)
    let (left, theorems) := (left.map (·.name), theorems.map (·.name))
    let lemmas := discharging env
    let mut count := 0
    let mut axioms : NameSet := {}
    let mut used := #[]
    let below := axiomsOf env theorems
    for n in theorems do
      let own := below.getD n #[]
      let (fields, mentioned) ← liftTermElabM (statement n own (lemmas.getD n #[]))
      answer nonce fields
      used := used ++ mentioned
      for a in own do axioms := axioms.insert a
      count := count + 1
    for n in closure env used do
      answer nonce (constantFields env n)
      count := count + 1
    let modules := axioms.toList.map fun a =>
      (a.toString, toJson ((moduleOf? env a).map toString))
    let discharged ← left.filterMapM fun n => do
      let some found := lemmas[n]? | return none
      return some (n.toString, .arr (← liftTermElabM (dischargedBy n found)))
    answer nonce [("kind", .str "end"), ("count", toJson count), ("lean", .str Lean.versionString),
      ("axiom_modules", Json.mkObj modules), ("discharges", Json.mkObj discharged.toList)]

end Obligations
