import PostNorm.Capture.Found

/-! # Entries of one graph that are entries of another

A value of the library's graph is compared with one of the captured graph, from the results back to the inputs, by the
rules of `Capture/Same`.  Each pair of values is visited once.  Each step returns a proof, which the kernel checks.

## Main definitions

* `sameEntry`: a proof that two entries are equal, if the rules yield one. -/

namespace PostNorm.Capture
open Lean Meta

mutual

/-- A proof that entry `cb` of the library's value `b` is entry `ca` of the captured value `a`, if the rules yield
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
  | .input, .input | .mask _, .input => bindInput b cb a ca
  | .input, _ | .mask _, _ => return none
  | _, _ => kept b cb a ca

/-- The same for values that are not layouts, through facts about all entries. -/
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

/-- The same, by the rule for the operations that compute the values. -/
private partial def direct (b : Nat) (cb : Place) (a : Nat) (ca : Place) : MatchM (Option Expr) := do
  let x ← read
  let (u, v, hu, hv) := (x.entry b cb, x.entry a ca, x.equation b cb, x.equation a ca)
  match x.values[b]!.kind, x.values[a]!.kind with
  | .map f _ c arg, .map f' term c' arg' =>
    unless f == f' do return none
    unless ← sameConstant c c' do return none
    let some p ← sameEntry arg cb arg' ca | return none
    return some <| x.rule ``Same.map #[u, v, x.entry arg cb, x.entry arg' ca, term, hu, hv, p] false
  | .two "minus" _ l r, .two "plus" _ l' r' => turned b cb a ca l r l' r'
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
  | .select _ arg mask map, .two "times" term l' r' =>
    let (ul, ur, vl, vr) := (x.entry arg cb, x.entry mask (map cb), x.entry l' ca, x.entry r' ca)
    let inOrder ← attempt do
      let some p ← sameEntry arg cb l' ca | return none
      let some q ← sameEntry mask (map cb) r' ca | return none
      return some <| x.rule ``Same.two #[u, v, ul, ur, vl, vr, term, hu, hv, p, q] false
    if inOrder.isSome then return inOrder
    attempt do
      let some p ← sameEntry arg cb r' ca | return none
      let some q ← sameEntry mask (map cb) l' ca | return none
      return some <| x.rule ``Same.timesSwapped #[u, v, ul, ur, vl, vr, hu, hv, p, q]
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

/-- Halves that the library rotates by readings, and a model by joining slices: the second half changes its sign, in
the library by a difference from zero, in the model by a factor. -/
private partial def turned (b : Nat) (cb : Place) (a : Nat) (ca : Place) (l r l' r' : Nat) : MatchM (Option Expr) := do
  let x ← read
  let .half false low m lowAt _ := x.values[l]!.kind | return none
  let .half true up m₁ upAt _ := x.values[r]!.kind | return none
  let .half true neg m₂ negAt _ := x.values[l']!.kind | return none
  let .half false same m₃ sameAt _ := x.values[r']!.kind | return none
  let (j :: rest, j' :: rest') := (cb, ca) | return none
  unless [m₁, m₂, m₃] == [m, m, m] && j == j' do return none
  withLocalDeclD `l (finE m) fun e => attempt do
    let (here, there) := (Ix.atom e m :: rest, Ix.atom e m :: rest')
    let some (k, inner, at_, hn) ← scaled neg (negAt there) | return none
    let some hk := x.minusOnes.lookup k | return none
    let some hup ← sameEntry up (upAt here) inner at_ | return none
    let some hlow ← sameEntry low (lowAt here) same (sameAt there) | return none
    modify fun now => { now with negative := k :: now.negative }
    let close (p : Expr) : MatchM Expr := mkLambdaFVars #[e] p
    return some <| x.rule ``Same.turned #[natE m, natE j.length, x.entry b cb, x.entry a ca, k, x.entry l cb,
      x.entry r cb, x.entry l' ca, x.entry r' ca, ← close (x.entry low (lowAt here)), ← close (x.entry up (upAt here)),
      ← close (x.entry neg (negAt there)), ← close (x.entry inner at_), ← close (x.entry same (sameAt there)), j.term,
      x.equation b cb, x.equation l cb, x.equation r cb, x.equation a ca, x.equation l' ca, x.equation r' ca,
      ← close hn, hk, ← close hup, ← close hlow]

/-- A sum of the library of which the captured graph has one term: the other is a bias or mask that is zero. -/
private partial def withoutTerm (b : Nat) (cb : Place) (a : Nat) (ca : Place) : MatchM (Option Expr) := do
  let x ← read
  let .two "plus" _ l r := x.values[b]!.kind | return none
  let (u, v, hu) := (x.entry b cb, x.entry a ca, x.equation b cb)
  let right ← attempt do
    let some z ← isZero r cb | return none
    let some p ← sameEntry l cb a ca | return none
    return some <| x.rule ``Same.plusZero #[u, v, x.entry l cb, x.entry r cb, hu, z, p]
  if right.isSome then return right
  attempt do
    let some z ← isZero l cb | return none
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
      return some <| x.rule ``Same.factorRight #[natE n, k, u, v, z, f, g, f', g', ← close (x.entry inner there), hu,
        hz, hv, ← close h, ← close p, ← close q]

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
