import Obligations.GraphSource

/-! # Commands about graphs

`#export_graph` belongs into a project: it marks a definition over numbers as a graph.  What is marked is the name alone; the
graph is made from the definition whenever it is asked for, so that it follows from it by construction.

## Main definitions

* `#export_graph step (eta := 0.1) (n := 4)`: the definition `step` is exported as a graph.  Its arguments of type `Nat` are
  sizes, of which `n` is 4 unless asked otherwise (else 3); `eta` is a constant that instances may choose; all others that
  are numbers, or functions from `Fin` to numbers, are inputs.
* `#export_graphs "nonce" "request"`: the exportable graphs, and the members asked for. -/

namespace Obligations
open Lean Meta Elab Command

/-- Definitions that `#export_graph` marks. -/
initialize graphSources : SimplePersistentEnvExtension GraphSource (Array GraphSource) ←
  registerSimplePersistentEnvExtension {
    addEntryFn := Array.push
    addImportedFn := fun entries => entries.flatMap id }

/-- A value for an argument, such as `(eta := 0.1)`. -/
syntax graphDefault := " (" ident " := " ("-")? (scientific <|> num) ")"

/-- Export a definition over numbers as a graph. -/
syntax (name := exportGraph) "#export_graph " ident graphDefault* : command

/-- Names of a definition's sizes. -/
private def sizesOf (declaration : Name) : MetaM (Array String) := do
  forallTelescopeReducing (← getConstInfo declaration).type fun xs _ =>
    xs.filterMapM fun x => do
      let decl ← x.fvarId!.getDecl
      return if (← whnfR decl.type).isConstOf ``Nat then some decl.userName.toString else none

