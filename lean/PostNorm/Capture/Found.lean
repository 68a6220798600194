import Lean.Elab.Tactic.Meta
import PostNorm.Capture.Values

/-! # The result of matching two graphs

The inputs and constants of the library's graph are bound during the search; facts about a value are stored for all
its entries.  A step returns a proof, as a term, or nothing.

## Main definitions

* `Sides`: the values of both graphs with their equations.
* `Found`: bindings and facts; `attempt`: bindings count only if the search succeeds.
* `abstracted`: a place as a function of another, which generalizes a fact about one entry to all.
* `bindInput`, `sameConstant`, `isZero`: inputs and constants of the library's graph. -/

namespace PostNorm.Capture
open Lean Meta

/-- The values of both graphs, in one list, with a variable and an equation for each. -/
structure Sides extends Reader where
  /-- Their definitions. -/
  values : Array Value
  /-- A variable for each. -/
  terms : Array Expr
  /-- `∀ c, x c = …` for each that is not an input. -/
  equations : Array Expr
  /-- Constants that are minus one, each with the hypothesis that says so. -/
  minusOnes : List (Expr × Expr) := []

/-- A fact about a value of the library: the places of its entries, which value they are entries of and where. -/
structure Fact where
  /-- The places, variables, last axis first. -/
  atoms : List Expr
  /-- Where in the other value. -/
  place : Place
  /-- The proof, for all places. -/
  proof : Expr

/-- The binding of an input of the library's graph. -/
inductive Bound where
  /-- These entries of this input. -/
  | input (number : Nat) (atoms : List Expr) (place : Place)
  /-- Zero. -/
  | zero

/-- The result of the search so far. -/
structure Found where
  /-- Bindings of the inputs of the library's graph. -/
  bound : List (Nat × Bound) := []
  /-- Bindings of its constants. -/
  constants : List (Expr × Expr) := []
  /-- Constants that were used as minus one. -/
  negative : List Expr := []
  /-- Facts about its values. -/
  facts : List ((Nat × Nat) × Fact) := []
  /-- Failed attempts. -/
  failed : List (Nat × Nat) := []

/-- The search. -/
abbrev MatchM := ReaderT Sides <| StateRefT Found MetaM

/-- Bindings of the search count only if it succeeds. -/
def attempt {α : Type} (search : MatchM (Option α)) : MatchM (Option α) := do
  let before ← get
  match ← search with
  | some found => return some found
  | none =>
    modify fun now => { before with failed := now.failed }
    return none

/-- A number for a term, in two ways. -/
private def sample (way : UInt64) (e : Expr) (n : Nat) : Nat := (mixHash (hash e) way).toNat % n

