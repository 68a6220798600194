import Lean.Elab.Tactic.Meta
import PostNorm.Capture.Values

/-! # Entries of one graph that are entries of another

A value of the library's graph is held against one of the captured graph, from the results back to the inputs.  What
is found of a value is kept for all its entries, so that each is looked at once.  Where the library's graph reads an
input, that input is bound to the captured input that stands there; a bias or mask that the captured graph has not is
bound to zero.  Each step gives a proof, which the kernel checks.

## Main definitions

* `Sides`: the values of both graphs with their equations; `Found`: what was bound and shown.
* `sameEntry`: a proof that two entries are equal, if the rules give one. -/

namespace PostNorm.Capture
open Lean Meta

/-- The values of both graphs, in one list, with a variable and an equation for each. -/
structure Sides extends Reader where
  /-- How they are made. -/
  values : Array Value
  /-- A variable for each. -/
  terms : Array Expr
  /-- `∀ c, x c = …` for each that is no input. -/
  equations : Array Expr

/-- What is known of a value of the library: the places of its entries, which value they are entries of and where. -/
structure Fact where
  /-- The places, variables, last axis first. -/
  atoms : List Expr
  /-- Where in the other value. -/
  place : Place
  /-- The proof, for all places. -/
  proof : Expr

/-- What an input of the library's graph is. -/
inductive Bound where
  /-- These entries of this input. -/
  | input (number : Nat) (atoms : List Expr) (place : Place)
  /-- Zero. -/
  | zero

/-- What was found. -/
structure Found where
  /-- What the inputs of the library's graph are. -/
  bound : List (Nat × Bound) := []
  /-- What its constants are. -/
  constants : List (Expr × Expr) := []
  /-- What its values are. -/
  facts : List ((Nat × Nat) × Fact) := []
  /-- What was tried in vain. -/
  failed : List (Nat × Nat) := []

/-- The search. -/
abbrev MatchM := ReaderT Sides <| StateRefT Found MetaM

/-- What the search binds counts only where it succeeds. -/
private def attempt {α : Type} (search : MatchM (Option α)) : MatchM (Option α) := do
  let before ← get
  match ← search with
  | some found => return some found
  | none =>
    modify fun now => { before with failed := now.failed }
    return none

/-- A number for a term, in two ways. -/
private def sample (way : UInt64) (e : Expr) (n : Nat) : Nat := (mixHash (hash e) way).toNat % n

