import Obligations.Export

/-! # The project's modules as data

Importing a project's modules runs code of theirs: `initialize`, and elaborators, delaborators, simprocs and linters that are
looked up.  Written against an audit, such code could forge its answers.  So the questions that a verdict rests on are asked in
a document that imports none of the project: `#read_as_data` reads its modules, and of what they register it keeps what is
data.

## Main definitions

* `#read_as_data "modules"`: from here on, the document's environment has these modules; none of their code has run, and none
  can be run. -/

namespace Obligations
open Lean Elab Command

/-- Extensions whose entries are data, and are loaded from the project's modules as well. -/
def dataExtensions : List Name := [
  `Obligations.obligationAttr, `Obligations.graphFamilyAttr, `Obligations.dischargesAttr, `Obligations.graphSources,
  `Lean.declRangeExt, `Lean.docStringExt, `Lean.inheritDocStringExt, `Lean.protectedExt, `Lean.namespacesExt,
  `Lean.aliasExtension, `Lean.privateConstKindsExt, `Lean.auxRecExt, `Lean.sparseCasesOnExt, `Lean.noConfusionExt,
  `Lean.Meta.sparseCasesOnInfoExt, `Lean.classExtension, `Lean.structureExt, `Lean.projectionFnInfoExt,
  `reducibilityCore, `reducibilityExtra, `Lean.defeqAttr, `Lean.matchPatternAttr, `Lean.Meta.Match.Extension.extension,
  `Lean.Meta.globalInstanceExtension, `Lean.Meta.instanceExtension, `Lean.Meta.defaultInstanceExtension,
  `Lean.Meta.coeExt, `Lean.Meta.coeDeclAttr, `Lean.Meta.unificationHintExtension, `Lean.Meta.recursorAttribute, `recExt,
  `Lean.Meta.congrKindsExt, `Lean.Meta.congrExtension, `Lean.Meta.simpExtension, `Lean.Meta.sevalSimpExtension,
  `Lean.Meta.Rfl.reflExt, `Lean.Meta.Symm.symmExt, `Lean.Meta.Ext.extExtension, `Lean.Meta.Grind.symbolPrioExt,
  `Lean.Meta.Grind.normExt, `Lean.Meta.Grind.grindExt, `Lean.Elab.Structural.eqnInfoExt, `Lean.Elab.WF.eqnInfoExt,
  `Lean.Elab.PartialFixpoint.eqnInfoExt, `Lean.noncomputableExt, `Lean.externAttr, `Lean.Compiler.implementedByAttr]

/-- Attributes that are read from the project's modules and not acted on. -/
def readExtensions : List Name := [`Lean.regularInitAttr]

/-- An environment with these modules, in which code of Lean and of this library alone can be run. -/
def asData (modules : Array Name) : CoreM Environment := do
  let before ← getEnv
  setEnv (← importModules (modules.map fun m => { module := m }) {} (loadExts := false))
  noteShipped
  let mut env ← getEnv
  let trusted := env.header.moduleNames.map fun m => isDistribution env m || m.getRoot == `Obligations
  for ext in ← persistentEnvExtensionsRef.get do
    let found := ext.toEnvExtension.getState env
    let ours := found.importedEntries.mapIdx fun i entries => if trusted[i]?.getD false then entries else #[]
    let name := (privateToUserName? ext.name).getD ext.name
    let isData := name ∈ dataExtensions
    let kept := if isData || name ∈ readExtensions then found.importedEntries else ours
    let state ← ext.addImportedFn (if isData then kept else ours) |>.run { env, opts := {} }
    env := ext.toEnvExtension.setState env { importedEntries := kept, state }
  return env.setMainModule before.mainModule

/-- Read the project's modules as data. -/
syntax (name := readAsData) "#read_as_data " str : command

elab_rules : command
  | `(#read_as_data $modules) => do
    setEnv (← liftCoreM (asData (← namesIn modules)))
    -- What the lakefile sets could make searches for contradictions give up.
    modifyScope fun s => { s with opts := {} }
    modify fun s => { s with maxRecDepth := defaultMaxRecDepth }

end Obligations
