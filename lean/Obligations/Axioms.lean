import Lean

/-! # Axioms of many theorems at once

`Lean.collectAxioms` walks everything below a theorem, and for the next theorem once more.  For hundreds of theorems that
share most of what they rest on, that takes longer than everything else that is exported of them.

## Main definitions

* `Obligations.axiomsOf`: for each declaration what `Lean.collectAxioms` finds, by one walk over all of them. -/

namespace Obligations
open Lean

/-- The constants that a declaration mentions: those that `Lean.collectAxioms` goes on to. -/
private def mentions : ConstantInfo → Array Name
  | .defnInfo v => ofAll [v.type, v.value]
  | .thmInfo v => ofAll [v.type, v.value]
  | .opaqueInfo v => ofAll [v.type, v.value]
  | .inductInfo v => ofAll [v.type] ++ v.ctors.toArray
  | .quotInfo _ => #[]
  | info => ofAll [info.type]
where
  ofAll (es : List Expr) : Array Name := es.foldl (fun found e => found ++ e.getUsedConstants) #[]

/-- Everything below `roots`, with what it mentions; what is mentioned comes first, except in a circle. -/
private partial def below (env : Environment) (roots : Array Name) : Array (Name × Array Name) :=
  go (roots.toList.map (·, none)) {} #[]
where
  /-- A name is met twice: to go below it, and, with what it mentions, when all of that is done. -/
  go : List (Name × Option (Array Name)) → NameSet → Array (Name × Array Name) → Array (Name × Array Name)
    | [], _, done => done
    | (n, some found) :: todo, seen, done => go todo seen (done.push (n, found))
    | (n, none) :: todo, seen, done =>
      if seen.contains n then go todo seen done
      else
        let found := (env.checked.get.find? n).elim #[] mentions
        go (found.foldl (fun todo d => (d, none) :: todo) ((n, some found) :: todo)) (seen.insert n) done

/-- The axioms below every constant as the bits of a number; at first each axiom has its own bit.  Where constants rest on
each other in a circle, one round may not reach them all: there are rounds until nothing changes. -/
private partial def rounds (all : Array (Name × Array Name)) (start : Std.HashMap Name Nat) : Std.HashMap Name Nat :=
  let (after, changed) := all.foldl (init := (start, false)) fun (bits, changed) (n, found) =>
    let old := bits.getD n 0
    let new := found.foldl (fun sum d => sum ||| bits.getD d 0) old
    if new == old then (bits, changed) else (bits.insert n new, true)
  if changed then rounds all after else after

/-- The axioms that each of these declarations rests on, as `Lean.collectAxioms` finds them, in the order of their names. -/
def axiomsOf (env : Environment) (roots : Array Name) : Std.HashMap Name (Array Name) :=
  let all := below env roots
  let axioms := all.filterMap fun (n, _) => match env.checked.get.find? n with
    | some (.axiomInfo _) => some n
    | _ => none
  let axioms := (axioms.qsort Name.lt).zipIdx
  let bits := rounds all <| axioms.foldl (fun found (n, i) => found.insert n (1 <<< i)) {}
  roots.foldl (init := {}) fun found n =>
    let own := bits.getD n 0
    found.insert n <| axioms.filterMap fun (a, i) => if own.testBit i then some a else none

end Obligations
