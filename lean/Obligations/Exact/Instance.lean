import Obligations.Exact.Draw

/-! # Instances of an experiment

Instance `i` follows from the seed and `i` alone.  It is drawn until every hypothesis holds, a few times at most; what
was drawn on the way shows which hypotheses the conclusion needs.  Comparisons are met with equality by solving for one
entry of the tape, where they are linear in it; a violated hypothesis is mended in the same way.

## Main definitions

* `Obligations.Exact.instanceAt`: one instance.
* `Obligations.Exact.violating?`: one that violates a hypothesis and no other. -/

namespace Obligations.Exact

/-- Code that fills a tape. -/
abbrev Run := Tape → Tape

namespace Tape

/-- Was the conclusion reached, and does every hypothesis hold? -/
def accepted (t : Tape) (hypotheses : Nat) : Bool := t.reached && t.met.size == hypotheses && t.met.all (·.met)

/-- Is it a counterexample?  A hypothesis that was only sampled may be false there. -/
def refutes (t : Tape) (hypotheses : Nat) : Bool :=
  t.accepted hypotheses && t.met.all (· == .yes) && t.decide () == .no

/-- How many hypotheses are not met, those that were not reached among them. -/
def missing (t : Tape) (hypotheses : Nat) : Nat :=
  hypotheses - t.met.foldl (fun n m => if m.met then n + 1 else n) 0

/-- The one hypothesis that is violated where all others hold and the conclusion was reached. -/
def violated? (t : Tape) (hypotheses : Nat) : Option Nat :=
  if t.reached && t.missing hypotheses == 1 then t.met.findIdx? (!·.met) else none

/-- The binders' values, as text for reports. -/
def text (t : Tape) : String := (", ".intercalate (t.shown.map (· ())).toList).replace Gen.ratMark ""

end Tape

/-- The tape that follows when entry `k` is `v`. -/
def withEntry (t : Tape) (k : Nat) (v : Rat) : Tape :=
  { given := t.entries.setIfInBounds k v, state := t.state }

/-- Can entry `k` be `v`? -/
private def fits (t : Tape) (k : Nat) (v : Rat) : Bool :=
  match t.kinds.getD k .choice with
  | .choice => false
  | .length => v.den == 1 && v.num ≥ 0 && v.num ≤ mostValues
  | .nat => v.den == 1 && v.num ≥ 0 && v.num ≤ 200
  | .large => v.den == 1 && v.num ≥ 0
  | .int => v.den == 1
  | .rat => true

/-- By how much the comparisons of a hypothesis differ from equality; those of the conclusion for `none`. -/
private def gapsOf (t : Tape) : Option Nat → List Rat
  | some h => (t.gaps.getD h fun _ => []) ()
  | none => t.lastGaps ()

/-- All comparisons: of which hypothesis, or of the conclusion, and their places there. -/
private def comparisons (t : Tape) : Array (Option Nat × Nat) :=
  let of (h : Option Nat) : List (Option Nat × Nat) := (List.range (gapsOf t h).length).map fun j => (h, j)
  ((List.range t.gaps.size).flatMap (fun h => of (some h)) ++ of none).toArray

