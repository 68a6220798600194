import Obligations.Export
import Obligations.Replay
import Obligations.Vacuity

/-! # Looking behind the statements

What a reader of a theorem's statement cannot see, and an audit must: whether the kernel agrees with the compiled
modules, whether code was swapped behind a definition, whether a theorem says anything.

## Main definitions

* `#export_trust "nonce" "modules"`: the kernel checks every constant of the project's modules once more, in an
  environment that has only Lean's own modules.  Listed are the constants that it refuses, the tagged theorems that rest
  on one, declarations that Lean itself would not call proofs, and tagged theorems that say nothing
  (`Obligations.Vacuity`).  The modules named are left out: they were
  looked at before, and nothing was found. -/

namespace Obligations
open Lean Meta Elab Command

/-- How a declaration steps outside what the kernel checks, or runs whenever its module is imported: `none` where it does neither. -/
def stepsOutside (env : Environment) (n : Name) (info : ConstantInfo) : Option String :=
  if info matches .axiomInfo _ then some "axiom"
  else if (Compiler.getImplementedBy? env n).isSome then some "implemented_by"
  else if (getExternAttrData? env n).isSome then some "extern"
  else if (regularInitAttr.getParam? env n).isSome then some "initialize"
  else if info.isUnsafe && !n.isInternal then some "unsafe"
  else none

/-- Does this theorem have a hypothesis, not only data? -/
def hasHypothesis (info : ConstantInfo) : MetaM Bool :=
  forallTelescope info.type fun xs _ => xs.anyM fun x => do isProp (← inferType x)

/-- The modules of the project, each with its index. -/
private def projectModules (env : Environment) : Array (Nat × Name) :=
  (ownModules env).filterMap fun i =>
    let module := env.header.modules[i]!.module
    if module.getRoot == `Obligations then none else some (i, module)

/-- Does one of these modules declare this constant? -/
private def declaredIn (env : Environment) (modules : NameSet) (n : Name) : Bool :=
  (projectModules env).any fun (i, module) => modules.contains module && env.header.moduleData[i]!.constNames.contains n

private def namesOf (s : NameSet) : Json := .arr <| s.toArray.map fun n => .str n.toString

/-- Extensions in which Lean looks for what is registered anywhere: an entry in one module changes what is found of another. -/
private def guides : List Name := [
  `reducibilityExtra, `Lean.classExtension, `Lean.Meta.globalInstanceExtension, `Lean.Meta.instanceExtension,
  `Lean.Meta.defaultInstanceExtension, `Lean.Meta.coeExt, `Lean.Meta.coeDeclAttr, `Lean.Meta.unificationHintExtension,
  `Lean.Meta.congrExtension, `Lean.Meta.simpExtension, `Lean.Meta.sevalSimpExtension, `Lean.Meta.Rfl.reflExt,
  `Lean.Meta.Symm.symmExt, `Lean.Meta.Ext.extExtension, `Lean.Meta.Grind.symbolPrioExt, `Lean.Meta.Grind.normExt,
  `Lean.Meta.Grind.grindExt]

/-- Does a module, by its index, register anything in one of them? -/
private def guidingModules (env : Environment) : CoreM (Array Nat) := do
  let mut found := #[]
  for ext in ← persistentEnvExtensionsRef.get do
    if (privateToUserName? ext.name).getD ext.name ∈ guides then
      let entries := (ext.toEnvExtension.getState env).importedEntries
      found := found ++ (Array.range entries.size).filter fun i => !entries[i]!.isEmpty
  return found

/-- Look behind the statements of the project; the modules named were looked at before, and nothing was found. -/
syntax (name := exportTrust) "#export_trust " str ppSpace str : command

elab_rules : command
  | `(#export_trust $nonce $inOrder) => do
    let nonce := nonce.getString
    liftCoreM noteShipped
    let env ← getEnv
    let before := (← namesIn inOrder).foldl NameSet.insert {}
    let mut count := 0
    for (i, module) in projectModules env do
      let data := env.header.moduleData[i]!
      for n in data.constNames, info in data.constants do
        if let some how := stepsOutside env n info then
          answer nonce [("kind", .str "outside"), ("name", .str n.eraseMacroScopes.toString), ("how", .str how),
            ("module", .str module.toString)]
          count := count + 1
        if info matches .thmInfo _ then
          if !n.isInternalDetail && !obligationAttr.hasTag env n && !isPrivateName n then
            if (← findDeclarationRanges? n).isSome && (← liftTermElabM (hasHypothesis info)) then
              answer nonce [("kind", .str "untagged"), ("name", .str n.toString),
                ("module", .str module.toString)]
              count := count + 1
    let tags := taggedIn env
    let found ← liftTermElabM (replay before (tags.foldl (fun s t => s.insert t.name) {}))
    let byName := found.outcomes.foldl (init := ({} : Std.HashMap Name Outcome)) fun m (n, o) => m.insert n o
    let mut refused := 0
    for (n, outcome) in found.outcomes do
      if let .refused why := outcome then
        answer nonce [("kind", .str "refusal"), ("name", .str n.toString), ("why", .str why)]
        count := count + 1
        refused := refused + 1
    let mut odd : NameSet := {}
    for t in tags do
      if t.leftOut before then continue
      if let some why ← liftTermElabM (vacuity t.name) then
        answer nonce [("kind", .str "vacuous"), ("name", .str t.name.toString), ("why", .str why)]
        count := count + 1
        odd := odd.insert t.module
      let blamed := match byName[t.name]? with
        | some outcome => outcome.blamed? t.name
        | none => if declaredIn env before t.name then none else some t.name
      if let some culprit := blamed then
        answer nonce [("kind", .str "refused"), ("name", .str t.name.toString), ("constant", .str culprit.toString)]
        count := count + 1
        odd := odd.insert t.module
    let mut accepted := 0
    let mut notChecked := 0
    let mut all := 0
    let mut looked := #[]
    for (i, module) in projectModules env do
      if before.contains module then continue
      let mut here := 0
      let mut unchecked := 0
      let mut clean := !odd.contains module
      let names := env.header.moduleData[i]!.constNames
      for n in names do
        match byName[n]? with
        | some .accepted => here := here + 1
        | some .notChecked => unchecked := unchecked + 1
        | some (.refused _) => refused := refused - 1; clean := false
        | _ => clean := false
      accepted := accepted + here
      notChecked := notChecked + unchecked
      all := all + names.size
      looked := looked.push <| Json.mkObj [("module", .str module.toString), ("clean", .bool clean),
        ("accepted", toJson here), ("not_checked", toJson unchecked),
        ("theorems", .arr <| tags.filterMap fun t => if t.own && t.module == module then some (.str t.name.toString) else none),
        ("rests", namesOf (found.rests.getD module {}))]
    let indices ← liftCoreM (guidingModules env)
    let guiding := (projectModules env).filterMap fun (i, module) =>
      if indices.contains i then some (Json.str module.toString) else none
    -- What is refused of this library, on which something of the project rests, is in no module of the project.
    answer nonce [("kind", .str "end"), ("count", toJson count), ("constants", toJson accepted),
      ("not_checked", toJson notChecked), ("all", toJson (all + refused)), ("modules", .arr looked),
      ("guiding", .arr guiding), ("at_odds", Json.mkObj <| found.atOdds.toList.map fun (m, others) => (m.toString, namesOf others))]

end Obligations
