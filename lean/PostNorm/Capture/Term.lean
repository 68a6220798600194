import Lean.Meta.AppBuilder
import PostNorm.Capture.Plan
import PostNorm.Capture.Quote
import PostNorm.Capture.Rules

/-! # A captured graph as a term, with its proof

Terms are built directly, not elaborated: the kernel checks the result.  Shared terms stay shared, so that a graph of
about a hundred nodes takes seconds.

## Main definitions

* `Layout`: contexts, shapes and indices of a captured graph as terms.
* `Layout.operation`: the operation of a step; `Layout.chain`: the graph of the first steps.
* `Layout.sound`: the proof by signs. -/

namespace PostNorm.Capture
open Lean Meta

/-- The level of all types here. -/
private def u : Level := .param `u

/-- The parts of all terms about a captured graph. -/
structure Layout where
  /-- The graph. -/
  source : Captured
  /-- The shapes of all values. -/
  shapes : Array (List Nat)
  /-- The same as terms. -/
  shapeTerms : Array Expr
  /-- The context before each step, and after the last. -/
  contexts : Array Expr
  /-- The arguments of each step, as indices into its context. -/
  indices : Array (Array Expr)
  /-- The output, as an index into the last context. -/
  result : Expr
  /-- The plan of each step. -/
  plans : Array Planned

/-- The indices of a value: the context up to which one is known, and that one. -/
private abbrev Known := Array (Nat × Expr)

/-- The index of `value` before step `step`, made from the one that is known. -/
private def indexAt (shapes contexts : Array Expr) (inputs value step : Nat) (known : Known) : Expr × Known :=
  Id.run do
  let (at_, e) := known[value]!
  let mut e := e
  for l in [at_:step] do
    e := mkApp4 (mkConst ``Idx.there) contexts[l]! shapes[value]! shapes[inputs + l]! e
  return (e, known.set! value (step, e))

/-- Lay a graph out; an error names the offending node. -/
def Layout.of (source : Captured) : Except String Layout := do
  let shapes ← source.shapes
  let inputs := source.inputs.size
  let mut table : Std.HashMap (List Nat) Expr := {}
  let mut shapeTerms := #[]
  for s in shapes do
    let e := table.getD s (shapeE s)
    table := table.insert s e
    shapeTerms := shapeTerms.push e
  let mut tails := #[mkApp (mkConst ``List.nil [.zero]) (mkConst ``Shape)]   -- the last inputs, none first
  for k in [0:inputs] do tails := tails.push (consE shapeTerms[inputs - 1 - k]! tails[k]!)
  let mut known : Known := #[]
  for v in [0:inputs] do
    let mut e := mkApp2 (mkConst ``Idx.here) tails[inputs - 1 - v]! shapeTerms[v]!
    for k in [0:v] do
      let t := v - 1 - k
      e := mkApp4 (mkConst ``Idx.there) tails[inputs - 1 - t]! shapeTerms[v]! shapeTerms[t]! e
    known := known.push (0, e)
  let mut contexts := #[tails[inputs]!]
  let mut indices := #[]
  let mut plans : Array Planned := #[]
  for step in source.steps, j in [0:source.steps.size] do
    let mut args := #[]
    for a in step.args do
      let (e, k) := indexAt shapeTerms contexts inputs a j known
      args := args.push e
      known := k
    let signs := step.args.map fun a => if a < inputs then Sign.any else (plans[a - inputs]?.map (·.sign)).getD .any
    indices := indices.push args
    plans := plans.push (step.plan signs (shapes[step.args.headD 0]!))
    let s := shapeTerms[inputs + j]!
    known := known.push (j + 1, mkApp2 (mkConst ``Idx.here) contexts[j]! s)
    contexts := contexts.push (consE s contexts[j]!)
  let (result, _) := indexAt shapeTerms contexts inputs source.output source.steps.size known
  return { source, shapes, shapeTerms, contexts, indices, result, plans }

namespace Layout
variable (l : Layout)

/-- How many inputs there are. -/
private def inputs : Nat := l.source.inputs.size

/-- The shape of an argument of a step. -/
private def argShape (j k : Nat) : List Nat := l.shapes[l.source.steps[j]!.args.getD k 0]!

/-- The same as a term. -/
private def argShapeE (j k : Nat) : Expr := l.shapeTerms[l.source.steps[j]!.args.getD k 0]!

/-- The shape of the value of a step, as a term. -/
private def ownE (j : Nat) : Expr := l.shapeTerms[l.inputs + j]!

/-- A view of the library from `src` to `dst`, `k` axes of which follow. -/
private def viewE (kind : ViewKind) (src dst : List Nat) : Nat → Expr
  | 0 => match kind, src.reverse with
    | .swap, n :: m :: s => mkApp3 (mkConst ``View.swap) (shapeE s.reverse) (natE m) (natE n)
    | .split h d, _ :: s => mkApp3 (mkConst ``View.split) (shapeE s.reverse) (natE h) (natE d)
    | .merge, d :: h :: s => mkApp3 (mkConst ``View.merge) (shapeE s.reverse) (natE h) (natE d)
    | .spread n, _ => mkApp2 (mkConst ``View.spread) (shapeE src) (natE n)
    | _, _ => mkConst ``View   -- no view; the kernel will say so
  | k + 1 => mkApp4 (mkConst ``View.under) (shapeE src.dropLast) (shapeE dst.dropLast) (natE (src.getLastD 0))
      (viewE kind src.dropLast dst.dropLast k)

/-- An axis of `src`, `k` axes of which follow. -/
private def axisE (n : Nat) (src : List Nat) : Nat → Expr
  | 0 => mkApp2 (mkConst ``Axis.last) (natE n) (shapeE src.dropLast)
  | k + 1 =>
    let rest := src.dropLast
    mkAppN (mkConst ``Axis.before) #[natE n, shapeE rest, shapeE (rest.eraseIdx (rest.length - 1 - k)),
      natE (src.getLastD 0), axisE n rest k]

/-- The table of an index, as one number. -/
private def tableOf (bound : Nat) (index : List Int) : Nat :=
  index.foldr (fun k table => table * (bound + 1) + (k + 1).toNat) 0

/-- The placing that a step is. -/
private def placingE (step : Step) (src : List Nat) : Expr :=
  match step.op with
  | "transpose" => mkApp (mkConst ``Placing.transpose) (natsE (step.perm.getD []))
  | "place" =>
    let axis := step.axis.getD 0
    mkApp2 (mkConst ``Placing.place) (natE axis) (natE (tableOf (src.getD axis 0) (step.index.getD [])))
  | _ => mkConst ``Placing.reshape

/-- What a step's operation is made of, next to its arguments: a view, a placing, an axis. -/
private def detail (j : Nat) : Expr :=
  let step := l.source.steps[j]!
  let src := l.argShape j 0
  match l.plans[j]!.rule with
  | "view" => match step.view? src with
    | some (kind, k) => viewE kind src step.shape k
    | none => placingE step src
  | "sumAlong" | "meanAlong" =>
    let axis := step.axis.getD 0
    axisE (src.getD axis 0) src (src.length - 1 - axis)
  | _ => placingE step src

/-- The lengths that a matrix product multiplies: leading shape, rows, shared, columns. -/
private def product (j : Nat) : Expr × Expr × Expr × Expr :=
  let a := l.argShape j 0
  (shapeE (a.take (a.length - 2)), natE (a.getD (a.length - 2) 0), natE (a.getLastD 0),
    natE ((l.argShape j 1).getLastD 0))

/-- The operation of step `j` with constants of type `K`; `c` is its own. -/
def operation (K : Expr) (c : Expr) (j : Nat) : Expr :=
  let step := l.source.steps[j]!
  let Γ := l.contexts[j]!
  let is := l.indices[j]!
  let op (n : String) (args : Array Expr) := mkAppN (mkConst (.str ``PostNorm.Op n) [u, u]) args
  match l.plans[j]!.rule with
  | "view" => op "view" (#[l.argShapeE j 0, l.ownE j, K, Γ, l.detail j] ++ is)
  | "placed" | "placedNonneg" => op "placed" (#[K, Γ, l.argShapeE j 0, l.ownE j, l.detail j] ++ is)
  | "sumAlong" | "meanAlong" => op (step.op ++ "Along")
      (#[natE ((l.argShape j 0).getD (step.axis.getD 0) 0), l.argShapeE j 0, l.ownE j, K, Γ, l.detail j] ++ is)
  | "sum" | "mean" => op step.op (#[l.ownE j, natE ((l.argShape j 0).getLastD 0), K, Γ] ++ is)
  | "matmul" =>
    let (s, m, k, n) := l.product j
    op "matmul" (#[s, m, k, n, K, Γ] ++ is)
  | _ => match step.op with
    | "scale" | "addConst" => op step.op (#[l.ownE j, K, Γ, c] ++ is)
    | n => op n (#[l.ownE j, K, Γ] ++ is)

/-- A value of context `n` as the graph that saves the first `n` values: `.letIn … (.letIn … (.var i))`. -/
def chain (K : Expr) (operations : Array Expr) (n : Nat) (i s : Expr) : Expr := Id.run do
  let mut g := mkAppN (mkConst ``Graph.var [u, u]) #[K, l.contexts[n]!, s, i]
  for k in [0:n] do
    let j := n - 1 - k
    let a := mkAppN (mkConst ``Graph.op [u, u]) #[K, l.contexts[j]!, l.ownE j, operations[j]!]
    g := mkAppN (mkConst ``Graph.letIn [u, u])
      #[K, l.contexts[j]!, s, l.ownE j, mkStrLit l.source.steps[j]!.name, a, g]
  return g

/-- The shape of the output, as a term. -/
def outputE : Expr := l.shapeTerms[l.source.output]!

/-- The whole graph. -/
def graph (K : Expr) (operations : Array Expr) : Expr :=
  l.chain K operations l.source.steps.size l.result l.outputE

/-- The steps that leave a demand, and the demands. -/
def asking : Array (Nat × Demand) :=
  l.plans.zipIdx.filterMap fun (p, j) => p.asks.map fun d => (j, d)

/-- The argument of which step `j` demands something: its position. -/
def asked (j : Nat) : Nat := l.source.steps[j]!.args.getD 0 0

/-- The value of which step `j` demands something. -/
def askedValue (K : Expr) (operations : Array Expr) (j : Nat) : Expr :=
  l.chain K operations j (l.indices[j]!.getD 0 default) (l.argShapeE j 0)

/-- The proof of step `j` by its rule.  `c` is its constant, and `hc` says that it is positive. -/
private def ruleE (R inst S c hc : Expr) (j : Nat) : Expr :=
  let plan := l.plans[j]!
  let step := l.source.steps[j]!
  let is := l.indices[j]!
  let sign := signE plan.sign
  let yes := mkApp2 (mkConst ``Eq.refl [1]) (mkConst ``Bool) (mkConst ``Bool.true)
  let same := mkApp2 (mkConst ``Eq.refl [1]) (mkConst ``Sign) sign
  let s := l.ownE j
  let src := l.argShapeE j 0
  let own : Array Expr := match plan.rule with
    | "addNonneg" | "addPosLeft" | "addPosRight" | "mulNonneg" | "mulPos" => #[s] ++ is ++ #[yes, yes]
    | "square" => #[s, is[0]!]
    | "inv" | "sqrt" | "log" | "relu" => #[s] ++ is ++ #[yes]
    | "scale" | "addConst" => #[s] ++ is ++ #[c]
    | "scaleKeeps" => #[s] ++ is ++ #[c, sign, hc, same]
    | "addConstPos" => #[s] ++ is ++ #[c, hc, yes]
    | "view" => #[src, s] ++ is ++ #[l.detail j, sign, same]
    | "placed" => #[src, s] ++ is ++ #[l.detail j]
    | "placedNonneg" => #[src, s] ++ is ++ #[l.detail j, yes]
    | "sumAlong" | "meanAlong" =>
      #[src, s] ++ is ++ #[natE ((l.argShape j 0).getD (step.axis.getD 0) 0), l.detail j, sign, yes, same]
    | "sum" | "mean" => #[s, natE ((l.argShape j 0).getLastD 0)] ++ is ++ #[sign, yes, same]
    | "matmul" =>
      let (t, m, k, n) := l.product j
      #[t, n, m, k] ++ is
    | _ => #[s] ++ is
  mkAppN (mkConst (.str ``PostNorm.Graph.Sound plan.rule) [u]) (#[R, inst, l.contexts[j]!, S] ++ own)

/-- The proof that the graph is sound, and the list of its demands, both over the field `R`. -/
def sound (R inst : Expr) (operations constants positive : Array Expr) : Expr × Expr := Id.run do
  let n := l.source.steps.size
  let out := l.outputE
  let mut signs := #[mkApp (mkConst ``Signs.any) l.contexts[0]!]
  for j in [0:n] do
    signs := signs.push <| mkApp4 (mkConst ``Signs.cons) (l.ownE j) l.contexts[j]! (signE l.plans[j]!.sign) signs[j]!
  let anyE := signE .any
  let mut g := mkAppN (mkConst ``Graph.var [u, u]) #[R, l.contexts[n]!, out, l.result]
  let mut proof := mkAppN (mkConst ``Graph.Sound.var [u]) #[R, inst, l.contexts[n]!, signs[n]!, out, l.result]
  let mut demands : List (Expr × Expr × Expr) := []   -- shape, demand, value, in the context of the step
  let list (j : Nat) (ds : List (Expr × Expr × Expr)) : Expr :=
    let type := mkApp2 (mkConst ``Remaining [u]) R l.contexts[j]!
    ds.foldr (fun (s, d, v) e => mkApp3 (mkConst ``List.cons [.succ u]) type
      (mkAppN (mkConst ``Remaining.mk [u]) #[R, l.contexts[j]!, s, d, v]) e) (mkApp (mkConst ``List.nil [.succ u]) type)
  for k in [0:n] do
    let j := n - 1 - k
    let Γ := l.contexts[j]!
    let name := mkStrLit l.source.steps[j]!.name
    let a := mkAppN (mkConst ``Graph.op [u, u]) #[R, Γ, l.ownE j, operations[j]!]
    let ha := l.ruleE R inst signs[j]! constants[j]! positive[j]! j
    let before := demands.map fun (s, d, v) =>
      (s, d, mkAppN (mkConst ``Graph.letIn [u, u]) #[R, Γ, s, l.ownE j, name, a, v])
    let common := #[R, inst, Γ, signs[j]!, out, l.ownE j, name, a, g, anyE, signE l.plans[j]!.sign]
    match l.plans[j]!.asks with
    | none =>
      proof := mkAppN (mkConst ``Graph.Sound.letIn [u]) (common ++ #[list (j + 1) demands, ha, proof])
      demands := before
    | some d =>
      let s := l.argShapeE j 0
      let v := mkAppN (mkConst ``Graph.var [u, u]) #[R, Γ, s, l.indices[j]!.getD 0 default]
      let q := mkAppN (mkConst ``Remaining.mk [u]) #[R, Γ, s, demandE d, v]
      proof := mkAppN (mkConst ``Graph.Sound.letInAsks [u]) (common ++ #[q, list (j + 1) demands, ha, proof])
      demands := (s, demandE d, v) :: before
    g := mkAppN (mkConst ``Graph.letIn [u, u]) #[R, Γ, out, l.ownE j, name, a, g]
  return (proof, list 0 demands)

/-- All demands are met, from a proof for each: in the order of `asking`. -/
def allMet (R inst ρ : Expr) (operations proofs : Array Expr) : Expr := Id.run do
  let Γ := l.contexts[0]!
  let type := mkApp2 (mkConst ``Remaining [u]) R Γ
  let mut qs := mkApp (mkConst ``List.nil [.succ u]) type
  let mut h := mkAppN (mkConst ``Remaining.All.nil [u]) #[R, inst, Γ, ρ]
  for k in [0:l.asking.size] do
    let m := l.asking.size - 1 - k
    let (j, d) := l.asking[m]!
    let q := mkAppN (mkConst ``Remaining.mk [u]) #[R, Γ, l.argShapeE j 0, demandE d, l.askedValue R operations j]
    h := mkAppN (mkConst ``Remaining.All.cons [u]) #[R, inst, Γ, ρ, q, qs, proofs[m]!, h]
    qs := mkApp3 (mkConst ``List.cons [.succ u]) type q qs
  return h

end Layout
end PostNorm.Capture
