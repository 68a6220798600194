/-! # How far a proposition is decided

## Main definitions

* `Obligations.Exact.Truth`: false, true, and three shades between; `∧` and `∨` are minimum and maximum. -/

namespace Obligations.Exact

/-- What is known of a proposition on one instance.

`likely` is a `∀` over an infinite type without a counterexample among the samples, `unlikely` an `∃` without a
witness among them; `unknown` is what was not looked at. -/
inductive Truth where
  | no | unlikely | unknown | likely | yes
  deriving Inhabited, BEq

namespace Truth

/-- The place in the order from false to true. -/
def rank : Truth → Nat
  | no => 0 | unlikely => 1 | unknown => 2 | likely => 3 | yes => 4

/-- Whether a hypothesis with this truth counts as met. -/
def met (t : Truth) : Bool := t.rank ≥ 3

/-- Whether it is false, as far as is known. -/
def fails (t : Truth) : Bool := t.rank ≤ 1

/-- Decided by computation. -/
def of (p : Prop) [Decidable p] : Truth := if p then yes else no

/-- The opposite. -/
def not : Truth → Truth
  | no => yes | unlikely => likely | unknown => unknown | likely => unlikely | yes => no

/-- Both; the second is not computed where the first is false. -/
def and (a : Truth) (b : Unit → Truth) : Truth :=
  if a.rank == 0 then a else
    let b := b ()
    if b.rank < a.rank then b else a

/-- Either; the second is not computed where the first is true. -/
def or (a : Truth) (b : Unit → Truth) : Truth :=
  if a.rank == 4 then a else
    let b := b ()
    if a.rank < b.rank then b else a

/-- The second where the first is true; it is not computed where the first is false. -/
def imp (a : Truth) (b : Unit → Truth) : Truth := or a.not b

/-- The second, which cannot be stated without a proof of the first, where that is met. -/
def given (a : Truth) (b : Unit → Truth) : Truth :=
  if a.rank == 0 then yes else if a.met then or a.not b else unknown

/-- Both, where the second cannot be stated without a proof of the first. -/
def both (a : Truth) (b : Unit → Truth) : Truth :=
  if a.met then and a b else if a.rank == 0 then no else unknown

/-- Both or neither. -/
def iff (a b : Truth) : Truth := and (imp a fun _ => b) fun _ => imp b fun _ => a

/-- True of each element. -/
def all {α : Type} (xs : List α) (f : α → Truth) : Truth :=
  xs.foldl (fun t x => t.and fun _ => f x) yes

/-- True of some element. -/
def any {α : Type} (xs : List α) (f : α → Truth) : Truth :=
  xs.foldl (fun t x => t.or fun _ => f x) no

/-- So many numbers are looked at one by one; of more there are samples only. -/
def mostBelow : Nat := 1000

/-- True of every natural number below `n`. -/
def below (n : Nat) (f : Nat → Truth) (samples : Unit → Truth) : Truth :=
  if n > mostBelow then samples () else n.fold (fun i _ t => t.and fun _ => f i) yes

/-- True of some natural number below `n`. -/
def someBelow (n : Nat) (f : Nat → Truth) (samples : Unit → Truth) : Truth :=
  if n > mostBelow then samples () else n.fold (fun i _ t => t.or fun _ => f i) no

/-- True of every divisor of `n`; of 0 everything is one, so that there are samples only. -/
def divisors (n : Nat) (f : Nat → Truth) (samples : Unit → Truth) : Truth :=
  if n == 0 then samples () else below (n + 1) f samples

/-- True of some divisor of `n`. -/
def someDivisor (n : Nat) (f : Nat → Truth) (samples : Unit → Truth) : Truth :=
  if n == 0 then samples () else someBelow (n + 1) f samples

/-- A `∀` over more than can be looked at: `likely` at best. -/
def always {α β : Type} (xs : List (α × β)) (f : α → β → Truth) : Truth :=
  (all xs fun x => f x.1 x.2).and fun _ => likely

/-- An `∃` over more than can be looked at: `unlikely` at worst. -/
def sometimes {α β : Type} (xs : List (α × β)) (f : α → β → Truth) : Truth :=
  (any xs fun x => f x.1 x.2).or fun _ => unlikely

end Truth
end Obligations.Exact
