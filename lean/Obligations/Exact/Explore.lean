import Obligations.Exact.Instance

/-! # What many instances of an experiment say

## Main definitions

* `Obligations.Exact.explore`: many instances, and what was found on them.
* `Obligations.Exact.shrink`: a smaller instance on which the conclusion fails too. -/

namespace Obligations.Exact

/-- Is `t` smaller than what `t'` stands for? -/
private def cost (entries : Array Rat) : Nat :=
  entries.foldl (fun n v => n + 1 + 2 * v.num.natAbs + 3 * (v.den - 1) + (if v.num < 0 then 1 else 0)) (3 * entries.size)

private def simpler (v : Rat) : List Rat :=
  ([0, 1, -1, 2, -2, 1 / 2, -1 / 2, (v.floor : Int), (v.num.tdiv 2 : Int), mkRat (v.num.tdiv 2) v.den, v - 1, v + 1] :
    List Rat).eraseDups

/-- A smaller instance on which every hypothesis holds and the conclusion fails, found in at most `budget` runs. -/
def shrink (run : Run) (hypotheses : Nat) (t : Tape) (budget : Nat := 400) : Tape := Id.run do
  let fails (t : Tape) : Bool := t.refutes hypotheses
  let mut best := t
  let mut left := budget
  let mut improved := true
  while improved && left > 0 do
    improved := false
    let entries := best.entries
    let mut candidates := #[]
    for k in [0:entries.size] do
      candidates := candidates.push (entries.eraseIdxIfInBounds k)
    -- Numbers that are equal may have to stay so.
    for old in entries.toList.eraseDups do
      if entries.count old > 1 then
        for v in simpler old do
          candidates := candidates.push (entries.map fun x => if x == old then v else x)
    for k in [0:entries.size] do
      for v in simpler entries[k]! do
        candidates := candidates.push (entries.set! k v)
    for c in candidates do
      if left == 0 then break
      if cost c < cost best.entries then
        left := left - 1
        let t' := run { given := c, fresh := false }
        if fails t' && cost t'.entries < cost best.entries then
          best := t'
          improved := true
          break
  return best

/-- How often something held, failed, or was not decided. -/
structure Count where
  held : Nat := 0
  failed : Nat := 0
  undecided : Nat := 0
  /-- Of the held: by samples of a `∀` alone. -/
  sampled : Nat := 0
  deriving Inhabited

/-- One more. -/
def Count.add (c : Count) : Truth → Count
  | .yes => { c with held := c.held + 1 }
  | .likely => { c with held := c.held + 1, sampled := c.sampled + 1 }
  | .no => { c with failed := c.failed + 1 }
  | _ => { c with undecided := c.undecided + 1 }

/-- What many instances say. -/
structure Findings where
  /-- Indices that were looked at, and those where every hypothesis holds. -/
  indices : Nat := 0
  accepted : Nat := 0
  /-- How often a tape was drawn. -/
  draws : Nat := 0
  /-- Of each hypothesis, on all draws. -/
  hypotheses : Array Count
  /-- Of the conclusion, where that hypothesis is violated and all others hold. -/
  needs : Array Count
  /-- Of the conclusion, where all hypotheses hold. -/
  conclusion : Count := {}
  /-- Of each mutant: whether an instance distinguishes it from the statement, and whether one upsets it. -/
  distinguished : Array Bool
  upset : Array Bool
  /-- On the edge of a comparison: how many accepted instances. -/
  edge : Nat := 0
  witness : Option Nat := none
  failure : Option Nat := none
  /-- Where the conclusion fails, and a hypothesis has nothing but samples for it. -/
  doubted : Option Nat := none
  outOfTime : Bool := false

/-- Do a statement and its mutant come to different answers?  An `∃` without a witness differs from one with it. -/
private def differ (a b : Truth) : Bool := a.fails && b.met || a.met && b.fails

/-- On how many instances mutants are decided one by one; of the others, one in eight. -/
def mostMutated : Nat := 40

/-- On how many instances a hypothesis must be seen to be needed until no more are made for it. -/
def mostNeeded : Nat := 20

/-- How many instances are looked at where none of them meets the hypotheses. -/
def mostInVain : Nat := 100

/-- Look at `instances` instances, for at most `most` milliseconds. -/
def explore (run : Run) (hypotheses mutants : Nat) (seed : UInt64) (instances most : Nat) : BaseIO Findings := do
  let begun ← IO.monoMsNow
  let mut f : Findings := {
    hypotheses := .replicate hypotheses {}, needs := .replicate hypotheses {},
    distinguished := .replicate mutants false, upset := .replicate mutants false }
  for i in [0:instances] do
    if (← IO.monoMsNow) - begun > most then
      f := { f with outOfTime := true }
      break
    if f.accepted == 0 && i == mostInVain then break
    let (t, before) := instanceAt run hypotheses seed i
    f := { f with indices := i + 1, draws := f.draws + before.size + 1 }
    for d in before.push t do
      for h in [0:d.met.size] do
        f := { f with hypotheses := f.hypotheses.modify h (·.add d.met[h]!) }
      if let some h := d.violated? hypotheses then
        f := { f with needs := f.needs.modify h (·.add (d.decide ())) }
    if !t.accepted hypotheses then continue
    let decided := t.decide ()
    let doubted := decided == .no && !t.refutes hypotheses
    let conclusion := if doubted then .unknown else decided
    let onEdge := t.gaps.any (fun g => (g ()).any (· == 0)) || (t.lastGaps ()).any (· == 0)
    f := { f with
      accepted := f.accepted + 1, conclusion := f.conclusion.add conclusion,
      witness := f.witness <|> some i, edge := f.edge + (if onEdge then 1 else 0) }
    if conclusion == .no then f := { f with failure := f.failure <|> some i }
    if doubted then f := { f with doubted := f.doubted <|> some i }
    -- One that is upset shows that the conclusion can fail; the others need only be distinguished.
    let seen := f.upset.any id
    for m in [0:t.mutants.size] do
      if !(f.upset[m]! || seen && f.distinguished[m]!) && (f.accepted ≤ mostMutated || i % 8 == 0) then
        let truth := t.mutants[m]! ()
        if truth.fails && conclusion.met then f := { f with upset := f.upset.set! m true }
        if differ truth conclusion then f := { f with distinguished := f.distinguished.set! m true }
    let h := i % max hypotheses 1
    if hypotheses > 0 && (f.needs[h]!).failed < mostNeeded then
      if let some d := violating? run hypotheses t h (streamOf seed i 99) then
        let conclusion := d.decide ()
        f := { f with
          hypotheses := f.hypotheses.modify h (·.add d.met[h]!), needs := f.needs.modify h (·.add conclusion) }
        for m in [0:d.mutants.size] do
          if !f.distinguished[m]! then
            let truth := d.mutants[m]! ()
            if differ truth conclusion then f := { f with distinguished := f.distinguished.set! m true }
  return f

end Obligations.Exact
