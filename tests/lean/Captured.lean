import PostNorm.Capture.Command
import PostNorm.Run.Float
import PostNorm.Run.Graph

/-! Compiles the one graph that `#prove_graphs` declared before, and runs it: tape, value, gradients by Lean's own
code.  The tape comes from `Graph.toJson` of the graph as a value, not from the term. -/

open Lean Meta Elab Command PostNorm

def storeOf : (Γ : PostNorm.Context) → List (Array Float) → Option (Store Float Γ)
  | [], [] => some .nil
  | s :: Γ, a :: as => do return .cons (← Buffer.ofArray? s a) (← storeOf Γ as)
  | _, _ => none

def runOn {Γ : PostNorm.Context} {s : Shape} (g : Graph Float Γ s) (inputs : List (Array Float)) (seed : Array Float) :
    Option (Array Float × List (Array Float)) := do
  let (value, gradients) := g.valueAndGradients (← storeOf Γ inputs) (← Buffer.ofArray? s seed)
  return (value.data, gradients.arrays)

def written (a : Array Float) : Json := .arr (a.map floatToExactJson)

/-- `constants` and `named` name definitions of type `Float` and `NamedConstant`, in the order of the graph. -/
unsafe def runCaptured (nonce : String) (constants named : Array Name) (names : List String)
    (inputs : List (Array Float)) (seed : Array Float) : CommandElabM Unit := do
  let found := (← getEnv).constants.map₂.foldl (init := #[]) fun found n _ =>
    if n.getRoot == `PostNorm && n.getString! == "graph" then found.push n else found
  let #[graph] := found | throwError "expected one graph but there are {found}"
  liftCoreM <| compileDecls #[graph]
  let (tape, ran) ← liftTermElabM do
    let over (K : Name) (cs : Array Name) := mkAppN (mkConst graph [0]) (#[mkConst K] ++ cs.map mkConst)
    let type := mkApp2 (mkConst ``Except [0, 0]) (mkConst ``String) (mkConst ``Json)
    let tape ← mkAppM ``Graph.toJson #[over ``NamedConstant named, toExpr `captured,
      ← mkListLit (← mkAppM ``Prod #[mkConst ``String, mkConst ``Nat]) [], toExpr names]
    let tape ← evalExpr (Except String Json) type tape
    let f ← mkAppM ``runOn #[over ``Float constants]
    let F := List (Array Float) → Array Float → Option (Array Float × List (Array Float))
    return (tape, (← evalExpr F (← inferType f) f) inputs seed)
  let some (value, gradients) := ran | throwError "the inputs do not fit"
  Obligations.answer nonce [("tape", ← ofExcept tape), ("value", written value),
    ("gradients", .arr (gradients.toArray.map written))]