/-- A proof that two places along an axis are equal, by arithmetic. -/
private def sameIx (j k : Ix) : MetaM (Option Expr) := do
  if j == k then return some <| mkApp2 (mkConst ``Eq.refl [1]) (finE j.length) j.term
  unless j.length == k.length && [1, 2, 3].all fun way => j.value (sample way) == k.value (sample way) do return none
  let goal ← mkFreshExprSyntheticOpaqueMVar <| mkApp3 (mkConst ``Eq [1]) (finE j.length) j.term k.term
  try
    let (left, _) ← Elab.runTactic goal.mvarId! (← `(tactic| (apply Fin.ext; same_place)))
    unless left.isEmpty do return none
    return some (← instantiateMVars goal)
  catch _ => return none

/-- A proof that two places are equal. -/
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

/-- The entry of a value at a place. -/
def Sides.entry (number : Nat) (p : Place) : Expr := mkApp x.terms[number]! (Place.term p)

/-- The equation of a value at a place. -/
def Sides.equation (number : Nat) (p : Place) : Expr := mkApp x.equations[number]! (Place.term p)

/-- Equality of a number with itself. -/
def Sides.refl (a : Expr) : Expr := mkApp2 (mkConst ``Eq.refl [.succ x.level]) x.R a

/-- Transitivity of equality. -/
def Sides.trans (a b c ab bc : Expr) : Expr :=
  mkAppN (mkConst ``Eq.trans [.succ x.level]) #[x.R, a, b, c, ab, bc]

/-- Symmetry of equality. -/
def Sides.symm (a b ab : Expr) : Expr := mkAppN (mkConst ``Eq.symm [.succ x.level]) #[x.R, a, b, ab]

/-- A rule, with or without the laws of the field. -/
def Sides.rule (name : Name) (args : Array Expr) (laws : Bool := true) : Expr :=
  mkAppN (mkConst name [x.level]) (#[x.R] ++ (if laws then #[x.laws] else #[]) ++ args)

/-- Entries of one value at equal places: `none` if these are not shown to be equal. -/
def Sides.moved (number : Nat) (p q : Place) : MetaM (Option Expr) := do
  if p == q then return some (x.refl (x.entry number p))
  let some same ← samePlace p q | return none
  return some <| mkAppN (mkConst ``congrArg [1, .succ x.level])
    #[coordE (Place.lengths p), x.R, Place.term p, Place.term q, x.terms[number]!, same]

end terms

/-- New variables for places along axes of these lengths. -/
def withAtoms {α : Type} [Inhabited α] (lengths : List Nat) (k : List Expr → MatchM α) : MatchM α :=
  withLocalDeclsD (lengths.toArray.mapIdx fun j n => (Name.mkSimple s!"i{j}", fun _ => pure (finE n))) fun xs =>
    k xs.toList

/-- The variables for the parts of a place, if the place is a variable. -/
private partial def parts (k atom : Ix) : List (Ix × Ix) :=
  (k, atom) :: match k with
    | .flat h d i j => parts i (.piece h d atom) ++ parts j (.entry h d atom)
    | _ => []

/-- The place `to_` as a function of the place `from_`, whose parts are the variables `atoms`, if it is one. -/
def abstracted (from_ to_ : Place) (atoms : List Expr) : Option Place := do
  let new : List Ix := from_.zipWith (fun k e => .atom e k.length) atoms
  if from_.any fun k => match k with | .lit .. => true | _ => false then none
  let joined := (from_.zip new).flatMap fun (k, a) => (from_.zip new).filterMap fun (k', a') => match k, k' with
    | .piece h d m, .entry h' d' m' => if h == h' && d == d' && m == m' then some (m, Ix.flat h d a a') else none
    | _, _ => none
  let table := (from_.zip new).flatMap (fun (k, a) => parts k a) ++ joined
  let found := Place.replace (fun k => (table.find? (·.1 == k)).map (·.2)) to_
  if (found.flatMap Ix.atoms).all atoms.contains then some (Place.normal found) else none

/-- The place of a fact for other places. -/
def Fact.there (atoms : List Expr) (place p : Place) : Place :=
  let table := atoms.zip p
  Place.replace (fun k => match k with
    | .atom e _ => (table.find? (·.1 == e)).map (·.2)
    | _ => none) place

/-- The constants are equal; the library's is bound if it was not. -/
def sameConstant (b a : Option Expr) : MatchM Bool := do
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
def bindInput (b : Nat) (cb : Place) (a : Nat) (ca : Place) : MatchM (Option Expr) := do
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

/-- A proof that an entry is zero, since it belongs to an input that is bound to zero, or can be. -/
partial def isZero (b : Nat) (cb : Place) : MatchM (Option Expr) := do
  let x ← read
  let nought := mkApp2 (mkConst ``OfNat.ofNat [x.level]) x.R (mkRawNatLit 0)
  let none_ := mkApp nought (← synthInstance (mkApp2 (mkConst ``OfNat [x.level]) x.R (mkRawNatLit 0)))
  match x.values[b]!.kind with
  | .layout arg map _ =>
    let raw := map cb
    let some p ← isZero arg raw | return none
    return some <| x.trans (x.entry b cb) (x.entry arg raw) none_ (x.equation b cb) p
  | .input =>
    match (← get).bound.lookup b with
    | some .zero => return some (x.refl none_)
    | some _ => return none
    | none =>
      modify fun now => { now with bound := (b, .zero) :: now.bound }
      return some (x.refl none_)
  | _ => return none

end PostNorm.Capture
