import Obligations.Exact.Draw

/-! # Instances of an experiment

Instance `i` follows from the seed and `i` alone.  It is drawn until every hypothesis holds, a few times at most; what
was drawn on the way tells which hypotheses the conclusion needs.  Comparisons are met with equality by solving for one
entry of the tape, where they are linear in it; a violated hypothesis is mended in the same way.

## Main definitions

* `Obligations.Exact.instanceAt`: one instance.
* `Obligations.Exact.explore`: many, and what was found on them.
* `Obligations.Exact.shrink`: a smaller instance on which the conclusion fails too. -/

namespace Obligations.Exact

/-- Code that fills a tape. -/
abbrev Run := Tape → Tape

namespace Tape

/-- Was the conclusion reached, and does every hypothesis hold? -/
def accepted (t : Tape) (hypotheses : Nat) : Bool := t.reached && t.met.size == hypotheses && t.met.all (·.met)

/-- Is it a counterexample?  A hypothesis that only samples speak for may be false there. -/
def refutes (t : Tape) (hypotheses : Nat) : Bool :=
  t.accepted hypotheses && t.met.all (· == .yes) && t.decide () == .no

/-- How many hypotheses are not met, those that were not reached among them. -/
def missing (t : Tape) (hypotheses : Nat) : Nat :=
  hypotheses - t.met.foldl (fun n m => if m.met then n + 1 else n) 0

/-- The one hypothesis that is violated where all others hold and the conclusion was reached. -/
def violated? (t : Tape) (hypotheses : Nat) : Option Nat :=
  if t.reached && t.missing hypotheses == 1 then t.met.findIdx? (!·.met) else none

/-- The binders' values, as text for reports. -/
def text (t : Tape) : String := (", ".intercalate (t.told.map (· ())).toList).replace Gen.ratMark ""

end Tape

/-- The tape that follows when entry `k` is `v`. -/
def withEntry (t : Tape) (k : Nat) (v : Rat) : Tape :=
  { given := t.entries.setIfInBounds k v, state := t.state }

/-- Can entry `k` be `v`? -/
private def fits (t : Tape) (k : Nat) (v : Rat) : Bool :=
  match t.kinds.getD k .choice with
  | .choice => false
  | .nat => v.den == 1 && v.num ≥ 0 && v.num ≤ 200
  | .int => v.den == 1
  | .rat => true

/-- How many comparisons there are, and by how much the `j`-th differs from equality. -/
private def gapCount (t : Tape) : Nat := t.gaps.size + (t.lastGaps ()).length

private def gapAt (t : Tape) (j : Nat) : Option Rat :=
  match t.gaps[j]? with
  | some (_, g) => some g
  | none => (t.lastGaps ())[j - t.gaps.size]?