/-- A proof that two places along an axis are one, by arithmetic. -/
private def sameIx (j k : Ix) : MetaM (Option Expr) := do
  if j == k then return some <| mkApp2 (mkConst ``Eq.refl [1]) (finE j.length) j.term
  unless j.length == k.length && [1, 2, 3].all fun way => j.value (sample way) == k.value (sample way) do return none
  let goal ← mkFreshExprSyntheticOpaqueMVar <| mkApp3 (mkConst ``Eq [1]) (finE j.length) j.term k.term
  try
    let (left, _) ← Elab.runTactic goal.mvarId! (← `(tactic| (apply Fin.ext; same_place)))
    unless left.isEmpty do return none
    return some (← instantiateMVars goal)
  catch _ => return none

/-- A proof that two places are one. -/
private def samePlace : Place → Place → MetaM (Option Expr)
  | [], [] => return some <| mkApp2 (mkConst ``Eq.refl [1]) (mkConst ``Unit) (mkConst ``Unit.unit)
  | j :: p, k :: q => do
    let some front ← samePlace p q | return none
    let some last ← sameIx j k | return none
    return some <| mkAppN (mkConst ``pair_eq) #[coordE (Place.lengths q), finE k.length, Place.term p, Place.term q,
      j.term, k.term, front, last]
  | _, _ => return none

section terms
variable (x : Sides)

private def Sides.entry (number : Nat) (p : Place) : Expr := mkApp x.terms[number]! (Place.term p)

private def Sides.equation (number : Nat) (p : Place) : Expr := mkApp x.equations[number]! (Place.term p)

private def Sides.refl (a : Expr) : Expr := mkApp2 (mkConst ``Eq.refl [.succ x.level]) x.R a

private def Sides.trans (a b c ab bc : Expr) : Expr :=
  mkAppN (mkConst ``Eq.trans [.succ x.level]) #[x.R, a, b, c, ab, bc]

private def Sides.symm (a b ab : Expr) : Expr := mkAppN (mkConst ``Eq.symm [.succ x.level]) #[x.R, a, b, ab]

/-- A rule, with the laws of the field or without. -/
private def Sides.rule (name : Name) (args : Array Expr) (laws : Bool := true) : Expr :=
  mkAppN (mkConst name [x.level]) (#[x.R] ++ (if laws then #[x.laws] else #[]) ++ args)

/-- Entries of one value at places that are one: `none` where they are not shown to be. -/
private def Sides.moved (number : Nat) (p q : Place) : MetaM (Option Expr) := do
  if p == q then return some (x.refl (x.entry number p))
  let some same ← samePlace p q | return none
  return some <| mkAppN (mkConst ``congrArg [1, .succ x.level])
    #[coordE (Place.lengths p), x.R, Place.term p, Place.term q, x.terms[number]!, same]

end terms

/-- New variables for places along axes of these lengths. -/
private def withAtoms {α : Type} [Inhabited α] (lengths : List Nat) (k : List Expr → MatchM α) : MatchM α :=
  withLocalDeclsD (lengths.toArray.mapIdx fun j n => (Name.mkSimple s!"i{j}", fun _ => pure (finE n))) fun xs =>
    k xs.toList

/-- What stands for the parts of a place, if the place is a variable. -/
private partial def parts (k atom : Ix) : List (Ix × Ix) :=
  (k, atom) :: match k with
    | .flat h d i j => parts i (.piece h d atom) ++ parts j (.entry h d atom)
    | _ => []

/-- The place `to_` as a function of the place `from_`, whose parts are the variables `atoms`, if it is one. -/
private def abstracted (from_ to_ : Place) (atoms : List Expr) : Option Place := do
  let new : List Ix := from_.zipWith (fun k e => .atom e k.length) atoms
  if from_.any fun k => match k with | .lit .. => true | _ => false then none
  let joined := (from_.zip new).flatMap fun (k, a) => (from_.zip new).filterMap fun (k', a') => match k, k' with
    | .piece h d m, .entry h' d' m' => if h == h' && d == d' && m == m' then some (m, Ix.flat h d a a') else none
    | _, _ => none
  let table := (from_.zip new).flatMap (fun (k, a) => parts k a) ++ joined
  let found := Place.replace (fun k => (table.find? (·.1 == k)).map (·.2)) to_
  if (found.flatMap Ix.atoms).all atoms.contains then some (Place.normal found) else none

/-- The place of a fact for other places. -/
private def Fact.there (atoms : List Expr) (place p : Place) : Place :=
  let table := atoms.zip p
  Place.replace (fun k => match k with
    | .atom e _ => (table.find? (·.1 == e)).map (·.2)
    | _ => none) place

/-- The constants are one; the library's is bound where it is not. -/
private def sameConstant (b a : Option Expr) : MatchM Bool := do
  match b, a with
  | none, none => return true
  | some b, some a =>
    match (← get).constants.find? (·.1 == b) with
    | some (_, known) => return known == a
    | none =>
      unless b.isFVar do return false
      modify fun now => { now with constants := (b, a) :: now.constants }
      return true
  | _, _ => return false

/-- The input `b` of the library's graph, at `cb`, is the captured input `a` at `ca`. -/
private def bind (b : Nat) (cb : Place) (a : Nat) (ca : Place) : MatchM (Option Expr) := do
  let x ← read
  match (← get).bound.lookup b with
  | some .zero => return none
  | some (.input known atoms place) =>
    unless known == a do return none
    x.moved a (Fact.there atoms place cb) ca
  | none =>
    withAtoms (Place.lengths cb) fun atoms => do
      let some place := abstracted cb ca atoms | return none
      modify fun now => { now with bound := (b, .input a atoms place) :: now.bound }
      x.moved a (Fact.there atoms place cb) ca

/-- A proof that an entry is zero, since it is one of an input that is bound to zero, or can be. -/
private partial def zero (b : Nat) (cb : Place) : MatchM (Option Expr) := do
  let x ← read
  let nought := mkApp2 (mkConst ``OfNat.ofNat [x.level]) x.R (mkRawNatLit 0)
  let none_ := mkApp nought (← synthInstance (mkApp2 (mkConst ``OfNat [x.level]) x.R (mkRawNatLit 0)))
  match x.values[b]!.kind with
  | .layout arg map _ =>
    let raw := map cb
    let some p ← zero arg raw | return none
    return some <| x.trans (x.entry b cb) (x.entry arg raw) none_ (x.equation b cb) p
  | .input =>
    match (← get).bound.lookup b with
    | some .zero => return some (x.refl none_)
    | some _ => return none
    | none =>
      modify fun now => { now with bound := (b, .zero) :: now.bound }
      return some (x.refl none_)
  | _ => return none

mutual

/-- A proof that entry `cb` of the library's value `b` is entry `ca` of the captured value `a`, if the rules give
one. -/
partial def sameEntry (b : Nat) (cb : Place) (a : Nat) (ca : Place) : MatchM (Option Expr) := do
  let x ← read
  match x.values[b]!.kind, x.values[a]!.kind with
  | .layout arg map _, _ =>
    let raw := map cb
    let plain := Place.normal raw
    let some p ← sameEntry arg plain a ca | return none
    let some same ← x.moved arg raw plain | return none
    let p := x.trans (x.entry arg raw) (x.entry arg plain) (x.entry a ca) same p
    return some <| x.trans (x.entry b cb) (x.entry arg raw) (x.entry a ca) (x.equation b cb) p
  | _, .layout arg map _ =>
    let raw := map ca
    let plain := Place.normal raw
    let some p ← sameEntry b cb arg plain | return none
    let some same ← x.moved arg plain raw | return none
    let p := x.trans (x.entry b cb) (x.entry arg plain) (x.entry arg raw) p same
    let back := x.symm (x.entry a ca) (x.entry arg raw) (x.equation a ca)
    return some <| x.trans (x.entry b cb) (x.entry arg raw) (x.entry a ca) p back
  | .input, .input => bind b cb a ca
  | .input, _ => return none
  | _, _ => kept b cb a ca

/-- The same for values that are no layouts, through what is known of all entries. -/
private partial def kept (b : Nat) (cb : Place) (a : Nat) (ca : Place) : MatchM (Option Expr) := do
  let x ← read
  let use (fact : Fact) : MatchM (Option Expr) := do
    let there := Fact.there fact.atoms fact.place cb
    let p := mkAppN fact.proof ((cb.map (·.term)).toArray)
    let some same ← x.moved a there ca | return none
    return some <| x.trans (x.entry b cb) (x.entry a there) (x.entry a ca) p same
  if let some fact := (← get).facts.lookup (b, a) then
    if let some p ← use fact then return some p
  if (← get).failed.contains (b, a) then return none
  withAtoms (Place.lengths cb) fun atoms => do
    match abstracted cb ca atoms with
    | none => attempt (direct b cb a ca)
    | some place =>
      let own : Place := atoms.zipWith (fun e k => .atom e k.length) cb
      match ← attempt (direct b own a place) with
      | none =>
        modify fun now => { now with failed := (b, a) :: now.failed }
        return none
      | some p =>
        let fact := { atoms, place, proof := ← mkLambdaFVars atoms.toArray p : Fact }
        modify fun now => { now with facts := ((b, a), fact) :: now.facts }
        use fact

/-- The same, by the rule for the operations that give the values. -/
private partial def direct (b : Nat) (cb : Place) (a : Nat) (ca : Place) : MatchM (Option Expr) := do
  let x ← read
  let (u, v, hu, hv) := (x.entry b cb, x.entry a ca, x.equation b cb, x.equation a ca)
  match x.values[b]!.kind, x.values[a]!.kind with
  | .map f _ c arg, .map f' term c' arg' =>
    unless f == f' do return none
    unless ← sameConstant c c' do return none
    let some p ← sameEntry arg cb arg' ca | return none
    return some <| x.rule ``Same.map #[u, v, x.entry arg cb, x.entry arg' ca, term, hu, hv, p] false
  | .two f _ l r, .two f' term l' r' =>
    let (ul, ur, vl, vr) := (x.entry l cb, x.entry r cb, x.entry l' ca, x.entry r' ca)
    if f == f' then
      let inOrder ← attempt do
        let some p ← sameEntry l cb l' ca | return none
        let some q ← sameEntry r cb r' ca | return none
        return some <| x.rule ``Same.two #[u, v, ul, ur, vl, vr, term, hu, hv, p, q] false
      if inOrder.isSome then return inOrder
      unless f == "minus" do
        let rule := if f == "plus" then ``Same.plusSwapped else ``Same.timesSwapped
        let swapped ← attempt do
          let some p ← sameEntry l cb r' ca | return none
          let some q ← sameEntry r cb l' ca | return none
          return some <| x.rule rule #[u, v, ul, ur, vl, vr, hu, hv, p, q]
        if swapped.isSome then return swapped
    withoutTerm b cb a ca
  | .two _ _ _ _, _ => withoutTerm b cb a ca
  | .product l r n, .product l' r' n' =>
    unless n == n' do return none
    products n cb ca l r l' r' fun f g f' g' p q swapped =>
      let rule := if swapped then ``Same.productSwapped else ``Same.product
      return x.rule rule #[natE n, u, v, f, g, f', g', hu, hv, p, q]
  | .sum f _ arg n insert, .sum f' term arg' n' insert' =>
    unless f == f' && n == n' do return none
    withLocalDeclD `l (finE n) fun l => do
      let k : Ix := .atom l n
      let (here, there) := (insert cb k, insert' ca k)
      let some p ← sameEntry arg here arg' there | return none
      let (g, g') := (← mkLambdaFVars #[l] (x.entry arg here), ← mkLambdaFVars #[l] (x.entry arg' there))
      return some <| x.rule ``Same.sum #[natE n, u, v, g, g', term, hu, hv, ← mkLambdaFVars #[l] p]
  | .map "scale" _ c arg, .product l' r' n' => factored b cb a ca c arg l' r' n'
  | _, _ => return none

/-- Products along an axis of length `n`, with the factors in order, or swapped. -/
private partial def products (n : Nat) (cb ca : Place) (l r l' r' : Nat)
    (k : (f g f' g' p q : Expr) → (swapped : Bool) → MatchM Expr) : MatchM (Option Expr) := do
  let x ← read
  let j :: i :: lead := cb | return none
  let j' :: i' :: lead' := ca | return none
  withLocalDeclD `l (finE n) fun e => do
    let m : Ix := .atom e n
    let (left, right) := (m :: i :: lead, j :: m :: lead)
    let (left', right') := (m :: i' :: lead', j' :: m :: lead')
    let close (p : Expr) : MatchM Expr := mkLambdaFVars #[e] p
    let (f, g) := (← close (x.entry l left), ← close (x.entry r right))
    let (f', g') := (← close (x.entry l' left'), ← close (x.entry r' right'))
    let inOrder ← attempt do
      let some p ← sameEntry l left l' left' | return none
      let some q ← sameEntry r right r' right' | return none
      return some (← k f g f' g' (← close p) (← close q) false)
    if inOrder.isSome then return inOrder
    attempt do
      let some p ← sameEntry l left r' right' | return none
      let some q ← sameEntry r right l' left' | return none
      return some (← k f g f' g' (← close p) (← close q) true)

/-- A sum of the library of which the captured graph has one term: the other is a bias or mask that is zero. -/
private partial def withoutTerm (b : Nat) (cb : Place) (a : Nat) (ca : Place) : MatchM (Option Expr) := do
  let x ← read
  let .two "plus" _ l r := x.values[b]!.kind | return none
  let (u, v, hu) := (x.entry b cb, x.entry a ca, x.equation b cb)
  let right ← attempt do
    let some z ← zero r cb | return none
    let some p ← sameEntry l cb a ca | return none
    return some <| x.rule ``Same.plusZero #[u, v, x.entry l cb, x.entry r cb, hu, z, p]
  if right.isSome then return right
  attempt do
    let some z ← zero l cb | return none
    let some p ← sameEntry r cb a ca | return none
    return some <| x.rule ``Same.zeroPlus #[u, v, x.entry l cb, x.entry r cb, hu, z, p]

/-- A product of the library that is scaled, of which the captured graph has scaled one factor. -/
private partial def factored (b : Nat) (cb : Place) (a : Nat) (ca : Place) (c : Option Expr) (arg l' r' n : Nat) :
    MatchM (Option Expr) := do
  let x ← read
  let .product l r n' := x.values[arg]!.kind | return none
  unless n == n' do return none
  let (u, v, hu, hv) := (x.entry b cb, x.entry a ca, x.equation b cb, x.equation a ca)
  let (z, hz) := (x.entry arg cb, x.equation arg cb)
  let j :: i :: lead := cb | return none
  let j' :: i' :: lead' := ca | return none
  withLocalDeclD `l (finE n) fun e => do
    let m : Ix := .atom e n
    let (left, right) := (m :: i :: lead, j :: m :: lead)
    let (left', right') := (m :: i' :: lead', j' :: m :: lead')
    let close (p : Expr) : MatchM Expr := mkLambdaFVars #[e] p
    let (f, g) := (← close (x.entry l left), ← close (x.entry r right))
    let (f', g') := (← close (x.entry l' left'), ← close (x.entry r' right'))
    let some k := c | return none
    let first ← attempt do
      let some (c', inner, there, h) ← scaled l' left' | return none
      unless ← sameConstant c (some c') do return none
      let some p ← sameEntry l left inner there | return none
      let some q ← sameEntry r right r' right' | return none
      return some <| x.rule ``Same.factorLeft #[natE n, k, u, v, z, f, g, f', g', ← close (x.entry inner there), hu, hz,
        hv, ← close h, ← close p, ← close q]
    if first.isSome then return first
    attempt do
      let some (c', inner, there, h) ← scaled r' right' | return none
      unless ← sameConstant c (some c') do return none
      let some p ← sameEntry l left l' left' | return none
      let some q ← sameEntry r right inner there | return none
      return some <| x.rule ``Same.factorRight #[natE n, k, u, v, z, f, g, f', g', ← close (x.entry inner there), hu, hz,
        hv, ← close h, ← close p, ← close q]

/-- The entry of a captured value as a constant times another entry, if it is one: constant, value, place, proof. -/
private partial def scaled (a : Nat) (ca : Place) : MatchM (Option (Expr × Nat × Place × Expr)) := do
  let x ← read
  match x.values[a]!.kind with
  | .layout arg map _ =>
    let raw := map ca
    let some (c, inner, there, h) ← scaled arg raw | return none
    let product := mkAppN (mkConst ``times [x.level]) #[x.R, x.laws, c, x.entry inner there]
    return some (c, inner, there, x.trans (x.entry a ca) (x.entry arg raw) product (x.equation a ca) h)
  | .map "scale" _ (some c) arg => return some (c, arg, ca, x.equation a ca)
  | _ => return none

end
end PostNorm.Capture
