import PostNorm.Capture.Candidate
import PostNorm.Capture.Equations
import PostNorm.Capture.Held
import PostNorm.Capture.Match

/-! # Proving that a captured graph is one of the library's blocks

A theorem `X_eval` of the library says that a graph computes a formula.  Given a captured graph and the sizes, the
values of both are matched; if every one is found, it declares and proves that the captured graph computes the block's
formula at its own inputs, for all values of them.

## Main definitions

* `Refined`, `refine`: what was declared. -/

namespace PostNorm.Capture
open Lean Meta

/-- The level of all types here. -/
private def u : Level := .param `u

/-- What was declared. -/
structure Refined where
  /-- That the captured graph computes the formula. -/
  computes : Name
  /-- Bindings of the library's inputs, in order: positions of captured inputs, none for zero. -/
  inputs : List (Option Nat)
  /-- Bindings of the library's constants: names of captured constants. -/
  constants : List (String × String)
  /-- Which captured inputs must be masks, and which. -/
  masks : List (Nat × String)
  /-- The captured constants that must be minus one. -/
  negative : List String
  deriving Inhabited

/-- A declaration goes to the kernel, regardless of options; a declaration that it rejects is an error here. -/
def give (d : Declaration) : MetaM Unit :=
  withOptions (debug.skipKernelTC.set · false) <| withOptions (Elab.async.set · false) <| addDecl d

/-- Each value in the term of its graph, with the equation from the term. -/
private abbrev Places := IO.Ref (Array (Expr × Expr))

/-- Go through the term of a graph whose value is `x`, by `hx : x = g.eval ρ`, and prove `goal` by the continuation. -/
private partial def through (r : Reader) (found : Places) (goal : Expr) (tree : Tree) (x hx ρ : Expr)
    (next : MetaM Expr) : MetaM Expr := do
  match tree with
  | .value number =>
    found.modify (·.set! number (x, hx))
    next
  | .call Γ Δ as called =>
    through r found goal called x hx (mkAppN (mkConst ``Args.pull [u]) #[r.R, Γ, Δ, as, ρ]) next
  | .saved Γ s t name a b first rest =>
    let scalar := mkApp2 (mkConst ``instScalarOfRealField [u]) r.R r.laws
    let value (Γ s g ρ : Expr) := mkAppN (mkConst ``Graph.eval [u]) #[r.R, scalar, Γ, s, g, ρ]
    let tensor (s : Expr) := mkApp2 (mkConst ``Tensor [u]) r.R s
    let eq (s x y : Expr) := mkApp3 (mkConst ``Eq [.succ u]) (tensor s) x y
    withLocalDeclD `y (tensor t) fun y => do
    withLocalDeclD `hy (eq t y (value Γ t a ρ)) fun hy => do
      let more := mkApp3 (mkConst ``List.cons [0]) (mkConst ``Shape) t Γ
      let σ := mkAppN (mkConst ``Env.cons [u]) #[r.R, Γ, t, y, ρ]
      withLocalDeclD `hx (eq s x (value more s b σ)) fun hx' => do
        let body ← through r found goal first y hy ρ <| through r found goal rest x hx' σ next
        return mkAppN (mkConst ``saved [u]) #[r.R, r.laws, Γ, s, t, name, a, b, ρ, x, goal, hx,
          ← mkLambdaFVars #[y, hy, hx'] body]

/-- The captured side: the field, its laws, the constants, the graph with its inputs' shapes, and its unfolded term. -/
structure Subject where
  /-- The field, with its laws. -/
  reader : Reader
  /-- The constants, each with its name. -/
  constants : Array (String × Expr)
  /-- Those that are minus one in the captured graph. -/
  negative : Array Expr
  /-- The declared graph over the field, applied to its constants. -/
  graph : Expr
  /-- The same, unfolded. -/
  unfolded : Expr
  /-- The context of its inputs. -/
  context : Expr
  /-- The shape of its value. -/
  output : Expr

