import Lean.Elab.InfoTree.Main
import Lean.Meta.AppBuilder
import Obligations.GraphFamily

/-! # Attributes that mark what is audited

## Main definitions

* `@[obligation]`: this theorem's hypotheses and conclusion are obligations.
* `@[discharges thm hBinder, …]`: this lemma proves hypothesis `hBinder` of `thm`, under its own hypotheses.
  The attribute refuses a lemma whose conclusion is not that hypothesis.
* `@[graph_family]`: this `Obligations.GraphFamily` is exported. -/

namespace Obligations
open Lean Meta

initialize obligationAttr : TagAttribute ←
  registerTagAttribute `obligation "a theorem whose hypotheses and conclusion are audited" fun n => do
    unless (← getConstInfo n) matches .thmInfo _ | .axiomInfo _ do
      throwError "@[obligation] is for theorems; {n} is not one"

initialize graphFamilyAttr : TagAttribute ←
  registerTagAttribute `graph_family "a family of graphs that the bridge can export" fun n => do
    unless (← getConstInfo n).type.isConstOf ``GraphFamily do
      throwError "@[graph_family] is for definitions of type Obligations.GraphFamily; {n} is not one"

/-- What is left to show before `lemma` proves hypothesis `binder` of `thm`: the propositions among its own
hypotheses, pretty printed.  Throws where the lemma proves something else. -/
def conditionsToDischarge (lem thm binder : Name) : MetaM (Array String) := do
  forallTelescope (← getConstInfo thm).type fun xs _ => do
    let some h ← xs.findM? fun x => return (← x.fvarId!.getUserName) == binder
      | throwError "{thm} has no hypothesis named {binder}"
    let lemmaInfo ← getConstInfo lem
    let levels ← lemmaInfo.levelParams.mapM fun _ => mkFreshLevelMVar
    -- The hypothesis may be a `∀` itself: its variables are introduced first, so that the lemma can take them.
    forallTelescope (← inferType h) fun _ body => do
      let (args, infos, conclusion) ← forallMetaTelescope (lemmaInfo.instantiateTypeLevelParams levels)
      unless ← isDefEq conclusion body do
        throwError "{lem} does not prove {binder} of {thm}: it proves{indentExpr conclusion}\nand the \
          hypothesis is{indentExpr (← inferType h)}"
      let mut conditions := #[]
      for a in args, i in infos do
        if i.isInstImplicit then continue
        let type ← instantiateMVars (← inferType a)
        if ← isProp type then conditions := conditions.push (toString (← ppExpr type))
      return conditions

/-- `discharges thm hBinder, …`: the lemma proves these hypotheses of these theorems. -/
syntax (name := discharges) "discharges " (ident ident),+ : attr

initialize dischargesAttr : ParametricAttribute (Array (Name × Name)) ←
  registerParametricAttribute {
    name := `discharges
    descr := "a lemma that proves a hypothesis of an audited theorem"
    getParam := fun lem stx => do
      let `(attr| discharges $[$thms $binders],*) := stx
        | throwError "expected `discharges theorem hBinder, …`"
      (thms.zip binders).mapM fun (thm, binder) => do
        let thm ← Elab.realizeGlobalConstNoOverloadWithInfo thm
        let _ ← (conditionsToDischarge lem thm binder.getId).run'
        return (thm, binder.getId) }

end Obligations