/-- Meet comparison `j` of a hypothesis with equality by another value for entry `k`, where it is linear in that. -/
def solve (run : Run) (t : Tape) (h : Option Nat) (j k : Nat) : Option Tape := do
  let before := gapsOf t h
  let g ← before[j]?
  if g == 0 then return t
  let v ← t.entries[k]?
  guard (fits t k (v + 1))
  let next := gapsOf (run (withEntry t k (v + 1))) h
  guard (next.length == before.length)
  let slope := (← next[j]?) - g
  guard (slope != 0)
  let v' := v - g / slope
  guard (fits t k v')
  let solved := run (withEntry t k v')
  guard ((gapsOf solved h)[j]? == some 0)
  return solved

/-- A number below `n`, and the stream after it. -/
private def below (n : Nat) (s : UInt64) : Nat × UInt64 :=
  let (s, z) := bits s
  (z.toNat % max n 1, s)

/-- Places of the numbers on a tape, and of the lengths. -/
private def numbers (t : Tape) : Array Nat :=
  (Array.range t.kinds.size).filter fun k => t.kinds.getD k .choice != .choice

private def nudges : Array Rat := #[1, -1, 1 / 2, -1 / 2, 3, -3]

/-- The numbers of each binder on a tape: places that follow each other, without the choices and lengths between them. -/
private def runs (t : Tape) : List (List Nat) := Id.run do
  let mut found := #[]
  let mut run := #[]
  for k in [0:t.kinds.size] do
    let isValue := !(t.kinds.getD k .choice matches .choice | .length)
    if t.ends.contains k || !isValue then
      if run.size > 1 then found := found.push run.toList
      run := #[]
    if isValue then run := run.push k
  if run.size > 1 then found := found.push run.toList
  return found.toList

/-- A point of the unit sphere, by the stereographic projection. -/
private def onSphere (xs : List Rat) : List Rat :=
  let u := xs.dropLast.map fun x => x.num.tdiv x.den + 1
  let s : Rat := (u.foldl (fun s x => s + x * x) 0 : Int)
  u.map (fun (x : Int) => 2 * (x : Rat) / (1 + s)) ++ [(s - 1) / (s + 1)]

/-- Shares of one, group by group of so many. -/
private def shares (group : Nat) (xs : List Rat) : List Rat :=
  let xs := (xs.map fun x => if x < 0 then -x else x).toArray
  let total (g : Nat) : Rat := (xs.extract (g * group) (g * group + group)).foldl (· + ·) 0
  (xs.mapIdx fun i x =>
    let t := total (i / group)
    if t == 0 then (if i % group == 0 then 1 else 0) else x / t).toList

/-- The same numbers in another order, or others that meet what is often asked of many numbers at once: none negative,
sorted in both orders, none twice, all equal, squares that sum to one, rows that sum to one. -/
private def arrangements (count : Nat) : List (List Rat → List Rat) :=
  [fun xs => xs.map fun x => if x < 0 then -x else x,
    fun xs => xs.mergeSort (· ≤ ·), fun xs => xs.mergeSort (· ≥ ·),
    fun xs => (xs.mergeSort (· ≤ ·)).mapIdx fun i x => x + i, fun xs => xs.map fun _ => xs.headD 0, onSphere] ++
  ((List.range (count + 1)).filter fun g => g ≥ 2 && count % g == 0).map shares

/-- A tape that meets more hypotheses, with the numbers of one binder arranged. -/
private def arranged? (run : Run) (hypotheses : Nat) (t : Tape) : Option Tape := Id.run do
  let mut best := none
  let mut missing := t.missing hypotheses
  for places in runs t do
    let before := places.map fun k => t.entries.getD k 0
    for arrange in arrangements places.length do
      let after := places.zip (arrange before)
      if missing > 0 && after.map (·.2) != before && after.all fun (k, v) => fits t k v then
        let entries := after.foldl (fun (e : Array Rat) (k, v) => e.setIfInBounds k v) t.entries
        let t' := run { given := entries, state := t.state }
        if t'.missing hypotheses < missing then
          missing := t'.missing hypotheses
          best := some t'
  return best

/-- So many comparisons are met one at a time. -/
private def few : Nat := 3

/-- How many comparisons of a hypothesis differ from equality. -/
private def unequal (t : Tape) (h : Nat) : Nat := (gapsOf t (some h)).countP (· != 0)

/-- Change a tape so that it comes closer to meeting every hypothesis, in a few steps. -/
def mend (run : Run) (hypotheses : Nat) (t : Tape) (s : UInt64) : Nat → Tape × UInt64
  | 0 => (t, s)
  | n + 1 =>
    if t.accepted hypotheses then (t, s) else
    match t.met.findIdx? (!·.met) with
    | none => (t, s)
    | some h =>
      let gaps := gapsOf t (some h)
      let places := numbers t
      let (b, s) := below places.size s
      match if gaps.isEmpty then none else places[b]? with
      | some k =>
        let missing := t.missing hypotheses
        let v := t.entries.getD k 0
        -- Which comparisons does this entry change, and how fast?
        let changed := if fits t k (v + 1) then gapsOf (run (withEntry t k (v + 1))) (some h) else []
        let values := if changed.length != gaps.length then #[] else
          ((gaps.zip changed).filterMap fun (g, g') => if g == 0 || g == g' then none else some (v - g / (g' - g))).toArray
        let (a, s) := below values.size s
        match values[a]? with
        | some v =>
          if !fits t k v then mend run hypotheses t s n else
          let t' := run (withEntry t k v)
          let left := t'.missing hypotheses
          let onEdge := unequal t' h == 0 && !(t'.met.getD h .no).met
          -- One of many equations is met, or this hypothesis at the cost of another: that is nearer, too.
          if left < missing || left == missing && unequal t' h < unequal t h && !onEdge then mend run hypotheses t' s n
          else if gaps.length > few then mend run hypotheses t s n else
            -- A strict comparison is met next to equality.
            let (c, s) := below 2 s
            let steps := if c == 0 then nudges else nudges.map (-·)
            match steps.findSome? fun d =>
              if fits t' k (v + d) then
                let t'' := run (withEntry t' k (v + d))
                if t''.missing hypotheses < missing then some t'' else none
              else none with
            | some t'' => mend run hypotheses t'' s n
            | none => mend run hypotheses t s n
        | none => mend run hypotheses t s n
      | none => (t, s)

/-- Values of entry `k` where a comparison is, or is nearly, met with equality. -/
private def boundaries (run : Run) (t : Tape) (k : Nat) : List Rat :=
  let every (t : Tape) : List Rat := t.gaps.toList.flatMap (fun g => g ()) ++ t.lastGaps ()
  let v := t.entries.getD k 0
  let before := every t
  let next := every (run (withEntry t k (v + 1)))
  let solved := if next.length != before.length then [] else
    (before.zip next).filterMap fun (g, g') => if g == g' then none else some (v - g / (g' - g))
  ((solved ++ t.landmarks ()).mergeSort (· ≤ ·)).eraseReps

/-- A value at one of these, next to it, or between it and the one that follows. -/
private def near (values : List Rat) (kind : Kind) (s : UInt64) : Option Rat × UInt64 :=
  let (a, s) := below values.length s
  let (how, s) := below 4 s
  let (far, s) := below 20 s
  let step : Rat := if kind == .rat then mkRat 1 (2 ^ (far + 4)) else 1
  let whole (v : Rat) : Rat := if kind == .rat then v else v.floor
  let place (here : Rat) : Rat := match how, values[a + 1]? with
    | 0, _ => here
    | 1, _ => here - step
    | 2, some next => (here + next) / 2
    | _, _ => here + step
  ((values[a]?).map fun here => whole (place here), s)

/-- So many values are tried where an instance is moved to a boundary. -/
private def mostPlaces : Nat := 6

/-- An instance at the boundary of a branch, next to it, or between two: the first of a few on which the conclusion fails, or the last
of them. -/
private def between? (run : Run) (hypotheses : Nat) (t : Tape) (s : UInt64) : Option Tape := Id.run do
  let places := numbers t
  let mut s := s
  let mut found := none
  let mut values := []
  let mut k := 0
  for i in [0:mostPlaces] do
    if i % 3 == 0 then
      let (b, s') := below places.size s
      s := s'
      k := places.getD b 0
      values := if places.isEmpty then [] else boundaries run t k
    let (v, s') := near values (t.kinds.getD k .choice) s
    s := s'
    if let some v := v then
      if fits t k v then
        let t' := run (withEntry t k v)
        if t'.accepted hypotheses then
          found := some t'
          if t'.decide () == .no then break
  return found

/-- The first tapes hold one number everywhere: empty and equal entries, one element. -/
private def plain : Array Tape := #[
  { fresh := false }, { given := .replicate 64 1, fresh := false }, { given := .replicate 64 (-1), fresh := false },
  { given := .replicate 64 2, fresh := false }, { given := .replicate 64 (1 / 2), fresh := false }]

/-- How often an instance is drawn until its hypotheses hold. -/
def mostDraws : Nat := 8

/-- Which numbers it is made of, draw by draw; those of the last ones differ from binder to binder. -/
private def modeOf (draw : Nat) (s : UInt64) : Nat :=
  #[0, 1, sharesMode, 3].getD draw (if draw % 2 == 0 then modes + (bits s).2.toNat % modes ^ 8 else draw % modes)

/-- In how many of these its numbers are arranged where changing one of them did not help. -/
def mostArranged : Nat := 2

/-- An instance of more numbers is drawn again a few times before it is mended, which takes longer. -/
private def mostMended : Nat := 12

/-- The stream of an instance. -/
def streamOf (seed : UInt64) (i draw : Nat) : UInt64 :=
  (bits ((bits (seed + i.toUInt64)).2 + draw.toUInt64)).2

/-- Change a tape until every hypothesis holds, where that is found. -/
private def mended? (run : Run) (hypotheses : Nat) (t : Tape) (s : UInt64) (arranges : Bool) : Option Tape := Id.run do
  let count := ((t.met.findIdx? (!·.met)).map (unequal t)).getD 0
  -- One by one, many comparisons take long.
  let start := if count > few && arranges then (arranged? run hypotheses t).getD t else t
  let (t', s) := mend run hypotheses start s (4 + min 8 count)
  if t'.accepted hypotheses then return some t'
  unless arranges do return none
  -- What asks something of many numbers at once is met by no single one; two vectors are arranged in turn.
  let some t' := arranged? run hypotheses t' | return none
  let (t', s) := mend run hypotheses t' s 2
  let t' := if t'.accepted hypotheses then t' else (arranged? run hypotheses t').getD t'
  let (t', _) := mend run hypotheses t' s 2
  return if t'.accepted hypotheses then some t' else none

/-- The instance of an index: its tape, where every hypothesis holds if that was found, and all tapes before it. -/
def instanceAt (run : Run) (hypotheses : Nat) (seed : UInt64) (i : Nat) : Tape × Array Tape := Id.run do
  let mut before := #[]
  let mut found : Option Tape := none
  let mut arranged := 0
  for draw in [0:mostDraws] do
    let s := streamOf seed i draw
    let drawn : Tape := { state := s, mode := modeOf draw s }
    let t := run (if draw == 0 then plain.getD i drawn else drawn)
    if t.accepted hypotheses then
      found := some t
      break
    before := before.push t
    if draw < 4 && t.entries.size > mostMended then continue
    found := mended? run hypotheses t s (arranged < mostArranged)
    arranged := arranged + 1
    if found.isSome then break
  match found with
  | none => return (before.back?.getD default, before.pop)
  | some t =>
    -- Every second instance is on the edge of a comparison, or near one.
    if i % 2 == 0 then return (t, before)
    if i % 4 == 3 then
      return ((between? run hypotheses t (streamOf seed i mostDraws)).getD t, before)
    let all := comparisons t
    if all.isEmpty then return (t, before)
    let places := numbers t
    let mut s := streamOf seed i mostDraws
    -- Two comparisons can meet in a corner.
    let mut edge := t
    for _ in [0:4] do
      let (a, s') := below all.size s
      let (b, s'') := below places.size s'
      s := s''
      if let (some (h, j), some k) := (all[a]?, places[b]?) then
        if let some t' := solve run edge h j k then
          if t'.accepted hypotheses then edge := t'
    return (edge, before)

/-- An instance that violates hypothesis `h` and no other, made of one that meets all. -/
def violating? (run : Run) (hypotheses : Nat) (t : Tape) (h : Nat) (s : UInt64) : Option Tape := Id.run do
  let count := (gapsOf t (some h)).length
  let places := numbers t
  let mut s := s
  for _ in [0:if count == 0 then 0 else 2] do
    let (j, s') := below count s
    let (b, s'') := below places.size s'
    s := s''
    if let some k := places[b]? then
      let edge := (solve run t (some h) j k).getD t
      let v := edge.entries.getD k 0
      for d in #[0, 1, -1, 1 / 2, -1 / 2] do
        if fits edge k (v + d) then
          let t' := run (withEntry edge k (v + d))
          if t'.violated? hypotheses == some h then return some t'
  return none

end Obligations.Exact