/-- The index of input `k`. -/
private partial def inputIndex (context : Expr) (k : Nat) : MetaM Expr := do
  match context.getAppFnArgs, k with
  | (``List.cons, #[_, s, Γ]), 0 => return mkApp2 (mkConst ``Idx.here) Γ s
  | (``List.cons, #[_, t, Γ]), k + 1 =>
    let i ← inputIndex Γ k
    let type ← inferType i
    return mkApp4 (mkConst ``Idx.there) Γ type.appArg! t i
  | _, _ => throwError "no input {k} in {context}"

/-- The mask of a block, as JSON for comparison with its numbers. -/
private def maskWords (allowed : Expr) : MetaM String := do
  match allowed.getAppFnArgs with
  | (``Mask.causal, _) => return "causal"
  | _ => throwError "no words for the mask {allowed}"

/-- Declare that the captured graph computes the formula of the candidate. -/
def refine (base : Name) (subject : Subject) (candidate : Candidate) : MetaM Refined := do
  let r := subject.reader
  withBlock candidate r.R r.laws fun block => do
  -- The values of both graphs.
  let (given, wanted) := (← contextOf subject.context, ← contextOf block.context)
  let inputs : Array Value := (given ++ wanted).toArray.map fun shape => { shape, kind := .input }
  let scope (from_ : Nat) (shapes : List (List Nat)) := (List.range shapes.length).map (from_ + ·)
  let read : ReadM ((Nat × Tree) × (Nat × Tree)) := do
    let captured ← r.graph (scope 0 given) subject.unfolded
    return (captured, ← r.graph (scope given.length wanted) block.graph)
  let (((out, tree), (out', tree')), values) ← read.run inputs
  let isMinusOne (c : Expr) : MetaM Expr := do
    let says := mkApp3 (mkConst ``IsMinusOne [u]) r.R r.laws c
    return (← unfoldDefinition? says).getD says
  let named (c : Expr) := ((subject.constants.find? (·.2 == c)).map (·.1)).getD ""
  withLocalDeclsD (subject.negative.map fun c => (Name.mkSimple s!"h{named c}", fun _ => isMinusOne c)) fun hs => do
  withValues r values fun x => do
  let x := { x with minusOnes := (subject.negative.zip hs).toList }
  -- The proof that the results are one.
  let shape := values[out]!.shape
  let (found, same) ← withLocalDeclD `c (coordE shape) fun c => do
    let here := placeOf c shape
    let (proof, found) ← ((sameEntry out' here out here).run x).run {}
    let some proof := proof | throwError "its values are not found to be those of {candidate.theorem_}"
    return (found, ← mkLambdaFVars #[c] proof)
  -- What the library's inputs and constants are.
  let m := given.length
  let isMask (j : Nat) : Bool := values[j]!.mask?.isSome
  let numbers := (List.range wanted.length).map (m + ·) ++ (List.range values.size).filter isMask
  let assigned ← numbers.mapM fun b => do
    let some bound := found.bound.lookup b | throwError "input {b - m} of {candidate.theorem_} is not found"
    withLocalDeclD `c (coordE values[b]!.shape) fun c => do
      match bound with
      | .zero => return (none, ← mkLambdaFVars #[c] (← mkNumeral r.R 0))
      | .input a atoms place =>
        let table := atoms.zip (placeOf c values[b]!.shape)
        let there := Place.replace (fun k => match k with
          | .atom e _ => (table.find? (·.1 == e)).map (·.2)
          | _ => none) place
        return (some a, ← mkLambdaFVars #[c] (mkApp x.terms[a]! (Place.term there)))
  let masks ← numbers.filterMapM fun b => do
    let some allowed := values[b]!.mask? | return none
    let shape := values[b]!.shape
    match found.bound.lookup b with
    | some (.input a atoms place) =>
      unless shape == given[a]! && place == (atoms.zip shape).map fun (e, n) => .atom e n do
        throwError "the mask of {candidate.theorem_} is not one of the graph's inputs as it is"
      return some (b, a, allowed)
    | _ => throwError "the mask of {candidate.theorem_} is not found"
  let chosen ← block.constants.mapM fun b => do
    let some (_, a) := found.constants.find? (·.1 == b) | throwError "a constant of {candidate.theorem_} is not found"
    return a
  let own := (Array.range values.size).filter fun j => !numbers.contains j
  let closed (e : Expr) : Expr := (e.replaceFVars block.constants chosen).replaceFVars
    (numbers.toArray.map (x.terms[·]!)) (assigned.toArray.map (·.2))
  let equations := own.filter (· ≥ inputs.size)
  -- The lemma about values.
  let negative := subject.negative.filter found.negative.contains
  let minusOnes := (subject.negative.zip hs).filterMap fun (c, h) => if negative.contains c then some h else none
  let variables := #[r.R, r.laws] ++ subject.constants.map (·.2) ++ minusOnes
  let statement ← withLocalDeclD `c (coordE shape) fun c => do
    mkForallFVars #[c] <| mkApp3 (mkConst ``Eq [.succ u]) r.R (mkApp x.terms[out']! c) (mkApp x.terms[out]! c)
  let hypotheses := equations.map (x.equations[·]!)
  let telescope (e : Expr) (f : Array Expr → Expr → MetaM Expr) : MetaM Expr := do
    f variables (closed (← f (own.map (x.terms[·]!)) (closed (← f hypotheses e))))
  let lemma_ := base.str "values"
  give <| .thmDecl { name := lemma_, levelParams := [`u]
                     type := ← telescope statement (mkForallFVars · ·), value := ← telescope same (mkLambdaFVars · ·) }
  -- The theorem about graphs.
  let computes := base.str "computes"
  withLocalDeclD `ρ (mkApp2 (mkConst ``Env [u]) r.R subject.context) fun ρ => do
  let isOne (a : Nat) (allowed : Expr) : MetaM Expr := do
    let (shape, i) := (shapeE given[a]!.reverse, ← inputIndex subject.context a)
    let [m, n] := given[a]! | throwError "a mask has two axes"
    return mkApp3 (mkConst ``Eq [.succ u]) (mkApp2 (mkConst ``Tensor [u]) r.R shape)
      (mkAppN (mkConst ``Env.get [u]) #[r.R, subject.context, shape, ρ, i])
      (mkAppN (mkConst ``Mask.entries [u]) #[r.R, r.laws, natE n, natE m, allowed])
  withLocalDeclsD (masks.toArray.mapIdx fun k (_, a, allowed) =>
      (Name.mkSimple s!"hMask{k + 1}", fun _ => isOne a allowed)) fun hMasks => do
    let inputTerms ← (List.range m).toArray.mapM fun k => do
      let i ← inputIndex subject.context k
      return mkAppN (mkConst ``Env.get [u]) #[r.R, subject.context, shapeE given[k]!.reverse, ρ, i]
    let atInputs (e : Expr) := e.replaceFVars ((Array.range m).map (x.terms[·]!)) inputTerms
    let rec env (context : Expr) (tensors : List Expr) : MetaM Expr := do
      match (← whnf context).getAppFnArgs, tensors with
      | (``List.cons, #[_, s, Γ]), t :: rest =>
        return mkAppN (mkConst ``Env.cons [u]) #[r.R, Γ, s, t, ← env Γ rest]
      | _, _ => return mkApp (mkConst ``Env.nil [u]) r.R
    let given' := assigned.map fun (_, t) => atInputs t
    let σ ← env block.context (given'.take wanted.length)
    let scalar := mkApp2 (mkConst ``instScalarOfRealField [u]) r.R r.laws
    let atConstants (e : Expr) := e.replaceFVars block.constants chosen
    let value (Γ g ρ : Expr) := mkAppN (mkConst ``Graph.eval [u]) #[r.R, scalar, Γ, subject.output, g, ρ]
    let left := value subject.context subject.graph ρ
    let theirs := atConstants block.graph
    let middle := value block.context theirs σ
    let tensor := mkApp2 (mkConst ``Tensor [u]) r.R subject.output
    let eq (a b : Expr) := mkApp3 (mkConst ``Eq [.succ u]) tensor a b
    let places : Places ← IO.mkRef (Array.replicate values.size (default, default))
    let proof ←
      withLocalDeclD `x tensor fun b => do
      withLocalDeclD `hx (eq b middle) fun hb => do
      withLocalDeclD `y tensor fun a => do
      withLocalDeclD `hy (eq a left) fun ha => do
        let goal := eq b a
        let after : MetaM Expr := do
          let known ← places.get
          let term (j : Nat) : Expr := if j < m then inputTerms[j]! else known[j]!.1
          let mut args := variables ++ own.map term
          for j in equations do
            let (x, hx) := known[j]!
            let v := values[j]!
            let pointwise ← withLocalDeclD `c (coordE v.shape) fun c => do
              let some (_, _, right) := (← inferType hx).eq? | throwError "no equation"
              mkLambdaFVars #[c] <| mkAppN (mkConst ``congrFun [1, .succ u])
                #[coordE v.shape, mkLambda `c .default (coordE v.shape) r.R, x, right, hx, c]
            args := args.push <| ← match v.kind with
              | .layout arg map (some p) => do
                let s := values[arg]!.shape
                let f ← withLocalDeclD `c (coordE v.shape) fun c =>
                  mkLambdaFVars #[c] (Place.term (map (placeOf c v.shape)))
                pure <| mkAppN (mkConst ``placed [u]) #[r.R, r.laws, shapeE s.reverse, shapeE v.shape.reverse, x,
                  term arg, p, f, ← placingProof p s v.shape map, pointwise]
              | .half inFront arg m _ source => do
                let h ← halfProof r inFront source (term arg) values[arg]!.shape v.shape m
                withLocalDeclD `c (coordE v.shape) fun c => do
                  mkLambdaFVars #[c] (← mkEqTrans (mkApp pointwise c).headBeta (mkApp h c).headBeta)
              | .select keep arg mask map => do
                let (s, t) := (values[arg]!.shape, values[mask]!.shape)
                let some h := (masks.zip hMasks.toList).findSome? fun ((b, _), h) => if b == mask then some h else none
                  | throwError "the mask of {candidate.theorem_} is not found"
                let some entries := (numbers.zip given').lookup mask
                  | throwError "the mask of {candidate.theorem_} is not found"
                let (f, known) ← withLocalDeclD `c (coordE s) fun c => do
                  let there := Place.term (map (placeOf c s))
                  let some (_, ours, theirs) := (← inferType h).eq? | throwError "no equation"
                  let h := mkAppN (mkConst ``congrFun [1, .succ u])
                    #[coordE t, mkLambda `c .default (coordE t) r.R, ours, theirs, h, there]
                  return (← mkLambdaFVars #[c] there, ← mkLambdaFVars #[c] h)
                pure <| mkAppN (mkConst ``selected [u]) #[r.R, r.laws, shapeE s.reverse, shapeE t.reverse, keep, x,
                  term arg, entries, f, pointwise, known]
              | _ => pure pointwise
          let all := mkAppN (mkConst lemma_ [u]) args
          return mkAppN (mkConst ``funext [1, .succ u])
            #[coordE shape, mkLambda `c .default (coordE shape) r.R, b, a, all]
        let body ← through r places goal (mapTree atConstants tree') b hb σ <| through r places goal tree a ha ρ after
        mkLambdaFVars #[b, hb, a, ha] body
    let both := mkAppN (mkConst ``start [u]) #[r.R, r.laws, block.context, subject.context, subject.output, theirs,
      subject.graph, σ, ρ, proof]
    let right := (atConstants block.formula).beta #[σ]
    let library := mkAppN (mkConst candidate.theorem_ [u]) ((block.args.map atConstants).push σ)
    let symm := mkAppN (mkConst ``Eq.symm [.succ u]) #[tensor, middle, left, both]
    let whole := mkAppN (mkConst ``Eq.trans [.succ u]) #[tensor, left, middle, right, symm, library]
    let all := variables.push ρ ++ hMasks
    give <| .thmDecl { name := computes, levelParams := [`u]
                       type := ← mkForallFVars all (eq left right), value := ← mkLambdaFVars all whole }
  let constants ← (block.constants.zip chosen).mapM fun (b, a) => return ((← b.fvarId!.getUserName).toString, named a)
  let words ← masks.mapM fun (_, a, allowed) => return (a, ← maskWords allowed)
  return { computes, inputs := (assigned.take wanted.length).map (·.1), constants := constants.toList, masks := words
           negative := negative.toList.map named }
where
  mapTree (f : Expr → Expr) : Tree → Tree
    | .value n => .value n
    | .saved Γ s t name a b first rest =>
      .saved Γ s t name (f a) (f b) (mapTree f first) (mapTree f rest)
    | .call Γ Δ as called => .call Γ Δ as (mapTree f called)

end PostNorm.Capture