/-- Meet comparison `j` with equality by another value for entry `k`, where it is linear in that. -/
def solve (run : Run) (t : Tape) (j k : Nat) : Option Tape := do
  let g ← gapAt t j
  if g == 0 then return t
  let v ← t.entries[k]?
  guard (fits t k (v + 1))
  let next := run (withEntry t k (v + 1))
  guard (next.gaps.size == t.gaps.size)
  let g' ← gapAt next j
  let slope := g' - g
  guard (slope != 0)
  let v' := v - g / slope
  guard (fits t k v')
  let solved := run (withEntry t k v')
  guard (gapAt solved j == some 0)
  return solved

/-- A number below `n`, and the stream after it. -/
private def below (n : Nat) (s : UInt64) : Nat × UInt64 :=
  let (s, z) := bits s
  (z.toNat % max n 1, s)

/-- Places of the numbers on a tape. -/
private def numbers (t : Tape) : Array Nat :=
  (Array.range t.kinds.size).filter fun k => t.kinds.getD k .choice != .choice

private def nudges : Array Rat := #[1, -1, 1 / 2, -1 / 2, 3, -3]

/-- Change a tape so that it comes closer to meeting every hypothesis, in a few steps. -/
def mend (run : Run) (hypotheses : Nat) (t : Tape) (s : UInt64) : Nat → Tape × UInt64
  | 0 => (t, s)
  | n + 1 =>
    if t.accepted hypotheses then (t, s) else
    match t.met.findIdx? (!·.met) with
    | none => (t, s)
    | some h =>
      let own := (Array.range t.gaps.size).filter fun j => (t.gaps[j]?.map (·.1)) == some h
      let places := numbers t
      let (a, s) := below own.size s
      let (b, s) := below places.size s
      match own[a]?, places[b]? with
      | some j, some k =>
        let missing := t.missing hypotheses
        let better (t' : Tape) : Bool := t'.missing hypotheses < missing
        match solve run t j k with
        | some t' =>
          if better t' then mend run hypotheses t' s n else
            -- A strict comparison is met beside equality.
            let v := t'.entries.getD k 0
            let (c, s) := below 2 s
            let steps := if c == 0 then nudges else nudges.map (-·)
            match steps.findSome? fun d =>
              if fits t' k (v + d) then
                let t'' := run (withEntry t' k (v + d))
                if better t'' then some t'' else none
              else none with
            | some t'' => mend run hypotheses t'' s n
            | none => mend run hypotheses t s n
        | none => mend run hypotheses t s n
      | _, _ => (t, s)

/-- The first tapes hold one number everywhere: empty and equal entries, one element. -/
private def plain : Array Tape := #[
  { fresh := false }, { given := .replicate 64 1, fresh := false }, { given := .replicate 64 (-1), fresh := false },
  { given := .replicate 64 2, fresh := false }, { given := .replicate 64 (1 / 2), fresh := false }]

/-- How often an instance is drawn until its hypotheses hold. -/
def mostDraws : Nat := 8

/-- The stream of an instance. -/
def streamOf (seed : UInt64) (i draw : Nat) : UInt64 :=
  (bits ((bits (seed + i.toUInt64)).2 + draw.toUInt64)).2

/-- What an index comes to: its tape, where every hypothesis holds if that was found, and all tapes before it. -/
def instanceAt (run : Run) (hypotheses : Nat) (seed : UInt64) (i : Nat) : Tape × Array Tape := Id.run do
  let mut before := #[]
  let mut found : Option Tape := none
  for draw in [0:mostDraws] do
    let s := streamOf seed i draw
    let start : Tape := if draw == 0 then plain.getD i { state := s } else { state := s }
    let t := run start
    if t.accepted hypotheses then
      found := some t
      break
    before := before.push t
    let (t', _) := mend run hypotheses t s 4
    if t'.accepted hypotheses then
      found := some t'
      break
  match found with
  | none => return (before.back?.getD default, before.pop)
  | some t =>
    -- Every second instance stands on the edge of a comparison.
    let comparisons := if i % 2 == 0 then 0 else gapCount t
    if comparisons == 0 then return (t, before)
    let places := numbers t
    let mut s := streamOf seed i mostDraws
    -- Two comparisons can meet in a corner.
    let mut edge := t
    for _ in [0:4] do
      let (j, s') := below comparisons s
      let (b, s'') := below places.size s'
      s := s''
      if let some k := places[b]? then
        if let some t' := solve run edge j k then
          if t'.accepted hypotheses then edge := t'
    return (edge, before)

/-- An instance that violates hypothesis `h` and no other, made of one that meets all. -/
def violating? (run : Run) (hypotheses : Nat) (t : Tape) (h : Nat) (s : UInt64) : Option Tape := Id.run do
  let own := (Array.range t.gaps.size).filter fun j => (t.gaps[j]?.map (·.1)) == some h
  let places := numbers t
  let mut s := s
  for _ in [0:2] do
    let (a, s') := below own.size s
    let (b, s'') := below places.size s'
    s := s''
    if let (some j, some k) := (own[a]?, places[b]?) then
      let edge := (solve run t j k).getD t
      let v := edge.entries.getD k 0
      for d in #[0, 1, -1, 1 / 2, -1 / 2] do
        if fits edge k (v + d) then
          let t' := run (withEntry edge k (v + d))
          if t'.violated? hypotheses == some h then return some t'
  return none

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
  /-- Of each mutant: whether an instance tells it from the statement, and whether one upsets it. -/
  told : Array Bool
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

/-- Look at `instances` instances, for at most `most` milliseconds. -/
def explore (run : Run) (hypotheses mutants : Nat) (seed : UInt64) (instances most : Nat) : BaseIO Findings := do
  let begun ← IO.monoMsNow
  let mut f : Findings := {
    hypotheses := .replicate hypotheses {}, needs := .replicate hypotheses {},
    told := .replicate mutants false, upset := .replicate mutants false }
  for i in [0:instances] do
    if (← IO.monoMsNow) - begun > most then
      f := { f with outOfTime := true }
      break
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
    let onEdge := t.gaps.any (·.2 == 0) || (t.lastGaps ()).any (· == 0)
    f := { f with
      accepted := f.accepted + 1, conclusion := f.conclusion.add conclusion,
      witness := f.witness <|> some i, edge := f.edge + (if onEdge then 1 else 0) }
    if conclusion == .no then f := { f with failure := f.failure <|> some i }
    if doubted then f := { f with doubted := f.doubted <|> some i }
    for m in [0:t.mutants.size] do
      if !f.upset[m]! then
        let truth := t.mutants[m]! ()
        if truth.fails && conclusion.met then f := { f with upset := f.upset.set! m true }
        if differ truth conclusion then f := { f with told := f.told.set! m true }
    if hypotheses > 0 then
      let h := i % hypotheses
      if let some d := violating? run hypotheses t h (streamOf seed i 99) then
        let conclusion := d.decide ()
        f := { f with
          hypotheses := f.hypotheses.modify h (·.add d.met[h]!), needs := f.needs.modify h (·.add conclusion) }
        for m in [0:d.mutants.size] do
          if !f.told[m]! then
            let truth := d.mutants[m]! ()
            if differ truth conclusion then f := { f with told := f.told.set! m true }
  return f

end Obligations.Exact
