import Obligations.Exact.Tape

/-! # Drawing values

Every value is made of the entries of a tape.

## Main definitions

* `Obligations.Exact.Gen`: draws a value, with its text for reports. -/

namespace Obligations.Exact

/-- Draws a value, or finds that the type has none; with the text of the value. -/
abbrev Gen (α : Type) := Tape → Option (α × (Unit → String)) × Tape

namespace Gen

def bind {α β : Type} (g : Gen α) (f : α → (Unit → String) → Gen β) : Gen β := fun t =>
  match g t with
  | (some (a, s), t) => f a s t
  | (none, t) => (none, t)

def pure {α : Type} (a : α) (s : Unit → String) : Gen α := fun t => (some (a, s), t)

/-- The same value, seen as another. -/
def map {α β : Type} (f : α → β) (g : Gen α) : Gen β := bind g fun a s => pure (f a) s

def none {α : Type} : Gen α := fun t => (.none, t)

def nat : Gen Nat := fun t =>
  let (v, t) := entry .nat drawNat t
  let n := asNat v
  (some (n, fun _ => toString n), t)

/-- A number that nothing counts up to: it is drawn as others are, and may become large where a comparison is met. -/
def largeNat : Gen Nat := fun t =>
  let (v, t) := entry .large drawNat t
  let n := asNat v
  (some (n, fun _ => toString n), t)

/-- A size: 0, 1, 2 more often than 6.  A matrix has as many entries as two of them multiplied. -/
def sizeNat : Gen Nat := fun t =>
  let (v, t) := entry .nat (fun r _ => (min (r % 7) (r / 7 % 7) : Nat)) t
  let n := asNat v
  (some (n, fun _ => toString n), t)

/-- A number of so many bits: small ones, and those just below the overflow. -/
def word (width : Nat) : Gen Nat := fun t =>
  let draw (r : Nat) (_ : Array Rat) : Rat := match r % 4 with
    | 0 => (r / 4 % 4 : Nat)
    | 1 => (2 ^ width - 1 - r / 4 % 4 : Nat)
    | 2 => (2 ^ (width - 1) + r / 4 % 4 - 2 : Nat)
    | _ => (r / 4 : Nat)
  let (v, t) := entry .choice draw t (wide := true)
  let n := asNat v % 2 ^ width
  (some (n, fun _ => toString n), t)

def asWord {α : Type} [ToString α] (width : Nat) (make : Nat → α) : Gen α :=
  bind (word width) fun n _ => pure (make n) fun _ => toString (make n)

def int : Gen Int := fun t =>
  let (v, t) := entry .int drawInt t
  let n := v.floor
  (some (n, fun _ => toString n), t)

/-- Ends a rational number in a text: 2 may be a whole number, too.  Reports leave it out. -/
def ratMark : String := "ℚ"

def rat : Gen Rat := fun t =>
  let (v, t) := entry .rat drawRat t
  (some (v, fun _ => toString v ++ ratMark), t)

/-- One of these. -/
def oneOf {α : Type} (gs : Array (Gen α)) : Gen α := fun t =>
  match choose gs.size t with
  | (some i, t) => (gs.getD i none) t
  | (.none, t) => (.none, t)

def bool : Gen Bool := oneOf #[pure false fun _ => "false", pure true fun _ => "true"]

def fin (n : Nat) : Gen (Fin n) := fun t =>
  match choose n t with
  | (some i, t) => if h : i < n then (some (⟨i, h⟩, fun _ => toString i), t) else (.none, t)
  | (.none, t) => (.none, t)

/-- Text as an argument: in brackets where it is an application. -/
def atom (s : String) : String :=
  let bare := s.contains ' ' && !(["[", "#", "(", "{", "!", "\""].any fun p => s.startsWith p)
  if bare then s!"({s})" else s

private def letters : Array Char :=
  #['a', 'b', 'A', ' ', '0', '9', 'z', '_', '.', '\n', '"', '-', 'é', 'λ', '🙂', Char.ofNat 0]