private def defaultOf (stx : TSyntax ``graphDefault) : CommandElabM (String × Option Nat × Rat) := do
  let `(graphDefault| ($name := $[-%$minus]? $value)) := stx | throwUnsupportedSyntax
  let (size, number) ← match value.raw.isNatLit?, value.raw.isScientificLit? with
    | some k, _ => pure (some k, (k : Rat))
    | _, some (m, negative, x) => pure (none, OfScientific.ofScientific m negative x)
    | _, _ => throwErrorAt value "expected a number"
  return (name.getId.toString, if minus.isSome then none else size, if minus.isSome then -number else number)

elab_rules : command
  | `(#export_graph $declaration $defaults*) => do
    liftCoreM noteShipped
    let n ← liftCoreM (realizeGlobalConstNoOverloadWithInfo declaration)
    if (graphSources.getState (← getEnv)).any (·.declaration == n) then
      throwErrorAt declaration "{GraphTerm.fullName n} is exported already"
    let sizes ← liftTermElabM (sizesOf n)
    let mut given : Array (String × Nat) := #[]
    let mut constants : Array (String × Rat) := #[]
    for stx in defaults do
      let (name, size, number) ← defaultOf stx
      if sizes.contains name then
        let some k := size.filter (0 < ·) | throwErrorAt stx "{name} is a size: expected a natural number above 0"
        given := given.push (name, k)
      else constants := constants.push (name, number)
    let source : GraphSource := {
      declaration := n
      sizes := sizes.toList.map fun s => (s, (given.find? (·.1 == s)).elim 3 (·.2))
      constants := constants.toList }
    withRef declaration do discard <| liftTermElabM (source.toJson (source.sizes.map (·.2)))
    modifyEnv (graphSources.addEntry · source)

private unsafe def evalFamilyUnsafe (env : Environment) (opts : Options) (n : Name) :
    Except String GraphFamily :=
  env.evalConstCheck GraphFamily opts ``GraphFamily n

/-- Run the compiled definition of a family.  Its author's code runs, as with any `#eval`. -/
@[implemented_by evalFamilyUnsafe]
private opaque evalFamily (env : Environment) (opts : Options) (n : Name) : Except String GraphFamily

/-- A family of graphs that is written in Lean, declared as `declared`, or made from a definition. -/
private structure Exported where
  declared : Name
  graph : Name
  sizes : List (String × Nat)
  constants : List (String × Json)
  member : List Nat → MetaM Json

private def ofFamily (n : Name) (f : GraphFamily) : Exported :=
  { f with declared := n, constants := f.constants.map fun (n, x) => (n, toJson x), member := fun sizes => match f.toJson sizes with
    | .ok g => return g
    | .error e => throwError e }

private def ofSource (s : GraphSource) : Exported :=
  { s with
    declared := s.declaration, graph := s.declaration
    constants := s.constants.map fun (n, x) => (n, GraphTerm.decimal x), member := s.toJson }

/-- Inputs and nodes of a family's member at the usual sizes. -/
private def inputsAndNodes (f : Exported) : MetaM (Option (Json × Array Json)) := do
  let g ← try f.member (f.sizes.map (·.2)) catch _ => return none
  return do (← (g.getObjVal? "inputs").toOption, ← (g.getObjVal? "nodes" >>= Json.getArr?).toOption)

/-- Does a graph begin with another, node by node? -/
private def beginsWith (f p : Option (Json × Array Json)) : Bool :=
  match f, p with
  | some (i, nodes), some (j, first) => i == j && nodes.extract 0 first.size == first
  | _, _ => false

/-- What is exported of the family `f`, whose graph is `own`: `follows` says whether the declaration that it is named after
is part of it, and `parts` which graphs of `all` families that declaration unfolds to, or its graph begins with. -/
private def familyFields (env : Environment) (all : Array (Exported × Option (Json × Array Json))) (f : Exported)
    (own : Option (Json × Array Json)) : List (String × Json) :=
  let unfolded := closure env #[f.graph]
  let parts := (all.filter fun (p, first) => unfolded.contains p.graph || beginsWith own first).map (·.1)
  [("kind", .str "family"), ("name", .str f.graph.toString),
    ("sizes", toJson (f.sizes.map fun (n, k) => [toJson n, toJson k])),
    ("constants", toJson (f.constants.map fun (n, x) => [toJson n, x])),
    ("follows", .bool ((closure env #[f.declared]).contains f.graph)),
    ("parts", toJson (parts.map (·.graph.toString)))]

/-- The family called `name`: by its full name, or by its name without the root namespace. -/
private def familyNamed (families : Array Exported) (name : String) : Except String Exported :=
  match families.filter (·.graph.toString == name), families.filter (shortName ·.graph == name) with
  | #[f], _ | #[], #[f] => pure f
  | #[], #[] => throw s!"no exported graph is called {name}"
  | _, _ => throw s!"several exported graphs are called {name}"

/-- The family and the sizes that a request `{"name": …, "sizes": {…}}` asks for. -/
private def wanted (families : Array Exported) (request : Json) : Except String (Exported × List Nat) := do
  let name ← request.getObjValAs? String "name"
  let f ← familyNamed families name
  let asked := (request.getObjVal? "sizes").toOption.getD (Json.mkObj [])
  for (k, _) in (← asked.getObj?).toList do
    unless f.sizes.any (·.1 == k) do throw s!"{name} has no size called {k}"
  let sizes ← f.sizes.mapM fun (k, default) =>
    match asked.getObjVal? k with
    | .ok v => v.getNat?
    | .error _ => pure default
  return (f, sizes)

/-- Export the families, and the members asked for. -/
syntax (name := exportGraphs) "#export_graphs " str str : command

elab_rules : command
  | `(#export_graphs $nonce $request) => do
    let nonce := nonce.getString
    liftCoreM noteShipped
    let env ← getEnv
    let mut families := (graphSources.getState env).map ofSource
    for n in tagged env graphFamilyAttr do
      match evalFamily env (← getOptions) n with
      | .ok f => families := families.push (ofFamily n f)
      | .error e => throwError "cannot evaluate the graph family {n}: {e}"
    let asked ← match Json.parse request.getString >>= Json.getArr? with
      | .ok a => pure a
      | .error e => throwError "malformed request: {e}"
    let all ← liftTermElabM (families.mapM fun f => return (f, ← inputsAndNodes f))
    for (f, own) in all do answer nonce (familyFields env all f own)
    for (r, i) in asked.zipIdx do
      let found ← match wanted families r with
        | .ok (f, sizes) => liftTermElabM do
          try return ("graph", ← f.member sizes) catch e => return ("error", Json.str (← e.toMessageData.toString))
        | .error e => pure ("error", .str e)
      answer nonce [("kind", .str "graph"), ("index", toJson i), found]
    answer nonce [("kind", .str "end"), ("count", toJson (families.size + asked.size)),
      ("lean", .str Lean.versionString)]

end Obligations
