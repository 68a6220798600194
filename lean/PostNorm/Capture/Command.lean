import Obligations.Export
import PostNorm.Capture.Read
import PostNorm.Capture.Refine
import PostNorm.Block.Activated
import PostNorm.Block.BiasedEncoder
import PostNorm.Block.GatedBlock
import PostNorm.Block.MaskedPreNorm
import PostNorm.Real.Model

/-! # A command that proves captured graphs

`#prove_graphs "nonce" "request"` takes a list of `obligations-graph/1` objects.  For each it declares the graph, and
proves at every input, over every field with the laws of the real numbers and over `Real`, that forward mode is the
Fréchet derivative, backprop its adjoint and the only one: from exactly the hypotheses that it lists.

For graph `k` it answers `{"kind": "graph", "index": k, "graph", "hypotheses", "theorems"}`: the tape, read off the
declaration; the remaining conditions, on constants and on values; the two theorems, with statement and axioms.  Or
`{"kind": "graph", "index": k, "error"}`.  Then an `end`, as in `Obligations/Export.lean`.

## Main definitions

* `prove`: declare one graph and prove it.
* `#prove_graphs`. -/

namespace PostNorm.Capture
open Lean Meta Elab Command

/-- The constants of a graph: the name of each, its value, and the name that it shares. -/
private structure Constants where
  names : Array String := #[]
  values : Array (JsonNumber × Option String) := #[]
  /-- Which constant each step has. -/
  ofSteps : Array (Option Nat) := #[]

/-- The constants of the steps, each with its name. -/
private def constantsOf (g : Captured) : Except String Constants := do
  let mut found : Constants := {}
  for step in g.steps do
    match step.constant with
    | none => found := { found with ofSteps := found.ofSteps.push none }
    | some v =>
      let shared := step.symbol.bind fun s => found.values.findIdx? (·.2 == some s)
      match shared with
      | some k =>
        unless found.values[k]!.1 == v do
          throw s!"node {step.name}: {step.symbol.getD ""} has the value {found.values[k]!.1} before, and {v} here"
        found := { found with ofSteps := found.ofSteps.push (some k) }
      | none =>
        found := {
          names := found.names.push s!"c_{step.symbol.getD step.name}"
          values := found.values.push (v, step.symbol)
          ofSteps := found.ofSteps.push (some found.values.size) }
  return found

/-- A remaining condition: its binder, the node that has it, and the condition. -/
private structure Hypothesis where
  binder : String
  node : String
  fields : List (String × Json)

/-- The demand as JSON. -/
private def _root_.PostNorm.Demand.toJson : Demand → Json
  | .nonzero => "nonzero"
  | .positive => "positive"

