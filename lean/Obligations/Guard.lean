import Obligations.Export

/-! # Who answers our commands

A project may give commands of this library an elaborator or a macro of its own, which then answers in their place.  The
question is put from a file that does not import the project: its modules are read as data, and none of its code runs.

## Main definitions

* `#export_guard "nonce" "modules"`: what the modules register for commands of this library. -/

namespace Obligations
open Lean Elab Command

/-- The words that commands of this library begin with. -/
private def ourWords (env : Environment) : Array String := Id.run do
  let mut found := #[]
  for m in env.header.moduleNames, i in [0:env.header.moduleNames.size] do
    if m.getRoot == `Obligations then
      for e in Parser.parserExtension.ext.getModuleEntries env i do
        let e := match e with | .global e | .scoped _ e => e
        if let .token t := e then
          if t.startsWith "#" then found := found.push t.trimAscii.toString
  return found

/-- What one module registers for commands whose kind lies in the namespace `Obligations`, or that begin like ours. -/
private def inPlaceOfOurs (env : Environment) (words : Array String) (i : Nat) : Array (Name × String) := Id.run do
  let mut found := #[]
  let keyed (kind : String) (entries : Array (ScopedEnvExtension.Entry KeyedDeclsAttribute.OLeanEntry)) :=
    entries.filterMap fun e =>
      let e := match e with | .global e | .scoped _ e => e
      if e.key.getRoot == `Obligations then some (e.declName, kind) else none
  found := found ++ keyed "elaborator" (commandElabAttribute.ext.ext.getModuleEntries env i)
  found := found ++ keyed "macro" (macroAttribute.ext.ext.getModuleEntries env i)
  for e in Parser.parserExtension.ext.getModuleEntries env i do
    let e := match e with | .global e | .scoped _ e => e
    if let .token t := e then
      if words.any fun w => t.startsWith w then found := found.push (.mkSimple t.trimAscii.toString, "syntax")
  return found

/-- Look for what answers in place of this library, in these modules and all that they import. -/
syntax (name := exportGuard) "#export_guard " str ppSpace str : command

elab_rules : command
  | `(#export_guard $nonce $modules) => do
    let nonce := nonce.getString
    let env ← importModules ((← namesIn modules).map fun m => { module := m }) {} (loadExts := false)
    let words := ourWords (← getEnv)
    let mut count := 0
    for m in env.header.moduleNames, i in [0:env.header.moduleNames.size] do
      if m.getRoot == `Obligations then continue
      for (n, how) in inPlaceOfOurs env words i do
        answer nonce [("kind", .str "instead"), ("name", .str n.toString), ("how", .str how),
          ("module", .str m.toString)]
        count := count + 1
    answer nonce [("kind", .str "end"), ("count", toJson count)]

end Obligations