def char : Gen Char := fun t =>
  match choose letters.size t with
  | (some i, t) => let c := letters.getD i 'a'; (some (c, fun _ => c.quote), t)
  | (.none, t) => (.none, t)

/-- So many values, in order. -/
def times {α : Type} (g : Gen α) : Nat → Tape → Option (List (α × (Unit → String))) × Tape
  | 0, t => (some [], t)
  | n + 1, t => match g t with
    | (some a, t) => match times g n t with
      | (some as, t) => (some (a :: as), t)
      | (.none, t) => (.none, t)
    | (.none, t) => (.none, t)

/-- So many values, whose numbers are shares of one where the mode asks for that: the drawn ones are replaced on the tape. -/
def together {α : Type} (g : Gen α) (n : Nat) (t : Tape) : Option (List (α × (Unit → String))) × Tape :=
  let start := t.entries.size
  let found := times g n t
  let t' := found.2
  let own := t'.entries.extract start t'.entries.size
  let isRow := t.modeHere == sharesMode && own.size == n && t.given.size ≤ start &&
    (t'.kinds.extract start t'.kinds.size).all (· == .rat)
  if !isRow then found else
    let sizes := own.map fun x => if x < 0 then -x else x
    let total := sizes.foldl (· + ·) 0
    let shares := sizes.mapIdx fun i x => if total == 0 then (if i == 0 then 1 else 0) else x / total
    times g n { t with given := t.entries ++ shares, state := t'.state }

/-- Texts between brackets. -/
def bracketed {α : Type} (left : String) (xs : List (α × (Unit → String))) (right : String) : Unit → String :=
  fun _ => left ++ ", ".intercalate (xs.map fun x => x.2 ()) ++ right

def list {α : Type} (g : Gen α) : Gen (List α) := fun t =>
  let (n, t) := size t
  match together g n t with
  | (some xs, t) => (some (xs.map (·.1), bracketed "[" xs "]"), t)
  | (.none, t) => (some ([], fun _ => "[]"), t)

def array {α : Type} (g : Gen α) : Gen (Array α) := fun t =>
  let (n, t) := size t
  match times g n t with
  | (some xs, t) => (some ((xs.map (·.1)).toArray, bracketed "#[" xs "]"), t)
  | (.none, t) => (some (#[], fun _ => "#[]"), t)

def string : Gen String := bind (list char) fun cs _ => pure (String.ofList cs) fun _ => (String.ofList cs).quote

/-- As others are, or one of these, which the statement or a definition mentions. -/
def mentioned {α : Type} (others : Gen α) (known : List α) (text : α → String) : Gen α :=
  oneOf #[others, oneOf (known.map fun a => pure a fun _ => text a).toArray]

def stringOr (known : List String) : Gen String := mentioned string known String.quote

/-- A function on the numbers below `n`: its values, in order. -/
def finite {α : Type} (n : Nat) (g : Gen α) : Gen (Fin n → α) := fun t =>
  match together g n t with
  | (some xs, t) =>
    let values := (xs.map (·.1)).toArray
    if h : values.size = n then (some (fun i => values[i.val]'(h ▸ i.isLt), bracketed "![" xs "]"), t) else (.none, t)
  | (.none, t) => (.none, t)

def vector {α : Type} (n : Nat) (g : Gen α) : Gen (Vector α n) := map Vector.ofFn (finite n g)

def option {α : Type} (g : Gen α) : Gen (Option α) :=
  oneOf #[pure .none fun _ => "none", bind g fun a s => pure (some a) fun _ => s!"some {atom (s ())}"]

def prod {α β : Type} (g : Gen α) (h : Gen β) : Gen (α × β) :=
  bind g fun a s => bind h fun b r => pure (a, b) fun _ => s!"({s ()}, {r ()})"

def sum {α β : Type} (g : Gen α) (h : Gen β) : Gen (α ⊕ β) :=
  oneOf #[bind g fun a s => pure (.inl a) fun _ => s!"inl {s ()}",
    bind h fun b r => pure (.inr b) fun _ => s!"inr {r ()}"]

/-- A value of a recursive type: `base` has no parts of the type itself, `step` makes a value out of smaller ones.  Half of the
parts have none themselves: what a definition says of `mul (num a) (num b)` is met, too. -/
def recursive {α : Type} (base : Gen α) (step : Gen α → Gen α) : Nat → Gen α
  | 0 => base
  | n + 1 => step (oneOf #[base, recursive base step n])

/-- Goes on where `holds`. -/
def require {α : Type} (holds : Tape → Truth) (rest : Gen α) : Gen α := fun t =>
  if (holds t).met then rest t else (.none, t)

/-- Draws again, a few times, until there is a value. -/
def retry {α : Type} (g : Gen α) : Nat → Gen α
  | 0 => g
  | n + 1 => fun t => match g t with
    | (some a, t) => (some a, t)
    | (.none, t) => retry g n t

/-- A slope: most often a whole number, which alone keeps whole numbers apart. -/
private def slope : Gen Rat := fun t =>
  let draw (r : Nat) (_ : Array Rat) : Rat := if r % 4 == 0 then mkRat (signed (r / 4) 6) (r / 64 % 4 + 1) else signed (r / 4) 3
  let (v, t) := entry .rat draw t
  (some (v, fun _ => toString v ++ ratMark), t)

/-- A function on an infinite type: a few values in turn, or `a * x + b` where both sides are numbers. -/
def function {α β : Type} (key : α → Nat) (number : Option ((α → Rat) × (Rat → β))) (g : Gen β) : Gen (α → β) :=
  let turns : Gen (α → β) := fun t =>
    let (n, t) := choose 4 t
    match times g (n.getD 0 + 1) t with
    | (some xs, t) =>
      let values := (xs.map (·.1)).toArray
      match xs with
      | [] => (.none, t)
      | x :: _ => (some (fun a => values.getD (key a % values.size) x.1, bracketed "values in turn " xs ""), t)
    | (.none, t) => (.none, t)
  match number with
  | .none => turns
  | some (from_, to) =>
    let line : Gen (α → β) := bind slope fun a s => bind rat fun b r =>
      pure (fun x => to (a * from_ x + b)) fun _ => s!"x ↦ {s ()} * x + {r ()}"
    oneOf #[line, turns]

def keyOfInt (i : Int) : Nat := 2 * i.natAbs + (if i < 0 then 1 else 0)
def keyOfRat (r : Rat) : Nat := keyOfInt r.num + r.den - 1
def keyOfBool (b : Bool) : Nat := if b then 1 else 0
def keyOfHash {α : Type} [Hashable α] (a : α) : Nat := (hash a).toNat

/-- Values of finite types. -/
def everyOption {α : Type} (xs : List α) : List (Option α) := .none :: xs.map some
def everyPair {α β : Type} (xs : List α) (ys : List β) : List (α × β) := xs.flatMap fun x => ys.map fun y => (x, y)
def everySum {α β : Type} (xs : List α) (ys : List β) : List (α ⊕ β) := xs.map .inl ++ ys.map .inr
def ratOfNat (n : Nat) : Rat := (n : Int)
def ratOfInt (i : Int) : Rat := i
def sameRat (r : Rat) : Rat := r
def intOfRat (r : Rat) : Int := r.floor
def constant {α β : Type} (of : Rat → β) (r : Rat) : α → β := fun _ => of r

/-- The binder `name` has this text. -/
def tell {α : Type} (name : String) (s : Unit → String) (rest : Gen α) : Gen α := fun t =>
  rest { t with shown := t.shown.push fun _ => s!"{name} = {s ()}", ends := t.ends.push t.entries.size }

/-- Note whether a hypothesis holds, and how far its comparisons are from equality.  Where what follows cannot be
stated without it, the instance ends here. -/
def assume {α : Type} (holds : Tape → Truth) (gaps : Unit → List Rat) (needed : Bool) (rest : Gen α) : Gen α :=
  fun t =>
    let truth := holds t
    let t := { t with met := t.met.push truth, gaps := t.gaps.push gaps }
    if needed && !truth.met then (.none, t) else rest t

/-- The conclusion, and the mutants of the statement. -/
def conclude (holds : Tape → Truth) (gaps landmarks : Unit → List Rat) (mutants : Array (Tape → Truth)) : Gen Unit := fun t =>
  let t' := { t with
    reached := true, lastGaps := gaps, landmarks, decide := fun _ => holds t, mutants := mutants.map fun m _ => m t }
  (some ((), fun _ => ""), t')

/-- Numbers that a few numbers suggest: what lies between two of them, differences, sums, neighbours. -/
private def suggested (seen : Array Rat) : List Rat :=
  let few := (seen.toList.reverse.take 4)
  let pairs := few.flatMap fun a => few.flatMap fun b =>
    if a == b then [] else [(a + b) / 2, a - b, a + b, a * b, a / b]
  (pairs ++ few.flatMap fun a => [a + 1, a - 1, -a, a / 2, 2 * a]).eraseDups

/-- Numbers to begin the samples of a quantifier with: of the instance itself, or near those.  Within another quantifier
there are fewer, other ones for each value of the outer one, and that value first. -/
private def starts (every : Bool) (t : Tape) : List Rat :=
  let seen := t.entries
  let last (i : Nat) : Rat := seen.getD (seen.size - 1 - i) 0
  let some_ (k : Nat) : List Rat := (List.range k).map fun i => seen.getD ((bits (t.state + i.toUInt64)).2.toNat % seen.size) 0
  if seen.isEmpty then [] else
  let own := match t.depth with
    | 0 => (List.range (min seen.size 8)).map last
    | 1 => last 0 :: (last 0 + 1 / 4) :: (last 0 + 1) :: some_ 2
    | _ => last 0 :: some_ 1
  if every then own else own ++ suggested seen

/-- Tapes of the first unit vectors, and of ones. -/
private def units : List Tape :=
  [#[0, 1], #[0, 0, 1], .replicate 8 1].map fun given => { given, fresh := false }

/-- Values for a `∀` or `∃` within a proposition, each with the tape for what is within: they follow from the entries
of the instance alone.  The simplest value comes first, then those made of the instance's own numbers, then others. -/
def samples {α : Type} (g : Gen α) (every : Bool) (t : Tape) : List (α × Tape) :=
  let own := starts every t
  let others := match t.depth with | 0 => 8 | 1 => 2 | _ => 1
  let stream (i : Nat) : UInt64 := 977 * i.toUInt64 + 31 * t.state
  let tapes : List Tape := { fresh := false } :: (if t.depth == 0 then units else []) ++ own.mapIdx (fun i v => { given := #[v], state := stream (i + 1) }) ++
    (List.range others).map fun i =>
      { entries := t.entries, kinds := t.kinds, state := stream (1 + own.length + i) }
  tapes.zipIdx.filterMap fun (start, i) =>
    match g start with
    | (some (a, _), after) =>
      let drawn := after.entries.extract start.entries.size after.entries.size
      let within := { t with entries := t.entries ++ drawn, depth := t.depth + 1, state := stream i + 1 }
      some (a, within)
    | (.none, _) => .none

/-- Values at which one of these comparisons is met with equality, where it is linear in them; what lies next to them, and
between them. -/
private def meeting (gaps : Rat → List Rat) : List Rat :=
  let (first, next) := (gaps 0, gaps 1)
  if first.length != next.length then [] else
  let met := (first.zip next).filterMap fun (a, b) => if a == b then Option.none else some (a / (a - b))
  let met := (met.mergeSort (· ≤ ·)).eraseReps
  let middles := (met.zip (met.drop 1)).map fun ((a, b) : Rat × Rat) => (a + b) / 2
  (met ++ middles ++ met.flatMap fun v => [v - 1, v + 1]).eraseDups

/-- Samples for an `∃` over numbers: first those that its comparisons ask for. -/
def solving {α : Type} (of : Rat → α) (gaps : α → List Rat) (samples : List (α × Tape)) (t : Tape) : List (α × Tape) :=
  (meeting fun v => gaps (of v)).map (fun v => (of v, { t with entries := t.entries.push v, depth := t.depth + 1 })) ++ samples

end Gen
end Obligations.Exact
