import Obligations.Exact.Truth

/-! # Tapes

Every value is made of numbers, its entries, which stand on a tape.  An entry is drawn from a stream of random bits,
or read from a tape that is given; with that, an instance can be drawn again, one of its numbers can be solved for,
and a counterexample is made small by making the tape small, whatever the types are.

## Main definitions

* `Obligations.Exact.Tape`: entries, and what was found while they were read.
* `Obligations.Exact.entry`: the next one. -/

namespace Obligations.Exact

/-- What an entry of a tape may be. -/
inductive Kind where
  /-- A choice, such as of a constructor. -/
  | choice
  /-- How many values follow. -/
  | length
  /-- A small number: something may count up to it. -/
  | nat
  /-- A natural number that nothing counts up to. -/
  | large
  | int | rat
  deriving Inhabited, BEq

/-- Entries, and what was found on the way. -/
structure Tape where
  /-- Entries to read first. -/
  given : Array Rat := #[]
  /-- Whether further entries are drawn; else they are 0. -/
  fresh : Bool := true
  /-- State of the stream of random bits. -/
  state : UInt64 := 0
  /-- Which numbers are drawn: of all, or of those that a hypothesis often asks for. -/
  mode : Nat := 0
  /-- How many quantifiers the values on it stand within. -/
  depth : Nat := 0
  /-- Entries so far, and what each may be. -/
  entries : Array Rat := #[]
  kinds : Array Kind := #[]
  /-- Of each hypothesis, in order, whether it holds. -/
  met : Array Truth := #[]
  /-- Of each hypothesis, by how much its comparisons differ from equality; then of the conclusion. -/
  gaps : Array (Unit → List Rat) := #[]
  lastGaps : Unit → List Rat := fun _ => []
  /-- Numbers that the conclusion compares with something that no binder binds, such as the elements of a list. -/
  landmarks : Unit → List Rat := fun _ => []
  /-- The values of the binders, as text. -/
  shown : Array (Unit → String) := #[]
  /-- How many entries there are after each binder. -/
  ends : Array Nat := #[]
  /-- Whether the conclusion was reached, and what it is then. -/
  reached : Bool := false
  decide : Unit → Truth := fun _ => .unknown
  /-- Its mutants, not computed yet. -/
  mutants : Array (Unit → Truth) := #[]
  deriving Inhabited

/-- Splitmix64: one step of the stream, and the bits it gives. -/
def bits (s : UInt64) : UInt64 × UInt64 :=
  let s := s + 0x9E3779B97F4A7C15
  let z := (s ^^^ (s >>> 30)) * 0xBF58476D1CE4E5B9
  let z := (z ^^^ (z >>> 27)) * 0x94D049BB133111EB
  (s, z ^^^ (z >>> 31))

/-- How many ways there are to draw numbers. -/
def modes : Nat := 6

/-- The way to draw the numbers of a binder: the same for all binders below `modes`, else one for each. -/
def Tape.modeHere (t : Tape) : Nat :=
  if t.mode < modes then t.mode else (t.mode - modes) / modes ^ min t.ends.size 12 % modes

/-- The mode in which the numbers of a vector or a list are shares of one. -/
def sharesMode : Nat := 5

/-- A number as it is, or one like it that is not negative, positive, between 0 and 1, or not positive. -/
private def shaped (mode : Nat) (v : Rat) : Rat :=
  let size := if v < 0 then -v else v
  match mode with
  | 1 => size
  | 2 => if size == 0 then 1 else size
  | 3 => if size ≤ 1 then size else 1 / size
  | 4 => -size
  | _ => v

/-- The next entry: read, or drawn by `draw` from random bits: 30 of them, which are a small number on every machine, or for a
`wide` one 64. -/
@[noinline] def entry (kind : Kind) (draw : Nat → Array Rat → Rat) (t : Tape) (wide : Bool := false) : Rat × Tape :=
  let i := t.entries.size
  if h : i < t.given.size then
    let v := t.given[i]
    (v, { t with entries := t.entries.push v, kinds := t.kinds.push kind })
  else if t.fresh then
    let (s, z) := bits t.state
    let v := draw (if wide then z.toNat else (z >>> 34).toNat) t.entries
    let v := if t.mode == 0 then v else match kind with
      | .rat => shaped t.modeHere v
      | .int => (shaped t.modeHere v).floor
      | _ => v
    (v, { t with state := s, entries := t.entries.push v, kinds := t.kinds.push kind })
  else (0, { t with entries := t.entries.push 0, kinds := t.kinds.push kind })

/-- An entry so far, or its negation. -/
private def earlier (r : Nat) (seen : Array Rat) : Rat :=
  let v := seen.getD (r / 2 % (max seen.size 1)) 0
  if r % 4 == 3 then -v else v

private def edges : Array Rat := #[0, 1, -1, 2, -2, 1 / 2, -1 / 2, 3]

/-- A whole number at most `span` from 0. -/
def signed (r span : Nat) : Int := (r % (2 * span + 1) : Nat) - (span : Nat)

/-- A rational number: small ones and simple fractions most often, repeated ones, very large and very small ones. -/
def drawRat (r : Nat) (seen : Array Rat) : Rat :=
  let (k, r) := (r % 16, r / 16)
  if k < 4 then edges[r % 8]!
  else if k < 7 then earlier r seen
  else if k < 12 then mkRat (signed r 12) (r / 64 % 4 + 1)
  else if k < 14 then mkRat (signed r 1000) (r / 4096 % 9 + 1)
  else if k < 15 then (signed r 1000000 : Int)
  else mkRat (signed r 9) (10 ^ (r / 64 % 7))

/-- An integer, in the same manner. -/
def drawInt (r : Nat) (seen : Array Rat) : Rat :=
  let (k, r) := (r % 16, r / 16)
  if k < 5 then (signed r 2 : Int)
  else if k < 7 then (earlier r seen).floor
  else if k < 13 then (signed r 12 : Int)
  else if k < 15 then (signed r 1000 : Int)
  else (signed r 1000000 : Int)

/-- A natural number up to 25: it may be a size, or count how often a function calls itself. -/
def drawNat (r : Nat) (seen : Array Rat) : Rat :=
  let (k, r) := (r % 16, r / 16)
  if k < 6 then (r % 4 : Nat)
  else if k < 8 then (earlier r seen).floor.natAbs.min 25
  else if k < 14 then (r % 10 : Nat)
  else (r % 26 : Nat)

/-- What is read as a natural number where an entry is some other. -/
def asNat (v : Rat) : Nat := v.floor.toNat

/-- A number below `n`; none where `n` is 0. -/
def choose (n : Nat) (t : Tape) : Option Nat × Tape :=
  if n == 0 then (none, t) else
    let (v, t) := entry .choice (fun r _ => (r % n : Nat)) t
    (some (asNat v % n), t)

/-- No list is longer. -/
def mostValues : Nat := 64

/-- A length: 0, 1, 2 more often than 6; it may become larger where a comparison is met. -/
def size (t : Tape) : Nat × Tape :=
  let (v, t) := entry .length (fun r _ => (min (r % 7) (r / 7 % 7) : Nat)) t
  (min (asNat v) mostValues, t)

end Obligations.Exact