/-- The level of the carrier. -/
private def u : Level := .param `u

/-- Declare the graph, the values with remaining conditions, and the theorem; return its hypotheses. -/
private def declare (base : Name) (source : Captured) (l : Layout) (cs : Constants) : MetaM (Array Hypothesis) := do
  let n := source.steps.size
  let steps := Array.range n
  let ofStep (consts : Array Expr) := steps.map fun j => ((cs.ofSteps[j]!).map fun k => consts[k]!).getD default
  let Γ := l.contexts[0]!
  -- The graph and the values, for constants of any type.
  withLocalDecl `K .implicit (.sort (.succ u)) fun K => do
  withLocalDeclsD (cs.names.map fun m => (Name.mkSimple m, fun _ => pure K)) fun consts => do
    let cOf := ofStep consts
    let ops := steps.map fun j => l.operation K cOf[j]! j
    let define (name : Name) (shape value : Expr) : MetaM Unit := do
      give <| .defnDecl { name, levelParams := [`u], safety := .safe, hints := .regular 1
                          type := ← mkForallFVars (#[K] ++ consts) (mkAppN (mkConst ``Graph [u, u]) #[K, Γ, shape])
                          value := ← mkLambdaFVars (#[K] ++ consts) value }
    define (base.str "graph") l.outputE (l.graph K ops)
    for (j, _) in l.asking do
      define ((base.str "value").num (l.asked j)) l.shapeTerms[l.asked j]! (l.askedValue K ops j)
  -- The theorem, over every field.
  withLocalDecl `R .default (.sort (.succ u)) fun R => do
  withLocalDecl `inst .instImplicit (mkApp (mkConst ``RealField [u]) R) fun inst => do
  withLocalDeclsD (cs.names.map fun m => (Name.mkSimple m, fun _ => pure R)) fun consts => do
    let cOf := ofStep consts
    let needed := (Array.range cs.names.size).filter fun k =>
      steps.any fun j => cs.ofSteps[j]! == some k && l.plans[j]!.positive
    let positive (k : Nat) : MetaM Expr := do mkAppM ``LT.lt #[← mkNumeral R 0, consts[k]!]
    withLocalDeclsD (needed.map fun k => (Name.mkSimple s!"h{cs.names[k]!}", fun _ => positive k)) fun hcs => do
    withLocalDeclD `ρ (mkApp2 (mkConst ``Env [u]) R Γ) fun ρ => do
      let hOf := steps.map fun j =>
        ((cs.ofSteps[j]!).bind fun k => (needed.idxOf? k).map (hcs[·]!)).getD default
      let ops := steps.map fun j => l.operation R cOf[j]! j
      let g := mkAppN (mkConst (base.str "graph") [u]) (#[R] ++ consts)
      let demand (j : Nat) (d : Demand) : MetaM Expr := do
        let s := l.shapeTerms[l.asked j]!
        let value := mkAppN (mkConst ((base.str "value").num (l.asked j)) [u]) (#[R] ++ consts)
        withLocalDeclD `e (mkApp (mkConst ``Shape.Coord) s) fun e => do
          let x := mkApp (← mkAppM ``Graph.eval #[value, ρ]) e
          let zero ← mkNumeral R 0
          mkForallFVars #[e] (← match d with
            | .nonzero => mkAppM ``Ne #[x, zero]
            | .positive => mkAppM ``LT.lt #[zero, x])
      let binder (j : Nat) := s!"h_{source.steps[j]!.name}"
      withLocalDeclsD (l.asking.map fun (j, d) => (Name.mkSimple (binder j), fun _ => demand j d)) fun hs => do
        let (sound, qs) := l.sound R inst ops cOf hOf
        let met := l.allMet R inst ρ ops hs
        let proof := mkAppN (mkConst ``Graph.Sound.differentiated [u])
          #[R, inst, Γ, l.outputE, g, mkConst ``Sign.any, qs, sound, ρ, met]
        let type := mkAppN (mkConst ``Graph.Differentiated [u]) #[R, inst, Γ, l.outputE, g, ρ]
        let all := #[R, inst] ++ consts ++ hcs ++ #[ρ] ++ hs
        give <| .thmDecl { name := base.str "differentiated", levelParams := [`u]
                           type := ← mkForallFVars all type, value := ← mkLambdaFVars all proof }
        let ofConstants := needed.map fun k =>
          { binder := s!"h{cs.names[k]!}", node := ((cs.names[k]!).drop 2).toString
            fields := [("on", .str "constant"), ("demand", Demand.positive.toJson),
              ("value", .num cs.values[k]!.1)] : Hypothesis }
        let ofValues := l.asking.map fun (j, d) =>
          { binder := binder j, node := source.steps[j]!.name
            fields := [("on", .str "value"), ("demand", d.toJson), ("position", toJson (l.asked j))] : Hypothesis }
        return ofConstants ++ ofValues

/-- The same theorem at the real numbers. -/
private def declareReal (base : Name) (theorem_ : String) : MetaM Unit := do
  let thm := base.str theorem_
  let info ← getConstInfo thm
  let real := mkConst ``PostNorm.Real
  let args := #[real, mkConst ``Real.instRealField]
  let type ← instantiateForall (info.type.instantiateLevelParams info.levelParams [.zero]) args
  let value := mkAppN (mkConst thm [.zero]) args
  give <| .thmDecl { name := base.str s!"{theorem_}_real", levelParams := [], type, value }

/-- The statement and the axioms of a theorem, for the answer. -/
private def theoremFields (n : Name) : MetaM Json := do
  let info ← getConstInfo n
  let statement := (← ppExpr info.type).pretty 96
  return Json.mkObj [("name", .str n.toString), ("statement", .str statement),
    ("axioms", toJson ((← collectAxioms n).map toString))]

/-- What was proved of a graph, said of the formula that it computes by `computes`: of inputs that must be masks,
where they are, in the other inputs. -/
private def declareOfFormula (base : Name) (refined : Refined) (constants : Nat) : MetaM Unit := do
  let computes := refined.computes
  let info ← getConstInfo (base.str "differentiated")
  forallTelescope info.type fun xs statement => do
    let (``Graph.Differentiated, #[R, laws, Γ, s, g, ρ]) := statement.getAppFnArgs | throwError "no theorem of {base}"
    let given := xs.extract 0 (2 + constants)
    let type ← instantiateForall ((← getConstInfo computes).type) given
    let known := mkAppN (mkConst (base.str "differentiated") [u]) xs
    let declare (all : Array Expr) (type proof : Expr) : MetaM Unit := do
      give <| .thmDecl { name := base.str "differentiates", levelParams := [`u]
                         type := ← mkForallFVars all type, value := ← mkLambdaFVars all proof }
    forallBoundedTelescope type (some refined.negative.length) fun hs type => do
    let (xs, given) := (xs ++ hs, given ++ hs)
    let formula ← forallTelescope type fun ys statement => do
      let .app _ right := statement | throwError "{computes} is no equation"
      mkLambdaFVars #[ys[0]!] right
    if refined.masks.isEmpty then
      let all := #[R, laws, Γ, s, g, formula, ρ]
      declare xs (mkAppN (mkConst ``Graph.Differentiates [u]) all) <|
        mkAppN (mkConst ``Graph.Differentiated.of_formula [u]) (all ++ #[known, mkAppN (mkConst computes [u]) given])
    else
      let held := toExpr (refined.masks.map (·.1))
      forallTelescope (← instantiateForall type #[ρ]) fun hMasks _ => do
        let same ← withLocalDeclD `σ (← inferType ρ) fun σ => do
          let there := mkAppN (mkConst ``Env.holding [u]) #[R, Γ, held, ρ, σ]
          mkLambdaFVars #[σ] <| mkAppN (mkConst computes [u]) (given.push there ++ hMasks)
        let says := mkAppN (mkConst ``Graph.DifferentiatesHolding [u]) #[R, laws, Γ, s, held, g, formula, ρ]
        declare (xs ++ hMasks) says <|
          mkAppN (mkConst ``Graph.Differentiated.holding [u]) #[R, laws, Γ, s, g, formula, ρ, known, held, same]

/-- The blocks that a request proposes. -/
private def candidatesOf (request : Json) : Except String (List Candidate) := do
  let .ok blocks := request.getObjVal? "blocks" | return []
  (← blocks.getArr?).toList.mapM fun b => do
    let sizes ← (← (← b.getObjVal? "sizes").getObj?).toList.mapM fun (k, v) => return (k, ← v.getNat?)
    return { theorem_ := `PostNorm ++ (← (← b.getObjVal? "theorem").getStr?).toName, sizes }

/-- The first of the proposed blocks that the graph is shown to be, or why it is not shown to be any. -/
private def blockOf (base : Name) (l : Layout) (cs : Constants) (candidates : List Candidate) :
    MetaM (Except (List (Candidate × String)) (Candidate × Refined)) := do
  let mut reasons := #[]
  for candidate in candidates, k in [0:candidates.length] do
    try
      let refined ← withCurrHeartbeats <| withLocalDecl `R .default (.sort (.succ u)) fun R => do
        withLocalDecl `inst .instImplicit (mkApp (mkConst ``RealField [u]) R) fun inst => do
        withLocalDeclsD (cs.names.map fun m => (Name.mkSimple m, fun _ => pure R)) fun consts => do
          let operations := (Array.range l.source.steps.size).map fun j =>
            l.operation R (((cs.ofSteps[j]!).map fun k => consts[k]!).getD default) j
          let subject := {
            reader := { R, laws := inst, level := u }, constants := cs.names.zip consts
            negative := (cs.values.zip consts).filterMap fun ((v, _), c) =>
              if v.mantissa == -(10 ^ v.exponent : Nat) then some c else none
            graph := mkAppN (mkConst (base.str "graph") [u]) (#[R] ++ consts), unfolded := l.graph R operations
            context := l.contexts[0]!, output := l.outputE }
          refine (base.str s!"block{k}") subject candidate
      declareOfFormula base refined cs.names.size
      declareReal base "differentiates"
      return .ok (candidate, refined)
    catch e => reasons := reasons.push (candidate, ← e.toMessageData.toString)
  return .error reasons.toList

/-- Declare one captured graph, prove it, and read it back. -/
def prove (base : Name) (request : Json) : MetaM (List (String × Json)) := do
  let source ← ofExcept <| Captured.ofJson request
  let layout ← ofExcept <| Layout.of source
  let constants ← ofExcept <| constantsOf source
  let hypotheses ← declare base source layout constants
  declareReal base "differentiated"
  let tape ← tapeOf (base.str "graph") source.name (source.inputs.map (·.1)) constants.values
  let supposed := hypotheses.map fun h => Json.mkObj <| [("binder", .str h.binder), ("node", .str h.node)] ++ h.fields
  let theorems ← #["differentiated", "differentiated_real"].mapM fun n => theoremFields (base.str n)
  let candidates ← ofExcept <| candidatesOf request
  let fields := [("graph", tape), ("hypotheses", .arr supposed), ("theorems", .arr theorems)]
  if candidates.isEmpty then return fields
  let name (c : Candidate) : Json := .str (c.theorem_.replacePrefix `PostNorm .anonymous).toString
  match ← blockOf base layout constants candidates with
  | .ok (c, refined) =>
    let theorems ← #["differentiates", "differentiates_real"].mapM fun n => theoremFields (base.str n)
    return fields ++ [("block", Json.mkObj [("theorem", name c), ("inputs", toJson refined.inputs),
      ("constants", Json.mkObj <| refined.constants.map fun (k, v) => (k, .str v)),
      ("masks", .arr <| refined.masks.toArray.map fun (k, mask) =>
        Json.mkObj [("input", toJson k), ("mask", .str mask)]),
      ("negative", toJson refined.negative), ("theorems", .arr theorems)])]
  | .error reasons =>
    return fields ++ [("no_block", .arr <| reasons.toArray.map fun (c, why) =>
      Json.mkObj [("theorem", name c), ("reason", .str why)])]

/-- What is declared about a graph has a name that follows from its content, so that answers about it are alike. -/
private def baseOf (request : Json) : Name := .num `PostNorm.Captured (hash request.compress).toNat

/-- Prove captured graphs. -/
syntax (name := proveGraphs) "#prove_graphs " str str : command

elab_rules : command
  | `(#prove_graphs $nonce $request) => do
    let nonce := nonce.getString
    let asked ← match Json.parse request.getString >>= Json.getArr? with
      | .ok a => pure a
      | .error e => throwError "malformed request: {e}"
    let mut axioms : NameSet := {}
    for (g, i) in asked.zipIdx do
      let fields ← liftTermElabM do
        try prove (baseOf g) g
        catch e => return [("error", .str (← e.toMessageData.toString))]
      for thm in [(baseOf g).str "differentiated_real", (baseOf g).str "differentiates_real"] do
        if (← getEnv).contains thm then
          for a in ← liftCoreM (collectAxioms thm) do axioms := axioms.insert a
      Obligations.answer nonce ([("kind", .str "graph"), ("index", toJson i)] ++ fields)
    let env ← getEnv
    let modules := axioms.toList.map fun a => (a.toString, toJson ((Obligations.moduleOf? env a).map toString))
    Obligations.answer nonce [("kind", .str "end"), ("count", toJson asked.size), ("lean", .str Lean.versionString),
      ("axiom_modules", Json.mkObj modules)]

end PostNorm.Capture
